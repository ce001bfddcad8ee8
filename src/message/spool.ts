/**
 * Keeps a message while it comes in: in memory up to a bound, beyond it in a
 * temporary file that is unlinked as soon as it is open, so that a crash leaves
 * nothing behind. The file is no promise: nothing is answered 250 because of it.
 *
 * `append` gives a promise only where the caller has to wait for the disk.
 * After a failed write (disk full, no permission) every later `append` and
 * `finish` rejects with the same error.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredMessage } from './message.ts'

const READ_BYTES = 64 * 1024
/** bytes gathered before one write to the file */
const WRITE_BYTES = 128 * 1024
/** Smaller pieces are copied together: a Buffer of its own for each byte of a slow client would cost hundreds of times the byte. */
const SMALL_BYTES = 1024
const BLOCK_BYTES = 16 * 1024

export interface SpoolSettings {
  /** directory of the temporary file */
  readonly directory: string
  /** a message up to this size stays in memory; at most 1 MiB */
  readonly memoryBytes: number
}

export interface Spool {
  /** bytes so far */
  readonly size: number
  append(piece: Buffer): Promise<void> | undefined
  finish(): StoredMessage | Promise<StoredMessage>
  /** throws everything away; idempotent, safe while a write is under way */
  discard(): void
}

export function createSpool(settings: SpoolSettings): Spool {
  return new MessageSpool(settings)
}

class MessageSpool implements Spool {
  size = 0
  private readonly settings: SpoolSettings
  private pieces: Buffer[] = []
  /** where small pieces are gathered; it becomes one of `pieces` */
  private block: Buffer | null = null
  private blockBytes = 0
  private pending = 0
  private file: FileHandle | null = null
  private writing: Promise<void> | null = null
  private failure: Error | null = null
  private discarded = false

  constructor(settings: SpoolSettings) {
    this.settings = settings
  }

  append(piece: Buffer): Promise<void> | undefined {
    if (piece.length === 0) return undefined
    this.size += piece.length
    if (piece.length < SMALL_BYTES) this.gather(piece)
    else {
      this.closeBlock()
      this.pieces.push(piece)
    }
    this.pending += piece.length
    const bound = this.file === null ? this.settings.memoryBytes : WRITE_BYTES
    if (this.pending <= bound && this.failure === null) return undefined
    return this.flush()
  }

  private gather(piece: Buffer): void {
    if (this.block !== null && this.blockBytes + piece.length > BLOCK_BYTES) this.closeBlock()
    if (this.block === null && this.pieces.length === 0) {
      // The first piece is often the whole of a small message: it stays as it is.
      this.pieces.push(piece)
      return
    }
    this.block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES)
    this.blockBytes += piece.copy(this.block, this.blockBytes)
  }

  private closeBlock(): void {
    if (this.block === null) return
    // What was not filled is not kept: a message may lie here for a while.
    this.pieces.push(this.blockBytes * 2 < BLOCK_BYTES ? Buffer.from(this.block.subarray(0, this.blockBytes)) : this.block.subarray(0, this.blockBytes))
    this.block = null
    this.blockBytes = 0
  }

  finish(): StoredMessage | Promise<StoredMessage> {
    this.closeBlock()
    if (this.file === null && this.failure === null && this.writing === null) return inMemory(this.pieces, this.size)
    return this.finishFile()
  }

  discard(): void {
    this.discarded = true
    this.pieces = []
    this.block = null
    if (this.writing === null) closeQuietly(this.file)
    this.file = this.writing === null ? null : this.file
  }

  private async finishFile(): Promise<StoredMessage> {
    await this.flush()
    if (this.file === null) throw new Error('the temporary file is closed')
    const file = this.file
    this.file = null
    return inFile(file, this.size)
  }

  /** One write at a time: the caller waits for it before it appends more. */
  private flush(): Promise<void> {
    this.writing = this.writeOut(this.writing).finally(() => {
      this.writing = null
      if (this.discarded) {
        closeQuietly(this.file)
        this.file = null
      }
    })
    return this.writing
  }

  private async writeOut(before: Promise<void> | null): Promise<void> {
    if (before !== null) await before
    if (this.failure !== null) throw this.failure
    try {
      this.file ??= await openTemporary(this.settings.directory)
      this.closeBlock()
      const pieces = this.pieces
      this.pieces = []
      this.pending = 0
      if (pieces.length > 0) await writeAll(this.file, pieces)
    } catch (cause) {
      this.failure = cause instanceof Error ? cause : new Error(String(cause))
      throw this.failure
    }
  }
}

async function openTemporary(directory: string): Promise<FileHandle> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, `message-${process.pid}-${randomBytes(9).toString('hex')}`)
  const file = await open(path, 'wx+', 0o600)
  await unlink(path)
  return file
}

async function writeAll(file: FileHandle, pieces: Buffer[]): Promise<void> {
  const whole = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
  let at = 0
  while (at < whole.length) at += (await file.write(whole, at, whole.length - at)).bytesWritten
}

function closeQuietly(file: FileHandle | null): void {
  // The file has no name and no reader any more: a failed close loses nothing.
  file?.close().catch(() => undefined)
}

function inMemory(pieces: Buffer[], size: number): StoredMessage {
  let kept: readonly Buffer[] = pieces
  return {
    size,
    get memory() {
      return kept
    },
    async *chunks() {
      for (const piece of kept) yield await Promise.resolve(piece)
    },
    discard() {
      kept = []
    },
  }
}

function inFile(file: FileHandle, size: number): StoredMessage {
  let readers = 0
  let closed = false
  const closeWhenUnused = () => {
    if (closed && readers === 0) closeQuietly(file)
  }
  return {
    size,
    memory: null,
    async *chunks() {
      if (closed) throw new Error('the message was discarded')
      readers++
      try {
        for (let at = 0; at < size; ) {
          const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, size - at))
          const { bytesRead } = await file.read(piece, 0, piece.length, at)
          if (bytesRead === 0) throw new Error('the temporary file is shorter than the message')
          at += bytesRead
          yield piece.subarray(0, bytesRead)
        }
      } finally {
        readers--
        closeWhenUnused()
      }
    },
    discard() {
      if (closed) return
      closed = true
      closeWhenUnused()
    },
  }
}
