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
import { causeText, strangerText } from '../auth/stranger-text.ts'
import { normalName } from '../dns/name.ts'
import type { Lookup, Resolver } from '../dns/resolver.ts'
import { readCode, troubleIn } from './dnsbl-codes.ts'
import { ZoneHealth, type Trouble, type ZoneContext, type ZoneState } from './dnsbl-health.ts'
import { atOnce, failureCause } from './look-ups.ts'
import { isLoopback, parseIpAddress, reverseLabels, type IpAddress } from './reverse-name.ts'

export interface DnsListCode {
  /** as `readCode` of dnsbl-codes.ts reads it */
  readonly code: string
  /** instead of the zone's */
  readonly weight?: number
  /** the part of the list, as `policy` or `high` */
  readonly label?: string
}

export interface DnsListZone {
  readonly zone: string
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
  | {
      readonly status: 'listed'
      /** the answers that count, in order */
      readonly codes: readonly string[]
      /** of the codes that have one */
      readonly labels: readonly string[]
      /** the largest of the codes' weights; positive whatever the kind */
      readonly weight: number
      /** the list's own words, printable and bounded */
      readonly reason?: string
    }
  | { readonly status: 'not-listed' }
  /** unproved, set-aside: the zone was not asked; look-up: it gave no answer; answer: it gave one that no list gives */
  | { readonly status: 'error'; readonly stage: 'unproved' | 'set-aside' | 'look-up' | 'answer'; readonly cause: string }
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
}

export const MAX_DNS_LIST_ZONES = 50
/** 32 nibbles with their dots stand before it, in a name of 253. */
export const MAX_DNS_LIST_ZONE_CHARACTERS = 189
const MAX_AT_ONCE = 20
const MAX_REASON_CHARACTERS = 200
const MAX_CODES_SHOWN = 10

interface Code {
  readonly matches: (answer: string) => boolean
  readonly weight: number
  readonly label: string | undefined
}

interface Zone {
  readonly settings: DnsListZone
  readonly name: string
  readonly codes: readonly Code[]
  readonly health: ZoneHealth
}

export function createDnsLists(settings: DnsListSettings, context: ZoneContext): DnsLists {
  if (settings.zones.length > MAX_DNS_LIST_ZONES) throw new Error(`${settings.zones.length} DNS lists were configured; at most ${MAX_DNS_LIST_ZONES} are allowed`)
  const zones = settings.zones.map((one) => zoneOf(one, context))
  const most = settings.maxAtOnce ?? MAX_AT_ONCE
  const health = (): readonly DnsListHealth[] => zones.map(({ settings: { zone, kind }, health: { state } }) => ({ zone, kind, ...state }))
  const proveThem = async (due: readonly Zone[]): Promise<void> => {
    await atOnce(due, most, (zone) => zone.health.prove())
  }
  return {
    check(address, resolver = context.resolver) {
      const client = parseIpAddress(address)
      return atOnce(zones, most, async (zone): Promise<DnsListResult> => {
        const answer = await ask(zone, client, resolver)
        const { zone: name, kind } = zone.settings
        return answer.status === 'error' ? { zone: name, kind, most: Math.max(...zone.codes.map(({ weight }) => weight)), ...answer } : { zone: name, kind, ...answer }
      })
    },
    tick: () => proveThem(zones.filter((zone) => zone.health.isDue)),
    async prove() {
      await proveThem(zones)
      return health()
    },
    health,
  }
}

function zoneOf(settings: DnsListZone, context: ZoneContext): Zone {
  const name = normalName(settings.zone)
  if (name === undefined || name.length > MAX_DNS_LIST_ZONE_CHARACTERS) throw new Error(`DNS list was not checked: ${JSON.stringify(settings.zone)} is no name of at most ${MAX_DNS_LIST_ZONE_CHARACTERS} characters`)
  const codes = settings.codes?.map(({ code, weight = settings.weight, label }): Code => {
    const reading = readCode(code)
    if (reading.status === 'refused') throw new Error(`DNS list was not checked: ${code}: ${reading.problem}`)
    return { matches: reading.matches, weight, label }
  })
  const family = settings.ipv4 === false ? 6 : 4
  return { settings, name, codes: codes ?? [{ matches: () => true, weight: settings.weight, label: undefined }], health: new ZoneHealth(name, family, context) }
}

async function ask(zone: Zone, client: IpAddress | undefined, resolver: Resolver): Promise<DnsListAnswer> {
  const skipped = whyNotAsked(zone.settings, client)
  if (client === undefined || skipped !== undefined) return { status: 'not-asked', why: skipped ?? '' }
  const before = disbelief(zone.health.state)
  if (before !== undefined) return before
  const name = `${reverseLabels(client)}.${zone.name}`
  const found = await resolver.lookup(name, 'A')
  const answer = understood(zone, name, found)
  // Set aside while this question was on its way: its answer is not believed either.
  const after = answer.status === 'error' ? undefined : disbelief(zone.health.state)
  if (after !== undefined) return after
  if (answer.status !== 'listed') return answer
  const reason = await reasonOf(name, resolver)
  return reason === '' ? answer : { ...answer, reason }
}

function whyNotAsked({ ipv4 = true, ipv6 }: DnsListZone, client: IpAddress | undefined): string | undefined {
  if (client === undefined) return 'the client has no IP address'
  // 127.0.0.2 is on every list, to be proved by.
  if (isLoopback(client)) return 'the client is this machine'
  return (client.family === 4 ? ipv4 : ipv6) ? undefined : `the list has no IPv${client.family} addresses`
}

function disbelief(state: ZoneState): DnsListAnswer | undefined {
  switch (state.state) {
    case 'healthy': return undefined
    case 'unproved': return { status: 'error', stage: 'unproved', cause: 'the list has not been proved yet' }
    case 'set-aside': return { status: 'error', stage: 'set-aside', cause: causeText(`the list is set aside: ${state.why}`) }
  }
}

function understood(zone: Zone, name: string, found: Lookup<'A'>): DnsListAnswer {
  switch (found.status) {
    case 'nxdomain':
    case 'nodata':
      zone.health.answered(undefined)
      return { status: 'not-listed' }
    case 'servfail':
    case 'timeout': {
      const cause = causeText(failureCause(name, found))
      // Where our own servers are silent, or a session has waited long enough, the list is not to blame; and a stranger's
      // session must not be able to set a list aside.
      if (found.ours !== true && (found.status === 'servfail' || found.serversAnswer === true)) zone.health.failed(cause)
      return { status: 'error', stage: 'look-up', cause }
    }
    case 'records': {
      const trouble: Trouble | undefined = troubleIn(found.records)
      zone.health.answered(trouble)
      return trouble === undefined ? listing(zone, found.records) : { status: 'error', stage: 'answer', cause: causeText(trouble.why) }
    }
  }
}

function listing({ codes }: Zone, answers: readonly string[]): DnsListAnswer {
  const matched = codes.filter(({ matches }) => answers.some(matches))
  if (matched.length === 0) return { status: 'not-listed' }
  return {
    status: 'listed',
    codes: answers.filter((answer) => matched.some(({ matches }) => matches(answer))).sort().slice(0, MAX_CODES_SHOWN),
    labels: [...new Set(matched.map(({ label }) => label).filter((label) => label !== undefined))],
    weight: Math.max(...matched.map(({ weight }) => weight)),
  }
}

/** RFC 5782 §2.1: the text may stand in a reply; it is a stranger's all the same. */
async function reasonOf(name: string, resolver: Resolver): Promise<string> {
  const found = await resolver.lookup(name, 'TXT')
  if (found.status !== 'records') return ''
  return strangerText(found.records.map((strings) => strings.join('')).sort().join(' / ').slice(0, MAX_REASON_CHARACTERS * 4), MAX_REASON_CHARACTERS)
}
