/**
 * Takes in one message, by DATA or by BDAT: decodes it, counts it against the
 * size limit, hands it to the sink, and says at the end whether the protocol
 * itself refuses it. No I/O of its own; memory is that of one piece.
 */
import { DataDecoder } from './data-decoder.ts'
import type { MessageSink } from './session-handler.ts'
import type { Reply } from './reply.ts'
import * as replies from './reply-catalogue.ts'

export interface IntakeRules {
  readonly maxBytes: number
  readonly newlines: 'normalise' | 'refuse'
  readonly chunked: boolean
  readonly binary: boolean
}

export class MessageIntake {
  /** the sink asked to wait: no `take` until this has settled */
  wait: Promise<void> | undefined
  private size = 0
  private readonly decoder: DataDecoder
  private readonly sink: MessageSink
  private readonly rules: IntakeRules

  constructor(sink: MessageSink, rules: IntakeRules) {
    this.sink = sink
    this.rules = rules
    this.decoder = new DataDecoder(!rules.chunked)
  }

  /** the end of DATA was seen */
  get ended(): boolean {
    return this.decoder.ended
  }

  get tooBig(): boolean {
    return this.size > this.rules.maxBytes
  }

  /** Uses as much of `piece` as belongs to the message; returns how many bytes that was. */
  take(piece: Buffer): number {
    this.wait = undefined
    if (this.rules.binary) {
      this.pass(piece)
      return piece.length
    }
    this.pass(this.decoder.decode(piece))
    return this.decoder.consumed
  }

  /** Everything was taken: the sink's replies to the message, or to our refusal. */
  async finish(): Promise<readonly Reply[]> {
    if (this.rules.chunked && !this.rules.binary) this.pass(this.decoder.finish())
    if (this.wait !== undefined) await this.wait
    const refusal = this.refusal()
    if (refusal !== undefined) return this.sink.refuse(refusal)
    const { bareCr, bareLf, nul } = this.decoder
    return this.sink.end({ chunked: this.rules.chunked, binary: this.rules.binary, anomalies: { bareCr, bareLf, nul } })
  }

  /** The protocol refuses the message before its end. */
  refuse(reason: Reply): readonly Reply[] {
    return this.sink.refuse(reason)
  }

  abort(): void {
    this.sink.abort()
  }

  private pass(piece: Buffer): void {
    if (piece.length === 0) return
    this.size += piece.length
    if (!this.tooBig) this.wait = this.sink.write(piece)
  }

  private refusal(): Reply | undefined {
    if (this.tooBig) return replies.tooBig(this.rules.maxBytes)
    if (this.rules.newlines === 'refuse' && !this.decoder.clean) return replies.BARE_NEWLINE
    return undefined
  }
}
