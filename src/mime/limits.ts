/**
 * How much of a message the MIME reader looks at, and the account of how much
 * of it is used up. A message that reaches a bound has a defect; it is never an
 * error.
 */
import type { MimeLimits } from './message-parts.ts'

export const MIME_LIMITS: MimeLimits = {
  maxDepth: 20,
  maxParts: 525,
  maxMessageHeaderBytes: 256 * 1024,
  maxHeaderBytes: 64 * 1024,
  maxFields: 2000,
  maxTextBytes: 1024 * 1024,
  maxOtherBytes: 256 * 1024,
  maxHeldBytes: 3 * 1024 * 1024,
}

/** Of one message, and of the messages in it. */
export class MimeBudget {
  readonly limits: MimeLimits
  fields = 0
  private held = 0

  constructor(limits: MimeLimits) {
    this.limits = limits
  }

  /** Takes as many bytes as there are left, at most `wanted`. What is no text leaves room for a text that comes behind it. */
  hold(wanted: number, kind: 'text' | 'other'): number {
    const { maxHeldBytes, maxTextBytes } = this.limits
    const reserved = kind === 'text' ? 0 : Math.min(maxTextBytes, maxHeldBytes / 2)
    const given = Math.max(0, Math.min(wanted, Math.floor(maxHeldBytes - reserved) - this.held))
    this.held += given
    return given
  }

  giveBack(bytes: number): void {
    this.held -= bytes
  }
}
