/**
 * What lies in an archive: zip, gzip, tar, RAR (names only), and archives in
 * them to MAX_ARCHIVE_DEPTH, within what one message may unpack. An archive that
 * would unpack to far more, or is nested too deep, is a bomb; nothing is
 * unpacked beyond the bounds to find out.
 */
import type { Attachment } from '../../content.ts'
import { BOMB_BYTES, BOMB_RATIO, MAX_ARCHIVE_DEPTH, MAX_ARCHIVE_ENTRIES } from '../bounds.ts'
import { readOle, readZipKind, type Compound } from './compound.ts'
import { describe, type Described } from './describe.ts'
import { fileTypeOf, type FileType } from './file-types.ts'
import { readGzipHeader } from './gzip.ts'
import { readRar } from './rar.ts'
import { readTar } from './tar.ts'
import type { UnpackBudget } from './unpack.ts'
import { readZip, type ZipEntry } from './zip.ts'

/** A file, wherever it was found. */
export interface Found {
  readonly part: number
  /** with its path */
  readonly name: string
  readonly declaredType: string
  /** as far as it is held; empty: nothing of it */
  readonly content: Buffer
  readonly bytes: number
  readonly inside: readonly string[]
  readonly encrypted: boolean
  readonly bomb: boolean
  /** `content` is only enough to tell its type */
  readonly headOnly: boolean
}

/** What is looked into for more than its first bytes. */
function isNested(type: FileType | undefined): boolean {
  return type !== undefined && (type.kind === 'archive' || type.type === 'application/x-ole-storage')
}

export class ArchiveReader {
  private readonly budget: UnpackBudget
  private readonly found: Attachment[]

  /** What is found is added to `found`. */
  constructor(budget: UnpackBudget, found: Attachment[]) {
    this.budget = budget
    this.found = found
  }

  read(file: Found): void {
    const type = fileTypeOf(file.content)
    switch (type?.type) {
      case 'application/zip':
        this.zip(file, type)
        return
      case 'application/gzip':
        this.gzip(file, type)
        return
      case 'application/x-tar':
        this.tar(file, type)
        return
      case 'application/vnd.rar':
        this.rar(file, type)
        return
      case 'application/x-ole-storage': {
        const compound = readOle(file.content)
        this.add(file, { type: compound.type, macros: compound.macros, encrypted: compound.encrypted })
        return
      }
      default:
        this.add(file, { type })
    }
  }

  private add(file: Found, described: Described): void {
    this.found.push(describe(file, described))
  }

  /** An archive itself; false: it lies too deep to be looked into. */
  private enter(file: Found, described: Described): boolean {
    const deep = file.inside.length >= MAX_ARCHIVE_DEPTH
    this.add(file, deep ? { ...described, bomb: true } : described)
    return !deep && !file.headOnly
  }

  private zip(file: Found, type: FileType): void {
    const entries = readZip(file.content, MAX_ARCHIVE_ENTRIES)
    const kind: Compound | undefined = readZipKind(entries)
    if (kind !== undefined) {
      this.add(file, { type: kind.type, macros: kind.macros, zipped: true })
      return
    }
    const packed = entries.reduce((sum, { packedSize }) => sum + packedSize, 0)
    const unpacked = entries.reduce((sum, { size }) => sum + (Number.isNaN(size) ? 0 : size), 0)
    const bomb = unpacked > BOMB_BYTES && unpacked > Math.max(packed, 1) * BOMB_RATIO
    const encrypted = entries.length > 0 && entries.every((entry) => entry.encrypted || entry.name.endsWith('/')) && entries.some((entry) => entry.encrypted)
    if (!this.enter(file, { type, bomb, encrypted })) return
    for (const entry of entries) {
      if (entry.name.endsWith('/')) continue
      if (!this.budget.takeEntry()) return
      this.zipEntry(file, entry)
    }
  }

  private zipEntry(archive: Found, entry: ZipEntry): void {
    const bomb = entry.size > BOMB_BYTES && entry.size > Math.max(entry.packedSize, 1) * BOMB_RATIO
    const base = { part: archive.part, name: entry.name, declaredType: '', bytes: Number.isNaN(entry.size) ? 0 : entry.size, inside: [...archive.inside, archive.name], encrypted: entry.encrypted, bomb, headOnly: true }
    if (entry.encrypted || (entry.method !== 0 && entry.method !== 8)) {
      this.read({ ...base, content: Buffer.alloc(0) })
      return
    }
    if (entry.method === 0) {
      const { bytes, more } = this.budget.stored(entry.packed)
    this.read({ ...base, content: bytes, headOnly: more })
      return
    }
    const head = this.budget.head(entry.packed)
    if (!head.more || bomb || !isNested(fileTypeOf(head.bytes))) this.read({ ...base, content: head.bytes, headOnly: head.more })
    else this.read({ ...base, content: this.budget.inflate(entry.packed).bytes, headOnly: false })
  }

  private gzip(file: Found, type: FileType): void {
    if (!this.enter(file, { type }) || !this.budget.takeEntry()) return
    const header = readGzipHeader(file.content)
    if (header === undefined) return
    const packed = file.content.subarray(header.from)
    const name = header.name === '' ? file.name.replace(/\.(?:gz|z)$/i, '').replace(/\.tgz$/i, '.tar') : header.name
    const head = this.budget.head(packed)
    const inner = fileTypeOf(head.bytes)
    const whole = head.more && isNested(inner) ? this.budget.inflate(packed) : head
    // The last four bytes are the size, where they are held (RFC 1952 §2.3.1).
    const declared = file.content.length >= file.bytes && file.content.length >= 18 ? file.content.readUInt32LE(file.content.length - 4) : 0
    const bomb = declared > BOMB_BYTES && declared > file.content.length * BOMB_RATIO
    this.read({ part: file.part, name, declaredType: '', content: whole.bytes, bytes: Math.max(declared, whole.bytes.length), inside: [...file.inside, file.name], encrypted: false, bomb, headOnly: whole.more && !isNested(inner) })
  }

  private tar(file: Found, type: FileType): void {
    if (!this.enter(file, { type })) return
    for (const { name, size, content } of readTar(file.content, MAX_ARCHIVE_ENTRIES)) {
      if (!this.budget.takeEntry()) return
      this.read({ part: file.part, name, declaredType: '', content, bytes: size, inside: [...file.inside, file.name], encrypted: false, bomb: false, headOnly: content.length === 0 && size > 0 })
    }
  }

  private rar(file: Found, type: FileType): void {
    const { entries, encrypted } = readRar(file.content, MAX_ARCHIVE_ENTRIES)
    if (!this.enter(file, { type, encrypted: encrypted || entries.some((entry) => entry.encrypted) })) return
    for (const { name, size, encrypted: secret } of entries) {
      if (!this.budget.takeEntry()) return
      this.read({ part: file.part, name, declaredType: '', content: Buffer.alloc(0), bytes: Number.isNaN(size) ? 0 : size, inside: [...file.inside, file.name], encrypted: secret, bomb: false, headOnly: true })
    }
  }
}
