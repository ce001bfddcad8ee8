/** What tests of local delivery need again and again: messages, paths, a log that remembers, a hop on a simulated disk. */
import type { MaildirSettings } from '../../../src/config/settings.ts'
import { createMaildirHop, type LocalContext, type LocalHop } from '../../../src/delivery/local.ts'
import type { ProcessIdentity } from '../../../src/delivery/local-settings.ts'
import type { ClientFacts } from '../../../src/delivery/next-hop.ts'
import type { OutgoingMessage, StoredMessage } from '../../../src/message/message.ts'
import type { Log } from '../../../src/observe/log.ts'
import { parseDomain, parsePath } from '../../../src/smtp/address.ts'
import type { Domain, EnvelopePath, Parameter } from '../../../src/smtp/envelope.ts'
import { describeReply } from '../../../src/smtp/reply.ts'

export const CLIENT: ClientFacts = {
  address: '192.0.2.1', port: 2500, name: undefined, helo: 'client.example', protocol: 'ESMTP', login: undefined, source: 'REMOTE', ident: 'TEST1',
}

export const NOT_ROOT: ProcessIdentity = { uid: 5000, gid: 5000, groups: [5000], platform: 'linux' }
export const ROOT: ProcessIdentity = { uid: 0, gid: 0, groups: [0], platform: 'linux' }

export function domain(text: string): Domain {
  const parsed = parseDomain(text)
  if (parsed === null) throw new Error(`${text} is no domain`)
  return parsed
}

export function domains(...texts: readonly string[]): ReadonlySet<Domain> {
  return new Set(texts.map(domain))
}

export function path(address: string, ...parameters: readonly Parameter[]): EnvelopePath {
  const parsed = parsePath(Buffer.from(`<${address}>`, 'utf8').toString('latin1'), 0)
  if (parsed.status !== 'ok') throw new Error(`${address}: ${parsed.why}`)
  return { path: parsed.path, parameters }
}

export function stored(text: string | Buffer): StoredMessage {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  return { size: bytes.length, memory: [bytes], chunks: () => pieces(bytes, bytes.length), discard: () => undefined }
}

/** As a message in a temporary file comes: in pieces, and never whole. */
export function spooled(text: string | Buffer, pieceBytes: number): StoredMessage {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  return { size: bytes.length, memory: null, chunks: () => pieces(bytes, pieceBytes), discard: () => undefined }
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

export function outgoing(body: StoredMessage, prefix = ''): OutgoingMessage {
  return { prefix: Buffer.from(prefix, 'latin1'), body, chunked: false, binary: false }
}

export interface RememberedLog extends Log {
  readonly lines: { readonly level: string; readonly facts: Readonly<Record<string, unknown>>; readonly text: string }[]
  has(level: string, part: string): boolean
}

export function rememberedLog(): RememberedLog {
  const lines: RememberedLog['lines'] = []
  const at = (level: string) => (facts: Readonly<Record<string, unknown>>, text: string): void => void lines.push({ level, facts, text })
  return {
    lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'),
    has: (level, part) => lines.some((line) => line.level === level && `${line.text} ${JSON.stringify(line.facts)}`.includes(part)),
  }
}

export const SETTINGS: MaildirSettings = {
  kind: 'maildir', name: 'local', path: '/mail/{domain}/{local}', users: undefined, aliases: undefined, suffix: '+-', catchAll: undefined, uid: undefined, gid: undefined, mode: 0o600,
}

export interface Fixture {
  readonly hop: LocalHop
  readonly log: RememberedLog
}

export function localHop(settings: Partial<MaildirSettings>, context: Partial<LocalContext> = {}): Fixture {
  const log = rememberedLog()
  const hop = createMaildirHop({ ...SETTINGS, ...settings }, {
    hostname: 'mx.example.org', log, domains: domains('example.org', 'example.com'), process: NOT_ROOT,
    wallMs: () => 1_700_000_000_000, monotonicMs: () => 0, random: 'abc', ...context,
  })
  return { hop, log }
}

export const SENDER = 'sender@client.example'

/** One transaction from MAIL to the end: every reply as text, RCPT and DATA. */
export async function send(hop: LocalHop, to: readonly string[], message: OutgoingMessage): Promise<{ readonly rcpts: string[]; readonly data: string }> {
  const transaction = hop.begin(CLIENT)
  await transaction.mail(path(SENDER))
  const rcpts: string[] = []
  for (const one of to) rcpts.push(describeReply(await transaction.rcpt(path(one))))
  const replies = await transaction.data(message)
  if (replies.length !== 1 || replies[0] === undefined) throw new Error(`${replies.length} replies`)
  return { rcpts, data: describeReply(replies[0]) }
}
