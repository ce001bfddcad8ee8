/**
 * What the configuration asks of the machine: its name, cores, addresses,
 * clock and user database. Tests give one of their own.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism, hostname, networkInterfaces } from 'node:os'

export interface Machine {
  hostname(): string
  cores(): number
  /** addresses of its own interfaces */
  addresses(): readonly string[]
  /** user that the process runs as; undefined where there are none */
  uid(): number | undefined
  gid(): number | undefined
  nowMs(): number
  /** text of /etc/passwd or /etc/group; throws as `readFileSync` does */
  userDatabase(kind: 'passwd' | 'group'): string
}

export const thisMachine: Machine = {
  hostname,
  cores: availableParallelism,
  addresses: () => Object.values(networkInterfaces()).flatMap((one) => (one ?? []).map(({ address }) => address)),
  uid: () => process.getuid?.(),
  gid: () => process.getgid?.(),
  nowMs: Date.now,
  userDatabase: (kind) => readFileSync(`/etc/${kind}`, 'utf8'),
}

export interface OwnerIds {
  readonly uid: number
  readonly gid: number
}

export type OwnerLookup =
  | { readonly status: 'found'; readonly ids: OwnerIds }
  | { readonly status: 'unknown'; readonly problem: string }

/** Resolves `user[:group]` by /etc/passwd and /etc/group; numbers stand for themselves. */
export function lookUpOwner(owner: { readonly user: string; readonly group: string | undefined }, machine: Machine): OwnerLookup {
  const user = find('passwd', owner.user, machine)
  const uid = numeric(owner.user) ?? user?.id
  if (uid === undefined) return { status: 'unknown', problem: `no user "${owner.user}" in /etc/passwd; write numbers, uid:gid, for a user that is kept elsewhere` }
  if (owner.group === undefined) {
    return user?.primaryGroup === undefined
      ? { status: 'unknown', problem: `the group of "${owner.user}" is not known from /etc/passwd; write uid:gid` }
      : { status: 'found', ids: { uid, gid: user.primaryGroup } }
  }
  const gid = numeric(owner.group) ?? find('group', owner.group, machine)?.id
  if (gid === undefined) return { status: 'unknown', problem: `no group "${owner.group}" in /etc/group; write numbers, uid:gid, for a group that is kept elsewhere` }
  return { status: 'found', ids: { uid, gid } }
}

/** Undefined where /etc/passwd does not have the user. */
export function lookUpName(uid: number, machine: Machine): string | undefined {
  const line = databaseText('passwd', machine).split('\n').find((one) => numeric(one.split(':')[2] ?? '') === uid)
  return line?.split(':')[0]
}

/** Ids end below 2^32 - 1, which means "unchanged" to chown(2). */
function numeric(text: string): number | undefined {
  return /^[0-9]{1,10}$/.test(text) && Number(text) < 0xffffffff ? Number(text) : undefined
}

interface DatabaseEntry {
  readonly id: number
  readonly primaryGroup: number | undefined
}

/** A line is `name:password:id:group…`, in /etc/group `name:password:id:members`. A missing file is an empty one. */
function find(kind: 'passwd' | 'group', wanted: string, machine: Machine): DatabaseEntry | undefined {
  for (const line of databaseText(kind, machine).split('\n')) {
    const [name, , idText = '', groupText = ''] = line.split(':')
    const id = numeric(idText)
    if (id === undefined || (name !== wanted && idText !== wanted)) continue
    return { id, primaryGroup: kind === 'passwd' ? numeric(groupText) : undefined }
  }
  return undefined
}

function databaseText(kind: 'passwd' | 'group', machine: Machine): string {
  try {
    return machine.userDatabase(kind)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
