/**
 * Tokens of where links lead: hosts, domains, words of paths, and what is odd
 * about them. Never throws.
 */
import type { Link } from '../content.ts'
import { tokenContext, type TokenCollector } from './token-set.ts'
import { WordReader } from './words.ts'

const MAX_LINKS = 200
/** of one link, behind its host */
const MAX_PATH = 200

const HOST = tokenContext('link:')
const PATH = tokenContext('link-path:')
const SHAPE = tokenContext('links:')

const reader = new WordReader()

/** What was added last: most links lead where the one before does. */
interface Told {
  domain: string
  host: string
  kind: string
}

export function linkTokens(links: readonly Link[], collector: TokenCollector): void {
  const seen = Math.min(links.length, MAX_LINKS)
  const told: Told = { domain: '', host: '', kind: '' }
  for (let at = 0; at < seen; at++) {
    const link = links[at]
    if (link !== undefined) linkToken(link, told, collector)
  }
  collector.text(SHAPE, links.length > 50 ? 'many' : links.length > 10 ? 'some' : links.length > 3 ? 'few' : String(links.length))
}

function linkToken(link: Link, told: Told, collector: TokenCollector): void {
  const { url, scheme, host, domain, kind } = link
  if (domain !== '' && domain !== told.domain) collector.text(HOST, told.domain = domain)
  if (host !== '' && host !== domain && !link.address && host !== told.host) collector.text(HOST, told.host = host)
  if (scheme !== 'http' && scheme !== 'https') collector.text(SHAPE, `${scheme}:`)
  if (kind !== told.kind) collector.text(SHAPE, told.kind = kind)
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
  reader.read(url, behind, Math.min(url.length, behind + MAX_PATH))
  while (reader.next()) {
    if (collector.word(PATH, reader.low, reader.high)) collector.name(PATH.label + url.slice(reader.start, reader.end).toLowerCase())
  }
}
