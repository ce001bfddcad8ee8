/**
 * Whether only certain users can change what a path leads to. Who can write a
 * folder can put a link or another folder in the place of whatever stands in
 * it; so each folder and each symbolic link on the way is looked at, and not
 * the last one alone. Throws what the operating system says.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { join, resolve } from 'node:path'

export interface Step {
  readonly path: string
  /** of the link itself, where it is one */
  readonly stats: Stats
}

export interface FolderProblem {
  /** with the path in it */
  readonly what: string
  /** who owns it, where that is what is wrong */
  readonly uid: number | undefined
}

/** As Linux has it. */
const MAX_LINKS = 40
const STICKY = 0o1000

/** All that is met from the root to the end of the path, links followed one by one. */
export function wayTo(path: string): readonly Step[] {
  const steps: Step[] = [{ path: '/', stats: lstatSync('/') }]
  let left = namesOf(resolve(path))
  let links = 0
  for (let at = '/'; left.length > 0;) {
    const [name = '', ...rest] = left
    const next = join(at, name)
    const stats = lstatSync(next)
    steps.push({ path: next, stats })
    if (!stats.isSymbolicLink()) {
      at = next
      left = rest
      continue
    }
    if (++links > MAX_LINKS) throw Object.assign(new Error(`ELOOP: too many symbolic links, '${path}'`), { code: 'ELOOP', path })
    const target = readlinkSync(next)
    if (target.startsWith('/')) at = '/'
    left = [...namesOf(target), ...rest]
  }
  return steps
}

function namesOf(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

/** Why others than those users could change what stands in the folder, or which folder it is; undefined where they cannot. */
export function folderProblem(path: string, trusted: ReadonlySet<number>): FolderProblem | undefined {
  const steps = wayTo(path)
  for (const [index, { path: at, stats }] of steps.entries()) {
    const { uid, gid } = stats
    if (!trusted.has(uid)) return { what: stats.isSymbolicLink() ? `${at} is a symbolic link of user ${uid}` : `${at} belongs to user ${uid}`, uid }
    if (stats.isSymbolicLink()) continue
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0')
    // In a folder such as /tmp others can make names, but not change ours.
    if ((stats.mode & STICKY) !== 0 && index < steps.length - 1) continue
    if ((stats.mode & 0o002) !== 0) return { what: `${at} can be written by every user (mode ${mode})`, uid: undefined }
    if ((stats.mode & 0o020) !== 0) return { what: `${at} can be written by its group (mode ${mode}, group ${gid})`, uid: undefined }
  }
  return undefined
}
