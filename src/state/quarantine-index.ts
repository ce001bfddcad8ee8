/**
 * The quarantine's rows: an index of its files, so that one is found among
 * thousands without opening them, and the holds that keep two from working on one entry.
 *
 * A hold ends by itself after a minute unless it is renewed: whoever dies with
 * one does not keep the entry for ever. All calls are short, single statements,
 * and throw what SQLite throws.
 */
import { randomBytes } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { decodeEntry, encodeEntry, readablePath, type QuarantineEntry } from './quarantine-entry.ts'

export interface QuarantineFilter {
  /** a part of the address, in any case */
  readonly sender?: string | undefined
  /** a part of the address of somebody who has not had it */
  readonly recipient?: string | undefined
  /** milliseconds since 1970 */
  readonly since?: number | undefined
}

export type Insertion = 'inserted' | 'there' | 'full'

export type HoldAttempt =
  /** abandoned: somebody held it before and did not say that he had ended */
  | { readonly status: 'held'; readonly holder: string; readonly abandoned: boolean }
  | { readonly status: 'busy'; readonly untilMs: number }
  | { readonly status: 'none' }

/** What the log says of one that is removed. */
export interface AgedEntry {
  readonly id: string
  /** for how long gateways had run when it came */
  readonly ran: number
  readonly from: string
  readonly rcpts: readonly string[]
}

/** Renew a hold several times within this. */
export const HOLD_MS = 60_000
/** What ends so much later was made before the clock was set back: it is none. Who waited for the database comes with a clock that is behind, but not by so much. */
const AHEAD = 2

export class QuarantineIndex {
  readonly #database: DatabaseSync
  readonly #now: () => number
  readonly #insert: StatementSync
  readonly #has: StatementSync

  constructor(database: DatabaseSync, nowMs: () => number) {
    this.#database = database
    this.#now = nowMs
    // The sum is taken under the lock of the write: two workers never take the same room.
    this.#insert = database.prepare(`INSERT INTO quarantine (id, at, bytes, sender, recipients, entry, ran)
      SELECT :id, :at, :bytes, :sender, :recipients, :entry, :ran WHERE (SELECT coalesce(sum(bytes), 0) FROM quarantine) + :bytes <= :maxBytes
      ON CONFLICT (id) DO NOTHING`)
    this.#has = database.prepare('SELECT 1 FROM quarantine WHERE id = ?')
  }

  has(id: string): boolean {
    return this.#has.get(id) !== undefined
  }

  /** Bytes of all files. */
  bytes(): number {
    return Number(this.#database.prepare('SELECT coalesce(sum(bytes), 0) AS n FROM quarantine').get()?.['n'])
  }

  /** @param ran for how long gateways have run by now */
  insert(entry: QuarantineEntry, bytes: number, { maxBytes, ran }: { readonly maxBytes: number; readonly ran: number }): Insertion {
    const { id, at } = entry
    const { changes } = this.#insert.run({ id, at, bytes, ...searchable(entry), entry: encodeEntry(entry), maxBytes, ran })
    if (Number(changes) > 0) return 'inserted'
    return this.has(id) ? 'there' : 'full'
  }

  update(entry: QuarantineEntry): void {
    const { sender, recipients } = searchable(entry)
    this.#database.prepare('UPDATE quarantine SET sender = ?, recipients = ?, entry = ? WHERE id = ?').run(sender, recipients, encodeEntry(entry), entry.id)
  }

  delete(ids: readonly string[]): void {
    const statement = this.#database.prepare('DELETE FROM quarantine WHERE id = ?')
    for (const id of ids) statement.run(id)
  }

  /** Newest first, each as it is asked for. */
  *entries({ sender, recipient, since }: QuarantineFilter): Generator<QuarantineEntry, void> {
    const rows = this.#database.prepare(`SELECT entry FROM quarantine
      WHERE at >= :since AND (:sender = '' OR instr(sender, :sender) > 0) AND (:recipient = '' OR instr(recipients, :recipient) > 0)
      ORDER BY at DESC, id`).iterate({ since: since ?? 0, sender: sender?.toLowerCase() ?? '', recipient: recipient?.toLowerCase() ?? '' })
    for (const { entry } of rows) yield decodeEntry(String(entry))
  }

  startingWith(prefix: string, limit: number): readonly string[] {
    // IDs are ASCII: everything that begins so lies between the two.
    return this.#ids('SELECT id FROM quarantine WHERE id >= ? AND id < ? ORDER BY id LIMIT ?', prefix, `${prefix}\x7f`, limit)
  }

  /** Those that were there when gateways had run for no longer than this; the oldest first. */
  before(ran: number, limit: number): readonly AgedEntry[] {
    const rows = this.#database.prepare('SELECT id, ran, sender, recipients FROM quarantine WHERE ran < ? ORDER BY ran, at LIMIT ?').all(ran, limit)
    return rows.map(({ id, ran: since, sender, recipients }) => ({ id: String(id), ran: Number(since), from: String(sender), rcpts: String(recipients).split('\n') }))
  }

  all(): readonly string[] {
    return this.#ids('SELECT id FROM quarantine')
  }

  /* --- holds --- */

  hold(id: string): HoldAttempt {
    const now = this.#now()
    const row = this.#database.prepare('SELECT holder, held_until FROM quarantine WHERE id = ?').get(id)
    if (row === undefined) return { status: 'none' }
    const holder = randomBytes(12).toString('hex')
    const taken = this.#database.prepare('UPDATE quarantine SET holder = :holder, held_until = :until WHERE id = :id AND (holder IS NULL OR held_until <= :now OR held_until > :ahead)')
      .run({ holder, until: now + HOLD_MS, id, now, ahead: now + AHEAD * HOLD_MS })
    if (Number(taken.changes) > 0) return { status: 'held', holder, abandoned: row['holder'] !== null }
    const other = this.#database.prepare('SELECT held_until FROM quarantine WHERE id = ?').get(id)
    return other === undefined ? { status: 'none' } : { status: 'busy', untilMs: Number(other['held_until']) }
  }

  /** False where it is somebody else's by now. */
  renew(id: string, holder: string): boolean {
    return Number(this.#database.prepare('UPDATE quarantine SET held_until = ? WHERE id = ? AND holder = ?').run(this.#now() + HOLD_MS, id, holder).changes) > 0
  }

  unhold(id: string, holder: string): void {
    this.#database.prepare('UPDATE quarantine SET holder = NULL, held_until = NULL WHERE id = ? AND holder = ?').run(id, holder)
  }

  #ids(sql: string, ...values: (string | number)[]): readonly string[] {
    return this.#database.prepare(sql).all(...values).map(({ id }) => String(id))
  }
}

function searchable({ sender, recipients }: QuarantineEntry): { readonly sender: string; readonly recipients: string } {
  return { sender: readablePath(sender).toLowerCase(), recipients: recipients.map((one) => readablePath(one).toLowerCase()).join('\n') }
}
