/**
 * Bytes of a character set as text, for reading and never for sending on.
 * A set that is not declared, says nothing, is unknown, or cannot be the one
 * of these bytes, is guessed: what is valid UTF-8 is UTF-8, anything else is
 * windows-1252. Bytes that say nothing are U+FFFD. ASCII costs no decoding.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { charsetReading, isWide, type CharsetReading } from './charset-names.ts'
import { decodeKorean } from './korean.ts'
import { hzToGb, iso2022KrToEuc } from './shifted-charsets.ts'
import { decodeUtf7 } from './utf7.ts'

export interface CharsetText {
  readonly text: string
  readonly defect: 'unknown-charset' | 'broken-charset' | undefined
}

/** `declared` in lower case. `cut`: the bytes end anywhere, so that half a character at the end is nobody's fault. */
export function charsetText(bytes: Buffer, declared: string | undefined, cut = false): CharsetText {
  const mark = markOf(bytes)
  if (mark === undefined) return declaredText(bytes, declared, cut)
  const rest = bytes.subarray(mark.length)
  const believed = believedText(rest, { mark, declared, cut })
  if (believed !== undefined) return believed
  // A mail program that does not believe it shows two or three odd letters, and the text.
  const { text, defect } = declaredText(rest, declared, cut)
  return { text, defect: defect ?? 'broken-charset' }
}

function declaredText(bytes: Buffer, declared: string | undefined, cut: boolean): CharsetText {
  const reading = declared === undefined ? 'guess' : charsetReading(declared)
  const plain = isAscii(bytes)
  if (reading === undefined || (isWide(reading) && isNarrowText(bytes))) return { text: guessed(bytes, cut), defect: 'unknown-charset' }
  if (plain && isAsciiSuperset(reading)) return { text: bytes.toString('latin1'), defect: undefined }
  return decoded(bytes, reading, { cut, named: declared !== undefined })
}

function decoded(bytes: Buffer, reading: CharsetReading, how: { readonly cut: boolean, readonly named: boolean }): CharsetText {
  switch (reading) {
    // Bytes outside ASCII in what is said to be ASCII are broken; where nothing is said they are not.
    case 'guess': return { text: guessed(bytes, how.cut), defect: how.named ? 'broken-charset' : undefined }
    case 'utf-8': return utf8Text(bytes, how.cut)
    case 'windows-1252': return { text: windows1252(bytes), defect: undefined }
    case 'utf-16': return decoderText(bytes, likelyLittleEndian(bytes) ? 'utf-16le' : 'utf-16be', how.cut)
    case 'utf-32': return checked(utf32(bytes))
    case 'utf-7': return checked(decodeUtf7(bytes))
    case 'hz': return decoderText(hzToGb(bytes), 'gb18030', how.cut)
    case 'iso-2022-kr': return orUtf8(bytes, decodeKorean(iso2022KrToEuc(bytes)), how.cut)
    case 'euc-kr': return orUtf8(bytes, decodeKorean(bytes), how.cut)
    default: return decoderText(bytes, reading.label, how.cut)
  }
}

function isAsciiSuperset(reading: CharsetReading): boolean {
  if (typeof reading === 'string') return reading === 'guess' || reading === 'utf-8' || reading === 'windows-1252' || reading === 'euc-kr'
  return !/^utf-16|^iso-2022/.test(reading.label)
}

function guessed(bytes: Buffer, cut: boolean): string {
  const whole = cut ? wholeCharacters(bytes) : bytes
  return isUtf8(whole) ? whole.toString('utf8') : windows1252(bytes)
}

/** Declared as UTF-8: where it is mostly that, the rest is U+FFFD; where hardly anything is, another set was meant. */
function utf8Text(bytes: Buffer, cut: boolean): CharsetText {
  const whole = cut ? wholeCharacters(bytes) : bytes
  const text = whole.toString('utf8')
  if (isUtf8(whole)) return { text, defect: undefined }
  let broken = 0
  let fine = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0xfffd) broken++
    else if (code >= 0x80) fine++
  }
  return { text: fine * 3 >= broken ? text : windows1252(bytes), defect: 'broken-charset' }
}

/** Without the first bytes of a UTF-8 character at the end. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes
    if (byte < 0xc0) continue
    const needed = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return back < needed ? bytes.subarray(0, bytes.length - back) : bytes
  }
  return bytes
}

const decoders = new Map<string, InstanceType<typeof TextDecoder>>()

function decoderText(bytes: Buffer, label: string, cut: boolean): CharsetText {
  let decoder = decoders.get(label)
  if (decoder === undefined) {
    decoder = new TextDecoder(label)
    decoders.set(label, decoder)
  }
  return orUtf8(bytes, decoder.decode(bytes), cut)
}

/** Many declare what their system is set to and send UTF-8. */
function orUtf8(bytes: Buffer, decoded: string, cut: boolean): CharsetText {
  const text = cut && decoded.endsWith('\ufffd') ? decoded.slice(0, -1) : decoded
  if (!text.includes('\ufffd')) return { text, defect: undefined }
  return { text: !isAscii(bytes) && isUtf8(bytes) ? bytes.toString('utf8') : text, defect: 'broken-charset' }
}

function checked(text: string): CharsetText {
  return { text, defect: text.includes('\ufffd') ? 'broken-charset' : undefined }
}

/** What stands at 0x80 to 0x9F; five bytes are not given and stay controls. */
const C1_TEXT = '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178'

/** By byte; all others are what they are in Latin-1. */
const WINDOWS_1252 = Uint16Array.from({ length: 256 }, (_, byte) => (byte >= 0x80 && byte < 0xa0 ? C1_TEXT.charCodeAt(byte - 0x80) : byte))

export function windows1252(bytes: Buffer): string {
  const { length } = bytes
  let first = 0
  while (first < length && ((bytes[first] as number) & 0xe0) !== 0x80) first++
  if (first === length) return bytes.toString('latin1')
  const units = length <= KEPT_UNITS.length ? KEPT_UNITS : new Uint16Array(length)
  for (let at = 0; at < length; at++) units[at] = WINDOWS_1252[bytes[at] as number] as number
  return Buffer.from(units.buffer, 0, length * 2).toString('utf16le')
}

/** Of most texts; longer ones have an array of their own. */
const KEPT_UNITS = new Uint16Array(32_768)

interface Mark {
  readonly set: 'utf-8' | 'utf-16le' | 'utf-16be'
  readonly length: number
}

function markOf(bytes: Buffer): Mark | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { set: 'utf-8', length: 3 }
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { set: 'utf-16le', length: 2 }
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { set: 'utf-16be', length: 2 }
  return undefined
}

/** By the mark in front of it; undefined: the text says that the mark is a lie. */
function believedText(rest: Buffer, { mark, declared, cut }: { readonly mark: Mark, readonly declared: string | undefined, readonly cut: boolean }): CharsetText | undefined {
  if (mark.set === 'utf-8') {
    const read = utf8Text(rest, cut)
    return read.defect === undefined || declared === undefined || charsetReading(declared) === 'utf-8' ? read : undefined
  }
  return isUtf16(rest, mark.set, declared) ? decoderText(rest, mark.set, true) : undefined
}

/**
 * Mail programs go by what is declared, and some by the mark. Text in letters
 * of ASCII has a NUL beside each in UTF-16; where nothing is declared, any text
 * that is not nearly all ASCII may be.
 */
function isUtf16(bytes: Buffer, set: 'utf-16le' | 'utf-16be', declared: string | undefined): boolean {
  const reading = declared === undefined ? undefined : charsetReading(declared)
  if (isWide(reading)) return reading !== 'utf-32'
  const high = set === 'utf-16le' ? 1 : 0
  let nuls = 0
  let printed = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === 0 && at % 2 === high) nuls++
    else if (byte < 0x80) printed++
  }
  return nuls * 4 > bytes.length || (declared === undefined && printed * 4 < bytes.length * 3)
}

/** So much of a text is looked at; shorter ones may be anything. */
const LOOKED_AT = 512
const MIN_LOOKED_AT = 32

/** Next to no NUL, and ASCII or UTF-8 as it stands: what is said to be UTF-16 or UTF-32 is none of them. */
function isNarrowText(bytes: Buffer): boolean {
  const start = bytes.subarray(0, LOOKED_AT)
  if (start.length < MIN_LOOKED_AT) return false
  let nuls = 0
  let printed = 0
  for (const byte of start) {
    if (byte === 0) nuls++
    else if ((byte >= 32 && byte < 127) || (byte >= 9 && byte <= 13)) printed++
  }
  return nuls * 64 < start.length && (printed * 4 >= start.length * 3 || isUtf8(wholeCharacters(start)))
}

/** RFC 2781 §4.3: big-endian without a mark; but most who leave the mark out are not. ASCII in it tells. */
function likelyLittleEndian(bytes: Buffer): boolean {
  let even = 0
  let odd = 0
  for (let at = 0; at < bytes.length && at < 512; at++) {
    if (bytes[at] !== 0) continue
    if (at % 2 === 0) even++
    else odd++
  }
  return odd > even
}

function utf32(bytes: Buffer): string {
  const little = bytes[0] !== 0
  let text = ''
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
    text += code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? '\ufffd' : String.fromCodePoint(code)
  }
  return text
}
