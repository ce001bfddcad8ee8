/**
 * What Postern knows too of what SpamAssassin finds out by code (`eval:`): the
 * same question about the same thing, and no more than that. Pure.
 */
import { writtenAddresses } from './header-addresses.ts'
import { hasIllegal, isAllCapitals, isInSubject } from './letters.ts'
import type { SpamMessage } from './spam-message.ts'
import type { SpamQuestion } from './spam-text.ts'

/** How often it holds; undefined: not known. */
export function answerOf(message: SpamMessage, question: SpamQuestion): number | undefined {
  const { html, mime } = message.content
  switch (question.ask) {
    case 'fields': return question.names.reduce((sum, name) => sum + message.linesNamed(name).length, 0)
    case 'html': return Number(html !== undefined)
    case 'html-parts': return mime.parts.filter(({ type }) => type === 'text/html').length
    case 'html-only': return Number(mime.parts.some(({ type }) => type === 'text/html') && !mime.parts.some(({ type }) => type === 'text/plain'))
    case 'iframes': return html?.iframes ?? 0
    case 'html-tag': return html === undefined ? 0 : tagsIn(message, question.name)
    case 'html-comments': return htmlTexts(message).reduce((sum, text) => sum + commentsIn(text), 0)
    case 'base64-parts': return mime.parts.filter(({ encoding }) => encoding.includes('base64')).length
    case 'attachments': return mime.parts.filter(({ disposition }) => disposition === 'attachment').length
    case 'body-length': return bodyLength(message)
    case 'date-shift': return Number(message.dateShift >= question.from && message.dateShift < question.below)
    case 'illegal-characters': return Number(hasIllegal(rawOf(message, question.name), { ...question, isSubject: question.name === 'subject' }))
    case 'subject-capitals': return Number(isAllCapitals(message.value('subject'), rawOf(message, 'subject')))
    case 'addressee-in-subject': return Number(isInSubject(message.value('subject'), writtenAddresses(message.value('to')).find(({ address }) => address !== '')?.address ?? '', question.form))
    case 'body-capitals': return Number(message.capitals > question.above && message.capitals <= question.most)
    case 'fact': {
      const words = message.facts.words(question.name)
      return words === undefined ? undefined : Number(words.some((word) => question.is.includes(word)))
    }
    case 'dkim-domain': return signedBy(message, question.of)
  }
}

function rawOf(message: SpamMessage, name: string): string {
  return message.pieces({ of: 'header', name, raw: true, take: undefined, which: 'each', unset: '' })?.[0] ?? ''
}

/** Of what is not kept, line ends are taken to be as frequent as in what is. */
function bodyLength({ content: { mime }, source, header }: SpamMessage): number {
  const kept = mime.source.reduce((sum, { length }) => sum + length, 0)
  const behind = kept === 0 ? 0 : Math.round((mime.size - kept) * (source.length / kept))
  return source.length - header.length + behind
}

const MAX_HTML_LOOKED_AT = 524_288

function htmlTexts({ content }: SpamMessage): readonly string[] {
  return content.mime.parts.flatMap(({ type, text }) => (type === 'text/html' && text !== undefined ? [text.slice(0, MAX_HTML_LOOKED_AT)] : []))
}

function tagsIn(message: SpamMessage, name: string): number {
  const tag = new RegExp(`<${name}(?=[\\s/>])`, 'gi')
  return htmlTexts(message).reduce((sum, text) => sum + (withoutComments(text).match(tag)?.length ?? 0), 0)
}

/** Those with a `>` in their first line, outside of styles and scripts. */
function commentsIn(html: string): number {
  let count = 0
  for (let at = html.indexOf('<'); at >= 0;) {
    const plain = /^<(script|style)[\s>]/i.exec(html.slice(at, at + 8))?.[1]
    const isComment = html.startsWith('<!--', at)
    let next = at + 1
    if (isComment || plain !== undefined) {
      const end = isComment ? html.indexOf('-->', at + 4) + 3 : endOf(plain ?? '', html, at)
      if (end < 3) return count
      if (isComment && /^<!.*>/.test(html.slice(at, end))) count++
      next = end
    }
    at = html.indexOf('<', next)
  }
  return count
}

/** Behind the beginning of the closing tag; 0: there is none. */
function endOf(element: string, html: string, from: number): number {
  const closing = new RegExp(`</${element}`, 'gi')
  closing.lastIndex = from
  return closing.test(html) ? closing.lastIndex : 0
}

function withoutComments(html: string): string {
  let kept = ''
  let at = 0
  for (let begin = html.indexOf('<!--'); begin >= 0; begin = html.indexOf('<!--', at)) {
    kept += html.slice(at, begin)
    const end = html.indexOf('-->', begin + 4)
    if (end < 0) return kept
    at = end + 3
  }
  return kept + html.slice(at)
}

function signedBy(message: SpamMessage, of: readonly string[] | 'author' | 'envelope'): number | undefined {
  const { facts } = message
  const domains = facts.words('dkim_domain')
  if (domains === undefined) return undefined
  const wanted = of === 'author' ? facts.words('from_domain') ?? writtenAddresses(message.value('from')).flatMap(({ address }) => (address === '' ? [] : [domainOf(address)])) : of === 'envelope' ? facts.words('sender')?.map(domainOf) : of
  if (wanted === undefined) return undefined
  return domains.filter((domain) => wanted.length === 0 || wanted.includes(domain.toLowerCase())).length
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}
