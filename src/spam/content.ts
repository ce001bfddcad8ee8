/**
 * What scoring sees of a message: the text that a reader sees and the text that
 * is hidden from him, links, attachments, characters. Types only; made by
 * `readContent` out of what the MIME reader found.
 */
import type { MimeMessage } from '../mime/message-parts.ts'

export interface MessageContent {
  readonly mime: MimeMessage
  /** first Subject, decoded; '' where there is none */
  readonly subject: string
  /**
   * What a reader sees of all text parts that are shown, in their order: HTML is
   * rendered. White space is one blank, a paragraph is a line. At most
   * `MAX_TEXT_CHARACTERS`.
   */
  readonly text: string
  /** what HTML holds and does not show: too small, transparent, the colour of its ground, `display: none`, comments left out */
  readonly hidden: string
  /** subject and text in lower case, look-alikes of other scripts and invisible characters folded to ASCII, s.p.a.c.e.d words joined; made when it is asked for */
  readonly folded: string
  /** undefined: no part is HTML */
  readonly html: HtmlFacts | undefined
  readonly links: readonly Link[]
  readonly attachments: readonly Attachment[]
  /** share (0 to 1) of the letters of subject and text by Unicode script: `Latin`, `Cyrillic`, `Han` … */
  readonly scripts: ReadonlyMap<string, number>
  /** ISO 639-1, where the text is long enough to tell; otherwise undefined */
  readonly language: string | undefined
}

export const MAX_TEXT_CHARACTERS = 1_048_576

export interface HtmlFacts {
  readonly bytes: number
  readonly tags: number
  readonly images: number
  /** images from elsewhere of at most 3 × 3, or without a size that is shown */
  readonly trackingImages: number
  readonly forms: number
  /** input fields of type password */
  readonly passwordFields: number
  readonly scripts: number
  readonly iframes: number
  /** elements whose text is hidden */
  readonly hiddenElements: number
  readonly comments: number
  /** tags that HTML does not know */
  readonly unknownTags: number
  /** `<base>`, `<meta http-equiv=refresh>` */
  readonly base: boolean
  readonly refresh: boolean
  /** a bound was reached */
  readonly truncated: boolean
}

export interface Link {
  /** href: of an `<a>` or `<area>`; image, form, other: of other elements; text: stands in the text */
  readonly kind: 'href' | 'image' | 'form' | 'other' | 'text'
  /** as it stands, a relative one behind its `<base>` (without one it is no link); at most 2048 characters */
  readonly url: string
  /** lower case, without `:`: `https`, `mailto`, `javascript`; `http` for a bare `www.` */
  readonly scheme: string
  /** lower case, A-labels, no final dot; an address without brackets; '' where there is none */
  readonly host: string
  /** as registered (public suffix list); the host where it is an address; '' where there is none */
  readonly domain: string
  /** undefined: the scheme's own */
  readonly port: number | undefined
  /** something stands before `@` in the authority */
  readonly userinfo: boolean
  /** the host in Unicode, where it has U-labels */
  readonly unicodeHost: string | undefined
  readonly address: boolean
  readonly shortener: boolean
  /** host labels that mix scripts, or that read like ASCII and are not */
  readonly lookAlike: boolean
  /** what the link shows, at most 200 characters */
  readonly shown: string
  /** the host that the shown text names, where it names one */
  readonly shownHost: string | undefined
  /** `shownHost` belongs to another organization than `host` */
  readonly mismatch: boolean
  /** nobody sees it */
  readonly hidden: boolean
}

export interface Attachment {
  /** index in `mime.parts`; of an entry of an archive, that of the archive */
  readonly part: number
  /** decoded, without path; '' where there is none */
  readonly name: string
  /** lower case, without the dot; '' where there is none */
  readonly extension: string
  readonly declaredType: string
  /** by its first bytes: a type, or undefined where they say nothing */
  readonly detectedType: string | undefined
  /** `detectedType` is another kind of thing than name and declared type say */
  readonly mismatch: boolean
  /** decoded, as far as it is known */
  readonly bytes: number
  /** runs when it is opened: by its name or by its first bytes */
  readonly executable: boolean
  /** an office document with macros */
  readonly macros: boolean
  /** names of the archives that it lies in, outermost first; [] for what is attached itself */
  readonly inside: readonly string[]
  /** it cannot be looked into without a password */
  readonly encrypted: boolean
  /** it would unpack to far more than it may, or is nested too deep */
  readonly bomb: boolean
}
