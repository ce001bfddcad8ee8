/**
 * The way to the system's log (RFC 5424 by way of syslog(3)): Node.js has no
 * datagram sockets on paths, so logger(1) runs beside us and is fed lines.
 *
 * Nothing is lost in silence. What logger did not take when it ended goes to the
 * next one, which is started at once and then ever less often; what it had taken
 * and may not have told is said to be doubtful. Where it cannot be started, or
 * does not read, up to a megabyte waits; what is more is counted, and the number
 * is logged later and told to standard error at once.
 */
import { spawn, type ChildProcess } from 'node:child_process'

export interface SyslogParts {
  readonly ident: string
  readonly facility: string
  readonly pid: number
  /** standard error */
  readonly err: (text: string) => void
  /** default: `logger` */
  readonly command?: string
  readonly after?: (delayMs: number, action: () => void) => void
}

const MAX_WAITING_BYTES = 1024 * 1024
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 60_000

interface Line {
  readonly text: string
  handed: boolean
}

export class Syslog {
  private readonly parts: SyslogParts
  private child: ChildProcess | undefined
  /** those that logger has not taken yet, the oldest first */
  private waiting: Line[] = []
  private waitingBytes = 0
  private lost = 0
  private delayMs = FIRST_DELAY_MS
  private closing: (() => void) | undefined

  constructor(parts: SyslogParts) {
    this.parts = parts
  }

  /** Resolves once logger runs; rejects where it cannot be started. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.launch()
      child.once('spawn', resolve)
      child.once('error', reject)
    })
  }

  write(text: string): void {
    const bytes = Buffer.byteLength(text) + 1
    if (this.waitingBytes + bytes > MAX_WAITING_BYTES) {
      if (this.lost++ === 0) this.parts.err(`${this.parts.ident}: the system's log does not take lines; they are counted from now on\n`)
      return
    }
    this.waiting.push({ text: `${text.replace(/[\r\n]+/g, ' ')}\n`, handed: false })
    this.waitingBytes += bytes
    this.feed()
  }

  /** Resolves when everything has been taken, or after `timeoutMs`; logger then ends by itself. */
  close(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.closing = () => {
        clearTimeout(timer)
        resolve()
      }
      const child = this.child
      if (child === undefined) return this.closing()
      child.once('exit', () => this.closing?.())
      child.stdin?.end()
    })
  }

  private launch(): ChildProcess {
    const { ident, facility, pid, command = 'logger' } = this.parts
    const child = spawn(command, ['-t', `${ident}[${pid}]`, '-p', `${facility}.info`], { stdio: ['pipe', 'ignore', 'ignore'] })
    this.child = child
    const ended = (how: string): void => this.ended(child, how)
    child.once('error', (error) => ended(error.message))
    child.once('exit', (code, signal) => ended(signal ?? `exit code ${code ?? 'unknown'}`))
    // What was not taken is in `waiting`.
    child.stdin.on('error', () => undefined)
    // The log alone keeps no process alive.
    child.unref()
    this.feed()
    return child
  }

  private feed(): void {
    const { child } = this
    if (child?.stdin?.writable !== true) return
    if (this.lost > 0) {
      const lines = this.lost
      this.lost = 0
      this.write(`${lines} lines of this log were lost: the system's log did not take them`)
      return
    }
    for (const line of this.waiting) {
      if (line.handed) continue
      line.handed = true
      child.stdin.write(line.text, (error) => {
        if (error instanceof Error || child !== this.child) return
        this.taken(line)
      })
    }
  }

  private taken(line: Line): void {
    this.delayMs = FIRST_DELAY_MS
    const at = this.waiting.indexOf(line)
    if (at < 0) return
    this.waiting.splice(at, 1)
    this.waitingBytes -= Buffer.byteLength(line.text)
    if (this.lost > 0) this.feed()
  }

  private ended(child: ChildProcess, how: string): void {
    if (child !== this.child) return
    this.child = undefined
    if (this.closing !== undefined) return this.closing()
    for (const line of this.waiting) line.handed = false
    this.parts.err(`${this.parts.ident}: logger ended (${how}), starting it again\n`)
    const { after = later } = this.parts
    after(this.delayMs, () => {
      if (this.closing !== undefined) return
      this.launch()
      this.write(`logger ended (${how}) and was started again; the last lines before this one may be missing`)
    })
    this.delayMs = Math.min(this.delayMs * 4, MAX_DELAY_MS)
  }
}

function later(delayMs: number, action: () => void): void {
  setTimeout(action, delayMs).unref()
}
