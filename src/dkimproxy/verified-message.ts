/**
 * A message that dkimproxy.in verifies on its way through: DKIM (RFC 6376) for
 * Authentication-Results (RFC 8601) and X-DKIM-Authentication-Results on top,
 * and DMARC (RFC 9989) where the sender's policy is to be heeded. Fields that
 * claim to be our Authentication-Results go, and all of the other name.
 *
 * What the DNS did not answer is never a 5xx. A header section that is longer
 * than is looked at is refused, and where policies are heeded a From that
 * nobody can read as well.
 */
import { evaluateDmarc, type DmarcOutcome } from '../auth/dmarc.ts'
import type { DkimOutcome, DkimSignature } from '../auth/dkim.ts'
import { verifyMessage } from '../auth/message-authentication.ts'
import { checkSpf } from '../auth/spf.ts'
import { causeText } from '../auth/stranger-text.ts'
import type { Resolver } from '../dns/resolver.ts'
import { authenticationResults, forgedResults, type AuthenticationResult } from '../message/authentication-results.ts'
import { readAuthors } from '../message/author.ts'
import { editMessage } from '../message/edit.ts'
import { plainText } from '../message/field-text.ts'
import { fieldsNamed, readHeaderSection, type HeaderSection } from '../message/header-section.ts'
import type { StoredMessage } from '../message/message.ts'
import type { SpoolSettings } from '../message/spool.ts'
import { formatReply } from '../smtp/reply.ts'
import { HEADER_TOO_LONG } from '../smtp/reply-catalogue.ts'
import { LineView } from '../transparent/data-text.ts'
import type { PassingEnvelope, PassingVerdict } from '../transparent/passing-message.ts'
import { SpooledMessage } from '../transparent/spooled-message.ts'

export interface VerifiedMessageParts {
  readonly authservId: string
  readonly rejectFail: boolean
  readonly rejectError: boolean
  readonly spool: SpoolSettings
  readonly resolver: Resolver
  readonly date: () => Date
  /** for the log */
  readonly onVerified: (detail: string, section: HeaderSection, signer: string) => void
}

export class VerifiedMessage extends SpooledMessage {
  private readonly parts: VerifiedMessageParts
  private readonly envelope: PassingEnvelope

  constructor(parts: VerifiedMessageParts, envelope: PassingEnvelope) {
    super(parts.spool)
    this.parts = parts
    this.envelope = envelope
  }

  protected look(): void {
    // The keys are asked for when the message is whole: what is on its way may not end well.
  }

  protected async judge(body: StoredMessage, clean: boolean): Promise<PassingVerdict> {
    const { parts } = this
    const section = await readHeaderSection(body)
    // Behind the cut others may find a From and results that claim to be ours.
    if (section.truncated !== null) {
      parts.onVerified('skipped (the header section is too long)', section, '')
      return { status: 'refuse', reply: formatReply(HEADER_TOO_LONG) }
    }
    const { dkim } = await verifyMessage(clean ? body : asLines(body), parts.resolver, parts.date())
    const detail = detailOf(dkim)
    parts.onVerified(detail, section, signerOf(dkim))
    const refusal = this.errorRefusal(dkim, detail) ?? (parts.rejectFail ? await this.policyRefusal(section, dkim, detail) : undefined)
    if (refusal !== undefined) return { status: 'refuse', reply: refusal }
    const results = authenticationResults({ authservId: parts.authservId, results: resultsOf(dkim) })
    const prefix = Buffer.from(`${results}X-DKIM-Authentication-Results: ${plainText(detail)}\r\n`, 'latin1')
    // The other name has no authserv-id: whoever reads it takes it for ours.
    const forged = [...forgedResults(section, parts.authservId), ...fieldsNamed(section, 'x-dkim-authentication-results').map(({ index }) => index)]
    return { status: 'send', ...editMessage(body, section, { prefix, remove: forged }) }
  }

  private errorRefusal(dkim: DkimOutcome, detail: string): string | undefined {
    if (!this.parts.rejectError) return undefined
    if (dkim.status === 'temperror') return `450 DKIM - ${detail}\r\n`
    return dkim.status === 'permerror' ? `550 DKIM - ${detail}\r\n` : undefined
  }

  /** Several authors are no way around the policy of one. */
  private async policyRefusal(section: HeaderSection, dkim: DkimOutcome, detail: string): Promise<string | undefined> {
    const { parts } = this
    const authors = readAuthors(fieldsNamed(section, 'from').map(({ value }) => value))
    // Nobody can say whose policy counts: a forger had only to write it so.
    if (authors.status === 'malformed') return `550 5.6.0 DKIM - the author of the message cannot be read: ${causeText(authors.cause)}\r\n`
    if (authors.status !== 'domains') return undefined
    const spf = await this.spf()
    const outcomes = await Promise.all(authors.domains.map((fromDomain) => evaluateDmarc({ fromDomain, spf, dkim: dkim.signatures }, parts.resolver)))
    if (outcomes.some(({ status, policy }) => status === 'fail' && policy === 'reject')) return `550 5.7.1 DKIM - ${detail}\r\n`
    const unknown: DmarcOutcome | undefined = outcomes.find(({ status }) => status === 'temperror')
    return unknown !== undefined && parts.rejectError ? `450 DKIM - temperror (${unknown.cause})\r\n` : undefined
  }

  /** Of the client's own client, where the relay took its word for it (XFORWARD). */
  private async spf(): Promise<{ readonly status: string; readonly domain: string } | null> {
    const { forwarded: { address, helo }, sender, helo: own } = this.envelope
    if (address === undefined) return null
    return checkSpf({ address, helo: helo ?? own, sender, receiver: this.parts.authservId }, this.parts.resolver)
  }
}

/** The message as the next server will take its line ends. */
function asLines(body: StoredMessage): Pick<StoredMessage, 'chunks'> {
  return {
    async *chunks() {
      const view = new LineView()
      for await (const piece of body.chunks()) yield view.feed(piece)
    },
  }
}

/** `pass`, `fail (the body was altered)`, `none` */
export function detailOf(dkim: DkimOutcome): string {
  const cause = dkim.cause !== '' ? dkim.cause : (dkim.signatures.find(({ status }) => status === dkim.status)?.cause ?? '')
  return cause === '' ? dkim.status : `${dkim.status} (${causeText(cause)})`
}

function signerOf(dkim: DkimOutcome): string {
  return (dkim.signatures.find(({ status }) => status === dkim.status) ?? dkim.signatures[0])?.identity ?? ''
}

function resultsOf(dkim: DkimOutcome): readonly AuthenticationResult[] {
  if (dkim.signatures.length === 0) return [{ method: 'dkim', result: dkim.status, comment: dkim.cause, properties: [] }]
  return dkim.signatures.map(resultOf)
}

function resultOf({ status, cause, identity, domain }: DkimSignature): AuthenticationResult {
  const signer = identity === '' ? (domain === '' ? [] : [{ ptype: 'header', property: 'd', value: domain } as const]) : [{ ptype: 'header', property: 'i', value: identity } as const]
  return { method: 'dkim', result: status, comment: cause, properties: signer }
}
