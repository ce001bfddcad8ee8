/**
 * One place in the supervisor's row, and the worker process that fills it:
 * starts it, hands it its settings, reloads and stops it. What follows from its
 * death is the supervisor's business. Never throws; every wait is bounded.
 *
 * A worker's life: `starting` (forked, told its settings) → `ready` (listens) →
 * `stopping` (told to stop) → `gone`. While it is ready it is asked whether it
 * still runs, and killed where it does not answer.
 */
import type { Settings } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import type { PackedRules } from '../scoring/packed-rules.ts'
import type { Clock } from './clock.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { Pulse, SILENCE_MS } from './pulse.ts'
import type { Addresses } from './service.ts'

/** The part of a child process that is needed here. */
export interface WorkerProcess {
  readonly pid: number | undefined
  /** A message to a process that is about to end may be lost. */
  send(message: ToWorker): void
  kill(signal: NodeJS.Signals): void
  onMessage(listener: (message: FromWorker) => void): void
  /** called once; both null where the process could not be started at all */
  onExit(listener: (exit: Exit) => void): void
}

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

export interface Death extends Exit {
  readonly livedMs: number
  readonly phase: Phase
  /** what it said of why it cannot start */
  readonly failure: Failure | undefined
}

export interface Failure {
  readonly exitCode: number
  readonly message: string
}

export type Phase = 'starting' | 'ready' | 'stopping' | 'gone'

export type ReloadOutcome =
  | { readonly status: 'ok'; readonly addresses: Addresses }
  | { readonly status: 'gone' }
  | { readonly status: 'failed'; readonly failure: Failure }

export interface SlotParts {
  readonly fork: () => WorkerProcess
  readonly clock: Clock
  readonly log: Log
  /** the settings for a worker that starts now */
  readonly settings: () => Settings
  /** the rules for it; undefined: it is to have none of us */
  readonly rules: () => Promise<PackedRules | undefined> | undefined
  /** whether a worker that has loaded its program is one that we can work with */
  readonly fits: () => boolean
  readonly onReady: (slot: Slot, addresses: Addresses) => void
  readonly onDeath: (slot: Slot, death: Death) => void
}

/** A start that takes longer hangs; reading certificates and opening sockets takes a fraction of it. */
const START_TIMEOUT_MS = 60_000
const RELOAD_TIMEOUT_MS = 60_000
/** what a worker may take beyond `timeouts.stop`, for closing what is left and ending */
const STOP_MARGIN_MS = 5000

export class Slot {
  readonly number: number
  /** the settings its worker has */
  settings: Settings | undefined
  phase: Phase = 'gone'
  private readonly parts: SlotParts
  private worker: WorkerProcess | undefined
  private readonly pulse: Pulse
  /** killed because it hung; it is still there */
  private condemned = false
  private startedMs = 0
  private failure: Failure | undefined
  private cancelTimer: () => void = () => undefined
  private endReload: ((outcome: ReloadOutcome) => void) | undefined
  /** the reload before; two never overlap */
  private lastReload: Promise<unknown> = Promise.resolve()
  private endStop: (() => void)[] = []

  constructor(number: number, parts: SlotParts) {
    this.number = number
    this.parts = parts
    this.pulse = new Pulse({
      clock: parts.clock,
      ping: () => this.worker?.send({ type: 'ping' }),
      onSilence: () => this.condemn('worker does not answer and is killed', SILENCE_MS),
    })
  }

  get pid(): number | undefined {
    return this.worker?.pid
  }

  launch(): void {
    const { fork, clock } = this.parts
    const worker = fork()
    this.worker = worker
    this.phase = 'starting'
    this.failure = undefined
    this.startedMs = clock.nowMs()
    worker.onMessage((message) => {
      if (worker === this.worker) this.heed(message)
    })
    worker.onExit((exit) => {
      if (worker === this.worker) this.bury(exit)
    })
    this.deadline(START_TIMEOUT_MS, () => this.condemn('worker hangs at its start and is killed', START_TIMEOUT_MS))
  }

  /** Resolves when the worker has taken up the settings, has said that it cannot, or is gone. */
  reload(settings: Settings, rules: PackedRules | undefined): Promise<ReloadOutcome> {
    const reload = this.lastReload.then(() => this.reloadNow(settings, rules))
    this.lastReload = reload
    return reload
  }

  /** Resolves when the worker has ended; it is killed where it does not in time. */
  stop(stopMs: number): Promise<void> {
    const { worker } = this
    if (worker === undefined) return Promise.resolve()
    if (this.phase !== 'stopping') {
      this.phase = 'stopping'
      // From here on the deadline watches.
      this.pulse.stop()
      worker.send({ type: 'stop' })
      const waitMs = stopMs + STOP_MARGIN_MS
      this.deadline(waitMs, () => this.condemn('worker does not stop and is killed', waitMs))
    }
    return new Promise((resolve) => this.endStop.push(resolve))
  }

  kill(): void {
    this.worker?.kill('SIGKILL')
  }

  /** False where its worker leaves questions open, or hung and could not be killed yet. */
  answers(): boolean {
    return !this.condemned && this.pulse.regular()
  }

  private reloadNow(settings: Settings, rules: PackedRules | undefined): Promise<ReloadOutcome> {
    const { worker } = this
    if (worker === undefined || this.phase !== 'ready') return Promise.resolve({ status: 'gone' })
    return new Promise((resolve) => {
      this.endReload = (outcome) => {
        this.endReload = undefined
        // Once it stops, the timer is that of the stop.
        if (this.phase === 'ready') this.cancelTimer()
        if (outcome.status === 'ok') this.settings = settings
        resolve(outcome)
      }
      worker.send({ type: 'reload', settings, ...(rules !== undefined && { rules }) })
      // Nobody knows what it listens on then. Its replacement starts from what is decided.
      this.deadline(RELOAD_TIMEOUT_MS, () => this.condemn('worker hangs in a reload and is killed', RELOAD_TIMEOUT_MS))
    })
  }

  private begin(): void {
    const { worker } = this
    this.settings = this.parts.settings()
    const rules = this.parts.rules()
    worker?.send({ type: 'start', settings: this.settings, ...(rules !== undefined && { rulesFollow: true }) })
    void rules?.then((read) => {
      if (worker === this.worker) worker?.send({ type: 'rules', rules: read })
    })
  }

  private heed(message: FromWorker): void {
    switch (message.type) {
      case 'up':
        if (this.phase !== 'starting') return
        if (this.parts.fits()) this.begin()
        else this.kill()
        return
      case 'ready':
        if (this.phase !== 'starting') return
        this.cancelTimer()
        this.phase = 'ready'
        this.pulse.start()
        this.parts.onReady(this, message.addresses)
        return
      case 'failed':
        this.failure = message
        return
      case 'reloaded':
        this.endReload?.({ status: 'ok', addresses: message.addresses })
        return
      case 'reload-failed':
        this.endReload?.({ status: 'failed', failure: message })
        return
      case 'pong':
        this.pulse.answered()
        return
    }
  }

  private bury(exit: Exit): void {
    const { phase, failure } = this
    const livedMs = this.parts.clock.nowMs() - this.startedMs
    this.cancelTimer()
    this.pulse.stop()
    this.condemned = false
    this.worker = undefined
    this.phase = 'gone'
    this.endReload?.({ status: 'gone' })
    for (const resolve of this.endStop.splice(0)) resolve()
    this.parts.onDeath(this, { ...exit, livedMs, phase, failure })
  }

  private condemn(reason: string, waitedMs: number): void {
    this.parts.log.error({ worker: this.pid, waitedMs }, reason)
    this.condemned = true
    this.worker?.kill('SIGKILL')
  }

  private deadline(delayMs: number, action: () => void): void {
    this.cancelTimer()
    this.cancelTimer = this.parts.clock.after(delayMs, action)
  }
}
