/**
 * A next hop that keeps what it was told and answers what a test scripted;
 * without a script it agrees to everything. It is strict about the contract of
 * `Transaction`: a call out of order, two calls at once or a call after the end
 * is a violation, and `violations` must stay empty.
 */
import type { Capabilities } from '../../src/smtp/capabilities.ts'
import type { ClientFacts, NextHop, Transaction } from '../../src/delivery/next-hop.ts'
import type { EnvelopePath } from '../../src/smtp/envelope.ts'
import type { OutgoingMessage } from '../../src/message/message.ts'
import { isPositive, type Reply } from '../../src/smtp/reply.ts'

export type HopVerb = 'MAIL' | 'RCPT' | 'DATA'
/** 'hang': the answer comes when the test calls `release` */
export type ScriptedAnswer = readonly Reply[] | 'hang'

export interface FakeHopOptions {
  /** undefined: it cannot be reached */
  readonly offers: Capabilities | undefined
  readonly events?: string[]
  /** before each event but the lines of a message */
  readonly prefix?: string
}

export class FakeHop implements NextHop {
  readonly name: string
  readonly kind: 'smtp' | 'lmtp' | 'maildir'
  /** what happened, one line each, and the bytes of messages as `>line`; several hops may share it */
  readonly events: string[]
  private readonly prefix: string
  readonly violations: string[] = []
  readonly clients: ClientFacts[] = []
  readonly messages: Buffer[] = []
  /** undefined: it cannot be reached */
  offers: Capabilities | undefined
  closed = false
  /** transactions that were begun and have not ended */
  open = 0
  private readonly scripts: Record<HopVerb, ScriptedAnswer[]> = { MAIL: [], RCPT: [], DATA: [] }
  private hanging: (() => void)[] = []

  constructor(name: string, kind: 'smtp' | 'lmtp' | 'maildir', { offers, events = [], prefix = '' }: FakeHopOptions) {
    this.name = name
    this.kind = kind
    this.offers = offers
    this.events = events
    this.prefix = prefix
  }

  note(event: string): void {
    this.events.push(this.prefix + escape(event))
  }

  script(verb: HopVerb, answer: ScriptedAnswer): void {
    this.scripts[verb].push(answer)
  }

  /** Lets every hanging answer go: the next scripted one, or the default. */
  release(): void {
    const waiting = this.hanging
    this.hanging = []
    for (const go of waiting) go()
  }

  get unusedScripts(): number {
    return this.scripts.MAIL.length + this.scripts.RCPT.length + this.scripts.DATA.length
  }

  capabilities(): Promise<Capabilities | undefined> {
    return Promise.resolve(this.offers)
  }

  begin(client: ClientFacts): Transaction {
    if (this.closed) this.violations.push('begin after close')
    this.clients.push(client)
    return new FakeTransaction(this)
  }

  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }

  /** The scripted answer, or `otherwise`. */
  async answer(verb: HopVerb, otherwise: readonly Reply[]): Promise<readonly Reply[]> {
    const scripted = this.scripts[verb].shift()
    if (scripted !== 'hang') return scripted ?? otherwise
    await new Promise<void>((resolve) => this.hanging.push(resolve))
    return this.answer(verb, otherwise)
  }
}

class FakeTransaction implements Transaction {
  private readonly hop: FakeHop
  private at: 'new' | 'open' | 'ended' = 'new'
  private busy = false
  private accepted = 0

  constructor(hop: FakeHop) {
    this.hop = hop
    hop.open++
  }

  private get state(): 'new' | 'open' | 'ended' {
    return this.at
  }

  private set state(to: 'new' | 'open' | 'ended') {
    if (to === 'ended' && this.at !== 'ended') this.hop.open--
    this.at = to
  }

  async mail(sender: EnvelopePath): Promise<Reply> {
    this.enter('MAIL', 'new')
    this.hop.note(`MAIL ${describe(sender)}`)
    const reply = await this.ask('MAIL', '2.1.0 Ok')
    if (this.state === 'new') this.state = isPositive(reply) ? 'open' : 'ended'
    return reply
  }

  async rcpt(recipient: EnvelopePath): Promise<Reply> {
    this.enter('RCPT', 'open')
    this.hop.note(`RCPT ${describe(recipient)}`)
    const reply = await this.ask('RCPT', '2.1.5 Ok')
    if (isPositive(reply)) this.accepted++
    return reply
  }

  async data(message: OutgoingMessage): Promise<readonly Reply[]> {
    this.enter('DATA', 'open')
    if (this.accepted === 0) this.hop.violations.push('a message without recipients')
    const bytes: Buffer[] = [message.prefix]
    for await (const piece of message.body.chunks()) bytes.push(Buffer.from(piece))
    const whole = Buffer.concat(bytes)
    if (whole.length !== message.prefix.length + message.body.size) this.hop.violations.push('the size of the message is wrong')
    this.hop.messages.push(whole)
    this.hop.note(`MESSAGE${message.chunked ? ' chunked' : ''}${message.binary ? ' binary' : ''}`)
    this.hop.events.push(...messageLines(whole))
    const count = this.hop.kind === 'lmtp' ? this.accepted : 1
    const replies = await this.hop.answer('DATA', Array.from({ length: count }, () => ({ status: 250, text: '2.0.0 Queued' })))
    this.busy = false
    this.state = 'ended'
    return replies
  }

  abort(): void {
    // After the answer to the message, or a refused MAIL, there is nothing to end.
    if (this.state === 'ended') return
    this.state = 'ended'
    this.hop.note('ABORT')
  }

  private enter(verb: HopVerb, wanted: 'new' | 'open'): void {
    if (this.busy) this.hop.violations.push(`${verb} while another call is under way`)
    if (this.state !== wanted) this.hop.violations.push(`${verb} where the transaction is ${this.state}`)
    this.busy = true
  }

  private async ask(verb: 'MAIL' | 'RCPT', otherwise: string): Promise<Reply> {
    const [reply] = await this.hop.answer(verb, [{ status: 250, text: otherwise }])
    this.busy = false
    if (reply === undefined) throw new Error(`the script of ${verb} has no reply`)
    return reply
  }
}

function describe({ path, parameters }: EnvelopePath): string {
  return [path.wire, ...parameters.map(({ keyword, value }) => (value === null ? keyword : `${keyword}=${value}`))].join(' ')
}

/** `>text` a line that ends in CRLF; `|text` what has no such end, escaped. */
export function messageLines(whole: Buffer): string[] {
  const lines = whole.toString('latin1').split('\r\n')
  const rest = lines.pop() ?? ''
  const shown = lines.map((line) => `>${escape(line)}`)
  return rest === '' ? shown : [...shown, `|${escape(rest)}`]
}

/** Control and 8-bit characters, and the backslash, as `\r`, `\n`, `\0`, `\t`, `\\`, `\xHH`. */
export function escape(text: string): string {
  const short: Record<string, string> = { '\r': '\\r', '\n': '\\n', '\0': '\\0', '\t': '\\t', '\\': '\\\\' }
  return text.replace(/[\x00-\x1f\x7f-\xff\\]/g, (c) => short[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

export function unescape(text: string): string {
  const short: Record<string, string> = { r: '\r', n: '\n', 0: '\0', t: '\t', '\\': '\\' }
  return text.replace(/\\(x[0-9a-f]{2}|[rn0t\\])/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(parseInt(code.slice(1), 16)) : (short[code] ?? ''))
}
