/**
 * The file with the number of the daemon's process, for init scripts. It is
 * root's where the daemon starts as root: whoever could write it could have any
 * process ended in its place.
 *
 * `write` replaces what has the name, a link itself and not what it leads to. It
 * throws an ExitError (75) where the number there is that of a living DKIMproxy,
 * and what the system says where the file cannot be made. `remove` takes away
 * nothing but a file with our own number; it throws where it may not.
 */
import { closeSync, constants, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { EXIT, ExitError } from '../cli/exit-codes.ts'
import type { Program } from './options.ts'

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants
/** by their names in ps(1); DKIMproxy's own have the same */
const PROGRAMS: ReadonlySet<string> = new Set<Program>(['dkimproxy.out', 'dkimproxy.in'])

export class PidFile {
  private readonly path: string
  private readonly pid: number
  private written = false

  /** @param path absolute */
  constructor(path: string, pid: number) {
    this.path = path
    this.pid = pid
  }

  write(): void {
    const other = this.read()
    if (other !== undefined && other !== this.pid && isDkimproxy(other)) throw new ExitError(EXIT.temporary, `pidfile ${this.path} is that of process ${other}, which runs; give each its own`)
    const temporary = `${this.path}.${this.pid}`
    rmSync(temporary, { force: true })
    const file = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)
    try {
      writeFileSync(file, `${this.pid}\n`)
    } finally {
      closeSync(file)
    }
    try {
      renameSync(temporary, this.path)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
    this.written = true
  }

  remove(): void {
    if (this.written && this.read() === this.pid) rmSync(this.path, { force: true })
  }

  /** Undefined where there is no number. */
  private read(): number | undefined {
    let file: number
    try {
      file = openSync(this.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    } catch {
      // Not there, a link, or unreadable: no pid file of ours. What is wrong with the name comes out when it is written.
      return undefined
    }
    try {
      const [, number] = /^\s*(\d{1,10})\s*$/.exec(readFileSync(file, 'latin1')) ?? []
      return number === undefined ? undefined : Number(number)
    } catch {
      // A directory, for one.
      return undefined
    } finally {
      closeSync(file)
    }
  }
}

/** Numbers are given out again: after a crash it may be that of somebody else. */
function isDkimproxy(pid: number): boolean {
  if (pid === 0 || !isAlive(pid)) return false
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split(/[\0 ]/).some((word) => PROGRAMS.has(basename(word)))
  } catch {
    // It has ended meanwhile, or there is no /proc, and then it counts as one.
    return isAlive(pid)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
