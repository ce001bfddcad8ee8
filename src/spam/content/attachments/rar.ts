/**
 * The names in a RAR archive (RAR 4 and 5, by their published notes), as far as
 * it is held. Nothing is unpacked: the method is not open. What cannot be read
 * ends the list.
 */

export interface RarEntry {
  readonly name: string
  readonly size: number
  readonly encrypted: boolean
}

export interface RarReading {
  readonly entries: readonly RarEntry[]
  /** the names are encrypted too */
  readonly encrypted: boolean
}

const RAR4_START = 7
const RAR5_START = 8

function readRar4(content: Buffer, most: number): RarReading {
  const entries: RarEntry[] = []
  let at = RAR4_START
  while (at + 7 <= content.length && entries.length < most) {
    const type = content[at + 2]
    const flags = content.readUInt16LE(at + 3)
    const headerSize = content.readUInt16LE(at + 5)
    if (headerSize < 7) break
    // The main header says that all that follow are encrypted.
    if (type === 0x73 && (flags & 0x80) !== 0) return { entries, encrypted: true }
    let dataSize = 0
    if (type === 0x74 && at + 32 <= content.length) {
      dataSize = content.readUInt32LE(at + 7)
      const nameLength = content.readUInt16LE(at + 26)
      const nameFrom = at + 32 + ((flags & 0x100) !== 0 ? 8 : 0)
      const name = content.subarray(nameFrom, nameFrom + nameLength)
      const zero = name.indexOf(0)
      entries.push({ name: name.toString('utf8', 0, zero < 0 ? name.length : zero), size: content.readUInt32LE(at + 11), encrypted: (flags & 4) !== 0 })
    } else if ((flags & 0x8000) !== 0 && at + 11 <= content.length) {
      dataSize = content.readUInt32LE(at + 7)
    }
    at += headerSize + dataSize
  }
  return { entries, encrypted: false }
}

/** Numbers of seven bits a byte, the lowest first. */
class Numbers {
  at: number
  private readonly content: Buffer

  constructor(content: Buffer, at: number) {
    this.content = content
    this.at = at
  }

  next(): number {
    let value = 0
    for (let shift = 1; shift <= 2 ** 42; shift *= 128) {
      const byte = this.content[this.at++]
      if (byte === undefined) return NaN
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
    return NaN
  }
}

function fileOf(content: Buffer, numbers: Numbers, extra: { readonly from: number; readonly size: number }): RarEntry {
  const flags = numbers.next()
  const size = numbers.next()
  numbers.next()
  if ((flags & 2) !== 0) numbers.at += 4
  if ((flags & 4) !== 0) numbers.at += 4
  numbers.next()
  numbers.next()
  const length = numbers.next()
  const name = Number.isNaN(length) ? '' : content.toString('utf8', numbers.at, Math.min(content.length, numbers.at + length))
  // The first record of the extra area is that of encryption where there is one.
  const record = new Numbers(content, extra.from)
  record.next()
  return { name, size, encrypted: extra.size > 0 && record.next() === 1 }
}

function readRar5(content: Buffer, most: number): RarReading {
  const entries: RarEntry[] = []
  let at = RAR5_START
  while (at + 7 <= content.length && entries.length < most) {
    const numbers = new Numbers(content, at + 4)
    const headerSize = numbers.next()
    const start = numbers.at
    const type = numbers.next()
    const flags = numbers.next()
    const extraSize = (flags & 1) !== 0 ? numbers.next() : 0
    const dataSize = (flags & 2) !== 0 ? numbers.next() : 0
    if (Number.isNaN(headerSize + flags + extraSize + dataSize) || headerSize === 0) break
    if (type === 4) return { entries, encrypted: true }
    if (type === 2) entries.push(fileOf(content, numbers, { from: start + headerSize - extraSize, size: extraSize }))
    if (type === 5) break
    at = start + headerSize + dataSize
  }
  return { entries, encrypted: false }
}

/** At most `most` entries. */
export function readRar(content: Buffer, most: number): RarReading {
  return content[6] === 1 ? readRar5(content, most) : readRar4(content, most)
}
