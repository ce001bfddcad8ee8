/**
 * A session's connection without a socket: what the session says is kept until
 * a test takes it, and the test decides when the client reads.
 */
import type { Transport } from '../../src/smtp/transport.ts'

export class FakeTransport implements Transport {
  /** the client reads what is written; false: every write reports back pressure */
  reading = true
  paused = false
  ended = false
  /** how often TLS was begun */
  handshakes = 0
  private said = ''

  write(text: string): boolean {
    if (this.ended) throw new Error(`written after the end: ${JSON.stringify(text)}`)
    this.said += text
    return this.reading
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  startTls(): void {
    this.handshakes++
  }

  end(): void {
    if (this.ended) throw new Error('ended twice')
    this.ended = true
  }

  /** What was said since the last call. */
  take(): string {
    const said = this.said
    this.said = ''
    return said
  }

  /** Puts back what a test has not looked at yet. */
  unread(text: string): void {
    this.said = text + this.said
  }

  get pending(): string {
    return this.said
  }
}
