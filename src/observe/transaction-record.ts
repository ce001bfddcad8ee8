/**
 * What the log will say of one transaction, in one line at its end: who sent
 * what to whom, where it went, what was answered. Lists are bounded.
 */
import type { Anomalies } from '../smtp/data-decoder.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import { describeReply, isPositive, replyClass, type Reply } from '../smtp/reply.ts'
import type { SessionFacts } from '../smtp/session-handler.ts'

const MAX_LISTED = 50
/** Lines of several workers go to one pipe, which keeps only what is shorter than a page (4096 bytes) in one piece. */
const MAX_LISTED_CHARACTERS = 1000

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
  /** what the policy came to, where it was asked */
  judgement: { readonly auth: string; readonly tests: readonly string[]; readonly score: number | undefined; /** without being told */ readonly learned: 'spam' | 'ham' | undefined } | undefined
  /** who sent it by logging in, and what it was signed with or why not */
  departure: { readonly login: string | undefined; readonly signed: string | undefined } | undefined
  /** it was kept instead of sent on */
  quarantined = false
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
    if (this.refusals.length < MAX_LISTED) this.refusals.push(cut(`${readable(recipient.path.wire)} ${describeReply(reply)}`, 400))
  }

  message(size: number, anomalies: Anomalies): void {
    this.size = size
    const { bareCr, bareLf, nul } = anomalies
    if (bareCr + bareLf + nul > 0) this.mended = anomalies
  }

  facts(recipients: readonly EnvelopePath[], nowMs: number): Readonly<Record<string, unknown>> {
    const listed = fitting(recipients.slice(0, MAX_LISTED).map((r) => cut(readable(r.path.wire), 320)))
    const refused = fitting(this.refusals)
    return {
      id: this.id,
      listener: this.start.listener,
      client: this.client,
      helo: this.helo,
      tls: this.tls,
      login: this.departure?.login,
      from: cut(readable(this.start.sender.path.wire), 320),
      rcpts: listed,
      rcptCount: recipients.length > listed.length ? recipients.length : undefined,
      refused: this.refusedCount === 0 ? undefined : refused,
      refusedCount: this.refusedCount > refused.length ? this.refusedCount : undefined,
      size: this.size,
      mended: this.mended,
      verdict: this.verdict(),
      score: this.judgement?.score,
      tests: this.judgement === undefined || this.judgement.tests.length === 0 ? undefined : fitting(this.judgement.tests.slice(0, MAX_LISTED).map((test) => cut(test, 100))),
      auth: this.judgement === undefined || this.judgement.auth === '' ? undefined : this.judgement.auth,
      learned: this.judgement?.learned,
      signed: this.departure?.signed === undefined ? undefined : cut(this.departure.signed, 400),
      hop: this.hop,
      reply: this.reply === undefined ? undefined : describeReply(this.reply),
      ms: Math.round((nowMs - this.start.startedMs) * 10) / 10,
    }
  }

  private verdict(): string {
    if (this.reply === undefined) return this.refusedCount > 0 ? 'refused' : 'abandoned'
    if (isPositive(this.reply)) return this.quarantined ? 'quarantine' : 'accept'
    return replyClass(this.reply) === 5 ? 'reject' : 'tempfail'
  }
}

/** The first of a list, as many as there is room for; at least one. */
function fitting(items: readonly string[]): readonly string[] {
  let characters = 0
  const most = items.findIndex((item) => (characters += item.length) > MAX_LISTED_CHARACTERS)
  return most < 0 ? items : items.slice(0, Math.max(1, most))
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text
}

/** `<user@host>` as it came, without brackets, bytes read as UTF-8. */
function readable(wire: string): string {
  const inside = wire.startsWith('<') ? wire.slice(1, -1) : wire
  return /[^\x00-\x7f]/.test(inside) ? Buffer.from(inside, 'latin1').toString('utf8') : inside
}
