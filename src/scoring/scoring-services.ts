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
import type { Resolver } from '../dns/resolver.ts'
import type { Log } from '../observe/log.ts'
import type { Scoring } from '../inbound/scoring.ts'
import { CORRESPONDENT_DEFAULTS, createCorrespondents, type Correspondents } from '../reputation/correspondents.ts'
import { createDomainHistory, DOMAIN_HISTORY_DEFAULTS } from '../reputation/domain-history.ts'
import { createUriLists, type UriLists } from '../reputation/uri-lists.ts'
import type { UriListSettings } from '../reputation/uri-settings.ts'
import { BayesTable } from '../spam/bayes/bayes-table.ts'
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
import { unpackRules } from './packed-rules.ts'
import type { RuleFilesSettings } from './rule-files.ts'
import type { RuleSource } from './rule-reader.ts'
import { tellRules } from './tell-rules.ts'

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
const LISTS_TICKS = 60
const ROW_TICKS = 60
const MODEL_TICKS = 5
const DAY_MS = 86_400_000
/** What messages that are being read may take together; a usual one takes some 30 KB. A client waits ten minutes for its reply (RFC 5321 §4.5.3.2.6). */
const ROOM = { bytes: 32 * 1024 * 1024, waiting: 500, patienceMs: 30_000 }

export class ScoringServices {
  scoring: Scoring
  correspondents: Correspondents
  private settings: ScoringSettings
  private readonly context: ScoringContext
  private readonly database: DatabaseSync
  private readonly correspondentStore: DatabaseCorrespondents
  private readonly historyStore: DatabaseDomainHistory
  private readonly table: BayesTable
  private readonly learning: Learning
  private readonly room = new Room(ROOM, engineClock)
  /** the latest reading of the rules; undefined: none has begun */
  private reading: Promise<RuleSet> | undefined
  private closed = false
  private lists: UriLists
  private engines: Engines
  /** of a configuration that was replaced, until their last answer has come */
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
    for (const engines of this.leaving) if (engines.health().every(({ running, waiting }) => running + waiting === 0)) this.dismiss(engines)
  }

  async reload(settings: ScoringSettings): Promise<void> {
    const old = this.settings
    this.settings = settings
    // What was not read yet is read in its time, by the new settings.
    if (this.reading !== undefined) {
      const reading = this.readThem()
      // Until they are read, the old ones hold.
      await reading
      this.reading = reading
    }
    this.correspondentStore.settings = { rememberMs: settings.correspondents.rememberMs }
    this.historyStore.settings = { rememberDays: daysOf(settings.senders.rememberMs) }
    this.learning.reload(settings.bayes)
    this.correspondents = this.makeCorrespondents()
    // Lists that were proved stay proved, and an engine that is set aside stays so.
    if (!isDeepStrictEqual([old.uriLists, old.domains], [settings.uriLists, settings.domains])) {
      this.lists = this.makeLists()
      void this.lists.tick()
    }
    if (!isDeepStrictEqual(old.engines, settings.engines)) {
      this.leaving.add(this.engines)
      this.engines = this.makeEngines()
    }
    this.scoring = this.make()
  }

  async close(): Promise<void> {
    this.closed = true
    this.context.rules.close()
    await this.learning.close()
    for (const engines of [this.engines, ...this.leaving]) this.dismiss(engines)
    this.correspondentStore.flush()
    this.historyStore.flush()
    this.database.close()
  }

  private make(): Scoring {
    const { settings, lists, engines, correspondents, room } = this
    return new MessageScoring({
      lists, engines, correspondents, room,
      rules: () => this.rules(),
      trained: () => this.table.model,
      minMessages: settings.bayes.minMessages,
      tokens: { ownHosts: new Set([settings.hostname.toLowerCase()]) },
      history: createDomainHistory(DOMAIN_HISTORY_DEFAULTS, { store: this.historyStore, now: () => Date.now() }),
      named: false,
      log: this.context.log,
      learn: (lesson) => this.learning.consider(lesson),
    })
  }

  private rules(): Promise<RuleSet> {
    this.reading ??= this.readThem()
    return this.reading
  }

  private readSoon(): void {
    if (this.reading !== undefined) return
    const reading = this.rules()
    reading.catch((error: unknown) => {
      if (this.closed) return
      // The next tick, or message, tries again.
      if (this.reading === reading) this.reading = undefined
      this.context.log.error({ err: error }, 'rules could not be read')
    })
  }

  private async readThem(): Promise<RuleSet> {
    const { log, rules: source } = this.context
    const packed = await source.read(this.settings.rules)
    const rules = await unpackRules(packed)
    tellRules({ rules: rules.rules.length, problems: packed.problems, passedOver: packed.passedOver }, log)
    return rules
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

function daysOf(ms: number): number {
  return Math.ceil(ms / DAY_MS)
}
