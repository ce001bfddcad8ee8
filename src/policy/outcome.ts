/** What a check found, as the policy sees it: whether it speaks against the message, and how to say so. */
import type { CheckName } from './policy.ts'

export interface CheckOutcome {
  readonly check: CheckName
  /**
   * fail: speaks against the client or the message. pass: for it. none: neither
   * (not asked, nothing published). temperror: could not be found out.
   */
  readonly status: 'pass' | 'fail' | 'none' | 'temperror'
  /** of a fail: the owner himself is not sure (`softfail`); it counts points and refuses nothing */
  readonly mild?: boolean
  /** of a fail: what would have excused it could not be found out; it is no reason to refuse for good */
  readonly uncertain?: boolean
  /** the field's own word: `softfail`, `listed`, `no-ptr` */
  readonly result: string
  /** subject and detail of the enhanced status code (RFC 3463, RFC 7372) */
  readonly code: readonly [subject: number, detail: number]
  /** what the sender is told if this is the reason; says what to mend */
  readonly text: string
  /** points, where they depend on what was found; otherwise those of the policy count. Negative, of a pass: it speaks for the message */
  readonly weight?: number
  /** what the points are made of: rules, parts of a list */
  readonly parts?: readonly OutcomePart[]
  /** of a temperror: true: it is no reason to put the message off, whatever the action; false: it is one, whatever the action, unless that is `off` or `note` */
  readonly flows?: boolean
  /** the value of an `X-Warning` field */
  readonly warnings?: readonly string[]
  /** DMARC: what the domain owner asks for */
  readonly demand?: 'none' | 'quarantine' | 'reject'
}

/** How the result of `virus` begins where nobody has looked at the whole message. */
export const NOT_SEARCHED = 'not searched'

/** A rule that holds, as it stands in `X-Spam-Status` and in the decision. */
export interface OutcomePart {
  readonly name: string
  readonly points: number
  /** one sentence, or what it found; a stranger's text may be in it */
  readonly why: string
}
