/**
 * Scores one message: reads it once within bounds, asks lists and engines side
 * by side, then the rules and the classifier. Everything that fails is a
 * `temperror` of its own check, with its cause in the trace; nothing rejects.
 */
import type { CheckGround, CheckTrace } from '../inbound/check-trace.ts'
import { traced } from '../inbound/check-trace.ts'
import type { Scored, Scoring, ScoringSubject, TellingWord } from '../inbound/scoring.ts'
import { readMimeMessage } from '../mime/reader.ts'
import type { CheckOutcome } from '../policy/outcome.ts'
import type { Verdict } from '../policy/decide.ts'
import type { AuthenticatedAuthor } from '../reputation/authenticated-author.ts'
import type { Correspondents, KnownOutcome } from '../reputation/correspondents.ts'
import type { DomainHistory, DomainHistoryOutcome } from '../reputation/domain-history.ts'
import type { UriListOutcome, UriLists } from '../reputation/uri-lists.ts'
import { classify, type Classification, type Trained } from '../spam/bayes/classifier.ts'
import { readTokens, type TokenSettings } from '../spam/bayes/tokens.ts'
import type { MessageContent } from '../spam/content.ts'
import { readContent } from '../spam/content/read-content.ts'
import type { EngineReport, Engines } from '../spam/engines/create-engines.ts'
import type { RuleSet } from '../spam/rules/rule-set.ts'
import { authorOf, authorAddresses } from './authors.ts'
import { scoringFacts } from './facts.ts'
import { bayesOutcome, contentOutcome, contentTrouble, correspondentOutcome, engineOutcome, scannerTrouble, uriListOutcomes, uriListWord } from './outcomes.ts'
import type { Room } from './room.ts'

export interface ScoringParts {
  /** never rejects */
  readonly rules: () => Promise<RuleSet>
  readonly trained: () => Trained | undefined
  readonly minMessages: number
  readonly tokens: TokenSettings
  readonly lists: UriLists
  /** undefined: nobody knows what was before */
  readonly correspondents: Correspondents | undefined
  readonly history: DomainHistory | undefined
  readonly engines: Engines
  readonly room: Room
  /** keep what tokens are made of, for people */
  readonly named: boolean
  /** what is to be learned from a verdict, if anything */
  readonly learn: (lesson: Lesson) => void
}

export interface Lesson {
  readonly content: MessageContent
  readonly verdict: Verdict
  readonly author: AuthenticatedAuthor | undefined
}

/** A message is read within bounds: beyond this none takes more room. */
const MOST_HELD_BYTES = 8 * 1024 * 1024

interface Asked {
  readonly lists: readonly UriListOutcome[]
  readonly engines: readonly EngineReport[]
  readonly correspondent: KnownOutcome | undefined
  readonly history: DomainHistoryOutcome | undefined
  readonly traces: readonly CheckTrace[]
}

export class MessageScoring implements Scoring {
  private readonly parts: ScoringParts

  constructor(parts: ScoringParts) {
    this.parts = parts
  }

  async score(subject: ScoringSubject): Promise<Scored> {
    // Decoded text beside what it was made from.
    const leave = await this.parts.room.enter(Math.min(4 * subject.body.size, MOST_HELD_BYTES))
    try {
      return await this.scored(subject)
    } finally {
      leave()
    }
  }

  private async scored(subject: ScoringSubject): Promise<Scored> {
    const { ground, wants } = subject
    const beganMs = ground.now()
    const content = await this.read(subject)
    if (content instanceof Error) {
      return { outcomes: [contentTrouble()], traces: [trace('content', 'temperror', { detail: content.message, ms: ground.now() - beganMs })], telling: [], conclude: () => undefined }
    }
    const readMs = ground.now() - beganMs
    const author = authorOf(content, subject.known)
    const asked = await this.ask(subject, content, author)
    const ruled = wants('content') ? await this.ruled(subject, { content, asked, readMs }) : undefined
    const learned = wants('bayes') ? this.classified(content, ground) : undefined
    return {
      outcomes: [...(ruled === undefined ? [] : [ruled.outcome]), ...(learned === undefined ? [] : [bayesOutcome(learned.found)]), ...this.outcomesOf(asked, subject)],
      traces: [...(ruled === undefined ? [] : [ruled.trace]), ...(learned === undefined ? [] : [learned.trace]), ...asked.traces],
      telling: learned?.telling ?? [],
      conclude: (verdict) => this.conclude({ content, verdict, author }),
    }
  }

  private async ruled({ ground, known, session }: ScoringSubject, { content, asked, readMs }: { readonly content: MessageContent; readonly asked: Asked; readonly readMs: number }): Promise<{ readonly outcome: CheckOutcome; readonly trace: CheckTrace }> {
    // Right after the start they may still be read.
    const rules = await this.parts.rules()
    const beganMs = ground.now()
    const found = rules.evaluate(content, scoringFacts({ ...asked, known, tls: session.tls !== undefined }))
    const detail = [`read in ${tenths(readMs)} ms`, found.incomplete ?? '', [...content.mime.defects].join(', ')].filter((part) => part !== '').join('; ')
    return { outcome: contentOutcome(found), trace: trace('content', found.hits.length === 0 ? 'none' : String(found.score), { detail, ms: ground.now() - beganMs + readMs }) }
  }

  private async read({ body }: ScoringSubject): Promise<MessageContent | Error> {
    try {
      return readContent(await readMimeMessage(body))
    } catch (error) {
      // A temporary file that cannot be read again.
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  private async ask(subject: ScoringSubject, content: MessageContent, author: AuthenticatedAuthor | undefined): Promise<Asked> {
    const { wants, known } = subject
    const { lists, engines, correspondents, history } = this.parts
    const traces: CheckTrace[] = []
    const askLists = async (): Promise<readonly UriListOutcome[]> => {
      if (!wants('uri_list') || lists.health().length === 0) return []
      const found = await traced('uri_list', subject.ground, {
        run: (resolver) => lists.check({ links: content.links, addresses: authorAddresses(content) }, resolver),
        describe: (outcomes) => [uriListWord(outcomes), outcomes.map(describeList).join('; ')],
      })
      traces.push(found.trace)
      return found.outcome
    }
    const askEngines = async (): Promise<readonly EngineReport[]> => {
      if (engines.engines.length === 0 || !(wants('engine') || wants('virus'))) return []
      const reports = await engines.scan(engineMessage(subject))
      traces.push(...reports.map((report) => trace(report.engine, report.outcome.status, { detail: describeEngine(report), ms: report.tookMs })))
      return reports
    }
    const [found, reports] = await Promise.all([askLists(), askEngines()])
    return {
      lists: found, engines: reports, traces,
      correspondent: wants('correspondent') ? correspondents?.known({ identity: isListMail(content) ? undefined : author?.address, recipients: known.recipients ?? [] }) : undefined,
      history: history?.of(author?.organizationalDomain),
    }
  }

  private classified(content: MessageContent, ground: CheckGround): { readonly found: Classification; readonly trace: CheckTrace; readonly telling: readonly TellingWord[] } {
    const beganMs = ground.now()
    const { trained, minMessages, tokens, named } = this.parts
    const found = classify(readTokens(content, { ...tokens, delivered: false, named }), trained(), minMessages)
    const [result, detail] = found.status === 'untrained'
      ? ['untrained', `${found.ham} wanted and ${found.spam} unwanted messages were learned, and ${minMessages} of each are needed`]
      : [found.probability.toFixed(4), `${found.counted} tokens counted`]
    return { found, trace: trace('bayes', result, { detail, ms: ground.now() - beganMs }), telling: found.status === 'untrained' ? [] : found.telling }
  }

  private outcomesOf({ lists, engines, correspondent }: Asked, { credit, wants }: ScoringSubject): readonly CheckOutcome[] {
    const reports = engines.flatMap((report) => (report.kind === 'clamav' ? [scannerTrouble(report) ?? engineOutcome(report)] : [engineOutcome(report)]))
    return [
      ...uriListOutcomes(lists), ...(correspondent === undefined ? [] : [correspondentOutcome(correspondent, credit)]),
      ...reports.filter((one) => one !== undefined && wants(one.check)),
    ].filter((one): one is CheckOutcome => one !== undefined)
  }

  private conclude(lesson: Lesson): void {
    const { verdict, author } = lesson
    // It comes again, and is counted then.
    if (verdict.action === 'tempfail') return
    this.parts.history?.count(author?.organizationalDomain, { spam: verdict.tagged || verdict.action === 'reject' || verdict.action === 'quarantine' })
    this.parts.learn(lesson)
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
  switch (found.status) {
    case 'listed': return `${found.zone}: ${found.listings.map(({ item, codes }) => `${item} (${codes.join(', ')})`).join(', ')}`
    case 'not-listed': return `${found.zone}: ${found.questions} asked${found.unasked > 0 ? `, ${found.unasked} more were not` : ''}`
    case 'error': return `${found.zone}: error: ${found.cause}`
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

function trace(check: string, result: string, { detail, ms }: { readonly detail: string; readonly ms: number }): CheckTrace {
  return { check, result, detail, ms: tenths(ms), dns: [] }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10
}
