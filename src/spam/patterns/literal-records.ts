/**
 * How the literals of an index stand side by side, as numbers of four bytes.
 *
 * Of a window: what it is known by, and where what belongs to it ends. Then its
 * literals, and forks, which tell them apart by one character. Of a literal: how far
 * before the window's last character it begins, and its length; what it is told as,
 * with its edges; and the numbers of its characters that are not in the window, a
 * byte each. Of a fork: which character it asks for, and how many it knows; where it
 * ends; then the number of each, and where the literals begin that have it there.
 * Behind these is a jump to where the fork ends: 0, and the place.
 */
import { beginsAtEdge, endsAtEdge } from './edges.ts'
import { forkOf } from './literal-forks.ts'

/** Of a character's number. */
export const CLASS_BITS = 8
export const HALF = 16
export const LENGTH_MASK = 0xffff
/** Beside what a literal is told as. */
export const BEGINS_WORD = 1
export const ENDS_WORD = 2
export const EDGE_BITS = 2
/** Numbers of four bytes before what belongs to a window or a fork, and before a literal's characters; and of what a fork knows. */
export const HEAD = 2
export const CASE = 2
export const WORD_BYTES = 4
/** Of a fork: less than 0, how many it knows, and how far behind the window's last character it asks, counted from so many before it. */
const FORK = -(2 ** 31)
export const KNOWS = 8
export const KNOWN_MASK = 0xffff
export const ASKS_MASK = 0xff
export const ASKS_FROM = 128
const JUMP = 0

/** A literal, its characters as numbers. */
export interface Entry {
  readonly name: number
  readonly marked: string
  readonly numbers: readonly number[]
  /** where its window begins, and how long that is */
  readonly window: number
  readonly size: number
}

/** The literals of one window, a fork a step. */
export function* addWindow(words: number[], known: number, entries: readonly Entry[]): Generator<void, void> {
  const first = words.push(known, 0)
  yield* addLiterals(words, entries, [])
  words[first - 1] = words.length
}

/** @param asked places that forks around them ask for */
function* addLiterals(words: number[], entries: readonly Entry[], asked: readonly number[]): Generator<void, void> {
  const fork = forkOf(entries, asked)
  if (fork === undefined) {
    for (const entry of entries) addLiteral(words, entry)
    return
  }
  yield
  const begin = words.push(FORK | (fork.having.size << KNOWS) | (fork.asks + ASKS_FROM), 0)
  const cases = words.length
  for (const number of fork.having.keys()) words.push(number, 0)
  const jumps: number[] = []
  let one = cases
  for (const some of fork.having.values()) {
    if (one > cases) jumps.push(words.push(JUMP, 0) - 1)
    words[one + 1] = words.length
    yield* addLiterals(words, some, [...asked, fork.asks])
    one += CASE
  }
  for (const place of [begin - 1, ...jumps]) words[place] = words.length
  if (fork.others.length > 0) yield* addLiterals(words, fork.others, asked)
}

function addLiteral(words: number[], { name, marked, numbers, window, size }: Entry): void {
  const edges = (beginsAtEdge(marked) ? BEGINS_WORD : 0) | (endsAtEdge(marked) ? ENDS_WORD : 0)
  words.push(((window + size - 1) << HALF) | numbers.length, (name << EDGE_BITS) | edges)
  const rest = [...numbers.slice(0, window), ...numbers.slice(window + size)]
  // In the order of the machine's bytes.
  while (rest.length % WORD_BYTES !== 0) rest.push(0)
  words.push(...new Int32Array(Uint8Array.from(rest).buffer))
}
