/**
 * Where a message goes: an SMTP relay, an LMTP server, or the bundled Maildir
 * delivery. The session speaks to all of them through this interface, one
 * transaction at a time, and passes their replies back to its client.
 */
import type { EnvelopePath } from '../smtp/envelope.ts'
import type { Capabilities } from '../smtp/capabilities.ts'
import type { Reply } from '../smtp/reply.ts'
import type { OutgoingMessage } from '../message/message.ts'

/** What a next hop may be told of the client (Postfix's XFORWARD and XCLIENT). */
export interface ClientFacts {
  /** IPv4 or IPv6 in text form; undefined for a local (unix) client */
  readonly address: string | undefined
  readonly port: number | undefined
  /** forward-confirmed name; undefined where it is not known */
  readonly name: string | undefined
  readonly helo: string | undefined
  readonly protocol: 'SMTP' | 'ESMTP' | 'LMTP'
  /** authenticated user that a trusted peer told us by XCLIENT LOGIN */
  readonly login: string | undefined
  /** where the message came from, for XFORWARD SOURCE */
  readonly source: 'LOCAL' | 'REMOTE'
  /** our decision ID, for XFORWARD IDENT */
  readonly ident: string
  /**
   * Where the message came from before the client, as a peer in `trust.xforward`
   * says. That is for the hop's log (XFORWARD), never for its access rules (XCLIENT).
   */
  readonly origin?: Omit<ClientFacts, 'origin'>
}

export interface NextHop {
  /** its key under `hops` */
  readonly name: string
  readonly kind: 'smtp' | 'lmtp' | 'maildir'
  /**
   * What it said it can do, from the cache where that is fresh, otherwise by
   * asking. Undefined where it was never reached; never rejects.
   */
  capabilities(): Promise<Capabilities | undefined>
  /** Starts a transaction; connects no earlier than at `mail`. */
  begin(client: ClientFacts): Transaction
  /** No new transactions; resolves when the running ones have ended and every connection is closed. */
  close(): Promise<void>
}

/**
 * One mail transaction. The calls come in the order mail, rcpt…, data, and each
 * is answered before the next is made. They never reject: what goes wrong on
 * the way to the hop is a 4xx reply, its cause is in the log.
 */
export interface Transaction {
  mail(sender: EnvelopePath): Promise<Reply>
  rcpt(recipient: EnvelopePath): Promise<Reply>
  /**
   * Sends the message. An LMTP hop answers once for each recipient that it
   * accepted, in their order; every other hop once for all. A 2xx here is the
   * hop's own word that it has the message.
   */
  data(message: OutgoingMessage): Promise<readonly Reply[]>
  /** Ends the transaction, whatever its state; idempotent. After `data` has answered it does nothing. */
  abort(): void
}
