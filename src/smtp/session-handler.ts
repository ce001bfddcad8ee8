/**
 * The boundary between the protocol and everything that decides: a session
 * parses, keeps order and bounds; its handler answers.
 */
import type { Authentication, SaslExchange } from './authentication.ts'
import type { Anomalies } from './data-decoder.ts'
import type { EnvelopePath } from './envelope.ts'
import type { Reply } from './reply.ts'

export interface TlsFacts {
  /** e.g. `TLSv1.3` */
  readonly version: string
  readonly cipher: string
  /** What both ends of this connection know and nobody between them (RFC 9266; RFC 5929 §4); undefined where it cannot be had. */
  channelBinding(type: 'tls-exporter' | 'tls-server-end-point'): Buffer | undefined
  /** undefined: none was asked for, or none given */
  readonly clientCertificate: ClientCertificate | undefined
}

export interface ClientCertificate {
  /** signed by an authority of the listener's own list, and valid now; false where there is no such list */
  readonly authorized: boolean
  /** SHA-256 of the certificate: upper-case hexadecimal pairs with colons between */
  readonly fingerprint256: string
  /** distinguished name for the log, one line; not escaped against forgery, so never to be compared */
  readonly subject: string
  /** rfc822Name entries of its subjectAltName, as they stand there */
  readonly emails: readonly string[]
}

/** What is known of the client. The session keeps it up to date; handlers read. */
export interface SessionFacts {
  /** undefined: a client on a unix socket */
  readonly address: string | undefined
  readonly port: number | undefined
  /** which of our addresses it has connected to; undefined where that is not known */
  readonly localAddress?: string | undefined
  /** it sent something before it was greeted (RFC 5321 §4.3.1) */
  readonly spokeEarly: boolean
  /** the client's host name, as a trusted peer told it by XCLIENT */
  readonly name: string | undefined
  /** authenticated user, as a trusted peer told it by XCLIENT */
  readonly login: string | undefined
  /** who has authenticated in this session itself (RFC 4954); forgotten at STARTTLS and XCLIENT */
  readonly authentication?: Authentication | undefined
  /** the argument of HELO, EHLO or LHLO; undefined before it */
  readonly helo: string | undefined
  /** keyword of RFC 3848 without the S for TLS and the A for AUTH */
  readonly protocol: 'SMTP' | 'ESMTP' | 'LMTP'
  readonly tls: TlsFacts | undefined
  /** XFORWARD attributes of a trusted peer, decoded; they hold until the next transaction has ended */
  readonly forwarded: ReadonlyMap<string, string>
}

export interface MessageFacts {
  /** it came by BDAT (RFC 3030) */
  readonly chunked: boolean
  /** BODY=BINARYMIME: nothing was normalised */
  readonly binary: boolean
  /** line ends that were mended, NULs that were left out */
  readonly anomalies: Anomalies
}

/** Where the bytes of a message go while they come in. */
export interface MessageSink {
  /** Takes a piece; a promise where the sender has to wait. Never rejects: a failure is the reply of `end`. */
  write(piece: Buffer): Promise<void> | undefined
  /** The message is whole. One reply, or for LMTP one for each accepted recipient, in their order. */
  end(facts: MessageFacts): Promise<readonly Reply[]>
  /** The protocol refuses the message for `reason`: the reply as it is to be said, as often as `end` would give one. */
  refuse(reason: Reply): readonly Reply[]
  /** The message is not to be used: the client took it back or went away. */
  abort(): void
}

export interface SessionHandler {
  /** May this client be served? 220 greets; any other reply is said and ends the session. Called again after XCLIENT. */
  connect(): Reply | Promise<Reply>
  /** What EHLO offers behind AUTH, now; asked at every EHLO and every AUTH. None, or no such method: there is no AUTH. */
  mechanisms?(): readonly string[]
  /** Begins an exchange. @param mechanism in upper case; undefined: none of those offered now */
  authenticate?(mechanism: string): SaslExchange | undefined
  /** The exchange has succeeded; it is in the facts already, and is said to the client next. */
  authenticated?(by: Authentication): void
  /** EHLO keywords with their parameters that depend on what lies behind us. */
  hello(): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>
  mail(sender: EnvelopePath): Promise<Reply>
  rcpt(recipient: EnvelopePath): Promise<Reply>
  /** DATA or the first BDAT, with at least one accepted recipient. */
  message(): MessageSink
  /** The open transaction, if there is one, is over without a message. Idempotent. */
  reset(): void
  /** The session is over; `reset` was called. Once. */
  closed(): void
}
