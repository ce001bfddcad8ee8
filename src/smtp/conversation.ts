/**
 * What has been said in a session and what may be said next: the order of
 * commands (RFC 5321 §4.1.4), the offer of EHLO, the counts and bounds. No bytes
 * here and no I/O; `Session` feeds it commands, the handler decides.
 */
import { AuthDialogue } from './auth-dialogue.ts'
import type { Authentication } from './authentication.ts'
import { vouchedFor } from './auth-parameter.ts'
import type { Command } from './command.ts'
import { parameter, type EnvelopePath } from './envelope.ts'
import { MessageIntake } from './message-intake.ts'
import { checkParameters } from './parameters.ts'
import { isPositive, type Reply } from './reply.ts'
import * as replies from './reply-catalogue.ts'
import type { SessionFacts, SessionHandler, TlsFacts } from './session-handler.ts'
import { parseAttributes, XCLIENT_ATTRIBUTES, XFORWARD_ATTRIBUTES, type Attributes } from './xclient.ts'

export interface SessionOptions {
  readonly hostname: string
  readonly protocol: 'smtp' | 'lmtp'
  /** STARTTLS: not there, offered, or required before MAIL */
  readonly tls: 'none' | 'offered' | 'required'
  /** RFC 4954 §6: nothing is done for a client before AUTH; default: false */
  readonly requireAuthentication?: boolean | undefined
  readonly newlines: 'normalise' | 'refuse'
  /** the peer's address as the connection (or a trusted PROXY header) has it; undefined for a unix socket */
  readonly peer: { readonly address: string | undefined; readonly port: number | undefined; /** ours that it connected to */ readonly localAddress?: string | undefined }
  readonly trust: { readonly xclient: boolean; readonly xforward: boolean }
  readonly limits: {
    readonly messageBytes: number
    readonly commandLineBytes: number
    readonly recipients: number
    readonly errors: number
    readonly unknownCommands: number
    readonly junkCommands: number
  }
  readonly timeouts: {
    readonly commandMs: number
    readonly dataMs: number
    readonly handshakeMs: number
    readonly sessionMs: number
  }
}

/** Commands that are answered with a reply and change nothing of how bytes are read. */
type PlainCommand = Exclude<Command, { verb: 'QUIT' | 'DATA' | 'BDAT' | 'STARTTLS' | 'AUTH' | 'XCLIENT' | 'malformed' }>

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const NOTHING: ReadonlyMap<string, string> = new Map()
/** Mechanisms that say the password as it is, or rest on TLS itself: none is ever offered in clear. */
const NEEDS_TLS = /^(?:PLAIN|LOGIN|EXTERNAL|OAUTHBEARER|XOAUTH2|[A-Z0-9_-]*-PLUS)$/
/** Commands that have bounds of their own, or end the session. */
const CARRYING: ReadonlySet<Command['verb']> = new Set(['RCPT', 'DATA', 'BDAT', 'QUIT', 'STARTTLS', 'unknown', 'malformed'])

export class Conversation {
  private readonly options: SessionOptions
  private readonly handler: SessionHandler
  private readonly facts: Mutable<SessionFacts>
  /** keywords of our last EHLO reply */
  private offered: ReadonlyMap<string, string> = NOTHING
  /** the greeting was said, or a refusal in its place */
  private welcomed = false
  /** HELO, EHLO or LHLO was answered */
  private greeted = false
  /** and it was not HELO */
  private extended = false
  /** what a trusted peer said of its client's hello; it holds against the peer's own */
  private claimed: { helo: string | undefined; protocol: SessionFacts['protocol'] | undefined } = { helo: undefined, protocol: undefined }
  private sender: EnvelopePath | null = null
  private accepted = 0
  private tried = 0
  private chunks: 'none' | 'open' | 'failed' = 'none'
  private errors = 0
  private unknown = 0
  /** commands since the last message that got through */
  private junk = 0

  constructor(options: SessionOptions, makeHandler: (facts: SessionFacts) => SessionHandler) {
    this.options = options
    this.facts = {
      address: options.peer.address, port: options.peer.port, spokeEarly: false, name: undefined, login: undefined,
      helo: undefined, protocol: 'SMTP', tls: undefined, forwarded: NOTHING, localAddress: options.peer.localAddress, authentication: undefined,
    }
    this.handler = makeHandler(this.facts)
  }

  get inTransaction(): boolean {
    return this.sender !== null
  }

  /** the smaller of our limit and the next hop's (RFC 1870) */
  get maxMessageBytes(): number {
    const hop = Number(this.offered.get('SIZE') ?? 0)
    const own = this.options.limits.messageBytes
    return hop > 0 && hop < own ? hop : own
  }

  connect(): Reply | Promise<Reply> {
    const said = (reply: Reply): Reply => {
      this.welcomed = true
      return reply
    }
    const reply = this.handler.connect()
    return reply instanceof Promise ? reply.then(said) : said(reply)
  }

  /** Bytes have come from the client. */
  heard(): void {
    if (!this.welcomed) this.facts.spokeEarly = true
  }

  closed(): void {
    this.reset()
    this.handler.closed()
  }

  secured(tls: TlsFacts): void {
    this.facts.tls = tls
    this.forgetHello()
  }

  /** RFC 5321 §4.1.1.5: the transaction is forgotten, the session is not. */
  reset(): void {
    this.handler.reset()
    this.endTransaction()
  }

  /** The 421 to end the session with, once there were too many. */
  countError(reply: Reply): Reply | undefined {
    if (reply === replies.UNKNOWN_COMMAND && ++this.unknown >= this.options.limits.unknownCommands) return replies.TOO_MANY_UNKNOWN
    return ++this.errors >= this.options.limits.errors ? replies.TOO_MANY_ERRORS : undefined
  }

  /** True once there were too many commands that lead to no message: whoever sends them for ever has no mail. */
  countJunk(verb: Command['verb']): boolean {
    return !CARRYING.has(verb) && ++this.junk > this.options.limits.junkCommands
  }

  answer(command: PlainCommand): Reply | Promise<Reply> {
    switch (command.verb) {
      case 'MAIL':
        return this.mail(command.envelope)
      case 'RCPT':
        return this.rcpt(command.envelope)
      case 'HELO':
      case 'EHLO':
      case 'LHLO':
        return this.hello(command.verb, command.name)
      case 'RSET':
        this.reset()
        return replies.OK
      case 'NOOP':
        return replies.OK
      case 'HELP':
        return this.options.protocol === 'lmtp' ? replies.LMTP_HELP : replies.HELP
      case 'VRFY':
        return this.refuseStranger() ?? replies.CANNOT_VERIFY
      case 'EXPN':
        return this.refuseStranger() ?? replies.NO_EXPANSION
      case 'XFORWARD':
        return this.xforward(command.attributes)
      case 'unknown':
        return replies.UNKNOWN_COMMAND
    }
  }

  /* --- hello --- */

  private hello(verb: 'HELO' | 'EHLO' | 'LHLO', name: string): Reply | Promise<Reply> {
    if ((verb === 'LHLO') !== (this.options.protocol === 'lmtp')) return verb === 'LHLO' ? replies.UNKNOWN_COMMAND : replies.NOT_LMTP
    this.reset()
    this.greeted = true
    this.extended = verb !== 'HELO'
    this.facts.helo = this.claimed.helo ?? name
    this.facts.protocol = this.claimed.protocol ?? (verb === 'LHLO' ? 'LMTP' : verb === 'EHLO' ? 'ESMTP' : 'SMTP')
    if (verb === 'HELO') {
      this.offered = NOTHING
      return { status: 250, text: this.options.hostname }
    }
    const behind = this.handler.hello()
    return behind instanceof Promise ? behind.then((keywords) => this.offer(keywords)) : this.offer(behind)
  }

  /** What both we and what lies behind us can do (RFC 5321 §4.1.1.1). */
  private offer(behind: ReadonlyMap<string, string>): Reply {
    const offered = new Map<string, string>([['PIPELINING', ''], ['CHUNKING', ''], ...behind])
    if (this.facts.tls === undefined) {
      // RFC 8689 §2: offered under TLS only
      offered.delete('REQUIRETLS')
      if (this.options.tls !== 'none') offered.set('STARTTLS', '')
    }
    const mechanisms = this.mechanisms()
    if (mechanisms.length > 0) offered.set('AUTH', mechanisms.join(' '))
    if (this.options.trust.xclient) offered.set('XCLIENT', XCLIENT_ATTRIBUTES.join(' '))
    if (this.options.trust.xforward) offered.set('XFORWARD', XFORWARD_ATTRIBUTES.join(' '))
    this.offered = offered
    offered.set('SIZE', String(this.maxMessageBytes))
    const text = [this.options.hostname]
    for (const [keyword, value] of offered) text.push(value === '' ? keyword : `${keyword} ${value}`)
    return { status: 250, text }
  }

  /** RFC 3207 §4.2: whatever the client has said of itself. */
  private forgetHello(): void {
    this.reset()
    this.greeted = false
    this.extended = false
    this.facts.authentication = undefined
    this.facts.helo = undefined
    this.facts.protocol = 'SMTP'
    this.offered = NOTHING
  }

  refuseStartTls(): Reply | undefined {
    if (this.facts.tls !== undefined) return replies.ALREADY_TLS
    if (this.options.tls === 'none') return replies.UNKNOWN_COMMAND
    return this.inTransaction ? replies.ALREADY_MAIL : undefined
  }

  /* --- AUTH --- */

  /** What may be used now; where TLS is required, nothing before it (RFC 3207 §4). */
  private mechanisms(): readonly string[] {
    return this.mustEncrypt ? [] : (this.handler.mechanisms?.() ?? [])
  }

  private get mustEncrypt(): boolean {
    return this.options.tls === 'required' && this.facts.tls === undefined
  }

  /** TLS is to be had and not there yet. */
  private get couldEncrypt(): boolean {
    return this.options.tls !== 'none' && this.facts.tls === undefined
  }

  /** RFC 4954 §4: the exchange to begin, or the refusal. */
  auth(mechanism: string): AuthDialogue | Reply {
    const offered = this.mechanisms()
    if (offered.length === 0) {
      if (this.handler.mechanisms === undefined || !this.couldEncrypt) return replies.UNKNOWN_COMMAND
      if (this.mustEncrypt) return replies.TLS_REQUIRED
      return this.options.requireAuthentication === true ? replies.MECHANISM_NEEDS_TLS : replies.UNKNOWN_COMMAND
    }
    if (!this.extended) return replies.AUTH_NEEDS_EHLO
    if (this.facts.authentication !== undefined) return replies.ALREADY_AUTHENTICATED
    if (this.inTransaction) return replies.ALREADY_MAIL
    const exchange = offered.includes(mechanism) ? this.handler.authenticate?.(mechanism) : undefined
    if (exchange !== undefined) return new AuthDialogue(exchange)
    return this.couldEncrypt && NEEDS_TLS.test(mechanism) ? replies.MECHANISM_NEEDS_TLS : replies.MECHANISM_NOT_KNOWN
  }

  authenticated(by: Authentication): void {
    this.facts.authentication = by
    this.handler.authenticated?.(by)
  }

  /** RFC 4954 §6: what is done for nobody but the authenticated. */
  private refuseStranger(): Reply | undefined {
    if (this.options.requireAuthentication !== true || this.facts.authentication !== undefined) return undefined
    return this.couldEncrypt && this.mechanisms().length === 0 ? replies.TLS_REQUIRED : replies.AUTH_REQUIRED
  }

  /* --- the envelope --- */

  private mail(sender: EnvelopePath): Reply | Promise<Reply> {
    const refusal = this.refuseMail(sender)
    if (refusal !== undefined) return refusal
    const vouched = vouchedFor(sender, this.facts.authentication)
    return this.handler.mail(vouched).then((reply) => {
      if (isPositive(reply)) this.sender = vouched
      else this.handler.reset()
      return reply
    })
  }

  private refuseMail(sender: EnvelopePath): Reply | undefined {
    if (!this.greeted) return replies.HELLO_FIRST
    if (this.mustEncrypt) return replies.TLS_REQUIRED
    const stranger = this.refuseStranger()
    if (stranger !== undefined) return stranger
    if (this.inTransaction) return replies.ALREADY_MAIL
    const wrong = checkParameters('MAIL', sender, this.offered)
    if (wrong !== undefined) return wrong
    if (/[^\x00-\x7f]/.test(sender.path.wire) && parameter(sender, 'SMTPUTF8') === undefined) return replies.needsSmtputf8('MAIL')
    const size = Number(parameter(sender, 'SIZE')?.value ?? 0)
    return size > this.maxMessageBytes ? replies.tooBig(this.maxMessageBytes) : undefined
  }

  private rcpt(recipient: EnvelopePath): Reply | Promise<Reply> {
    if (this.sender === null) return this.refuseStranger() ?? replies.MAIL_FIRST
    if (this.chunks !== 'none') return replies.BDAT_UNDER_WAY
    if (this.tried >= this.options.limits.recipients) return replies.TOO_MANY_RECIPIENTS
    const wrong = checkParameters('RCPT', recipient, this.offered)
    if (wrong !== undefined) return wrong
    if (/[^\x00-\x7f]/.test(recipient.path.wire) && parameter(this.sender, 'SMTPUTF8') === undefined) return replies.needsSmtputf8('RCPT')
    this.tried++
    return this.handler.rcpt(recipient).then((reply) => {
      if (isPositive(reply)) this.accepted++
      return reply
    })
  }

  /* --- the message --- */

  refuseData(): Reply | undefined {
    if (this.chunks !== 'none') return this.chunks === 'failed' ? replies.BDAT_FAILED : replies.BDAT_UNDER_WAY
    if (this.isBinary()) return replies.BINARY_NEEDS_BDAT
    return this.refuseMessage()
  }

  refuseChunk(): Reply | undefined {
    return this.chunks === 'failed' ? replies.BDAT_FAILED : this.refuseMessage()
  }

  private refuseMessage(): Reply | undefined {
    if (this.sender === null) return this.refuseStranger() ?? replies.MAIL_FIRST
    if (this.accepted > 0) return undefined
    // RFC 2033 §4.2: LMTP answers 503 where no recipient was accepted.
    return this.tried === 0 || this.options.protocol === 'lmtp' ? replies.NO_RECIPIENT : replies.NO_VALID_RECIPIENT
  }

  openMessage(chunked: boolean): MessageIntake {
    if (chunked) this.chunks = 'open'
    return new MessageIntake(this.handler.message(), {
      maxBytes: this.maxMessageBytes, newlines: this.options.newlines, chunked, binary: this.isBinary(),
    })
  }

  chunkFailed(): void {
    this.chunks = 'failed'
  }

  /** The message was answered: a new transaction may begin, and a client that gets mail through is no attacker. */
  messageDone(answers: readonly Reply[]): void {
    if (answers.some(isPositive)) this.errors = this.junk = 0
    this.endTransaction()
  }

  private isBinary(): boolean {
    return this.sender !== null && parameter(this.sender, 'BODY')?.value?.toUpperCase() === 'BINARYMIME'
  }

  private endTransaction(): void {
    this.sender = null
    this.accepted = 0
    this.tried = 0
    this.chunks = 'none'
    this.facts.forwarded = NOTHING
  }

  /* --- what a trusted peer says of its client --- */

  /** Postfix's XCLIENT_README: takes over the client's facts; then the session begins anew. Returns a refusal. */
  xclient(text: string): Reply | undefined {
    const { refusal, attributes } = this.readAttributes(text, this.options.trust.xclient, XCLIENT_ATTRIBUTES)
    if (refusal !== undefined) return refusal
    // No address would be a client on this machine, who may do more than one from nowhere.
    if (attributes.has('ADDR') && attributes.get('ADDR') === undefined) return replies.attributeSyntax('ADDR is to be known')
    this.forgetHello()
    const facts = this.facts
    // The TLS is the peer's, and so is what it proved of itself by it.
    if (facts.tls !== undefined) facts.tls = { ...facts.tls, channelBinding: () => undefined, clientCertificate: undefined }
    for (const [name, value] of attributes) {
      if (name === 'ADDR') facts.address = value
      else if (name === 'PORT') facts.port = value === undefined ? undefined : Number(value)
      else if (name === 'NAME') facts.name = value
      else if (name === 'LOGIN') facts.login = value
      else if (name === 'DESTADDR') facts.localAddress = value
      else if (name === 'HELO') this.claimed.helo = value
      else if (name === 'PROTO') this.claimed.protocol = value as SessionFacts['protocol'] | undefined
    }
    return undefined
  }

  private xforward(text: string): Reply {
    const { refusal, attributes } = this.readAttributes(text, this.options.trust.xforward, XFORWARD_ATTRIBUTES)
    if (refusal !== undefined) return refusal
    const merged = new Map(this.facts.forwarded)
    for (const [name, value] of attributes) {
      if (value === undefined) merged.delete(name)
      else merged.set(name, value)
    }
    this.facts.forwarded = merged
    return replies.OK
  }

  private readAttributes(text: string, trusted: boolean, known: readonly string[]): { refusal?: Reply; attributes: Attributes } {
    if (!trusted) return { refusal: replies.NOT_TRUSTED, attributes: NOTHING }
    if (this.inTransaction) return { refusal: replies.ALREADY_MAIL, attributes: NOTHING }
    const result = parseAttributes(text, known)
    return result.status === 'ok' ? { attributes: result.attributes } : { refusal: replies.attributeSyntax(result.at), attributes: NOTHING }
  }
}
