/**
 * Whether the domain of the reverse-path can take a bounce: where it cannot,
 * nobody answers for the message.
 *
 * `pass`: mail for the domain has somewhere to go (RFC 5321 §5.1): an MX whose
 * host has an address outside, or without MX an address of its own. `fail`:
 * `null-mx` (RFC 7505), `no-such-domain`, `no-mail-host` (neither MX nor
 * address; or no host of its MX has an address), `unroutable` (only loopback,
 * private or unspecified addresses). `none`: the null reverse-path, an address
 * literal, an address without a domain. `temperror`: a question without an
 * answer that might have been the address. Nothing throws.
 *
 * Bounds: the ten most preferred exchanges; the first two are asked together,
 * and where neither has an address, the rest. So there are at most 21 look-ups
 * in three steps, and one dead name costs what one look-up takes. Where a
 * domain has more exchanges, and none of the ten has an address, it fails all
 * the same: no sender can be asked to try more.
 */
import { domainToASCII } from 'node:url'
import { causeText, strangerText } from '../auth/stranger-text.ts'
import { normalName } from '../dns/name.ts'
import type { Lookup, Resolver } from '../dns/resolver.ts'
import { atOnce, failureCause } from './look-ups.ts'
import { isUnrouted, parseIpAddress } from './reverse-name.ts'

export type SenderDomainFailure = 'null-mx' | 'no-such-domain' | 'no-mail-host' | 'unroutable'

export type SenderDomainOutcome =
  | { readonly status: 'pass'; readonly domain: string; /** what it is reached by */ readonly by: 'mx' | 'address' }
  | { readonly status: 'fail'; readonly domain: string; readonly result: SenderDomainFailure; readonly cause: string }
  | { readonly status: 'none'; readonly result: 'null-reverse-path' | 'literal' | 'no-domain' }
  | { readonly status: 'temperror'; readonly domain: string; readonly cause: string }

const MAX_EXCHANGES = 10
const ASKED_FIRST = 2
const MAX_SHOWN_CHARACTERS = 255

/** @param given the domain of MAIL FROM, in Unicode or A-labels; null for the null reverse-path, '' where the address has none */
export async function checkSenderDomain(given: string | null, resolver: Resolver): Promise<SenderDomainOutcome> {
  if (given === null) return { status: 'none', result: 'null-reverse-path' }
  if (given === '') return { status: 'none', result: 'no-domain' }
  if (given.startsWith('[')) return { status: 'none', result: 'literal' }
  const name = asciiName(given)
  const domain = name ?? strangerText(given, MAX_SHOWN_CHARACTERS)
  const fail = (result: SenderDomainFailure, cause: string): SenderDomainOutcome => ({ status: 'fail', domain, result, cause: causeText(cause) })
  if (name === undefined) return fail('no-such-domain', `${domain} cannot be a name in the DNS`)
  const found = await resolver.lookup(name, 'MX')
  switch (found.status) {
    case 'servfail':
    case 'timeout':
      return { status: 'temperror', domain, cause: causeText(failureCause(`MX of ${name}`, found)) }
    case 'nxdomain':
      return fail('no-such-domain', `${name} does not exist`)
    case 'nodata':
      return judged(await reach([name], resolver), { domain, by: 'address' }, `${name} has neither MX nor A nor AAAA records`)
    case 'records': {
      // RFC 7505 §3: a null MX stands alone; beside others it is none.
      const exchanges = found.records.filter(({ exchange }) => exchange !== '').toSorted((a, b) => a.preference - b.preference || (a.exchange < b.exchange ? -1 : 1))
      if (exchanges.length === 0) return fail('null-mx', `${name} takes no mail: it has a null MX`)
      const hosts = [...new Set(exchanges.map(({ exchange }) => exchange))].slice(0, MAX_EXCHANGES)
      return judged(await reachInTurn(hosts, resolver), { domain, by: 'mx' }, `no mail exchange of ${name} has an address`)
    }
  }
}

function asciiName(given: string): string | undefined {
  const bare = given.replace(/\.$/, '')
  return normalName(/[^\x00-\x7f]/.test(bare) ? domainToASCII(bare) : bare)
}

/** What asking hosts for their addresses came to, the best first. */
type Reach = { readonly status: 'routed' } | { readonly status: 'temperror'; readonly cause: string } | { readonly status: 'unroutable'; readonly cause: string } | { readonly status: 'nothing' }

function judged(reached: Reach, { domain, by }: { domain: string; by: 'mx' | 'address' }, nothing: string): SenderDomainOutcome {
  switch (reached.status) {
    case 'routed': return { status: 'pass', domain, by }
    case 'temperror': return { status: 'temperror', domain, cause: causeText(reached.cause) }
    case 'unroutable': return { status: 'fail', domain, result: 'unroutable', cause: causeText(reached.cause) }
    case 'nothing': return { status: 'fail', domain, result: 'no-mail-host', cause: causeText(nothing) }
  }
}

async function reachInTurn(hosts: readonly string[], resolver: Resolver): Promise<Reach> {
  const first = await reach(hosts.slice(0, ASKED_FIRST), resolver)
  if (first.status === 'routed' || hosts.length <= ASKED_FIRST) return first
  return best([first, await reach(hosts.slice(ASKED_FIRST), resolver)])
}

async function reach(hosts: readonly string[], resolver: Resolver): Promise<Reach> {
  const near = hosts.find((host) => isOutside(resolver.known?.(host, 'A')))
  // One that is known to be reached is enough: nothing need be asked for the others.
  if (near !== undefined && isOutside(await resolver.lookup(near, 'A'))) return { status: 'routed' }
  const questions = hosts.flatMap((host) => [{ host, type: 'A' }, { host, type: 'AAAA' }] as const)
  return best(await atOnce(questions, questions.length, async ({ host, type }): Promise<Reach> => {
    const found = await resolver.lookup(host, type)
    switch (found.status) {
      case 'servfail':
      case 'timeout':
        return { status: 'temperror', cause: failureCause(`${type} of ${host}`, found) }
      case 'nxdomain':
      case 'nodata':
        return { status: 'nothing' }
      case 'records':
        return isOutside(found) ? { status: 'routed' } : { status: 'unroutable', cause: `${host} has the address ${found.records[0] ?? ''}, which nobody outside reaches` }
    }
  }))
}

function isOutside(found: Lookup<'A' | 'AAAA'> | undefined): boolean {
  return found?.status === 'records' && found.records.some((text) => {
    const address = parseIpAddress(text)
    return address !== undefined && !isUnrouted(address)
  })
}

function best(all: readonly Reach[]): Reach {
  for (const status of ['routed', 'temperror', 'unroutable'] as const) {
    const found = all.find((one) => one.status === status)
    if (found !== undefined) return found
  }
  return { status: 'nothing' }
}
