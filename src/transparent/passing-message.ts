/**
 * The boundary between the transparent session and what is done to a message:
 * it is handed in as it comes, and at its end is told how it goes on.
 */
import type { StoredMessage } from '../message/message.ts'

/** What the session has heard of a transaction, and the relay agreed to. */
export interface PassingEnvelope {
  /** reverse-path as `local@domain`; null for the null reverse-path, and where none was understood */
  readonly sender: string | null
  /** as they stand on the wire, without angle brackets */
  readonly recipients: readonly string[]
  /** lower case, A-labels */
  readonly recipientDomains: ReadonlySet<string>
  /** of AUTH PLAIN and LOGIN; undefined where nobody authenticated or the name did not pass in clear */
  readonly login: string | undefined
  /** of EHLO or HELO */
  readonly helo: string
  /** the relay let the client describe its own client (XFORWARD, XCLIENT) */
  readonly forwarded: ForwardedClient
}

export interface ForwardedClient {
  readonly address: string | undefined
  readonly helo: string | undefined
}

export type PassingVerdict =
  | { readonly status: 'send'; /** whole fields for the top, each ended by CRLF */ readonly prefix: Buffer; readonly body: StoredMessage }
  /** the whole line or lines, each ended by CRLF; the relay does not get the message */
  | { readonly status: 'refuse'; readonly reply: string }

export interface PassingMessage {
  /** A promise where the caller has to wait before the next. Rejects where the message cannot be kept. */
  append(piece: Buffer): Promise<void> | undefined
  /** @param clean every line end is CRLF, and there is no NUL */
  finish(clean: boolean): Promise<PassingVerdict>
  /** Everything may be thrown away, whatever is under way; idempotent. */
  discard(): void
}

export type MakePassingMessage = (envelope: PassingEnvelope) => PassingMessage
