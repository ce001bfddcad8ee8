/**
 * What to do about what a Redis replies: the kinds of server that Postern does
 * not work with, or not now. By the first word of an error, or what stands in
 * it; and by what a server says of itself. Pure.
 */

const NO_CLUSTER = 'it is a node of a cluster that keeps these keys elsewhere, and clusters are not followed: redis.address has to be one server, with replicas or without'
const NO_REPLICA = 'it is a replica: redis.address has to be the primary, or a name that goes with it'

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^(?:MOVED|ASK|CROSSSLOT) /, NO_CLUSTER],
  [/^CLUSTERDOWN /, 'it is a node of a cluster that is not whole; one server is all that is needed, with replicas or without'],
  [/^(?:READONLY|MASTERDOWN) /, NO_REPLICA],
  [/^OOM /, 'its memory is full: raise its maxmemory'],
  [/^LOADING /, 'it reads its data, and answers when it has'],
  [/^BUSY /, 'a script of somebody else takes it long'],
  [/^MISCONF /, 'its disk is full or cannot be written: its own log says why'],
  [/^NOREPLICAS /, 'fewer of its replicas answer than its min-replicas-to-write says'],
  [/^NOAUTH /, 'it wants a password: redis.password_file'],
  [/^NOPERM |\bACL failure in script\b|user executing the script can't run/, 'the rights that its user needs stand in docs/operations.md'],
  [/^ERR unknown command '?EVAL/i, 'it is a Sentinel, or lets nobody run scripts: redis.address has to be the primary that a Sentinel watches, or a name that goes with it'],
  [/max number of clients reached/, 'raise its maxclients'],
]

/** Undefined: nothing that the error does not say. */
export function adviceOn(error: string): string | undefined {
  return ADVICE.find(([form]) => form.test(error))?.[1]
}

/** Neither time nor another try mends these. */
export function isWrongServer(error: string): boolean {
  const advice = adviceOn(error)
  return advice === NO_CLUSTER || /^ERR unknown command '?EVAL/i.test(error)
}

/** @param info the reply to INFO */
export function warningsOf(info: string): readonly string[] {
  const value = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
  const policy = value('maxmemory_policy')
  return [
    ...(policy.startsWith('allkeys-') && Number(value('maxmemory')) > 0 ? [`it throws away what was learned where its memory is full (maxmemory-policy ${policy}): give it noeviction, or one of volatile-…`] : []),
    ...(value('role') === 'slave' ? [NO_REPLICA] : []),
  ]
}
