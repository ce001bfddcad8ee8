/**
 * Texts as code units in one array, one behind another: what the search for
 * literals and the matcher go over. Several sets that look at the same texts
 * share it.
 */

export interface PreparedText {
  readonly units: Uint16Array
  /** where each text begins; one more at the end */
  readonly starts: Int32Array
}

const prepared = new WeakMap<readonly string[], PreparedText>()
/** Below this, a loop is faster than a call into the run-time. */
const SHORT = 64

export function prepareText(texts: readonly string[]): PreparedText {
  const known = prepared.get(texts)
  if (known !== undefined) return known
  let length = 0
  for (const text of texts) length += text.length
  const buffer = Buffer.from(new ArrayBuffer(length * 2))
  const units = new Uint16Array(buffer.buffer)
  const starts = new Int32Array(texts.length + 1)
  let at = 0
  for (const [number, text] of texts.entries()) {
    starts[number] = at
    // A lone surrogate is no character.
    const whole = text.isWellFormed() ? text : text.toWellFormed()
    if (whole.length <= SHORT) for (let i = 0; i < whole.length; i++) units[at + i] = whole.charCodeAt(i)
    else buffer.write(whole, at * 2, 'utf16le')
    at += whole.length
  }
  starts[texts.length] = at
  const text: PreparedText = { units, starts }
  prepared.set(texts, text)
  return text
}
