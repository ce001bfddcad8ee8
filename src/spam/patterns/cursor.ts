/**
 * Where a parser of a pattern stands in the source, and which flags hold there.
 * A source that cannot be read ends in a `Refusal`, which `readPattern` catches.
 */
import { ASCII_ALPHABET, UNICODE_ALPHABET } from './character-set.ts'
import type { Alphabet } from './character-set.ts'
import { asciiFold, unicodeFold } from './fold.ts'
import type { FoldTable } from './fold.ts'

export class Refusal extends Error {
  readonly at: number

  constructor(problem: string, at: number) {
    super(problem)
    this.at = at
  }
}

/** perlre, "Modifiers" */
export interface Flags {
  readonly ignoreCase: boolean
  readonly multiLine: boolean
  readonly dotAll: boolean
  readonly extended: boolean
  /** blanks in classes do not count either */
  readonly moreExtended: boolean
  readonly noCapture: boolean
  /** `unicode`: Unicode's rules; `ascii`: ASCII for `\d \s \w` and the classes of POSIX; `bytes`: ASCII for case as well, the text is bytes */
  readonly rules: 'unicode' | 'ascii' | 'bytes'
}

export const NO_FLAGS: Flags = { ignoreCase: false, multiLine: false, dotAll: false, extended: false, moreExtended: false, noCapture: false, rules: 'unicode' }

export function foldOf(flags: Flags): FoldTable | undefined {
  if (!flags.ignoreCase) return undefined
  return flags.rules === 'bytes' ? asciiFold() : unicodeFold()
}

export function alphabetOf(flags: Flags): Alphabet {
  return flags.rules === 'unicode' ? UNICODE_ALPHABET : ASCII_ALPHABET
}

/** Flags that change how a pattern is applied, not what it matches, are read over. */
const HARMLESS = 'gocp'

export function withFlag(flags: Flags, flag: string, on: boolean): Flags | undefined {
  switch (flag) {
    case 'i': return { ...flags, ignoreCase: on }
    case 'm': return { ...flags, multiLine: on }
    case 's': return { ...flags, dotAll: on }
    case 'x': return { ...flags, extended: on, moreExtended: on && flags.extended }
    case 'n': return { ...flags, noCapture: on }
    case 'u': return on ? { ...flags, rules: 'unicode' } : undefined
    case 'a': return on ? { ...flags, rules: 'ascii' } : undefined
    case 'd': return on ? { ...flags, rules: 'bytes' } : undefined
    default: return on && HARMLESS.includes(flag) ? flags : undefined
  }
}

export class Cursor {
  readonly source: string
  at = 0
  flags: Flags

  constructor(source: string, flags: Flags) {
    this.source = source
    this.flags = flags
  }

  get ended(): boolean {
    return this.at >= this.source.length
  }

  /** The code unit here; '' at the end. */
  peek(ahead = 0): string {
    return this.source.charAt(this.at + ahead)
  }

  /** Goes past these characters if they stand here. */
  take(words: string): boolean {
    if (!this.source.startsWith(words, this.at)) return false
    this.at += words.length
    return true
  }

  /** Goes past what a sticky expression matches here. */
  match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.at
    const found = sticky.exec(this.source)
    if (found === null) return undefined
    this.at += found[0].length
    return found
  }

  nextCodePoint(): number {
    const code = this.source.codePointAt(this.at)
    if (code === undefined) this.refuse('the pattern ends too early')
    this.at += code > 0xffff ? 2 : 1
    return code
  }

  refuse(problem: string, at = this.at): never {
    throw new Refusal(problem, at)
  }
}
