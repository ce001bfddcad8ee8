/**
 * A URL of a link as browsers and mail programs read it (WHATWG URL §4.4):
 * backslashes, tabs and line ends in it, missing and superfluous slashes,
 * whatever stands before `@`. A link without a scheme that begins like a host is
 * taken for one, as mail programs do. Nothing is refused: a URL that leads
 * nowhere has no host.
 */
import { MAX_URL_CHARACTERS } from '../bounds.ts'
import { NO_HOST, readHost, type Host } from './host.ts'
import { isKnownSuffix } from './suffixes.ts'

export interface UrlReading extends Host {
  readonly scheme: string
  readonly port: number | undefined
  readonly userinfo: boolean
  /** offset in `text` behind the authority */
  readonly pathFrom: number
  /** the URL without what browsers take out of it */
  readonly text: string
}

const COLON = 58
const SLASH = 47
const BACKSLASH = 92
const QUESTION = 63
const HASH = 35

/** Schemes whose URLs have a host, and for which `\` is `/` (§3.1 "special"). */
const SPECIAL = new Set(['http', 'https', 'ftp', 'ws', 'wss'])
/** A scheme that is longer is a word before a colon. */
const MAX_SCHEME_CHARACTERS = 32

/** Where the scheme's `:` stands; -1: there is no scheme. */
function schemeEnd(text: string): number {
  const end = Math.min(text.length, MAX_SCHEME_CHARACTERS)
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at)
    const lower = code | 32
    if (lower >= 97 && lower <= 122) continue
    if (code === COLON) return at === 0 ? -1 : at
    if (at === 0 || !((code >= 48 && code <= 57) || code === 43 || code === 45 || code === 46)) return -1
  }
  return -1
}

/** Without control characters and blanks at its ends, and without tabs and line ends (§4.4, steps 1 to 3). */
export function cleaned(written: string): string {
  const short = written.length > MAX_URL_CHARACTERS ? written.slice(0, MAX_URL_CHARACTERS) : written
  let from = 0
  let to = short.length
  while (from < to && short.charCodeAt(from) <= 32) from++
  while (to > from && short.charCodeAt(to - 1) <= 32) to--
  const text = from === 0 && to === short.length ? short : short.slice(from, to)
  return /[\t\r\n]/.test(text) ? text.replace(/[\t\r\n]+/g, '') : text
}

/** Behind the authority that begins at `from`. */
function authorityEnd(text: string, from: number, special: boolean): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === SLASH || code === 63 || code === 35 || (special && code === BACKSLASH)) return at
  }
  return text.length
}

/** `user:password@host:port` between two offsets. */
function readAuthority(text: string, scheme: string, range: { readonly from: number; readonly to: number }): UrlReading {
  const authority = text.slice(range.from, range.to)
  const userinfo = authority.includes('@')
  const rest = userinfo ? authority.slice(authority.lastIndexOf('@') + 1) : authority
  if (!rest.includes(':')) return reading(readHost(rest.toLowerCase()), { scheme, port: undefined, userinfo, pathFrom: range.to, text })
  const colon = rest.lastIndexOf(':')
  const hasPort = colon > rest.lastIndexOf(']')
  const digits = hasPort ? rest.slice(colon + 1) : ''
  const host = readHost((hasPort ? rest.slice(0, colon) : rest).toLowerCase())
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : undefined
  const standard = scheme === 'https' || scheme === 'wss' ? 443 : scheme === 'ftp' ? 21 : 80
  return reading(host, { scheme, port: port === standard || (port ?? 0) > 65_535 ? undefined : port, userinfo, pathFrom: range.to, text })
}

/** Written out: to spread both costs several times as much. */
function reading({ host, domain, unicodeHost, address, shortener, lookAlike }: Host, { scheme, port, userinfo, pathFrom, text }: Omit<UrlReading, keyof Host>): UrlReading {
  return { host, domain, unicodeHost, address, shortener, lookAlike, scheme, port, userinfo, pathFrom, text }
}

function withoutHost(text: string, scheme: string): UrlReading {
  return reading(NO_HOST, { scheme, port: undefined, userinfo: false, pathFrom: 0, text })
}

/** `mailto:somebody@host?subject=…` (RFC 6068): the host is that of the first address. */
function readMailto(text: string, from: number): UrlReading {
  const question = text.indexOf('?', from)
  const addresses = text.slice(from, question < 0 ? undefined : question)
  const comma = addresses.indexOf(',')
  const first = (comma < 0 ? addresses : addresses.slice(0, comma)).replace(/%40/i, '@')
  const at = first.lastIndexOf('@')
  const host = at < 0 ? NO_HOST : readHost(first.slice(at + 1).trim().toLowerCase())
  return reading(host, { scheme: 'mailto', port: undefined, userinfo: false, pathFrom: question < 0 ? text.length : question, text })
}

/** Is `example.com/path` a host and not a file? */
function beginsLikeHost(text: string): boolean {
  const found = /^([a-z0-9-]+(?:\.[a-z0-9-]+)*)\.([a-z]{2,24})\.?(?::\d{1,5})?(?:[/?#]|$)/i.exec(text.slice(0, 300))
  return found?.[2] !== undefined && (/^www\./i.test(text) || isKnownSuffix(found[2].toLowerCase()))
}

/** Other URLs can be relative to it. */
export function isBase({ scheme, host }: UrlReading): boolean {
  return host !== '' && SPECIAL.has(scheme)
}

/** The URL that one leads to in a part with this base (§4.4, "relative state"; `..` is left as it stands). */
export function absolute(written: string, { text: base, scheme, pathFrom }: UrlReading): string {
  const text = cleaned(written)
  if (schemeEnd(text) >= 0) return text
  const first = text.charCodeAt(0)
  const second = text.charCodeAt(1)
  const slash = first === SLASH || first === BACKSLASH
  if (slash && (second === SLASH || second === BACKSLASH)) return `${scheme}:${text}`.slice(0, MAX_URL_CHARACTERS)
  const path = /[?#]|$/.exec(base.slice(pathFrom))?.index ?? 0
  let to = pathFrom
  if (first === QUESTION) to += path
  else if (text === '' || first === HASH) to = base.includes('#', pathFrom) ? base.indexOf('#', pathFrom) : base.length
  else if (!slash) to = Math.max(pathFrom, base.lastIndexOf('/', pathFrom + path - 1) + 1)
  const between = !slash && to === pathFrom && first !== QUESTION && first !== HASH && text !== '' ? '/' : ''
  return `${base.slice(0, to)}${between}${text}`.slice(0, MAX_URL_CHARACTERS)
}

/** `base`: what relative URLs of the same part are relative to. */
export function readUrl(written: string, base?: UrlReading): UrlReading {
  const text = base !== undefined && isBase(base) ? absolute(written, base) : cleaned(written)
  const colon = schemeEnd(text)
  const scheme = colon < 0 ? '' : text.slice(0, colon).toLowerCase()
  if (SPECIAL.has(scheme)) {
    let from = colon + 1
    while (text.charCodeAt(from) === SLASH || text.charCodeAt(from) === BACKSLASH) from++
    return readAuthority(text, scheme, { from, to: authorityEnd(text, from, true) })
  }
  if (scheme === 'mailto') return readMailto(text, colon + 1)
  // `example.com:8080/` has no scheme, though it looks like it.
  if (scheme !== '' && !(scheme.includes('.') && beginsLikeHost(text))) {
    if (!text.startsWith('//', colon + 1)) return withoutHost(text, scheme)
    return readAuthority(text, scheme, { from: colon + 3, to: authorityEnd(text, colon + 3, false) })
  }
  const first = text.charCodeAt(0)
  const second = text.charCodeAt(1)
  if ((first === SLASH || first === BACKSLASH) && (second === SLASH || second === BACKSLASH)) {
    return readAuthority(text, 'http', { from: 2, to: authorityEnd(text, 2, true) })
  }
  return beginsLikeHost(text) ? readAuthority(text, 'http', { from: 0, to: authorityEnd(text, 0, true) }) : withoutHost(text, '')
}
