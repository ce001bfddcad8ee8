/**
 * Counts that several processes on one machine share, through `rates.db`.
 *
 * `add`, `begin` and `end` answer at once from memory: what all have counted up
 * to the last exchange, and what this process has since. `exchange`, called
 * every second by whoever has the timer, writes what is new here and reads what
 * is new elsewhere, in short transactions. So what comes in at several workers
 * within one second may be let through at each; after that all know of it.
 *
 * Windows slide as in the counters of one process. What is under way belongs to
 * its process, and ends when that gives no sign of life for 10 seconds.
 *
 * Where the database fails or is busy for longer, this process counts alone,
 * what it counted is kept to be written later, and the log says so once, and
 * once when it is back. Nothing throws. Bounds: keys in memory, rows in the
 * file, rows of a transaction, transactions of an exchange. Rates, failed logins
 * and locks have bounds of their own: none is forgotten for another.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Log } from '../observe/log.ts'
import { boundOf, TieredCounts } from './count-tiers.ts'
import { RatesDatabase, removeRatesFile, troubleOf, type CountAddition, type CountTotal, type OtherInstance } from './rates-database.ts'

export interface SharedCountersSettings {
  readonly log: Log
  /** milliseconds since 1970, of the machine's clock: the windows of all processes begin at once */
  readonly now: () => number
  /** of rates, in memory; 100,000. Half as many of failed logins, of locks, and of known networks each */
  readonly maxKeys?: number
  /** the same in the file; 200,000 */
  readonly maxRows?: number
}

/** `SharedCounters` of the rates, and what its owner does with it. */
export interface OpenCounters {
  add(key: string, amount: number, windowMs: number): number
  begin(key: string): number
  end(key: string): void
  /** Tells the others what is new here, and hears what is new with them. Call it every second. */
  exchange(): void
  /** Tells the others what is left to tell, and that nothing is under way here any more. */
  close(): void
}

/** @param directory the state directory; made where it is missing. Never throws: what cannot be opened is tried again with each exchange. */
export function openSharedCounters(directory: string, settings: SharedCountersSettings): OpenCounters {
  const counters = new DatabaseCounters(directory, settings)
  counters.exchange()
  return counters
}

interface Window {
  index: number
  /** of all processes, as the database had it last */
  shared: number
  /** of this process, not written yet */
  own: number
  previousShared: number
  previousOwn: number
}

/** Another process, as it was seen last. */
interface Seen {
  readonly beat: number
  readonly version: number
  readonly seenAt: number
  readonly underWay: ReadonlyMap<string, number>
}

const MAX_KEYS = 100_000
const MAX_ROWS = 200_000
const MAX_KEY_CHARACTERS = 512
const MAX_UNDER_WAY = 20_000
/** Rows that one transaction writes, and transactions in an exchange. */
const MAX_WRITES = 1000
const MAX_BATCHES = 3
const MAX_CHANGES = 6000
/** More than are written, so that what has ended does go. */
const MAX_DROPS = 2 * MAX_WRITES
const COUNT_ROWS_EVERY = 20
/** Without anything new a sign of life is due now and then only. */
const BEAT_MS = 3000
const DEAD_MS = 10_000
/** After such a pause nobody's silence means anything: it may have been this process that stood still. */
const PAUSE_MS = 5000
/** One who waits for its turn now and then is no trouble. */
const BUSY_IN_A_ROW = 3

export class DatabaseCounters implements OpenCounters {
  readonly #directory: string
  readonly #settings: SharedCountersSettings
  readonly #id = randomBytes(12).toString('hex')
  readonly #windows: TieredCounts<Window>
  /** those with something to write */
  readonly #unwritten = new Set<string>()
  readonly #underWay = new Map<string, number>()
  #underWayVersion = 0
  #others = new Map<string, Seen>()
  #database: RatesDatabase | undefined
  #beat = 0
  #beatAt = -Infinity
  #beatVersion = -1
  #exchangedAt: number | undefined
  #readAt = -Infinity
  #exchanges = 0
  #surplus: readonly number[] = []
  #clockWasSet = true
  #busyInARow = 0
  #alone = false

  constructor(directory: string, settings: SharedCountersSettings) {
    this.#directory = directory
    this.#settings = settings
    this.#windows = new TieredCounts(settings.maxKeys ?? MAX_KEYS, (name) => this.#unwritten.delete(name))
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#windows.size
  }

  add(key: string, amount: number, windowMs: number): number {
    const now = this.#settings.now()
    const index = Math.floor(now / windowMs)
    const name = `${windowMs} ${boundedKey(key)}`
    const window = moved(this.#windows.get(name), index)
    window.own += amount
    if (amount > 0) this.#unwritten.add(name)
    this.#keep(name, window)
    const covered = window.index > index ? 1 : 1 - (now % windowMs) / windowMs
    return window.shared + window.own + Math.ceil((window.previousShared + window.previousOwn) * covered)
  }

  begin(key: string): number {
    const name = boundedKey(key)
    const count = (this.#underWay.get(name) ?? 0) + 1
    this.#underWay.set(name, count)
    this.#underWayVersion++
    let elsewhere = 0
    for (const { underWay } of this.#others.values()) elsewhere += underWay.get(name) ?? 0
    return count + elsewhere
  }

  end(key: string): void {
    const name = boundedKey(key)
    const count = (this.#underWay.get(name) ?? 0) - 1
    if (count > 0) this.#underWay.set(name, count)
    else this.#underWay.delete(name)
    this.#underWayVersion++
  }

  exchange(): void {
    const now = this.#settings.now()
    this.#noticeClock(now)
    try {
      const database = this.#opened()
      this.#hear(database.changes(MAX_CHANGES))
      this.#tell(database, now)
      this.#meet(database, now)
      this.#readAt = now
      this.#worked()
    } catch (error) {
      this.#failed(error, now)
    }
  }

  close(): void {
    this.exchange()
    const database = this.#database
    this.#database = undefined
    if (database === undefined) return
    try {
      database.write(() => database.forgetInstance(this.#id))
    } catch {
      // The others forget it by themselves: it gives no sign of life any more.
    }
    closeQuietly(database)
  }

  #keep(name: string, window: Window): void {
    if (window.shared + window.own + window.previousShared + window.previousOwn <= 0) this.#windows.delete(name)
    else this.#windows.renew(name, window)
  }

  #noticeClock(now: number): void {
    const last = this.#exchangedAt
    this.#exchangedAt = now
    if (last === undefined || (now >= last && now - last < PAUSE_MS)) return
    if (now < last) {
      this.#clockWasSet = true
      this.#beatAt = -Infinity
    }
    this.#others = new Map([...this.#others].map(([id, seen]) => [id, { ...seen, seenAt: now }]))
  }

  #opened(): RatesDatabase {
    if (this.#database?.isDetached === true) {
      closeQuietly(this.#database)
      this.#database = undefined
    }
    if (this.#database !== undefined) return this.#database
    this.#database = new RatesDatabase(this.#directory)
    this.#beatAt = -Infinity
    this.#clockWasSet = true
    return this.#database
  }

  #hear(totals: readonly CountTotal[]): void {
    const now = this.#settings.now()
    for (const { name, win, total } of totals) {
      const index = Math.floor(now / windowMsOf(name))
      let window = moved(this.#windows.get(name), index)
      if (win === window.index + 1) window = moved(window, win)
      if (win === window.index) window.shared = total
      else if (win === window.index - 1) window.previousShared = total
      else continue
      // What was counted elsewhere does not make it one of the last that were counted here.
      this.#windows.set(name, window)
    }
  }

  #tell(database: RatesDatabase, now: number): void {
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const additions = this.#additions(now)
      const beatIsDue = this.#beatVersion !== this.#underWayVersion || now - this.#beatAt >= BEAT_MS
      if (additions.length === 0 && !beatIsDue) return
      const version = this.#underWayVersion
      const { totals, upTo } = database.write(() => {
        if (batch === 0) this.#sweep(database, now)
        if (beatIsDue) database.beat({ id: this.#id, at: now, beat: this.#beat + 1, version, underWay: () => JSON.stringify([...this.#underWay].slice(0, MAX_UNDER_WAY)) })
        return database.add(additions)
      })
      database.added(additions.length, upTo)
      this.#written(additions, totals)
      if (beatIsDue) {
        database.told(version)
        this.#beat++
        this.#beatAt = now
        this.#beatVersion = version
      }
      if (additions.length < MAX_WRITES) return
    }
  }

  /** What has not been written yet, as far as anybody's window still holds it. */
  #additions(now: number): readonly CountAddition[] {
    const additions: CountAddition[] = []
    for (const name of this.#unwritten) {
      if (additions.length >= MAX_WRITES) break
      const windowMs = windowMsOf(name)
      const known = this.#windows.get(name)
      const window = known === undefined ? undefined : moved(known, Math.floor(now / windowMs))
      if (window === undefined || (window.own <= 0 && window.previousOwn <= 0)) {
        this.#unwritten.delete(name)
        continue
      }
      this.#windows.set(name, window)
      if (window.previousOwn > 0) additions.push({ name, win: window.index - 1, amount: window.previousOwn, windowMs })
      if (window.own > 0) additions.push({ name, win: window.index, amount: window.own, windowMs })
    }
    return additions
  }

  /** Nothing else has run since the additions were made. */
  #written(additions: readonly CountAddition[], totals: readonly CountTotal[]): void {
    for (const { name } of additions) {
      const window = this.#windows.get(name)
      if (window !== undefined) window.own = window.previousOwn = 0
      this.#unwritten.delete(name)
    }
    this.#hear(totals)
  }

  #sweep(database: RatesDatabase, now: number): void {
    let left = MAX_DROPS - database.dropEnded(now, MAX_DROPS)
    if (left > 0 && this.#clockWasSet) {
      left -= database.dropFuture(now, left)
      if (left > 0) this.#clockWasSet = false
    }
    if (this.#exchanges++ % COUNT_ROWS_EVERY === 0) this.#surplus = database.rows().map((rows, tier) => rows - boundOf(tier, this.#settings.maxRows ?? MAX_ROWS))
    this.#surplus = this.#surplus.map((surplus, tier) => (surplus > 0 ? surplus - database.dropOldest(tier, Math.min(surplus, MAX_DROPS)) : surplus))
    for (const id of this.#dead(database.others(this.#id), now)) database.forgetInstance(id)
  }

  #dead(others: readonly OtherInstance[], now: number): readonly string[] {
    return others.filter(({ id, beat, at }) => {
      const seen = this.#others.get(id)
      // Of one that was never seen before, only its own word tells how old the sign is.
      return seen === undefined ? now - at > DEAD_MS : seen.beat === beat && now - seen.seenAt > DEAD_MS
    }).map(({ id }) => id)
  }

  #meet(database: RatesDatabase, now: number): void {
    const others = database.others(this.#id)
    const dead = this.#dead(others, now)
    this.#others = new Map(others.filter(({ id }) => !dead.includes(id)).map(({ id, beat, version }) => {
      const seen = this.#others.get(id)
      const seenAt = seen?.beat === beat ? seen.seenAt : now
      const underWay = seen?.version === version ? seen.underWay : readUnderWay(database.underWayOf(id))
      return [id, { beat, version, seenAt, underWay }]
    }))
  }

  #worked(): void {
    this.#busyInARow = 0
    if (!this.#alone) return
    this.#alone = false
    this.#settings.log.info({}, 'rates are counted together with the other processes again')
  }

  #failed(error: unknown, now: number): void {
    const trouble = troubleOf(error)
    // What nobody has told for so long is not so any more.
    if (now - this.#readAt > DEAD_MS || now < this.#readAt) this.#others = new Map()
    if (trouble === 'busy' && ++this.#busyInARow < BUSY_IN_A_ROW) return
    if (!this.#alone) this.#settings.log.warn({ cause: error instanceof Error ? error.message : String(error) }, 'rates cannot be exchanged with the other processes: this one counts alone')
    this.#alone = true
    if (trouble === 'busy') return
    const database = this.#database
    this.#database = undefined
    if (database !== undefined) closeQuietly(database)
    if (trouble !== 'damaged') return
    try {
      // Another may have made it anew already.
      if (database?.isDetached !== true) removeRatesFile(this.#directory)
    } catch {
      // The next exchange fails as this one did, which has been said.
    }
  }
}

/** The window as it is at `index`. A clock set back by little changes nothing; by more, it all begins anew. */
function moved(window: Window | undefined, index: number): Window {
  if (window === undefined || Math.abs(index - window.index) > 1) return { index, shared: 0, own: 0, previousShared: 0, previousOwn: 0 }
  return index === window.index + 1 ? { index, shared: 0, own: 0, previousShared: window.shared, previousOwn: window.own } : window
}

function windowMsOf(name: string): number {
  return Number(name.slice(0, name.indexOf(' ')))
}

/** A key that is longer than anything that is counted stands for itself by its hash. */
function boundedKey(key: string): string {
  return key.length <= MAX_KEY_CHARACTERS ? key : `sha256 ${createHash('sha256').update(key).digest('base64')}`
}

/** What another process wrote; what cannot be read holds nothing. */
function readUnderWay(text: string): ReadonlyMap<string, number> {
  try {
    const list: unknown = JSON.parse(text)
    const pairs = Array.isArray(list) ? (list as unknown[]) : []
    return new Map(pairs.flatMap((pair): [string, number][] => (Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'number' ? [[pair[0], pair[1]]] : [])))
  } catch {
    return new Map()
  }
}

function closeQuietly(database: RatesDatabase): void {
  try {
    database.close()
  } catch {
    // It is not used any more, whatever state it is in.
  }
}
