/**
 * Texts as code units in one array, one behind another: what the search for
 * literals and the matcher go over. Several sets that look at the same texts
 * share it.
 */
import { charactersOf } from './required-characters.ts'
import type { Characters } from './required-characters.ts'

/** Below this, a loop is faster than a call into the run-time. */
const SHORT = 64

export class PreparedText {
  readonly units: Uint16Array
  /** where each text begins; one more at the end */
  readonly starts: Int32Array
  #characters: Characters | undefined

  constructor(texts: readonly string[]) {
    let length = 0
    for (const text of texts) length += text.length
    const buffer = Buffer.from(new ArrayBuffer(length * 2))
    this.units = new Uint16Array(buffer.buffer)
    this.starts = new Int32Array(texts.length + 1)
    let at = 0
    for (const [number, text] of texts.entries()) {
      this.starts[number] = at
      // A lone surrogate is no character.
      const whole = text.isWellFormed() ? text : text.toWellFormed()
      if (whole.length <= SHORT) for (let i = 0; i < whole.length; i++) this.units[at + i] = whole.charCodeAt(i)
      else buffer.write(whole, at * 2, 'utf16le')
      at += whole.length
    }
    this.starts[texts.length] = at
  }

  /** All that are in it; found out when it is asked for. */
  get characters(): Characters {
    this.#characters ??= charactersOf(this.units)
    return this.#characters
  }
}

const prepared = new WeakMap<readonly string[], PreparedText>()

export function prepareText(texts: readonly string[]): PreparedText {
  let text = prepared.get(texts)
  if (text === undefined) {
    text = new PreparedText(texts)
    prepared.set(texts, text)
  }
  return text
}
