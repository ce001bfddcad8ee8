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
  /** Rejects where it cannot be written; lines of before go first. */
  open(): Promise<void>
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
/** of the start */
const MAX_HELD_LINES = 1000
/** It names senders and recipients. */
export const LOG_MODE = 0o640

interface Sink {
  readonly write: (text: string) => void
  readonly close: () => Promise<void>
}

/** Nothing is written before it is opened: that is for the user to do whom the daemon becomes. */
export function makeProxyLog({ level: threshold, to }: LogSettings, io: ProxyLogIo): ProxyLog {
  const held: string[] = []
  let sink: Sink | undefined
  const line = (level: number, text: string): void => {
    if (level > threshold) return
    if (sink !== undefined) sink.write(escapeControls(text))
    else if (held.length < MAX_HELD_LINES) held.push(escapeControls(text))
  }
  const at = (level: number) => (facts: Readonly<Record<string, unknown>>, text: string): void => line(level, [text, ...factWords(facts)].join(' '))
  return {
    log: { debug: at(4), info: at(3), warn: at(1), error: at(0) }, line,
    async open() {
      if (sink !== undefined) return
      sink = await openSink(to, io)
      for (const text of held.splice(0)) sink.write(text)
    },
    close: () => sink?.close() ?? Promise.resolve(),
  }
}

async function openSink(to: LogSettings['to'], io: ProxyLogIo): Promise<Sink> {
  switch (to.kind) {
    case 'stderr':
      return { write: (text) => io.err(`${text}\n`), close: () => Promise.resolve() }
    case 'file':
      // Refused now rather than missed later.
      appendFileSync(to.path, '', { mode: LOG_MODE })
      return { write: fileWriter(to.path, io), close: () => Promise.resolve() }
    case 'syslog': {
      const syslog = new Syslog({ ident: to.ident, facility: to.facility, pid: io.pid, err: io.err, ...(io.logger === undefined ? {} : { command: io.logger }) })
      await syslog.start()
      return { write: (text) => syslog.write(text), close: () => syslog.close(CLOSE_TIMEOUT_MS) }
    }
  }
}

function fileWriter(path: string, { err, date }: ProxyLogIo): (text: string) => void {
  let failing = false
  return (text) => {
    try {
      // Opened for each line, so that it may be rotated under us.
      appendFileSync(path, `${stamp(date())} ${text}\n`, { mode: LOG_MODE })
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

function factWords(facts: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(facts).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${wordOf(value)}`)
}

function wordOf(value: unknown): string {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'string' ? value : JSON.stringify(value)
}
