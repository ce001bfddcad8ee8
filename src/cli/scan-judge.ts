/**
 * Takes a message through the judgement as a session would: greeting,
 * recipients, message. Unlike a session it goes on behind a refusal, so that
 * every reason is seen; what became of the message is what the first refusal
 * says.
 */
import { mailauth } from '../auth/mailauth-library.ts'
import type { Settings } from '../config/settings.ts'
import { ClientJudgement } from '../inbound/client-judgement.ts'
import { decisionRecord, summaryOf, type DecisionRecord } from '../inbound/decision-record.ts'
import { Judgement, type JudgedMessage } from '../inbound/judgement.ts'
import type { TellingWord } from '../inbound/scoring.ts'
import { subjectEdit, tagMessage } from '../inbound/tags.ts'
import { forgedResults } from '../message/authentication-results.ts'
import type { HeaderSection } from '../message/header-section.ts'
import type { Verdict } from '../policy/decide.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import { describeReply, type Reply } from '../smtp/reply.ts'
import * as replies from '../smtp/reply-catalogue.ts'
import type { SessionFacts } from '../smtp/session-handler.ts'
import type { ScanGround } from './scan-ground.ts'
import type { ScannedMessage } from './scan-message.ts'

export interface ScanInput {
  readonly session: SessionFacts
  readonly sender: EnvelopePath
  readonly recipients: readonly EnvelopePath[]
  readonly message: ScannedMessage
  readonly settings: Settings
}

export interface Scanned {
  readonly action: 'accept' | 'quarantine' | 'tempfail' | 'reject'
  /** where a session would have ended, or the message */
  readonly stage: 'greeting' | 'recipients' | 'message'
  readonly record: DecisionRecord
  /** of a message that is passed on or kept: whole fields, without their last line end, binary */
  readonly fields: ChangedFields | undefined
  /** nothing is checked of this client */
  readonly exempt: boolean
  /** nothing is known of the client */
  readonly alone: boolean
  /** no DNS server has answered anything */
  readonly dnsDown: boolean
  /** what the classifier went by */
  readonly telling: readonly TellingWord[]
}

export interface ChangedFields {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

const NOTHING = Buffer.alloc(0)
const NO_CHANGES: ChangedFields = { added: [], removed: [] }

export async function scan(input: ScanInput, { inbound, lists, content }: ScanGround): Promise<Scanned> {
  const { session, sender, recipients, message: { body, received }, settings } = input
  const loop = received > settings.limits.received ? replies.LOOP : undefined
  const alone = session.address === undefined
  // Who is not known is not whoever comes through a unix socket.
  if (!alone && inbound.settings.exempt(session.address)) {
    const record = decisionRecord(transactionOf(input, { verdict: loop === undefined ? 'accept' : 'reject', reply: loop, refused: [] }), undefined)
    return { action: loop === undefined ? 'accept' : 'reject', stage: 'message', record, fields: loop === undefined ? NO_CHANGES : undefined, exempt: true, alone, dnsDown: false, telling: [] }
  }
  await Promise.all([lists.tick(), content.prove()])
  // It reads some hundred files, which no check is to be blamed for.
  mailauth()
  const client = new ClientJudgement(session, () => inbound)
  const greeted = await client.greet()
  const judgement = new Judgement(client, sender)
  const asked = await askRecipients(judgement, recipients)
  const judged = await judgement.judge(body, asked.accepted.length === 0 ? recipients : asked.accepted, { id: 'scan', received: NOTHING })
  const outcome = outcomeOf({ greeting: greeted.refusal, recipients: asked.accepted.length === 0 ? asked.refused[0]?.reply : undefined, loop, judged })
  client.end()
  const { state } = judgement
  const transaction = transactionOf(input, { ...outcome, refused: asked.refused.map(({ recipient, reply }) => `${readable(recipient)} ${describeReply(reply)}`) })
  const passed = outcome.action === 'accept' || outcome.action === 'quarantine'
  return {
    action: outcome.action, stage: outcome.stage, exempt: false, alone, dnsDown: client.dnsDown,
    record: decisionRecord({ ...transaction, auth: summaryOf(state).auth }, state),
    fields: passed ? fieldsOf(judged, { judgement, body }) : undefined,
    telling: judgement.telling,
  }
}

interface Refused {
  readonly recipient: EnvelopePath
  readonly reply: Reply
}

async function askRecipients(judgement: Judgement, recipients: readonly EnvelopePath[]): Promise<{ readonly accepted: readonly EnvelopePath[]; readonly refused: readonly Refused[] }> {
  const accepted: EnvelopePath[] = []
  const refused: Refused[] = []
  // One after the other, as they come in a session.
  for (const recipient of recipients) {
    const reply = await judgement.recipient(recipient, accepted.length === 0)
    if (reply === undefined) accepted.push(recipient)
    else refused.push({ recipient, reply: reply === 'apart' ? replies.OTHER_VERDICT : reply })
  }
  return { accepted, refused }
}

interface Outcome {
  readonly action: Scanned['action']
  readonly stage: Scanned['stage']
  /** as the log of a session has it */
  readonly verdict: string
  readonly reply: Reply | undefined
}

/** What was said first. */
function outcomeOf({ greeting, recipients, loop, judged }: { readonly greeting: Reply | undefined; readonly recipients: Reply | undefined; readonly loop: Reply | undefined; readonly judged: JudgedMessage }): Outcome {
  if (greeting !== undefined) return { action: refusalAction(greeting), stage: 'greeting', verdict: 'disconnect', reply: greeting }
  if (recipients !== undefined) return { action: refusalAction(recipients), stage: 'recipients', verdict: 'refused', reply: recipients }
  const whole = loop ?? (judged.section.truncated === null ? undefined : replies.HEADER_TOO_LONG) ?? replyOf(judged.verdict)
  if (whole !== undefined) return { action: refusalAction(whole), stage: 'message', verdict: refusalAction(whole), reply: whole }
  const action = judged.verdict.action === 'quarantine' ? 'quarantine' : 'accept'
  return { action, stage: 'message', verdict: action, reply: undefined }
}

function replyOf({ action, reply }: Verdict): Reply | undefined {
  return action === 'accept' || action === 'quarantine' ? undefined : reply ?? replies.INTERNAL
}

function refusalAction({ status }: Reply): 'tempfail' | 'reject' {
  return status < 500 ? 'tempfail' : 'reject'
}

/** As the log line of a session has it, as far as there is one. */
function transactionOf({ session, sender, recipients, message: { body } }: ScanInput, { verdict, reply, refused }: Pick<Outcome, 'verdict' | 'reply'> & { readonly refused: readonly string[] }): Readonly<Record<string, unknown>> {
  return {
    client: session.address ?? 'unknown', ...(session.helo !== undefined && { helo: session.helo }), from: readable(sender), rcpts: recipients.map(readable), size: body.size,
    verdict, ...(refused.length > 0 && { refused }), ...(reply !== undefined && { reply: describeReply(reply) }),
  }
}

/** `user@host` as it came, bytes read as UTF-8. */
function readable({ path: { wire } }: EnvelopePath): string {
  return Buffer.from(wire.slice(1, -1), 'latin1').toString('utf8')
}

function fieldsOf(judged: JudgedMessage, { judgement, body }: { readonly judgement: Judgement; readonly body: ScannedMessage['body'] }): ChangedFields {
  const { client, sender } = judgement
  const { settings } = client.inbound
  const { section } = judged
  const { prefix } = tagMessage(body, { session: client.session, settings, iprev: client.known.iprev, sender: sender.address, judged }, NOTHING)
  const subject = subjectEdit({ settings, judged }).replace
  return {
    added: [...splitFields(prefix.toString('latin1')), ...subject.map(({ raw }) => raw.toString('latin1').replace(/\r?\n$/, ''))],
    removed: [...forgedResults(section, settings.hostname), ...subject.map(({ index }) => index)].map((index) => rawField(section, index)),
  }
}

function splitFields(text: string): readonly string[] {
  return text.split(/\r\n(?![ \t])/).filter((field) => field !== '')
}

function rawField({ fields }: HeaderSection, index: number): string {
  return (fields[index]?.raw.toString('latin1') ?? '').replace(/\r?\n$/, '')
}
