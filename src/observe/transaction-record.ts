/**
 * What the log will say of one transaction, in one line at its end: who sent
 * what to whom, where it went, what was answered. Lists are bounded.
 */
import type { Anomalies } from '../smtp/data-decoder.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import { describeReply, isPositive, replyClass, type Reply } from '../smtp/reply.ts'
import type { SessionFacts } from '../smtp/session-handler.ts'

const MAX_LISTED = 50

interface Start {
  readonly listener: string
  readonly session: SessionFacts
  readonly sender: EnvelopePath
  readonly id: string
  readonly startedMs: number
}

export class TransactionRecord {
  readonly id: string
  hop: string | undefined
  /** the last word on the transaction, if any was spoken */
  reply: Reply | undefined
  private readonly start: Start
  private readonly client: string | undefined
  private readonly helo: string | undefined
  private readonly tls: string | undefined
  private size: number | undefined
  private mended: Anomalies | undefined
  private readonly refusals: string[] = []
  private refusedCount = 0

  constructor(start: Start) {
    this.start = start
    this.id = start.id
    const { session } = start
    this.client = session.forwarded.get('ADDR') ?? session.address
    this.helo = session.forwarded.get('HELO') ?? session.helo
    this.tls = session.tls?.version
  }

  refuse(recipient: EnvelopePath, reply: Reply): void {
    this.refusedCount++
    if (this.refusals.length < MAX_LISTED) this.refusals.push(`${readable(recipient.path.wire)} ${describeReply(reply)}`)
  }

  message(size: number, anomalies: Anomalies): void {
    this.size = size
    const { bareCr, bareLf, nul } = anomalies
    if (bareCr + bareLf + nul > 0) this.mended = anomalies
  }

  facts(recipients: readonly EnvelopePath[], nowMs: number): Readonly<Record<string, unknown>> {
    const listed = recipients.length > MAX_LISTED ? recipients.slice(0, MAX_LISTED) : recipients
    return {
      id: this.id,
      listener: this.start.listener,
      client: this.client,
      helo: this.helo,
      tls: this.tls,
      from: readable(this.start.sender.path.wire),
      rcpts: listed.map((r) => readable(r.path.wire)),
      rcptCount: recipients.length > MAX_LISTED ? recipients.length : undefined,
      refused: this.refusedCount === 0 ? undefined : this.refusals,
      refusedCount: this.refusedCount > MAX_LISTED ? this.refusedCount : undefined,
      size: this.size,
      mended: this.mended,
      verdict: this.verdict(),
      hop: this.hop,
      reply: this.reply === undefined ? undefined : describeReply(this.reply),
      ms: Math.round((nowMs - this.start.startedMs) * 10) / 10,
    }
  }

  private verdict(): string {
    if (this.reply === undefined) return this.refusedCount > 0 ? 'refused' : 'abandoned'
    if (isPositive(this.reply)) return 'accept'
    return replyClass(this.reply) === 5 ? 'reject' : 'tempfail'
  }
}

/** `<user@host>` as it came, without brackets, bytes read as UTF-8. */
function readable(wire: string): string {
  const inside = wire.startsWith('<') ? wire.slice(1, -1) : wire
  return /[^\x00-\x7f]/.test(inside) ? Buffer.from(inside, 'latin1').toString('utf8') : inside
}
