/**
 * The resolver of one SMTP session: what was answered once is the answer to
 * all its checks, and a resolver that is down costs it one time-out, not one a
 * check.
 *
 * The rule. A look-up that nobody answered (`timeout`) and of which the stub
 * could not say that the servers answer other questions is *silence*. The time
 * spent waiting for silence is summed up, by the wall clock: look-ups that wait
 * side by side count once. When it reaches `budgetMs`, the servers are taken
 * for dead: what is waited for still, and whatever is asked later and not known
 * already, is a `timeout` at once, with a cause that says so.
 *
 * A dead zone is something else: the servers answer other questions
 * (`serversAnswer`), or say SERVFAIL. It costs the others nothing. But a sender
 * who makes us ask one dead name after the other may not hold the session for
 * long either: the time spent on all that came to nothing is summed up in the
 * same way, against `fruitlessMs`; what is in flight then may end by itself.
 *
 * Everything is forgotten after a minute: a session of hours sees a resolver
 * that is back, and new records.
 */
import { normalName } from './name.ts'
import type { Failure, Lookup, RecordType, Resolver } from './resolver.ts'

export interface SessionOptions {
  /** milliseconds on a clock that only goes forward */
  readonly now: () => number
  /** what may be waited for silent servers; by default one time-out, however long */
  readonly budgetMs?: number
  /** what may be waited for all that came to nothing; RFC 7208 §4.6.4 wants SPF to have 20 s */
  readonly fruitlessMs?: number
}

/** A cache may be asked what it knows even when nothing may be waited for. */
export interface Inner extends Resolver {
  cached?<T extends RecordType>(name: string, type: T): Lookup<T> | undefined
}

const FORGET_MS = 60_000
/** Less than any time-out, more than an "nobody listens there" or an answer out of the cache takes. */
const BUDGET_MS = 50
const FRUITLESS_MS = 20_000
/** More than any session needs; further answers are not shared, and nor are those beyond so many characters. */
const MAX_SHARED = 1000
const MAX_SHARED_CHARACTERS = 1_000_000

export interface SessionResolver extends Resolver {
  /** A question was not answered by anybody, and nothing says that the servers answered another meanwhile. */
  readonly silent: boolean
  /** One for another part of the session: it knows what this one knows, and has time of its own for what comes to nothing. */
  fork(): SessionResolver
}

export function sessionResolver(inner: Inner, options: SessionOptions): SessionResolver {
  return new Session(inner, options, new Common(options.now()))
}

/** What the parts of a session share. */
class Common {
  bornMs: number
  shared = new Map<string, Promise<Lookup<RecordType>>>()
  characters = 0
  silence = new WaitingTime()
  silent = false
  /** why servers that are taken for dead are not waited for */
  dead: string | undefined
  /** look-ups in flight, to be given up when the servers are found dead */
  readonly waiting = new Set<(cause: string) => void>()

  constructor(nowMs: number) {
    this.bornMs = nowMs
  }

  forget(nowMs: number): void {
    this.bornMs = nowMs
    this.shared = new Map()
    this.characters = 0
    this.silence = new WaitingTime()
    this.silent = false
    this.dead = undefined
  }
}

class Session implements SessionResolver {
  readonly #inner: Inner
  readonly #options: SessionOptions
  readonly #common: Common
  #bornMs: number
  #fruitless = new WaitingTime()
  /** why this part waits for nothing more */
  #over: string | undefined

  constructor(inner: Inner, options: SessionOptions, common: Common) {
    this.#inner = inner
    this.#options = options
    this.#common = common
    this.#bornMs = options.now()
  }

  get silent(): boolean {
    return this.#common.silent
  }

  fork(): SessionResolver {
    return new Session(this.#inner, this.#options, this.#common)
  }

  lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
    this.#forgetInTime()
    const common = this.#common
    const key = `${type} ${normalName(name) ?? name}`
    const shared = common.shared.get(key) as Promise<Lookup<T>> | undefined
    if (shared) return shared
    const over = common.dead ?? this.#over
    if (over !== undefined) return Promise.resolve(this.#inner.cached?.(name, type) ?? givenUp(key, over))
    const known = this.#inner.cached?.(name, type)
    // Most are known, and need neither watch nor clock; a failure does, for it says something of the servers.
    const asked = known === undefined || 'cause' in known ? this.#ask(key, this.#inner.lookup(name, type)) : Promise.resolve(known)
    if (common.shared.size < MAX_SHARED && common.characters < MAX_SHARED_CHARACTERS) common.shared.set(key, asked)
    return asked
  }

  known<T extends RecordType>(name: string, type: T): Lookup<T> | undefined {
    return this.#inner.cached?.(name, type)
  }

  #ask<T extends RecordType>(key: string, answer: Promise<Lookup<T>>): Promise<Lookup<T>> {
    const beganMs = this.#options.now()
    const common = this.#common
    return new Promise((resolve, reject) => {
      const giveUp = (cause: string): void => resolve(givenUp(key, cause))
      common.waiting.add(giveUp)
      answer.then((lookup) => {
        common.waiting.delete(giveUp)
        if ('cause' in lookup) this.#count(lookup, beganMs)
        else if (lookup.status === 'records') common.characters += charactersOf(lookup.records)
        // Another part of the session may have time for what this one has none for.
        if ('cause' in lookup && lookup.ours === true) common.shared.delete(key)
        resolve(lookup)
      }).catch(reject)
    })
  }

  #count(failure: Failure, beganMs: number): void {
    const { now, budgetMs = BUDGET_MS, fruitlessMs = FRUITLESS_MS } = this.#options
    const common = this.#common
    const silence = failure.status === 'timeout' && failure.serversAnswer !== true && failure.ours !== true
    if (silence) common.silent = true
    const from = Math.max(beganMs, common.bornMs, this.#bornMs)
    const to = now()
    // It was known already and has cost nothing; or no more is waited for anyway.
    if (to <= from || common.dead !== undefined) return
    if (this.#over === undefined && this.#fruitless.add(from, to) >= fruitlessMs) this.#over = `the session has waited ${Math.round(this.#fruitless.totalMs)} ms for look-ups that came to nothing, and waits for no more`
    if (!silence || common.silence.add(from, to) < budgetMs) return
    common.dead = `the DNS servers have been silent for ${Math.round(common.silence.totalMs)} ms of this session, and are not waited for again`
    for (const giveUp of common.waiting) giveUp(common.dead)
    common.waiting.clear()
  }

  #forgetInTime(): void {
    const now = this.#options.now()
    if (now - this.#common.bornMs >= FORGET_MS) this.#common.forget(now)
    if (now - this.#bornMs < FORGET_MS) return
    this.#bornMs = now
    this.#fruitless = new WaitingTime()
    this.#over = undefined
  }
}

function givenUp(key: string, cause: string): Failure {
  const [type = '', name = ''] = key.split(' ', 2)
  return { status: 'timeout', cause: `${name} ${type}: not asked: ${cause}`, ours: true }
}

function charactersOf(records: readonly unknown[]): number {
  return records.reduce((sum: number, record) => sum + JSON.stringify(record).length, 0)
}

/** The length of a union of intervals that are added in the order of their ends. */
class WaitingTime {
  #intervals: { readonly from: number; readonly to: number }[] = []
  totalMs = 0

  add(from: number, to: number): number {
    let start = from
    for (let last = this.#intervals.at(-1); last && last.to >= start; last = this.#intervals.at(-1)) {
      this.#intervals.pop()
      this.totalMs -= last.to - last.from
      start = Math.min(start, last.from)
    }
    this.#intervals.push({ from: start, to })
    this.totalMs += to - start
    return this.totalMs
  }
}
