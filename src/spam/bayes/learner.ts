/**
 * Teaches the classifier, message by message, and makes the file that workers
 * read (model-file.ts) out of what it was taught. Learning a message twice is
 * learning it once; as the other class moves it; forgetting needs the message
 * again, since nothing of it is kept but a hash.
 *
 * Rejects where the store or the file cannot be written.
 */
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { MessageContent } from '../content.ts'
import { messageKey } from './message-key.ts'
import { MODEL_FILE, readModel, writeModel } from './model-file.ts'
import { tokenKeys, type BayesCounts, type BayesStore, type ForgetOutcome, type LearnOutcome, type LearntMessage, type MessageClass } from './store.ts'
import { TokenTable } from './table.ts'
import { readTokens, type TokenSettings } from './tokens.ts'

export interface LearnerContext {
  readonly store: BayesStore
  /** where the model is written */
  readonly directory: string
  readonly tokens: TokenSettings
  /** milliseconds since 1970 */
  readonly now: () => number
}

/** `current`: nothing was learnt since the last time. `busy`: another process does it, or it was cut short; ask again later. */
export type MaintainOutcome = 'written' | 'current' | 'busy'

const DAY_MS = 86_400_000
/** Learnt by others while the table is made. */
const ROOM = 1.02

export class Learner {
  readonly #context: LearnerContext

  constructor(context: LearnerContext) {
    this.#context = context
  }

  learn(content: MessageContent, as: MessageClass): Promise<LearnOutcome> {
    return this.#context.store.learn(this.#message(content), as)
  }

  forget(content: MessageContent): Promise<ForgetOutcome> {
    return this.#context.store.forget(this.#message(content))
  }

  /** Adds up what was learnt and writes the model anew. Call it now and then, and after much was learnt. */
  async maintain(signal?: AbortSignal): Promise<MaintainOutcome> {
    const { store, directory } = this.#context
    const path = join(directory, MODEL_FILE)
    if (!await store.maintain(this.#day(), signal)) return 'busy'
    const counts = await store.counts()
    const written = readModel(path)
    if (written.status === 'read' && written.model.revision === counts.revision) return 'current'
    const table = await tableOf(store, counts, signal)
    if (table === undefined) return 'busy'
    await writeModel(path, { ...counts, table })
    return 'written'
  }

  #message(content: MessageContent): LearntMessage {
    return { key: messageKey(content.mime), tokens: tokenKeys(readTokens(content, { ...this.#context.tokens, delivered: true })), day: this.#day() }
  }

  #day(): number {
    return Math.floor(this.#context.now() / DAY_MS)
  }
}

async function tableOf(store: BayesStore, { tokens }: BayesCounts, signal: AbortSignal | undefined): Promise<TokenTable | undefined> {
  const table = TokenTable.for(Math.ceil(tokens * ROOM))
  for await (const rows of store.tokens()) {
    if (signal?.aborted === true) return undefined
    // What has come since, beyond all room, is in the next table.
    if (!table.add(rows)) break
    await turn()
  }
  return table
}
