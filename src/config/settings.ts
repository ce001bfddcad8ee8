/**
 * The configuration as the program sees it: parsed, checked, with every
 * default filled in and every reference resolved. Made by `loadConfiguration`.
 */
import type { Domain } from '../smtp/envelope.ts'
import type { SigningSettings } from '../signing/settings.ts'
import type { RateLimit } from '../reputation/rates.ts'
import type { AuthenticatorSettings, SendAsSettings } from '../submission/settings.ts'
import type { Thresholds } from '../policy/policy.ts'
import type { SpamSettings } from './spam-settings.ts'
import type { DnsSettings, KeptSettings, PolicySettings } from './policy-settings.ts'

export interface Settings extends KeptSettings {
  readonly hostname: string
  /** directory: database, quarantine, temporary files of large messages */
  readonly state: string
  /** worker processes; 0 = everything in one process, without a supervisor */
  readonly workers: number
  readonly log: LogSettings
  readonly listeners: readonly ListenerSettings[]
  readonly hops: ReadonlyMap<string, HopSettings>
  /** what inbound accepts mail for, and where it goes when not to the listener's own `next` */
  readonly domains: ReadonlyMap<Domain, DomainSettings>
  readonly newlines: 'normalise' | 'refuse'
  readonly dns: DnsSettings
  /** of inbound listeners */
  readonly policy: PolicySettings
  /** of inbound listeners: content, learning, reputation, other engines */
  readonly spam: SpamSettings
  /** of outbound and submission listeners */
  readonly signing: SigningSettings
  readonly limits: LimitSettings
  readonly timeouts: TimeoutSettings
}

export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** auto: readable on a terminal, JSON lines otherwise */
  readonly format: 'auto' | 'json' | 'readable'
}

export interface DomainSettings {
  /** key of `hops`; undefined: the listener's `next` */
  readonly next: string | undefined
  /** undefined: those of the policy */
  readonly spam?: Thresholds
  /** the same beside what a shadow policy says; undefined: those of the shadow policy, if there is one */
  readonly shadowSpam?: Thresholds
}

export type SocketAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

export interface ListenerSettings {
  readonly name: string
  readonly role: 'inbound' | 'outbound' | 'submission'
  readonly protocol: 'smtp' | 'lmtp'
  readonly listen: readonly SocketAddress[]
  readonly tls: ListenerTlsSettings | undefined
  readonly trust: TrustSettings
  /** outbound only: networks that may send through it, CIDR; default loopback */
  readonly clients: readonly string[]
  /** key of `hops` */
  readonly next: string
  /** add a Received field */
  readonly received: boolean
  /** Received without the client's name and address */
  readonly hideClient: boolean
  /** outbound only: commands and replies pass as they are */
  readonly transparent: boolean
  /** of the role submission, and of no other */
  readonly submission: SubmissionSettings | undefined
}

export interface SubmissionSettings {
  readonly authentication: AuthenticatorSettings
  readonly sendAs: SendAsSettings
  /** of one user */
  readonly rate: { readonly messages: RateLimit; readonly recipients: RateLimit }
  /** undefined: clients are not asked for certificates */
  readonly clientCertificates: { readonly ca: string | undefined } | undefined
}

export interface ListenerTlsSettings {
  readonly mode: 'starttls' | 'implicit' | 'required'
  /** the first is the default; the others are chosen by SNI after their names */
  readonly certificates: readonly CertificateFiles[]
}

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** Peers (CIDR) whose word on the client is taken. A unix-socket peer is written `unix`. */
export interface TrustSettings {
  readonly proxy: readonly string[]
  readonly xclient: readonly string[]
  readonly xforward: readonly string[]
}

export type HopSettings = RelaySettings | MaildirSettings

export interface RelaySettings {
  readonly kind: 'smtp' | 'lmtp'
  readonly name: string
  readonly address: SocketAddress
  /** the hosts that do the same work, in the order in which they are tried; the first is `address`. Undefined: that one alone */
  readonly addresses?: readonly SocketAddress[] | undefined
  /** who we are to the hop (RFC 4954); undefined: no AUTH but for the senders named in `senderLogins` */
  readonly login?: HopLogin | undefined
  /** by reverse-path, instead of `login`; an address comes before its domain */
  readonly senderLogins?: readonly SenderLogin[] | undefined
  readonly tls: HopTlsSettings
  readonly xforward: boolean
  readonly xclient: boolean
  /** connections at once, per worker */
  readonly connections: number
  /** an unused connection is closed after this */
  readonly idleMs: number
  /** a connection takes no new transaction after this */
  readonly maxAgeMs: number
  readonly timeouts: HopTimeoutSettings
}

export interface HopLogin {
  readonly user: string
  /** absolute; its first line is the password. It must not be readable for others than its owner and group */
  readonly passwordFile: string
}

export interface SenderLogin extends HopLogin {
  /** `anna@example.org`, or `@example.org` for every address of that domain (not of its subdomains); in lower case */
  readonly sender: string
  /** other hosts than the hop's own */
  readonly addresses?: readonly SocketAddress[] | undefined
}

export interface HopTlsSettings {
  /** off; opportunistic: if offered, unverified, in clear if it fails; required: verified or 4xx */
  readonly mode: 'off' | 'opportunistic' | 'required' | 'implicit'
  /** check the certificate (required, implicit) */
  readonly verify: boolean
  /** name in the certificate, if not the host's */
  readonly name: string | undefined
  /** PEM file of accepted authorities, if not the system's */
  readonly ca: string | undefined
}

/** RFC 5321 §4.5.3.2 */
export interface HopTimeoutSettings {
  readonly connectMs: number
  readonly greetingMs: number
  readonly mailMs: number
  readonly rcptMs: number
  readonly dataMs: number
  readonly blockMs: number
  readonly finalMs: number
}

export interface MaildirSettings {
  readonly kind: 'maildir'
  readonly name: string
  /** path with {domain}, {local} and {user} */
  readonly path: string
  /** users file; undefined: every local part of the accepted domains is a user */
  readonly users: string | undefined
  readonly aliases: string | undefined
  /** characters that begin a suffix of the local part, e.g. `+-` */
  readonly suffix: string
  /** mailbox that takes mail for unknown users */
  readonly catchAll: string | undefined
  readonly uid: number | undefined
  readonly gid: number | undefined
  /** of files; directories get the x bits that go with it */
  readonly mode: number
}

export interface LimitSettings {
  readonly messageBytes: number
  readonly commandLineBytes: number
  readonly recipients: number
  readonly errors: number
  readonly unknownCommands: number
  /** commands that lead to no message, since the last that got through */
  readonly junkCommands: number
  /** per worker */
  readonly sessions: number
  /** per worker and client network (/24, /64); loopback and unix clients are not counted */
  readonly sessionsPerNetwork: number
  /** Received fields above which a message loops */
  readonly received: number
}

export interface TimeoutSettings {
  /** wait for the client's next command (RFC 5321 §4.5.3.2.7) */
  readonly commandMs: number
  /** wait for more of the client's message */
  readonly dataMs: number
  /** wait for a PROXY header or the end of a TLS handshake */
  readonly handshakeMs: number
  /** a session in all */
  readonly sessionMs: number
  /** sessions that still run after SIGTERM are closed after this */
  readonly stopMs: number
}
