/**
 * Whom the daemon runs as, once it listens and has read its keys. Throws an
 * ExitError where there is no such user or group, or it may not be taken.
 */
import { execFileSync } from 'node:child_process'
import { EXIT, ExitError } from '../cli/exit-codes.ts'
import type { DaemonSettings } from './settings.ts'

/** @types/node has it not. */
interface Identity {
  initgroups?: (user: string | number, group: string | number) => void
}

export function dropPrivileges({ user, group }: Pick<DaemonSettings, 'user' | 'group'>): void {
  if (user === undefined && group === undefined) return
  if (process.geteuid?.() !== 0) {
    if (isAlready(user)) return
    throw new ExitError(EXIT.permission, `only root can become ${[user, group].filter((one) => one !== undefined).join(':')}; take user and group out, or start it as root`)
  }
  try {
    // A user without a group keeps none of root's.
    const gid = group === undefined ? groupOf(user ?? '') : numberOr(group)
    process.setgid?.(gid)
    process.setgroups?.([gid])
    if (user === undefined) return
    const uid = numberOr(user)
    const { initgroups } = process as Identity
    // Of a number alone no groups are known.
    if (typeof uid === 'string') initgroups?.(uid, process.getegid?.() ?? 0)
    process.setuid?.(uid)
  } catch (error) {
    throw new ExitError(EXIT.configuration, `cannot become ${[user, group].filter((one) => one !== undefined).join(':')}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Of /etc/passwd or wherever the system has its users. */
function groupOf(user: string): number {
  return Number(execFileSync('id', ['-g', '--', user], { encoding: 'latin1', stdio: ['ignore', 'pipe', 'pipe'] }).trim())
}

function numberOr(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text
}

function isAlready(user: string | undefined): boolean {
  return user !== undefined && (user === String(process.geteuid?.()) || user === process.env['USER'])
}
