/** A clock that is moved by hand, a log that is kept, workers that a test plays. */
import type { Clock } from '../../../src/supervisor/clock.ts'
import type { FromWorker, ToWorker } from '../../../src/supervisor/messages.ts'
import type { Exit, WorkerProcess } from '../../../src/supervisor/slot.ts'
import type { ProcessLog } from '../../../src/observe/create-log.ts'
import type { LogSettings, Settings } from '../../../src/config/settings.ts'
import { settingsFrom } from '../../support/settings.ts'

export class FakeClock implements Clock {
  private time = 0
  private timers: { at: number; action: () => void }[] = []

  nowMs(): number {
    return this.time
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.time + delayMs, action }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter((other) => other !== timer)
    }
  }

  /** Moves on, and does what falls due, in its order. */
  advance(ms: number): void {
    const end = this.time + ms
    for (;;) {
      const next = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.timers = this.timers.filter((timer) => timer !== next)
      this.time = Math.max(this.time, next.at)
      next.action()
    }
    this.time = end
  }

  /** Time passes and nothing is done meanwhile: the machine sleeps. */
  jump(ms: number): void {
    this.time += ms
  }

  get pending(): number {
    return this.timers.length
  }
}

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly facts: Readonly<Record<string, unknown>>
  readonly text: string
}

export function fakeLog(): { log: ProcessLog; lines: Line[]; configured: LogSettings[] } {
  const lines: Line[] = []
  const configured: LogSettings[] = []
  const at = (level: Line['level']) => (facts: Line['facts'], text: string) => void lines.push({ level, facts, text })
  const log: ProcessLog = {
    debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'),
    configure: (settings) => void configured.push(settings),
    flush: () => Promise.resolve(),
  }
  return { log, lines, configured }
}

export class FakeWorker implements WorkerProcess {
  readonly pid: number
  readonly sent: ToWorker[] = []
  readonly signals: NodeJS.Signals[] = []
  pings = 0
  /** its event loop does not turn any more */
  hangs = false
  private message: (message: FromWorker) => void = () => undefined
  private exited: (exit: Exit) => void = () => undefined

  constructor(pid: number) {
    this.pid = pid
  }

  /** Pings are answered, as every worker that runs does, and kept out of `sent`. */
  send(message: ToWorker): void {
    if (message.type !== 'ping') this.sent.push(message)
    else {
      this.pings++
      if (!this.hangs) this.says({ type: 'pong' })
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.signals.push(signal)
  }

  onMessage(listener: (message: FromWorker) => void): void {
    this.message = listener
  }

  onExit(listener: (exit: Exit) => void): void {
    this.exited = listener
  }

  /* --- what the test plays --- */

  says(message: FromWorker): void {
    this.message(message)
  }

  becomesReady(port = 25): void {
    this.says({ type: 'up' })
    this.says({ type: 'ready', addresses: addressesOf(port) })
  }

  dies(exit: Partial<Exit> = { signal: 'SIGKILL' }): void {
    this.exited({ code: null, signal: null, ...exit })
  }

  get lastSent(): ToWorker | undefined {
    return this.sent.at(-1)
  }
}

export function addressesOf(port: number): Map<string, { kind: 'tcp'; host: string; port: number }[]> {
  return new Map([['inbound', [{ kind: 'tcp', host: '127.0.0.1', port }]]])
}

export function someSettings(more: Partial<Settings> = {}): Settings {
  const settings = settingsFrom(
    'domains: [d.example]\nlisteners: [{ name: inbound, role: inbound, listen: "127.0.0.1:0", next: h }]\nhops: { h: { smtp: "192.0.2.9:25" } }\n',
    { cwd: '/nowhere' },
  )
  return { ...settings, ...more }
}

/** Lets promises that are settled take their course. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
