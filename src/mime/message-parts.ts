/**
 * What the MIME reader finds (RFC 2045 to 2049, 2231, 6532): the parts of a
 * message in the order in which they stand, each with its fields, its declared
 * type and as much of its decoded content as the bounds allow. Types only.
 *
 * It is read for scoring, never for delivery: nothing here changes a byte of
 * what is passed on. What cannot be read is a defect, and never an error.
 */

export interface MimeLimits {
  /** multiparts and messages inside each other */
  readonly maxDepth: number
  readonly maxParts: number
  /** of the header section of the message itself */
  readonly maxMessageHeaderBytes: number
  /** of the header of one part */
  readonly maxHeaderBytes: number
  /** of all parts together */
  readonly maxFields: number
  /** decoded bytes that are kept of one text part */
  readonly maxTextBytes: number
  /** decoded bytes that are kept of one other part */
  readonly maxOtherBytes: number
  /** bytes, encoded, that are held of all parts together while they are read */
  readonly maxHeldBytes: number
}

export interface MimeField {
  /** lower case */
  readonly name: string
  /** as it is written */
  readonly spelling: string
  /** unfolded, without blanks at its ends; bytes as characters (latin1) */
  readonly raw: string
  /** the same with UTF-8 read (RFC 6532) and encoded words decoded (RFC 2047); made when it is asked for */
  readonly text: string
}

export type MimeDefect =
  /** a bound was reached; what lies behind it was not looked at */
  | 'too-deep' | 'too-many-parts' | 'too-many-fields' | 'header-too-long'
  /** the same of a text, or of a message within; other content that is cut is `truncated` and no defect */
  | 'too-long'
  /** a multipart without a boundary, or whose boundary never comes */
  | 'no-boundary' | 'boundary-not-found'
  /** the last delimiter is missing */
  | 'not-closed'
  /** base64, quoted-printable or uuencoded content that is none */
  | 'broken-encoding'
  | 'unknown-encoding'
  /** a multipart or message that claims to be encoded (RFC 2045 §6.4) */
  | 'encoded-multipart'
  | 'unknown-charset'
  /** bytes that are none in the declared charset */
  | 'broken-charset'
  /** Content-Type or Content-Disposition that cannot be parsed, or stands twice */
  | 'broken-field' | 'duplicate-field'
  /** two Content-Types or Content-Transfer-Encodings that differ: mail programs show different things */
  | 'conflicting-fields'
  /** a line in the header of the message that is no field, with fields behind it: hops and mail programs differ in where the content begins */
  | 'text-between-fields'

export interface MimePart {
  /** of the part that this one is in; -1 for the message itself */
  readonly parent: number
  /** 0 for the message itself */
  readonly depth: number
  readonly fields: readonly MimeField[]
  /** lower case, `text/plain` where nothing (or nothing readable) is said (RFC 2045 §5.2) */
  readonly type: string
  /** of Content-Type: lower-case names, values decoded (RFC 2231) */
  readonly parameters: ReadonlyMap<string, string>
  /** lower case: `inline`, `attachment`; undefined where nothing is said */
  readonly disposition: string | undefined
  /** of Content-Disposition, otherwise of Content-Type; decoded, at most 255 characters, no path */
  readonly fileName: string | undefined
  /** lower case, as it is declared; `7bit` where nothing is said; of several that differ the one in which the content is */
  readonly encoding: string
  /** as it is declared, lower case; undefined where nothing is said */
  readonly charset: string | undefined
  /** bytes of the content as it stands in the message */
  readonly encodedBytes: number
  /** decoded content, as far as the bounds go; empty for multiparts */
  readonly content: Buffer
  /** there was more than `content` has */
  readonly truncated: boolean
  /** text/*, and message/* that is no message but a report (delivery-status and the like), only: `content` in its charset; a charset that is wrong or unknown is guessed, and bytes that say nothing are U+FFFD */
  readonly text: string | undefined
  readonly defects: readonly MimeDefect[]
}

export interface MimeMessage {
  /** the first is the message itself; a multipart stands before its parts. Never empty. */
  readonly parts: readonly MimePart[]
  /** those of all parts */
  readonly defects: ReadonlySet<MimeDefect>
  /** bytes of the message */
  readonly size: number
  /** how it begins, as it stands: at most `MAX_SOURCE_BYTES` */
  readonly source: readonly Buffer[]
}
