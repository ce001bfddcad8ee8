/**
 * A host of a URL as browsers read it (WHATWG URL §3.5): percent-encoding,
 * IPv4 in any base, IPv6, IDNA (UTS 46). What a browser refuses has no host.
 * What is known of a host is remembered between messages, in a bounded table:
 * the result depends on the host alone.
 */
import { isIP } from 'node:net'
import { domainToASCII, domainToUnicode } from 'node:url'
import { organizationalDomain } from '../../../reputation/organizational-domain.ts'
import { MAX_HOST_CHARACTERS, MAX_HOSTS_REMEMBERED } from '../bounds.ts'
import { looksAlike } from './look-alike.ts'
import { isShortener } from './shorteners.ts'

export interface Host {
  /** lower case, A-labels, no final dot, no brackets; '' where there is none */
  readonly host: string
  readonly domain: string
  readonly unicodeHost: string | undefined
  readonly address: boolean
  readonly shortener: boolean
  readonly lookAlike: boolean
}

export const NO_HOST: Host = { host: '', domain: '', unicodeHost: undefined, address: false, shortener: false, lookAlike: false }

let remembered = new Map<string, Host>()

/** A name that nothing has to be done to: lower case letters, digits, hyphens, dots and underscores, and no number at its end. */
const SIMPLE = /^[a-z0-9](?:[a-z0-9_.-]*[a-z0-9_-])?$/

function lastLabelIsNumber(host: string): boolean {
  const code = host.charCodeAt(host.lastIndexOf('.') + 1)
  return code >= 48 && code <= 57
}

function percentDecoded(host: string): string {
  if (!host.includes('%')) return host
  const bytes = Buffer.from(host, 'utf8').toString('latin1').replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** '' where a browser goes nowhere. */
function canonical(written: string): string {
  if (SIMPLE.test(written) && !lastLabelIsNumber(written)) return written
  if (written.startsWith('[')) {
    const bare = written.slice(1, -1)
    return written.endsWith(']') && isIP(bare) === 6 ? domainToASCII(written).slice(1, -1) : ''
  }
  // domainToASCII reads numbers as the URL Standard does, and gives '' for what is no host.
  const ascii = domainToASCII(percentDecoded(written))
  let end = ascii.length
  while (end > 0 && ascii.charCodeAt(end - 1) === 46) end--
  return ascii.slice(0, end)
}

function examine(host: string): Host {
  if (host === '' || host.length > MAX_HOST_CHARACTERS) return NO_HOST
  if (isIP(host) !== 0) return { ...NO_HOST, host, domain: host, address: true }
  const domain = organizationalDomain(host) ?? host
  const unicode = host.includes('xn--') ? domainToUnicode(host) : ''
  const unicodeHost = unicode === '' || unicode === host ? undefined : unicode
  return { host, domain, unicodeHost, address: false, shortener: isShortener(host), lookAlike: unicodeHost !== undefined && looksAlike(unicodeHost) }
}

/** `written`: between `//` (or `@`) and the port. */
export function readHost(written: string): Host {
  const found = remembered.get(written)
  if (found !== undefined) return found
  if (written.length > MAX_HOST_CHARACTERS * 3) return NO_HOST
  const host = examine(canonical(written))
  // All at once rather than the oldest: it is rare, and costs nothing in between.
  if (remembered.size >= MAX_HOSTS_REMEMBERED) remembered = new Map()
  remembered.set(written, host)
  return host
}
