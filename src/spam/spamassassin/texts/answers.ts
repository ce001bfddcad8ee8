/**
 * What Postern knows too of what SpamAssassin finds out by code (`eval:`): the
 * same question about the same thing, and no more than that. Pure.
 */
import { writtenAddresses } from './header-addresses.ts'
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
    case 'no-recipient': return Number(!['to', 'cc', 'bcc'].some((name) => message.value(name).trim() !== ''))
    case 'body-length': return message.body.reduce((sum, { length }) => sum + length, 0)
    case 'fact': {
      const words = message.facts.words(question.name)
      return words === undefined ? undefined : Number(words.some((word) => question.is.includes(word)))
    }
    case 'dkim-domain': return signedBy(message, question.of)
  }
}

function signedBy(message: SpamMessage, of: readonly string[] | 'author' | 'envelope'): number | undefined {
  const { facts } = message
  const domains = facts.words('dkim_domain')
  if (domains === undefined) return undefined
  const wanted = of === 'author' ? facts.words('from_domain') ?? writtenAddresses(message.value('from')).map(({ address }) => domainOf(address)) : of === 'envelope' ? facts.words('sender')?.map(domainOf) : of
  if (wanted === undefined) return undefined
  return domains.filter((domain) => wanted.length === 0 || wanted.includes(domain.toLowerCase())).length
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}
