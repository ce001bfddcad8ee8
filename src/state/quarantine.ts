/**
 * The quarantine: messages that are kept instead of sent on, until somebody
 * releases or deletes them, or they are too old.
 *
 * `keep` is a promise: the client is told 250 after it. It resolves with `kept`
 * when message and facts are on disk, and rejects, with a QuarantineError that
 * has the cause and its code, where they cannot be; nothing is promised then
 * (451, or 452 for ENOSPC and EDQUOT). Where there is no room it is `full`, and
 * the client is to be told 452 4.3.1.
 *
 * The bound of size never removes anything: for what is here somebody was told
 * 250. A full quarantine takes no more until something was released, deleted or
 * became too old. The bound of age removes, and the log names each message that
 * it removed.
 *
 * The files are the truth (quarantine-files.ts), the rows only an index of them
 * (quarantine-index.ts) that `tidy` mends: a crash between the two, or a lost
 * database, loses no message. What a crash left half done is swept an hour
 * later. Several processes may work here at once; `hold` gives an entry to one
 * of them.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { FileSystem } from '../delivery/file-system.ts'
import { outgoingSize, type OutgoingMessage, type StoredMessage } from '../message/message.ts'
import type { Log } from '../observe/log.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import { decodeEntry, encodeEntry, isQuarantineId, type QuarantineEntry, type QuarantineFacts } from './quarantine-entry.ts'
import { MAX_FACTS_BYTES, QuarantineError, QuarantineFiles, type FoundFile } from './quarantine-files.ts'
import { QuarantineIndex, type QuarantineFilter } from './quarantine-index.ts'
import { RunningTime } from './running-time.ts'

export interface QuarantineBounds {
  /** of all files together */
  readonly maxBytes: number
  readonly maxAgeMs: number
}

export const QUARANTINE_BOUNDS: QuarantineBounds = { maxBytes: 1024 ** 3, maxAgeMs: 30 * 86_400_000 }

export interface QuarantineContext {
  readonly database: DatabaseSync
  readonly files: FileSystem
  readonly log: Log
  /** milliseconds since 1970 */
  readonly now: () => number
}

export type KeepOutcome =
  | { readonly status: 'kept' }
  | { readonly status: 'full'; readonly bytes: number; readonly maxBytes: number }

export type FindOutcome =
  | { readonly status: 'found'; readonly entry: QuarantineEntry }
  | { readonly status: 'ambiguous'; readonly ids: readonly string[] }
  | { readonly status: 'none' }

export type HoldOutcome =
  | { readonly status: 'held'; readonly hold: Hold }
  /** somebody else works on it, until then at least where he has died */
  | { readonly status: 'busy'; readonly untilMs: number }
  | { readonly status: 'none' }

export type RemoveOutcome =
  | { readonly status: 'removed' | 'none' }
  | { readonly status: 'busy'; readonly untilMs: number }

/** An entry that nobody else changes or removes meanwhile. It ends by itself HOLD_MS after it was taken or renewed. */
export interface Hold {
  /** as it is now */
  readonly entry: QuarantineEntry
  /** an earlier holder did not end it: he may have delivered what he could not strike off */
  readonly abandoned: boolean
  /** False where it was lost; nothing may be done with the entry then. */
  renew(): boolean
  /** Resolves when it is on disk that these had it. */
  strike(delivered: readonly EnvelopePath[]): Promise<void>
  /** Resolves when the entry is gone for good. */
  remove(): Promise<void>
  /** Idempotent, also after `remove`; tells trouble in the log. */
  end(): void
}

/** Removed in one step; a worker that has more calls again. */
const EXPIRE_COUNT = 200
const STRAY_MS = 3_600_000
const MAX_NAMED = 10
const MAX_LOGGED_RECIPIENTS = 20

export class Quarantine {
  /** may be changed at any time, for a reload */
  bounds: QuarantineBounds
  readonly #index: QuarantineIndex
  readonly #files: QuarantineFiles
  readonly #running: RunningTime
  readonly #log: Log
  readonly #now: () => number

  /** @param state the state directory, which is there */
  constructor(state: string, bounds: QuarantineBounds, context: QuarantineContext) {
    this.bounds = bounds
    this.#index = new QuarantineIndex(context.database, context.now)
    this.#files = new QuarantineFiles(state, context.files, context.log)
    this.#running = new RunningTime(context.database, 'quarantine')
    this.#log = context.log
    this.#now = context.now
  }

  async keep(facts: QuarantineFacts, message: OutgoingMessage): Promise<KeepOutcome> {
    const { id } = facts
    if (!isQuarantineId(id)) throw new Error(`not an ID for the quarantine: ${JSON.stringify(id)}`)
    const { chunked, binary } = message
    const entry: QuarantineEntry = { ...facts, delivered: [], size: outgoingSize(message), chunked, binary }
    const encoded = Buffer.from(encodeEntry(entry), 'utf8')
    if (encoded.length > MAX_FACTS_BYTES) throw new Error(`the envelope of ${id} is ${encoded.length} bytes, ${MAX_FACTS_BYTES} are allowed`)
    const bytes = entry.size + encoded.length
    if (inDatabase(() => this.#index.has(id))) throw new Error(`${id} is in the quarantine already`)
    if (!this.#hasRoom(bytes)) {
      await this.expire(this.#now())
      if (!this.#hasRoom(bytes)) return this.#full()
    }
    await this.#files.place(id, encoded, message)
    try {
      const insertion = inDatabase(() => this.#index.insert(entry, bytes, { maxBytes: this.bounds.maxBytes, ran: this.#running.look(this.#now()) }))
      // `there`: another process was tidying and found the files before we came to the row.
      if (insertion !== 'full') return { status: 'kept' }
    } catch (error) {
      await this.#files.takeBack(id)
      throw error
    }
    // Somebody else took the room meanwhile.
    await this.#files.takeBack(id)
    return this.#full()
  }

  /** Newest first. */
  list(filter: QuarantineFilter, limit: number): readonly QuarantineEntry[] {
    const found: QuarantineEntry[] = []
    for (const entry of this.entries(filter)) if (found.push(entry) >= limit) break
    return found
  }

  /** The same, each as it is asked for; end it before anything is changed. */
  entries(filter: QuarantineFilter): Generator<QuarantineEntry, void> {
    return this.#index.entries(filter)
  }

  /** Bytes of all that is kept. */
  bytes(): number {
    return this.#index.bytes()
  }

  /** By its ID, or the beginning of it, in any case. */
  async find(idOrPrefix: string): Promise<FindOutcome> {
    const key = idOrPrefix.toUpperCase()
    if (!isQuarantineId(key)) return { status: 'none' }
    const exact = await this.#load(key)
    if (exact !== undefined) return { status: 'found', entry: exact }
    const ids = this.#index.startingWith(key, MAX_NAMED)
    const [only, another] = ids
    if (only === undefined) return { status: 'none' }
    if (another !== undefined) return { status: 'ambiguous', ids }
    const entry = await this.#load(only)
    return entry === undefined ? { status: 'none' } : { status: 'found', entry }
  }

  /** The message with all that the gateway put on top; discard it when it was read. */
  read({ id, size }: QuarantineEntry): Promise<StoredMessage> {
    return this.#files.openMessage(id, size)
  }

  async hold(id: string): Promise<HoldOutcome> {
    // Takes an entry that has lost its row into the index.
    if ((await this.#load(id)) === undefined) return { status: 'none' }
    const attempt = this.#index.hold(id)
    if (attempt.status !== 'held') return attempt
    try {
      const entry = await this.#load(id)
      if (entry !== undefined) return { status: 'held', hold: this.#held(entry, attempt.holder, attempt.abandoned) }
    } catch (error) {
      this.#unhold(id, attempt.holder)
      throw error
    }
    // Removed between the two looks: its row goes too.
    this.#index.delete([id])
    return { status: 'none' }
  }

  /** Also one whose facts cannot be understood. */
  async remove(id: string): Promise<RemoveOutcome> {
    if (!isQuarantineId(id)) return { status: 'none' }
    const attempt = this.#index.hold(id)
    if (attempt.status === 'busy') return attempt
    try {
      const there = (await this.#files.readFacts(id)) !== undefined
      if (there) await this.#files.remove([id])
      this.#index.delete([id])
      return { status: there ? 'removed' : 'none' }
    } catch (error) {
      if (attempt.status === 'held') this.#unhold(id, attempt.holder)
      throw error
    }
  }

  /** Removes some of what is too old; how many. Its age is the time for which gateways have run since (running-time.ts). Call it now and then. Never rejects: trouble is in the log. */
  async expire(nowMs: number): Promise<number> {
    const held: { readonly id: string; readonly holder: string }[] = []
    try {
      const ran = this.#running.look(nowMs)
      const aged = this.#index.before(ran - this.bounds.maxAgeMs, EXPIRE_COUNT)
      for (const { id } of aged) {
        const attempt = this.#index.hold(id)
        if (attempt.status === 'held') held.push({ id, holder: attempt.holder })
      }
      const ids = held.map(({ id }) => id)
      await this.#files.remove(ids)
      this.#index.delete(ids)
      held.length = 0
      for (const { id, ran: since, from, rcpts } of aged) {
        if (ids.includes(id)) this.#log.warn({ id, from, rcpts: rcpts.slice(0, MAX_LOGGED_RECIPIENTS), keptMs: ran - since }, 'removed from the quarantine: too old')
      }
      return ids.length
    } catch (error) {
      this.#tell(error, 'cannot remove what is too old in the quarantine')
      return 0
    } finally {
      for (const { id, holder } of held) this.#unhold(id, holder)
    }
  }

  /**
   * Makes the index what the files are, and sweeps what a crash left behind. For
   * the start, and now and then. Never rejects: trouble is in the log.
   */
  async tidy(nowMs: number): Promise<void> {
    try {
      // Rows first: a row without files was removed meanwhile, never made meanwhile.
      const rows = new Set(this.#index.all())
      const found = await this.#files.list()
      const having = (kind: FoundFile['kind']): Set<string | undefined> => new Set(found.filter((file) => file.kind === kind).map(({ id }) => id))
      const messages = having('message')
      const facts = having('facts')
      for (const file of found) {
        const whole = messages.has(file.id) && facts.has(file.id)
        if (file.kind === 'facts' && file.id !== undefined && whole && !rows.has(file.id)) await this.#adopt(file.id)
        if (file.kind === 'temporary' || (file.kind === 'message' && !whole) || (file.kind === 'facts' && !whole)) await this.#sweep(file, nowMs)
      }
      this.#index.delete([...rows].filter((id) => !facts.has(id)))
    } catch (error) {
      this.#tell(error, 'cannot tidy the quarantine')
    }
  }

  async #adopt(id: string): Promise<void> {
    try {
      if ((await this.#load(id)) !== undefined) this.#log.info({ id }, 'a message in the quarantine that the database did not know')
    } catch (error) {
      // One that is damaged does not keep the others out.
      this.#tell(error, 'a message in the quarantine cannot be read')
    }
  }

  async #sweep(file: FoundFile, nowMs: number): Promise<void> {
    const ageMs = await this.#files.ageMs(file, nowMs)
    if (ageMs === undefined || ageMs < STRAY_MS) return
    await this.#files.removeStray(file)
    this.#log.info({ file: file.name }, 'swept from the quarantine: part of a message that was never promised, or was removed')
  }

  /** The entry as it is on disk; its row is made where it is missing. */
  async #load(id: string): Promise<QuarantineEntry | undefined> {
    if (!isQuarantineId(id)) return undefined
    const text = await this.#files.readFacts(id)
    if (text === undefined) return undefined
    let entry: QuarantineEntry
    try {
      entry = decodeEntry(text)
      if (entry.id !== id) throw new Error(`it is that of ${entry.id}`)
    } catch (error) {
      throw new QuarantineError('understand', `${this.#files.directory}/${id}.json`, error)
    }
    if (!this.#index.has(id)) {
      this.#index.insert(entry, entry.size + Buffer.byteLength(text), { maxBytes: Number.MAX_SAFE_INTEGER, ran: this.#running.look(this.#now()) })
      // Removed by somebody while we looked: then no row either.
      if ((await this.#files.readFacts(id)) === undefined) {
        this.#index.delete([id])
        return undefined
      }
    }
    return entry
  }

  #held(first: QuarantineEntry, holder: string, abandoned: boolean): Hold {
    const { id } = first
    let entry = first
    let ended = false
    return {
      get entry() {
        return entry
      },
      abandoned,
      renew: () => !ended && this.#index.renew(id, holder),
      strike: async (delivered) => {
        const next = { ...entry, recipients: entry.recipients.filter((one) => !delivered.includes(one)), delivered: [...entry.delivered, ...delivered] }
        await this.#files.replaceFacts(id, Buffer.from(encodeEntry(next), 'utf8'))
        entry = next
        this.#show(next)
      },
      remove: async () => {
        await this.#files.remove([id])
        ended = true
        this.#index.delete([id])
      },
      end: () => {
        if (!ended) this.#unhold(id, holder)
        ended = true
      },
    }
  }

  /** The file has it already; the row is for lists only. */
  #show(entry: QuarantineEntry): void {
    try {
      this.#index.update(entry)
    } catch (error) {
      this.#tell(error, 'a list of the quarantine does not show who had a message')
    }
  }

  #unhold(id: string, holder: string): void {
    try {
      this.#index.unhold(id, holder)
    } catch (error) {
      this.#tell(error, 'a hold in the quarantine stays until it ends by itself')
    }
  }

  #hasRoom(bytes: number): boolean {
    return inDatabase(() => this.#index.bytes()) + bytes <= this.bounds.maxBytes
  }

  #full(): KeepOutcome {
    return { status: 'full', bytes: inDatabase(() => this.#index.bytes()), maxBytes: this.bounds.maxBytes }
  }

  #tell(error: unknown, text: string): void {
    this.#log.error({ cause: error instanceof Error ? error.message : String(error) }, text)
  }
}

function inDatabase<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw new QuarantineError('use', 'the database of the quarantine', error)
  }
}
