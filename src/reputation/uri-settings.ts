/**
 * Settings of the lists that are asked for what links hold, and what can be
 * wrong with them. Pure.
 *
 * A list that holds names and addresses in one zone is configured as two.
 */
import { normalName } from '../dns/name.ts'
import { CODE_ALLOWED, readCode } from './dnsbl-codes.ts'
import { addressTestPoints, NAME_TEST_POINTS, type TestPoints } from './dnsbl-health.ts'
import type { DnsListCode } from './list-zone.ts'
import { parseIpAddress, reverseLabels } from './reverse-name.ts'
import { canonicalAddress, canonicalUrls, hashFormProblem, hashLabel, type HashForm, type UrlForm } from './uri-hash.ts'

interface AnyUriList {
  readonly zone: string
  /** shown in its place, in headers, logs and causes: where the zone's name has a customer's key in it, it must be given */
  readonly name?: string
  readonly weight: number
  /** the return codes that count; without them, every code does */
  readonly codes?: readonly DnsListCode[]
  /**
   * What the list always holds, and what it never does, where they are not those
   * of RFC 5782 §5 (`test` and `invalid`; 127.0.0.2 and 127.0.0.1): a name, an
   * address, and of a list of hashes the value or its hash. The RFC has no
   * test points for hashes: there `listed` is not optional.
   */
  readonly test?: { readonly listed?: string; readonly unlisted?: string }
  /** return codes by which it says that it does not serve us; `URI_REFUSALS` */
  readonly refusals?: readonly string[]
}

export type UriListZone = AnyUriList & (
  | {
      readonly kind: 'domain'
      /** domain: organizational domains, which most lists want; host: whole host names; both */
      readonly ask?: 'domain' | 'host' | 'both'
      /** it is asked for the domains of From and Reply-To too; false */
      readonly addresses?: boolean
    }
  /** of hosts that are IP addresses */
  | { readonly kind: 'address'; /** it lists IPv6 too; false */ readonly ipv6?: boolean }
  | (HashForm & {
      readonly kind: 'hash'
      /** email: From, Reply-To and links to write to */
      readonly of: 'email' | 'url' | 'domain'
      readonly ask?: 'domain' | 'host' | 'both'
      readonly addresses?: boolean
      readonly url?: UrlForm
    })
)

export interface UriListSettings {
  readonly zones: readonly UriListZone[]
  /** domains that are not asked for, with all below them; `URI_SKIPPED` */
  readonly skip?: readonly string[]
  /** names (or addresses) that one list is asked for of one message; 20 */
  readonly maxNames?: number
  /** hashes; 10 */
  readonly maxHashes?: number
  /** look-ups at once of one message; 20 */
  readonly maxAtOnce?: number
}

export const URI_LIST_DEFAULTS = { maxNames: 20, maxHashes: 10, maxAtOnce: 20 } as const
export const MAX_URI_LISTS = 30
/** Enough stays before it for 32 nibbles, a hash, and nearly every name. */
export const MAX_URI_ZONE_CHARACTERS = 150

/** 127.0.0.1 is what several lists of names answer to those they do not serve, and 127.0.1.255 says that the question was not one for the list. */
export const URI_REFUSALS: readonly string[] = ['127.0.0.1', '127.0.1.255']

/** What stands in documents by itself, for no reader. */
export const URI_SKIPPED: readonly string[] = ['w3.org', 'schema.org', 'xmlns.com', 'schemas.microsoft.com', 'openxmlformats.org', 'ogp.me']

/** A sentence for the first thing that is wrong; undefined where nothing is. */
export function uriListProblem(zone: UriListZone): string | undefined {
  const name = normalName(zone.zone)
  if (name === undefined || name.length > MAX_URI_ZONE_CHARACTERS) return `${JSON.stringify(zone.zone)} is no name of at most ${MAX_URI_ZONE_CHARACTERS} characters`
  if (!(Number.isFinite(zone.weight) && zone.weight >= 0)) return 'a weight is a number of at least 0'
  for (const code of [...(zone.codes ?? []).map((one) => one.code), ...(zone.refusals ?? [])]) {
    const reading = readCode(code)
    if (reading.status === 'refused') return `${code}: ${reading.problem}; allowed is ${CODE_ALLOWED}`
  }
  if (zone.kind === 'hash') {
    const problem = hashFormProblem(zone)
    if (problem !== undefined) return problem
    if (zone.test?.listed === undefined) return 'a list of hashes needs a test point (test.listed): what its operator says that it always holds'
  }
  for (const point of [zone.test?.listed, zone.test?.unlisted]) {
    if (point === undefined) continue
    const labels = labelsOf(zone, point)
    if (labels === undefined || normalName(`${labels}.${name}`) === undefined) return `${JSON.stringify(point)} is no test point of such a list`
  }
  return undefined
}

/** Of settings without a problem. */
export function testPointsOf(zone: UriListZone): TestPoints {
  const usual = zone.kind === 'address' ? addressTestPoints(4) : zone.kind === 'domain' ? NAME_TEST_POINTS : { listed: '', unlisted: hashLabel(NEVER_HELD[zone.of], zone) }
  const point = (given: string | undefined): string | undefined => (given === undefined ? undefined : labelsOf(zone, given))
  return { listed: point(zone.test?.listed) ?? usual.listed, unlisted: point(zone.test?.unlisted) ?? usual.unlisted }
}

/** Nobody can have anything under `invalid` (RFC 2606 §2). */
const NEVER_HELD = { email: 'nobody@unlisted.invalid', url: 'unlisted.invalid/nothing', domain: 'unlisted.invalid' } as const

/** What stands before the zone in the question for it. */
function labelsOf(zone: UriListZone, point: string): string | undefined {
  switch (zone.kind) {
    case 'domain': return normalName(point)
    case 'address': {
      const address = parseIpAddress(point)
      return address === undefined ? undefined : reverseLabels(address)
    }
    case 'hash': {
      // A hash has no such character, and what is hashed always does.
      if (/^[a-z0-9]{26,63}$/i.test(point)) return point.toLowerCase()
      const value = zone.of === 'email' ? canonicalAddress(point) : zone.of === 'url' ? urlOf(point, zone.url) : normalName(point)
      return value === undefined ? undefined : hashLabel(value, zone)
    }
  }
}

function urlOf(text: string, form: UrlForm | undefined): string | undefined {
  const [, scheme = 'http', host = '', port] = /^(?:(https?):\/\/)?([^/?#:]+)(?::(\d+))?/i.exec(text) ?? []
  return canonicalUrls({ url: text, scheme: scheme.toLowerCase(), host: host.toLowerCase(), port: port === undefined ? undefined : Number(port) }, form)[0]
}
