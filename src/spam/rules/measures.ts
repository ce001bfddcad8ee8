/**
 * Numbers of a message that rules may compare, by their names. Each is
 * undefined where the message has nothing to measure it by; a rule that asks
 * for it does not hold then, nor does its opposite. Linear, and bounded: of a
 * long text the first 65,536 characters are looked at.
 */
import type { MimeField, MimeMessage } from '../../mime/message-parts.ts'
import type { HtmlFacts, MessageContent } from '../content.ts'
import { readAddresses } from './addresses.ts'

const MAX_LOOKED_AT = 65_536
/** Fewer letters than this have no share of capitals worth a rule. */
const FEWEST_LETTERS = 8

const MEASURES = {
  message_bytes: ({ mime }) => mime.size,
  header_fields: ({ mime }) => mime.parts[0]?.fields.length ?? 0,
  parts: ({ mime }) => mime.parts.length,
  depth: ({ mime }) => mime.parts.reduce((deepest, { depth }) => Math.max(deepest, depth), 0),
  attachments: ({ attachments }) => attachments.length,
  /** addresses in To and Cc */
  addressees: ({ mime }) => addressees(mime),

  subject_length: ({ subject }) => subject.length,
  subject_capitals: ({ subject }) => capitals(subject),
  text_length: ({ text }) => text.length,
  text_words: ({ text }) => words(text),
  text_capitals: ({ text }) => capitals(text),
  hidden_length: ({ hidden }) => hidden.length,
  /** of hidden and shown text together */
  hidden_share: ({ hidden, text }) => share(hidden.length, hidden.length + text.length),
  /** characters shown for each byte of HTML */
  text_share: ({ text, html }) => (html === undefined ? undefined : share(text.length, html.bytes)),

  links: ({ links }) => links.length,
  link_domains: ({ links }) => new Set(links.map(({ domain }) => domain).filter((domain) => domain !== '')).size,
  /** a shorter text counts as one of 1000 characters */
  links_per_1000: ({ links, text }) => links.length / Math.max(1, text.length / 1000),

  /** those that the HTML names, and image parts that it does not */
  images: (content) => images(content),
  image_bytes: ({ mime }) => mime.parts.reduce((sum, { type, encodedBytes }) => (type.startsWith('image/') ? sum + encodedBytes : sum), 0),
  words_per_image: (content) => {
    const count = images(content)
    return count === 0 ? undefined : words(content.text) / count
  },

  /** Date against the newest Received: hours ahead of it, negative where it lies behind */
  date_skew_hours: ({ mime }) => dateSkew(mime),

  html: ({ html }) => Number(html !== undefined),
  html_bytes: ({ html }) => html?.bytes,
  html_tags: ({ html }) => html?.tags,
  html_images: ({ html }) => html?.images,
  html_tracking_images: ({ html }) => html?.trackingImages,
  html_forms: ({ html }) => html?.forms,
  html_password_fields: ({ html }) => html?.passwordFields,
  html_scripts: ({ html }) => html?.scripts,
  html_iframes: ({ html }) => html?.iframes,
  html_hidden_elements: ({ html }) => html?.hiddenElements,
  html_comments: ({ html }) => html?.comments,
  html_unknown_tags: ({ html }) => html?.unknownTags,
  html_base: ({ html }) => flag(html, 'base'),
  html_refresh: ({ html }) => flag(html, 'refresh'),
  html_truncated: ({ html }) => flag(html, 'truncated'),
} as const satisfies Readonly<Record<string, (content: MessageContent) => number | undefined>>

export type MeasureName = keyof typeof MEASURES

export const MEASURE_NAMES = Object.keys(MEASURES) as readonly MeasureName[]

/** Those that are told of every message: they take no time, or so many rules ask for them that it is taken anyway. */
export const AT_HAND: ReadonlySet<MeasureName> = new Set([
  'addressees', 'date_skew_hours', 'subject_capitals', 'text_capitals', 'text_words',
  'message_bytes', 'header_fields', 'parts', 'attachments', 'subject_length', 'text_length', 'hidden_length', 'hidden_share', 'text_share', 'links', 'links_per_1000',
  'html', 'html_bytes', 'html_tags', 'html_images', 'html_tracking_images', 'html_forms', 'html_password_fields', 'html_scripts', 'html_iframes', 'html_hidden_elements', 'html_comments', 'html_unknown_tags', 'html_base', 'html_refresh', 'html_truncated',
])

/** Those of them that every message has. */
export const ALWAYS_KNOWN: ReadonlySet<MeasureName> = new Set(['message_bytes', 'header_fields', 'parts', 'attachments', 'subject_length', 'text_length', 'hidden_length', 'links', 'links_per_1000', 'html'])

export function measure(name: MeasureName, content: MessageContent): number | undefined {
  return MEASURES[name](content)
}

function flag(html: HtmlFacts | undefined, name: 'base' | 'refresh' | 'truncated'): number | undefined {
  return html === undefined ? undefined : Number(html[name])
}

function share(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole
}

function images({ html, mime }: MessageContent): number {
  return Math.max(html?.images ?? 0, mime.parts.filter(({ type }) => type.startsWith('image/')).length)
}

/** The share of capitals among the letters that have a case. Most letters are ASCII; they are told by their codes alone, without a branch, which would go the wrong way at every word. */
function capitals(text: string): number | undefined {
  let upper = 0
  let letters = 0
  const end = Math.min(text.length, MAX_LOOKED_AT)
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) {
      const place = (code | 0x20) - 0x61
      // 1 from 0 to 25
      const isLetter = ((place - 26) & ~place) >>> 31
      letters += isLetter
      upper += isLetter & ~(code >>> 5)
      continue
    }
    const point = text.codePointAt(i) ?? code
    if (point > 0xffff) i++
    const which = caseOf(point)
    if (which === NO_CASE) continue
    letters++
    if (which === CAPITAL) upper++
  }
  return letters < FEWEST_LETTERS ? undefined : upper / letters
}

const NO_CASE = 1
const SMALL = 2
const CAPITAL = 3
/** of the Basic Multilingual Plane, as far as they were asked for; 0: not yet */
const cases = new Uint8Array(0x10000)

function caseOf(point: number): number {
  const known = cases[point]
  if (known !== undefined && known !== 0) return known
  const letter = String.fromCodePoint(point)
  const found = letter !== letter.toLowerCase() ? CAPITAL : letter === letter.toUpperCase() ? NO_CASE : SMALL
  if (point < cases.length) cases[point] = found
  return found
}

/** Runs of characters between blanks. */
function words(text: string): number {
  let count = 0
  let wasBlank = 1
  const end = Math.min(text.length, MAX_LOOKED_AT)
  for (let i = 0; i < end; i++) {
    // 1 up to U+0020
    const isBlank = (text.charCodeAt(i) - 0x21) >>> 31
    count += wasBlank & ~isBlank
    wasBlank = isBlank
  }
  return count
}

function fieldsOf(mime: MimeMessage): readonly MimeField[] {
  return mime.parts[0]?.fields ?? []
}

function addressees(mime: MimeMessage): number {
  return fieldsOf(mime).reduce((sum, { name, raw }) => (name === 'to' || name === 'cc' ? sum + readAddresses(raw).length : sum), 0)
}

function dateSkew(mime: MimeMessage): number | undefined {
  const fields = fieldsOf(mime)
  const date = fields.find(({ name }) => name === 'date')?.raw
  // The newest stands on top (RFC 5321 §4.4); its date is what follows the last semicolon.
  const received = fields.find(({ name }) => name === 'received')?.raw
  if (date === undefined || received === undefined) return undefined
  const claimed = moment(date)
  const arrived = moment(received.slice(received.lastIndexOf(';') + 1))
  return claimed === undefined || arrived === undefined ? undefined : (claimed - arrived) / 3_600_000
}

/** RFC 5322 §3.3, which is what Date.parse reads; comments are left out. */
function moment(text: string): number | undefined {
  const at = Date.parse(text.slice(0, 100).replace(/\([^)]*\)?/g, ' ').trim())
  return Number.isNaN(at) ? undefined : at
}
