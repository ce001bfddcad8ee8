/**
 * Parses paths, mailboxes and domains (RFC 5321 §4.1.2, RFC 6531 §3.3).
 *
 * Input is a binary string (one character a byte). What real clients send is
 * taken where it is not ambiguous: a space after the colon, a missing pair of
 * angle brackets, odd dots in a local part. The result is a path or a sentence
 * that says what is wrong; nothing throws.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import type { Domain, Mailbox, Path } from './envelope.ts'

export type PathResult =
  | { readonly status: 'ok'; readonly path: Path; /** index behind the path */ readonly end: number }
  | { readonly status: 'malformed'; readonly why: string }

const NULL_PATH: Path = { wire: '<>', mailbox: null }
const MAX_DOMAIN_BYTES = 255
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Parses a path at `start`; behind it stands a space or the end. */
export function parsePath(text: string, start: number): PathResult {
  let at = start
  while (text[at] === ' ') at++
  if (text[at] !== '<') return parseBarePath(text, at)
  const close = findClose(text, at + 1)
  if (close < 0) return malformed('the address is not closed by >')
  const end = close + 1
  if (end < text.length && text[end] !== ' ') return malformed('a space must follow the address')
  const inside = text.slice(at + 1, close)
  if (inside === '') return { status: 'ok', path: NULL_PATH, end }
  return finish(withoutSourceRoute(inside), end)
}

/** A domain name or address literal in its canonical form; null where it is neither. */
export function parseDomain(text: string): Domain | null {
  if (text.length === 0 || text.length > MAX_DOMAIN_BYTES) return null
  if (text.startsWith('[')) return parseLiteral(text)
  let name = text
  if (/[^\x00-\x7f]/.test(text)) {
    // domainToASCII stops at the / ? # and \ of a URL and leaves out tabs: what it did not see would go on to the next hop.
    const unicode = /^[A-Za-z0-9_.\x80-\xff-]+$/.test(text) ? decodeUtf8(text) : null
    name = unicode === null ? '' : domainToASCII(unicode)
  }
  // Underscores are not in the RFC's grammar but in many a host's name.
  if (!/^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/.test(name)) return null
  return name.toLowerCase() as Domain
}

function parseBarePath(text: string, at: number): PathResult {
  const space = text.indexOf(' ', at)
  const end = space < 0 ? text.length : space
  const inside = text.slice(at, end)
  if (inside === '' || inside.includes('"') || inside.includes('>')) return malformed('the address stands between < and >')
  return finish(inside, end)
}

function finish(address: string, end: number): PathResult {
  const mailbox = parseMailbox(address)
  if (typeof mailbox === 'string') return malformed(mailbox)
  return { status: 'ok', path: { wire: `<${address}>`, mailbox }, end }
}

/** The `>` that closes the path: one in a quoted string is text. */
function findClose(text: string, from: number): number {
  let quoted = false
  for (let i = from; i < text.length; i++) {
    const c = text[i]
    if (quoted && c === '\\') i++
    else if (c === '"') quoted = !quoted
    else if (c === '>' && !quoted) return i
  }
  return -1
}

/** RFC 5321 §3.6.1, appendix C: `@a,@b:user@host` is taken as `user@host`. */
function withoutSourceRoute(inside: string): string {
  if (!inside.startsWith('@')) return inside
  const colon = inside.indexOf(':')
  return colon < 0 ? inside : inside.slice(colon + 1)
}

function parseMailbox(address: string): Mailbox | string {
  // RFC 5321 §4.5.1: postmaster is reachable without a domain.
  if (address.toLowerCase() === 'postmaster') return { localPart: 'postmaster', domain: '' as Domain }
  const at = localPartEnd(address)
  if (at < 0) return 'the local part is malformed'
  if (address[at] !== '@') return 'an address has the form user@domain'
  if (at === 0) return 'the local part is empty'
  const domain = parseDomain(address.slice(at + 1))
  if (domain === null) return 'the domain is malformed'
  const local = decodeUtf8(unquote(address.slice(0, at)))
  if (local === null) return 'the address is not valid UTF-8'
  return { localPart: local, domain }
}

/** Index behind the local part: a quoted string or a run of atext and dots (RFC 6531: and UTF-8). -1 where malformed. */
function localPartEnd(address: string): number {
  if (address.startsWith('"')) {
    for (let i = 1; i < address.length; i++) {
      if (address[i] === '\\') i++
      else if (address[i] === '"') return i + 1
    }
    return -1
  }
  const run = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\x80-\xff]*/.exec(address)
  return run === null ? -1 : run[0].length
}

function unquote(local: string): string {
  if (!local.startsWith('"')) return local
  return local.slice(1, -1).replace(/\\(.)/g, '$1')
}

/** RFC 5321 §4.1.3 */
function parseLiteral(text: string): Domain | null {
  if (!text.endsWith(']')) return null
  const inside = text.slice(1, -1)
  const valid = /^IPv6:/i.test(inside) ? isIPv6(inside.slice(5)) && !inside.includes('%') : isIPv4(inside)
  return valid ? (text.toLowerCase() as Domain) : null
}

function decodeUtf8(binary: string): string | null {
  if (!/[^\x00-\x7f]/.test(binary)) return binary
  try {
    return decoder.decode(Buffer.from(binary, 'latin1'))
  } catch {
    return null
  }
}

function malformed(why: string): PathResult {
  return { status: 'malformed', why }
}
