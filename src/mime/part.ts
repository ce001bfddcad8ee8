/**
 * One part while it is read: first its header, then its content as it stands,
 * at the end the content decoded and, of texts, in its character set. What goes
 * wrong is a defect of the part.
 */
import { charsetReading, isWide } from './charset-names.ts'
import { charsetText } from './charset-text.ts'
import { readContentFields } from './content-fields.ts'
import { EndBytes } from './end-bytes.ts'
import { HeldBytes, ownBytes } from './held-bytes.ts'
import type { MimeDefect, MimeField, MimePart } from './message-parts.ts'
import { decodeEnd, encodedRoom, isKnownEncoding, undoTransfer } from './transfer-encoding.ts'
import type { HeldKind, MimeBudget } from './limits.ts'

/**
 * - leaf: has content
 * - multipart: has parts behind delimiters
 * - message: a message stands in it as it is
 * - encoded-message: a message in base64 or the like (against RFC 2045 §6.4; mail programs read it)
 */
export type PartKind = 'leaf' | 'multipart' | 'message' | 'encoded-message'

const MESSAGES: ReadonlySet<string> = new Set(['message/rfc822', 'message/global', 'message/news', 'message/partial', 'message/external-body', 'message/rfc2822', 'message/global-headers-body'])

export class Part implements MimePart {
  readonly parent: number
  readonly depth: number
  fields: readonly MimeField[] = []
  type: string
  parameters: ReadonlyMap<string, string> = NO_PARAMETERS
  disposition: string | undefined = undefined
  fileName: string | undefined = undefined
  encoding = '7bit'
  charset: string | undefined = undefined
  encodedBytes = 0
  content: Buffer = EMPTY
  truncated = false
  text: string | undefined = undefined
  readonly defects: MimeDefect[] = []

  constructor(parent: number, depth: number, type: string) {
    this.parent = parent
    this.depth = depth
    this.type = type
  }

  note(defect: MimeDefect): void {
    if (!this.defects.includes(defect)) this.defects.push(defect)
  }
}

export class PartReading {
  readonly part: Part
  readonly index: number
  kind: PartKind = 'leaf'
  boundaries: readonly string[] = []
  /** the content is read for the second time, by a boundary or in an encoding that was made out of it */
  guessed = false
  /** it is kept only if it turns out to be text that is shown: there are as many parts as there may be, or it lies too deep */
  spare = false
  /** the content is in one of them */
  private encodings: readonly string[] = ['7bit']
  /** it is not the bytes themselves that stand in the message */
  decodes = false
  private readonly budget: MimeBudget
  private readonly held = new HeldBytes()
  /** of a text: what did not fit into `held`, and how much of its end may be kept */
  private end: EndBytes | undefined
  private endRoom = 0
  private most: number | undefined

  constructor(part: Part, index: number, budget: MimeBudget) {
    this.part = part
    this.index = index
    this.budget = budget
  }

  /**
   * `content`: the Content fields, also where they are beyond the bounds of
   * `fields`. `nested`: multiparts and messages that are open around it.
   */
  header(fields: readonly MimeField[], content: readonly MimeField[], nested: number): void {
    const { part, budget: { limits } } = this
    part.fields = fields
    if (content.length > 0) {
      const said = readContentFields(content, part.type)
      part.type = said.type
      part.parameters = said.parameters
      part.disposition = said.disposition
      part.fileName = said.fileName
      part.encoding = said.encoding
      part.charset = said.charset
      this.encodings = [said.encoding, ...said.otherEncodings.filter(isKnownEncoding)]
      this.decodes = this.encodings.some(decodes)
      this.boundaries = said.boundaries
      for (const defect of said.defects) part.note(defect)
    }
    this.kind = kindOf(part, this.decodes)
    if (this.kind !== 'leaf' && (this.spare || part.depth >= limits.maxDepth)) {
      part.note('too-deep')
      // What has to be decoded would be read by a reader of its own.
      if (this.decodes || nested >= limits.maxDepth * NESTED_SPARE) this.kind = 'leaf'
      this.guessed = true
    }
    if (!isKnownEncoding(part.encoding)) part.note('unknown-encoding')
    else if (this.decodes && (this.kind === 'multipart' || this.kind === 'encoded-message')) part.note('encoded-multipart')
  }

  /** Content as it stands in the message; kept as far as the bounds go. Of a text its end is, too. */
  hold(bytes: Buffer): void {
    if (this.spare && this.kind === 'leaf' && !isShown(this.part)) return
    const textual = this.kind !== 'leaf' || isText(this.part)
    if (this.kind === 'leaf' && textual && this.end === undefined) {
      this.endRoom = this.budget.hold(Math.min(MAX_END_BYTES, Math.floor(this.budget.limits.maxTextBytes / END_SHARE)), this.heldKind)
      this.end = new EndBytes(this.endRoom)
    }
    const room = Math.max(0, (this.most ??= this.mostEncoded(textual)) - this.held.length)
    const kept = this.part.truncated ? 0 : this.budget.hold(Math.min(bytes.length, room), this.heldKind)
    this.held.append(kept === bytes.length ? bytes : bytes.subarray(0, kept))
    if (kept === bytes.length) return
    this.part.truncated = true
    this.end?.append(bytes.subarray(kept))
  }

  /** How many bytes are kept as they stand in the message. */
  private mostEncoded(textual: boolean): number {
    const { maxTextBytes, maxOtherBytes } = this.budget.limits
    return Math.max(...this.encodings.map((encoding) => encodedRoom(encoding, textual ? maxTextBytes : maxOtherBytes)))
  }

  private get heldKind(): HeldKind {
    if (this.kind !== 'leaf' || this.part.type === 'text/plain') return 'plain'
    return this.part.type === 'text/html' ? 'html' : 'other'
  }

  /** What was held is of no use: the preamble of a multipart. */
  drop(): void {
    this.letGo()
    this.part.truncated = false
  }

  private letGo(): void {
    this.budget.giveBack(this.held.length + this.endRoom, this.heldKind)
    this.held.clear()
    this.endRoom = 0
    this.end = undefined
  }

  /** What was held, decoded; it is held no longer. */
  decoded(): Buffer {
    const bytes = this.content()
    this.letGo()
    return bytes
  }

  /** What was held, decoded; it is held from now on as the content. */
  private content(): Buffer {
    const { part } = this
    const held = this.held.take()
    const { bytes, broken, encoding } = undoTransfer(held, this.encodings, isText(part))
    part.encoding = encoding
    if (broken) part.note('broken-encoding')
    return ownBytes(bytes, held)
  }

  /** The end of a text that is too long for its bounds, decoded; where nothing is missing before it, it is put to the rest. */
  private contentEnd(): Buffer {
    const { end, part, endRoom } = this
    this.end = undefined
    if (end === undefined || end.length === 0) {
      this.budget.giveBack(endRoom, this.heldKind)
      this.endRoom = 0
      return EMPTY
    }
    const bytes = end.take()
    if (bytes.length === end.length) {
      this.held.append(bytes)
      part.truncated = false
      return EMPTY
    }
    return decodeEnd(bytes, this.encodings[0] ?? '7bit')
  }

  /** The same multipart, to be read out of its decoded content. */
  ofDecoded(boundaries: readonly string[]): PartReading {
    const again = new PartReading(this.part, this.index, this.budget)
    again.kind = 'multipart'
    again.spare = this.spare
    again.boundaries = boundaries
    again.guessed = boundaries !== this.boundaries
    return again
  }

  /** All that is kept of the content was held, or is given. */
  finish(given?: Buffer): void {
    const { part, budget: { limits } } = this
    const text = isText(part)
    const most = text ? limits.maxTextBytes : limits.maxOtherBytes
    const held = given === undefined ? this.contentEnd() : EMPTY
    const bytes = given ?? this.content()
    const end = bytes.length > most && text && held.length === 0 ? bytes.subarray(bytes.length - Math.min(MAX_END_BYTES, Math.floor(most / END_SHARE))) : held
    if (bytes.length > most) part.truncated = true
    // A line end stands where something is left out.
    const start = bytes.subarray(0, end.length === 0 ? most : most - end.length - 1)
    part.content = end.length === 0 ? start : Buffer.concat([start, LINE_FEED, end])
    if (!text) return
    if (part.truncated) part.note('too-long')
    const charset = part.charset ?? htmlCharset(part)
    const { text: read, defect } = charsetText(start, charset, part.truncated)
    part.text = end.length === 0 ? read : `${read}\n${charsetText(end, charset, true).text}`
    if (defect !== undefined) part.note(defect)
  }
}

const EMPTY = Buffer.alloc(0)
const LINE_FEED = Buffer.from('\n')
/** Of a text that is too long so much is kept of its end, or a share of what may be kept of it. */
const MAX_END_BYTES = 64 * 1024
const END_SHARE = 16
const NO_PARAMETERS: ReadonlyMap<string, string> = new Map()

function kindOf(part: Part, encoded: boolean): PartKind {
  if (part.type.startsWith('multipart/')) return 'multipart'
  if (!MESSAGES.has(part.type)) return 'leaf'
  return encoded ? 'encoded-message' : 'message'
}

function decodes(encoding: string): boolean {
  return encodedRoom(encoding, 3) > 3
}

/** How many times the depth that is kept the search for text goes; nothing but open boundaries is remembered there. */
const NESTED_SPARE = 2

/** It may be the text of the message. */
export function isShown({ type }: Part): boolean {
  return type === 'text/plain' || type === 'text/html'
}

/** Reports in messages are shown as text. */
export function isText(part: Part): boolean {
  return part.type.startsWith('text/') || (part.type.startsWith('message/') && !MESSAGES.has(part.type))
}

/** HTML may say itself what it is written in; mail programs believe it where the field says nothing. */
function htmlCharset(part: Part): string | undefined {
  if (part.type !== 'text/html') return undefined
  const head = part.content.toString('latin1', 0, 2048)
  const said = /<meta\s[^>]{0,200}?charset\s{0,10}=\s{0,10}["']?([\w.:-]{2,40})/i.exec(head)?.[1]?.toLowerCase()
  // Written in one of these it could not be read so far.
  const reading = said === undefined ? undefined : charsetReading(said)
  return isWide(reading) || reading === 'utf-7' ? undefined : said
}
