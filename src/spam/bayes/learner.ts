/**
 * Teaches the classifier, message by message, and makes the file that workers
 * read (model-file.ts) out of what it was taught. Learning a message twice is
 * learning it once; as the other class moves it; forgetting needs the message
 * again, since nothing of it is kept but hashes: its own, and those of its words.
 *
 * Rejects where the store or the file cannot be written.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { MessageContent } from '../content.ts'
import type { Lessons } from './lessons.ts'
import { trainLinear } from './linear-training.ts'
import { messageKey } from './message-key.ts'
import { MODEL_FILE, readModel, readModelHead, writeModel, type BayesModel, type HeadReading } from './model-file.ts'
import { Slices } from './slices.ts'
import { singleTokens, tokenKeys, type BayesCounts, type BayesProgress, type BayesStore, type ForgetOutcome, type KeptMessage, type LearnOutcome, type LearntMessage, type MessageClass } from './store.ts'
import { TokenTable } from './table.ts'
import { readTokens, type TokenSettings } from './tokens.ts'

export interface LearnerContext {
  readonly store: BayesStore
  /** where the model is written */
  readonly directory: string
  readonly tokens: TokenSettings
  /** milliseconds since 1970 */
  readonly now: () => number
  /** so many of each class a store that was made anew has to know before it may take the place of a model; default: none */
  readonly minMessages?: number
}

/**
 * `current`: nothing was learnt since the last time. `busy`: another process does
 * it, or it was cut short; ask again later. `held`: the store was made anew behind
 * our back and knows too little; the model of the one before stays.
 */
export type MaintainOutcome = 'written' | 'current' | 'busy' | 'held'

const DAY_MS = 86_400_000
/** Learnt by others while the table is made. */
const ROOM = 1.02
/** into the table, between two looks at the clock */
const ROWS_AT_ONCE = 1024
/** of all messages: so many that were learnt, moved or forgotten since are no reason for a new linear model */
const FRESH_SHARE = 0.01
/** and of those of one class that it was made of: so many that are forgotten, or are new */
const KEPT_SHARE = 0.05

export class Learner {
  readonly #context: LearnerContext
  /** the file whose tokens were found in order */
  #whole: string | undefined

  constructor(context: LearnerContext) {
    this.#context = context
  }

  /** One that lies in a mailbox. */
  learn(content: MessageContent, as: MessageClass): Promise<LearnOutcome> {
    return this.take(learntMessage(content, { ...this.#context, delivered: true }), as)
  }

  /** What was made of a message before. */
  take(message: LearntMessage, as: MessageClass): Promise<LearnOutcome> {
    return this.#context.store.learn(message, as)
  }

  forget(content: MessageContent): Promise<ForgetOutcome> {
    return this.#context.store.forget(learntMessage(content, { ...this.#context, delivered: true }))
  }

  /** Whether the model here is made of all that the store knows; asks it for a few numbers only. `nothing`: there is neither. */
  async state(): Promise<'current' | 'behind' | 'held' | 'nothing'> {
    const { store, directory } = this.#context
    const counts = await store.progress()
    const written = this.#written(join(directory, MODEL_FILE))
    if (written.status === 'none' && counts.ham + counts.spam === 0) return 'nothing'
    if (this.#isHeld(counts, written)) return 'held'
    return written.status === 'read' && written.head.revision === counts.revision && areAsMany(written.head.lessons, counts.kept) ? 'current' : 'behind'
  }

  /** Adds up what was learnt and writes the model anew. Call it now and then, and after much was learnt. */
  async maintain(signal?: AbortSignal): Promise<MaintainOutcome> {
    const { store, directory } = this.#context
    const path = join(directory, MODEL_FILE)
    if (!await store.maintain(this.#day(), signal)) return 'busy'
    const counts = await store.counts()
    if (this.#isHeld(counts, this.#written(path))) return 'held'
    // What has come meanwhile is in the next model.
    const revision = counts.revision - counts.waiting
    const written = readModel(path)
    if (written.status === 'read' && written.model.revision === revision && areAsMany(written.model.lessons, counts.kept)) return 'current'
    const slices = new Slices(signal)
    const table = await tableOf(store, counts, slices)
    if (table === undefined) return 'busy'
    const before = written.status === 'read' ? written.model : undefined
    const kept = before !== undefined && isFresh(before, { ...counts, revision })
    const made = kept ? before : await linearOf(store, slices)
    if (made === 'cut-short') return 'busy'
    const { linear, linearLessons } = made
    await writeModel(path, { ...counts, lessons: counts.kept, revision, table, linear, linearLessons, linearRevision: kept ? before.linearRevision : revision })
    return 'written'
  }

  /** What the model says of itself. All of it is read once: workers can use none that is damaged. */
  #written(path: string): HeadReading {
    const written = readModelHead(path)
    if (written.status !== 'read') return written
    const file = identityOf(path)
    if (file !== undefined && file === this.#whole) return written
    const { status } = readModel(path)
    if (status === 'read') this.#whole = file
    return status === 'read' ? written : { status }
  }

  /** A store that was lost must not take along what the model still knows. */
  #isHeld({ ham, spam, since }: BayesProgress, written: HeadReading): boolean {
    const { minMessages = 0 } = this.#context
    if (since === undefined || written.status !== 'read' || written.head.revision >= since) return false
    const trained = written.head.ham >= minMessages && written.head.spam >= minMessages
    return trained && (ham < minMessages || spam < minMessages)
  }

  #day(): number {
    return dayOf(this.#context.now())
  }
}

function areAsMany(some: Lessons, others: Lessons): boolean {
  return some.hams === others.hams && some.spams === others.spams
}

/** Other bytes have another one. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? undefined : `${found.dev} ${found.ino} ${found.size} ${found.ctimeNs}`
}

export interface LearntRequest extends Pick<LearnerContext, 'tokens' | 'now'> {
  /** false: it has just come in, and has no Received of this site yet */
  readonly delivered: boolean
}

/** All that is learnt of a message, and far less than it. */
export function learntMessage(content: MessageContent, { tokens: settings, now, delivered }: LearntRequest): LearntMessage {
  const tokens = readTokens(content, { ...settings, delivered })
  return { key: messageKey(content.mime), tokens: tokenKeys(tokens), singles: singleTokens(tokens), day: dayOf(now()) }
}

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

/** The linear model is dear to make, and one message among hundreds changes little. */
function isFresh({ linear, linearRevision, linearLessons: { hams, spams } }: BayesModel, { ham, spam, revision, kept }: BayesCounts): boolean {
  const since = revision - linearRevision
  const isNear = (now: number, then: number): boolean => Math.abs(now - then) <= KEPT_SHARE * then
  return linear !== undefined && since >= 0 && since < FRESH_SHARE * (ham + spam) && isNear(kept.hams, hams) && isNear(kept.spams, spams)
}

/** `linear` is undefined where one kind is not there. */
async function linearOf(store: BayesStore, slices: Slices): Promise<Pick<BayesModel, 'linearLessons' | 'linear'> | 'cut-short'> {
  const messages: KeptMessage[] = []
  for await (const message of store.kept()) {
    messages.push(message)
    if (slices.due() && !await slices.rest()) return 'cut-short'
  }
  const training = trainLinear(messages)
  for (;;) {
    const step = training.next()
    if (step.done === true) return { linearLessons: step.value.lessons, linear: step.value.status === 'trained' ? step.value.model : undefined }
    if (slices.due() && !await slices.rest()) return 'cut-short'
  }
}

async function tableOf(store: BayesStore, { tokens }: BayesCounts, slices: Slices): Promise<TokenTable | undefined> {
  const table = TokenTable.for(Math.ceil(tokens * ROOM))
  for await (const rows of store.tokens()) {
    for (let from = 0; from < rows.keys.length; from += ROWS_AT_ONCE) {
      // What has come since, beyond all room, is in the next table.
      table.add(rows, { from, to: from + ROWS_AT_ONCE })
      if (slices.due() && !await slices.rest()) return undefined
    }
    if (!await slices.rest()) return undefined
  }
  return table
}
