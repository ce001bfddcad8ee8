/**
 * Tells systemd how the service is, after sd_notify(3). The protocol is a
 * datagram to a unix socket, which Node.js cannot send, so systemd's own
 * `systemd-notify` sends it; only where NOTIFY_SOCKET says that somebody
 * listens. Messages keep their order. A failure is logged once and harms
 * nothing: systemd then acts on its own time-outs.
 */
import { execFile } from 'node:child_process'
import type { Clock } from '../supervisor/clock.ts'
import type { Log } from './log.ts'

export interface ServiceNotifier {
  ready(status: string): Promise<void>
  reloading(): Promise<void>
  stopping(status: string): Promise<void>
  status(status: string): Promise<void>
  /** No further watchdog messages. */
  close(): void
}

export interface NotifierParts {
  readonly environment: NodeJS.ProcessEnv
  readonly pid: number
  readonly log: Log
  readonly clock: Clock
  /** Sends the assignments; rejects where that fails. */
  readonly send?: (assignments: readonly string[]) => Promise<void>
}

export function createNotifier({ environment, pid, log, clock, send = runSystemdNotify }: NotifierParts): ServiceNotifier {
  if (!environment['NOTIFY_SOCKET']) return SILENT
  let last: Promise<void> = Promise.resolve()
  let failed = false
  let cancelWatchdog: () => void = () => undefined

  function notify(...assignments: readonly string[]): Promise<void> {
    last = last.then(async () => {
      try {
        await send(assignments)
      } catch (error) {
        if (!failed) log.warn({ cause: error }, 'systemd cannot be told about the service; further failures are not logged')
        failed = true
      }
    })
    return last
  }
  const intervalMs = watchdogIntervalMs(environment, pid)
  function watch(): void {
    if (intervalMs === undefined) return
    cancelWatchdog = clock.after(intervalMs, () => {
      void notify('WATCHDOG=1')
      watch()
    })
  }
  watch()

  return {
    ready: (status) => notify('READY=1', statusLine(status)),
    reloading: () => notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: (status) => notify('STOPPING=1', statusLine(status)),
    status: (status) => notify(statusLine(status)),
    close: () => cancelWatchdog(),
  }
}

const SILENT: ServiceNotifier = {
  ready: () => Promise.resolve(),
  reloading: () => Promise.resolve(),
  stopping: () => Promise.resolve(),
  status: () => Promise.resolve(),
  close: () => undefined,
}

/** An assignment is one line. */
function statusLine(status: string): string {
  return 'STATUS=' + status.replace(/\s+/g, ' ')
}

/** Half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises; undefined where nobody watches us. */
function watchdogIntervalMs(environment: NodeJS.ProcessEnv, pid: number): number | undefined {
  const microseconds = Number(environment['WATCHDOG_USEC'])
  const watched = environment['WATCHDOG_PID']
  if (!Number.isFinite(microseconds) || microseconds <= 0) return undefined
  if (watched !== undefined && watched !== String(pid)) return undefined
  return Math.max(1, Math.floor(microseconds / 2000))
}

const SEND_TIMEOUT_MS = 5000

function runSystemdNotify(assignments: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', [...assignments], { timeout: SEND_TIMEOUT_MS }, (error) => {
      if (error === null) resolve()
      else reject(error instanceof Error ? error : new Error('systemd-notify failed', { cause: error }))
    })
  })
}
