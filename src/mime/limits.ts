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
  maxHeldBytes: 3.5 * 1024 * 1024,
}

/** What bytes are held of: texts that may be shown, and the rest. */
export type HeldKind = 'plain' | 'html' | 'other'

/** One in so many of the bytes that are held is for plain text alone, and one for HTML: 256 KiB. */
const TEXT_SHARE = 14

/** Of one message, and of the messages in it. */
export class MimeBudget {
  readonly limits: MimeLimits
  fields = 0
  private readonly held: Record<HeldKind, number> = { plain: 0, html: 0, other: 0 }

  constructor(limits: MimeLimits) {
    this.limits = limits
  }

  /** Takes as many bytes as there are left, at most `wanted`. What comes first leaves room for the texts that come behind it. */
  hold(wanted: number, kind: HeldKind): number {
    const { plain, html, other } = this.held
    const left = this.limits.maxHeldBytes - this.reserved(kind) - plain - html - other
    const given = Math.max(0, Math.min(wanted, Math.floor(left)))
    this.held[kind] += given
    return given
  }

  giveBack(bytes: number, kind: HeldKind): void {
    this.held[kind] -= bytes
  }

  /** What is not for this kind. */
  private reserved(kind: HeldKind): number {
    const { maxHeldBytes, maxTextBytes } = this.limits
    const share = Math.floor(maxHeldBytes / TEXT_SHARE)
    switch (kind) {
      case 'plain': return Math.max(0, share - this.held.html)
      case 'html': return Math.max(0, share - this.held.plain)
      case 'other': return 2 * share + Math.min(maxTextBytes, maxHeldBytes / 2 - share)
    }
  }
}
