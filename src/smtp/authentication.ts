/**
 * The boundary between the session's AUTH command (RFC 4954) and what checks
 * passwords: SASL exchanges (RFC 4422) without I/O of the session's own.
 */
import type { Reply } from './reply.ts'

/** Who has authenticated in this session, and how. */
export interface Authentication {
  /** the account, in lower case: `anna` or `anna@example.org` */
  readonly login: string
  /** `PLAIN`, `SCRAM-SHA-256`, `EXTERNAL`, … */
  readonly mechanism: string
}

export type SaslStep =
  /** `334` with these bytes (base64 is the session's); the client's answer goes to `step` */
  | { readonly status: 'challenge'; readonly data: Buffer }
  | { readonly status: 'authenticated'; readonly authentication: Authentication }
  /** 535 5.7.8 wrong credentials, 454 4.7.0 temporary failure, 501 5.5.2 not understood, … */
  | { readonly status: 'refused'; readonly reply: Reply }

/** One exchange, from AUTH to its final reply. Never rejects: a failure is a `refused` with a 4xx. */
export interface SaslExchange {
  /** @param response what the client sent, decoded; null where AUTH came without an initial response */
  step(response: Buffer | null): Promise<SaslStep>
  /** the client said `*`, or went away */
  abort(): void
}
