/**
 * Scores one message. First the engines of others, which take its bytes as they
 * lie: nothing is held in memory while they think, and a message that cannot be
 * read is searched for viruses all the same. Then it is read once, within
 * bounds, and lists, rules and the classifier are asked. Everything that fails is
 * a `temperror` of its own check, with its cause in the trace; nothing rejects,
 * and `conclude` does not throw.
 */
import type { CheckGround, CheckTrace } from '../inbound/check-trace.ts'
import { traced } from '../inbound/check-trace.ts'
import type { Company } from '../inbound/company.ts'
import type { Scored, Scoring, ScoringSubject, TellingWord } from '../inbound/scoring.ts'
import { readMimeMessage, readMimePieces } from '../mime/reader.ts'
import type { CheckOutcome } from '../policy/outcome.ts'
import type { Verdict } from '../policy/decide.ts'
import type { Thresholds } from '../policy/policy.ts'
import type { Log } from '../observe/log.ts'
import type { AuthenticatedAuthor } from '../reputation/authenticated-author.ts'
import type { Correspondents, KnownOutcome } from '../reputation/correspondents.ts'
import type { DomainHistory, DomainHistoryOutcome } from '../reputation/domain-history.ts'
import type { UriListOutcome, UriLists } from '../reputation/uri-lists.ts'
import { classify, type Trained } from '../spam/bayes/classifier.ts'
import type { MessageClass } from '../spam/bayes/store.ts'
import { readTokens, type TokenSettings } from '../spam/bayes/tokens.ts'
import type { MessageContent } from '../spam/content.ts'
import { readContent } from '../spam/content/read-content.ts'
import type { EngineReport, Engines } from '../spam/engines/create-engines.ts'
import type { RuleSet } from '../spam/rules/rule-set.ts'
import { authorOf, authorAddresses } from './authors.ts'
import { evidenceOf, NO_EVIDENCE, wasSpam, type Evidence } from './evidence.ts'
import { scoringFacts } from './facts.ts'
import { bayesOutcome, bayesTrouble, contentOutcome, contentTrouble, correspondentOutcome, engineOutcomes, uriListOutcomes, uriListTrouble, uriListWord } from './outcomes.ts'
import type { Room } from './room.ts'

export interface ScoringParts {
  readonly rules: () => Promise<RuleSet>
  /** false: whoever asks for them waits until they are read, with all others */
  readonly rulesAreThere: () => boolean
  readonly trained: () => Trained | undefined
  readonly minMessages: number
  readonly tokens: TokenSettings
  readonly lists: UriLists
  /** undefined: nobody knows what was before */
  readonly correspondents: Correspondents | undefined
  readonly history: DomainHistory | undefined
  readonly engines: Engines
  readonly room: Room
  readonly company: Company
  /** keep what tokens are made of, for people */
  readonly named: boolean
  /** what is to be learned from a verdict, if anything: returns as what */
  readonly learn: (lesson: Lesson) => MessageClass | undefined
  readonly log: Log
}

export interface Lesson {
  readonly content: MessageContent
  readonly verdict: Verdict
  readonly author: AuthenticatedAuthor | undefined
  readonly evidence: Evidence
}

/** A message is read within bounds: beyond this none takes more room. */
const MOST_HELD_BYTES = 8 * 1024 * 1024

/** What one source of points has found. */
interface Found {
  readonly outcomes: readonly CheckOutcome[]
  readonly traces: readonly CheckTrace[]
}

const NOTHING: Found = { outcomes: [], traces: [] }

interface ReadSubject {
  readonly content: MessageContent
  readonly author: AuthenticatedAuthor | undefined
  readonly readMs: number
}

interface Reputation {
  readonly lists: readonly UriListOutcome[]
  readonly correspondent: KnownOutcome | undefined
  readonly history: DomainHistoryOutcome | undefined
}

export class MessageScoring implements Scoring {
  private readonly parts: ScoringParts
  private underWay = 0

  constructor(parts: ScoringParts) {
    this.parts = parts
  }

  /** Messages that are being scored: what they stand on must not be closed yet. */
  get inside(): number {
    return this.underWay
  }

  async score(subject: ScoringSubject): Promise<Scored> {
    this.underWay++
    try {
      return await this.scoredInTurn(subject)
    } finally {
      this.underWay--
    }
  }

  private async scoredInTurn(subject: ScoringSubject): Promise<Scored> {
    const { wants } = subject
    const asks = this.parts.engines.engines.length > 0 && (wants('engine') || wants('virus'))
    const engines = asks ? await this.askEngines(subject) : NOTHING
    // Decoded text beside what it was made from.
    const entered = await this.parts.room.enter(Math.min(4 * subject.body.size, MOST_HELD_BYTES))
    if (entered.status === 'refused') return this.unread(subject, engines, { cause: entered.cause, ms: 0 })
    try {
      await this.parts.company.join(subject.body.size)
      return await this.scored(subject, engines)
    } finally {
      entered.leave()
    }
  }

  private async scored(subject: ScoringSubject, engines: Found): Promise<Scored> {
    const { ground, wants, credit, known } = subject
    const read = await this.read(subject)
    const { readMs } = read
    if ('cause' in read) return this.unread(subject, engines, { cause: read.cause, ms: readMs })
    const { content, author } = read
    const asks = wants('uri_list') && this.parts.lists.health().length > 0
    const listed = asks ? await this.askLists(subject, content) : { ...NOTHING, lists: [] }
    // Out of the DNS each comes back by itself.
    if (asks) await this.parts.company.join(subject.body.size)
    const correspondent = wants('correspondent') ? this.correspondent(content, author, known.recipients ?? []) : undefined
    const reputation: Reputation = { lists: listed.lists, correspondent, history: this.history(author) }
    const ruled = wants('content') ? await this.ruled(subject, { content, reputation, readMs }) : { ...NOTHING, evidence: NO_EVIDENCE }
    const learned = wants('bayes') ? this.classified(content, ground) : { ...NOTHING, telling: [] }
    return {
      outcomes: [...ruled.outcomes, ...learned.outcomes, ...listed.outcomes, ...(correspondent === undefined ? [] : [correspondentOutcome(correspondent, credit)]), ...engines.outcomes],
      traces: [...ruled.traces, ...learned.traces, ...listed.traces, ...engines.traces],
      telling: learned.telling,
      // What no rules have judged is nothing that its domain has shown.
      conclude: (verdict, thresholds) => ruled.outcomes.some(({ status }) => status === 'temperror') ? undefined : this.conclude({ content, verdict, author, evidence: ruled.evidence }, thresholds),
    }
  }

  /** Nothing is known of its content: what would have spoken for it or against it could not be found out. */
  private unread({ wants, credit }: ScoringSubject, engines: Found, { cause, ms }: { readonly cause: string; readonly ms: number }): Scored {
    const { lists, correspondents } = this.parts
    return {
      outcomes: [
        contentTrouble(), ...(wants('uri_list') && lists.health().length > 0 ? [uriListTrouble()] : []),
        ...(wants('correspondent') && correspondents !== undefined ? [correspondentOutcome({ status: 'temperror', cause }, credit)] : []), ...engines.outcomes,
      ],
      traces: [trace('content', 'temperror', { detail: cause, ms }), ...engines.traces],
      telling: [],
      conclude: () => undefined,
    }
  }

  private async read({ body, known, ground }: ScoringSubject): Promise<ReadSubject | { readonly cause: string; readonly readMs: number }> {
    const beganMs = ground.now()
    try {
      // Without a wait in between that others would fill, and that would count as its own time.
      const content = readContent(body.memory === null ? await readMimeMessage(body) : readMimePieces(body.memory))
      return { content, author: authorOf(content, known), readMs: ground.now() - beganMs }
    } catch (error) {
      // A temporary file that cannot be read again.
      return { cause: errorOf(error).message, readMs: ground.now() - beganMs }
    }
  }

  private async ruled({ body, ground, known, session }: ScoringSubject, { content, reputation, readMs }: { readonly content: MessageContent; readonly reputation: Reputation; readonly readMs: number }): Promise<Found & { readonly evidence: Evidence }> {
    const rules = await this.rules(ground, body.size)
    if ('outcomes' in rules) return rules
    const beganMs = ground.now()
    try {
      const found = rules.evaluate(content, scoringFacts({ ...reputation, known, tls: session.tls !== undefined }))
      const detail = [`read in ${tenths(readMs)} ms`, found.incomplete ?? '', [...content.mime.defects].join(', ')].filter((part) => part !== '').join('; ')
      return { outcomes: [contentOutcome(found)], traces: [trace('content', found.hits.length === 0 ? 'none' : String(found.score), { detail, ms: ground.now() - beganMs + readMs })], evidence: evidenceOf(found.hits, rules) }
    } catch (error) {
      return { outcomes: [contentTrouble()], traces: [this.failed('content', error, ground.now() - beganMs + readMs)], evidence: NO_EVIDENCE }
    }
  }

  /** Right after the start they may still be read. That they cannot be read is told where they are: once a try, not once a message. */
  private async rules({ now }: CheckGround, bytes: number): Promise<RuleSet | (Found & { readonly evidence: Evidence })> {
    const beganMs = now()
    const waits = !this.parts.rulesAreThere()
    try {
      const rules = await this.parts.rules()
      // All that waited for them would go on at once.
      if (waits) await this.parts.company.join(bytes)
      return rules
    } catch (error) {
      return { outcomes: [contentTrouble()], traces: [trace('content', 'temperror', { detail: errorOf(error).message, ms: now() - beganMs })], evidence: NO_EVIDENCE }
    }
  }

  private async askLists({ ground }: ScoringSubject, content: MessageContent): Promise<Found & { readonly lists: readonly UriListOutcome[] }> {
    const beganMs = ground.now()
    try {
      const { outcome: lists, trace } = await traced('uri_list', ground, {
        run: (resolver) => this.parts.lists.check({ links: content.links, addresses: authorAddresses(content) }, resolver),
        shown: (text) => this.parts.lists.shown(text),
        describe: (outcomes) => [uriListWord(outcomes), outcomes.map(describeList).join('; ')],
      })
      return { lists, outcomes: uriListOutcomes(lists), traces: [trace] }
    } catch (error) {
      return { lists: [], outcomes: [uriListTrouble()], traces: [this.failed('uri_list', error, ground.now() - beganMs)] }
    }
  }

  private async askEngines(subject: ScoringSubject): Promise<Found> {
    const reports = await this.parts.engines.scan(engineMessage(subject))
    return {
      outcomes: reports.flatMap(engineOutcomes).filter(({ check }) => subject.wants(check)),
      traces: reports.map((report) => trace(report.engine, report.outcome.status, { detail: describeEngine(report), ms: report.tookMs })),
    }
  }

  private correspondent(content: MessageContent, author: AuthenticatedAuthor | undefined, recipients: readonly string[]): KnownOutcome | undefined {
    try {
      return this.parts.correspondents?.known({ identity: isListMail(content) ? undefined : author?.address, recipients })
    } catch (error) {
      return { status: 'temperror', cause: errorOf(error).message }
    }
  }

  private history(author: AuthenticatedAuthor | undefined): DomainHistoryOutcome | undefined {
    try {
      return this.parts.history?.of(author?.organizationalDomain)
    } catch (error) {
      return { status: 'temperror', cause: errorOf(error).message }
    }
  }

  private classified(content: MessageContent, ground: CheckGround): Found & { readonly telling: readonly TellingWord[] } {
    const beganMs = ground.now()
    try {
      const { trained, minMessages, tokens, named } = this.parts
      const found = classify(readTokens(content, { ...tokens, delivered: false, named }), trained(), minMessages)
      const [result, detail] = found.status === 'untrained'
        ? ['untrained', `${found.ham} wanted and ${found.spam} unwanted messages are known, and ${minMessages} of each are needed`]
        : [found.probability.toFixed(4), `${found.counted} tokens counted`]
      return { outcomes: [bayesOutcome(found)], traces: [trace('bayes', result, { detail, ms: ground.now() - beganMs })], telling: found.status === 'untrained' ? [] : found.telling }
    } catch (error) {
      return { outcomes: [bayesTrouble()], traces: [this.failed('bayes', error, ground.now() - beganMs)], telling: [] }
    }
  }

  /** A check that has thrown: a bug. */
  private failed(check: string, thrown: unknown, ms: number): CheckTrace {
    const err = errorOf(thrown)
    this.parts.log.error({ err, check }, 'a check of the content of a message failed; mail goes on without it')
    return trace(check, 'temperror', { detail: err.message, ms })
  }

  private conclude(lesson: Lesson, thresholds: Thresholds): MessageClass | undefined {
    const { verdict, author, evidence } = lesson
    // It comes again, and is counted then.
    if (verdict.action === 'tempfail') return undefined
    try {
      this.parts.history?.count(author?.organizationalDomain, { spam: wasSpam(verdict, thresholds, evidence) })
      return this.parts.learn(lesson)
    } catch (error) {
      this.parts.log.error({ err: errorOf(error) }, 'what a verdict teaches was not kept')
      return undefined
    }
  }
}

/** Any list can have somebody's words in its mail; it is no letter to the one who reads it. */
function isListMail({ mime }: MessageContent): boolean {
  return mime.parts[0]?.fields.some(({ name }) => name === 'list-id') === true
}

function engineMessage({ id, body, received, session, known }: ScoringSubject): Parameters<Engines['scan']>[0] {
  const name = known.iprev?.status === 'pass' ? known.iprev.confirmed[0] : undefined
  return {
    body, prefix: received, id, sender: known.sender ?? '', recipients: known.recipients ?? [],
    client: { ...(session.address !== undefined && { ip: session.address }), ...(session.helo !== undefined && { helo: session.helo }), ...(name !== undefined && { name }) },
    ...(session.login !== undefined && { user: session.login }),
  }
}

function describeList(found: UriListOutcome): string {
  const asked = found.unasked > 0 ? `${found.questions} asked, ${found.unasked} more were not` : `${found.questions} asked`
  switch (found.status) {
    case 'listed': return `${found.zone}: ${found.listings.map(({ item, codes }) => `${item} (${codes.join(', ')})`).join(', ')}; ${asked}`
    case 'not-listed': return `${found.zone}: ${asked}`
    case 'error': return `${found.zone}: error: ${found.cause}; ${asked}`
    case 'not-asked': return `${found.zone}: nothing to ask`
  }
}

function describeEngine({ outcome }: EngineReport): string {
  switch (outcome.status) {
    case 'scored': return `${outcome.score}${outcome.threshold === undefined ? '' : ` of ${outcome.threshold}`}: ${outcome.symbols.map(({ name, score }) => `${name} ${score}`).join(', ')}`
    case 'virus': return outcome.name
    case 'temperror': return outcome.cause
    case 'clean': return ''
    case 'too-big': return 'not shown to it: too large'
  }
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

function trace(check: string, result: string, { detail, ms }: { readonly detail: string; readonly ms: number }): CheckTrace {
  return { check, result, detail, ms: tenths(ms), dns: [] }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10
}
