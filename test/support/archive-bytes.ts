/** Archives for tests, byte by byte: zip, tar, gzip, RAR 4 and 5, and what looks like an OLE file. */
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'

export interface ZipFile {
  readonly name: string
  readonly content?: Buffer | string
  readonly stored?: boolean
  readonly encrypted?: boolean
  /** the name before the content; that of the directory where it is left out */
  readonly localName?: string
  /** what the headers say of the unpacked size */
  readonly size?: number
  /** the length stands behind the content, not before it */
  readonly streamed?: boolean
}

function words(...values: readonly (readonly [number, 2 | 4])[]): Buffer {
  return Buffer.concat(values.map(([value, bytes]) => {
    const word = Buffer.alloc(bytes)
    word.writeUIntLE(value, 0, bytes)
    return word
  }))
}

export function zipOf(files: readonly ZipFile[], { directory = true } = {}): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const { name, content = '', stored = false, encrypted = false, localName = name, size, streamed = false } of files) {
    const bytes = Buffer.from(content as string)
    const packed = stored ? bytes : deflateRawSync(bytes)
    const flags = (encrypted ? 1 : 0) | (streamed ? 8 : 0) | 0x800
    const crc = crc32(bytes)
    const unpacked = size ?? bytes.length
    const local = Buffer.concat([
      words([0x04034b50, 4], [20, 2], [flags, 2], [stored ? 0 : 8, 2], [0, 4], [streamed ? 0 : crc, 4], [streamed ? 0 : packed.length, 4], [streamed ? 0 : unpacked, 4], [Buffer.byteLength(localName), 2], [0, 2]),
      Buffer.from(localName), packed, streamed ? words([0x08074b50, 4], [crc, 4], [packed.length, 4], [unpacked, 4]) : Buffer.alloc(0),
    ])
    central.push(Buffer.concat([
      words([0x02014b50, 4], [20, 2], [20, 2], [flags, 2], [stored ? 0 : 8, 2], [0, 4], [crc, 4], [packed.length, 4], [unpacked, 4], [Buffer.byteLength(name), 2], [0, 2], [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]),
      Buffer.from(name),
    ]))
    locals.push(local)
    offset += local.length
  }
  if (!directory) return Buffer.concat(locals)
  const size = central.reduce((sum, one) => sum + one.length, 0)
  return Buffer.concat([...locals, ...central, words([0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [size, 4], [offset, 4], [0, 2])])
}

/** A stored file, and a directory that names it `count` times: no more bytes, and so many files. */
export function overlappingZip(inner: Buffer, count: number): Buffer {
  const one = zipOf([{ name: 'a', content: inner, stored: true }])
  const at = one.length - END_BYTES - CENTRAL_BYTES
  const directory = Array.from({ length: count }, () => one.subarray(at, at + CENTRAL_BYTES))
  return Buffer.concat([one.subarray(0, at), ...directory, words([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [count * CENTRAL_BYTES, 4], [at, 4], [0, 2])])
}
const END_BYTES = 22
/** of a file whose name is one letter */
const CENTRAL_BYTES = 47

export function tarOf(files: readonly { readonly name: string; readonly content: string | Buffer; readonly flag?: string }[]): Buffer {
  const blocks: Buffer[] = []
  for (const { name, content, flag = '0' } of files) {
    const bytes = Buffer.from(content as string)
    const header = Buffer.alloc(512)
    header.write(name.slice(0, 100), 0)
    header.write('0000644\0', 100)
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('        ', 148)
    header.write(flag, 156)
    header.write('ustar\x0000', 257)
    blocks.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512))
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

/** With a name in its header (RFC 1952 §2.3.1). */
export function gzipOf(content: Buffer | string, name = ''): Buffer {
  const packed = gzipSync(content)
  if (name === '') return packed
  const header = Buffer.from(packed.subarray(0, 10))
  header[3] = 8
  return Buffer.concat([header, Buffer.from(`${name}\0`, 'latin1'), packed.subarray(10)])
}

/** The old format; a file is a name, nothing of it is packed. */
export function rar4Of(names: readonly string[], { encrypted = false } = {}): Buffer {
  const files = names.map((name) => {
    const header = Buffer.concat([Buffer.from([0, 0, 0x74]), words([0x8000 | (encrypted ? 4 : 0), 2], [32 + name.length, 2], [3, 4], [99, 4]), Buffer.from([0]), words([0, 4], [0, 4]), Buffer.from([29, 0x33]), words([name.length, 2], [0, 4]), Buffer.from(name)])
    return Buffer.concat([header, Buffer.from('abc')])
  })
  return Buffer.concat([Buffer.from('Rar!\x1a\x07\x00', 'latin1'), Buffer.from([0, 0, 0x73]), words([0, 2], [13, 2]), Buffer.alloc(6), ...files])
}

export function rar5Of(names: readonly string[], { encrypted = false } = {}): Buffer {
  const block = (fields: readonly number[], name = ''): Buffer => {
    const rest = Buffer.concat([Buffer.from(fields), Buffer.from(name)])
    return Buffer.concat([Buffer.alloc(4), Buffer.from([rest.length]), rest])
  }
  // type, flags, then of a file: its flags, size, attributes, method, system, length of its name
  const files = names.map((name) => block([2, 0, 0, 99, 0, 0, 0, name.length], name))
  return Buffer.concat([Buffer.from('Rar!\x1a\x07\x01\x00', 'latin1'), ...(encrypted ? [block([4, 0, 0, 0])] : []), block([1, 0, 0]), ...files])
}

/** The first bytes of a compound file, and names of streams as its directory has them. */
export function oleOf(...streams: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(504), ...streams.map((name) => Buffer.concat([Buffer.from(`${name}\0`, 'utf16le'), Buffer.alloc(64)]))])
}

/** A program for Windows, as far as its headers go. */
export function programOf(): Buffer {
  const bytes = Buffer.alloc(256)
  bytes.write('MZ', 0)
  bytes.writeUInt32LE(0x80, 60)
  bytes.write('PE\0\0', 0x80)
  return bytes
}
