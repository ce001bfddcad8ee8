/**
 * What the session overhears: who sends, to whom, as which user, for which
 * client. A command counts when the relay has agreed to it. Nothing of it is
 * checked, since the relay does that; what cannot be understood is left out.
 */
import { parseCommand } from '../smtp/command.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import { decodeXtext } from '../smtp/xtext.ts'
import { OverheardLogin } from './overheard-login.ts'
import type { ForwardedClient, PassingEnvelope } from './passing-message.ts'

/** More are not remembered: who signs by the recipients' domains looks at the first ones. */
const MAX_RECIPIENTS = 10_000
const NOBODY: ForwardedClient = { address: undefined, helo: undefined }

export class Overheard {
  /** MAIL was agreed to, and the transaction has not ended */
  open = false
  private sender: string | null = null
  private recipients: string[] = []
  private recipientDomains = new Set<string>()
  private helo = ''
  private login: string | undefined
  private forwarded = NOBODY
  /** of the exchange under way */
  private exchange: OverheardLogin | undefined

  envelope(): PassingEnvelope {
    const { sender, recipients, recipientDomains, login, helo, forwarded } = this
    return { sender, recipients, recipientDomains, login, helo, forwarded }
  }

  /** @param line without its end */
  agreed(verb: string, line: string): void {
    const rest = line.trimStart().slice(verb.length).trim()
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        this.endTransaction()
        this.helo = rest
        break
      case 'MAIL':
        this.endTransaction()
        this.open = true
        this.sender = addressOf(envelopeOf(line))
        break
      case 'RCPT':
        this.addRecipient(envelopeOf(line))
        break
      case 'RSET':
        this.endTransaction()
        break
      case 'XFORWARD':
      case 'XCLIENT':
        this.forward(verb, rest)
        if (verb === 'XCLIENT') this.endTransaction()
    }
  }

  endTransaction(): void {
    this.open = false
    this.sender = null
    this.recipients = []
    this.recipientDomains = new Set()
  }

  private addRecipient(envelope: EnvelopePath | undefined): void {
    const mailbox = envelope?.path.mailbox
    if (mailbox === undefined || mailbox === null || this.recipients.length >= MAX_RECIPIENTS) return
    this.recipients.push(`${mailbox.localPart}@${mailbox.domain}`)
    this.recipientDomains.add(mailbox.domain)
  }

  private forward(verb: 'XFORWARD' | 'XCLIENT', attributes: string): void {
    let { address, helo } = this.forwarded
    // It begins the session anew, as somebody else.
    if (verb === 'XCLIENT') this.login = undefined
    for (const [, name = '', text = ''] of attributes.matchAll(/([A-Za-z]+)=([^ ]*)/g)) {
      const value = /^\[.*\]$/.test(text) ? undefined : decodeXtext(text)
      if (name.toUpperCase() === 'ADDR') address = value?.replace(/^IPV6:/i, '')
      else if (name.toUpperCase() === 'HELO') helo = value
      else if (name.toUpperCase() === 'LOGIN' && verb === 'XCLIENT') this.login = value?.toLowerCase()
    }
    this.forwarded = { address, helo }
  }

  /* --- AUTH (RFC 4954): the name only, where it passes in clear --- */

  authBegins(line: string): void {
    this.exchange = new OverheardLogin(line)
  }

  /** @param text behind the 334 */
  authChallenged(text: string): void {
    this.exchange?.challenged(text)
  }

  authResponds(line: string): void {
    this.exchange?.responds(line)
  }

  /** Somebody is logged in then, though we may not know who. */
  authEnds(agreed: boolean): void {
    if (agreed) this.login = this.exchange?.name()
    this.exchange = undefined
  }
}

function envelopeOf(line: string): EnvelopePath | undefined {
  const command = parseCommand(line.trimStart())
  return command.verb === 'MAIL' || command.verb === 'RCPT' ? command.envelope : undefined
}

function addressOf(envelope: EnvelopePath | undefined): string | null {
  const mailbox = envelope?.path.mailbox ?? null
  return mailbox === null ? null : `${mailbox.localPart}@${mailbox.domain}`
}
