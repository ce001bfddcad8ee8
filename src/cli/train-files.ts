/**
 * The files with mail that `postern train` is given: what lies at a path, and
 * the bytes of it. A Maildir (a folder with `cur` and `new`) is read where mail
 * lies in it, not its `tmp` and not the folders beside them (`.Sent` and the
 * like), which are Maildirs of their own; of any other folder all files that lie
 * in it or below it but what begins with a dot.
 *
 * Root reads what belongs to others, who may change it while he does. Below the
 * path that was named no symbolic link is followed, and above it only root's
 * own are; each step is taken from a folder that is open, so that nothing can be
 * put in its place meanwhile (Linux: /proc/self/fd; elsewhere the last step
 * alone is safe). Only plain files are read, so far as they went when they were
 * opened; nothing is waited for.
 */
import { constants, createReadStream, existsSync } from 'node:fs'
import { lstat, open, readdir, readlink, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { formatSize } from '../observe/readable.ts'

export interface MailFile {
  readonly path: string
  readonly bytes: number
  /** only once each */
  readonly read: () => AsyncIterable<Buffer>
}

export type FileSearch =
  | { readonly status: 'found'; readonly files: readonly MailFile[] }
  | { readonly status: 'none'; readonly cause: string }

/** Of folders in folders. */
const MAX_DEPTH = 30
const MAX_FILES = 2_000_000
/** A file in a folder; a larger one may be made of holes, and has to be named itself. */
const MAX_FOUND_BYTES = 4 * 1024 ** 3
/** As many symbolic links as Linux follows on one way. */
const MAX_LINKS = 40
const READ = constants.O_RDONLY | constants.O_NONBLOCK
const FOLDER = READ | constants.O_DIRECTORY | constants.O_NOFOLLOW
const FILE = READ | constants.O_NOFOLLOW
/** A folder that is open, as a way to what is in it. */
const OPEN_FOLDERS = '/proc/self/fd'

/** What is told to a person; not a fault of ours. */
class NotRead extends Error {}

export class MailFiles {
  private readonly root: boolean
  private readonly byDescriptor = existsSync(OPEN_FOLDERS)
  /** the folder that was read from last */
  private last: { readonly path: string; readonly handle: FileHandle } | undefined

  /** `root`: works with rights that those whose files they are do not have. */
  constructor(root = process.geteuid?.() === 0) {
    this.root = root
  }

  async find(path: string): Promise<FileSearch> {
    try {
      const found = await stat(path)
      if (!found.isDirectory()) return { status: 'found', files: [await this.named(path)] }
      const files: MailFile[] = []
      await this.inFolder(files, { base: path, inner: [], handle: await this.base(path) })
      return { status: 'found', files }
    } catch (error) {
      return { status: 'none', cause: reason(error) }
    }
  }

  async close(): Promise<void> {
    const { last } = this
    this.last = undefined
    await last?.handle.close()
  }

  /** A file that was named itself. */
  private async named(path: string): Promise<MailFile> {
    const found = await stat(path)
    if (found.isFile()) return { path, bytes: found.size, read: () => this.plain(this.openNamed(path), Infinity) }
    // A pipe of a shell: `<(zcat box.gz)`.
    if (!this.root) return { path, bytes: 0, read: () => createReadStream(path) as AsyncIterable<Buffer> }
    throw new NotRead('it is neither a file nor a folder; give it on standard input (postern train spam - < FILE)')
  }

  private async inFolder(files: MailFile[], { base, inner, handle }: { readonly base: string; readonly inner: readonly string[]; readonly handle: FileHandle }): Promise<void> {
    const path = join(base, ...inner)
    if (inner.length > MAX_DEPTH) throw new NotRead(`${path}: folders in folders, more than ${MAX_DEPTH} deep`)
    const here = this.place(handle, path)
    const entries = await readdir(here, { withFileTypes: true })
    const names = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name))
    const maildir = names.has('cur') && names.has('new')
    for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
      const { name } = entry
      if (maildir ? name !== 'cur' && name !== 'new' : name.startsWith('.')) continue
      const way = [...inner, name]
      if (entry.isDirectory()) {
        const deeper = await open(join(here, name), FOLDER)
        try {
          await this.inFolder(files, { base, inner: way, handle: deeper })
        } finally {
          await deeper.close()
        }
      } else if (entry.isFile() && !maildir) {
        if (files.length >= MAX_FILES) throw new NotRead(`there are more than ${MAX_FILES} files in it`)
        const bytes = await sizeOf(join(here, name))
        if (bytes !== undefined) files.push({ path: join(path, name), bytes, read: () => this.plain(this.openBelow(base, way), MAX_FOUND_BYTES) })
      }
    }
  }

  /** What a plain file held when it was opened. */
  private async* plain(opening: Promise<FileHandle>, maxBytes: number): AsyncGenerator<Buffer> {
    const handle = await opening
    try {
      const found = await handle.stat()
      if (!found.isFile()) throw new NotRead('it is no file')
      if (found.size > maxBytes) throw new NotRead(`it has ${formatSize(found.size)}; a file of more than ${formatSize(maxBytes)} has to be named itself`)
      if (found.size === 0) return
      // Without an encoding a stream gives bytes.
      yield* handle.createReadStream({ start: 0, end: found.size - 1, autoClose: false }) as AsyncIterable<Buffer>
    } finally {
      await handle.close()
    }
  }

  private async openBelow(base: string, inner: readonly string[]): Promise<FileHandle> {
    let handle = await this.base(base)
    let path = base
    try {
      for (const name of inner.slice(0, -1)) {
        const next = await open(join(this.place(handle, path), name), FOLDER)
        if (handle !== this.last?.handle) await handle.close()
        handle = next
        path = join(path, name)
      }
      return await open(join(this.place(handle, path), inner.at(-1) ?? ''), FILE)
    } finally {
      if (handle !== this.last?.handle) await handle.close()
    }
  }

  /** The folder that was named; stays open until another one is asked for. */
  private async base(path: string): Promise<FileHandle> {
    if (this.last?.path === path) return this.last.handle
    await this.close()
    const handle = this.root && this.byDescriptor ? await this.walk(path, FOLDER) : await open(path, READ | constants.O_DIRECTORY)
    this.last = { path, handle }
    return handle
  }

  private openNamed(path: string): Promise<FileHandle> {
    return this.root && this.byDescriptor ? this.walk(path, FILE) : open(path, READ)
  }

  /** From the top, step by step; over symbolic links of root alone. `flags`: to open the last with. */
  private async walk(path: string, flags: number): Promise<FileHandle> {
    const left = path.split('/')
    let handle = await open('/', FOLDER)
    let links = 0
    try {
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        if (name === '' || name === '.') continue
        const place = `${OPEN_FOLDERS}/${handle.fd}/${name}`
        const found = await lstat(place)
        if (found.isSymbolicLink()) {
          if (found.uid !== 0 || ++links > MAX_LINKS) throw new NotRead(`${name} is a symbolic link that is not root's; name what it leads to`)
          const target = await readlink(place)
          left.unshift(...target.split('/'))
          if (!target.startsWith('/')) continue
        }
        const next = await open(found.isSymbolicLink() ? '/' : place, left.every((one) => one === '') ? flags : FOLDER)
        await handle.close()
        handle = next
      }
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  private place(handle: FileHandle, path: string): string {
    return this.byDescriptor ? `${OPEN_FOLDERS}/${handle.fd}` : path
  }
}

/** In a Maildir a file may get another name at any time. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** For a person; of what could not be found or read. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT': return 'there is no such file'
    case 'ELOOP': return 'it is a symbolic link, and these are not followed here'
    case 'EACCES': return 'it may not be read by this user; root may read it, or it can be given on standard input (postern train spam - < FILE)'
    default: return error instanceof Error ? error.message : String(error)
  }
}
