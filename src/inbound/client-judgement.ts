/**
 * The client of one session: who is calling, and may they? The checks that need
 * nothing but its address, done before it is greeted, side by side: the name in
 * the DNS, the lists, rates, and whether it waits for its turn to speak.
 *
 * A client is turned away at once only where nothing that is still to come can
 * excuse it; everything else is decided when the envelope is known. Nothing
 * throws. What it may take is bounded by the resolver of the session.
 */
import { genericName } from '../auth/generic-name.ts'
import { checkIprev } from '../auth/iprev.ts'
import type { IprevOutcome } from '../auth/iprev.ts'
import { sessionResolver, type Inner, type SessionResolver } from '../dns/session.ts'
import { decide, type DecideInput, type Verdict } from '../policy/decide.ts'
import type { CheckOutcome } from '../policy/outcome.ts'
import type { CheckName } from '../policy/policy.ts'
import type { DnsListResult } from '../reputation/dnsbl.ts'
import type { Reply } from '../smtp/reply.ts'
import type { SessionFacts } from '../smtp/session-handler.ts'
import { excusesOf } from './allow.ts'
import { traced, type CheckGround, type CheckTrace } from './check-trace.ts'
import { factsOf, type Known } from './facts.ts'
import type { Inbound } from './inbound.ts'
import { dnsListOutcomes, earlyTalkerOutcome, genericNameOutcome, iprevOutcomes, rateOutcome } from './outcomes-client.ts'

const CROWDED: Reply = { status: 421, subject: 7, detail: 0, text: 'Too many connections from your network at once, try again later' }
const PROOFS: readonly CheckName[] = ['spf', 'dkim', 'dmarc']

interface Greeted {
  readonly verdict: Verdict
  readonly refusal: Reply | undefined
}

export class ClientJudgement {
  readonly session: SessionFacts
  readonly ground: CheckGround
  readonly outcomes: CheckOutcome[] = []
  readonly traces: CheckTrace[] = []
  private readonly current: () => Inbound
  private held: Inbound | undefined
  private readonly resolver: SessionResolver
  private iprev: IprevOutcome | undefined
  private generic: boolean | undefined
  private lists: readonly DnsListResult[] | undefined
  /** what the verdict at the greeting was decided from */
  input: DecideInput | undefined
  /** the client has gone: nobody waits for anything any more */
  private readonly gone = Promise.withResolvers<undefined>()
  /** what is counted as under way */
  private readonly ends: (() => void)[] = []

  /** @param current what counts now: a reload reaches running sessions */
  constructor(session: SessionFacts, current: () => Inbound) {
    this.session = session
    this.current = current
    const { now } = current().services
    // A reload may bring another resolver into a running session.
    const inner: Inner = {
      lookup: (name, type) => current().services.resolver.lookup(name, type),
      cached: (name, type) => current().services.resolver.cached(name, type),
    }
    this.resolver = sessionResolver(inner, { now })
    this.ground = { resolver: this.resolver, now }
  }

  /** What counts: between transactions what a reload has brought, in the middle of one what it began with. */
  get inbound(): Inbound {
    return this.held ?? this.current()
  }

  /** A transaction begins: it is judged by one policy from its first recipient to its message. */
  hold(): void {
    this.held = this.current()
  }

  /** the name that leads back to the client */
  get confirmedName(): string | undefined {
    return this.iprev?.status === 'pass' ? this.iprev.confirmed[0] : undefined
  }

  get known(): Known {
    return {
      address: this.session.address,
      ...(this.iprev && { iprev: this.iprev }),
      ...(this.generic !== undefined && { generic: this.generic }),
      ...(this.lists && { lists: this.lists }),
    }
  }

  /** Listed, without a confirmed name, or with one of a pool. */
  get suspicious(): boolean {
    const listed = this.lists?.some(({ kind, status }) => kind === 'block' && status === 'listed') === true
    return listed || this.generic === true || this.iprev?.status === 'no-ptr' || this.iprev?.status === 'not-confirmed'
  }

  /** names that lead back to the client and are its own */
  get ownNames(): readonly string[] {
    return this.iprev?.status === 'pass' && this.generic !== true ? this.iprev.confirmed : []
  }

  /** For another part of the session, so that what wears out the patience of one leaves the others theirs. */
  groundOfItsOwn(): CheckGround {
    return { resolver: this.resolver.fork(), now: this.ground.now }
  }

  /** Is what this check finds of use to anybody? */
  wants(check: CheckName): boolean {
    const { policy, shadow } = this.inbound.settings
    // The allow list knows whom to let through by what they prove.
    if (PROOFS.includes(check) && this.inbound.services.allowList().entries.some(({ match }) => match.kind !== 'address')) return true
    return policy.checks[check].action !== 'off' || (shadow !== undefined && shadow.checks[check].action !== 'off')
  }

  /** Does the checks. The verdict so far; `refusal` where the session is to end before it has begun. */
  async greet(): Promise<Greeted> {
    // Nothing is asked for a client that is turned away anyway.
    const counted = this.countConnection() ? undefined : this.soFar()
    if (counted?.refusal !== undefined) return counted
    const leave = this.inbound.services.crowd.enter(this.session.address)
    if (leave === undefined) return { verdict: this.decide(), refusal: CROWDED }
    try {
      await Promise.all([this.checkName(), this.checkLists()])
    } finally {
      leave()
    }
    const first = this.soFar()
    if (first.refusal !== undefined) return first
    await this.checkPatience()
    return this.session.spokeEarly ? this.soFar() : first
  }

  private soFar(): Greeted {
    const verdict = this.decide()
    return { verdict, refusal: this.refusalOf(verdict) }
  }

  /** What the shadow policy would have said at the greeting. */
  shadow(): Verdict | undefined {
    const { shadow } = this.inbound.settings
    return shadow === undefined || this.input === undefined ? undefined : decide(shadow, this.input)
  }

  /** The session is over. Idempotent. */
  end(): void {
    this.gone.resolve(undefined)
    for (const end of this.ends.splice(0)) end()
  }

  /** No server answers at all, so that nobody can be told from anybody. */
  get dnsDown(): boolean {
    return this.resolver.silent
  }

  private decide(): Verdict {
    const { settings, services } = this.inbound
    const { known } = this
    const excuses = excusesOf(services.allowList(), { address: known.address ?? null, senderDomain: undefined, recipients: undefined, spf: undefined, alignedDkim: undefined })
    this.input = { outcomes: [...this.outcomes], facts: factsOf(known), excuses, final: false, dnsDown: this.dnsDown }
    return decide(settings.policy, this.input)
  }

  /** RFC 5321 §3.1 has 4xx and 5xx for a greeting; a limit ends the session with 421, whatever else there is against the client. */
  private refusalOf({ action, reply, effects }: Verdict): Reply | undefined {
    if (action === 'disconnect') return reply
    if (!effects.some(({ check, effect }) => check === 'rate' && effect === 'tempfail')) return undefined
    const { code: [subject, detail] = [7, 1] as const, text = '' } = this.outcomes.find(({ check, status }) => check === 'rate' && status === 'fail') ?? {}
    return { status: 421, subject, detail, text }
  }

  /** Within all limits? */
  private countConnection(): boolean {
    if (!this.wants('rate')) return true
    const { rates } = this.inbound.services
    const party = { address: this.session.address }
    const begun = rates.begin('sessions', party)
    this.ends.push(() => begun.end())
    const outcome = begun.outcome.status === 'exceeded' ? begun.outcome : rates.count('connections', party)
    this.outcomes.push(rateOutcome(outcome))
    this.traces.push({ check: 'rate', result: outcome.status, detail: '', ms: 0, dns: [] })
    return outcome.status !== 'exceeded'
  }

  private async checkName(): Promise<void> {
    const { address } = this.session
    if (address === undefined || !(this.wants('rdns') || this.wants('fcrdns') || this.wants('generic_name') || this.inbound.services.greylist !== undefined)) return
    const { outcome, trace } = await traced('iprev', this.ground, {
      run: (resolver) => checkIprev(address, resolver),
      describe: (found) => [found.status, found.status === 'pass' ? found.confirmed.join(', ') : found.cause],
    })
    this.iprev = outcome
    this.traces.push(trace)
    this.outcomes.push(...iprevOutcomes(outcome, address))
    // What it is called is not known, so neither is of what kind the name is.
    if (outcome.status === 'temperror') return
    const names = outcome.status === 'pass' ? outcome.confirmed : outcome.status === 'not-confirmed' ? outcome.ptr : []
    const generic = genericName(names, address)
    this.generic = generic.generic
    this.outcomes.push(genericNameOutcome(generic, address))
    if (generic.generic) this.traces.push({ check: 'generic_name', result: 'yes', detail: generic.why, ms: 0, dns: [] })
  }

  private async checkLists(): Promise<void> {
    const { address } = this.session
    const { lists } = this.inbound.services
    if (address === undefined || !(this.wants('dnsbl') || this.wants('dnswl')) || lists.health().length === 0) return
    const { outcome, trace } = await traced('dnsbl', this.ground, {
      run: (resolver) => lists.check(address, resolver),
      shown: (text) => lists.shown(text),
      describe: (results) => [results.some(({ status }) => status === 'listed') ? 'listed' : 'clean', results.map(describeList).join('; ')],
    })
    this.lists = outcome
    this.traces.push(trace)
    this.outcomes.push(...dnsListOutcomes(outcome, address))
  }

  /** Whoever looks like a robot waits a little for the greeting: robots seldom do. Nobody else waits. */
  private async checkPatience(): Promise<void> {
    if (!this.wants('early_talker')) return
    const { settings, services } = this.inbound
    const { action } = settings.policy.checks.early_talker
    const excused = this.input?.excuses?.some(({ checks, truth }) => truth === 'true' && checks?.includes('early_talker') !== false) === true
    const matters = action !== 'note' && action !== 'off' && !excused
    if (matters && this.suspicious && settings.earlyTalkerWaitMs > 0 && !this.session.spokeEarly) await Promise.race([services.wait(settings.earlyTalkerWaitMs), this.gone.promise])
    this.outcomes.push(earlyTalkerOutcome(this.session.spokeEarly))
    if (this.session.spokeEarly) this.traces.push({ check: 'early_talker', result: 'spoke-first', detail: 'bytes came before the greeting', ms: 0, dns: [] })
  }
}

function describeList(found: DnsListResult): string {
  switch (found.status) {
    case 'listed': return `${found.zone}: listed (${found.codes.join(', ')})${found.reason === undefined ? '' : ` ${found.reason}`}`
    case 'not-listed': return `${found.zone}: not listed`
    case 'error': return `${found.zone}: error: ${found.cause}`
    case 'not-asked': return `${found.zone}: not asked: ${found.why}`
  }
}
