/**
 * How the literals of an index stand side by side, as numbers of four bytes.
 *
 * Of a window: what it is known by, and where what belongs to it ends. Then its
 * checks, each a number and how far behind the window's last character it stands,
 * and where the literals end that have it there. Then these, each as how far before
 * that last character it begins, and its length; what it is told as, with its edges;
 * and the numbers of its characters that are not in the window, a byte each.
 */
import { beginsAtEdge, endsAtEdge, unmarked } from './edges.ts'
import { Checks } from './literal-windows.ts'

/** Of a character's number. */
export const CLASS_BITS = 8
export const HALF = 16
export const LENGTH_MASK = 0xffff
/** Beside what a literal is told as. */
export const BEGINS_WORD = 1
export const ENDS_WORD = 2
export const EDGE_BITS = 2
/** Numbers of four bytes before what belongs to a window, to a check, and before a literal's characters. */
export const HEAD = 2
export const WORD_BYTES = 4

/** A literal, its characters as numbers. */
export interface Entry {
  readonly name: number
  readonly marked: string
  readonly numbers: readonly number[]
  /** where its window begins, and how long that is */
  readonly window: number
  readonly size: number
}

/** The literals of one window, by checks. */
export function addWindow(words: number[], known: number, entries: readonly Entry[]): void {
  const checks = new Checks()
  const byCheck = new Map<number, Entry[]>()
  for (const entry of entries) {
    const { marked, numbers, window, size } = entry
    const asked = checks.choose(unmarked(marked), window)
    const check = ((asked - (window + size - 1)) << CLASS_BITS) | (numbers[asked] as number)
    const others = byCheck.get(check)
    if (others === undefined) byCheck.set(check, [entry])
    else others.push(entry)
  }
  const first = words.push(known, 0)
  for (const [check, some] of byCheck) {
    const begin = words.push(check, 0)
    for (const entry of some) addLiteral(words, entry)
    words[begin - 1] = words.length
  }
  words[first - 1] = words.length
}

function addLiteral(words: number[], { name, marked, numbers, window, size }: Entry): void {
  const edges = (beginsAtEdge(marked) ? BEGINS_WORD : 0) | (endsAtEdge(marked) ? ENDS_WORD : 0)
  words.push(((window + size - 1) << HALF) | numbers.length, (name << EDGE_BITS) | edges)
  const rest = [...numbers.slice(0, window), ...numbers.slice(window + size)]
  // In the order of the machine's bytes.
  while (rest.length % WORD_BYTES !== 0) rest.push(0)
  words.push(...new Int32Array(Uint8Array.from(rest).buffer))
}
