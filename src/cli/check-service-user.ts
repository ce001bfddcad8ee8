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
import { asUser, processRights, type Rights } from './as-user.ts'
import { givesToOthers } from './become-owner.ts'

/** of packaging/postern.service */
const UNIT_USER = 'postern'
const NAMED = 5
/** root's in every file system of its own */
const OF_THE_FILE_SYSTEM = 'lost+found'

interface ServiceUser extends OwnerIds {
  readonly name: string
  /** how that is known */
  readonly known: string
}

export interface Looking {
  /** what is wrong for whoever runs it now; one thing each, with its place */
  readonly look: () => Promise<readonly string[]>
  /** default: those of the process */
  readonly rights?: Rights
}

export async function checkServiceUser(settings: Pick<Settings, 'state' | 'hops'>, machine: Machine, { look, rights = processRights }: Looking): Promise<readonly string[]> {
  const user = rights.user() === 0 ? serviceUser(settings, machine) : undefined
  if (user === undefined) return []
  const looked = await asUser(user, look, rights)
  const wrong = looked.status === 'done' ? looked.result.map((one) => `${user.name}, ${user.known}, could not use this: ${one}`) : [`not looked at as ${user.name}, ${user.known}: root may not work as another user here (${looked.cause})`]
  return [...wrong, ...strangers(settings.state, user)]
}

/** Undefined where the gateway runs as root, or nobody knows. */
function serviceUser({ state, hops }: Pick<Settings, 'state' | 'hops'>, machine: Machine): ServiceUser | undefined {
  const found = statSync(state, { throwIfNoEntry: false })
  const owner = found === undefined ? lookUpOwner({ user: UNIT_USER, group: undefined }, machine) : { status: 'found', ids: { uid: found.uid, gid: found.gid } } as const
  if (owner.status === 'unknown' || owner.ids.uid === 0 || givesToOthers({ hops }, owner.ids.uid)) return undefined
  const { uid, gid } = owner.ids
  const name = lookUpName(uid, machine)
  return { uid, gid, name: name === undefined ? `user ${uid}` : `user ${escapeControls(name)} (${uid})`, known: found === undefined ? 'as whom packaging/postern.service runs it' : `to whom ${state} belongs` }
}

/** Who once ran a gateway or a command as root has left files there. */
function strangers(state: string, { uid, name }: ServiceUser): readonly string[] {
  if (statSync(state, { throwIfNoEntry: false }) === undefined) return []
  const others = namesIn(state).filter((one) => one !== OF_THE_FILE_SYSTEM && (lstatSync(join(state, one), { throwIfNoEntry: false })?.uid ?? uid) !== uid).sort()
  if (others.length === 0) return []
  const more = others.length > NAMED ? ` and ${others.length - NAMED} more` : ''
  return [`${state} belongs to ${name}, and this in it to somebody else, so that the gateway may not be able to write it: ${others.slice(0, NAMED).map(escapeControls).join(', ')}${more}`]
}

/** Root without its capabilities may not look into it; the gateway that runs so says it by itself. */
function namesIn(state: string): readonly string[] {
  try {
    return readdirSync(state)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') return []
    throw error
  }
}
