/**
 * The way of one message through a transparent session: taken out of DATA,
 * handed to whoever signs or judges it, and written to the relay. It does no I/O
 * but through `PassingMessage` and `toRelay`, and holds one piece.
 *
 * Its owner feeds it until `ended`, calls `finish` once, and hears the outcome
 * by `onEnd` where the message does not go on; where it does, the relay's reply
 * is the outcome.
 */
import { DataDecoder } from '../smtp/data-decoder.ts'
import { DataText } from './data-text.ts'
import { DataWire } from './data-wire.ts'
import * as own from './own-replies.ts'
import type { PassingMessage, PassingVerdict } from './passing-message.ts'

export type PassageEnd =
  | { readonly status: 'refused'; readonly reply: string }
  | { readonly status: 'failed'; readonly error: unknown }

export interface PassageRules {
  readonly newlines: 'pass' | 'normalise' | 'refuse'
  readonly maxMessageBytes: number
  /** false: the relay does not read */
  readonly toRelay: (bytes: Buffer) => boolean
  /** it can take more */
  readonly onReady: () => void
  readonly onEnd: (end: PassageEnd) => void
}

export class MessagePassage {
  size = 0
  /** `take` is to be called again after `onReady` */
  waits = false
  /** from the end of data until the relay has the whole message */
  working = false
  private readonly message: PassingMessage
  private readonly rules: PassageRules
  private readonly decoder: DataText | DataDecoder
  /** a write that failed (full disk): said at the end of the message */
  private failure: Error | undefined
  private givenUp = false
  private drained: (() => void) | undefined

  constructor(message: PassingMessage, rules: PassageRules) {
    this.message = message
    this.rules = rules
    this.decoder = rules.newlines === 'normalise' ? new DataDecoder(true) : new DataText()
  }

  get ended(): boolean {
    return this.decoder.ended
  }

  /** Uses as much as belongs to the message; returns how many bytes that was. */
  take(piece: Buffer): number {
    const text = this.decoder.decode(piece)
    this.size += text.length
    if (text.length > 0 && !this.useless) this.append(text)
    return this.decoder.consumed
  }

  /** What comes is read only to find its end. */
  private get useless(): boolean {
    return this.givenUp || this.failure !== undefined || this.size > this.rules.maxMessageBytes
  }

  private append(text: Buffer): void {
    const written = this.message.append(text)
    if (written === undefined) return
    this.waits = true
    const go = (): void => {
      this.waits = false
      this.rules.onReady()
    }
    written.then(go, (error: unknown) => {
      this.failure = error instanceof Error ? error : new Error(String(error))
      go()
    })
  }

  finish(): void {
    this.working = true
    const end = (result: PassageEnd | undefined): void => {
      this.working = false
      if (!this.givenUp && result !== undefined) this.rules.onEnd(result)
    }
    this.run().then(end, (error: unknown) => end({ status: 'failed', error }))
  }

  private async run(): Promise<PassageEnd | undefined> {
    const { decoder, rules } = this
    if (this.size > rules.maxMessageBytes) return { status: 'refused', reply: own.tooBig(rules.maxMessageBytes) }
    if (rules.newlines === 'refuse' && !decoder.clean) return { status: 'refused', reply: own.BARE_NEWLINE }
    if (this.failure !== undefined) throw this.failure
    const clean = rules.newlines === 'normalise' || decoder.clean
    const verdict = await this.message.finish(clean)
    switch (verdict.status) {
      case 'refuse':
        return { status: 'refused', reply: verdict.reply }
      case 'send':
        return this.send(verdict, new DataWire(clean))
    }
  }

  private async send({ prefix, body }: Extract<PassingVerdict, { status: 'send' }>, wire: DataWire): Promise<PassageEnd | undefined> {
    const falseEnd: PassageEnd = { status: 'refused', reply: own.FALSE_END }
    if (!(await this.write(wire.encode(prefix)))) return falseEnd
    if (body.memory !== null) {
      for (const piece of body.memory) if (!(await this.write(wire.encode(piece)))) return falseEnd
    } else {
      for await (const piece of body.chunks()) if (!(await this.write(wire.encode(piece)))) return falseEnd
    }
    this.working = false
    await this.write(wire.finish())
    return undefined
  }

  private async write(bytes: Buffer | null): Promise<boolean> {
    if (bytes === null) return false
    if (this.givenUp || bytes.length === 0 || this.rules.toRelay(bytes)) return true
    await new Promise<void>((resolve) => {
      this.drained = resolve
    })
    return true
  }

  relayDrained(): void {
    this.drained?.()
    this.drained = undefined
  }

  /** Nobody wants it any more. */
  giveUp(): void {
    if (this.givenUp) return
    this.givenUp = true
    this.message.discard()
    this.relayDrained()
  }
}
