/**
 * Reads the header section of a message (RFC 5322 §2.2, §3.6, §4.5) without
 * changing it: fields in order with their bytes and offsets, where the body
 * begins, and what is wrong with the section. No I/O but in
 * `readHeaderSection`, which rejects where the message cannot be read.
 *
 * Readers of mail do not agree on a broken section, and who forges a field
 * builds on that. So this one errs on the side of seeing too many fields: the
 * section ends at the first empty line that true CR LF makes, and nowhere else.
 * A line that is no field is passed over, and fields behind it count; a bare CR
 * or LF ends a line; a fold may stand before the colon. Each of these is an
 * anomaly, and whoever decides may refuse the message for it.
 *
 * At most `maxBytes` and `maxFields` are looked at. What lies beyond is body to
 * us, though others may find fields there: `truncated` says so.
 */
import type { HeaderField } from './header-field.ts'
import type { StoredMessage } from './message.ts'

export const MAX_HEADER_BYTES = 1024 * 1024
export const MAX_HEADER_FIELDS = 10_000
/** RFC 5322 §2.1.1, without CR LF */
const MAX_LINE_BYTES = 998

export interface HeaderLimits {
  readonly maxBytes: number
  /** fields, and lines that are none */
  readonly maxFields: number
}

const LIMITS: HeaderLimits = { maxBytes: MAX_HEADER_BYTES, maxFields: MAX_HEADER_FIELDS }

export type AnomalyKind =
  /** the message ends without an empty line; it has no body */
  | 'no-empty-line'
  /** a line without a colon, or with something before it that is no name */
  | 'not-a-field'
  /** the first line begins with a blank: it would continue whatever is put on top */
  | 'leading-continuation'
  /** RFC 5322 §4.5 (obsolete), or a fold there, which is not even that */
  | 'space-before-colon'
  /** a folded line with nothing but blanks (§3.2.2), which some take for the empty line */
  | 'blank-continuation'
  /** CR or LF that stands alone (§2.2) */
  | 'bare-line-end'
  | 'nul'
  /** bytes outside ASCII; fine in a message with SMTPUTF8 (RFC 6532) */
  | 'eight-bit'
  /** more than 998 bytes (§2.1.1) */
  | 'long-line'
  /** more than one From (§3.6) */
  | 'duplicate-from'
  /** another field that may stand only once, more than once (§3.6) */
  | 'duplicate-field'
  | 'missing-from'
  | 'missing-date'

export interface Anomaly {
  readonly count: number
  /** offset in the message of the first one; where something is missing, the end of the section */
  readonly offset: number
}

export interface HeaderSection {
  readonly fields: readonly HeaderField[]
  /** offset behind the lines that the message begins with and that continue nothing; 0 where there are none */
  readonly leadingContinuationEnd: number
  /** offset behind the last line of the section: of the empty line, or of what was not looked at */
  readonly end: number
  /** offset behind the empty line; `end` where there is none */
  readonly bodyStart: number
  /** which limit cut the section, if one did */
  readonly truncated: 'bytes' | 'fields' | null
  readonly anomalies: ReadonlyMap<AnomalyKind, Anomaly>
}

export function fieldsNamed(section: HeaderSection, key: string): HeaderField[] {
  return section.fields.filter((field) => field.key === key)
}

/** Reads no more of the message than its header section. */
export async function readHeaderSection(body: StoredMessage, limits: HeaderLimits = LIMITS): Promise<HeaderSection> {
  const reader = new HeaderSectionReader(limits)
  if (body.memory !== null) {
    for (const piece of body.memory) if (reader.feed(piece)) break
    return reader.finish()
  }
  for await (const piece of body.chunks()) if (reader.feed(piece)) break
  return reader.finish()
}

const CR = 0x0d
const LF = 0x0a

/** Is fed a message in pieces of any size, until it has enough. */
export class HeaderSectionReader {
  private readonly limits: HeaderLimits
  private readonly pieces: Buffer[] = []
  private bytes = 0
  private more = false
  private emptyLine = false
  /** bytes of CR LF CR LF seen last; the start of a message is like the end of a line */
  private matched = 2

  constructor(limits: HeaderLimits = LIMITS) {
    this.limits = limits
  }

  /** True where no more is needed. */
  feed(piece: Buffer): boolean {
    if (this.emptyLine || this.more) return true
    const room = this.limits.maxBytes - this.bytes
    const looked = piece.length > room ? piece.subarray(0, room) : piece
    const end = this.findEnd(looked)
    this.emptyLine = end !== null
    this.pieces.push(looked.subarray(0, end ?? looked.length))
    this.bytes += end ?? looked.length
    this.more = end === null && looked.length < piece.length
    return end !== null || this.more
  }

  /** The section, as far as it was fed. */
  finish(): HeaderSection {
    const [first] = this.pieces
    const bytes = this.pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.pieces)
    return new SectionParser(bytes, this.limits).parse(this.emptyLine, this.more)
  }

  /** Offset behind the empty line; null where it does not end in this piece. */
  private findEnd(piece: Buffer): number | null {
    for (let at = 0; at < piece.length; at++) {
      const c = piece[at]
      if (c === LF && this.matched === 3) return at + 1
      if (c === LF && this.matched === 1) this.matched = 2
      else if (c === CR) this.matched = this.matched === 2 ? 3 : 1
      else {
        this.matched = 0
        const next = piece.indexOf(CR, at + 1)
        if (next < 0) return null
        at = next - 1
      }
    }
    return null
  }
}

/** RFC 5322 §3.6: those that may stand once; From is looked at by itself. */
const ONCE: ReadonlySet<string> = new Set(['date', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'message-id', 'in-reply-to', 'references', 'subject'])

class SectionParser {
  private readonly bytes: Buffer
  private readonly text: string
  private readonly maxFields: number
  private readonly fields: HeaderField[] = []
  private readonly anomalies = new Map<AnomalyKind, Anomaly>()
  private entries = 0
  private leadingContinuationEnd = 0
  /** the colon looked up last: a section of many lines without one is not searched to its end for each of them */
  private colon = -1
  /** has NUL or bytes outside ASCII anywhere */
  private readonly strange: boolean
  /** has a CR or LF that stands alone */
  private readonly bare: boolean

  constructor(bytes: Buffer, limits: HeaderLimits) {
    this.bytes = bytes
    this.text = bytes.toString('latin1')
    this.strange = /[\0\x80-\xff]/.test(this.text)
    this.bare = /\r(?!\n)|(?<!\r)\n/.test(this.text)
    this.maxFields = limits.maxFields
  }

  parse(emptyLine: boolean, more: boolean): HeaderSection {
    const limit = emptyLine ? this.bytes.length - 2 : this.bytes.length
    let truncated: HeaderSection['truncated'] = null
    let at = 0
    while (at < limit) {
      const end = this.entryEnd(at, limit)
      if (this.entries === this.maxFields) truncated = 'fields'
      // The last one may go on behind what was read.
      else if (more && end === limit) truncated = 'bytes'
      if (truncated !== null) break
      this.entry(at, end)
      at = end
    }
    // A limit of no bytes leaves no entry to be cut.
    if (more && truncated === null) truncated = 'bytes'
    if (!emptyLine && !more && truncated === null) this.note('no-empty-line', at)
    this.completeness(at)
    const bodyStart = truncated === null && emptyLine ? this.bytes.length : at
    const { fields, leadingContinuationEnd, anomalies } = this
    return { fields, leadingContinuationEnd, end: at, bodyStart, truncated, anomalies }
  }

  /** Offset behind the line at `from` and those that continue it. */
  private entryEnd(from: number, limit: number): number {
    let at = from
    do at = this.lineEnd(at, limit)
    while (at < limit && isBlank(this.text, at))
    return at
  }

  private entry(start: number, end: number): void {
    this.entries++
    this.looks(start, end)
    if (isBlank(this.text, start)) {
      this.note('leading-continuation', start)
      this.leadingContinuationEnd = end
      return
    }
    const colon = this.colonBehind(start)
    const before = colon >= end ? '' : this.text.slice(start, colon)
    const name = /^[\x21-\x39\x3b-\x7e]+/.exec(before)?.[0] ?? ''
    if (name === '' || !/^[ \t\r\n]*$/.test(before.slice(name.length))) {
      this.note('not-a-field', start)
      return
    }
    if (name.length < before.length) this.note('space-before-colon', start)
    const raw = this.bytes.subarray(start, end)
    const valueEnd = end - lineEndLength(this.text, start, end)
    const value = this.bytes.subarray(colon + 1, Math.max(colon + 1, valueEnd))
    this.fields.push({ index: this.fields.length, key: name.toLowerCase(), name, raw, value, start, end })
  }

  /** Behind the line end that comes next: CR LF, or one of them alone. */
  private lineEnd(from: number, limit: number): number {
    if (!this.bare) {
      const lf = this.text.indexOf('\n', from) + 1
      return lf === 0 ? limit : lf
    }
    for (let at = from; at < limit; at++) {
      const c = this.text.charCodeAt(at)
      if (c === LF) return at + 1
      if (c === CR) return at + 1 < limit && this.text.charCodeAt(at + 1) === LF ? at + 2 : at + 1
    }
    return limit
  }

  /** The next colon, or the end of the text. */
  private colonBehind(start: number): number {
    if (this.colon < start) {
      const found = this.text.indexOf(':', start)
      this.colon = found < 0 ? this.text.length : found
    }
    return this.colon
  }

  /** Faults of bytes and lines, in whatever kind of entry. */
  private looks(start: number, end: number): void {
    for (let at = start; at < end;) {
      const next = this.lineEnd(at, end)
      const ending = lineEndLength(this.text, at, next)
      if (next - ending - at > MAX_LINE_BYTES) this.note('long-line', at)
      if (ending === 1) this.note('bare-line-end', next - 1)
      if (at > start && this.blanksFrom(at) >= next - ending) this.note('blank-continuation', at)
      if (this.strange) this.strangeBytes(this.text.slice(at, next - ending), at)
      at = next
    }
  }

  /** Behind the blanks that stand at `from`. */
  private blanksFrom(from: number): number {
    let at = from
    while (isBlank(this.text, at)) at++
    return at
  }

  private strangeBytes(line: string, start: number): void {
    const nul = line.indexOf('\0')
    if (nul >= 0) this.note('nul', start + nul)
    const eight = line.search(/[\x80-\xff]/)
    if (eight >= 0) this.note('eight-bit', start + eight)
  }

  private completeness(end: number): void {
    const seen = new Set<string>()
    for (const { key, start } of this.fields) {
      if (seen.has(key)) {
        if (key === 'from') this.note('duplicate-from', start)
        else if (ONCE.has(key)) this.note('duplicate-field', start)
      }
      seen.add(key)
    }
    if (!seen.has('from')) this.note('missing-from', end)
    if (!seen.has('date')) this.note('missing-date', end)
  }

  private note(kind: AnomalyKind, offset: number): void {
    const before = this.anomalies.get(kind)
    this.anomalies.set(kind, before === undefined ? { count: 1, offset } : { count: before.count + 1, offset: before.offset })
  }
}

function lineEndLength(text: string, start: number, end: number): 0 | 1 | 2 {
  if (end === start) return 0
  const last = text.charCodeAt(end - 1)
  if (last === LF) return end - 1 > start && text.charCodeAt(end - 2) === CR ? 2 : 1
  return last === CR ? 1 : 0
}

function isBlank(text: string, at: number): boolean {
  const c = text.charCodeAt(at)
  return c === 0x20 || c === 0x09
}
