/**
 * Sends a quarantined message on: envelope as it came, to those who have not had
 * it, through a next hop. The message is as the caller hands it in.
 *
 * Who got it is struck off on disk before anybody else is tried, so that a
 * second release sends nobody a second copy; when all had it the entry is
 * removed. Where a hop takes only some recipients at once, the rest follows in
 * transactions of their own as long as each gets further.
 *
 * What cannot be had: between the hop's 250 and the disk of ours there is an
 * instant at which a crash leaves somebody on the list who has the message. The
 * next release says that an earlier one ended without a word.
 */
import type { NextHop } from '../delivery/next-hop.ts'
import type { OutgoingMessage, StoredMessage } from '../message/message.ts'
import { escapeControls } from '../observe/readable.ts'
import { parameter, type EnvelopePath } from '../smtp/envelope.ts'
import { describeReply, isPositive, replyClass, type Reply } from '../smtp/reply.ts'
import { readablePath } from '../state/quarantine-entry.ts'
import { HOLD_MS } from '../state/quarantine-index.ts'
import type { Hold } from '../state/quarantine.ts'
import { EXIT, ExitError, exitCodeOf } from './exit-codes.ts'

export interface ReleaseContext {
  readonly hop: NextHop
  /** the message as it is to go */
  readonly body: StoredMessage
  /** what is to be said of it once somebody has had it */
  readonly remark?: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

interface Outcome {
  readonly recipient: EnvelopePath
  readonly reply: Reply
  /** refused at RCPT, before the message */
  readonly early: boolean
}

/**
 * @param to somebody else than its recipients gets a copy and the entry stays;
 * a recipient among them is the only one who gets it; undefined: all
 */
export async function releaseEntry(hold: Hold, to: EnvelopePath | undefined, context: ReleaseContext): Promise<number> {
  const { entry } = hold
  const among = to === undefined ? entry.recipients : entry.recipients.filter((one) => sameMailbox(one, to))
  const copy = to !== undefined && among.length === 0
  if (hold.abandoned) context.err(`${entry.id}: an earlier release ended without a word; whoever it was sending to may get a second copy\n`)
  const renewing = setInterval(() => renewQuietly(hold), HOLD_MS / 4)
  try {
    const { failed, removed } = await rounds({ hold, context, copy }, copy ? [to] : among)
    if (copy && failed.length === 0) context.out(`${entry.id} stays in the quarantine: that was a copy\n`)
    else if (removed) context.out(`${entry.id} has left the quarantine\n`)
    else if (!copy) return await settle(hold, failed, context)
    return exitCode(failed)
  } finally {
    clearInterval(renewing)
  }
}

interface Run {
  readonly hold: Hold
  readonly context: ReleaseContext
  readonly copy: boolean
}

interface Result {
  /** those who did not get it */
  readonly failed: readonly Outcome[]
  /** the entry is gone */
  readonly removed: boolean
}

async function rounds({ hold, context, copy }: Run, recipients: readonly EnvelopePath[]): Promise<Result> {
  const failed: Outcome[] = []
  let { remark } = context
  for (let pending = recipients; pending.length > 0;) {
    const outcomes = await attempt({ hold, context, copy }, pending)
    const had = outcomes.filter(({ reply }) => isPositive(reply))
    // A hop may take only so many at once (RFC 5321 §4.5.3.1.10).
    const again = had.length === 0 ? [] : outcomes.filter(({ reply, early }) => early && replyClass(reply) === 4)
    for (const outcome of outcomes) if (!again.includes(outcome)) context.out(line(outcome))
    if (had.length > 0 && remark !== undefined) {
      context.out(`${hold.entry.id} ${remark}\n`)
      remark = undefined
    }
    failed.push(...outcomes.filter((outcome) => !had.includes(outcome) && !again.includes(outcome)))
    if (!copy && had.length > 0 && (await strike(hold, had.map(({ recipient }) => recipient))) === 'removed') return { failed, removed: true }
    pending = again.map(({ recipient }) => recipient)
  }
  return { failed, removed: false }
}

/** One transaction. */
async function attempt({ hold, context, copy }: Run, recipients: readonly EnvelopePath[]): Promise<readonly Outcome[]> {
  const { entry } = hold
  const transaction = context.hop.begin(entry.client)
  try {
    const sender = await transaction.mail(copy ? forCopy(entry.sender, recipients) : entry.sender)
    if (!isPositive(sender)) return recipients.map((recipient) => ({ recipient, reply: sender, early: false }))
    const outcomes: Outcome[] = []
    for (const recipient of recipients) outcomes.push({ recipient, reply: await transaction.rcpt(recipient), early: true })
    const accepted = outcomes.filter(({ reply }) => isPositive(reply))
    if (accepted.length === 0) return outcomes
    // Whatever held us up: nobody else may have begun.
    if (!hold.renew()) throw new ExitError(EXIT.temporary, `${entry.id} was taken over by another release; nothing was sent by this one`)
    const answers = await transaction.data(outgoing(context.body, entry))
    const [first] = answers
    if (first === undefined) throw new Error('a next hop that does not answer')
    // LMTP answers for each that it accepted, in their order (RFC 2033 §4.2); others once for all.
    const each = context.hop.kind === 'lmtp' ? answers : accepted.map(() => first)
    return outcomes.map((outcome) => {
      const index = accepted.indexOf(outcome)
      return index < 0 ? outcome : { recipient: outcome.recipient, reply: each[index] ?? first, early: false }
    })
  } finally {
    transaction.abort()
  }
}

async function strike(hold: Hold, had: readonly EnvelopePath[]): Promise<'struck' | 'removed'> {
  try {
    await hold.strike(had)
    return 'struck'
  } catch (error) {
    // On a full disk nothing can be written, but all can be removed.
    if (had.length === hold.entry.recipients.length) {
      try {
        await hold.remove()
        return 'removed'
      } catch {
        // Told with the first trouble: neither could be done.
      }
    }
    const cause = error instanceof Error ? error.message : String(error)
    throw new ExitError(ioCode(error), `${had.map(shown).join(', ')} had it, which cannot be written down: ${cause}\nA second release of ${hold.entry.id} would send it again`)
  }
}

/** After the last transaction: the entry goes when nobody waits for it any more. */
async function settle(hold: Hold, failed: readonly Outcome[], { out, err }: ReleaseContext): Promise<number> {
  const { entry } = hold
  const left = entry.recipients.length
  if (left === 0) {
    await hold.remove()
    out(`${entry.id} has left the quarantine\n`)
    return EXIT.ok
  }
  err(`${entry.id} stays in the quarantine: ${left} of ${left + entry.delivered.length} recipients have not had it\n`)
  return exitCode(failed)
}

/** 75 where another try may help, 65 where it will not. */
function exitCode(failed: readonly Outcome[]): number {
  if (failed.length === 0) return EXIT.ok
  return failed.some(({ reply }) => replyClass(reply) !== 5) ? EXIT.temporary : EXIT.data
}

function ioCode(error: unknown): number {
  const code = exitCodeOf(error)
  return code === EXIT.internal ? EXIT.temporary : code
}

function outgoing(body: StoredMessage, { chunked, binary }: { chunked: boolean; binary: boolean }): OutgoingMessage {
  return { prefix: Buffer.alloc(0), body, chunked, binary }
}

/** RFC 6531 §3.4: an address beyond ASCII needs SMTPUTF8, also where the message came without. */
function forCopy(sender: EnvelopePath, recipients: readonly EnvelopePath[]): EnvelopePath {
  const beyond = recipients.some(({ path }) => /[^\x00-\x7f]/.test(path.wire))
  if (!beyond || parameter(sender, 'SMTPUTF8') !== undefined) return sender
  return { ...sender, parameters: [...sender.parameters, { keyword: 'SMTPUTF8', value: null }] }
}

function sameMailbox({ path: { mailbox: a } }: EnvelopePath, { path: { mailbox: b } }: EnvelopePath): boolean {
  return a !== null && b !== null && a.localPart === b.localPart && a.domain === b.domain
}

function renewQuietly(hold: Hold): void {
  try {
    hold.renew()
  } catch {
    // The database is busy: asked again soon, and before the message is sent its answer counts.
  }
}

function line({ recipient, reply }: Outcome): string {
  return `${shown(recipient)}: ${escapeControls(describeReply(reply))}\n`
}

function shown(recipient: EnvelopePath): string {
  return escapeControls(readablePath(recipient))
}
