/**
 * Tokens of how a message is built: its parts, how they are encoded, what is
 * attached, what its HTML holds, which scripts and language it is written in.
 * Numbers are told by their order of magnitude. Never throws.
 */
import type { MimePart } from '../../mime/message-parts.ts'
import type { Attachment, HtmlFacts, MessageContent } from '../content.ts'
import { tokenContext, type TokenCollector } from './token-set.ts'

const MAX_PARTS = 20
const MAX_WORD = 60
/** A script with less of the letters is a name or a sign. */
const SOME_SHARE = 0.05

const COUNTED = ['tags', 'images', 'trackingImages', 'forms', 'passwordFields', 'scripts', 'iframes', 'hiddenElements', 'comments', 'unknownTags'] as const

const PART = tokenContext('part:')
const ATTACHMENT = tokenContext('attachment:')
const HTML = tokenContext('html:')
const LANGUAGE = tokenContext('language:')
const SCRIPT = tokenContext('script:')
const SIZE = tokenContext('size:')

/** What its words are written in. */
export type Writing = Pick<MessageContent, 'scripts' | 'language'>

export function structureTokens(content: MessageContent, { scripts, language }: Writing, collector: TokenCollector): void {
  const { mime, attachments, html, text, hidden } = content
  for (const part of mime.parts.length > MAX_PARTS ? mime.parts.slice(0, MAX_PARTS) : mime.parts) partTokens(part, collector)
  collector.text(PART, `parts ${magnitude(mime.parts.length)}`)
  for (const defect of mime.defects) collector.text(PART, defect)
  for (const attachment of attachments.slice(0, MAX_PARTS)) attachmentTokens(attachment, collector)
  if (attachments.length > 0) collector.text(ATTACHMENT, `number ${magnitude(attachments.length)}`)
  if (html !== undefined) htmlTokens(html, collector)
  for (const [script, share] of scripts) if (share >= SOME_SHARE) collector.text(SCRIPT, `${script} ${share > 0.5 ? 'most' : 'some'}`)
  collector.text(LANGUAGE, language ?? 'not known')
  collector.text(SIZE, `text ${magnitude(text.length)}`)
  if (hidden.length > 0) collector.text(SIZE, `hidden ${magnitude(hidden.length)}`)
}

function partTokens({ type, charset, encoding, disposition, parameters, depth }: MimePart, collector: TokenCollector): void {
  collector.text(PART, `${depth === 0 ? 'top ' : ''}${type.slice(0, MAX_WORD)}`)
  if (type.startsWith('text/')) collector.text(PART, `${type.slice(0, MAX_WORD)} ${(charset ?? 'no charset').slice(0, MAX_WORD)} ${encoding.slice(0, MAX_WORD)}`)
  if (disposition !== undefined) collector.text(PART, `${type.slice(0, MAX_WORD)} ${disposition.slice(0, MAX_WORD)}`)
  if (type.startsWith('text/') && parameters.get('format') === 'flowed') collector.text(PART, 'flowed')
}

function attachmentTokens(attachment: Attachment, collector: TokenCollector): void {
  const { extension, detectedType, inside } = attachment
  collector.text(ATTACHMENT, `${inside.length > 0 ? 'inside ' : ''}.${extension.slice(0, MAX_WORD)}`)
  collector.text(ATTACHMENT, (detectedType ?? 'unknown type').slice(0, MAX_WORD))
  if (attachment.mismatch) collector.text(ATTACHMENT, 'is another type')
  if (attachment.executable) collector.text(ATTACHMENT, 'executable')
  if (attachment.macros) collector.text(ATTACHMENT, 'macros')
  if (attachment.encrypted) collector.text(ATTACHMENT, 'encrypted')
}

function htmlTokens(html: HtmlFacts, collector: TokenCollector): void {
  // What is not there says no more than that there is HTML, and would say it again and again.
  for (const name of COUNTED) if (html[name] > 0) collector.text(HTML, `${name} ${magnitude(html[name])}`)
  if (html.base) collector.text(HTML, 'base')
  if (html.refresh) collector.text(HTML, 'refresh')
}

/** 0, 1, 2, then by powers of four. */
function magnitude(number: number): string {
  if (number <= 2) return String(number)
  const power = Math.ceil(Math.log(number) / Math.log(4))
  return `≤ ${4 ** power}`
}
