/**
 * For commands that open the state directory of a gateway: whoever runs them as
 * root works as the user that the gateway runs as, so that nothing in there
 * becomes a file that the gateway cannot use (the database makes files beside
 * itself, also when it is only read). Throws where the directory is not there.
 */
import { statSync } from 'node:fs'
import type { Settings } from '../config/settings.ts'

/** Root becomes the user that the gateway runs as: the owner of its state, unless the hops say that it gives files to others, which root alone can. */
export function becomeOwner({ state, hops }: Pick<Settings, 'state' | 'hops'>): void {
  if (process.geteuid?.() !== 0) return
  const { uid, gid } = statSync(state)
  if (uid === 0 || [...hops.values()].some((hop) => hop.kind === 'maildir' && hop.uid !== undefined && hop.uid !== uid)) return
  setGroups(uid, gid)
  process.setgid?.(gid)
  process.setuid?.(uid)
}

/** All groups of that user, where the system knows him: one of them may be that of a hop's socket. */
function setGroups(uid: number, gid: number): void {
  // @types/node has it not.
  const { initgroups } = process as { initgroups?: (user: number, group: number) => void }
  try {
    initgroups?.(uid, gid)
  } catch {
    process.setgroups?.([gid])
  }
}
