/**
 * What SpamAssassin's `body` and `rawbody` rules look at (Mail::SpamAssassin::Conf):
 * of the body a paragraph a piece, longer ones in pieces of 2 kB; of the raw
 * body pieces of 2 to 4 kB. What HTML hides is part of the body for it.
 * Bounded: 50,000 characters of the text of a part, 500,000 bytes of a part as it
 * stands. Pure.
 */
import type { MimeMessage } from '../../../mime/message-parts.ts'
import { readShownParts } from '../../content/shown-parts.ts'
import { toBytes, withoutCr } from './bytes.ts'

const MAX_PART_TEXT = 50_000
const MAX_PART_RAW = 500_000
const MAX_PARAGRAPH = 2048
const MAX_RAW_PIECE = 4096
const MAX_TITLE_LOOK = 16_384

export function bodyPieces(mime: MimeMessage): readonly string[] {
  const pieces: string[] = []
  for (const { part, plain, html, attached } of readShownParts(mime)) {
    if (attached) continue
    if (plain !== undefined) addParagraphs(pieces, plain.text)
    if (html === undefined) continue
    const title = titleOf(mime.parts[part]?.text?.slice(0, MAX_TITLE_LOOK) ?? '')
    if (title !== '') pieces.push(`${toBytes(title)}\n`)
    addParagraphs(pieces, html.text)
    addParagraphs(pieces, html.hidden)
  }
  return pieces
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
      const blank = rest.lastIndexOf(' ', MAX_PARAGRAPH)
      const end = blank > MAX_PARAGRAPH / 2 ? blank : MAX_PARAGRAPH
      pieces.push(rest.slice(0, end))
      rest = rest.slice(end)
    }
    if (rest !== '') pieces.push(`${rest}\n`)
  }
}

export function rawPieces(mime: MimeMessage): readonly string[] {
  const pieces: string[] = []
  for (const { part, attached } of readShownParts(mime)) {
    const content = attached ? undefined : mime.parts[part]?.content
    if (content === undefined || content.length === 0) continue
    const raw = withoutCr(content.toString('latin1', 0, MAX_PART_RAW))
    for (let at = 0; at < raw.length;) {
      const end = rawEnd(raw, at)
      pieces.push(raw.slice(at, end))
      at = end
    }
  }
  return pieces
}

/** Behind the last line end of the second half, or the last blank; otherwise where it is full. */
function rawEnd(raw: string, from: number): number {
  const full = from + MAX_RAW_PIECE
  if (raw.length <= full) return raw.length
  const middle = from + MAX_RAW_PIECE / 2
  const second = raw.slice(middle, full)
  const line = second.lastIndexOf('\n')
  const end = line >= 0 ? line : second.lastIndexOf(' ')
  return end < 0 ? full : middle + end + 1
}
