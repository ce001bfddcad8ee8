/**
 * Which of the messages that were just taught as wanted look like spam. The model says
 * how many of all it doubts; names of messages are kept nowhere, and so they are found
 * among those that are read now, by what the model thinks of their words: one that was
 * taught by mistake stands out, although the model was taught with it. No more are named
 * than the model doubts. Bounded: of more
 * words than there is room for, the messages behind are not looked at. Does no I/O.
 */
import type { MessageContent } from '../spam/content.ts'
import { marginOf, type LinearModel } from '../spam/bayes/linear-model.ts'

/** Of wanted mail that the model was taught with one in a hundred is above it, and nearly all spam that was taught as wanted. */
const STANDS_OUT = -0.9
const NAMED = 10
const MAX_SINGLES = 8_000_000
const MAX_ID = 100

interface Held {
  /** undefined: standard input */
  readonly path: string | undefined
  readonly messageId: string
  readonly singles: Uint32Array
}

export class Doubts {
  readonly #held: Held[] = []
  #singles = 0

  /** @param singles its words, as they are kept for models */
  add(path: string | undefined, content: MessageContent, singles: Uint32Array): void {
    if (this.#singles + singles.length > MAX_SINGLES) return
    this.#singles += singles.length
    this.#held.push({ path, messageId: messageIdOf(content), singles })
  }

  /** What looks most like spam first; as it came from strangers. */
  named(model: LinearModel): { readonly names: readonly string[]; readonly more: number } {
    const found = this.#held.map((held) => ({ held, margin: marginFor(held.singles, model) })).filter(({ margin }) => margin >= STANDS_OUT)
    const doubted = found.sort((a, b) => b.margin - a.margin).slice(0, model.doubtful ?? 0)
    return { names: doubted.slice(0, NAMED).map(({ held }) => nameOf(held)), more: Math.max(0, doubted.length - NAMED) }
  }
}

function marginFor(singles: Uint32Array, model: LinearModel): number {
  return marginOf({ count: singles.length, low: singles, high: new Uint32Array(singles.length), names: undefined }, model)
}

function messageIdOf({ mime }: MessageContent): string {
  const id = mime.parts[0]?.fields.find(({ name }) => name === 'message-id')?.raw.trim() ?? ''
  return id.length > MAX_ID ? `${id.slice(0, MAX_ID)}…` : id
}

function nameOf({ path = 'standard input', messageId }: Held): string {
  return messageId === '' ? path : `${path} (${messageId})`
}
