/**
 * Keeps the counts of the classifier's tokens: adds up what messages wait to be
 * added, removes tokens that nobody has learnt for long, and the rarest where
 * there are too many.
 *
 * Tokens are hashes, so that those of one message lie all over the file: adding
 * them one message at a time would write thousands of pages for each. So many
 * messages are sorted together and added in the order of the file, in
 * transactions of a few milliseconds, with a turn for everybody else between
 * them. What is cut short goes on where it stopped, in whichever process comes
 * next; one at a time works (a lease in the database, which runs out).
 */
import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import { inTransaction } from './database.ts'
import { expiryHeldOn, PRUNING_SLACK, Worths, type TokenRow } from './token-worth.ts'

export interface UpkeepSettings {
  readonly maxTokens: number
  /** since a message with it was learnt; and for so long a message is known to be learnt, since it could not be taught again */
  readonly tokenDays: number
  /** of each class: messages whose words are kept */
  readonly maxKept: number
  /** tokens that are sorted together */
  readonly batchTokens: number
}

export const UPKEEP_DEFAULTS: UpkeepSettings = { maxTokens: 1_000_000, tokenDays: 365, maxKept: 8000, batchTokens: 400_000 }

/** Of the numbers: the day on which an expiry was held back. */
export const EXPIRY_HELD = 'expiry_held'
/** of one transaction */
const SLICE_MS = 20
const SLICE_ROWS = 256
const SCAN_ROWS = 8192
/** Without a sign of life for so long, another goes on. */
const LEASE_MS = 60_000

/** What a waiting row does to a count, in the two lowest bits of a number that is sorted. */
const KINDS = 4
const HAM_MORE = 0
const SPAM_MORE = 1
const HAM_LESS = 2
const SPAM_LESS = 3

interface Batch {
  /** number of the last waiting row in it */
  readonly last: number
  /** tokens up to this one are added */
  readonly done: number
}

interface Changes {
  readonly sorted: Float64Array
  readonly day: number
}

export class BayesUpkeep {
  readonly #database: DatabaseSync
  readonly #settings: UpkeepSettings
  readonly #holder = randomUUID()

  constructor(database: DatabaseSync, settings: UpkeepSettings) {
    this.#database = database
    this.#settings = settings
  }

  /** false: another is at it, or it was cut short by the signal. */
  async run(day: number, signal?: AbortSignal): Promise<boolean> {
    if (!inTransaction(this.#database, () => this.#hold())) return false
    try {
      for (let batch = this.#batch(); batch !== undefined; batch = this.#batch()) {
        if (!await this.#addUp(batch, signal)) return false
        if (!await this.#prune(day, PRUNING_SLACK, signal)) return false
      }
      return await this.#expire(day, signal) && await this.#prune(day, 1, signal) && await this.#leaveLatest(signal)
    } finally {
      this.#release()
    }
  }

  /* --- adding up --- */

  /** The one that was begun, or the next. */
  #batch(): Batch | undefined {
    const last = this.#number('batch_last')
    if (last !== undefined) return { last, done: this.#number('batch_done') ?? -1 }
    let tokens = 0
    let next: number | undefined
    for (const row of this.#database.prepare('SELECT number, length(tokens) AS bytes FROM waiting ORDER BY number LIMIT 10000').iterate()) {
      if (next !== undefined && tokens >= this.#settings.batchTokens) break
      tokens += Number(row['bytes']) / Float64Array.BYTES_PER_ELEMENT
      next = Number(row['number'])
    }
    if (next === undefined) return undefined
    this.#set('batch_last', next)
    return { last: next, done: -1 }
  }

  async #addUp({ last, done }: Batch, signal: AbortSignal | undefined): Promise<boolean> {
    const { sorted, day } = this.#changes(last)
    const add = this.#database.prepare('INSERT INTO tokens (key, ham, spam, day) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO UPDATE SET ham = max(0, ham + ?2), spam = max(0, spam + ?3), day = max(day, ?4)')
    const lessen = this.#database.prepare('UPDATE tokens SET ham = max(0, ham + ?2), spam = max(0, spam + ?3) WHERE key = ?1')
    const drop = this.#database.prepare('DELETE FROM tokens WHERE key = ? AND ham <= 0 AND spam <= 0')
    let at = firstAfter(sorted, done)
    const whole = await this.#slices(signal, () => {
      if (at >= sorted.length) return false
      const key = Math.floor((sorted[at] ?? 0) / KINDS)
      let ham = 0
      let spam = 0
      for (; at < sorted.length; at++) {
        const value = sorted[at] ?? 0
        if (Math.floor(value / KINDS) !== key) break
        const kind = value % KINDS
        if (kind === HAM_MORE) ham++
        else if (kind === SPAM_MORE) spam++
        else if (kind === HAM_LESS) ham--
        else spam--
      }
      if (ham >= 0 && spam >= 0) {
        if (ham + spam > 0) add.run(key, ham, spam, day)
      } else if (ham > 0 || spam > 0) {
        add.run(key, Math.max(0, ham), Math.max(0, spam), day)
        lessen.run(key, Math.min(0, ham), Math.min(0, spam))
      } else {
        lessen.run(key, ham, spam)
        drop.run(key)
      }
      return true
    }, { mark: () => this.#set('batch_done', Math.floor((sorted[Math.max(0, at - 1)] ?? 0) / KINDS)) })
    if (!whole) return false
    return await this.#leave(last, signal)
  }

  /** All tokens of the rows up to `last`, and what each does, in the order of the table. */
  #changes(last: number): Changes {
    const rows = this.#database.prepare('SELECT ham, spam, day, tokens FROM waiting WHERE number <= ?').all(last)
    const values: Float64Array[] = []
    let day = 0
    for (const row of rows) {
      const { tokens } = row
      if (!(tokens instanceof Uint8Array)) throw new Error('a row of bayes.db is damaged')
      const keys = new Float64Array(tokens.slice().buffer, 0, Math.trunc(tokens.length / Float64Array.BYTES_PER_ELEMENT))
      const ham = Number(row['ham'])
      const spam = Number(row['spam'])
      if (ham !== 0) values.push(keys.map((key) => key * KINDS + (ham > 0 ? HAM_MORE : HAM_LESS)))
      if (spam !== 0) values.push(keys.map((key) => key * KINDS + (spam > 0 ? SPAM_MORE : SPAM_LESS)))
      day = Math.max(day, Number(row['day']))
    }
    const sorted = new Float64Array(values.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const one of values) {
      sorted.set(one, at)
      at += one.length
    }
    return { sorted: sorted.sort(), day }
  }

  /** What was added up waits no more. */
  async #leave(last: number, signal: AbortSignal | undefined): Promise<boolean> {
    const remove = this.#database.prepare('DELETE FROM waiting WHERE number = (SELECT min(number) FROM waiting WHERE number <= ?)')
    const gone = await this.#slices(signal, () => Number(remove.run(last).changes) > 0, { rows: 8 })
    if (gone) this.#database.exec('DELETE FROM numbers WHERE name IN (\'batch_last\', \'batch_done\')')
    return gone
  }

  /* --- removing --- */

  /** Once a day. */
  async #expire(day: number, signal: AbortSignal | undefined): Promise<boolean> {
    // A day that is yet to come was one of a clock that was ahead.
    if (this.#number('expired_on') === day) return true
    const oldest = day - this.#settings.tokenDays
    const found = await this.#tooOld(day, oldest, signal)
    if (found === undefined) return false
    if (found.held) return true
    if (found.going > 0 && !await this.#removeTokens(signal, (row) => row.day < oldest)) return false
    const messages = this.#database.prepare('DELETE FROM messages WHERE key IN (SELECT key FROM messages WHERE day < ? ORDER BY day LIMIT 64)')
    if (!await this.#slices(signal, () => Number(messages.run(oldest).changes) > 0, { rows: 1 })) return false
    const kept = this.#database.prepare('DELETE FROM kept WHERE number IN (SELECT number FROM kept WHERE day < ? LIMIT 64)')
    const whole = await this.#slices(signal, () => Number(kept.run(oldest).changes) > 0, { rows: 1 })
    if (whole) this.#set('expired_on', day)
    return whole
  }

  /** How many are to go, and whether they are too many to go at once. Undefined: it was cut short. */
  async #tooOld(day: number, oldest: number, signal: AbortSignal | undefined): Promise<{ readonly going: number; readonly held: boolean } | undefined> {
    let all = 0
    let going = 0
    for await (const rows of this.#scan()) {
      if (signal?.aborted === true) return undefined
      all += rows.length
      for (const row of rows) if (row.day < oldest) going++
    }
    const heldOn = this.#number(EXPIRY_HELD)
    const heldNow = expiryHeldOn({ all, going, day, heldOn })
    if (heldNow === undefined) this.#database.prepare('DELETE FROM numbers WHERE name = ?').run(EXPIRY_HELD)
    else if (heldNow !== heldOn) this.#set(EXPIRY_HELD, heldNow)
    return { going, held: heldNow !== undefined }
  }

  /** Of the messages whose words are kept. */
  async #leaveLatest(signal: AbortSignal | undefined): Promise<boolean> {
    const count = this.#database.prepare('SELECT count(*) AS n FROM kept WHERE class = ?')
    const remove = this.#database.prepare('DELETE FROM kept WHERE number IN (SELECT number FROM kept WHERE class = ? ORDER BY day, key LIMIT ?)')
    for (const one of ['ham', 'spam']) {
      let surplus = Number(count.get(one)?.['n']) - this.#settings.maxKept
      const whole = surplus <= 0 || await this.#slices(signal, () => {
        surplus -= Number(remove.run(one, Math.min(64, surplus)).changes)
        return surplus > 0
      }, { rows: 1 })
      if (!whole) return false
    }
    return true
  }

  /** Where there are too many: those that were seen seldom and long ago. */
  async #prune(day: number, slack: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { maxTokens } = this.#settings
    const count = Number(this.#database.prepare('SELECT count(*) AS n FROM tokens').get()?.['n'])
    if (count <= maxTokens * slack) return true
    const worths = new Worths()
    for await (const rows of this.#scan()) {
      if (signal?.aborted === true) return false
      for (const row of rows) worths.add(row)
    }
    return await this.#removeTokens(signal, worths.unwanted(maxTokens, (this.#number('revision') ?? 0) + day))
  }

  async #removeTokens(signal: AbortSignal | undefined, unwanted: (row: TokenRow) => boolean): Promise<boolean> {
    const remove = this.#database.prepare('DELETE FROM tokens WHERE key = ?')
    let removed = 0
    for await (const rows of this.#scan()) {
      if (signal?.aborted === true) return false
      const keys = rows.filter(unwanted).map(({ key }) => key)
      let at = 0
      if (keys.length === 0) continue
      const whole = await this.#slices(signal, () => {
        const key = keys[at++]
        if (key === undefined) return false
        remove.run(key)
        removed++
        return true
      })
      if (!whole) return false
    }
    if (removed > 0) this.#database.exec('UPDATE numbers SET value = value + 1 WHERE name = \'revision\'')
    return true
  }

  async *#scan(): AsyncGenerator<readonly TokenRow[]> {
    const select = this.#database.prepare('SELECT key, ham, spam, day FROM tokens WHERE key > ? ORDER BY key LIMIT ?')
    for (let after = -1; ;) {
      const rows = select.all(after, SCAN_ROWS).map(({ key, ham, spam, day }) => ({ key: Number(key), count: Number(ham) + Number(spam), day: Number(day) }))
      const last = rows.at(-1)
      if (last === undefined) return
      yield rows
      after = last.key
      await turn()
    }
  }

  /* --- taking turns --- */

  /** Calls `step` until it says false, in short transactions. False: it was cut short. */
  async #slices(signal: AbortSignal | undefined, step: () => boolean, { mark, rows = SLICE_ROWS }: SliceOptions = {}): Promise<boolean> {
    for (;;) {
      if (signal?.aborted === true) return false
      const state = inTransaction(this.#database, () => {
        if (!this.#hold()) return 'lost'
        const deadline = performance.now() + SLICE_MS
        let more = true
        do for (let done = 0; more && done < rows; done++) more = step()
        while (more && performance.now() < deadline)
        mark?.()
        return more ? 'more' : 'whole'
      })
      if (state !== 'more') return state === 'whole'
      await turn()
    }
  }

  /** Inside a transaction. */
  #hold(): boolean {
    const now = Date.now()
    const held = this.#database.prepare('SELECT value FROM numbers WHERE name = ?').get('upkeep_holder')?.['value']
    const until = this.#number('upkeep_until') ?? 0
    // A clock that was put back must not keep everybody out.
    if (held !== undefined && held !== this.#holder && until > now && until <= now + LEASE_MS) return false
    this.#set('upkeep_holder', this.#holder)
    this.#set('upkeep_until', now + LEASE_MS)
    return true
  }

  #release(): void {
    this.#database.prepare('DELETE FROM numbers WHERE name = \'upkeep_holder\' AND value = ?').run(this.#holder)
  }

  #number(name: string): number | undefined {
    const value = this.#database.prepare('SELECT value FROM numbers WHERE name = ?').get(name)?.['value']
    return typeof value === 'number' ? value : undefined
  }

  #set(name: string, value: number | string): void {
    this.#database.prepare('INSERT INTO numbers (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value').run(name, value)
  }
}

interface SliceOptions {
  /** called at the end of each transaction */
  readonly mark?: () => void
  /** between two looks at the clock */
  readonly rows?: number
}

/** The first place whose token comes after `done`. */
function firstAfter(sorted: Float64Array, done: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (Math.floor((sorted[middle] ?? 0) / KINDS) <= done) low = middle + 1
    else high = middle
  }
  return low
}
