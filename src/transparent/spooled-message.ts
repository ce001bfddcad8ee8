/**
 * What all messages on their way through have in common: they are kept (in
 * memory, or in a nameless file) while somebody looks at each piece, and thrown
 * away once. Bytes are kept as they came; who looks sees bare LFs as the line
 * ends that the next server will take them for.
 */
import { createSpool, type Spool, type SpoolSettings } from '../message/spool.ts'
import type { StoredMessage } from '../message/message.ts'
import { LineView } from './data-text.ts'
import type { PassingMessage, PassingVerdict } from './passing-message.ts'

export abstract class SpooledMessage implements PassingMessage {
  private readonly spool: Spool
  private readonly view = new LineView()
  private stored: StoredMessage | undefined
  private discarded = false

  constructor(settings: SpoolSettings) {
    this.spool = createSpool(settings)
  }

  append(piece: Buffer): Promise<void> | undefined {
    if (this.discarded) return undefined
    this.look(this.view.feed(piece))
    return this.spool.append(piece)
  }

  async finish(clean: boolean): Promise<PassingVerdict> {
    this.stored = await this.spool.finish()
    if (this.discarded) this.stored.discard()
    return this.judge(this.stored, clean)
  }

  discard(): void {
    if (this.discarded) return
    this.discarded = true
    if (this.stored === undefined) this.spool.discard()
    else this.stored.discard()
  }

  /** Each piece of the message, in order. */
  protected abstract look(piece: Buffer): void
  /** All of it is there. */
  protected abstract judge(body: StoredMessage, clean: boolean): Promise<PassingVerdict>
}
