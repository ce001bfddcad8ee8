/**
 * The entries of a zip file (APPNOTE 6.3.10), as far as the file is held: by the
 * central directory where it is there, otherwise by the headers before each
 * entry. A name that the two give differently is given twice. What cannot be
 * read ends the list.
 */

export interface ZipEntry {
  /** with its path */
  readonly name: string
  readonly encrypted: boolean
  /** 0: stored, 8: deflated */
  readonly method: number
  /** unpacked, as it is declared; NaN: it is not */
  readonly size: number
  /** as far as it is held */
  readonly packed: Buffer
  /** packed bytes, as they are declared */
  readonly packedSize: number
}

const LOCAL = Buffer.from('PK\x03\x04', 'latin1')
const CENTRAL = 0x02014b50
const END = Buffer.from('PK\x05\x06', 'latin1')
const LOCAL_BYTES = 30
const CENTRAL_BYTES = 46
/** Sizes that stand elsewhere (zip64). */
const ELSEWHERE = 0xffffffff
const AES_METHOD = 99
/** No system has longer ones; entries may share one that is as long as the format allows. */
const MAX_NAME_BYTES = 4096

function nameOf(whole: Buffer): string {
  // Its end tells what a file is.
  const bytes = whole.length > MAX_NAME_BYTES ? whole.subarray(-MAX_NAME_BYTES) : whole
  const text = bytes.toString('utf8')
  return text.includes('\ufffd') ? bytes.toString('latin1') : text
}

/** What the header before an entry says. */
interface Local extends Omit<ZipEntry, 'packed' | 'packedSize'> {
  /** where the packed bytes begin */
  readonly start: number
  /** undefined: their length was not known, or stands elsewhere */
  readonly packedSize: number | undefined
}

/** The entry whose own header stands at `at`; undefined: there is none. */
function localAt(content: Buffer, at: number): Local | undefined {
  if (at + LOCAL_BYTES > content.length || content.compare(LOCAL, 0, 4, at, at + 4) !== 0) return undefined
  const flags = content.readUInt16LE(at + 6)
  const method = content.readUInt16LE(at + 8)
  const packedSize = content.readUInt32LE(at + 18)
  const size = content.readUInt32LE(at + 22)
  const nameEnd = at + LOCAL_BYTES + content.readUInt16LE(at + 26)
  const start = nameEnd + content.readUInt16LE(at + 28)
  const unknown = ((flags & 8) !== 0 && packedSize === 0) || packedSize === ELSEWHERE
  return {
    name: nameOf(content.subarray(at + LOCAL_BYTES, nameEnd)),
    encrypted: (flags & 1) !== 0 || method === AES_METHOD,
    method,
    size: unknown || size === ELSEWHERE ? NaN : size,
    start: Math.min(start, content.length),
    packedSize: unknown ? undefined : packedSize,
  }
}

/** At most `most`. */
function byLocalHeaders(content: Buffer, most: number): ZipEntry[] {
  const found: ZipEntry[] = []
  let at = content.indexOf(LOCAL)
  while (at >= 0 && found.length < most) {
    const local = localAt(content, at)
    if (local === undefined) break
    const { start, packedSize, ...entry } = local
    // Where their length is not known the next header has to be looked for.
    const next = packedSize === undefined ? content.indexOf(LOCAL, start) : start + packedSize
    const end = next < 0 ? content.length : next
    found.push({ ...entry, packed: content.subarray(start, end), packedSize: packedSize ?? end - start })
    at = end
    // A descriptor may stand between two entries; anything else is looked over.
    if (at < content.length && content.compare(LOCAL, 0, 4, at, Math.min(at + 4, content.length)) !== 0) at = content.indexOf(LOCAL, at)
  }
  return found
}

/** undefined: there is no directory, or it is not held. */
function byDirectory(content: Buffer, most: number): ZipEntry[] | undefined {
  const end = content.lastIndexOf(END)
  if (end < 0 || end + 22 > content.length) return undefined
  const start = content.readUInt32LE(end + 16)
  const size = content.readUInt32LE(end + 12)
  // What was put before the archive moves everything in it.
  const shift = Math.max(0, end - size - start)
  const found: ZipEntry[] = []
  let at = start + shift
  while (at + CENTRAL_BYTES <= content.length && found.length < most && content.readUInt32LE(at) === CENTRAL) {
    const flags = content.readUInt16LE(at + 8)
    const method = content.readUInt16LE(at + 10)
    const packedSize = content.readUInt32LE(at + 20)
    const unpacked = content.readUInt32LE(at + 24)
    const nameEnd = at + CENTRAL_BYTES + content.readUInt16LE(at + 28)
    const local = localAt(content, content.readUInt32LE(at + 42) + shift)
    const name = nameOf(content.subarray(at + CENTRAL_BYTES, nameEnd))
    const from = local?.start ?? content.length
    const encrypted = (flags & 1) !== 0 || method === AES_METHOD
    const packed = content.subarray(from, Math.min(content.length, from + packedSize))
    const entry = { name, encrypted, method, size: unpacked === ELSEWHERE ? NaN : unpacked, packed, packedSize }
    found.push(entry)
    if (local !== undefined && local.name !== name) found.push({ ...entry, name: local.name })
    at = nameEnd + content.readUInt16LE(at + 30) + content.readUInt16LE(at + 32)
  }
  return found.length === 0 ? undefined : found
}

export function readZip(content: Buffer, most: number): readonly ZipEntry[] {
  return byDirectory(content, most) ?? byLocalHeaders(content, most)
}
