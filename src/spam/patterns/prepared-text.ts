/**
 * Texts as code units in one array, one behind another: what the search for
 * literals and the matcher go over. Short texts stand in an array that they
 * share with others, as making one costs more than filling it.
 */
import { charactersOf } from './required-characters.ts'
import type { Characters } from './required-characters.ts'

/** Below this, a loop is faster than a call into the run-time. */
const LOOPED = 64
const POOL_UNITS = 32_768
/** What is longer has an array of its own. */
const POOLED = 2048
/** More texts than these are written together. */
const FEW_TEXTS = 2
const WIDE = /[^\0-\xff]/

let pool = new Uint16Array(0)
let poolUsed = 0

export class PreparedText {
  readonly texts: readonly string[]
  readonly units: Uint16Array
  /** where in `units` each text begins; one more at the end */
  readonly starts: readonly number[]

  constructor(texts: readonly string[]) {
    this.texts = texts
    let length = 0
    for (const text of texts) length += text.length
    const from = length > POOLED ? 0 : placeInPool(length)
    this.units = length > POOLED ? new Uint16Array(length) : pool
    const { units } = this
    const starts = [from]
    this.starts = starts
    const all = texts.length > FEW_TEXTS ? texts.join('') : ''
    if (all !== '' && !WIDE.test(all)) {
      Buffer.from(units.buffer).write(all, from * 2, 'utf16le')
      let behind = from
      for (const text of texts) starts.push(behind += text.length)
      return
    }
    let bytes: Buffer | undefined
    let at = from
    for (const text of texts) {
      // A lone surrogate is no character.
      const whole = text.isWellFormed() ? text : text.toWellFormed()
      if (whole.length <= LOOPED) for (let i = 0; i < whole.length; i++) units[at + i] = whole.charCodeAt(i)
      else (bytes ??= Buffer.from(units.buffer)).write(whole, at * 2, 'utf16le')
      at += whole.length
      starts.push(at)
    }
  }

  /** Of some of the texts, together. */
  lengthOf(first: number, behind: number): number {
    return (this.starts[behind] as number) - (this.starts[first] as number)
  }

  /** Has one of some texts a character beyond U+00FF? */
  isWide(first: number, behind: number): boolean {
    for (let text = first; text < behind; text++) if (WIDE.test(this.texts[text] as string)) return true
    return false
  }

  /** All that are in some of the texts. */
  charactersOf(first: number, behind: number): Characters {
    return charactersOf(this.units.subarray(this.starts[first], this.starts[behind]))
  }
}

/** Texts that still use a pool that is full keep it. */
function placeInPool(length: number): number {
  if (poolUsed + length > pool.length) {
    pool = new Uint16Array(POOL_UNITS)
    poolUsed = 0
  }
  poolUsed += length
  return poolUsed - length
}
