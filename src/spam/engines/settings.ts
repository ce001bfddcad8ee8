/**
 * What the engines of others are told: which, where, how long, how much, and
 * what of their scores counts. Types, and the defaults of each kind.
 */

export type EngineAddress = { readonly path: string } | { readonly host: string; readonly port: number }

export interface EngineTls {
  /** a PEM file; undefined: the authorities that Node.js knows */
  readonly ca: string | undefined
  /** the name in its certificate; undefined: that of the address */
  readonly servername: string | undefined
  /** true; false is for a certificate that nobody has signed */
  readonly verify: boolean
}

export interface BreakerSettings {
  /** in a row, after which the engine is set aside; 5 */
  readonly failures: number
  /** the first time; then twice as long with each try that fails; 5 s */
  readonly firstPauseMs: number
  /** 5 m */
  readonly mostPauseMs: number
}

/** What a score of an engine's is worth in points of ours. */
export interface CountSettings {
  /**
   * score: its score, times the weight. threshold: its own threshold is worth
   * the weight, other scores in proportion. verdict: the weight, where the
   * score reaches its threshold, otherwise nothing.
   */
  readonly by: 'score' | 'threshold' | 'verdict'
  /** 1 */
  readonly weight: number
  /** no more points than this, whatever it says; 20 */
  readonly most: number
  /** and no fewer; -5 */
  readonly least: number
}

/** Names of a virus scanner's that begin so are no viruses but so much spam (third parties' signatures). */
export interface SpamName {
  readonly prefix: string
  readonly score: number
}

interface CommonSettings {
  /** as it stands in logs and fields */
  readonly name: string
  /** over everything: waiting for a place, connecting, the answer */
  readonly timeoutMs: number
  /** more than that is not shown to it: `too-big` */
  readonly maxBytes: number
  /** scans at a time, and messages that wait for one; beyond that `temperror` */
  readonly scans: number
  readonly waiting: number
  readonly breaker: BreakerSettings
  readonly counts: CountSettings
  /** what becomes of a message that it could not judge: it flows, or comes again later */
  readonly down: 'flow' | 'tempfail'
}

export interface RspamdSettings extends CommonSettings {
  readonly kind: 'rspamd'
  /** of a normal worker, or of the controller; a proxy worker in self-scan mode does as well */
  readonly address: EngineAddress
  readonly tls: EngineTls | undefined
  /** the controller's, in a file */
  readonly passwordFile: string | undefined
}

export interface SpamAssassinSettings extends CommonSettings {
  readonly kind: 'spamassassin'
  readonly address: EngineAddress
  readonly tls: EngineTls | undefined
  /** whose preferences: of this user; of the recipient, where there is one only; undefined: spamd's own */
  readonly user: { readonly name: string } | 'recipient' | undefined
}

export interface ClamavSettings extends CommonSettings {
  readonly kind: 'clamav'
  readonly address: EngineAddress
  readonly spamNames: readonly SpamName[]
  /** what becomes of a message that is too large to be searched: it flows, or the policy deals with it as with a virus */
  readonly tooBig: 'flow' | 'reject'
}

export interface SpamscannerSettings extends CommonSettings {
  readonly kind: 'spamscanner'
  /** whatever `scans` says, one at a time: it has one process, with one thread */
  /** a folder whose node_modules has it; undefined: Postern's own */
  readonly folder: string | undefined
  /** handed to its constructor */
  readonly options: Readonly<Record<string, unknown>>
}

export type EngineSettings = RspamdSettings | SpamAssassinSettings | ClamavSettings | SpamscannerSettings
export type EngineKind = EngineSettings['kind']

export const DEFAULT_BREAKER: BreakerSettings = { failures: 5, firstPauseMs: 5000, mostPauseMs: 300_000 }
export const DEFAULT_COUNTS: CountSettings = { by: 'score', weight: 1, most: 20, least: -5 }

interface KindDefaults extends Pick<CommonSettings, 'timeoutMs' | 'maxBytes' | 'scans' | 'waiting'> {
  readonly address?: EngineAddress
}

/** spamd's clients hold back what is larger than 500 KB; Debian's clamd takes 25 MiB. */
export const ENGINE_DEFAULTS = {
  rspamd: { address: { host: '127.0.0.1', port: 11333 }, timeoutMs: 10_000, maxBytes: 20_000_000, scans: 16, waiting: 64 },
  spamassassin: { address: { host: '127.0.0.1', port: 783 }, timeoutMs: 20_000, maxBytes: 500_000, scans: 5, waiting: 64 },
  clamav: { address: { path: '/run/clamav/clamd.ctl' }, timeoutMs: 30_000, maxBytes: 26_214_400, scans: 8, waiting: 64 },
  // One at a time in a process of its own.
  spamscanner: { timeoutMs: 30_000, maxBytes: 1_000_000, scans: 1, waiting: 16 },
} as const satisfies Readonly<Record<EngineKind, KindDefaults>>
