/**
 * For commands that open the state directory of a gateway: whoever runs them as
 * root works as the user that the gateway runs as, so that nothing in there
 * becomes a file that the gateway cannot use (the database makes files beside
 * itself, also when it is only read). Throws where the directory is not there.
 */
import { statSync } from 'node:fs'
import type { Settings } from '../config/settings.ts'

type OwnerSettings = Pick<Settings, 'state' | 'hops'>

/** Whom root becomes: the owner of the state, unless the hops say that the gateway gives files to others, which root alone can. Undefined: nobody else. */
function ownerToBecome({ state, hops }: OwnerSettings): { readonly uid: number; readonly gid: number } | undefined {
  if (process.geteuid?.() !== 0) return undefined
  const { uid, gid } = statSync(state)
  return uid === 0 || givesToOthers({ hops }, uid) ? undefined : { uid, gid }
}

/** Whether mail is delivered to others than this user, which takes root. */
export function givesToOthers({ hops }: Pick<Settings, 'hops'>, uid: number): boolean {
  return [...hops.values()].some((hop) => hop.kind === 'maildir' && hop.uid !== undefined && hop.uid !== uid)
}

/** Will `becomeOwner` make somebody else of this process? */
export function givesUpRoot(settings: OwnerSettings): boolean {
  return ownerToBecome(settings) !== undefined
}

/** Root becomes the user that the gateway runs as. */
export function becomeOwner(settings: OwnerSettings): void {
  const owner = ownerToBecome(settings)
  if (owner === undefined) return
  const { uid, gid } = owner
  setGroups(uid, gid)
  process.setgid?.(gid)
  process.setuid?.(uid)
}

/** All groups of that user, where the system knows him: one of them may be that of a hop's socket. */
export function setGroups(uid: number, gid: number): void {
  // @types/node has it not.
  const { initgroups } = process as { initgroups?: (user: number, group: number) => void }
  try {
    initgroups?.(uid, gid)
  } catch {
    process.setgroups?.([gid])
  }
}
