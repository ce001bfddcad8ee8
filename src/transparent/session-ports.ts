/** What a transparent session is given: the way to its two connections, its options, who takes its messages, and where it stands. */
import type { MakePassingMessage } from './passing-message.ts'

/**
 * `message`: from 354 to the end of data. `passing`: from there to the relay's
 * final reply. `orphaned`: the relay is gone, and the client's next command is
 * told so. `drained`: the relay is gone, and the rest of a message is thrown away.
 */
export type SessionPhase = 'greeting' | 'commands' | 'message' | 'passing' | 'orphaned' | 'drained' | 'closed'

/** What the session does to its two connections; made by the socket driver, or by a test. */
export interface TransparentPorts {
  /** Takes a binary string; false: the client does not read, `clientDrained` follows */
  toClient(text: string): boolean
  /** false: the relay does not read, `relayDrained` follows */
  toRelay(bytes: Buffer | string): boolean
  /** whether bytes of that side are wanted now */
  readClient(wanted: boolean): void
  readRelay(wanted: boolean): void
  /** sends what was written, then closes */
  endClient(): void
  endRelay(): void
  /** at once: a message that is under way must not be completed */
  dropRelay(): void
}

export interface TransparentOptions {
  readonly newlines: 'pass' | 'normalise' | 'refuse'
  readonly maxMessageBytes: number
  readonly maxLineBytes: number
  readonly timeouts: { /** silence of the client where it is its turn */ readonly clientMs: number; /** of the relay */ readonly relayMs: number }
  readonly makeMessage: MakePassingMessage
  readonly now: () => number
  /** for people who look for a fault: commands and replies, without secrets */
  readonly trace?: (side: 'client' | 'relay', text: string) => void
  readonly onEnd?: (end: MessageEnd) => void
  /** something of ours broke; the session ends */
  readonly onError: (error: unknown) => void
}

/** What became of a message, for the log. */
export interface MessageEnd {
  readonly sender: string | null
  readonly recipients: readonly string[]
  readonly size: number
  /** one line, as the client got it; '' where the client went away before */
  readonly reply: string
}
