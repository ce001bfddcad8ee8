/**
 * The only place where a received message changes: whole fields are left out,
 * whole fields are replaced, fields are put on top. The result is what a next
 * hop takes (`OutgoingMessage`). No byte outside the named fields changes,
 * nothing is copied, and a message in a file is read from there again.
 *
 * One thing goes without being named: lines on top that continue nothing
 * (RFC 5322 §2.2.3), where fields are put above them. They would continue the
 * last of our fields, and so a stranger could write into our
 * Authentication-Results.
 *
 * Throws for mistakes of the caller only: a field that is not there, a prefix
 * or a replacement that is no whole field, a section of another message.
 */
import { lineEndOf } from './header-field.ts'
import type { HeaderSection } from './header-section.ts'
import type { StoredMessage } from './message.ts'

export interface FieldReplacement {
  readonly index: number
  /** all of the new field, from its name to its line end */
  readonly raw: Buffer
}

export interface Edits {
  /** whole fields for the top, each ended by CRLF; may be empty */
  readonly prefix: Buffer
  /** indexes of fields, in any order */
  readonly remove?: readonly number[]
  readonly replace?: readonly FieldReplacement[]
}

export interface EditedMessage {
  readonly prefix: Buffer
  /** the very message that was given, where nothing in it is removed or replaced */
  readonly body: StoredMessage
}

/** `section` is that of `body`. The message made lives as long as `body`: to discard either discards both. */
export function editMessage(body: StoredMessage, section: HeaderSection, edits: Edits): EditedMessage {
  const { prefix } = edits
  if (section.end > body.size) throw new RangeError(`a header section of ${section.end} bytes in a message of ${body.size}`)
  if (prefix.length > 0 && lineEndOf(prefix).length !== 2) throw new TypeError('a prefix must end with CRLF')
  const cuts = cutsOf(section, edits)
  return { prefix, body: cuts.length === 0 ? body : new EditedBody(body, cuts) }
}

/** From `start` to `end` other bytes stand, or none. */
interface Cut {
  readonly start: number
  readonly end: number
  readonly insert: Buffer
}

const NOTHING = Buffer.alloc(0)

/** In order, without overlap. */
function cutsOf(section: HeaderSection, { prefix, remove = [], replace = [] }: Edits): Cut[] {
  const inserts = new Map<number, Buffer>()
  for (const index of remove) inserts.set(index, NOTHING)
  for (const { index, raw } of replace) {
    if (inserts.has(index)) throw new TypeError(`field ${index} is edited twice`)
    inserts.set(index, raw)
  }
  const cuts: Cut[] = []
  if (prefix.length > 0 && section.leadingContinuationEnd > 0) cuts.push({ start: 0, end: section.leadingContinuationEnd, insert: NOTHING })
  for (const [index, insert] of [...inserts].sort(([a], [b]) => a - b)) {
    const field = section.fields[index]
    if (field === undefined) throw new RangeError(`no field ${index} among ${section.fields.length}`)
    if (insert.length > 0 && !lineEndOf(insert).equals(lineEndOf(field.raw))) throw new TypeError(`the replacement of field ${index} ends in another way`)
    cuts.push({ start: field.start, end: field.end, insert })
  }
  return cuts
}

const MAX_CHUNK_BYTES = 64 * 1024

/** A view over the message: holds nothing of it. */
class EditedBody implements StoredMessage {
  readonly size: number
  private readonly original: StoredMessage
  private readonly cuts: readonly Cut[]

  constructor(original: StoredMessage, cuts: readonly Cut[]) {
    this.original = original
    this.cuts = cuts
    this.size = cuts.reduce((size, { start, end, insert }) => size - (end - start) + insert.length, original.size)
  }

  /** Made anew each time, so that a discarded message is not held by it. */
  get memory(): readonly Buffer[] | null {
    if (this.original.memory === null) return null
    const splicer = new Splicer(this.cuts)
    return this.original.memory.flatMap((piece) => splicer.feed(piece))
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const splicer = new Splicer(this.cuts)
    for await (const piece of this.original.chunks()) {
      for (const part of splicer.feed(piece)) {
        if (part.length <= MAX_CHUNK_BYTES || part === piece) yield part
        else for (let at = 0; at < part.length; at += MAX_CHUNK_BYTES) yield part.subarray(at, at + MAX_CHUNK_BYTES)
      }
    }
  }

  discard(): void {
    this.original.discard()
  }
}

/** Is fed the original in pieces of any size, gives the edited message. */
class Splicer {
  private readonly cuts: readonly Cut[]
  /** the cut that comes next, or that is under way */
  private next = 0
  /** offset of the next piece */
  private offset = 0

  constructor(cuts: readonly Cut[]) {
    this.cuts = cuts
  }

  feed(piece: Buffer): Buffer[] {
    const parts: Buffer[] = []
    let kept = 0
    for (let cut = this.cuts[this.next]; cut !== undefined && cut.start < this.offset + piece.length; cut = this.cuts[this.next]) {
      const start = cut.start - this.offset
      if (start > kept) parts.push(piece.subarray(kept, start))
      // A cut that began in an earlier piece has its bytes already.
      if (start >= 0 && cut.insert.length > 0) parts.push(cut.insert)
      kept = Math.min(piece.length, cut.end - this.offset)
      if (cut.end > this.offset + piece.length) break
      this.next++
    }
    this.offset += piece.length
    if (kept === 0) parts.push(piece)
    else if (kept < piece.length) parts.push(piece.subarray(kept))
    return parts
  }
}
