/**
 * Characters of which one must be in a text for a pattern to match, where these
 * are rare in mail: what spares a look at a text that has none, where no literal
 * is known. And which characters a text has.
 */
import { ANYTHING, END, either, firstOf, HIGH } from './first.ts'
import type { First } from './first.ts'
import { rarityOf } from './rarity.ts'
import { isSingle } from './syntax.ts'
import type { Node } from './syntax.ts'

/** One bit for each of U+0000 to U+00FF, one for all others. */
export type Characters = Uint32Array
const WORDS = 9

/** Above this share of a text it has one anyway. */
const MAX_SHARE = 0.05

interface Required {
  readonly table: First
  readonly share: number
}

/** Undefined: nothing worth while is known. */
export function requiredCharacters(root: Node): Characters | undefined {
  const required = requiredBy(root)
  if (required === undefined || required.share > MAX_SHARE) return undefined
  const characters = new Uint32Array(WORDS)
  for (let entry = 0; entry <= HIGH; entry++) if (required.table[entry] === 1) mark(characters, entry)
  return characters
}

function requiredBy(node: Node): Required | undefined {
  switch (node.kind) {
    case 'character':
    case 'set': {
      const table = firstOf(node, ANYTHING)
      return { table, share: shareOf(table) }
    }
    case 'sequence': return node.items.map(requiredBy).reduce(rarer, undefined)
    case 'choice': {
      const all = node.branches.map(requiredBy)
      const table = all.map((one) => one?.table).reduce((one, other) => (one === undefined || other === undefined ? undefined : either(one, other)))
      return table === undefined ? undefined : { table, share: shareOf(table) }
    }
    case 'repeat': return node.least > 0 ? requiredBy(node.body) : undefined
    case 'capture':
    case 'atomic': return requiredBy(node.body)
    case 'look': return node.negative || !isSingle(node.body) ? undefined : requiredBy(node.body)
    case 'reference':
    case 'assertion':
    case 'word-edge': return undefined
  }
}

function rarer(one: Required | undefined, other: Required | undefined): Required | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one.share <= other.share ? one : other
}

/** How much of mail these characters are, about. */
export function shareOf(table: First): number {
  let share = 0
  for (let entry = 0; entry < END; entry++) if (table[entry] === 1) share += entry < HIGH ? SHARES[entry] as number : HIGH_SHARE
  return share
}

/** Characters above U+00FF: none in most texts, all in others. */
const HIGH_SHARE = 0.02
/** Capitals are rarer than small letters. */
const CAPITAL = 0.15
const SHARES = Float64Array.from({ length: HIGH }, (_, code) => {
  const character = String.fromCharCode(code)
  if (code < 32 && code !== 10 && code !== 13 && code !== 9) return 0
  return rarityOf(character.toLowerCase()) * (character >= 'A' && character <= 'Z' ? CAPITAL : 1)
})

/** Which characters these are. */
export function charactersOf(units: Uint16Array): Characters {
  const there = new Uint8Array(HIGH + 1)
  const { length } = units
  for (let i = 0; i < length; i++) {
    const unit = units[i] as number
    there[unit < HIGH ? unit : HIGH] = 1
  }
  const characters = new Uint32Array(WORDS)
  for (let entry = 0; entry <= HIGH; entry++) if (there[entry] === 1) mark(characters, entry)
  return characters
}

/** Are all of them beyond U+00FF, of which most texts have none? */
export function areWide(characters: Characters): boolean {
  for (let word = 0; word < WORDS - 1; word++) if (characters[word] !== 0) return false
  return true
}

export function haveInCommon(one: Characters, other: Characters): boolean {
  for (let word = 0; word < WORDS; word++) if (((one[word] as number) & (other[word] as number)) !== 0) return true
  return false
}

function mark(characters: Characters, entry: number): void {
  characters[entry >> 5] = (characters[entry >> 5] as number) | (1 << (entry & 31))
}
