/**
 * The header of a gzip file (RFC 1952 §2.3): the name of what is in it, and
 * where its deflated bytes begin. Undefined: it is none.
 */

export interface GzipHeader {
  /** '' where it has none */
  readonly name: string
  readonly from: number
}

const EXTRA = 4
const NAME = 8
const COMMENT = 16
const CHECKSUM = 2

export function readGzipHeader(content: Buffer): GzipHeader | undefined {
  if (content.length < 10 || content[0] !== 0x1f || content[1] !== 0x8b || content[2] !== 8) return undefined
  const flags = content[3] ?? 0
  let at = 10
  if ((flags & EXTRA) !== 0) {
    if (at + 2 > content.length) return undefined
    at += 2 + content.readUInt16LE(at)
  }
  let name = ''
  if ((flags & NAME) !== 0) {
    const end = content.indexOf(0, at)
    if (end < 0) return undefined
    name = content.toString('latin1', at, Math.min(end, at + 255))
    at = end + 1
  }
  if ((flags & COMMENT) !== 0) {
    const end = content.indexOf(0, at)
    if (end < 0) return undefined
    at = end + 1
  }
  if ((flags & CHECKSUM) !== 0) at += 2
  return at > content.length ? undefined : { name, from: at }
}
