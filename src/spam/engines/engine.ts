/**
 * What a spam engine or virus scanner of somebody else's is to us: it is handed
 * a message and says what it thinks of it, in time, or that it cannot. Types
 * only. `scan` never rejects and never hangs; what an engine wrote is in an
 * outcome only as one line of printable ASCII within bounds.
 */
import type { StoredMessage } from '../../message/message.ts'
import type { Log } from '../../observe/log.ts'

export interface EngineMessage {
  readonly body: StoredMessage
  /** whole header fields, each ended by CRLF, that stand on top of the message as engines of content see it (our Received); viruses are looked for without */
  readonly prefix?: Buffer
  readonly client: {
    readonly ip?: string
    readonly helo?: string
    /** the name of the address, confirmed by the name's own address */
    readonly name?: string
  }
  /** without `<>`; '' is the null reverse-path */
  readonly sender: string
  readonly recipients: readonly string[]
  /** who has authenticated */
  readonly user?: string
  /** ours, for the engine's log */
  readonly id: string
}

export interface EngineSymbol {
  readonly name: string
  readonly score: number
  readonly description?: string
}

export interface Scored {
  readonly status: 'scored'
  readonly score: number
  /** from which on the engine itself calls it spam */
  readonly threshold?: number
  /** those that weigh most, where there are very many */
  readonly symbols: readonly EngineSymbol[]
  /** the engine's own word: `reject`, `add header` */
  readonly action?: string
}

export type EngineOutcome =
  | Scored
  | { readonly status: 'virus'; readonly name: string }
  /** a virus scanner has found nothing */
  | { readonly status: 'clean' }
  /** more than it is shown, by our limit or its own */
  | { readonly status: 'too-big' }
  | { readonly status: 'temperror'; readonly cause: string }

export interface EngineHealth {
  /** closed: it is asked. open: it is set aside. half-open: the next message is a try. */
  readonly breaker: 'closed' | 'open' | 'half-open'
  /** in a row */
  readonly failures: number
  /** of the last failure, while it fails */
  readonly cause: string | undefined
  /** while it is set aside */
  readonly retryInMs: number | undefined
  readonly running: number
  readonly waiting: number
}

export interface Engine {
  readonly name: string
  scan(message: EngineMessage): Promise<EngineOutcome>
  /** Whether it answers, without a message and whatever the breaker says; a sentence where it does not. */
  ping(): Promise<string | undefined>
  health(): EngineHealth
  /** Ends what is under way as `temperror`. */
  close(): void
}

export interface EngineClock {
  /** milliseconds on a clock that only goes forward */
  nowMs(): number
  /** Calls `action` once, later; returns what calls it off. */
  after(delayMs: number, action: () => void): () => void
}

export interface EngineContext {
  readonly clock: EngineClock
  readonly log: Log
  /** what a password file holds, or what is wrong with it in a sentence */
  readonly readPassword: (file: string) => Promise<{ readonly status: 'ok'; readonly password: string } | { readonly status: 'unusable'; readonly problem: string }>
}

/**
 * What one try came to, as an adapter tells its guard. Of a failure it says
 * what it means for the breaker: `lost`: nobody answers. `answered`: it does,
 * with an error. `unclear`: nothing is known about the engine.
 */
export type Attempt = Exclude<EngineOutcome, { status: 'temperror' }> | Failed

export interface Failed {
  readonly status: 'failed'
  readonly cause: string
  readonly engine: 'lost' | 'answered' | 'unclear'
}

/** Speaks one protocol. The guard (guarded-engine.ts) sees to limits, time and the breaker; `signal` is its word to stop. */
export interface EngineAdapter {
  /** whether `prefix` is shown to it */
  readonly seesPrefix: boolean
  scan(message: EngineMessage, signal: AbortSignal): Promise<Attempt>
  ping(signal: AbortSignal): Promise<string | undefined>
  close(): void
}

export function failed(cause: string, engine: Failed['engine']): Failed {
  return { status: 'failed', cause, engine }
}
