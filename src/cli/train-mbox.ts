/**
 * Takes an mbox apart (RFC 4155), byte for byte as it comes. A message begins
 * behind a line `From …` with a time of day in it, at the start or between an
 * empty line and a header field; other such lines are text. The `>` that quotes such a line inside of one is taken away, one
 * of them where there are several (mboxrd; in mboxo there is never more).
 *
 * Bounded: of a message that is larger than it may be only its size is kept, and
 * of others little more than their bytes, however many lines they have.
 */
export type MboxMessage =
  | { readonly status: 'read'; readonly bytes: Buffer }
  | { readonly status: 'too-large'; readonly size: number }

const LF = 0x0a
const CR = 0x0d
const SEPARATOR = /^From \S.*\d\d:\d\d/s
const FIELD = /^[!-9;-~]{1,100}[ \t]*:/
const QUOTED = /^>+From /
/** What is asked of a line stands in its beginning. */
const LINE_START = 200
/** A longer line is passed on in pieces. */
const MAX_LINE_BYTES = 64 * 1024
/** Lines are put together up to so many bytes: a short one on its own would take far more memory than it has bytes. */
const BLOCK_BYTES = 64 * 1024

/** Whether these bytes, the first of a file, are those of an mbox. */
export function looksLikeMbox(start: Buffer): boolean {
  const end = start.indexOf(LF)
  return SEPARATOR.test(start.toString('latin1', 0, Math.min(LINE_START, end < 0 ? start.length : end)))
}

export class MboxReader {
  readonly #maxBytes: number
  #rest: Buffer[] = []
  #restBytes = 0
  /** of the message, but for its last lines */
  #blocks: Buffer[] = []
  /** its last lines, and how many bytes they have */
  #block = Buffer.allocUnsafe(BLOCK_BYTES)
  #filled = 0
  #size = 0
  #inMessage = false
  /** the last line, which a message begins behind if this one is a field */
  #separator: Buffer | undefined
  /** the last line was empty, or there was none */
  #afterEmpty = true
  /** the last piece did not end its line */
  #midLine = false
  #done: MboxMessage[] = []

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Messages that are complete by now. */
  write(piece: Buffer): MboxMessage[] {
    let at = 0
    for (let end = piece.indexOf(LF); end >= 0; end = piece.indexOf(LF, at)) {
      this.#line(this.#joined(piece.subarray(at, end + 1)))
      at = end + 1
    }
    if (at < piece.length) {
      this.#rest.push(piece.subarray(at))
      this.#restBytes += piece.length - at
      if (this.#restBytes > MAX_LINE_BYTES) this.#line(this.#joined(Buffer.alloc(0)))
    }
    return this.#taken()
  }

  /** The rest of them. */
  end(): MboxMessage[] {
    if (this.#restBytes > 0) this.#line(this.#joined(Buffer.alloc(0)))
    this.#decide(false)
    this.#finish()
    return this.#taken()
  }

  #taken(): MboxMessage[] {
    const done = this.#done
    this.#done = []
    return done
  }

  #joined(last: Buffer): Buffer {
    if (this.#restBytes === 0) return last
    const line = Buffer.concat([...this.#rest, last])
    this.#rest = []
    this.#restBytes = 0
    return line
  }

  #line(line: Buffer): void {
    const start = this.#midLine ? '' : line.toString('latin1', 0, LINE_START)
    this.#decide(FIELD.test(start))
    const afterEmpty = this.#afterEmpty
    this.#midLine = line[line.length - 1] !== LF
    this.#afterEmpty = start === '\n' || start === '\r\n'
    if (afterEmpty && SEPARATOR.test(start)) {
      this.#separator = line
      if (!this.#inMessage) this.#decide(true)
    } else if (this.#inMessage) this.#add(QUOTED.test(start) ? line.subarray(1) : line)
  }

  /** What the line was that might be a separator. */
  #decide(isSeparator: boolean): void {
    const line = this.#separator
    this.#separator = undefined
    if (line === undefined) return
    if (isSeparator) {
      this.#finish()
      this.#inMessage = true
    } else this.#add(line)
  }

  #add(kept: Buffer): void {
    this.#size += kept.length
    if (this.#size > this.#maxBytes) this.#drop()
    else this.#keep(kept)
  }

  #keep(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const copied = bytes.copy(this.#block, this.#filled, at)
      at += copied
      this.#filled += copied
      if (this.#filled < BLOCK_BYTES) continue
      this.#blocks.push(this.#block)
      this.#block = Buffer.allocUnsafe(BLOCK_BYTES)
      this.#filled = 0
    }
  }

  #drop(): void {
    this.#blocks = []
    this.#filled = 0
  }

  #finish(): void {
    if (this.#inMessage) {
      const bytes = this.#size > this.#maxBytes ? undefined : withoutLastBlank(Buffer.concat([...this.#blocks, this.#block.subarray(0, this.#filled)]))
      if (bytes === undefined) this.#done.push({ status: 'too-large', size: this.#size })
      else if (bytes.length > 0) this.#done.push({ status: 'read', bytes })
    }
    this.#inMessage = false
    this.#drop()
    this.#size = 0
  }
}

/** The empty line before the next separator is none of the message's. */
function withoutLastBlank(bytes: Buffer): Buffer {
  let end = bytes.length
  if (bytes[end - 1] !== LF) return bytes
  const before = bytes[end - 2] === CR ? end - 2 : end - 1
  if (before === 0) return bytes.subarray(0, 0)
  if (bytes[before - 1] === LF) end = before
  return bytes.subarray(0, end)
}
