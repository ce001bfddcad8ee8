/**
 * What root cannot see by looking: whether the user can read the files of the
 * configuration whom the gateway will run as. That is the owner of the state
 * directory; before there is one, the user of the systemd unit that comes with
 * Postern. Root looks once more with that user's effective rights, as the kernel
 * has them, and what is wrong only then is a warning.
 */
import { lstatSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { lookUpName, lookUpOwner, type Machine, type OwnerIds } from '../config/machine.ts'
import type { Settings } from '../config/settings.ts'
import { escapeControls } from '../observe/readable.ts'
import { givesToOthers, setGroups } from './become-owner.ts'

/** of packaging/postern.service */
const UNIT_USER = 'postern'
const NAMED = 5

interface ServiceUser extends OwnerIds {
  readonly name: string
  /** how that is known */
  readonly known: string
}

/** @param look what is wrong for whoever runs it now; one thing each, with its place */
export async function checkServiceUser(settings: Settings, machine: Machine, look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const user = serviceUser(settings, machine)
  if (user === undefined) return []
  const wrong = await asUser(user, look)
  return [...wrong.map((one) => `${user.name}, ${user.known}, could not use this: ${one}`), ...strangers(settings.state, user)]
}

/** Undefined where this process is not root, or the gateway runs as root, or nobody knows. */
function serviceUser({ state, hops }: Settings, machine: Machine): ServiceUser | undefined {
  if (process.geteuid?.() !== 0) return undefined
  const found = statSync(state, { throwIfNoEntry: false })
  const owner = found === undefined ? lookUpOwner({ user: UNIT_USER, group: undefined }, machine) : { status: 'found', ids: { uid: found.uid, gid: found.gid } } as const
  if (owner.status === 'unknown' || owner.ids.uid === 0 || givesToOthers({ hops }, owner.ids.uid)) return undefined
  const { uid, gid } = owner.ids
  const name = lookUpName(uid, machine)
  return { uid, gid, name: name === undefined ? `user ${uid}` : `user ${escapeControls(name)} (${uid})`, known: found === undefined ? 'as whom packaging/postern.service runs it' : `to whom ${state} belongs` }
}

/** With the effective rights of a user; nothing else may go on meanwhile. */
async function asUser<T>({ uid, gid }: OwnerIds, work: () => Promise<T>): Promise<T> {
  const [groups, group] = [process.getgroups?.() ?? [], process.getegid?.() ?? 0]
  setGroups(uid, gid)
  process.setegid?.(gid)
  process.seteuid?.(uid)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(group)
    process.setgroups?.(groups)
  }
}

/** Who once ran a gateway or a command as root has left files there. */
function strangers(state: string, { uid, name }: ServiceUser): readonly string[] {
  if (statSync(state, { throwIfNoEntry: false }) === undefined) return []
  const others = readdirSync(state).filter((one) => (lstatSync(join(state, one), { throwIfNoEntry: false })?.uid ?? uid) !== uid).sort()
  if (others.length === 0) return []
  const more = others.length > NAMED ? ` and ${others.length - NAMED} more` : ''
  return [`${state} belongs to ${name}, and this in it to somebody else, so that the gateway may not be able to write it: ${others.slice(0, NAMED).map(escapeControls).join(', ')}${more}`]
}
