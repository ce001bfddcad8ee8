/**
 * Since when each side of a session keeps the other waiting. The relay owes from
 * when it was asked with nothing else outstanding, and anew from each whole
 * reply and from each time that it takes bytes. The client's time begins with
 * each whole line of its own and with each reply to it, so that a byte now and
 * then does not make it last.
 */
const LF = 0x0a
/** In a message, this much counts as a line: not all of them have line ends (RFC 5321 §4.5.3.1.6). */
const LINE_BYTES = 1000

export class SessionClock {
  private readonly now: () => number
  private clientMs: number
  private relayMs: number
  private withoutEnd = 0

  constructor(now: () => number) {
    this.now = now
    this.clientMs = this.relayMs = now()
  }

  get clientWaitedMs(): number {
    return this.now() - this.clientMs
  }

  get relayWaitedMs(): number {
    return this.now() - this.relayMs
  }

  clientBegins(): void {
    this.clientMs = this.now()
    this.withoutEnd = 0
  }

  relayBegins(): void {
    this.relayMs = this.now()
  }

  /** The relay answered, and the client hears it. */
  bothBegin(): void {
    this.relayBegins()
    this.clientBegins()
  }

  /** Bytes of a message. */
  clientSent(bytes: Buffer): void {
    this.withoutEnd += bytes.length
    if (this.withoutEnd >= LINE_BYTES || bytes.includes(LF)) this.clientBegins()
  }
}
