/**
 * Learning in a worker: from folders, from verdicts beyond doubt, and the upkeep
 * of what was learned, which also takes in what `postern train` has added. All of
 * it beside the mail, in small pieces; trouble is told in the log and nothing
 * rejects.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Log } from '../observe/log.ts'
import { Learner } from '../spam/bayes/learner.ts'
import { TOKENS_VERSION } from '../spam/bayes/store.ts'
import { MODEL_FILE } from '../spam/bayes/model-file.ts'
import { BAYES_DATABASE, BayesDatabase } from '../state/bayes-database.ts'
import { Lease } from '../state/lease.ts'
import { WatchedMail } from '../state/watched-mail.ts'
import { lessonOf } from './auto-learning.ts'
import type { LearningSettings } from './learning-settings.ts'
import type { Lesson } from './message-scoring.ts'
import { TeachingFolders } from './teaching-folders.ts'

export interface LearningContext {
  /** directory */
  readonly state: string
  readonly hostname: string
  readonly database: DatabaseSync
  readonly log: Log
}

const FOLDER_TICKS = 60
const UPKEEP_TICKS = 60
const DAY_MS = 86_400_000
/** A worker serves sessions meanwhile. */
const BATCH_TOKENS = 50_000
/** Lessons that wait; of more than that, those that come are not taken. */
const MAX_WAITING = 20

export class Learning {
  private settings: LearningSettings
  private readonly context: LearningContext
  private store: BayesDatabase | undefined
  private learner: Learner | undefined
  private folders: TeachingFolders | undefined
  private readonly aborted = new AbortController()
  private ticks = 0
  private waiting = 0
  private learned = false
  private chore: Promise<void> = Promise.resolve()
  private busy = false
  private failing = false

  constructor(settings: LearningSettings, context: LearningContext) {
    this.settings = settings
    this.context = context
  }

  reload(settings: LearningSettings): void {
    const before = this.settings
    this.settings = settings
    // Its bounds are the store's from its opening on.
    if (before.maxTokens !== settings.maxTokens || before.expireMs !== settings.expireMs) this.chore = this.chore.then(() => this.closeStore())
  }

  /** To be called once a second. */
  tick(): void {
    const tick = this.ticks++
    const { learn, autoLearn } = this.settings
    // What was trained, and its model lost or never made.
    if (tick === UPKEEP_TICKS / 2 && this.lacksModel()) this.learned = true
    if (this.busy || (learn.length === 0 && autoLearn === undefined && !this.learned)) return
    if (tick % FOLDER_TICKS === 0 && learn.length > 0) this.begin(() => this.lookAtFolders())
    else if (tick % UPKEEP_TICKS === UPKEEP_TICKS / 2 && this.learned) this.begin(() => this.keepUp())
  }

  /** A verdict, when the message has been answered or soon will be. */
  consider(lesson: Lesson): void {
    const { autoLearn } = this.settings
    const as = autoLearn === undefined ? undefined : lessonOf(lesson, autoLearn)
    if (as === undefined || this.waiting >= MAX_WAITING) return
    this.waiting++
    // Behind the reply.
    setImmediate(() => {
      this.waiting--
      this.begin(async () => {
        if (await this.open().learn(lesson.content, as) !== 'known') this.learned = true
      })
    })
  }

  async close(): Promise<void> {
    this.aborted.abort()
    this.folders?.stop()
    await this.chore
    this.closeStore()
  }

  /** One thing after the other; trouble is told once until it is over. */
  private begin(work: () => Promise<void>): void {
    this.busy = true
    this.chore = this.chore.then(async () => {
      try {
        if (!this.aborted.signal.aborted) await work()
        if (this.failing) this.context.log.info({}, 'learning works again')
        this.failing = false
      } catch (error) {
        if (!this.failing) this.context.log.warn({ cause: error instanceof Error ? error.message : String(error) }, 'nothing can be learned')
        this.failing = true
      } finally {
        this.busy = false
      }
    })
  }

  private lacksModel(): boolean {
    const { state } = this.context
    return existsSync(join(state, BAYES_DATABASE.file)) && !existsSync(join(state, MODEL_FILE))
  }

  private async lookAtFolders(): Promise<void> {
    const { database, log } = this.context
    const learner = this.open()
    this.folders ??= new TeachingFolders({ learner, log, hostname: this.context.hostname, watched: new WatchedMail(database), lease: new Lease(database, { name: 'teaching folders', holder: randomBytes(12).toString('hex') }), now: () => Date.now() })
    const round = await this.folders.round(this.settings.learn)
    if (round === undefined || round.learned === 0) return
    this.learned = true
    log.info({ messages: round.learned, more: round.more }, 'learned from folders')
    // The next round goes on without a minute's pause.
    if (round.more) this.ticks = 0
  }

  private async keepUp(): Promise<void> {
    if (await this.open().maintain(this.aborted.signal) !== 'busy') this.learned = false
  }

  private open(): Learner {
    if (this.learner !== undefined) return this.learner
    const { state, hostname } = this.context
    const { maxTokens, expireMs } = this.settings
    const tokenDays = Math.ceil(expireMs / DAY_MS)
    this.store = new BayesDatabase(state, { tokensVersion: TOKENS_VERSION, maxTokens, tokenDays, messageDays: 2 * tokenDays, batchTokens: BATCH_TOKENS })
    this.learner = new Learner({ store: this.store, directory: state, tokens: { ownHosts: new Set([hostname.toLowerCase()]) }, now: () => Date.now() })
    return this.learner
  }

  private closeStore(): void {
    // Whoever looks next is somebody else to the lease.
    this.folders?.stop()
    this.store?.close()
    this.store = undefined
    this.learner = undefined
    this.folders = undefined
  }
}
