/**
 * The file-system calls that local delivery makes, as one interface, so that a
 * test can make each of them fail, or stop the world behind it.
 *
 * Every call rejects with Node.js' own error (`code`, `syscall`, `path`).
 * Files are plain descriptors: whoever opens one closes it.
 */
import * as fs from 'node:fs'
import { promisify } from 'node:util'

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  readonly size: number
  readonly modifiedMs: number
  readonly changedMs: number
  readonly inode: number
}

export interface FileSystem {
  /** Flags of `fs.constants`. */
  open(path: string, flags: number, mode: number): Promise<number>
  /** Writes all of it at the end of what was written. */
  write(file: number, pieces: readonly Buffer[]): Promise<void>
  chmod(file: number, mode: number): Promise<void>
  chown(file: number, uid: number, gid: number): Promise<void>
  sync(file: number): Promise<void>
  close(file: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  mkdir(path: string, mode: number): Promise<void>
  /** Follows links. */
  stat(path: string): Promise<FileFacts>
  /** Does not follow links. */
  lstat(path: string): Promise<FileFacts>
  /** Names in a directory, no more than `most` of them. */
  list(path: string, most: number): Promise<readonly string[]>
  /** A whole file, or an error of code EFBIG where it is longer than allowed. */
  read(path: string, maxBytes: number): Promise<Buffer>
}

const open = promisify(fs.open)
const writev = promisify(fs.writev)
const read = promisify(fs.read)
const fchmod = promisify(fs.fchmod)
const fchown = promisify(fs.fchown)
const fsync = promisify(fs.fsync)
const close = promisify(fs.close)
const stat = promisify(fs.stat)
const lstat = promisify(fs.lstat)

export const nodeFileSystem: FileSystem = {
  open: (path, flags, mode) => open(path, flags, mode),
  write: (file, pieces) => writeAll(pieces, (left) => writev(file, left)),
  chmod: (file, mode) => fchmod(file, mode),
  chown: (file, uid, gid) => fchown(file, uid, gid),
  sync: (file) => fsync(file),
  close: (file) => close(file),
  rename: promisify(fs.rename),
  unlink: promisify(fs.unlink),
  mkdir: async (path, mode) => {
    await fs.promises.mkdir(path, { mode })
  },
  stat: async (path) => factsOf(await stat(path)),
  lstat: async (path) => factsOf(await lstat(path)),
  list,
  read: readWhole,
}

export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** A write may be a short one (a quota's edge, a signal): what is left is written again. */
export async function writeAll(pieces: readonly Buffer[], write: (left: Buffer[]) => Promise<{ readonly bytesWritten: number }>): Promise<void> {
  let left: Buffer[] = pieces.filter((piece) => piece.length > 0)
  while (left.length > 0) {
    const { bytesWritten } = await write(left)
    let gone = bytesWritten
    while (left[0] !== undefined && gone >= left[0].length) {
      gone -= left[0].length
      left = left.slice(1)
    }
    if (gone > 0 && left[0] !== undefined) left = [left[0].subarray(gone), ...left.slice(1)]
  }
}

function factsOf(stats: fs.Stats): FileFacts {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'other'
  return { kind, size: stats.size, modifiedMs: stats.mtimeMs, changedMs: stats.ctimeMs, inode: stats.ino }
}

async function list(path: string, most: number): Promise<readonly string[]> {
  const directory = await fs.promises.opendir(path)
  const names: string[] = []
  // Leaving the loop closes the directory.
  for await (const entry of directory) {
    if (names.length >= most) break
    names.push(entry.name)
  }
  return names
}

async function readWhole(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, fs.constants.O_RDONLY, 0)
  try {
    const pieces: Buffer[] = []
    let size = 0
    for (;;) {
      const { bytesRead, buffer } = await read(file, Buffer.allocUnsafe(64 * 1024), 0, 64 * 1024, null)
      if (bytesRead === 0) return Buffer.concat(pieces)
      size += bytesRead
      if (size > maxBytes) throw tooLong(path, maxBytes)
      pieces.push(buffer.subarray(0, bytesRead))
    }
  } finally {
    await close(file)
  }
}

function tooLong(path: string, maxBytes: number): Error {
  return Object.assign(new Error(`EFBIG: ${path} is longer than the ${maxBytes} bytes allowed`), { code: 'EFBIG', path })
}
