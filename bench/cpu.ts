/**
 * CPU time of a process and everything below it, from Linux' /proc: time of the
 * living, and of those that have ended and were waited for. Precision is the
 * kernel's clock tick (10 ms), so measure over a second or more.
 */
import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

interface Stat {
  readonly parent: number
  readonly ticks: number
  readonly residentPages: number
}

/** Milliseconds of CPU that `root` and its descendants have used. */
export function cpuMs(root: number): number {
  const all = statsOfAll()
  return (descendants(all, root).reduce((sum, pid) => sum + (all.get(pid)?.ticks ?? 0), 0) * 1000) / TICKS_PER_SECOND
}

/** Resident memory of `root` and its descendants, in MB; shared pages count more than once. */
export function residentMb(root: number): number {
  const all = statsOfAll()
  return (descendants(all, root).reduce((sum, pid) => sum + (all.get(pid)?.residentPages ?? 0), 0) * 4096) / 1e6
}

function descendants(all: ReadonlyMap<number, Stat>, root: number): number[] {
  const found = [root]
  for (let i = 0; i < found.length; i++) for (const [pid, { parent }] of all) if (parent === found[i]) found.push(pid)
  return found
}

function statsOfAll(): Map<number, Stat> {
  const all = new Map<number, Stat>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = read(`/proc/${name}/stat`)
    if (stat === null) continue
    // The second field is the name in brackets, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number)
    const [user = 0, system = 0, waitedUser = 0, waitedSystem = 0] = fields.slice(11, 15)
    all.set(Number(name), { parent: fields[1] ?? 0, ticks: user + system + waitedUser + waitedSystem, residentPages: fields[21] ?? 0 })
  }
  return all
}

/** Null for a process that has ended meanwhile. */
function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
