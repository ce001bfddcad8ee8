/**
 * The parts of a message that are text and what they show: plain text and HTML,
 * in their order. HTML that is attached is read for its links and its make, not
 * for its text. What a Content-Disposition says is not believed of the message
 * itself and of the first text: mail programs show them.
 *
 * Of a multipart/alternative (RFC 2046 §5.1.4) a reader sees one, scoring sees
 * what both say: the HTML's text, since that is what nearly everybody reads, and
 * the plain text where it says something else (or the HTML shows none). A text
 * that says the same would count twice; one that differs is either what some
 * readers see, or was put there to be seen by filters alone. Links are taken of
 * both, always.
 */
import { MAX_TEXT_CHARACTERS } from '../content.ts'
import type { MimeMessage, MimePart } from '../../mime/message-parts.ts'
import { MAX_HTML_CHARACTERS } from './bounds.ts'
import { readHtml, type HtmlReading } from './html/html-reader.ts'
import { saysSomethingElse } from './text/alternatives.ts'
import { readPlainText, type PlainReading } from './text/plain-text.ts'

export interface ShownPart {
  readonly part: number
  /** the nearest multipart/alternative that it is in; -1: none */
  readonly alternative: number
  readonly plain: PlainReading | undefined
  readonly html: HtmlReading | undefined
  /** it is not shown before somebody opens it */
  readonly attached: boolean
}

export interface ShownText {
  readonly text: string
  readonly hidden: string
  readonly ascii: boolean
}

/** Types of text that mail programs show as HTML. */
const HTML_TYPES = new Set(['text/html', 'text/x-amp-html', 'text/watch-html', 'application/xhtml+xml'])
/** Types of text that they show as it is. */
const PLAIN_TYPES = new Set(['text/plain', 'text/enriched', 'text/richtext', 'text/markdown', 'text/calendar'])
/** Names of files that a browser opens and runs. */
const HTML_NAME = /\.(?:html?|xhtml?|shtml|mht|mhtml|svg|hta)$/i

/** Types that are the text of a message where they come first, and not files. */
const FIRST_TYPES = new Set([...HTML_TYPES, 'text/plain', 'text/enriched', 'text/richtext'])
/** Text that mail programs make something else of, or nothing. */
const NOT_SHOWN = /^text\/(?:rfc822-headers|css|x?-?vcard|directory|csv|xml|javascript|x-amp)/

/** Is the part meant to be shown with the message, and not as something to open? */
export function isShownText(part: MimePart): boolean {
  if (part.text === undefined || part.disposition === 'attachment') return false
  if (HTML_TYPES.has(part.type) || PLAIN_TYPES.has(part.type)) return true
  return part.type.startsWith('text/') && !NOT_SHOWN.test(part.type)
}

/** Whatever is said of it. `first`: no text was before it. */
function isShownAnyway(mime: MimeMessage, part: MimePart, first: boolean): boolean {
  if (part.text === undefined || !part.type.startsWith('text/')) return false
  if (part.parent < 0) return true
  if (!FIRST_TYPES.has(part.type)) return false
  return first || (part.fileName === undefined && mime.parts[part.parent]?.type === 'multipart/alternative')
}

function alternativeOf(mime: MimeMessage, part: MimePart): number {
  for (let at = part.parent; at >= 0; at = mime.parts[at]?.parent ?? -1) if (mime.parts[at]?.type === 'multipart/alternative') return at
  return -1
}

/** Text that a browser would show if it were opened; undefined: it is nothing of the kind. */
function attachedHtml(part: MimePart): string | undefined {
  if (part.content.length === 0 || part.type.startsWith('multipart/')) return undefined
  const named = HTML_NAME.test(part.fileName ?? '') || HTML_TYPES.has(part.type) || part.type === 'image/svg+xml'
  if (named) return part.text ?? part.content.toString('latin1')
  if (part.type.startsWith('text/') || part.content[0] === 0) return undefined
  return /^\s*(?:\xef\xbb\xbf\s*)?<(?:!doctype html|html|head|body|script|svg)\b/i.test(part.content.toString('latin1', 0, 256)) ? part.content.toString('latin1') : undefined
}

/** Reads every part that is text. */
export function readShownParts(mime: MimeMessage): readonly ShownPart[] {
  const found: ShownPart[] = []
  const markup = new Room(MAX_HTML_CHARACTERS)
  const texts = new Room(MAX_TEXT_CHARACTERS)
  let first = true
  mime.parts.forEach((part, index) => {
    const shown = isShownText(part) || isShownAnyway(mime, part, first)
    const isHtml = HTML_TYPES.has(part.type)
    if (shown && !isHtml) {
      const taken = texts.take(part.text ?? '', 0.75)
      if (taken === undefined) return
      const plain = readPlainText(taken)
      first &&= plain.text === ''
      found.push({ part: index, alternative: alternativeOf(mime, part), plain, html: undefined, attached: false })
      return
    }
    const text = shown ? part.text : attachedHtml(part)
    const taken = text === undefined ? undefined : markup.take(text, shown ? 0.75 : 0.25)
    if (taken === undefined) return
    const html = readHtml(taken, part.content.length)
    first &&= !shown || html.text === ''
    found.push({ part: index, alternative: alternativeOf(mime, part), plain: undefined, html, attached: !shown })
  })
  return found
}

/** Less room than this is none. */
const MIN_ROOM = 1024

/** Characters that may be read of all texts of a kind. Each leaves some to those that come behind it. */
class Room {
  private left: number

  constructor(most: number) {
    this.left = most
  }

  /** As much of a text as a share of what is left holds; undefined: nothing is left. */
  take(text: string, share: number): string | undefined {
    if (this.left < MIN_ROOM) return undefined
    const taken = bothEnds(text, Math.ceil(this.left * share))
    this.left -= taken.length
    return taken
  }
}

/** Of a text that is too long, what is in the middle is left out. */
function bothEnds(text: string, most: number): string {
  if (text.length <= most) return text
  const end = Math.floor(most / 4)
  return `${text.slice(0, Math.max(0, most - end - 1))}\n${text.slice(text.length - end)}`.slice(0, most)
}

function joined(texts: readonly string[]): string {
  const [only] = texts
  if (texts.length === 1 && only !== undefined) return bothEnds(only, MAX_TEXT_CHARACTERS)
  const text = texts.join('\n')
  if (text.length <= MAX_TEXT_CHARACTERS) return text
  // The short ones are whole, the others share what they leave.
  let left = MAX_TEXT_CHARACTERS - texts.length
  let long = texts.length
  for (const { length } of texts.toSorted((one, other) => one.length - other.length)) {
    if (length * long > left) break
    left -= length
    long--
  }
  const most = Math.floor(left / Math.max(1, long))
  return texts.map((one) => bothEnds(one, most)).join('\n')
}

/** What a reader sees of all of them. */
export function shownText(parts: readonly ShownPart[]): ShownText {
  const texts: string[] = []
  const hidden: string[] = []
  let ascii = true
  for (const { alternative, plain, html, attached } of parts) {
    if (html !== undefined && html.hidden !== '') hidden.push(html.hidden)
    if (attached) continue
    const reading = plain ?? html
    if (reading === undefined || reading.text === '') continue
    if (plain !== undefined && alternative >= 0) {
      const other = parts.find((one) => one.html !== undefined && !one.attached && one.alternative === alternative)
      if (other?.html !== undefined && !saysSomethingElse(plain.text, other.html.text)) continue
    }
    texts.push(reading.text)
    ascii &&= reading.ascii
  }
  return { text: joined(texts), hidden: joined(hidden), ascii }
}
