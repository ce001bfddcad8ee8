/**
 * DKIMproxy's log: plain lines, to standard error, a file or the system's log,
 * up to the level of Net::Server that is configured (0 errors, 1 warnings, 2
 * what became of messages, 3 and 4 more). A file that cannot be written is told
 * to standard error, once, and again when it can.
 */
import { appendFileSync } from 'node:fs'
import type { Log } from '../observe/log.ts'
import { escapeControls } from '../observe/readable.ts'
import type { LogSettings } from './settings.ts'
import { Syslog } from './syslog.ts'

export interface ProxyLog {
  readonly log: Log
  /** @param level of Net::Server */
  line(level: number, text: string): void
  close(): Promise<void>
}

export interface ProxyLogIo {
  readonly err: (text: string) => void
  readonly date: () => Date
  readonly pid: number
  /** instead of logger(1) */
  readonly logger?: string
}

const CLOSE_TIMEOUT_MS = 3000

/** Rejects where the log cannot be written. */
export async function openProxyLog({ level, to }: LogSettings, io: ProxyLogIo): Promise<ProxyLog> {
  switch (to.kind) {
    case 'stderr':
      return made(level, (text) => io.err(`${text}\n`), () => Promise.resolve())
    case 'file': {
      const write = fileWriter(to.path, io)
      appendFileSync(to.path, '')
      return made(level, write, () => Promise.resolve())
    }
    case 'syslog': {
      const syslog = new Syslog({ ident: to.ident, facility: to.facility, pid: io.pid, err: io.err, ...(io.logger === undefined ? {} : { command: io.logger }) })
      await syslog.start()
      return made(level, (text) => syslog.write(text), () => syslog.close(CLOSE_TIMEOUT_MS))
    }
  }
}

function fileWriter(path: string, { err, date }: ProxyLogIo): (text: string) => void {
  let failing = false
  return (text) => {
    try {
      // Opened for each line, so that it may be rotated under us.
      appendFileSync(path, `${stamp(date())} ${text}\n`)
      failing = false
    } catch (error) {
      err(`${failing ? '' : `${path} cannot be written (${error instanceof Error ? error.message : String(error)}): `}${text}\n`)
      failing = true
    }
  }
}

/** As Net::Server has it: `2026/11/21-13:12:48` */
function stamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())}-${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

function made(threshold: number, write: (text: string) => void, close: () => Promise<void>): ProxyLog {
  const line = (level: number, text: string): void => {
    if (level <= threshold) write(escapeControls(text))
  }
  const at = (level: number) => (facts: Readonly<Record<string, unknown>>, text: string): void => line(level, [text, ...factWords(facts)].join(' '))
  return { log: { debug: at(4), info: at(3), warn: at(1), error: at(0) }, line, close }
}

function factWords(facts: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(facts).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${wordOf(value)}`)
}

function wordOf(value: unknown): string {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'string' ? value : JSON.stringify(value)
}
