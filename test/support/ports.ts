/**
 * Free TCP ports on loopback for programs that cannot be asked for port 0.
 *
 * Test files run side by side, so a port that was free when looked at may be
 * taken before its program listens. Each port is therefore claimed by a file
 * that only one process can make, and lies below the range from which the
 * kernel hands out ports of its own. Throws where nothing is free.
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const FIRST = 20_000
const LAST = 31_999
/** one for each user: nobody can write into another's */
const claims = join(tmpdir(), `postern-test-ports-${process.getuid?.() ?? 0}`)
const mine = new Set<string>()

export async function freePort(): Promise<number> {
  mkdirSync(claims, { recursive: true })
  for (let attempt = 0; attempt < 500; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
    if (claim(join(claims, String(port))) && (await canListen(port))) return port
  }
  throw new Error(`no free port between ${FIRST} and ${LAST}`)
}

function claim(file: string): boolean {
  if (mine.has(file)) return false
  try {
    write(file)
    return true
  } catch {
    // Somebody's; or left behind by a process that is gone.
    if (!isStale(file)) return false
    rmSync(file, { force: true })
    try {
      write(file)
      return true
    } catch {
      return false
    }
  }
}

function write(file: string): void {
  const handle = openSync(file, 'wx')
  writeSync(handle, String(process.pid))
  closeSync(handle)
  if (mine.size === 0) process.once('exit', releaseAll)
  mine.add(file)
}

function isStale(file: string): boolean {
  let owner: number
  try {
    owner = Number(readFileSync(file, 'latin1'))
  } catch {
    return false
  }
  // Empty: its owner is about to write its number into it.
  if (!Number.isInteger(owner) || owner <= 0) return false
  try {
    process.kill(owner, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function releaseAll(): void {
  for (const file of mine) rmSync(file, { force: true })
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
