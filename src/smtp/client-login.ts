/**
 * A client's AUTH (RFC 4954 §4), with the strongest mechanism that both sides
 * have and that the connection is good for. Whatever happens is in the outcome;
 * nothing is thrown. After anything but `in` the connection is to be closed.
 * Servers repeat a line that they do not understand: what we said is taken out of
 * the server's words, and so is all that may be base64.
 *
 * SCRAM shows nobody the password, so it may be used anywhere. All others only
 * where the connection is confidential: TLS with a certificate that was
 * verified, or no network at all.
 */
import { decodeBase64, encodeBase64 } from './base64.ts'
import type { Capabilities } from './capabilities.ts'
import type { Channel } from './client.ts'
import { Loss, type Answer } from './client-connection.ts'
import { beginExchange, CLIENT_MECHANISMS, Fault, type ClientMechanism, type ExchangeTerms } from './client-mechanisms.ts'
import { Concealment, withoutEncoded } from './concealment.ts'
import { describeReply, withText, type Reply } from './reply.ts'

export interface LoginChannel extends Channel {
  /** What was said in confidence, from now on to be kept out of what is told of the channel. */
  conceal(concealment: Concealment): void
}

export interface LoginTerms extends ExchangeTerms {
  readonly confidential: boolean
  readonly timeoutMs: number
  /** the mechanism to begin with, where it may be used: the server's answer to it is known */
  readonly preferred: ClientMechanism | undefined
}

export type LoginOutcome =
  | { readonly status: 'in'; readonly mechanism: ClientMechanism }
  /** none that we have and may use here */
  | { readonly status: 'no-mechanism'; readonly offered: string }
  /** 5xx: the server does not accept who we say we are */
  | { readonly status: 'refused'; readonly mechanism: ClientMechanism; readonly reply: Reply }
  /** 4xx */
  | { readonly status: 'put-off'; readonly mechanism: ClientMechanism; readonly reply: Reply }
  /** what the server says makes no sense, or it does not know the password itself */
  | { readonly status: 'faulty'; readonly mechanism: ClientMechanism; readonly detail: string }
  | { readonly status: 'lost'; readonly loss: Loss }

/** RFC 5321 §4.5.3.1.4: an AUTH command that is longer goes without its initial response. */
const MAX_COMMAND_BYTES = 512
const MAX_ROUNDS = 10

export async function logIn(channel: LoginChannel, offered: Capabilities, terms: LoginTerms): Promise<LoginOutcome> {
  const words = (offered.get('AUTH') ?? '').toUpperCase().split(/\s+/)
  const usable = CLIENT_MECHANISMS.filter((one) => words.includes(one) && isGoodEnough(one, terms))
  const first = terms.preferred !== undefined && usable.includes(terms.preferred) ? terms.preferred : usable[0]
  if (first === undefined) return { status: 'no-mechanism', offered: offered.has('AUTH') ? words.join(' ') : 'no AUTH' }
  const concealment = new Concealment()
  concealment.add(Buffer.from(terms.login.password, 'utf8').toString('latin1'))
  channel.conceal(concealment)
  const outcome = await attempt(channel, first, { ...terms, concealment })
  if (outcome.status !== 'refused') return outcome
  // Servers offer mechanisms for which they do not have every user's secret. One more try, no more: each may count as a guess.
  const plain = usable.find((one) => one === 'PLAIN' || one === 'LOGIN')
  return plain === undefined || first === 'PLAIN' || first === 'LOGIN' ? outcome : attempt(channel, plain, { ...terms, concealment })
}

function isGoodEnough(mechanism: ClientMechanism, { confidential, channelBinding }: LoginTerms): boolean {
  if (mechanism === 'SCRAM-SHA-256-PLUS') return channelBinding !== undefined
  return mechanism === 'SCRAM-SHA-256' || confidential
}

async function attempt(channel: LoginChannel, mechanism: ClientMechanism, { concealment, ...terms }: LoginTerms & { readonly concealment: Concealment }): Promise<LoginOutcome> {
  const exchange = beginExchange(mechanism, terms)
  let { initial } = exchange
  let line = `AUTH ${mechanism}`
  if (initial !== null && line.length + 3 + initial.length * 4 / 3 + 2 <= MAX_COMMAND_BYTES) {
    line += ` ${said(initial, concealment)}`
    initial = null
  }
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const answer = await channel.command(`${line}\r\n`, terms.timeoutMs)
    const challenge = challengeOf(answer)
    if (challenge === undefined) return concluded(cleared(answer, concealment), mechanism, exchange.finished)
    const response = initial ?? await exchange.answer(challenge)
    initial = null
    if (response instanceof Fault) return { status: 'faulty', mechanism, detail: response.detail }
    line = said(response, concealment)
  }
  return { status: 'faulty', mechanism, detail: 'challenges without end' }
}

function said(bytes: Buffer, concealment: Concealment): string {
  const text = encodeBase64(bytes)
  concealment.add(text)
  return text
}

function cleared(answer: Answer, concealment: Concealment): Answer {
  return answer instanceof Loss ? answer : withText(answer, (line) => withoutEncoded(concealment.hide(line)))
}

function challengeOf(answer: Answer): Buffer | undefined {
  if (answer instanceof Loss || answer.status !== 334 || typeof answer.text !== 'string') return undefined
  // Some servers ask for the user in plain words; what they ask does not matter there.
  return decodeBase64(answer.text.trim()) ?? Buffer.from(answer.text, 'latin1')
}

function concluded(answer: Answer, mechanism: ClientMechanism, finished: boolean): LoginOutcome {
  if (answer instanceof Loss) return { status: 'lost', loss: answer }
  if (answer.status >= 500) return { status: 'refused', mechanism, reply: answer }
  if (answer.status >= 400) return { status: 'put-off', mechanism, reply: answer }
  if (answer.status !== 235) return { status: 'faulty', mechanism, detail: describeReply(answer) }
  return finished ? { status: 'in', mechanism } : { status: 'faulty', mechanism, detail: 'success before the server has shown that it knows our password' }
}
