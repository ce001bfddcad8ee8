/**
 * What scoring stands on in one worker: the rules, the classifier's model, the
 * lists, what is remembered of correspondents and domains, other engines.
 * Opened at the start, ticked every second, changed by a reload, closed at the
 * end. The constructor throws where the state directory cannot be used. Rules
 * are taken up at once where somebody else reads them, otherwise read with the
 * first tick, or for the first message if it comes before; those that cannot be
 * used are told in the log, and the others are used.
 */
import type { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { readPasswordFile } from '../delivery/password-file.ts'
import type { ResolverSettings } from '../dns/configured.ts'
import type { Resolver } from '../dns/resolver.ts'
import { BusyCompany, COMPANY_BOUNDS, eventLoop } from '../inbound/company.ts'
import type { Log } from '../observe/log.ts'
import { CORRESPONDENT_DEFAULTS, createCorrespondents, type Correspondents } from '../reputation/correspondents.ts'
import { createDomainHistory, DOMAIN_HISTORY_DEFAULTS } from '../reputation/domain-history.ts'
import { createUriLists, type UriLists } from '../reputation/uri-lists.ts'
import type { UriListSettings } from '../reputation/uri-settings.ts'
import { BayesTable } from '../spam/bayes/bayes-table.ts'
import { tokenSettings } from '../spam/bayes/tokens.ts'
import { createEngines, type Engines } from '../spam/engines/create-engines.ts'
import type { EngineSettings } from '../spam/engines/settings.ts'
import type { RuleSet } from '../spam/rules/rule-set.ts'
import { DatabaseCorrespondents } from '../state/correspondents-store.ts'
import { openDatabase } from '../state/database.ts'
import { DatabaseDomainHistory } from '../state/domain-history-store.ts'
import { PRUNED_ROWS } from '../state/pruning.ts'
import { openSecret } from '../state/secret-file.ts'
import { engineClock } from './engine-clock.ts'
import { Learning } from './learning.ts'
import type { LearningSettings } from './learning-settings.ts'
import { MessageScoring } from './message-scoring.ts'
import { Room } from './room.ts'
import { takeUp, type PackedRules, type TakenRules } from './packed-rules.ts'
import type { RuleFilesSettings } from './rule-files.ts'
import type { RuleSource } from './rule-source.ts'
import { tellRules } from './tell-rules.ts'
import { factsOfUnread } from './unread-rules.ts'

export interface ScoringSettings {
  /** directory */
  readonly state: string
  readonly hostname: string
  /** ours: no list is asked for them */
  readonly domains: readonly string[]
  /** false: hardly any mail will be scored, and rules are not read before there is one */
  readonly judges: boolean
  readonly rules: RuleFilesSettings
  readonly bayes: LearningSettings & { readonly minMessages: number }
  readonly uriLists: UriListSettings
  /** what the context's resolver is made from: where it changes, lists have to prove themselves again */
  readonly dns: ResolverSettings
  readonly correspondents: { readonly rememberMs: number }
  readonly senders: { readonly rememberMs: number }
  readonly engines: readonly EngineSettings[]
}

export interface ScoringContext {
  readonly log: Log
  /** the worker's, which a reload may replace behind it */
  readonly resolver: Resolver
  /** ours to close */
  readonly rules: RuleSource
}

const FLUSH_BUSY_MS = 50
const LAST_FLUSH_BUSY_MS = 3000
const LISTS_TICKS = 60
const ROW_TICKS = 60
const MODEL_TICKS = 5
const MOST_PAUSE_TICKS = 60
const DAY_MS = 86_400_000
/** What messages that are being read may take together; a usual one takes some 30 KB. A client waits ten minutes for its reply (RFC 5321 §4.5.3.2.6). */
const ROOM = { bytes: 32 * 1024 * 1024, waiting: 500, patienceMs: 30_000 }

export class ScoringServices {
  scoring: MessageScoring
  correspondents: Correspondents
  private settings: ScoringSettings
  private readonly context: ScoringContext
  private readonly database: DatabaseSync
  private readonly correspondentStore: DatabaseCorrespondents
  private readonly historyStore: DatabaseDomainHistory
  private readonly table: BayesTable
  private readonly learning: Learning
  private readonly room = new Room(ROOM, engineClock)
  private readonly company = new BusyCompany(COMPANY_BOUNDS, eventLoop)
  /** the latest reading of the rules; undefined: none has begun */
  private reading: Promise<TakenRules> | undefined
  /** undefined: none were read yet */
  private inUse: TakenRules | undefined
  /** since rules could last be read: how often they could not, the latest reason, and the tick before which it is not tried again */
  private unread: { readonly times: number; readonly error: unknown; readonly untilTick: number } | undefined
  private closed = false
  private lists: UriLists
  private engines: Engines
  /** what a reload has replaced, until its last message is done */
  private readonly replaced = new Map<MessageScoring, Engines>()
  /** whose configuration was replaced, until nobody uses them any more */
  private readonly leaving = new Set<Engines>()
  private ticks = 0
  private moreRows = false

  constructor(settings: ScoringSettings, context: ScoringContext) {
    const { log } = context
    const now = (): number => Date.now()
    this.settings = settings
    this.context = context
    this.database = openDatabase(settings.state, { busyMs: FLUSH_BUSY_MS })
    const { database } = this
    this.correspondentStore = new DatabaseCorrespondents({ rememberMs: settings.correspondents.rememberMs }, { database, log, now, secret: openSecret(settings.state, 'correspondents.key', log) })
    this.historyStore = new DatabaseDomainHistory({ rememberDays: daysOf(settings.senders.rememberMs) }, { database, log, now })
    this.table = new BayesTable(settings.state, log)
    this.table.refresh()
    this.learning = new Learning(settings.bayes, { state: settings.state, hostname: settings.hostname, database, log })
    this.lists = this.makeLists()
    this.engines = this.makeEngines()
    this.correspondents = this.makeCorrespondents()
    this.scoring = this.make()
    context.rules.onLate((packed) => this.takeLate(packed))
    if (settings.judges && context.rules.underWay) this.readSoon()
  }

  /** To be called once a second. */
  tick(): void {
    const tick = this.ticks++
    if (this.settings.judges) this.readSoon()
    this.correspondentStore.flush()
    this.historyStore.flush()
    this.learning.tick()
    if (tick % LISTS_TICKS === 0) void this.lists.tick()
    if (tick % MODEL_TICKS === 0) this.table.refresh()
    if (this.moreRows || tick % ROW_TICKS === ROW_TICKS - 1) this.prune()
    this.letGo()
  }

  /** Reads what can fail. Nothing is changed before the function that it resolves with is called. */
  async prepare(settings: ScoringSettings): Promise<() => void> {
    if (this.inUse === undefined) {
      // What was not read yet is read in its time, by the new settings; but never twice at once.
      await this.reading?.catch(() => undefined)
      return () => this.adopt(settings, undefined)
    }
    // Until they are read, the old ones hold; and all of the old where nothing can be read.
    const rules = await this.readThem(settings.rules)
    return () => this.adopt(settings, rules)
  }

  /** The settings that it was prepared for will not be in force. */
  refuse(): void {
    this.context.rules.settle(false)
  }

  /** At once: whoever replaces the resolver too does that before, or lists would be proved by the old one. */
  private adopt(settings: ScoringSettings, rules: TakenRules | undefined): void {
    const old = this.settings
    this.inUse = rules ?? this.inUse
    this.unread = undefined
    this.reading = rules === undefined ? undefined : Promise.resolve(rules)
    this.settings = settings
    this.context.rules.settle(true)
    this.correspondentStore.settings = { rememberMs: settings.correspondents.rememberMs }
    this.historyStore.settings = { rememberDays: daysOf(settings.senders.rememberMs) }
    this.learning.reload(settings.bayes)
    this.correspondents = this.makeCorrespondents()
    // Lists that were proved stay proved, but not by another resolver; and an engine that is set aside stays so.
    if (!isDeepStrictEqual([old.dns, old.uriLists, old.domains], [settings.dns, settings.uriLists, settings.domains])) {
      this.lists = this.makeLists()
      void this.lists.tick()
    }
    const { engines } = this
    if (!isDeepStrictEqual(old.engines, settings.engines)) {
      this.leaving.add(engines)
      this.engines = this.makeEngines()
    }
    this.replaced.set(this.scoring, engines)
    this.scoring = this.make()
  }

  /** Whatever one part makes of its end, the others come to theirs. */
  async close(): Promise<void> {
    this.closed = true
    const { log } = this.context
    await closed('rules', () => this.context.rules.close(), log)
    await closed('learning', () => this.learning.close(), log)
    for (const engines of [this.engines, ...this.leaving]) await closed('engines', () => this.dismiss(engines), log)
    // There is no later flush to wait for, and no session that waits.
    await closed('database', () => this.database.exec(`PRAGMA busy_timeout = ${LAST_FLUSH_BUSY_MS}`), log)
    await closed('correspondents', () => this.correspondentStore.flush(), log)
    await closed('sender domains', () => this.historyStore.flush(), log)
    await closed('database', () => this.database.close(), log)
  }

  private letGo(): void {
    for (const [scoring] of this.replaced) if (scoring.inside === 0) this.replaced.delete(scoring)
    for (const engines of this.leaving) if (![...this.replaced.values()].includes(engines)) this.dismiss(engines)
  }

  private make(): MessageScoring {
    const { settings, lists, engines, correspondents, room, company } = this
    return new MessageScoring({
      lists, engines, correspondents, room, company,
      rules: () => this.rules(),
      rulesAreThere: () => this.inUse !== undefined,
      trained: () => this.table.model,
      minMessages: settings.bayes.minMessages,
      tokens: tokenSettings({ hostname: settings.hostname, subjectPrefix: settings.bayes.subjectPrefix }),
      history: createDomainHistory(DOMAIN_HISTORY_DEFAULTS, { store: this.historyStore, now: () => Date.now() }),
      named: false,
      log: this.context.log,
      learn: (lesson) => this.learning.consider(lesson),
    })
  }

  private async rules(): Promise<RuleSet> {
    if (this.reading === undefined && this.mayNotReadYet()) throw this.unread?.error
    this.reading ??= this.firstReading()
    return (await this.reading).set
  }

  private readSoon(): void {
    if (!this.mayNotReadYet()) this.reading ??= this.firstReading()
  }

  private mayNotReadYet(): boolean {
    return this.unread !== undefined && this.ticks < this.unread.untilTick
  }

  /** What is wrong with them is told where they are read; what fails here is tried again by the next tick, or message, and then less and less often. */
  private firstReading(): Promise<TakenRules> {
    const reading = this.readThem(this.settings.rules)
    reading.then((rules) => {
      // A reload may have read others meanwhile.
      if (this.reading !== reading) return
      this.inUse = rules
      this.unread = undefined
      this.context.rules.settle(true)
    }, (error: unknown) => {
      if (this.closed) return
      this.context.log.error(factsOfUnread(error), 'rules could not be read')
      if (this.reading !== reading) return
      this.reading = undefined
      const times = (this.unread?.times ?? 0) + 1
      this.unread = { times, error, untilTick: this.ticks + (times === 1 ? 0 : Math.min(2 ** (times - 2), MOST_PAUSE_TICKS)) }
    })
    return reading
  }

  private async readThem(files: RuleFilesSettings): Promise<TakenRules> {
    const { inUse } = this
    const packed = await this.context.rules.read(files, inUse?.packed)
    // Some may have come late meanwhile.
    if (packed === inUse?.packed) return this.inUse ?? inUse
    const taken = await takeUp(packed, inUse)
    this.tell(taken)
    return taken
  }

  /** Those that could be had only later: messages from now on are asked by them. */
  private async takeLate(packed: PackedRules): Promise<void> {
    const { inUse } = this
    const taken = await takeUp(packed, inUse)
    // A reload may have read others meanwhile.
    if (this.inUse !== inUse) return
    this.inUse = taken
    this.reading = Promise.resolve(taken)
    this.tell(taken)
  }

  private tell({ packed, set }: TakenRules): void {
    tellRules({ rules: set.rules.length, problems: packed.problems, passedOver: packed.passedOver }, this.context.log)
  }

  private makeCorrespondents(): Correspondents {
    return createCorrespondents({ ...CORRESPONDENT_DEFAULTS, rememberMs: this.settings.correspondents.rememberMs }, { store: this.correspondentStore, now: () => Date.now() })
  }

  private makeLists(): UriLists {
    const { uriLists, domains } = this.settings
    const { resolver, log } = this.context
    return createUriLists({ ...uriLists, skip: [...(uriLists.skip ?? []), ...domains] }, { resolver, log, now: () => Date.now() })
  }

  private makeEngines(): Engines {
    return createEngines(this.settings.engines, { clock: engineClock, log: this.context.log, readPassword: readPasswordFile })
  }

  private dismiss(engines: Engines): void {
    this.leaving.delete(engines)
    engines.close()
  }

  private prune(): void {
    this.moreRows = false
    try {
      this.moreRows = Math.max(this.correspondentStore.prune(), this.historyStore.prune()) >= PRUNED_ROWS
    } catch (error) {
      this.context.log.warn({ cause: error instanceof Error ? error.message : String(error) }, 'old correspondents and domains could not be removed')
    }
  }
}

async function closed(part: string, close: () => unknown, log: Log): Promise<void> {
  try {
    await close()
  } catch (error) {
    log.error({ err: error, part }, 'a part of scoring did not close as it should')
  }
}

function daysOf(ms: number): number {
  return Math.ceil(ms / DAY_MS)
}
