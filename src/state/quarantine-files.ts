/**
 * The quarantine on disk: for each entry `ID.eml`, the message as it would have
 * gone to the hop, and `ID.json`, what is known of it. Both together are an
 * entry; the directory is all that has to be saved.
 *
 * Written under temporary names (`….tmp`, O_EXCL), synced, renamed, the message
 * first, and then the directory is synced. A crash at any instant leaves both
 * files, whole, or what the sweeping takes away (see quarantine.ts). Removed is
 * the JSON file first: without it there is no entry.
 *
 * Trouble is a QuarantineError with step, path and code; what had been done is
 * undone as far as the disk allows.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { FileSystem } from '../delivery/file-system.ts'
import type { OutgoingMessage, StoredMessage } from '../message/message.ts'
import type { Log } from '../observe/log.ts'

export class QuarantineError extends Error {
  readonly step: string
  readonly path: string
  /** of the operating system: ENOSPC, EIO … */
  readonly code: string | undefined

  constructor(step: string, path: string, cause: unknown) {
    super(`cannot ${step} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'QuarantineError'
    this.step = step
    this.path = path
    this.code = codeOf(cause)
  }
}

export interface FoundFile {
  readonly name: string
  /** undefined for one that has another name than ours */
  readonly id: string | undefined
  readonly kind: 'message' | 'facts' | 'temporary' | 'other'
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY
/** Mail of others: nobody but us reads it. */
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
/** Thousands of recipients with long parameters fit into it. */
export const MAX_FACTS_BYTES = 16 * 1024 * 1024
const MAX_NAMES = 400_000
const READ_BYTES = 64 * 1024

export class QuarantineFiles {
  readonly directory: string
  readonly #state: string
  readonly #files: FileSystem
  readonly #log: Log
  /** the directory is there, and its own entry is on disk */
  #ready = false

  constructor(state: string, files: FileSystem, log: Log) {
    this.#state = state
    this.directory = `${state}/quarantine`
    this.#files = files
    this.#log = log
  }

  /** Resolves when both files are on disk under their names. */
  async place(id: string, facts: Buffer, message: OutgoingMessage): Promise<void> {
    const made: string[] = []
    try {
      await this.#makeReady()
      const messagePath = this.#temporary(id, made)
      const factsPath = this.#temporary(id, made)
      await this.#write(messagePath, piecesOf(message))
      await this.#write(factsPath, [facts])
      await this.#rename(messagePath, this.#path(id, 'eml'), made)
      await this.#rename(factsPath, this.#path(id, 'json'), made)
      await this.#sync(this.directory)
    } catch (error) {
      this.#ready = false
      await this.#undo(made)
      throw error
    }
  }

  /** Takes back an entry that was placed and not promised. Tells trouble in the log. */
  takeBack(id: string): Promise<void> {
    return this.#undo([this.#path(id, 'eml'), this.#path(id, 'json')])
  }

  /** Resolves when the new facts are on disk; until then the old ones are there. */
  async replaceFacts(id: string, facts: Buffer): Promise<void> {
    const made: string[] = []
    const temporary = this.#temporary(id, made)
    try {
      await this.#write(temporary, [facts])
      await this.#step('rename', temporary, () => this.#files.rename(temporary, this.#path(id, 'json')))
      made.length = 0
      await this.#sync(this.directory)
    } catch (error) {
      await this.#undo(made)
      throw error
    }
  }

  /** Undefined where there is no such entry. */
  async readFacts(id: string): Promise<string | undefined> {
    const path = this.#path(id, 'json')
    try {
      return (await this.#files.read(path, MAX_FACTS_BYTES)).toString('utf8')
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw new QuarantineError('read', path, error)
    }
  }

  /** Resolves when they are gone for good; those that were gone before are no trouble. */
  async remove(ids: readonly string[]): Promise<void> {
    for (const ending of ['json', 'eml'] as const) {
      for (const id of ids) await this.#unlink(this.#path(id, ending))
    }
    if (ids.length > 0) await this.#sync(this.directory)
  }

  /** Removes one file that belongs to no entry. */
  async removeStray({ name }: FoundFile): Promise<void> {
    await this.#unlink(`${this.directory}/${name}`)
  }

  /** What lies in the directory, up to a bound that says so in the log; nothing where it is not there. */
  async list(): Promise<readonly FoundFile[]> {
    try {
      const names = await this.#files.list(this.directory, MAX_NAMES)
      if (names.length >= MAX_NAMES) this.#log.warn({ path: this.directory, read: MAX_NAMES }, 'the quarantine has more files than are looked at')
      return names.map(describeName)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw new QuarantineError('read', this.directory, error)
    }
  }

  /** Undefined where it is gone. */
  async ageMs({ name }: FoundFile, nowMs: number): Promise<number | undefined> {
    const path = `${this.directory}/${name}`
    try {
      return nowMs - (await this.#files.lstat(path)).modifiedMs
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw new QuarantineError('look at', path, error)
    }
  }

  /** The message, read from the disk piece by piece; `discard` closes its file. Rejects where it has not the size it should have. */
  async openMessage(id: string, size: number): Promise<StoredMessage> {
    const path = this.#path(id, 'eml')
    return this.#step('open', path, async () => {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
      try {
        const found = (await file.stat()).size
        if (found !== size) throw new Error(`the file has ${found} bytes and should have ${size}`)
        return messageIn(file, size)
      } catch (error) {
        await file.close()
        throw error
      }
    })
  }

  #path(id: string, ending: 'eml' | 'json'): string {
    return `${this.directory}/${id}.${ending}`
  }

  #temporary(id: string, made: string[]): string {
    const path = `${this.directory}/${id}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`
    made.push(path)
    return path
  }

  async #makeReady(): Promise<void> {
    if (this.#ready) return
    await this.#step('create', this.directory, async () => {
      try {
        await this.#files.mkdir(this.directory, DIRECTORY_MODE)
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
      }
    })
    // Also where it was there: who made it may have crashed before this.
    await this.#sync(this.#state)
    this.#ready = true
  }

  async #write(path: string, pieces: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    const file = await this.#step('create', path, () => this.#files.open(path, CREATE, FILE_MODE))
    let open = true
    try {
      for await (const piece of this.#read(pieces)) await this.#step('write', path, () => this.#files.write(file, [piece]))
      await this.#step('sync', path, () => this.#files.sync(file))
      // Whatever close(2) says, the descriptor is gone.
      open = false
      await this.#step('close', path, () => this.#files.close(file))
    } finally {
      if (open) await this.#quietly(path, () => this.#files.close(file))
    }
  }

  /** A spooled message whose temporary file cannot be read is trouble like any other. */
  async *#read(pieces: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      yield* pieces
    } catch (error) {
      throw error instanceof QuarantineError ? error : new QuarantineError('read', 'the message', error)
    }
  }

  async #rename(from: string, to: string, made: string[]): Promise<void> {
    await this.#step('rename', from, () => this.#files.rename(from, to))
    made.splice(made.indexOf(from), 1, to)
  }

  #sync(directory: string): Promise<void> {
    return this.#step('sync', directory, async () => {
      const file = await this.#files.open(directory, DIRECTORY, 0)
      try {
        await this.#files.sync(file)
      } finally {
        await this.#files.close(file)
      }
    })
  }

  #unlink(path: string): Promise<void> {
    return this.#step('remove', path, async () => {
      try {
        await this.#files.unlink(path)
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error
      }
    })
  }

  /** The facts go first: a crash in between leaves no entry, or the whole of it. */
  async #undo(paths: readonly string[]): Promise<void> {
    for (const path of [...paths].reverse()) await this.#quietly(path, () => this.#unlink(path))
  }

  async #quietly(path: string, action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      this.#log.warn({ path, code: codeOf(error), cause: error instanceof Error ? error.message : String(error) }, 'cannot clean up in the quarantine')
    }
  }

  async #step<T>(name: string, path: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw error instanceof QuarantineError ? error : new QuarantineError(name, path, error)
    }
  }
}

function describeName(name: string): FoundFile {
  const match = /^([A-Z0-9]{1,32})\.(eml|json|[0-9]+-[0-9a-f]+\.tmp)$/.exec(name)
  if (match === null) return { name, id: undefined, kind: 'other' }
  return { name, id: match[1], kind: match[2] === 'eml' ? 'message' : match[2] === 'json' ? 'facts' : 'temporary' }
}

async function* piecesOf({ prefix, body }: OutgoingMessage): AsyncGenerator<Buffer> {
  if (prefix.length > 0) yield prefix
  yield* body.chunks()
}

function messageIn(file: FileHandle, size: number): StoredMessage {
  let closed = false
  return {
    size,
    memory: null,
    async *chunks() {
      for (let at = 0; at < size;) {
        const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, size - at))
        const { bytesRead } = await file.read(piece, 0, piece.length, at)
        if (bytesRead === 0) throw new Error('the file in the quarantine has become shorter')
        at += bytesRead
        yield piece.subarray(0, bytesRead)
      }
    },
    discard() {
      if (closed) return
      closed = true
      // It was only read: a failed close loses nothing.
      file.close().catch(() => undefined)
    },
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
