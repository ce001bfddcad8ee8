/**
 * Learning in a worker: from folders, from verdicts beyond doubt, and the upkeep
 * of what was learned. Once a minute, and after each reload, it looks whether
 * others have learned what is in no model yet: `postern train` that ended before
 * its end, or, where several machines share a store, those; one process of each
 * machine makes its model anew. All of it beside the mail, in small pieces;
 * trouble is told in the log and nothing rejects.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../observe/log.ts'
import { isTrained, MIN_MESSAGES } from '../spam/bayes/classifier.ts'
import { Learner, learntMessage } from '../spam/bayes/learner.ts'
import { MODEL_FILE, readModelHead } from '../spam/bayes/model-file.ts'
import type { BayesStore, LearntMessage, MessageClass } from '../spam/bayes/store.ts'
import { tokenSettings, type TokenSettings } from '../spam/bayes/tokens.ts'
import { BAYES_DATABASE } from '../state/bayes-database.ts'
import { Lease } from '../state/lease.ts'
import { WatchedMail } from '../state/watched-mail.ts'
import { lessonOf } from './auto-learning.ts'
import { openBayesStore } from './bayes-store.ts'
import type { LearningSettings } from './learning-settings.ts'
import type { Lesson } from './message-scoring.ts'
import { NewReasons } from './new-reasons.ts'
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
/** Longer than from one look at a shared store to the next. */
const SHARED_LEASE_MS = 150_000
/** A worker serves sessions meanwhile. */
const BATCH_TOKENS = 50_000
const DAY_MS = 86_400_000
/** Lessons that wait; of more than that, those that come are not taken. */
const MAX_WAITING = 20

export class Learning {
  private settings: LearningSettings
  private readonly context: LearningContext
  private store: BayesStore | undefined
  private learner: Learner | undefined
  private folders: TeachingFolders | undefined
  private readonly shared: Lease
  private readonly aborted = new AbortController()
  private ticks = 0
  /** to be done as soon as there is nothing else to do */
  private foldersDue = false
  private upkeepDue = false
  /** somebody waits for it */
  private hurried = false
  /** of the store, when it was looked at last */
  private revision: number | undefined
  private waiting = 0
  private learned = false
  private chore: Promise<void> = Promise.resolve()
  private busy = false
  private readonly troubles = new NewReasons()
  private held = false
  private expiryHeld = false
  private forgotten = false

  constructor(settings: LearningSettings, context: LearningContext) {
    this.settings = settings
    this.context = context
    this.shared = new Lease(context.database, { name: 'model of a shared store', holder: randomBytes(12).toString('hex') })
  }

  reload(settings: LearningSettings): void {
    const before = this.settings
    this.settings = settings
    const opened = ({ store, maxTokens, expireMs, minMessages, subjectPrefix }: LearningSettings): unknown => ({ store, maxTokens, expireMs, minMessages, subjectPrefix })
    // These are the store's from its opening on.
    if (!isDeepStrictEqual(opened(before), opened(settings))) this.chore = this.chore.then(() => this.closeStore())
    this.foldersDue = true
    this.upkeepDue = true
    this.hurried = true
  }

  /** To be called once a second. */
  tick(): void {
    const tick = this.ticks++
    if (tick % FOLDER_TICKS === 0) this.foldersDue = true
    if (tick % UPKEEP_TICKS === UPKEEP_TICKS / 2) this.upkeepDue = true
    if (this.busy) return
    if (this.foldersDue) {
      this.foldersDue = false
      if (this.settings.learn.length > 0) {
        this.begin(() => this.lookAtFolders())
        return
      }
    }
    if (!this.upkeepDue) return
    this.upkeepDue = false
    const { hurried } = this
    this.hurried = false
    if (this.settings.store.kind !== 'embedded') this.begin(() => this.follow())
    else if (this.learned || this.wasTaught()) this.begin(() => this.keepUp(hurried))
  }

  /** A verdict, when the message has been answered or soon will be; returns as what it is taken, if at all. */
  consider(lesson: Lesson): MessageClass | undefined {
    const { autoLearn } = this.settings
    const as = autoLearn === undefined ? undefined : lessonOf(lesson, autoLearn)
    if (as === undefined || this.waiting >= MAX_WAITING) return undefined
    this.waiting++
    // Behind the reply. What waits for the store then is what is learned of the message, and not the message.
    setImmediate(() => this.take(learntMessage(lesson.content, { tokens: this.tokens(), now: () => Date.now(), delivered: false }), as))
    return as
  }

  private take(message: LearntMessage, as: MessageClass): void {
    this.begin(async () => {
      try {
        if (await this.open().take(message, as) !== 'known') this.learned = true
        return true
      } finally {
        this.waiting--
      }
    })
  }

  async close(): Promise<void> {
    this.aborted.abort()
    this.folders?.stop()
    // What waits for a store that does not answer waits no longer.
    if (this.settings.store.kind !== 'embedded') this.store?.close()
    await this.chore
    this.closeStore()
    try {
      this.shared.drop()
    } catch (error) {
      // Another process is writing. The lease runs out by itself.
      this.context.log.debug({ cause: error instanceof Error ? error.message : String(error) }, 'a lease was not given back')
    }
  }

  /** One thing after the other; each trouble is told once until all is over. What it does says whether the store was had for it. */
  private begin(work: () => Promise<boolean>): void {
    this.busy = true
    this.chore = this.chore.then(async () => {
      try {
        if (this.aborted.signal.aborted || !await work()) return
        if (this.troubles.over()) this.context.log.info({}, 'learning works again')
      } catch (error) {
        // What the end has cut short is no trouble.
        if (this.aborted.signal.aborted) return
        if (this.troubles.isNew(error)) this.context.log.warn({ cause: error instanceof Error ? error.message : String(error) }, 'nothing can be learned')
      } finally {
        this.busy = false
      }
    })
  }

  /** Nobody makes a database to find it empty. */
  private wasTaught(): boolean {
    return existsSync(join(this.context.state, BAYES_DATABASE.file))
  }

  private async lookAtFolders(): Promise<boolean> {
    const { database, log } = this.context
    const learner = this.open()
    this.folders ??= new TeachingFolders({ learner, log, hostname: this.context.hostname, watched: new WatchedMail(database), lease: new Lease(database, { name: 'teaching folders', holder: randomBytes(12).toString('hex') }), now: () => Date.now() })
    const round = await this.folders.round(this.settings.learn)
    // A shared store is not asked where there is nothing to learn.
    if (round === undefined || round.learned === 0) return this.settings.store.kind === 'embedded'
    this.learned = true
    log.info({ messages: round.learned, more: round.more }, 'learned from folders')
    // The next round goes on without a minute's pause.
    if (round.more) this.foldersDue = true
    return true
  }

  /** What waits, or is in no model, is left to whoever teaches as long as more of it comes. */
  private async keepUp(hurried: boolean): Promise<boolean> {
    const learner = this.open()
    this.tellForgotten()
    const revision = (await this.store?.progress())?.revision
    const settled = hurried || this.revision === undefined || this.revision === revision
    this.revision = revision
    if (!this.learned && !(settled && await learner.state() === 'behind')) return true
    if (await learner.maintain(this.aborted.signal) !== 'busy') this.learned = false
    await this.tellExpiry()
    this.tellForgotten()
    return true
  }

  /** Once until it is over. */
  private async tellExpiry(): Promise<void> {
    const heldOn = (await this.store?.progress())?.expiryHeld
    if (heldOn !== undefined && !this.expiryHeld) this.context.log.warn({ today: new Date(heldOn * DAY_MS).toISOString().slice(0, 10) }, 'more than half of what the classifier knows is too old by the clock of this machine; it is kept until the clock has said so for two days')
    this.expiryHeld = heldOn !== undefined
  }

  /** Once until it is over. */
  private tellForgotten(): void {
    const reading = readModelHead(join(this.context.state, MODEL_FILE))
    if (reading.status !== 'read') return
    const { ham, spam, lessons: { hams, spams } } = reading.head
    const { minMessages } = this.settings
    const forgotten = Math.min(ham, spam) >= minMessages && !isTrained(reading.head, minMessages)
    if (forgotten && !this.forgotten) this.context.log.warn({ wanted: hams, unwanted: spams, needed: Math.min(minMessages, MIN_MESSAGES) }, 'most of what the classifier was taught is too old (spam.bayes.expire); it has no say until it is taught newer messages of each kind')
    this.forgotten = forgotten
  }

  /** What this machine or another has learned comes into the model of this one; one of its processes does it for all. */
  private async follow(): Promise<boolean> {
    if (!this.shared.hold({ now: Date.now(), forMs: SHARED_LEASE_MS })) {
      this.learned = false
      return false
    }
    const learner = this.open()
    let state = await learner.state()
    if (state === 'behind') {
      if (await learner.maintain(this.aborted.signal) === 'held') state = 'held'
      await this.tellExpiry()
      this.tellForgotten()
    }
    if (state === 'held' && !this.held) this.context.log.warn({ needed: this.settings.minMessages }, 'what the classifier learned is not in its store any more; the model that was made of it stays until as many messages of each kind are known again')
    this.held = state === 'held'
    this.learned = false
    return true
  }

  private open(): Learner {
    if (this.learner !== undefined) return this.learner
    const { state, log } = this.context
    const warn = (cause: string): void => log.warn({ cause }, 'what the classifier learns may be lost or refused where it is kept')
    this.store = openBayesStore(this.settings, { state, batchTokens: BATCH_TOKENS, warn })
    this.learner = new Learner({ store: this.store, directory: state, tokens: this.tokens(), now: () => Date.now(), minMessages: this.settings.minMessages })
    return this.learner
  }

  private tokens(): TokenSettings {
    return tokenSettings({ hostname: this.context.hostname, subjectPrefix: this.settings.subjectPrefix })
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
