/**
 * Texts and facts that rules in SpamAssassin's format look at, as plain data.
 * Types only; `spam-message.ts` makes them of a message. All texts are bytes:
 * a byte a character (Mail::SpamAssassin::Conf, "body").
 */

export type SpamText =
  /** the Subject and what is rendered, a paragraph a piece; `subject: false` for `tflags nosubject` */
  | { readonly of: 'body'; readonly subject: boolean }
  /** text parts decoded, with their HTML, in pieces of 2 to 4 kB */
  | { readonly of: 'rawbody' }
  /** the message as it stands */
  | { readonly of: 'full' }
  /** each URI as it stands and in its plain form */
  | { readonly of: 'uri' }
  /** all fields of a name as one text; there always is one */
  | { readonly of: 'header'; readonly name: HeaderName; readonly raw: boolean; readonly take: HeaderPart | undefined; readonly which: 'each' | 'first' | 'last'; readonly unset: string }
  /** fields of a name, or `ALL`, of all MIME parts, each different one once; `unset` (or '') where a part has none */
  | { readonly of: 'part-header'; readonly name: string; readonly raw: boolean; readonly unset?: string; readonly parts?: PartRange }

/** Of which MIME parts, counted from 1, the message itself the first; and whether the last fields of them all are one text. */
export interface PartRange {
  readonly from: number
  readonly to: number
  readonly joined: boolean
}

/** In lower case, a field; otherwise one of these. */
export type HeaderName = string
export const SPECIAL_HEADERS = ['ALL', 'ToCc', 'MESSAGEID', 'EnvelopeFrom', 'X-Spam-Relays-External', 'X-Spam-Relays-Untrusted'] as const

export const HEADER_PARTS = ['addr', 'name', 'host', 'domain'] as const
export type HeaderPart = (typeof HEADER_PARTS)[number]

/** What Postern knows too of what SpamAssassin finds out by code (`eval:`): how often it holds. */
export type SpamQuestion =
  | { readonly ask: 'fields'; readonly names: readonly string[] }
  | { readonly ask: 'html' | 'html-only' | 'html-parts' | 'html-comments' | 'iframes' | 'attachments' | 'base64-parts' }
  | { readonly ask: 'html-tag'; readonly name: string }
  /** whether Date lies so many seconds ahead of the nearest Received: from the one number on, and below the other */
  | { readonly ask: 'date-shift'; readonly from: number; readonly below: number }
  /** bytes that are no ASCII, nor UTF-8; of the header as a whole: `ALL` */
  | { readonly ask: 'illegal-characters'; readonly name: string; readonly share: number; readonly count: number }
  | { readonly ask: 'subject-capitals' }
  | { readonly ask: 'addressee-in-subject'; readonly form: 'user' | 'address' }
  /** of a hundred letters and digits: more than the one number, at most the other */
  | { readonly ask: 'body-capitals'; readonly above: number; readonly most: number }
  /** bytes behind the header, a line end as one */
  | { readonly ask: 'body-length' }
  | { readonly ask: 'fact'; readonly name: 'spf' | 'dkim' | 'arc' | 'dmarc'; readonly is: readonly string[] }
  /** of good signatures; without domains: of any */
  | { readonly ask: 'dkim-domain'; readonly of: readonly string[] | 'author' | 'envelope' }
