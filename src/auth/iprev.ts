/**
 * The client's name in the DNS, and whether the name leads back to the client:
 * rDNS and FCrDNS (RFC 8601 §3, RFC 1912 §2.1).
 *
 * Every name that the PTR records give is asked for its addresses, of the
 * client's family only; one that holds the client's is confirmed, and one
 * confirmed name is a pass whatever became of the others. `no-ptr`: there is
 * no PTR record. `not-confirmed`: there are names, those asked were answered,
 * and none holds the client. `temperror`: a question without an answer on which
 * the result depends. Nothing throws.
 *
 * Names that cannot be of a host are reported and not asked. Bounds: the names
 * asked, and how many at once; where there are more, the first in the order of
 * the alphabet are asked, so that the result is the same each time. The
 * addresses of a name are bounded by the 64 KiB of a DNS message. Private and
 * loopback addresses are asked like any other: what they mean is the policy's.
 */
import type { Failure, Resolver } from '../dns/resolver.ts'
import { isHostName } from '../dns/wire-name.ts'
import { atOnce, failureCause } from '../reputation/look-ups.ts'
import { parseIpAddress, reverseName, sameAddress, type IpAddress } from '../reputation/reverse-name.ts'
import { causeText, strangerText } from './stranger-text.ts'

export interface IprevLimits {
  /** of the client that are asked for their addresses */
  readonly maxNames: number
  readonly maxAtOnce: number
}

/** RFC 7208 §4.6.4 allows ten names of a PTR; the same here. */
export const IPREV_LIMITS: IprevLimits = { maxNames: 10, maxAtOnce: 5 }

interface Names {
  /** that were asked, in lower case; at most `maxNames` */
  readonly ptr: readonly string[]
  /** that no host can have, made printable; at most `maxNames` */
  readonly ignored: readonly string[]
  /** PTR records there are, those that were not asked included */
  readonly ptrCount: number
}

export type IprevOutcome =
  | ({ readonly status: 'pass'; /** in the order of the alphabet; at least one */ readonly confirmed: readonly string[]; /** another name could not be asked */ readonly open?: boolean } & Names)
  | { readonly status: 'no-ptr'; readonly cause: string }
  | ({ readonly status: 'not-confirmed'; readonly cause: string } & Names)
  /** ptr: the client's names could not be had; forward: the addresses of one, and no other name is confirmed */
  | ({ readonly status: 'temperror'; readonly cause: string; readonly stage: 'ptr' | 'forward' } & Names)
  /** the client has no IP address: it came over a unix socket */
  | { readonly status: 'none'; readonly cause: string }

const MAX_SHOWN_NAME_CHARACTERS = 253

export async function checkIprev(address: string, resolver: Resolver, limits: IprevLimits = IPREV_LIMITS): Promise<IprevOutcome> {
  const client = parseIpAddress(address)
  if (client === undefined) return { status: 'none', cause: 'the client has no IP address' }
  const question = reverseName(client)
  const found = await resolver.lookup(question, 'PTR')
  switch (found.status) {
    case 'nxdomain':
    case 'nodata':
      return { status: 'no-ptr', cause: `${question} has no PTR record` }
    case 'servfail':
    case 'timeout':
      return { status: 'temperror', stage: 'ptr', cause: causeText(failureCause(`PTR of ${question}`, found)), ptr: [], ignored: [], ptrCount: 0 }
    case 'records':
      return confirm(client, namesOf(found.records, limits.maxNames), { resolver, limits })
  }
}

function namesOf(records: readonly string[], maxNames: number): Names {
  const all = [...new Set(records.map((name) => name.toLowerCase()))].sort()
  return {
    ptr: all.filter(isHostName).slice(0, maxNames),
    ignored: all.filter((name) => !isHostName(name)).slice(0, maxNames).map((name) => strangerText(name, MAX_SHOWN_NAME_CHARACTERS)),
    ptrCount: records.length,
  }
}

type Forward = { readonly status: 'confirmed' | 'other'; readonly name: string } | { readonly status: 'failed'; readonly name: string; readonly failure: Failure }

async function confirm(client: IpAddress, names: Names, { resolver, limits }: { resolver: Resolver; limits: IprevLimits }): Promise<IprevOutcome> {
  const type = client.family === 4 ? 'A' : 'AAAA'
  const forwards = await atOnce(names.ptr, limits.maxAtOnce, async (name): Promise<Forward> => {
    const found = await resolver.lookup(name, type)
    switch (found.status) {
      case 'servfail':
      case 'timeout':
        return { status: 'failed', name, failure: found }
      case 'nxdomain':
      case 'nodata':
        return { status: 'other', name }
      case 'records':
        return { status: found.records.some((one) => sameAddress(parseIpAddress(one), client)) ? 'confirmed' : 'other', name }
    }
  })
  const confirmed = forwards.filter(({ status }) => status === 'confirmed').map(({ name }) => name)
  const failed = forwards.find((one) => one.status === 'failed')
  if (confirmed.length > 0) return { status: 'pass', confirmed, ...(failed !== undefined && { open: true }), ...names }
  if (failed !== undefined) return { status: 'temperror', stage: 'forward', cause: causeText(failureCause(`${type} of ${failed.name}`, failed.failure)), ...names }
  return { status: 'not-confirmed', cause: causeText(unconfirmedCause(names, type)), ...names }
}

function unconfirmedCause({ ptr, ignored, ptrCount }: Names, type: string): string {
  const [first] = ptr
  if (first === undefined) return `the PTR record gives no name that a host can have: ${ignored[0] ?? ''}`
  const others = ptr.length === 1 ? '' : ` and the ${ptr.length - 1} other names asked of ${ptrCount}`
  return `${first}${others}: no ${type} record with the client's address`
}
