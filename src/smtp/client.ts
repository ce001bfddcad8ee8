/**
 * How a client comes to the point where it may send mail: greeting, EHLO (or
 * HELO, LHLO), STARTTLS, EHLO again (RFC 5321 §3.1, §3.2, §4.1.1.1; RFC 3207;
 * RFC 2033 §4.1). Works on a channel of commands and replies, opens nothing.
 *
 * Whatever happens is in the `Hello`; nothing is thrown. After anything but
 * `ready` the connection is to be closed.
 */
import { NO_CAPABILITIES, parseCapabilities, type Capabilities } from './capabilities.ts'
import { Loss, type Answer } from './client-connection.ts'
import type { Reply } from './reply.ts'

export interface Channel {
  readonly loss: Loss | undefined
  command(line: string, timeoutMs: number): Promise<Answer>
}

export interface Introduction {
  readonly protocol: 'smtp' | 'lmtp'
  readonly hostname: string
  readonly timeoutMs: number
  readonly starttls: 'never' | 'if-offered' | 'always'
  /** puts TLS on the channel */
  secure(): Promise<Loss | undefined>
}

export type Hello =
  | { readonly status: 'ready', readonly capabilities: Capabilities }
  /** a 4xx or 5xx */
  | { readonly status: 'refused', readonly stage: Stage, readonly reply: Reply }
  /** a reply that may not stand there */
  | { readonly status: 'nonsense', readonly stage: Stage, readonly reply: Reply }
  | { readonly status: 'lost', readonly stage: Stage, readonly loss: Loss }
  | { readonly status: 'tls-not-offered' }
  /** STARTTLS was offered and then refused, or the handshake failed */
  | { readonly status: 'tls-failed', readonly detail: string }

export type Stage = 'greeting' | 'EHLO' | 'HELO' | 'LHLO' | 'STARTTLS'

/**
 * @param greeting the reply that a server gives unasked; awaited from before the connection stood
 */
export async function greet(channel: Channel, greeting: Promise<Answer>, introduction: Introduction): Promise<Hello> {
  const welcome = judged('greeting', await greeting, 220)
  if (welcome.status !== 'ready') return welcome
  const hello = await sayHello(channel, introduction)
  if (hello.status !== 'ready' || introduction.starttls === 'never') return hello
  if (!hello.capabilities.has('STARTTLS')) return introduction.starttls === 'always' ? { status: 'tls-not-offered' } : hello
  const failure = await startTls(channel, introduction)
  // RFC 3207 §4.2: what was learned in clear is forgotten.
  return failure ?? sayHello(channel, introduction)
}

/** EHLO, or what the protocol has in its place; HELO for a server that does not know EHLO. */
export async function sayHello(channel: Channel, introduction: Pick<Introduction, 'protocol' | 'hostname' | 'timeoutMs'>): Promise<Hello> {
  const { protocol, hostname, timeoutMs } = introduction
  const verb = protocol === 'lmtp' ? 'LHLO' : 'EHLO'
  const answer = await channel.command(`${verb} ${hostname}\r\n`, timeoutMs)
  const hello = judged(verb, answer, 250)
  // RFC 5321 §3.2; a 4xx is no word on whether it knows EHLO.
  if (verb === 'LHLO' || hello.status !== 'refused' || hello.reply.status < 500) return hello
  return judged('HELO', await channel.command(`HELO ${hostname}\r\n`, timeoutMs), 250)
}

async function startTls(channel: Channel, introduction: Introduction): Promise<Hello | undefined> {
  const go = judged('STARTTLS', await channel.command('STARTTLS\r\n', introduction.timeoutMs), 220)
  // Something stood behind the 220 in clear, to be taken for a reply under TLS
  // (RFC 3207 §6). The connection is gone, and that is no reason to do without TLS.
  const loss = channel.loss
  if (loss && (loss.cause === 'unsolicited' || loss.cause === 'malformed')) return { status: 'lost', stage: 'STARTTLS', loss }
  if (go.status === 'refused') return { status: 'tls-failed', detail: `STARTTLS refused: ${go.reply.status}` }
  if (go.status === 'lost') return { status: 'tls-failed', detail: `${go.loss.cause}: ${go.loss.detail}` }
  if (go.status !== 'ready') return go
  const failed = await introduction.secure()
  return failed ? { status: 'tls-failed', detail: `${failed.cause}: ${failed.detail}` } : undefined
}

function judged(stage: Stage, answer: Answer, expected: number): Hello {
  if (answer instanceof Loss) return { status: 'lost', stage, loss: answer }
  if (answer.status === expected) return { status: 'ready', capabilities: capabilitiesOf(stage, answer) }
  return { status: answer.status >= 400 ? 'refused' : 'nonsense', stage, reply: answer }
}

function capabilitiesOf(stage: Stage, reply: Reply): Capabilities {
  if (stage !== 'EHLO' && stage !== 'LHLO' || typeof reply.text === 'string') return NO_CAPABILITIES
  return parseCapabilities(reply.text)
}
