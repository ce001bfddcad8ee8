/**
 * One message on its way out: may this user send it, so many and in this name
 * (RFC 6409 §6.1), what it lacks, and its signatures (RFC 6376). It sees the
 * bytes while they come in; at the end it says what goes on top, or which reply
 * the client gets instead. Nothing throws but a bug.
 */
import { MessageSigner } from '../auth/dkim/message-signer.ts'
import type { SigningOrder } from '../auth/dkim/signing-order.ts'
import { readAuthors } from '../message/author.ts'
import { fieldsNamed, type HeaderSection } from '../message/header-section.ts'
import type { SigningDecision } from '../signing/signing.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import type { Reply } from '../smtp/reply.ts'
import { AUTH_REQUIRED, HEADER_TOO_LONG, INTERNAL } from '../smtp/reply-catalogue.ts'
import * as replies from '../smtp/reply-catalogue-submission.ts'
import { missingFields } from './added-fields.ts'
import type { Outbound } from './outbound.ts'
import { windowText } from './user-limits.ts'

export interface Departing {
  readonly status: 'departs'
  readonly section: HeaderSection
  /** whole fields: signatures, which go on top of everything */
  readonly signatures: Buffer
  /** whole fields that the message lacked, which go right above it */
  readonly added: Buffer
}

export type DepartureOutcome = Departing | { readonly status: 'refused'; readonly reply: Reply }

/** What stands in the log. */
export interface DepartureFacts {
  readonly login: string | undefined
  /** `example.org:s2026 rsa-sha256`, or why there is no signature */
  readonly signed: string | undefined
}

interface Start {
  /** the authenticated user */
  readonly login: string | undefined
  readonly sender: EnvelopePath
  readonly date: () => Date
}

const NO_ORDERS: readonly SigningOrder[] = []

export class Departure {
  private readonly outbound: Outbound
  private readonly start: Start
  private readonly sender: string | null
  private readonly recipientDomains = new Set<string>()
  private readonly signer = new MessageSigner((section) => this.decide(section))
  private section: HeaderSection | undefined
  private decision: SigningDecision | undefined
  /** the same as bytes; filled when the header section is whole, which may be as late as in the signer's own `finish` */
  private readonly above: Buffer[] = []
  private signed: string | undefined

  constructor(outbound: Outbound, start: Start) {
    this.outbound = outbound
    this.start = start
    this.sender = addressOf(start.sender)
  }

  get facts(): DepartureFacts {
    return { login: this.start.login, signed: this.signed }
  }

  /** At MAIL. */
  refuseSender(): Reply | undefined {
    const { users } = this.outbound
    const { login } = this.start
    if (users === undefined) return undefined
    // One whose account is gone has no session worth anything.
    if (login === undefined || users.isGone(login)) return AUTH_REQUIRED
    if (!users.ready()) return replies.SENDERS_UNKNOWN
    // The null reverse-path is nobody's; whose the message is, its From says.
    if (this.sender !== null && !users.maySendAs(login, this.sender)) return replies.notYourSender(login, printable(this.sender))
    return this.refuseAmount('messages')
  }

  /** At RCPT. */
  refuseRecipient(): Reply | undefined {
    return this.refuseAmount('recipients')
  }

  private refuseAmount(what: 'messages' | 'recipients'): Reply | undefined {
    const { users } = this.outbound
    const { login } = this.start
    if (users === undefined || login === undefined) return undefined
    const over = users.limits.count(what, login)
    return over === undefined ? undefined : replies.tooMuchOf(what, over.most, windowText(over.windowMs))
  }

  accepted(recipient: EnvelopePath): void {
    const { mailbox } = recipient.path
    if (mailbox !== null) this.recipientDomains.add(mailbox.domain)
  }

  /** The message, in pieces. */
  write(piece: Buffer): void {
    this.signer.write(piece)
  }

  async finish(): Promise<DepartureOutcome> {
    const made = await this.signer.finish({ above: this.above, now: this.start.date() })
    const { section, decision } = this
    if (section === undefined || decision === undefined) throw new Error('a message without a header section')
    if (section.truncated !== null) return refused(HEADER_TOO_LONG)
    const from = this.refuseFrom(section)
    if (from !== undefined) return refused(from)
    const departs = (signatures: Buffer): Departing => ({ status: 'departs', section, signatures, added: Buffer.concat(this.above) })
    const lenient = this.outbound.onError === 'unsigned'
    if (decision.status === 'defer') {
      this.signed = `not signed: ${decision.why}`
      return lenient ? departs(NOTHING) : refused(replies.NOT_SIGNED_NOW)
    }
    switch (made.status) {
      case 'unsigned':
        this.signed = `not signed: ${decision.why}`
        return departs(NOTHING)
      case 'signed':
        this.signed = made.signatures.map((one) => `${one.domain}:${one.selector} ${one.algorithm}`).join(', ')
        return departs(made.fields)
      case 'failed':
        this.signed = `not signed: ${made.cause}`
        return lenient ? departs(NOTHING) : refused(made.fault === 'message' ? replies.CANNOT_BE_SIGNED : replies.NOT_SIGNED_NOW)
    }
  }

  /** The header section is whole. */
  private decide(section: HeaderSection): readonly SigningOrder[] {
    const { outbound, start } = this
    this.section = section
    const { users } = outbound
    const added = users === undefined ? [] : missingFields(section, { hostname: outbound.hostname, date: start.date(), token: outbound.newToken })
    this.above.push(...added.map(({ raw }) => raw))
    this.decision = outbound.signing.decide({
      listener: outbound.listener, login: start.login, sender: this.sender, recipientDomains: this.recipientDomains, section,
      entitledTo: (address) => users === undefined || (start.login !== undefined && users.maySendAs(start.login, address)),
      addedFields: new Set(added.map(({ key }) => key)),
    })
    return this.decision.status === 'sign' ? this.decision.orders : NO_ORDERS
  }

  /** Every author must be one that the user may be. */
  private refuseFrom(section: HeaderSection): Reply | undefined {
    const { users } = this.outbound
    const { login } = this.start
    if (users === undefined) return undefined
    if (login === undefined) return INTERNAL
    const authors = readAuthors(fieldsNamed(section, 'from').map(({ value }) => value))
    if (authors.status !== 'domains') return replies.UNREADABLE_FROM
    // Where it can be read in several ways, `addresses` are those of all of them.
    const foreign = authors.addresses.find((address) => !users.maySendAs(login, address))
    return foreign === undefined ? undefined : replies.notYourFrom(login, printable(foreign))
  }
}

const NOTHING = Buffer.alloc(0)

function refused(reply: Reply): DepartureOutcome {
  return { status: 'refused', reply }
}

/** `local@domain`, decoded; null for the null reverse-path */
export function addressOf({ path: { mailbox } }: EnvelopePath): string | null {
  return mailbox === null ? null : `${mailbox.localPart}@${mailbox.domain}`
}

/** A reply is one line of ASCII, and not a long one. */
function printable(address: string): string {
  return address.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
}
