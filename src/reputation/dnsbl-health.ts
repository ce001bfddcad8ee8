/**
 * Whether a list may be believed: the interlock in front of each zone.
 *
 * A zone begins as `unproved`. It is `healthy` once it lists its test point and
 * does not list the one beside it: of addresses 127.0.0.2 and 127.0.0.1, or of a
 * zone for IPv6 only ::FFFF:7F00:2 and ::FFFF:7F00:1; of names TEST and INVALID
 * (RFC 5782 §5); or what its operator names instead. The proof
 * holds for an hour. Whatever shows that the zone cannot be believed sets it
 * aside: a proof that fails or gets no answer, an answer that no list gives,
 * several look-ups on end without an answer while our servers answer others. It is tried again after a minute,
 * then after twice the time that was waited before, at most an hour. A proof for which our own resolver has
 * no room says nothing of the zone: it is still due.
 *
 * The log hears of each change once, with what to do about it. Time is given
 * in; nothing here waits.
 */
import type { Lookup, Resolver } from '../dns/resolver.ts'
import type { Log } from '../observe/log.ts'
import { troubleIn, type ListTrouble } from './dnsbl-codes.ts'
import { failureCause } from './look-ups.ts'

export const PROOF_INTERVAL_MS = 3_600_000
/** A proof counts a while longer than it is due, so that it can be renewed in time. */
const PROOF_HOLDS_MS = PROOF_INTERVAL_MS + 600_000
const FIRST_RETRY_MS = 60_000
/** Look-ups on end that got no answer. */
const MAX_FAILURES = 5

export type Trouble = ListTrouble | { readonly kind: 'lists-everything' | 'lists-nothing' | 'silent'; readonly why: string }

export type ZoneState =
  | { readonly state: 'unproved' }
  | { readonly state: 'healthy'; /** when it was last proved */ readonly provedAt: number }
  /** times in milliseconds, of the clock that is given in */
  | { readonly state: 'set-aside'; readonly since: number; readonly trouble: Trouble['kind']; readonly why: string; readonly advice: string; readonly nextTryAt: number }

/** What stands before the zone in the questions that prove it. */
export interface TestPoints {
  readonly listed: string
  readonly unlisted: string
}

export interface ProvedZone {
  readonly zone: string
  readonly test: TestPoints
  /** in its place, in the log and in causes: a zone's name may hold a key that is its reader's secret */
  readonly shown?: string
  /** see `troubleIn` */
  readonly refuses?: (answer: string) => boolean
}

export const NAME_TEST_POINTS: TestPoints = { listed: 'test', unlisted: 'invalid' }

export function addressTestPoints(family: 4 | 6): TestPoints {
  return family === 4 ? { listed: '2.0.0.127', unlisted: '1.0.0.127' } : { listed: mapped(2), unlisted: mapped(1) }
}

export interface ZoneContext {
  readonly resolver: Resolver
  /** milliseconds; may be set back, which costs a proof */
  readonly now: () => number
  readonly log: Log
}

export class ZoneHealth {
  readonly #zone: ProvedZone
  readonly #shown: string
  readonly #context: ZoneContext
  #state: ZoneState = { state: 'unproved' }
  #failures = 0
  #retryMs = FIRST_RETRY_MS
  /** proofs on end that were put off by our own doing */
  #putOff = 0
  #putOffTold = false
  #proving: Promise<void> | undefined

  constructor(zone: ProvedZone, context: ZoneContext) {
    this.#zone = zone
    this.#shown = zone.shown ?? zone.zone
    this.#context = context
  }

  /** As it is now: a proof that was not renewed in time does not count. */
  get state(): ZoneState {
    if (this.#state.state !== 'healthy') return this.#state
    const age = this.#context.now() - this.#state.provedAt
    return age >= 0 && age <= PROOF_HOLDS_MS ? this.#state : { state: 'unproved' }
  }

  /** It is time for a proof. */
  get isDue(): boolean {
    const now = this.#context.now()
    switch (this.#state.state) {
      case 'unproved': return true
      case 'healthy': return now >= this.#state.provedAt + PROOF_INTERVAL_MS || now < this.#state.provedAt
      case 'set-aside': return now >= this.#state.nextTryAt || now < this.#state.nextTryAt - PROOF_INTERVAL_MS
    }
  }

  /** Asks for the two test points, whatever the state. Two at once are one. */
  prove(): Promise<void> {
    this.#proving ??= this.#prove().finally(() => {
      this.#proving = undefined
    })
    return this.#proving
  }

  /** A look-up for a client was answered. What was on its way when the zone was set aside says nothing new. */
  answered(trouble: ListTrouble | undefined): void {
    if (trouble === undefined) this.#failures = 0
    else if (this.#state.state !== 'set-aside') this.#setAside(trouble)
  }

  /** A look-up for a client got no answer, and our own servers answer others. */
  failed(cause: string): void {
    this.#failures++
    if (this.#failures < MAX_FAILURES || this.#state.state === 'set-aside') return
    this.#setAside({ kind: 'silent', why: `${MAX_FAILURES} look-ups on end got no answer, the last: ${cause}` })
  }

  async #prove(): Promise<void> {
    const { resolver } = this.#context
    const { zone, test, refuses } = this.#zone
    const [listed, unlisted] = await Promise.all([resolver.lookup(`${test.listed}.${zone}`, 'A'), resolver.lookup(`${test.unlisted}.${zone}`, 'A')])
    const trouble = positiveTrouble({ name: `${test.listed}.${zone}`, found: listed, refuses }) ?? negativeTrouble({ name: `${test.unlisted}.${zone}`, found: unlisted, refuses })
    const unasked = [listed, unlisted].find(wasUnasked)
    if (trouble !== undefined) this.#setAside(trouble)
    // Not both were asked, by our own doing: it stays as it was, and its proof is still due.
    else if (unasked !== undefined) this.#tellPutOff('cause' in unasked ? unasked.cause : '')
    else this.#proved()
  }

  /** Not the first time: a reload closes the resolver once. */
  #tellPutOff(cause: string): void {
    if (++this.#putOff < 2 || this.#putOffTold || this.state.state !== 'unproved') return
    this.#putOffTold = true
    this.#context.log.warn({ zone: this.#shown, cause: cause.replaceAll(this.#zone.zone, this.#shown) }, 'the DNS list is not asked: our own resolver has had no room for the questions that prove it')
  }

  /** @returns whether it was told that proofs were put off */
  #endPutOff(): boolean {
    const told = this.#putOffTold
    this.#putOff = 0
    this.#putOffTold = false
    return told
  }

  #proved(): void {
    const before = this.#state
    const wasPutOff = this.#endPutOff()
    this.#state = { state: 'healthy', provedAt: this.#context.now() }
    this.#failures = 0
    switch (before.state) {
      case 'unproved':
        this.#tellBelieved()
        break
      case 'set-aside':
        this.#context.log.warn({ zone: this.#shown }, 'the DNS list answers as it should again, and is believed')
        break
      case 'healthy':
        // Only now: one that comes and goes is tried less and less.
        this.#retryMs = FIRST_RETRY_MS
        if (wasPutOff) this.#tellBelieved()
    }
  }

  #tellBelieved(): void {
    this.#context.log.info({ zone: this.#shown }, 'the DNS list answers as it should, and is believed')
  }

  #setAside({ kind, why: inFull }: Trouble): void {
    const now = this.#context.now()
    const why = inFull.replaceAll(this.#zone.zone, this.#shown)
    const before = this.#state
    const advice = adviceOn(kind)
    this.#endPutOff()
    this.#failures = 0
    this.#state = { state: 'set-aside', since: before.state === 'set-aside' ? before.since : now, trouble: kind, why, advice, nextTryAt: now + this.#retryMs }
    this.#retryMs = Math.min(this.#retryMs * 2, PROOF_INTERVAL_MS)
    if (before.state === 'set-aside' && before.trouble === kind) return
    this.#context.log.error({ zone: this.#shown, why, advice }, 'the DNS list is set aside: nothing it says is believed until it answers as it should')
  }
}

/** Labels of ::FFFF:7F00:n. */
function mapped(last: number): string {
  return `${last}.0.0.0.0.0.f.7.f.f.f.f.${Array.from({ length: 20 }, () => '0').join('.')}`
}

interface Proof {
  readonly name: string
  readonly found: Lookup<'A'>
  readonly refuses: ProvedZone['refuses']
}

function positiveTrouble({ name, found, refuses }: Proof): Trouble | undefined {
  switch (found.status) {
    case 'records': return troubleIn(found.records, refuses)
    case 'nxdomain':
    case 'nodata': return { kind: 'lists-nothing', why: `it does not list its test point (${name}: ${found.status})` }
    case 'servfail':
    case 'timeout': return wasUnasked(found) ? undefined : { kind: 'silent', why: failureCause(name, found) }
  }
}

function negativeTrouble({ name, found, refuses }: Proof): Trouble | undefined {
  switch (found.status) {
    case 'records': return troubleIn(found.records, refuses) ?? { kind: 'lists-everything', why: `it lists what no list may hold (${name}: ${found.records.slice(0, 3).join(', ')})` }
    case 'nxdomain':
    case 'nodata': return undefined
    case 'servfail':
    case 'timeout': return wasUnasked(found) ? undefined : { kind: 'silent', why: failureCause(name, found) }
  }
}

/** Too much is asked already, or a reload has closed the resolver: that says nothing about the zone. */
function wasUnasked(found: Lookup<'A'>): boolean {
  return found.status === 'timeout' && found.ours === true
}

function adviceOn(kind: Trouble['kind']): string {
  switch (kind) {
    case 'refused':
      return 'ask through a recursive resolver of your own (dns.servers), not through a public one or the provider\'s; where you have one, register with the list or mend the zone\'s name: its free quota may be used up'
    case 'foreign':
      return 'the zone has closed down and somebody else has its name, or the resolver rewrites answers: remove the zone from the configuration, or ask through a resolver of your own (dns.servers)'
    case 'lists-everything':
      return 'the zone has closed down, as lists say by listing everybody: remove it from the configuration'
    case 'lists-nothing':
      return 'mend the zone\'s name; if it is right, the zone has closed down or does not serve this resolver: remove it, or ask through a resolver of your own (dns.servers)'
    case 'silent':
      return 'see whether the resolver reaches the zone at all; a list that limits its users may just not answer: ask through a resolver of your own (dns.servers) or register with the list'
  }
}
