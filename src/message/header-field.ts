/**
 * One field of a header section as it lies in the message (RFC 5322 §2.2), and
 * readings of its value. Nothing here throws or changes a byte.
 *
 * Text is binary: one character a byte, as in the wire parsers.
 */

export interface HeaderField {
  /** place among the fields, 0 on top */
  readonly index: number
  /** in lower case, without blanks before the colon */
  readonly key: string
  /** as written, without blanks before the colon */
  readonly name: string
  /** all of it: name, colon, value with its folds, and the line end (missing where the message ends before) */
  readonly raw: Buffer
  /** what stands behind the colon, folds included, without the last line end */
  readonly value: Buffer
  /** offset of the first byte in the message */
  readonly start: number
  /** offset behind the last byte */
  readonly end: number
}

/** The value as binary text, folds included. */
export function valueText(field: HeaderField): string {
  return field.value.toString('latin1')
}

/** RFC 5322 §2.2.3: a fold is its line end; the white space behind it stays. A bare CR or LF is taken for one too. */
export function unfold(value: string): string {
  return value.replace(/[\r\n]+/g, '')
}

/** The bytes up to the value: name, blanks, colon. */
export function nameBytes(field: HeaderField): Buffer {
  return field.raw.subarray(0, field.value.byteOffset - field.raw.byteOffset)
}

/** Line end at the end of the raw bytes: `\r\n`, `\n`, `\r` or none. */
export function lineEndOf(raw: Buffer): Buffer {
  const last = raw[raw.length - 1]
  if (last === LF && raw[raw.length - 2] === CR) return raw.subarray(-2)
  return last === LF || last === CR ? raw.subarray(-1) : raw.subarray(raw.length)
}

const CR = 0x0d
const LF = 0x0a
