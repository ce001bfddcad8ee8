/**
 * A Maildir on disk: how its `tmp` and `new` are reached, how a missing one is
 * made, how its directory entries are brought to disk.
 *
 * A missing Maildir is made with everything between it and the template's fixed
 * part; the fixed part itself never, for it may be a file system that is not
 * mounted. `tmp` comes last, after all directories above were synced: whoever
 * finds a `tmp` finds a Maildir that outlives a crash.
 *
 * Where root delivers for somebody else, that somebody may have put a symbolic
 * link into the way. Then (`guarded`) each directory below the fixed part is
 * opened by its parent's descriptor (through /proc/self/fd, Linux), and a link
 * is an error (ENOTDIR or ELOOP).
 *
 * Trouble is thrown as a `MaildirError` with the step and the path.
 */
import { constants } from 'node:fs'
import { errorCode, type FileSystem } from './file-system.ts'
import type { MailboxPath } from './mailbox-path.ts'
import type { Owner } from './users.ts'

export interface FolderPlan {
  readonly path: MailboxPath
  /** of the Maildir and the files in it */
  readonly owner: Owner
  /** of directories made above it */
  readonly ownerAbove: Owner
  /** of files; directories get the x bits that go with it */
  readonly mode: number
  readonly guarded: boolean
}

export interface Folder {
  /** paths to put in front of `/name` */
  readonly tmp: string
  readonly fresh: string
  /** Brings the entries of `new` to disk. */
  sync(): Promise<void>
  close(): Promise<void>
}

export class MaildirError extends Error {
  readonly step: string
  readonly path: string
  readonly code: string | undefined

  constructor(step: string, path: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.step = step
    this.path = path
    this.code = errorCode(cause)
  }
}

/** Does one thing with the file system and says what it was where it fails. */
export async function step<T>(name: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw error instanceof MaildirError ? error : new MaildirError(name, path, error)
  }
}

interface Directory {
  readonly file: number
  readonly path: string
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY

/** The folder as it is; without `guarded` nothing is touched before it is used. */
export async function openFolder(plan: FolderPlan, files: FileSystem): Promise<Folder> {
  if (plan.guarded) return await openGuarded(plan, files)
  const fresh = `${plan.path.path}/new`
  return {
    tmp: `${plan.path.path}/tmp`,
    fresh,
    sync: () => step('sync folder', fresh, async () => {
      const file = await files.open(fresh, DIRECTORY, 0)
      try {
        await files.sync(file)
      } finally {
        await files.close(file)
      }
    }),
    close: () => Promise.resolve(),
  }
}

/** Makes whatever of the Maildir is missing. */
export async function createFolder(plan: FolderPlan, files: FileSystem): Promise<void> {
  const open: Directory[] = []
  try {
    await walk(plan, files, open)
  } finally {
    await closeAll(open, files)
  }
}

async function openGuarded(plan: FolderPlan, files: FileSystem): Promise<Folder> {
  const open: Directory[] = []
  try {
    const { tmp, fresh } = await walk(plan, files, open)
    return {
      tmp: throughDescriptor(tmp),
      fresh: throughDescriptor(fresh),
      sync: () => step('sync folder', fresh.path, () => files.sync(fresh.file)),
      close: () => closeAll(open, files),
    }
  } catch (error) {
    await closeAll(open, files)
    throw error
  }
}

/** Opens, and makes, all from the fixed part down; everything opened is in `open`. */
async function walk(plan: FolderPlan, files: FileSystem, open: Directory[]): Promise<{ tmp: Directory; fresh: Directory }> {
  const { fixed, names } = plan.path
  const way: Way = { plan, files, open, made: false, synced: false }
  const top: Directory = { file: await step('open the folder above the mailboxes', fixed, () => files.open(fixed, DIRECTORY, 0)), path: fixed }
  open.push(top)
  let here = top
  for (const [index, name] of names.entries()) here = await enter(way, here, { name, own: index === names.length - 1 })
  await enter(way, here, { name: 'cur', own: true })
  const fresh = await enter(way, here, { name: 'new', own: true })
  const tmp = await enter(way, here, { name: 'tmp', own: true, before: () => syncWay(way) })
  // Something above was made, but `tmp` was there: what was made is not on disk yet.
  if (way.made && !way.synced) await syncWay(way)
  return { tmp, fresh }
}

interface Way {
  readonly plan: FolderPlan
  readonly files: FileSystem
  readonly open: Directory[]
  made: boolean
  synced: boolean
}

interface Entry {
  readonly name: string
  /** belongs to the mailbox's owner */
  readonly own: boolean
  /** what must be done before it is made */
  readonly before?: () => Promise<void>
}

async function enter(way: Way, parent: Directory, entry: Entry): Promise<Directory> {
  const { plan, files, open } = way
  const path = `${parent.path}/${entry.name}`
  const reach = plan.guarded ? `${throughDescriptor(parent)}/${entry.name}` : path
  const flags = plan.guarded ? DIRECTORY | constants.O_NOFOLLOW : DIRECTORY
  const existing = await step('open folder', path, () => openIfThere(files, reach, flags))
  if (existing !== undefined) {
    const directory = { file: existing, path }
    open.push(directory)
    return directory
  }
  if (entry.before !== undefined) await entry.before()
  const mode = entry.own || sameOwner(plan.owner, plan.ownerAbove) ? folderMode(plan.mode) : folderMode(plan.mode) | 0o011
  const mine = await step('create folder', path, () => mkdirUnlessThere(files, reach, mode))
  const directory = { file: await step('open folder', path, () => files.open(reach, flags, 0)), path }
  open.push(directory)
  way.made = true
  if (mine) {
    await step('set the folder\'s owner', path, () => setOwner(files, directory.file, entry.own ? plan.owner : plan.ownerAbove))
    await step('set the folder\'s mode', path, () => files.chmod(directory.file, mode))
  }
  return directory
}

/** `rw` of somebody means `rwx` on his directory: 0600 → 0700, 0640 → 0750. */
export function folderMode(mode: number): number {
  return (mode & 0o666) | ((mode & 0o444) >> 2)
}

export async function setOwner(files: FileSystem, file: number, owner: Owner): Promise<void> {
  if (owner.uid === undefined && owner.gid === undefined) return
  // -1 leaves an ID as it is (chown(2)); Node.js takes it as its unsigned form.
  await files.chown(file, owner.uid ?? -1, owner.gid ?? -1)
}

async function openIfThere(files: FileSystem, path: string, flags: number): Promise<number | undefined> {
  try {
    return await files.open(path, flags, 0)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** False where another delivery was faster. */
async function mkdirUnlessThere(files: FileSystem, path: string, mode: number): Promise<boolean> {
  try {
    await files.mkdir(path, mode)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** From the lowest up: an entry before the directory that holds it. */
async function syncWay(way: Way): Promise<void> {
  for (const { file, path } of [...way.open].reverse()) await step('sync folder', path, () => way.files.sync(file))
  way.synced = true
}

/** All of them, whatever one says; the first trouble is thrown at the end. */
async function closeAll(directories: Directory[], files: FileSystem): Promise<void> {
  const closing = directories.splice(0).map(({ file, path }) => step('close folder', path, () => files.close(file)))
  for (const result of await Promise.allSettled(closing)) if (result.status === 'rejected') throw result.reason
}

function throughDescriptor(directory: Directory): string {
  return `/proc/self/fd/${directory.file}`
}

function sameOwner(a: Owner, b: Owner): boolean {
  return a.uid === b.uid && a.gid === b.gid
}
