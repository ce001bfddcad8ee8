/**
 * Reads the replies of an SMTP or LMTP server from its bytes (RFC 5321 §4.2).
 * No I/O: `feed` takes bytes split anywhere, `next` gives the replies one by
 * one, then undefined until more bytes have come.
 *
 * A reply keeps its text as it came (binary, enhanced codes included): one
 * line as a string, several as an array. What cannot be understood is a
 * `Malformed` with its cause, never an exception; after it the parser is of
 * no use, since nobody knows where the next reply would begin.
 *
 * A bare CR or LF and a NUL are refused. A reply that ends where only one of
 * two readers sees an end would shift every later reply by one, and its text
 * goes on to our own client.
 */
import type { Reply } from './reply.ts'

/** RFC 5321 §4.5.3.1.5 allows 512; real servers write longer ones. */
const MAX_LINE_BYTES = 4096
const MAX_LINES = 500
const MAX_REPLY_BYTES = 128 * 1024

export interface Malformed {
  readonly malformed: 'line-length' | 'lines' | 'reply-length' | 'line-end' | 'status' | 'separator' | 'differing-status'
  /** what came, cut and made printable, for the log */
  readonly detail: string
}

export type ParsedReply = Reply | Malformed

export function isMalformed(parsed: ParsedReply): parsed is Malformed {
  return 'malformed' in parsed
}

export class ReplyParser {
  /** received and not yet read, from `#at` */
  #text = ''
  #at = 0
  /** how far after `#at` no LF was found, so that slow bytes are not searched again and again */
  #searched = 0
  #lines: string[] = []
  #linesBytes = 0
  #status = 0
  #fault: Malformed | undefined

  /** Nothing half read and nothing unread. */
  get empty(): boolean {
    return this.#at >= this.#text.length && this.#lines.length === 0
  }

  /** What is unread, cut and made printable, for the log. */
  get rest(): string {
    return printable(this.#text.slice(this.#at))
  }

  feed(bytes: Buffer): void {
    const text = bytes.toString('latin1')
    this.#text = this.#at >= this.#text.length ? text : this.#text.slice(this.#at) + text
    this.#at = 0
  }

  next(): ParsedReply | undefined {
    if (this.#fault) return this.#fault
    for (;;) {
      const feed = this.#text.indexOf('\n', this.#at + this.#searched)
      if (feed < 0) {
        this.#searched = this.#text.length - this.#at
        return this.#searched > MAX_LINE_BYTES ? this.#refuse('line-length', this.#text.slice(this.#at)) : undefined
      }
      const line = this.#text.slice(this.#at, feed + 1)
      this.#at = feed + 1
      this.#searched = 0
      const reply = this.#line(line)
      if (reply) return reply
    }
  }

  /** Takes a line with its end; returns the reply if the line was its last. */
  #line(line: string): ParsedReply | undefined {
    const end = line.length - 2
    if (line.length > MAX_LINE_BYTES) return this.#refuse('line-length', line)
    if (line.indexOf('\r') !== end || line.includes('\0')) return this.#refuse('line-end', line)
    const status = statusOf(line)
    // A line of three digits alone is taken as the last (RFC 5321 §4.2: clients should accept it).
    const separator = end === 3 ? ' ' : line[3]
    if (status === 0 || end < 3) return this.#refuse('status', line)
    if (separator !== ' ' && separator !== '-') return this.#refuse('separator', line)
    // RFC 5321 §4.2.1: the same code on every line.
    if (this.#lines.length > 0 && status !== this.#status) return this.#refuse('differing-status', line)
    const text = line.slice(4, end)
    if (separator === ' ' && this.#lines.length === 0) return { status, text: end === 3 ? '' : text }
    this.#status = status
    this.#lines.push(end === 3 ? '' : text)
    this.#linesBytes += line.length
    if (this.#lines.length > MAX_LINES) return this.#refuse('lines', line)
    if (this.#linesBytes > MAX_REPLY_BYTES) return this.#refuse('reply-length', line)
    if (separator === '-') return undefined
    const reply = { status, text: this.#lines }
    this.#lines = []
    this.#linesBytes = 0
    return reply
  }

  #refuse(malformed: Malformed['malformed'], text: string): Malformed {
    this.#fault = { malformed, detail: printable(text) }
    return this.#fault
  }
}

/**
 * The three digits, or 0 where they are not a status. Second digits above 5
 * are outside the grammar, but servers send such (571) and mean them.
 */
function statusOf(line: string): number {
  const class_ = line.charCodeAt(0) - 48
  const second = line.charCodeAt(1) - 48
  const third = line.charCodeAt(2) - 48
  if (!(class_ >= 2 && class_ <= 5 && second >= 0 && second <= 9 && third >= 0 && third <= 9)) return 0
  return class_ * 100 + second * 10 + third
}

function printable(text: string): string {
  const cut = text.length > 200 ? text.slice(0, 200) + '…' : text
  return cut.replace(/\r\n$/, '').replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => '\\x' + c.charCodeAt(0).toString(16).padStart(2, '0'))
}
