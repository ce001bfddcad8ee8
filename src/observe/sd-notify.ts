/**
 * Tells systemd how the service is, after sd_notify(3). The protocol is a
 * datagram to a unix socket, which Node.js cannot send, so systemd's own
 * `systemd-notify` sends it; only where NOTIFY_SOCKET says that somebody
 * listens. Messages keep their order. A failure is logged once and harms
 * nothing: systemd then acts on its own time-outs.
 *
 * The watchdog is fed only while the service answers, so that systemd restarts
 * one whose processes hang and cannot be replaced.
 */
import { execFile } from 'node:child_process'
import type { Clock } from '../supervisor/clock.ts'
import type { Log } from './log.ts'

export interface ServiceNotifier {
  ready(status: string): Promise<void>
  reloading(): Promise<void>
  stopping(status: string): Promise<void>
  /** Feeds the watchdog, if there is one, as long as this is true. */
  watch(answering: () => boolean): void
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
  let fed = true
  function watch(answering: () => boolean): void {
    if (intervalMs === undefined) return
    cancelWatchdog = clock.after(intervalMs, () => {
      const answers = answering()
      if (answers) void notify('WATCHDOG=1')
      else if (fed) log.warn({}, 'a process does not answer: the systemd watchdog is not fed until it does or is replaced')
      fed = answers
      watch(answering)
    })
  }

  return {
    ready: (status) => notify('READY=1', statusLine(status)),
    reloading: () => notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: (status) => notify('STOPPING=1', statusLine(status)),
    watch,
    close: () => cancelWatchdog(),
  }
}

const SILENT: ServiceNotifier = {
  ready: () => Promise.resolve(),
  reloading: () => Promise.resolve(),
  stopping: () => Promise.resolve(),
  watch: () => undefined,
  close: () => undefined,
}

/** An assignment is one line. */
function statusLine(status: string): string {
  return 'STATUS=' + status.replace(/\s+/g, ' ')
}

/**
 * A quarter of WATCHDOG_USEC: sd_watchdog_enabled(3) advises half, and one that
 * is left out is then made up for in time. Undefined where nobody watches us.
 */
function watchdogIntervalMs(environment: NodeJS.ProcessEnv, pid: number): number | undefined {
  const microseconds = Number(environment['WATCHDOG_USEC'])
  const watched = environment['WATCHDOG_PID']
  if (!Number.isFinite(microseconds) || microseconds <= 0) return undefined
  if (watched !== undefined && watched !== String(pid)) return undefined
  return Math.max(1, Math.floor(microseconds / 4000))
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
