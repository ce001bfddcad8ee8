/**
 * What a session has said and not yet written: gathered, so that the replies
 * to pipelined commands go out in one write (RFC 2920 §3.1), and held back, as
 * the client is, where one of the two does not keep up.
 */
import { formatReply, type Reply } from './reply.ts'
import type { Transport } from './transport.ts'

/** Unread input above which the client is made to wait. */
const PAUSE_BYTES = 64 * 1024
/** Replies gathered before they are written even though more commands wait. */
const FLUSH_CHARACTERS = 16 * 1024

export class SessionOutput {
  private readonly transport: Transport
  private text = ''
  private paused = false
  /** the client does not read what we write */
  choked = false

  constructor(transport: Transport) {
    this.transport = transport
  }

  say(reply: Reply): void {
    this.text += formatReply(reply)
  }

  /** Writes what was gathered once it is much. */
  flushMuch(): void {
    if (this.text.length > FLUSH_CHARACTERS) this.flush()
  }

  flush(): void {
    if (this.text === '') return
    const text = this.text
    this.text = ''
    if (!this.transport.write(text)) this.choked = true
  }

  /** @param waiting input not yet used @param stuck nothing of it can be used now */
  balance(waiting: number, stuck: boolean): void {
    if (!this.paused && waiting > PAUSE_BYTES && stuck) {
      this.paused = true
      this.transport.pause()
    } else if (this.paused && (waiting <= PAUSE_BYTES || !stuck)) {
      this.paused = false
      this.transport.resume()
    }
  }
}
