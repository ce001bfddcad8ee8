/**
 * Undoes Content-Transfer-Encoding (RFC 2045 §6). What is not known is taken as
 * it stands.
 */
import { decodeBase64, type Decoded } from './base64.ts'
import { decodeQuotedPrintable } from './quoted-printable.ts'
import { uuContent } from './uuencode.ts'

type Coding = 'identity' | 'base64' | 'quoted-printable' | 'uuencode'

const CODINGS: ReadonlyMap<string, Coding> = new Map(Object.entries<Coding>({
  '7bit': 'identity', '8bit': 'identity', 'binary': 'identity', '7-bit': 'identity', '8-bit': 'identity', '7bits': 'identity', '8bits': 'identity', 'none': 'identity',
  'base64': 'base64', 'base-64': 'base64', 'b64': 'base64', 'x-base64': 'base64',
  'quoted-printable': 'quoted-printable', 'quoted/printable': 'quoted-printable', 'quotedprintable': 'quoted-printable', 'quoted_printable': 'quoted-printable', 'quoted-printible': 'quoted-printable', 'qp': 'quoted-printable',
  'x-uuencode': 'uuencode', 'uuencode': 'uuencode', 'x-uue': 'uuencode', 'uue': 'uuencode',
}))

/** Encoded bytes for one decoded, with line ends and some room for what is passed over. */
const GROWTH: Readonly<Record<Coding, number>> = { 'identity': 1, 'base64': 1.45, 'quoted-printable': 3, 'uuencode': 1.5 }

function codingOf(encoding: string): Coding | undefined {
  return CODINGS.get(encoding)
}

export function isKnownEncoding(encoding: string): boolean {
  return codingOf(encoding) !== undefined
}

/** How many bytes have to be held for so many decoded ones. */
export function encodedRoom(encoding: string, decodedBytes: number): number {
  return Math.ceil(decodedBytes * GROWTH[codingOf(encoding) ?? 'identity'])
}

export function decodeTransfer(encoded: Buffer, encoding: string): Decoded {
  switch (codingOf(encoding)) {
    case 'base64': return decodeBase64(encoded)
    case 'quoted-printable': return encoded.includes(0x3d) || hasLooseBlanks(encoded) ? decodeQuotedPrintable(encoded) : { bytes: encoded, broken: false }
    case 'uuencode': return uuContent(encoded)
    case 'identity': case undefined: return { bytes: encoded, broken: false }
  }
}

/** Blanks that quoted-printable takes out. */
function hasLooseBlanks(encoded: Buffer): boolean {
  return encoded.includes(' \r') || encoded.includes(' \n') || encoded.includes('\t\r') || encoded.includes('\t\n')
}

export interface Undone extends Decoded {
  readonly encoding: string
}

/** `encodings`: as they are declared, at least one. */
export function undoTransfer(encoded: Buffer, encodings: readonly string[], text: boolean): Undone {
  const [first = '7bit', ...others] = encodings
  if (others.length > 0) {
    for (const coding of DECODING) {
      const encoding = encodings.find((one) => codingOf(one) === coding)
      if (encoding === undefined) continue
      const decoded = decodeTransfer(encoded, encoding)
      if (isLikely(coding, { encoded, decoded, text })) return { ...decoded, encoding }
    }
    const plain = encodings.find((one) => codingOf(one) === 'identity')
    if (plain !== undefined) return { bytes: encoded, broken: false, encoding: plain }
  }
  return { ...decodeTransfer(encoded, first), encoding: first }
}

const DECODING: readonly Coding[] = ['base64', 'uuencode', 'quoted-printable']

/** Is it the encoding of this content? Words without punctuation are base64, too; but what comes out is no text. */
function isLikely(coding: Coding, { encoded, decoded, text }: { readonly encoded: Buffer, readonly decoded: Decoded, readonly text: boolean }): boolean {
  if (decoded.broken || decoded.bytes.length === 0) return false
  if (coding === 'quoted-printable') return encoded.includes(0x3d)
  return !text || coding === 'uuencode' || !hasControls(decoded.bytes)
}

function hasControls(bytes: Buffer): boolean {
  let found = 0
  const length = Math.min(bytes.length, 4096)
  for (let at = 0; at < length; at++) {
    const byte = bytes[at] as number
    if ((byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x1b) || byte === 0x7f) found++
  }
  return found * 20 > length
}

/** The end of encoded content, from a line on where it has lines. Nothing of what cannot be read without what is before it. */
export function decodeEnd(encoded: Buffer, encoding: string): Buffer {
  const line = encoded.indexOf(0x0a) + 1
  const lines = line * 2 < encoded.length ? encoded.subarray(line) : encoded
  switch (codingOf(encoding)) {
    case 'base64': {
      // Groups of four are counted from the end.
      const characters = lines.toString('latin1').replace(/[^A-Za-z0-9+/=]/g, '')
      return decodeBase64(Buffer.from(characters.slice(characters.length % 4), 'latin1')).bytes
    }
    case 'uuencode': return lines.subarray(0, 0)
    case 'quoted-printable': return decodeQuotedPrintable(lines).bytes
    case 'identity': case undefined: return lines
  }
}
