/**
 * An LMTP server around local delivery (RFC 2033), by the smtp-server library:
 * `postern deliver`. Each recipient has a transaction of its own in the hop, so
 * that each gets its own reply; a Maildir that several of them lead to gets one
 * copy. Recipients are what the hop resolves and nothing else: no relay.
 *
 * What the library does otherwise is set right here where it can be: the
 * enhanced codes are the hop's own, not one for each status; a recipient that
 * was given twice is answered twice (RFC 2033 §4.2). What stays: 100 ms before
 * each greeting, no quoted local parts, no BDAT, a dot doubled behind a bare LF
 * is halved (docs/delivery.md).
 */
import type { Server } from 'node:net'
import { SMTPServer, type SMTPServerAddress, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import type { StoredMessage } from '../message/message.ts'
import { createSpool, type Spool } from '../message/spool.ts'
import type { Log } from '../observe/log.ts'
import { parsePath } from '../smtp/address.ts'
import type { EnvelopePath, Parameter } from '../smtp/envelope.ts'
import { badAddress, MAIL_FIRST, needsSmtputf8, NO_ROOM, tooBig, TOO_MANY_RECIPIENTS } from '../smtp/reply-catalogue.ts'
import { describeReply, isPositive, type Reply } from '../smtp/reply.ts'
import { errorCode } from './file-system.ts'
import type { LocalHop } from './local.ts'
import * as replies from './local-replies.ts'
import type { ClientFacts, Transaction } from './next-hop.ts'

export interface LmtpServerSettings {
  readonly hostname: string
  readonly maxMessageBytes: number
  readonly maxRecipients: number
  readonly maxSessions: number
  readonly commandMs: number
  /** sessions that still run then are closed */
  readonly stopMs: number
  /** directory of temporary files for messages over 1 MiB */
  readonly spool: string
}

export interface LmtpServer {
  /** the listening socket, to be bound by the caller */
  readonly socket: Server
  /** No new sessions, idle ones are closed; resolves when the others have ended. */
  stop(): Promise<void>
}

/** Of one session; the library forgets a transaction at RSET without a word, so the next MAIL clears it. */
interface State {
  readonly sender: EnvelopePath
  readonly ident: string
  /** paths that have the message already */
  readonly done: Set<string>
  readonly accepted: { readonly address: string; readonly transaction: Transaction }[]
}

interface Service {
  readonly settings: LmtpServerSettings
  readonly hop: () => LocalHop
  readonly log: Log
  readonly states: Map<string, State>
}

const MEMORY_BYTES = 1024 * 1024
const NO_FIELDS = Buffer.alloc(0)
/** Commands of the library that have no place here. */
const DISABLED = ['AUTH', 'STARTTLS', 'XCLIENT', 'XFORWARD', 'WIZ', 'SHELL', 'KILL']

/** `hop` is asked at each MAIL and RCPT: a reload may give another. */
export function createLmtpServer(hop: () => LocalHop, settings: LmtpServerSettings, log: Log): LmtpServer {
  const service: Service = { settings, hop, log, states: new Map() }
  const server = new SMTPServer({
    lmtp: true,
    name: settings.hostname,
    banner: 'Postern delivery',
    size: settings.maxMessageBytes,
    maxClients: settings.maxSessions,
    maxCommandLength: 4096,
    socketTimeout: settings.commandMs,
    closeTimeout: settings.stopMs,
    disabledCommands: DISABLED,
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    heloResponse: '%s',
    logger: false,
    onConnect: (session, callback) => {
      ownEnhancedCodes(server, session)
      callback()
    },
    onMailFrom: (address, session, callback) => respond(service, mail(service, address, session), callback),
    onRcptTo: (address, session, callback) => respond(service, rcpt(service, address, session), callback),
    onData: (stream, session, callback) => {
      data(service, stream, session).then(
        (given) => callback(null, given.map(resultOf)),
        (error: unknown) => callback(errorOf(unforeseen(service, error))),
      )
    },
    onClose: (session) => forget(service, session),
  })
  server.on('error', (error) => log.warn({ cause: error.message }, 'LMTP session failed'))
  return { socket: server.server, stop: () => stop(server, service) }
}

function stop(server: SMTPServer, service: Service): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    // A client that keeps its connection for later would hold the end up.
    for (const connection of server.connections) {
      if (!service.states.has(connection.id)) connection.send(421, '4.3.2 Delivery is stopping, try again soon')
    }
  })
}

/**
 * The library puts the same enhanced code before every reply of a status (each
 * 550 is 5.1.1). Texts of ours begin with their own: before those it puts none.
 */
function ownEnhancedCodes(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections) {
    if (connection.id !== session.id) continue
    const send = connection.send.bind(connection)
    connection.send = (code, text, context) => send(code, text, typeof text === 'string' && /^[245]\.\d{1,3}\.\d{1,3} /.test(text) ? false : context)
    return
  }
}

async function mail(service: Service, address: SMTPServerAddress, session: SMTPServerSession): Promise<Reply> {
  forget(service, session)
  const sender = envelopePath('MAIL', address, session)
  if ('status' in sender) return sender
  const hop = service.hop()
  const state: State = { sender, ident: `${session.id}.${session.transaction}`, done: new Set(), accepted: [] }
  // The hop is asked now, so that a parameter that it does not offer is refused here.
  const probe = hop.begin(clientFacts(session, state))
  const reply = await probe.mail(sender)
  probe.abort()
  if (isPositive(reply)) service.states.set(session.id, state)
  return reply
}

async function rcpt(service: Service, address: SMTPServerAddress, session: SMTPServerSession): Promise<Reply> {
  const state = service.states.get(session.id)
  if (state === undefined) return MAIL_FIRST
  if (state.accepted.length >= service.settings.maxRecipients) return TOO_MANY_RECIPIENTS
  const recipient = envelopePath('RCPT', address, session)
  if ('status' in recipient) return recipient
  // The one that is in use now: after a reload, those accepted so far stay with theirs, which ends when they have.
  const transaction = service.hop().begin(clientFacts(session, state), state.done)
  const first = await transaction.mail(state.sender)
  const reply = isPositive(first) ? await transaction.rcpt(recipient) : first
  if (isPositive(reply)) state.accepted.push({ address: recipient.path.wire, transaction })
  else transaction.abort()
  return reply
}

/** One reply for each recipient that was accepted, in their order. */
async function data(service: Service, stream: SMTPServerDataStream, session: SMTPServerSession): Promise<readonly Reply[]> {
  const state = service.states.get(session.id)
  if (state === undefined) throw new Error('DATA in a session that has no transaction')
  const received = await receive(service, stream)
  const given: Reply[] = []
  for (const { transaction } of state.accepted) {
    if ('status' in received) {
      transaction.abort()
      given.push(received)
    } else given.push(...(await transaction.data({ prefix: NO_FIELDS, body: received, chunked: false, binary: false })))
  }
  tell(service, session, { state, given, size: stream.byteLength })
  if (!('status' in received)) received.discard()
  service.states.delete(session.id)
  return given
}

/** The whole message, or the reply that says why there is none. What cannot be kept is still read to its end. */
async function receive(service: Service, stream: SMTPServerDataStream): Promise<StoredMessage | Reply> {
  const { settings, log } = service
  const spool = createSpool({ directory: settings.spool, memoryBytes: MEMORY_BYTES })
  let refused: Reply | undefined
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (refused !== undefined) continue
      refused = stream.sizeExceeded ? tooBig(settings.maxMessageBytes) : await append(service, spool, chunk)
      if (refused !== undefined) spool.discard()
    }
    if (refused !== undefined) return refused
    return await spool.finish()
  } catch (error) {
    spool.discard()
    log.warn({ cause: error instanceof Error ? error.message : String(error) }, 'the message did not arrive whole')
    return replies.MAIL_SYSTEM
  }
}

async function append(service: Service, spool: Spool, chunk: Buffer): Promise<Reply | undefined> {
  try {
    await spool.append(chunk)
    return undefined
  } catch (error) {
    const code = errorCode(error)
    service.log.error({ path: service.settings.spool, code, cause: error instanceof Error ? error.message : String(error) }, 'cannot keep the message while it comes in')
    return code === 'ENOSPC' || code === 'EDQUOT' ? NO_ROOM : replies.MAIL_SYSTEM
  }
}

function tell(service: Service, session: SMTPServerSession, what: { state: State; given: readonly Reply[]; size: number }): void {
  const { state, given, size } = what
  const rcpts = state.accepted.map(({ address }, i) => ({ to: address, reply: describeReply(given[i] ?? replies.MAIL_SYSTEM) }))
  service.log.info({ id: state.ident, client: session.remoteAddress || 'unix', helo: session.hostNameAppearsAs, from: state.sender.path.wire, rcpts, size }, 'message')
}

function forget(service: Service, session: SMTPServerSession): void {
  for (const { transaction } of service.states.get(session.id)?.accepted ?? []) transaction.abort()
  service.states.delete(session.id)
}

/** Hands a reply to the library: an Error with a status, or nothing for its own 250. */
function respond(service: Service, reply: Promise<Reply>, callback: (error?: Error | null) => void): void {
  reply.then(
    (given) => callback(isPositive(given) ? null : errorOf(given)),
    (error: unknown) => callback(errorOf(unforeseen(service, error))),
  )
}

function unforeseen(service: Service, error: unknown): Reply {
  service.log.error({ cause: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'delivery failed unexpectedly')
  return replies.MAIL_SYSTEM
}

function resultOf(reply: Reply): string | Error {
  return isPositive(reply) ? textOf(reply) : errorOf(reply)
}

function errorOf(reply: Reply): Error {
  return Object.assign(new Error(textOf(reply)), { responseCode: reply.status })
}

/** Without the status: `5.1.1 No such user here`. */
function textOf(reply: Reply): string {
  return describeReply(reply).slice(4)
}

/**
 * The address as the rest of Postern knows it. The library has brought its
 * domain to Unicode; it goes back to A-labels, so that fields of ours are ASCII.
 */
function envelopePath(of: 'MAIL' | 'RCPT', given: SMTPServerAddress, session: SMTPServerSession): EnvelopePath | Reply {
  const parameters = Object.entries(given.args || {}).map(([keyword, value]): Parameter => ({ keyword, value: value === true ? null : value }))
  if (given.address === '') return { path: { wire: '<>', mailbox: null }, parameters }
  // What was not UTF-8 has come out as this character.
  if (given.address.includes('\ufffd')) return badAddress(of, 'the address is not valid UTF-8')
  const parsed = parsePath(`<${Buffer.from(given.address, 'utf8').toString('latin1')}>`, 0)
  if (parsed.status === 'malformed') return badAddress(of, parsed.why)
  const { mailbox, wire } = parsed.path
  if (mailbox === null || mailbox.domain === '') return { path: parsed.path, parameters }
  const local = wire.slice(1, wire.lastIndexOf('@'))
  if (/[^\x00-\x7f]/.test(local) && session.envelope.smtpUtf8 !== true) return needsSmtputf8(of)
  return { path: { wire: `<${local}@${mailbox.domain}>`, mailbox }, parameters }
}

function clientFacts(session: SMTPServerSession, state: State): ClientFacts {
  const { remoteAddress, remotePort, hostNameAppearsAs } = session
  return {
    address: remoteAddress || undefined,
    port: remotePort || undefined,
    name: undefined,
    helo: hostNameAppearsAs || undefined,
    protocol: 'LMTP',
    login: undefined,
    source: 'LOCAL',
    ident: state.ident,
  }
}
