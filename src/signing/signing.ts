/**
 * The boundary between the way of a message and what knows keys: for a message
 * that goes out, who signs it and how. Answers at once, out of memory.
 */
import type { SigningOrder } from '../auth/dkim/signing-order.ts'
import type { HeaderSection } from '../message/header-section.ts'

/** What is known of a message and its sender when the header section is whole. */
export interface SigningRequest {
  /** name of the listener */
  readonly listener: string
  /** authenticated user; undefined where the client is trusted by its address */
  readonly login: string | undefined
  /** reverse-path as `local@domain`; null for the null reverse-path */
  readonly sender: string | null
  /** domains of the recipients, lower case, A-labels */
  readonly recipientDomains: ReadonlySet<string>
  /** of the message as it came in */
  readonly section: HeaderSection
  /**
   * May whoever sent this write in the name of that address (`local@domain`, domain in lower case as A-labels)? Where a
   * listener trusts its clients by their address, they may: `() => true`.
   */
  readonly entitledTo: (address: string) => boolean
  /** names, in lower case, of fields that are put on top before it is signed (date, message-id) */
  readonly addedFields: ReadonlySet<string>
}

export type SigningDecision =
  | { readonly status: 'sign'; readonly orders: readonly SigningOrder[]; /** for `why`, one sentence */ readonly why: string }
  /** goes out as it is: no key is meant for it */
  | { readonly status: 'unsigned'; readonly why: string }
  /** 4xx: a key is meant for it and must not be used now */
  | { readonly status: 'defer'; readonly why: string }

export interface Signing {
  decide(request: SigningRequest): SigningDecision
}
