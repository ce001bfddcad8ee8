/**
 * Makes a log file that the user whom the daemon becomes can write, as long as
 * it is root: in a directory that is root's it is made, and given away. In any
 * other directory root touches nothing, for whoever may write there could have
 * laid a link to a file of root's; the user makes the log then.
 *
 * Throws an ExitError where something else than a plain file has its name.
 */
import { closeSync, constants, fchownSync, fstatSync, lstatSync, openSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { EXIT, ExitError } from '../cli/exit-codes.ts'
import type { Identity } from './identity.ts'
import { LOG_MODE } from './proxy-log.ts'

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants

/** @param path absolute */
export function giveLogFile(path: string, { uid, gid }: Identity): void {
  if (uid === undefined || uid === 0 || !isRoots(dirname(path), gid)) return
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) return
  const file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, LOG_MODE)
  try {
    const stats = fstatSync(file)
    if (!stats.isFile() || stats.nlink !== 1) throw new ExitError(EXIT.configuration, `log_file ${path} is no plain file with one name`)
    // What belongs to somebody else was given to them by somebody.
    if (stats.uid === 0 && stats.gid === 0) fchownSync(file, uid, gid)
  } finally {
    closeSync(file)
  }
}

/** Nobody but root lays links there, nor on the way there. */
function isRoots(directory: string, gid: number): boolean {
  return above(directory).every((one) => lstatSync(one).uid === 0) && above(realpathSync(directory)).every((one) => {
    const { uid, gid: group, mode } = statSync(one)
    const sticky = (mode & 0o1000) !== 0
    return uid === 0 && (sticky || ((mode & 0o002) === 0 && !((mode & 0o020) !== 0 && group === gid)))
  })
}

function above(path: string): readonly string[] {
  return path === dirname(path) ? [path] : [path, ...above(dirname(path))]
}
