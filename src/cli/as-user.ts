/**
 * Work with the effective rights of another user, as root can, and back again.
 * Where root may not (a container without its capabilities, a user namespace in
 * which that user is not), nothing is changed and nothing is done.
 */
import type { OwnerIds } from '../config/machine.ts'
import { setGroups } from './become-owner.ts'

/** What a process has of its rights; a test gives its own. */
export interface Rights {
  readonly user: () => number | undefined
  readonly group: () => number
  readonly groups: () => readonly number[]
  /** all groups of that user */
  readonly takeGroupsOf: (ids: OwnerIds) => void
  readonly setGroups: (groups: readonly number[]) => void
  readonly setGroup: (gid: number) => void
  readonly setUser: (uid: number) => void
}

export const processRights: Rights = {
  user: () => process.geteuid?.(),
  group: () => process.getegid?.() ?? 0,
  groups: () => process.getgroups?.() ?? [],
  takeGroupsOf: ({ uid, gid }) => {
    setGroups(uid, gid)
  },
  setGroups: (groups) => process.setgroups?.([...groups]),
  setGroup: (gid) => process.setegid?.(gid),
  setUser: (uid) => process.seteuid?.(uid),
}

export type DoneAsUser<T> =
  | { readonly status: 'done'; readonly result: T }
  /** nothing was done */
  | { readonly status: 'not-allowed'; readonly cause: string }

/** Nothing else may go on meanwhile. */
export async function asUser<T>(ids: OwnerIds, work: () => Promise<T>, rights = processRights): Promise<DoneAsUser<T>> {
  const [groups, group] = [rights.groups(), rights.group()]
  const undo: (() => void)[] = []
  try {
    try {
      rights.takeGroupsOf(ids)
      undo.unshift(() => {
        rights.setGroups(groups)
      })
      rights.setGroup(ids.gid)
      undo.unshift(() => {
        rights.setGroup(group)
      })
      rights.setUser(ids.uid)
      undo.unshift(() => {
        rights.setUser(0)
      })
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'EPERM' || error.code === 'EINVAL')) return { status: 'not-allowed', cause: error.message }
      throw error
    }
    return { status: 'done', result: await work() }
  } finally {
    for (const step of undo) step()
  }
}
