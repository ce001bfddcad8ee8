/**
 * A Maildir folder of a user, opened for reading: its `cur` and `new`. Who owns
 * the folder may put symbolic links there, to what is not his, while it is being
 * looked at; so none is followed, and each step is taken from a folder that is
 * open (Linux: /proc/self/fd; elsewhere the last step alone is safe). In the part
 * of the path that is the operator's, links of root and of ourselves are followed.
 *
 * Rejects with what the file system says; `LinkInTheWay` where it is no folder.
 */
import { constants, existsSync } from 'node:fs'
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

const FOLDER = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_DIRECTORY
const GUARDED = FOLDER | constants.O_NOFOLLOW
const OPEN_FOLDERS = '/proc/self/fd'

/** It is a symbolic link, or something else that is no folder. */
export class LinkInTheWay extends Error {}

export interface MaildirPlace {
  readonly path: string
  /** how many of its names, from the root on, are the operator's; the others are its user's */
  readonly trusted: number
}

/** One of the two; undefined: there is none. */
export interface OpenSub {
  /** by which what is in it is opened */
  readonly way: string
  readonly mtimeMs: number
}

export class OpenMaildir {
  readonly cur: OpenSub | undefined
  readonly new: OpenSub | undefined
  private readonly handles: readonly FileHandle[]

  private constructor(subs: { readonly cur: OpenSub | undefined; readonly new: OpenSub | undefined }, handles: readonly FileHandle[]) {
    this.cur = subs.cur
    this.new = subs.new
    this.handles = handles
  }

  static async open({ path, trusted }: MaildirPlace): Promise<OpenMaildir> {
    const parts = namesOf(path)
    const base = `/${parts.slice(0, trusted).join('/')}`
    await checkLinks(parts.slice(0, trusted))
    const handles: FileHandle[] = []
    try {
      let folder: Step = { handle: await opened(base, base, FOLDER), path: base }
      handles.push(folder.handle)
      for (const name of parts.slice(trusted)) {
        folder = await step(folder, name)
        handles.push(folder.handle)
      }
      return new OpenMaildir({ cur: await sub(folder, 'cur', handles), new: await sub(folder, 'new', handles) }, handles)
    } catch (error) {
      await closeAll(handles)
      throw error
    }
  }

  async close(): Promise<void> {
    await closeAll(this.handles)
  }
}

interface Step {
  readonly handle: FileHandle
  readonly path: string
}

export function namesOf(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '')
}

async function checkLinks(parts: readonly string[]): Promise<void> {
  let path = '/'
  for (const name of parts) {
    path = join(path, name)
    const found = await lstat(path)
    if (found.isSymbolicLink() && found.uid !== 0 && found.uid !== process.geteuid?.()) throw new LinkInTheWay(`${path} is a symbolic link of user ${found.uid}`)
  }
}

async function step(folder: Step, name: string): Promise<Step> {
  const path = join(folder.path, name)
  return { handle: await opened(join(wayTo(folder), name), path, GUARDED), path }
}

async function sub(folder: Step, name: string, handles: FileHandle[]): Promise<OpenSub | undefined> {
  try {
    const inner = await step(folder, name)
    handles.push(inner.handle)
    const { mtimeMs } = await inner.handle.stat()
    return { way: wayTo(inner), mtimeMs }
  } catch (error) {
    // Nobody has made it yet.
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function opened(way: string, path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(way, flags)
  } catch (error) {
    const code = codeOf(error)
    throw code === 'ENOTDIR' || code === 'ELOOP' ? new LinkInTheWay(`${path} is a symbolic link or no folder`) : error
  }
}

function wayTo({ handle, path }: Step): string {
  return existsSync(OPEN_FOLDERS) ? `${OPEN_FOLDERS}/${handle.fd}` : path
}

async function closeAll(handles: readonly FileHandle[]): Promise<void> {
  for (const handle of handles) await handle.close()
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
