/**
 * The judgement of one transaction: what is found out about envelope and
 * message beside what is known of the client, the verdict at each step, and
 * what of it is written on the message.
 *
 * `recipient` at each RCPT, `judge` once the message is whole. The
 * verdict before the message leaves open what the message may still excuse.
 */
import { isDeepStrictEqual } from 'node:util'
import { readHeaderSection, type HeaderSection } from '../message/header-section.ts'
import type { StoredMessage } from '../message/message.ts'
import { decide, type DecideInput, type Verdict } from '../policy/decide.ts'
import type { CheckOutcome } from '../policy/outcome.ts'
import type { Policy, Thresholds } from '../policy/policy.ts'
import type { AllowSubject, ProvedDomain } from '../reputation/allow-list.ts'
import type { GreylistOutcome } from '../reputation/greylist.ts'
import type { Rates } from '../reputation/rates.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import type { Reply } from '../smtp/reply.ts'
import { countHits, excusesGreylisting, excusesOf } from './allow.ts'
import type { CheckTrace } from './check-trace.ts'
import type { ClientJudgement } from './client-judgement.ts'
import { checkEnvelope, type EnvelopeFindings, type Sender } from './envelope-checks.ts'
import { factsOf, type Known } from './facts.ts'
import { checkMessage, type MessageFindings } from './message-checks.ts'
import { rateOutcome } from './outcomes-client.ts'
import type { Scored, TellingWord } from './scoring.ts'

/** Everything that the record of a decision is made of. */
export interface JudgementState {
  readonly outcomes: readonly CheckOutcome[]
  readonly traces: readonly CheckTrace[]
  readonly known: Known
  /** of the last step that was decided */
  readonly verdict: Verdict | undefined
  readonly input: DecideInput | undefined
  /** with the thresholds of the recipients */
  readonly policy: Policy
  readonly shadow: Verdict | undefined
  /** as what the classifier learns the message, without being told */
  readonly learned?: 'spam' | 'ham' | undefined
  /** the first few */
  readonly refusals: readonly RefusedRecipient[]
}

export interface RefusedRecipient {
  readonly recipient: string
  readonly verdict: Verdict
  readonly input: DecideInput
}

const MAX_REFUSALS = 10
/** The checks that need the content of the message. */
const OF_CONTENT = ['virus', 'content', 'bayes', 'uri_list', 'correspondent', 'engine'] as const

export interface JudgedMessage {
  readonly verdict: Verdict
  /** points from which something happens, as they were for these recipients */
  readonly thresholds: Thresholds
  readonly section: HeaderSection
  readonly envelope: EnvelopeFindings
  readonly findings: MessageFindings
}

export class Judgement {
  readonly client: ClientJudgement
  readonly sender: Sender
  private envelope: Promise<EnvelopeFindings> | undefined
  /** what excused the recipients that were accepted: one verdict on the message must do for all of them */
  private excused: string | undefined
  /** of the recipients that were accepted */
  private thresholds: Thresholds | undefined
  private readonly refusals: RefusedRecipient[] = []
  private readonly rates: CheckOutcome[] = []
  private readonly greylisting: CheckTrace[] = []
  private found: EnvelopeFindings | undefined
  private message: MessageFindings | undefined
  private scored: Scored | undefined
  private learned: JudgementState['learned']
  private recipients: readonly string[] = []
  private decided: { readonly verdict: Verdict; readonly input: DecideInput } | undefined

  constructor(client: ClientJudgement, sender: EnvelopePath) {
    this.client = client
    client.hold()
    const { mailbox } = sender.path
    this.sender = mailbox === null ? { address: null, domain: '' } : { address: `${mailbox.localPart}@${mailbox.domain}`, domain: mailbox.domain }
  }

  /**
   * May this recipient have mail from this client? The refusal, or undefined; or
   * `apart`: what excuses the client for this one does not for the others, or its domain has other thresholds.
   * @param first nobody was accepted before it
   */
  async recipient(recipient: EnvelopePath, first: boolean): Promise<Reply | 'apart' | undefined> {
    this.found = await (this.envelope ??= checkEnvelope(this.client, this.sender))
    const address = addressOf(recipient)
    this.recipients = [address]
    this.rates.length = 0
    this.rates.push(rateOutcome(this.count('recipients')))
    const { verdict, input } = this.decide(false)
    if (verdict.action !== 'accept' && verdict.action !== 'quarantine') {
      if (this.refusals.length < MAX_REFUSALS) this.refusals.push({ recipient: address, verdict, input })
      return verdict.reply
    }
    const excused = verdict.effects.filter(({ effect }) => effect === 'excused' || effect === 'deferred').map(({ check, exceptions }) => `${check} ${exceptions.join(' ')}`).join('\n')
    if (first) {
      this.excused = excused
      this.thresholds = this.thresholdsOf(address)
    } else if (excused !== this.excused || !isDeepStrictEqual(this.thresholdsOf(address), this.thresholds)) return 'apart'
    return this.comeBack(address, verdict)
  }

  /**
   * The whole message, with the recipients that were accepted. Before it is answered.
   * @param received our Received, and the ID of the decision, for engines of others
   */
  async judge(body: StoredMessage, recipients: readonly EnvelopePath[], { id, received }: { readonly id: string; readonly received: Buffer }): Promise<JudgedMessage> {
    const envelope = await (this.envelope ??= checkEnvelope(this.client, this.sender))
    this.found = envelope
    this.recipients = recipients.map(addressOf)
    this.rates.length = 0
    this.rates.push(rateOutcome(this.count('messages')))
    if (this.scores) await this.client.inbound.services.company.join(body.size)
    const section = await readHeaderSection(body)
    const findings = await checkMessage(this.client, { body, section, spf: envelope.spf })
    this.message = findings
    this.scored = await this.score(body, { id, received })
    const { verdict } = this.decide(true)
    this.learned = this.scored?.conclude(verdict, this.policy.spam)
    const { allowList, allowHits, date } = this.client.inbound.services
    countHits(allowList(), { verdict, hits: allowHits, at: date().getTime() })
    return { verdict, thresholds: this.policy.spam, section, envelope, findings }
  }

  get state(): JudgementState {
    // Without a message, what was refused is what somebody will ask about.
    const decided = this.message === undefined ? (this.refusals.at(-1) ?? this.decided) : this.decided
    return {
      outcomes: this.outcomes,
      traces: [...this.client.traces, ...(this.found?.traces ?? []), ...this.greylisting, ...(this.message?.traces ?? []), ...(this.scored?.traces ?? [])],
      known: this.known,
      verdict: decided?.verdict,
      input: decided?.input,
      refusals: this.refusals,
      policy: this.policy,
      shadow: decided === undefined ? undefined : this.shadowed(decided.input),
      learned: this.learned,
    }
  }

  /** tokens that weighed, for people */
  get telling(): readonly TellingWord[] {
    return this.scored?.telling ?? []
  }

  private get outcomes(): readonly CheckOutcome[] {
    return [...this.client.outcomes, ...this.rates, ...(this.found?.outcomes ?? []), ...(this.message?.outcomes ?? []), ...(this.scored?.outcomes ?? [])]
  }

  private get known(): Known {
    const { helo } = this.client.session
    return {
      ...this.client.known,
      ...(helo !== undefined && { heloName: helo }),
      ...(this.found?.helo && { helo: this.found.helo }),
      ...(this.found?.spf && { spf: this.found.spf }),
      sender: this.sender.address ?? '',
      recipients: this.recipients,
      ...(this.message && { fromDomains: this.message.fromDomains }),
      ...(this.message?.dkim && { dkim: this.message.dkim }),
      ...(this.message?.arc && { arc: this.message.arc }),
      ...(this.message?.dmarc && { dmarc: this.message.dmarc }),
    }
  }

  /** Does anybody look at the content? */
  private get scores(): boolean {
    return this.client.inbound.scoring !== undefined && OF_CONTENT.some((check) => this.client.wants(check))
  }

  private async score(body: StoredMessage, { id, received }: { readonly id: string; readonly received: Buffer }): Promise<Scored | undefined> {
    const { client } = this
    const { scoring, settings: { policy } } = client.inbound
    if (scoring === undefined || !this.scores) return undefined
    return scoring.score({
      id, body, received, session: client.session, known: this.known, ground: client.groundOfItsOwn(), credit: policy.checks.correspondent.weight,
      wants: (check) => client.wants(check),
    })
  }

  private decide(final: boolean): { readonly verdict: Verdict; readonly input: DecideInput } {
    const { services } = this.client.inbound
    const excuses = excusesOf(services.allowList(), this.subject())
    const input: DecideInput = { outcomes: this.outcomes, facts: factsOf(this.known), excuses, final, dnsDown: this.client.dnsDown }
    this.decided = { verdict: decide(this.policy, input), input }
    return this.decided
  }

  /** What a policy that only watches would have said, with the thresholds that the recipients' domain has beside it. */
  private shadowed(input: DecideInput): Verdict | undefined {
    const { shadow, shadowThresholds } = this.client.inbound.settings
    const [recipient = ''] = this.recipients
    return shadow === undefined ? undefined : decide({ ...shadow, spam: shadowThresholds.get(domainOf(recipient)) ?? shadow.spam }, input)
  }

  private get policy(): Policy {
    const { policy } = this.client.inbound.settings
    const [recipient] = this.recipients
    return recipient === undefined ? policy : { ...policy, spam: this.thresholdsOf(recipient) }
  }

  private thresholdsOf(recipient: string): Thresholds {
    const { policy, thresholds } = this.client.inbound.settings
    return thresholds.get(domainOf(recipient)) ?? policy.spam
  }

  private subject(): AllowSubject {
    const spf = this.found?.spf
    return {
      address: this.client.session.address ?? null,
      senderDomain: this.sender.domain,
      sender: this.sender.address ?? '',
      recipients: this.recipients,
      spf: spf === undefined ? null : { domain: spf.domain, status: spf.status },
      alignedDkim: this.message === undefined ? undefined : alignedDkim(this.message),
    }
  }

  private count(what: 'messages' | 'recipients'): ReturnType<Rates['count']> {
    if (!this.client.wants('rate')) return { status: 'within' }
    const spf = this.found?.spf
    const authenticated = spf?.status === 'pass' && spf.scope === 'mailfrom'
    const { rates } = this.client.inbound.services
    return rates.count(what, { address: this.client.session.address, sender: this.sender.address === null ? null : { identity: this.sender.address, authenticated } })
  }

  /** RFC 6647: a suspicious client that nobody knows is asked to come back. */
  private async comeBack(recipient: string, verdict: Verdict): Promise<Reply | undefined> {
    const { settings, services } = this.client.inbound
    const { greylist } = services
    const { address } = this.client.session
    if (greylist === undefined || address === undefined) return undefined
    // Points that wait for the message are not in the score yet.
    const deferred = verdict.effects.some(({ effect }) => effect === 'deferred')
    if (!this.client.suspicious && !deferred && verdict.score < settings.greylistScore) return undefined
    if (excusesGreylisting(services.allowList(), this.subject())) return undefined
    const beganMs = services.now()
    const outcome = await greylist({ address, names: this.client.ownNames, senderDomain: this.sender.domain, recipient })
    this.greylisting.push({ check: 'greylist', result: outcome.status, detail: describeGreylist(outcome), ms: Math.round((services.now() - beganMs) * 10) / 10, dns: [] })
    if (outcome.status !== 'deferred') return undefined
    const minutes = Math.max(1, Math.ceil(outcome.retryAfterMs / 60_000))
    return { status: 451, subject: 7, detail: 1, text: `Greylisted: please send this again in ${minutes} minute${minutes === 1 ? '' : 's'}, as mail servers do` }
  }
}

function describeGreylist(outcome: GreylistOutcome): string {
  switch (outcome.status) {
    case 'deferred': return `${outcome.first ? 'seen for the first time' : 'came back too early'}; pool ${outcome.pool}`
    case 'passed': return `came back after ${Math.round(outcome.waitedMs / 1000)} s; pool ${outcome.pool}`
    case 'known': return `came back before; pool ${outcome.pool}`
    case 'unavailable':
    case 'none': return outcome.cause
  }
}

/** RFC 9989 §4.4.1. Of several authors all must be aligned: an entry for one is no entry for the others. */
function alignedDkim({ dkim, dmarc, fromDomains }: MessageFindings): readonly ProvedDomain[] {
  if (dkim === undefined || fromDomains.length === 0) return []
  const byDmarc = fromDomains.length === 1 ? dmarc?.alignment.dkim ?? [] : []
  return dkim.signatures.flatMap(({ domain, status }): ProvedDomain[] => {
    if (domain === '') return []
    if (byDmarc.includes(domain) || fromDomains.every((from) => from === domain || from.endsWith(`.${domain}`))) return [{ domain, status }]
    // Whether it is aligned is what could not be found out.
    return dmarc?.status === 'temperror' && status === 'pass' ? [{ domain, status: 'temperror' }] : []
  })
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

function addressOf({ path: { mailbox, wire } }: EnvelopePath): string {
  return mailbox === null ? wire : `${mailbox.localPart}@${mailbox.domain}`.toLowerCase()
}
