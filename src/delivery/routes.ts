/**
 * Which next hop takes a recipient, and which recipients are not for us at all.
 *
 * Inbound takes the configured domains and nothing else. A local part with
 * routing characters is refused there too: to a next hop that trusts us,
 * `user%elsewhere@ours` may mean "relay it to elsewhere" (RFC 5321 appendix C,
 * and the percent hack that Postfix still knows).
 */
import type { Domain, Mailbox } from '../smtp/envelope.ts'
import type { Reply } from '../smtp/reply.ts'
import * as replies from '../smtp/reply-catalogue.ts'
import type { NextHop } from './next-hop.ts'

export type Route = { readonly status: 'hop'; readonly hop: NextHop } | { readonly status: 'refused'; readonly reply: Reply }

export interface Routes {
  /** every hop that a recipient may go to; never empty */
  readonly hops: readonly NextHop[]
  route(recipient: Mailbox): Route
}

/** Everything goes to one hop: for clients that may send anywhere. */
export function outboundRoutes(hop: NextHop): Routes {
  const route: Route = { status: 'hop', hop }
  return { hops: [hop], route: () => route }
}

/** @param byDomain hop of each accepted domain; @param fallback where `<postmaster>` without a domain goes */
export function inboundRoutes(byDomain: ReadonlyMap<Domain, NextHop>, fallback: NextHop): Routes {
  return {
    hops: [...new Set([...byDomain.values(), fallback])],
    route({ localPart, domain }) {
      if (/[%!@]/.test(localPart)) return { status: 'refused', reply: replies.ROUTED_ADDRESS }
      // RFC 5321 §4.5.1
      const hop = (domain as string) === '' ? fallback : byDomain.get(domain)
      return hop === undefined ? { status: 'refused', reply: replies.RELAYING_DENIED } : { status: 'hop', hop }
    },
  }
}
