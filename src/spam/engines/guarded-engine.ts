/**
 * What every engine has around its protocol: a size limit, a deadline over
 * everything, a bounded number of scans at a time, and a breaker. Nothing here
 * rejects or hangs, whatever the adapter does.
 *
 * A message without an answer in time says nothing about the engine: a stranger
 * can send some that take it very long, and have it set aside for everybody. So
 * it is pinged then, behind the message's back, and shown a short message of
 * ours, since some answer pings that judge nothing any more; only where one of
 * them has no answer either is it a failure.
 */
import { thrownText } from '../../auth/stranger-text.ts'
import { Breaker, type BreakerChange, type Pass } from './breaker.ts'
import { failed, type Attempt, type Engine, type EngineAdapter, type EngineClock, type EngineContext, type EngineHealth, type EngineMessage, type EngineOutcome } from './engine.ts'
import { ErrorStreak } from './error-streak.ts'
import type { Log } from '../../observe/log.ts'
import { Places } from './places.ts'
import type { EngineSettings } from './settings.ts'
import { SHORT_MESSAGE } from './short-message.ts'

type GuardSettings = Pick<EngineSettings, 'name' | 'kind' | 'timeoutMs' | 'maxBytes' | 'scans' | 'waiting' | 'breaker' | 'down'>

const MAX_PING_MS = 5000
/** Engines ask the DNS and others in their turn. */
const MAX_SHORT_MESSAGE_MS = 10_000

/** And what becomes of mail meanwhile. */
const SET_ASIDE: Readonly<Record<EngineSettings['down'], string>> = {
  flow: 'a spam engine is set aside, and mail goes on without it',
  tempfail: 'a spam engine is set aside, and mail that it is to judge gets 451 until it answers (down: tempfail)',
}
const ERRORS: Readonly<Record<EngineSettings['down'], string>> = {
  flow: 'a spam engine answers with errors, and mail goes on without it',
  tempfail: 'a spam engine answers with errors, and mail that it is to judge gets 451 meanwhile (down: tempfail)',
}

export class GuardedEngine implements Engine {
  readonly name: string
  readonly #settings: GuardSettings
  readonly #adapter: EngineAdapter
  readonly #clock: EngineClock
  readonly #places: Places
  readonly #breaker: Breaker
  readonly #streak: ErrorStreak
  readonly #log: Log
  readonly #underWay = new Set<AbortController>()
  #closed = false
  #limitTold = false
  /** after a message that had no answer in time; one for all of them */
  #asking: Promise<string | undefined> | undefined

  constructor(adapter: EngineAdapter, settings: GuardSettings, { clock, log }: Pick<EngineContext, 'clock' | 'log'>) {
    const { name, kind, scans, waiting, breaker, down } = settings
    this.name = name
    this.#settings = settings
    this.#adapter = adapter
    this.#clock = clock
    this.#log = log
    this.#places = new Places({ running: scans, waiting })
    const onChange = (change: BreakerChange): void => {
      if (change.to === 'closed') log.info({ engine: name, kind, asideMs: Math.round(change.asideMs) }, 'a spam engine answers again')
      else log.warn({ engine: name, kind, failures: change.failures, pauseMs: change.pauseMs, cause: change.cause }, SET_ASIDE[down])
    }
    this.#breaker = new Breaker(breaker, { now: () => clock.nowMs(), onChange })
    this.#streak = new ErrorStreak({ failures: breaker.failures, pauseMs: breaker.mostPauseMs }, () => clock.nowMs())
  }

  async scan(message: EngineMessage): Promise<EngineOutcome> {
    const size = message.body.size + (this.#adapter.seesPrefix ? (message.prefix?.length ?? 0) : 0)
    if (size > this.#settings.maxBytes) return { status: 'too-big' }
    const refusal = this.#closed ? 'closed' : this.#breaker.refusal()
    if (refusal !== undefined) return temperror(refusal)
    return await this.#within(this.#settings.timeoutMs, async (signal) => {
      const entered = await this.#places.enter(signal)
      if (entered === 'full') return temperror(`${this.#settings.scans} messages are being scanned and ${this.#settings.waiting} wait, which is the most`)
      if (entered === 'gone') return temperror(this.#closed ? 'closed' : `no place among the ${this.#settings.scans} scans at a time came free in ${this.#settings.timeoutMs} ms`)
      // It may have been set aside while this one waited.
      const pass = this.#breaker.enter()
      if (pass === undefined) {
        this.#places.leave()
        return temperror(this.#breaker.refusal() ?? 'set aside')
      }
      const attempt = await this.#attempt(message, signal)
      this.#places.leave()
      if (attempt === 'late') return this.#late(pass)
      if (attempt.status === 'too-big') this.#tellLimit(size)
      return this.#judge(attempt, pass)
    })
  }

  async ping(): Promise<string | undefined> {
    if (this.#closed) return 'closed'
    const timeoutMs = Math.min(this.#settings.timeoutMs, MAX_PING_MS)
    return await this.#within(timeoutMs, (signal) => first(this.#adapter.ping(signal).catch(thrownText), signal, () => (this.#closed ? 'closed' : `no answer in ${timeoutMs} ms`)))
  }

  health(): EngineHealth {
    const { state, failures, cause, retryInMs } = this.#breaker
    return { breaker: state, failures, cause, retryInMs, running: this.#places.running, waiting: this.#places.waiting }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const controller of this.#underWay) controller.abort()
    this.#adapter.close()
  }

  async #attempt(message: EngineMessage, signal: AbortSignal): Promise<Attempt | 'late'> {
    // What is thrown is a bug of the adapter's, or a temporary file that cannot be read: neither speaks of the engine.
    const scanned = this.#adapter.scan(message, signal).catch((error: unknown) => failed(thrownText(error), 'unclear'))
    return await first<Attempt | 'late'>(scanned, signal, () => (this.#closed ? failed('closed', 'unclear') : 'late'))
  }

  #late(pass: Pass): EngineOutcome {
    const cause = `no answer in ${this.#settings.timeoutMs} ms`
    this.#asking ??= this.#whetherItJudges().finally(() => {
      this.#asking = undefined
    })
    void this.#asking.then((trouble) => {
      // Whoever was let in to try it has found it there, if not quick.
      const there = pass.trial ? 'answered' : 'unclear'
      this.#breaker.leave(pass, this.#closed ? 'unclear' : trouble === undefined ? there : 'lost', trouble === undefined || trouble === '' ? cause : `${cause}; ${trouble}`)
    })
    return temperror(cause)
  }

  /** Undefined: it does. Otherwise what is to be said besides, which may be nothing. */
  async #whetherItJudges(): Promise<string | undefined> {
    if (await this.ping() !== undefined) return ''
    const { timeoutMs } = this.#settings
    // Whoever has a place gives it back within that time.
    const entered = await this.#within(timeoutMs, (signal) => this.#places.enterFirst(signal))
    if (entered === 'gone') return undefined
    const mostMs = Math.min(timeoutMs, MAX_SHORT_MESSAGE_MS)
    const attempt = await this.#within(mostMs, (signal) => this.#attempt(SHORT_MESSAGE, signal))
    this.#places.leave()
    const told = 'it answers a ping, and of a short message'
    if (attempt === 'late') return `${told} nothing in ${mostMs} ms`
    return attempt.status === 'failed' && attempt.engine === 'lost' ? `${told}: ${attempt.cause}` : undefined
  }

  #judge(attempt: Attempt, pass: Pass): EngineOutcome {
    this.#tellStreak(attempt)
    if (attempt.status !== 'failed') {
      this.#breaker.leave(pass, 'answered', '')
      return attempt
    }
    this.#breaker.leave(pass, attempt.engine, attempt.cause)
    return temperror(attempt.cause)
  }

  #tellStreak(attempt: Attempt): void {
    const change = this.#streak.take(attempt)
    if (change === undefined) return
    const { name, kind, down } = this.#settings
    if (change.to === 'errors') this.#log.warn({ engine: name, kind, failures: change.failures, cause: change.cause }, ERRORS[down])
    else this.#log.info({ engine: name, kind, errorsMs: Math.round(change.errorsMs) }, 'a spam engine judges again')
  }

  /** Its own limit is below ours: mail goes by unsearched that was meant to be searched. */
  #tellLimit(bytes: number): void {
    if (this.#limitTold) return
    this.#limitTold = true
    const { name, kind, maxBytes } = this.#settings
    this.#log.warn({ engine: name, kind, bytes, maxBytes }, 'a spam engine takes less than max_size says: raise its own limit (of clamd: StreamMaxLength), or lower max_size')
  }

  async #within<T>(timeoutMs: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    const callOff = this.#clock.after(timeoutMs, () => controller.abort())
    this.#underWay.add(controller)
    try {
      return await run(controller.signal)
    } finally {
      callOff()
      this.#underWay.delete(controller)
    }
  }
}

function temperror(cause: string): EngineOutcome {
  return { status: 'temperror', cause }
}

/** The result, or what stands for it once the signal has come, whether or not the promise ever settles. */
function first<T>(result: Promise<T>, signal: AbortSignal, otherwise: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => resolve(otherwise())
    if (signal.aborted) late()
    signal.addEventListener('abort', late, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', late))
  })
}
