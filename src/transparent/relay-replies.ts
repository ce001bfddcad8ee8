/**
 * Reads the relay's replies (RFC 5321 §4.2) and keeps them as they came, byte
 * for byte, because that is how they go on to the client. No I/O: `feed` takes
 * bytes split anywhere, `next` gives the replies one by one.
 *
 * A relay whose bytes are no replies (`malformed`) is of no use any more: nobody
 * knows where its next one would begin.
 */
const MAX_LINE_BYTES = 8192
const MAX_REPLY_BYTES = 256 * 1024

export interface RelayReply {
  readonly status: number
  /** each with its line end, binary */
  readonly lines: readonly string[]
}

export class RelayReplies {
  private text = ''
  private lines: string[] = []
  private bytes = 0
  private fault: string | undefined

  feed(piece: Buffer): void {
    this.text += piece.toString('latin1')
  }

  /** A reply; undefined until more bytes have come; a sentence where it is none. */
  next(): RelayReply | string | undefined {
    while (this.fault === undefined) {
      const lf = this.text.indexOf('\n')
      if (lf < 0) {
        if (this.text.length <= MAX_LINE_BYTES) return undefined
        return this.refuse('a line without an end')
      }
      const line = this.text.slice(0, lf + 1)
      this.text = this.text.slice(lf + 1)
      const reply = this.line(line)
      if (reply !== undefined) return reply
    }
    return this.fault
  }

  private line(line: string): RelayReply | string | undefined {
    const match = /^([2-5]\d\d)(?:([ -])[^\r\n\0]*)?\r?\n$/.exec(line)
    if (match === null || line.length > MAX_LINE_BYTES) return this.refuse(printable(line))
    const status = Number(match[1])
    this.lines.push(line)
    this.bytes += line.length
    if (!this.lines[0]?.startsWith(String(status))) return this.refuse(`two codes in one reply: ${printable(line)}`)
    if (this.bytes > MAX_REPLY_BYTES) return this.refuse(`a reply of more than ${MAX_REPLY_BYTES} bytes`)
    if (match[2] === '-') return undefined
    const reply = { status, lines: this.lines }
    this.lines = []
    this.bytes = 0
    return reply
  }

  private refuse(what: string): string {
    this.fault = `no reply of SMTP: ${what}`
    return this.fault
  }
}

function printable(text: string): string {
  const cut = text.length > 200 ? `${text.slice(0, 200)}…` : text
  return cut.replace(/\r?\n$/, '').replace(/[^\x20-\x7e…]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

export function wireOf(reply: RelayReply): string {
  return reply.lines.join('')
}

/** One line for a log. */
export function describeRelayReply(reply: RelayReply): string {
  return printable(reply.lines.map((line) => line.trimEnd()).join(' / '))
}

/**
 * What cannot pass: TLS would hide the message from us (RFC 3207); BDAT and BURL
 * are messages without DATA (RFC 3030, RFC 4468), and BINARYMIME needs BDAT.
 */
const WITHHELD = new Set(['STARTTLS', 'CHUNKING', 'BINARYMIME', 'BURL'])

/** The reply to EHLO without the lines of those extensions; the very reply where there are none. */
export function withheld(reply: RelayReply): RelayReply {
  const lines = reply.lines.filter((line, i) => i === 0 || !WITHHELD.has(/^\d{3}[ -]([^ \r\n]*)/.exec(line)?.[1]?.toUpperCase() ?? ''))
  if (lines.length === reply.lines.length) return reply
  return { ...reply, lines: lines.map((line, i) => `${line.slice(0, 3)}${i === lines.length - 1 ? ' ' : '-'}${line.slice(4)}`) }
}
