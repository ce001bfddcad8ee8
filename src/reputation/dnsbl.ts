/**
 * Block lists and allow lists in the DNS, of addresses (RFC 5782).
 *
 * All zones are asked at once. A zone is believed only behind its interlock
 * (dnsbl-health.ts); until then, and while it is set aside, its result is an
 * `error` that says so, without a question asked. An answer outside
 * 127.0.0.0/8 or inside 127.255.255.0/24 is an error and sets the zone aside at
 * once; a question without an answer is an error. Neither is ever a listing.
 *
 * The reason (TXT) is asked for where the client is listed, and is left out
 * where it cannot be had. Nothing throws, but `createDnsLists` on settings that
 * were not checked, which is a bug. There are no timers in here: whoever makes
 * the lists calls `tick` at start and then every minute or so.
 *
 * Bounds: zones, look-ups at once of one check, characters of a reason.
 */
import { strangerText } from '../auth/stranger-text.ts'
import type { Resolver } from '../dns/resolver.ts'
import { addressTestPoints, type ZoneContext, type ZoneState } from './dnsbl-health.ts'
import { ListZone, namesShown, type DnsListCode, type ListAnswer, type ListError } from './list-zone.ts'
import { atOnce } from './look-ups.ts'
import { isLoopback, parseIpAddress, reverseLabels, type IpAddress } from './reverse-name.ts'

export type { DnsListCode }

export interface DnsListZone {
  readonly zone: string
  /** shown in its place, in replies, headers, logs and causes: where the zone's name has a customer's key in it, it must be given */
  readonly name?: string
  /** block: a listing speaks against the client; allow: for it */
  readonly kind: 'block' | 'allow'
  readonly weight: number
  /** the return codes that count; without them, every code does */
  readonly codes?: readonly DnsListCode[]
  /** it lists IPv4 addresses; true unless said otherwise */
  readonly ipv4?: boolean
  readonly ipv6: boolean
}

export interface DnsListSettings {
  readonly zones: readonly DnsListZone[]
  /** look-ups at once of one check; 20 */
  readonly maxAtOnce?: number
}

export type DnsListAnswer =
  /** weight: positive whatever the kind; reason: the list's own words, printable and bounded */
  | (Extract<ListAnswer, { readonly status: 'listed' }> & { readonly reason?: string })
  | { readonly status: 'not-listed' }
  | ListError
  /** the zone holds no addresses of this kind */
  | { readonly status: 'not-asked'; readonly why: string }

export type DnsListResult = { readonly zone: string; readonly kind: 'block' | 'allow'; /** the most that a listing would weigh */ readonly most?: number } & DnsListAnswer

export type DnsListHealth = { readonly zone: string; readonly kind: 'block' | 'allow' } & ZoneState

export interface DnsLists {
  /**
   * One result a zone, in the order of the settings.
   * @param resolver of the session; without it that of the context, by which zones are proved
   */
  check(address: string, resolver?: Resolver): Promise<readonly DnsListResult[]>
  /** Proves the zones for which it is time. Returns when their answers are there. */
  tick(): Promise<void>
  /** Proves all zones now, and says how they are: for `postern check --dns`. */
  prove(): Promise<readonly DnsListHealth[]>
  health(): readonly DnsListHealth[]
  /** A text about questions to them, as people may read it: with what stands for the zones. */
  shown(text: string): string
}

export const MAX_DNS_LIST_ZONES = 50
/** 32 nibbles with their dots stand before it, in a name of 253. */
export const MAX_DNS_LIST_ZONE_CHARACTERS = 189
const MAX_AT_ONCE = 20
const MAX_REASON_CHARACTERS = 200

interface Zone {
  readonly settings: DnsListZone
  /** for the zone */
  readonly shown: string
  readonly list: ListZone
}

export function createDnsLists(settings: DnsListSettings, context: ZoneContext): DnsLists {
  if (settings.zones.length > MAX_DNS_LIST_ZONES) throw new Error(`${settings.zones.length} DNS lists were configured; at most ${MAX_DNS_LIST_ZONES} are allowed`)
  const zones = settings.zones.map((one) => zoneOf(one, context))
  const most = settings.maxAtOnce ?? MAX_AT_ONCE
  const health = (): readonly DnsListHealth[] => zones.map(({ settings: { kind }, shown, list: { health: { state } } }) => ({ zone: shown, kind, ...state }))
  const proveThem = async (due: readonly Zone[]): Promise<void> => {
    await atOnce(due, most, (zone) => zone.list.health.prove())
  }
  return {
    check(address, resolver = context.resolver) {
      const client = parseIpAddress(address)
      return atOnce(zones, most, async (zone): Promise<DnsListResult> => {
        const answer = await ask(zone, client, resolver)
        const { shown, settings: { kind } } = zone
        return answer.status === 'error' ? { zone: shown, kind, most: zone.list.most, ...answer } : { zone: shown, kind, ...answer }
      })
    },
    tick: () => proveThem(zones.filter((zone) => zone.list.health.isDue)),
    async prove() {
      await proveThem(zones)
      return health()
    },
    health,
    shown: namesShown(zones.map(({ shown, list: { name } }) => ({ name, shown }))),
  }
}

function zoneOf(settings: DnsListZone, context: ZoneContext): Zone {
  const { zone, name, weight, codes } = settings
  const shown = name ?? zone
  const test = addressTestPoints(settings.ipv4 === false ? 6 : 4)
  return { settings, shown, list: new ListZone({ zone, shown, weight, test, maxCharacters: MAX_DNS_LIST_ZONE_CHARACTERS, ...(codes === undefined ? {} : { codes }) }, context) }
}

async function ask({ settings, shown, list }: Zone, client: IpAddress | undefined, resolver: Resolver): Promise<DnsListAnswer> {
  const skipped = whyNotAsked(settings, client)
  if (client === undefined || skipped !== undefined) return { status: 'not-asked', why: skipped ?? '' }
  const answer = await list.ask(reverseLabels(client), resolver)
  if (answer.status !== 'listed') return answer
  const words = await reasonOf(`${reverseLabels(client)}.${list.name}`, resolver)
  const reason = strangerText(words.replaceAll(settings.zone, shown), MAX_REASON_CHARACTERS)
  return reason === '' ? answer : { ...answer, reason }
}

function whyNotAsked({ ipv4 = true, ipv6 }: DnsListZone, client: IpAddress | undefined): string | undefined {
  if (client === undefined) return 'the client has no IP address'
  // 127.0.0.2 is on every list, to be proved by.
  if (isLoopback(client)) return 'the client is this machine'
  return (client.family === 4 ? ipv4 : ipv6) ? undefined : `the list has no IPv${client.family} addresses`
}

/** RFC 5782 §2.1: the text may stand in a reply; it is a stranger's all the same. */
async function reasonOf(name: string, resolver: Resolver): Promise<string> {
  const found = await resolver.lookup(name, 'TXT')
  if (found.status !== 'records') return ''
  return found.records.map((strings) => strings.join('')).sort().join(' / ').slice(0, MAX_REASON_CHARACTERS * 4)
}
