/**
 * Undoes Content-Transfer-Encoding (RFC 2045 §6). What is not known is taken as
 * it stands.
 */
import { decodeBase64, type Decoded } from './base64.ts'
import { decodeQuotedPrintable } from './quoted-printable.ts'
import { uuContent } from './uuencode.ts'

type Coding = 'identity' | 'base64' | 'quoted-printable' | 'uuencode'

const CODINGS: Readonly<Record<string, Coding>> = {
  '7bit': 'identity', '8bit': 'identity', 'binary': 'identity', '7-bit': 'identity', '8-bit': 'identity', '7bits': 'identity', '8bits': 'identity', 'none': 'identity',
  'base64': 'base64', 'base-64': 'base64', 'b64': 'base64', 'x-base64': 'base64',
  'quoted-printable': 'quoted-printable', 'quoted/printable': 'quoted-printable', 'quotedprintable': 'quoted-printable', 'quoted_printable': 'quoted-printable', 'quoted-printible': 'quoted-printable', 'qp': 'quoted-printable',
  'x-uuencode': 'uuencode', 'uuencode': 'uuencode', 'x-uue': 'uuencode', 'uue': 'uuencode',
}

/** Encoded bytes for one decoded, with line ends and some room for what is passed over. */
const GROWTH: Readonly<Record<Coding, number>> = { 'identity': 1, 'base64': 1.45, 'quoted-printable': 3, 'uuencode': 1.5 }

function codingOf(encoding: string): Coding | undefined {
  return Object.hasOwn(CODINGS, encoding) ? CODINGS[encoding] : undefined
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
