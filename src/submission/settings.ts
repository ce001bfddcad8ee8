/**
 * What the submission of mail is told: where users and their passwords come
 * from, which mechanisms are offered, what guessing costs, what a client
 * certificate is worth, and what each user may send as. Types only; the
 * defaults are those that a configuration without these keys has.
 */
import type { Domain } from '../smtp/envelope.ts'

/** In the order in which they are offered. */
export const SASL_MECHANISMS = ['EXTERNAL', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN'] as const
export type SaslMechanism = (typeof SASL_MECHANISMS)[number]

/** A socket of Dovecot's auth service, protocol 1.2. */
export interface DovecotSettings {
  /** `service auth { unix_listener … }` or `inet_listener` */
  readonly socket: { readonly path: string } | { readonly host: string; readonly port: number }
  /** how long an answer may take; 30 s, for Dovecot itself lets those wait whose address has failed (up to 17 s). Longer is 454 4.7.0 */
  readonly timeoutMs: number
}

/**
 * Failures are counted in `windowMs`, by client address, network (/24, /64)
 * and account. From `delayAfter` on each answer waits, a second and then twice
 * as long each time, up to `maxDelayMs`. From the limits on it is 454 4.7.0 for
 * `lockMs` (twice that at most), without a look at the password. An account is not locked where it
 * has logged in before: there its failures are counted apart.
 */
export interface GuardSettings {
  /** 15 m */
  readonly windowMs: number
  /** 3 */
  readonly delayAfter: number
  /** 10 s */
  readonly maxDelayMs: number
  /** 15 m */
  readonly lockMs: number
  /** failures; 10 */
  readonly perAddress: number
  /** 50 */
  readonly perNetwork: number
  /** 20 */
  readonly perAccount: number
  /** how long a network counts as the user's after a login; 30 d */
  readonly knownMs: number
}

export const DEFAULT_GUARD: GuardSettings = {
  windowMs: 900_000, delayAfter: 3, maxDelayMs: 10_000, lockMs: 900_000, perAddress: 10, perNetwork: 50, perAccount: 20, knownMs: 30 * 86_400_000,
}

export interface CertificateSettings {
  /** `instead`: EXTERNAL is offered, no password is needed. `second`: every login needs a password, and a certificate of the same user. */
  readonly mode: 'instead' | 'second'
  /**
   * A file of lines `fingerprint user[, user…]` or `address user[, user…]`. A
   * fingerprint is SHA-256 in hexadecimal, with or without colons, and holds
   * whoever signed the certificate; an address is a rfc822Name of a
   * certificate that the listener's authorities have signed. Without the file
   * such an address is the user's own name.
   */
  readonly map: string | undefined
}

/** One of `users` and `dovecot` at least. With both, the users of the file are asked of the file, all others of Dovecot. */
export interface AuthenticatorSettings {
  /** name of the listener, for the log */
  readonly listener: string
  /** users file in Dovecot's passwd-file form */
  readonly users: string | undefined
  readonly dovecot: DovecotSettings | undefined
  /** ours: a user `anna` of the file may log in as `anna@` each of them */
  readonly domains: ReadonlySet<Domain>
  /**
   * Undefined: PLAIN and LOGIN, and of the others those that every user of the
   * file can do, for a client takes the strongest it is offered. A list: those
   * of them that any user can do. PLAIN and LOGIN never without TLS.
   */
  readonly mechanisms: readonly SaslMechanism[] | undefined
  /** CRAM-MD5 and SCRAM without TLS as well; false */
  readonly withoutTls: boolean
  readonly guard: GuardSettings
  readonly certificates: CertificateSettings | undefined
}

/** What a user may send as. */
export interface SendAsSettings {
  /** a file of lines `address-or-@domain user[, user…]`; undefined: each user as itself */
  readonly senders: string | undefined
  readonly domains: ReadonlySet<Domain>
  /** characters that begin a suffix: `anna+x@` is `anna@`; '' for none */
  readonly suffix: string
}
