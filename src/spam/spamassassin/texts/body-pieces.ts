/**
 * What SpamAssassin's `body` and `rawbody` rules look at (Mail::SpamAssassin::Conf):
 * of the body a paragraph a piece, longer ones in pieces of 2 kB; of the raw
 * body pieces of 2 to 4 kB. What HTML hides and what is attached is part of the
 * body for it.
 * Bounded: 50,000 characters of the text of a part, 500,000 bytes of a part as it
 * stands, 2,000,000 of all. Pure.
 */
import type { MimeMessage, MimePart } from '../../../mime/message-parts.ts'
import type { MessageContent } from '../../content.ts'
import type { HtmlReading } from '../../content/html/html-reader.ts'
import { shownPartsOf } from '../../content/read-content.ts'
import { readPlainText } from '../../content/text/plain-text.ts'
import { toBytes, withoutCr } from './bytes.ts'

const MAX_PART_TEXT = 50_000
const MAX_PART_RAW = 500_000
/** Of all parts; of shown ones the text that is read has a bound of its own. */
const MAX_ATTACHED_TEXT = 500_000
const MAX_RAW = 2_000_000
const MAX_PARAGRAPH = 2048
const MAX_RAW_PIECE = 4096
const MAX_TITLE_LOOK = 16_384

export function bodyPieces(content: MessageContent): readonly string[] {
  const pieces: string[] = []
  for (const { part, text, html } of renderedParts(content)) {
    if (html === undefined) {
      addParagraphs(pieces, text)
      continue
    }
    const title = titleOf(part.text?.slice(0, MAX_TITLE_LOOK) ?? '')
    if (title !== '') pieces.push(`${toBytes(title)}\n`)
    addParagraphs(pieces, text)
    addParagraphs(pieces, html.hidden)
  }
  return pieces
}

/** Texts of the body whose links no reader's program shows: those of attached text, and hidden ones. */
export function unseenTexts(content: MessageContent): readonly string[] {
  return renderedParts(content).flatMap(({ text, html, attached }) => (html !== undefined ? [html.hidden] : attached ? [text] : [])).filter((text) => text !== '')
}

/** Texts that are no HTML. */
export function plainTexts(content: MessageContent): readonly string[] {
  return renderedParts(content).flatMap(({ text, html }) => (html === undefined ? [text] : []))
}

interface RenderedPart {
  readonly part: MimePart
  readonly text: string
  readonly html: HtmlReading | undefined
  readonly attached: boolean
}

const HTML_NAME = /\.s?html?$/i

/** HTML by its type or its name, and all other text but for calendars and cards; whether it is attached does not matter. */
function renderedParts(content: MessageContent): readonly RenderedPart[] {
  const { mime } = content
  const known = new Map(shownPartsOf(content).map((shown) => [shown.part, shown]))
  const rendered: RenderedPart[] = []
  let room = MAX_ATTACHED_TEXT
  for (const [index, part] of mime.parts.entries()) {
    const shown = known.get(index)
    const isText = part.type.startsWith('text/') && part.type !== 'text/calendar' && part.type !== 'text/x-vcard'
    if (!isText && !HTML_NAME.test(part.fileName ?? '')) continue
    if (shown?.html !== undefined) rendered.push({ part, text: shown.html.text, html: shown.html, attached: shown.attached })
    else if (shown?.plain !== undefined) rendered.push({ part, text: shown.plain.text, html: undefined, attached: false })
    else if (isText && part.text !== undefined && room > 0) {
      const { text } = readPlainText(part.text.slice(0, Math.min(room, MAX_PART_TEXT)))
      room -= text.length
      rendered.push({ part, text, html: undefined, attached: true })
    }
  }
  return rendered
}

function titleOf(html: string): string {
  const at = html.search(/<title[\s>]/i)
  const title = at < 0 ? undefined : /^<title[^>]{0,200}>([^<]{1,500})/i.exec(html.slice(at))?.[1]
  return title?.replace(/\s+/g, ' ').trim() ?? ''
}

function addParagraphs(pieces: string[], text: string): void {
  if (text === '') return
  for (const line of toBytes(text.slice(0, MAX_PART_TEXT)).split('\n')) {
    let rest = line
    while (rest.length > MAX_PARAGRAPH) {
      const end = rest.lastIndexOf(' ', MAX_PARAGRAPH) + 1 || MAX_PARAGRAPH
      pieces.push(rest.slice(0, end))
      rest = rest.slice(end)
    }
    if (rest !== '') pieces.push(`${rest}\n`)
  }
}

export function rawPieces(mime: MimeMessage): readonly string[] {
  const pieces: string[] = []
  let room = MAX_RAW
  for (const { type, text, fileName, content } of mime.parts) {
    if (room <= 0) break
    if (content.length === 0 || type === 'text/calendar' || (text === undefined && !HTML_NAME.test(fileName ?? ''))) continue
    const raw = withoutCr(content.toString('latin1', 0, Math.min(room, MAX_PART_RAW)))
    room -= raw.length
    for (let at = 0; at < raw.length;) {
      const end = rawEnd(raw, at)
      pieces.push(raw.slice(at, end))
      at = end
    }
  }
  return pieces
}

/** Behind the first line end from the middle on, the first `>`, the first blank; otherwise in the middle. */
function rawEnd(raw: string, from: number): number {
  const full = from + MAX_RAW_PIECE
  if (raw.length <= full) return raw.length
  const middle = from + MAX_RAW_PIECE / 2
  const second = raw.slice(middle, full)
  const at = ['\n', '>', ' '].map((sign) => second.indexOf(sign)).find((found) => found >= 0)
  return middle + (at ?? 0) + 1
}
