/**
 * Puts characters that a pattern does not tell apart into one kind, with numbers
 * from 0 up; the end of the text, and a newline that is the last character, are
 * kinds of their own. Of what stands before a place only that is told apart that
 * a condition asks for, and the begin of the text.
 */
import { EMPTY_PAGE, FULL_PAGE, making } from './character-set.ts'
import type { CharacterSet } from './character-set.ts'
import { Pages } from './pages.ts'
import type { States } from './states.ts'
import type { Stretch } from './reader.ts'

const NEWLINE = 10
const NOT_KNOWN = -2
/** What it takes to tell the characters of a page apart by one set. */
const STEPS_PER_PAGE = 32
/** Above U+00FF there are seldom more that are new. */
const SPARE_KINDS = 14

/** For each of its characters a group, and for each group a kind, when somebody asks. */
interface Page {
  readonly groups: Uint8Array
  readonly kinds: Int16Array
}

export class CharacterKinds {
  /** of U+0000 to U+00FF; each of them has one */
  readonly low = new Uint16Array(256)
  /** there are never more kinds */
  readonly most: number = Infinity
  readonly end: number
  readonly lastNewline: number
  /** as what stands before */
  readonly atStart = 0
  readonly #sets: readonly CharacterSet[]
  /** for each kind, for each set: 1 for a member */
  readonly #members: Uint8Array[] = []
  readonly #newlines: boolean[] = []
  /** sets that conditions ask for before a place */
  readonly #asked: readonly number[]
  /** for each kind: its number as what stands before; and for each such number, a kind that has it */
  readonly #befores: number[] = []
  readonly #examples: number[] = [-1]
  readonly #beforeNumbers = new Map<string, number>()
  readonly #numbers = new Map<string, number>()
  readonly #high = new Pages<Page>()
  /** by which sets have all of them: pages that no set has a part of */
  readonly #wholePages = new Map<string, number>()
  /** what telling characters apart above U+00FF has taken since somebody set it to 0 */
  steps = 0

  constructor({ states, sets }: States) {
    this.#sets = sets
    this.#asked = [...new Set(states.flatMap((state) => (state.kind === 'if' && (state.condition.kind === 'word-edge' || state.condition.kind === 'before') ? [state.condition.set] : [])))]
    this.end = this.#add(new Uint8Array(sets.length), false)
    this.lastNewline = this.#add(this.#membersOf(NEWLINE), true)
    const groups = groupsOf(sets.map(({ low }) => low))
    const kinds = new Map<number, number>()
    for (let code = 0; code < 256; code++) {
      const group = code === NEWLINE ? -1 : groups[code] as number
      const kind = kinds.get(group) ?? this.#kindOf(code)
      kinds.set(group, kind)
      this.low[code] = kind
    }
    this.most = this.#members.length + SPARE_KINDS
  }

  /** Of the character that begins at a place; -1: there are too many kinds. */
  kindAt({ units, end }: Stretch, at: number): number {
    const unit = units[at] as number
    if (unit === NEWLINE && at + 1 === end) return this.lastNewline
    if (unit < 256) return this.low[unit] as number
    return this.#highKind(unit >= 0xd800 && unit <= 0xdbff && at + 1 < end ? codePoint(unit, units[at + 1] as number) : unit)
  }

  /** Of the character before a place that is not the first. */
  kindBefore({ units, start, end }: Stretch, at: number): number {
    const unit = units[at - 1] as number
    const pair = unit >= 0xdc00 && unit <= 0xdfff && at - 2 >= start
    return this.kindAt({ units, start, end: end + 1 }, pair ? at - 2 : at - 1)
  }

  /** What a kind is when it stands before. */
  beforeOf(kind: number): number {
    return this.#befores[kind] ?? this.atStart
  }

  has(kind: number, set: number): boolean {
    return this.#members[kind]?.[set] === 1
  }

  hadBefore(before: number, set: number): boolean {
    return before !== this.atStart && this.has(this.#examples[before] as number, set)
  }

  isNewline(kind: number): boolean {
    return this.#newlines[kind] === true
  }

  isNewlineBefore(before: number): boolean {
    return before !== this.atStart && this.isNewline(this.#examples[before] as number)
  }

  #highKind(code: number): number {
    const { groups, kinds } = this.#high.of(code) ?? this.#addPage(code)
    const group = groups[code & 0xff] as number
    const known = kinds[group] as number
    if (known !== NOT_KNOWN) return known
    return kinds[group] = this.#kindOf(code)
  }

  #addPage(code: number): Page {
    const before = making.steps
    const pages = this.#sets.map((set) => set.page(code))
    const parts = pages.filter((page) => page !== EMPTY_PAGE && page !== FULL_PAGE)
    this.steps += making.steps - before + pages.length + STEPS_PER_PAGE * parts.length
    const whole = parts.length === 0 ? pages.map((page) => page[0]).join('') : undefined
    let kept = whole === undefined ? undefined : this.#wholePages.get(whole)
    if (kept === undefined) {
      const groups = groupsOf(parts)
      kept = this.#high.keep({ groups, kinds: new Int16Array(1 + groups.reduce((most, group) => Math.max(most, group), 0)).fill(NOT_KNOWN) })
      if (whole !== undefined) this.#wholePages.set(whole, kept)
    }
    this.#high.put(code, kept)
    return this.#high.of(code) as Page
  }

  #kindOf(code: number): number {
    const members = this.#membersOf(code)
    const key = `${code === NEWLINE ? 'newline' : ''}${members.join('')}`
    let kind = this.#numbers.get(key)
    if (kind === undefined) {
      if (this.#members.length >= this.most) return -1
      kind = this.#add(members, code === NEWLINE)
      this.#numbers.set(key, kind)
    }
    return kind
  }

  #membersOf(code: number): Uint8Array {
    const members = new Uint8Array(this.#sets.length)
    for (let number = 0; number < members.length; number++) members[number] = this.#sets[number]?.has(code) === true ? 1 : 0
    return members
  }

  #add(members: Uint8Array, newline: boolean): number {
    const kind = this.#members.push(members) - 1
    this.#newlines.push(newline)
    const key = `${newline ? 'newline' : ''}${this.#asked.map((set) => members[set]).join('')}`
    let before = this.#beforeNumbers.get(key)
    if (before === undefined) {
      before = this.#examples.push(kind) - 1
      this.#beforeNumbers.set(key, before)
    }
    this.#befores.push(before)
    return kind
  }
}

/** For 256 characters, of which each set says by 1 whether they are in it: equal numbers where no set tells them apart. */
function groupsOf(pages: readonly Uint8Array[]): Uint8Array {
  const [only] = pages
  if (pages.length <= 1) return only ?? EMPTY_PAGE
  const groups = new Uint8Array(256)
  const firstIsMember = new Int8Array(256)
  const others = new Int16Array(256)
  let count = 1
  for (const page of pages) {
    firstIsMember.fill(-1)
    others.fill(-1)
    for (let code = 0; code < 256; code++) {
      const group = groups[code] as number
      const member = page[code] as number
      if (firstIsMember[group] === -1) firstIsMember[group] = member
      else if (firstIsMember[group] !== member) {
        if (others[group] === -1) others[group] = count++
        groups[code] = others[group] as number
      }
    }
  }
  return groups
}

function codePoint(lead: number, trail: number): number {
  return trail >= 0xdc00 && trail <= 0xdfff ? 0x10000 + ((lead - 0xd800) << 10) + (trail - 0xdc00) : lead
}
