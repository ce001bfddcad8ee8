/**
 * Whom the daemon runs as, once it listens and has read its keys. Throws an
 * ExitError where there is no such user or group, or it may not be taken.
 */
import { execFileSync } from 'node:child_process'
import { EXIT, ExitError } from '../cli/exit-codes.ts'
import type { DaemonSettings } from './settings.ts'

/** Somebody else than the process is now. */
export interface Identity {
  /** undefined: only the group changes */
  readonly uid: number | undefined
  readonly gid: number
  /** as it was given: by it the system knows the user's other groups */
  readonly user: string | undefined
}

/** @types/node has it not. */
interface GroupTaker {
  initgroups?: (user: string | number, group: string | number) => void
}

/** Undefined where the process stays who it is. */
export function findIdentity({ user, group }: Pick<DaemonSettings, 'user' | 'group'>): Identity | undefined {
  if (user === undefined && group === undefined) return undefined
  if (process.geteuid?.() !== 0) {
    if (isAlready(user)) return undefined
    throw new ExitError(EXIT.permission, `only root can become ${[user, group].filter((one) => one !== undefined).join(':')}; take user and group out, or start it as root`)
  }
  const uid = user === undefined ? undefined : uidOf(user)
  // A user without a group keeps none of root's.
  return { uid, gid: group === undefined ? groupOfUser(user ?? '') : gidOf(group), user }
}

export function become({ uid, gid, user }: Identity): void {
  try {
    process.setgid?.(gid)
    process.setgroups?.([gid])
    if (uid === undefined || user === undefined) return
    // Of a number alone no groups are known.
    if (!isNumber(user)) (process as GroupTaker).initgroups?.(user, gid)
    process.setuid?.(uid)
  } catch (error) {
    throw new ExitError(EXIT.configuration, `cannot become ${user ?? `group ${gid}`}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Of /etc/passwd or wherever the system has its users: the system says it to root who takes the name for a moment. */
function uidOf(user: string): number {
  if (isNumber(user)) return Number(user)
  try {
    process.seteuid?.(user)
    return process.geteuid?.() ?? 0
  } catch {
    throw new ExitError(EXIT.configuration, `there is no user ${user}`)
  } finally {
    process.seteuid?.(0)
  }
}

function gidOf(group: string): number {
  if (isNumber(group)) return Number(group)
  const before = process.getegid?.() ?? 0
  try {
    process.setegid?.(group)
    return process.getegid?.() ?? 0
  } catch {
    throw new ExitError(EXIT.configuration, `there is no group ${group}`)
  } finally {
    process.setegid?.(before)
  }
}

function groupOfUser(user: string): number {
  try {
    return Number(execFileSync('id', ['-g', '--', user], { encoding: 'latin1', stdio: ['ignore', 'pipe', 'pipe'] }).trim())
  } catch {
    throw new ExitError(EXIT.configuration, `the group of user ${user} is not known: set group`)
  }
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text)
}

function isAlready(user: string | undefined): boolean {
  return user !== undefined && (user === String(process.geteuid?.()) || user === process.env['USER'])
}
