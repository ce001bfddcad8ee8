/**
 * Reads the attributes of XCLIENT and XFORWARD (Postfix's XCLIENT_README and
 * XFORWARD_README): `NAME=value …` in xtext (RFC 3461 §4), `[UNAVAILABLE]` and
 * `[TEMPUNAVAIL]` for what is not known. Who may send them is the session's
 * business.
 */
import { isIP } from 'node:net'
import { plain } from './proxy-protocol.ts'
import { decodeXtext } from './xtext.ts'

export const XCLIENT_ATTRIBUTES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'DESTADDR', 'DESTPORT'] as const
export const XFORWARD_ATTRIBUTES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'IDENT', 'SOURCE'] as const

/** decoded values; undefined for an attribute that is not available */
export type Attributes = ReadonlyMap<string, string | undefined>

export type AttributesResult =
  | { readonly status: 'ok'; readonly attributes: Attributes }
  | { readonly status: 'malformed'; readonly at: string }

const MAX_VALUE_BYTES = 255

export function parseAttributes(text: string, known: readonly string[]): AttributesResult {
  const attributes = new Map<string, string | undefined>()
  for (const word of text.split(/ +/)) {
    const equals = word.indexOf('=')
    const name = word.slice(0, Math.max(equals, 0)).toUpperCase()
    if (!known.includes(name)) return { status: 'malformed', at: printable(word) }
    const value = decodeXtext(word.slice(equals + 1))
    if (value === undefined || !valid(name, value)) return { status: 'malformed', at: name }
    attributes.set(name, isUnavailable(value) ? undefined : canonical(name, value))
  }
  return { status: 'ok', attributes }
}

function isUnavailable(value: string): boolean {
  return value === '' || /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value)
}

function valid(name: string, value: string): boolean {
  if (value.length > MAX_VALUE_BYTES) return false
  if (isUnavailable(value)) return true
  // These values end in log lines and Received fields.
  if (/[\x00-\x20\x7f]/.test(value) && name !== 'LOGIN') return false
  switch (name) {
    case 'ADDR':
    case 'DESTADDR':
      return isIP(withoutTag(value)) !== 0 && !value.includes('%')
    case 'PORT':
    case 'DESTPORT':
      return /^\d{1,5}$/.test(value) && Number(value) <= 65535
    case 'PROTO':
      return /^(?:E?SMTP|LMTP)$/i.test(value)
    case 'SOURCE':
      return /^(?:LOCAL|REMOTE)$/i.test(value)
    default:
      return !/[\x00-\x1f\x7f]/.test(value)
  }
}

function canonical(name: string, value: string): string {
  if (name === 'ADDR' || name === 'DESTADDR') return plain(withoutTag(value))
  return name === 'PROTO' || name === 'SOURCE' ? value.toUpperCase() : value
}

/** `IPV6:` stands before an IPv6 address. */
function withoutTag(address: string): string {
  return /^ipv6:/i.test(address) ? address.slice(5) : address
}

function printable(word: string): string {
  return word.replace(/[^\x21-\x7e]/g, '?').slice(0, 40)
}
