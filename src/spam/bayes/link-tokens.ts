/**
 * Tokens of where links lead: hosts, domains, words of paths, and what is odd
 * about them. Never throws.
 */
import type { Link } from '../content.ts'
import { tokenContext, type TokenCollector } from './token-set.ts'
import { eachWord } from './words.ts'

const MAX_LINKS = 200
/** of one link, behind its host */
const MAX_PATH = 200

const HOST = tokenContext('link:')
const PATH = tokenContext('link-path:')
const SHAPE = tokenContext('links:')

export function linkTokens(links: readonly Link[], collector: TokenCollector): void {
  const seen = Math.min(links.length, MAX_LINKS)
  for (let at = 0; at < seen; at++) {
    const link = links[at]
    if (link !== undefined) linkToken(link, collector)
  }
  collector.text(SHAPE, links.length > 50 ? 'many' : links.length > 10 ? 'some' : links.length > 3 ? 'few' : String(links.length))
}

function linkToken(link: Link, collector: TokenCollector): void {
  const { url, scheme, host, domain, kind } = link
  if (domain !== '') collector.text(HOST, domain)
  if (host !== '' && host !== domain && !link.address) collector.text(HOST, host)
  if (scheme !== 'http' && scheme !== 'https') collector.text(SHAPE, `${scheme}:`)
  collector.text(SHAPE, kind)
  if (link.address) collector.text(SHAPE, 'to an address')
  if (link.port !== undefined) collector.text(SHAPE, 'with a port')
  if (link.userinfo) collector.text(SHAPE, 'with a user')
  if (link.shortener) collector.text(SHAPE, 'shortened')
  if (link.lookAlike) collector.text(SHAPE, 'look-alike')
  if (link.mismatch) collector.text(SHAPE, 'shows another host')
  if (link.hidden) collector.text(SHAPE, 'hidden')
  if (scheme === 'mailto' || scheme === 'data') return
  const behind = url.indexOf('/', url.indexOf('//') + 2)
  if (behind < 0) return
  eachWord(url, { start: behind, end: Math.min(url.length, behind + MAX_PATH) }, (word) => {
    if (collector.word(PATH, word.low, word.high)) collector.name(PATH.label + url.slice(word.start, word.end).toLowerCase())
    return true
  })
}
