/**
 * What lists of hashes are asked for (an address, a URL or a domain), in the
 * one spelling that is hashed, and the hash as one label of a name.
 *
 * - email: without space around it, in lower case, the domain as A-labels; what
 *   follows the first `+` of the local part is left out; `googlemail.com` is
 *   `gmail.com`, whose local parts have no dots. So the operators of the known
 *   lists of addresses write it too.
 * - url: host in lower case, the port where it is not the scheme's own, path and
 *   query as they stand; no user, no fragment, no `/` that is alone at the end
 *   of the host; scheme and query only where the list wants them.
 * - domain: lower case, A-labels, no dot at the end, as links have it.
 *
 * Undefined where the text is no such thing. Pure, linear; nothing throws.
 */
import { createHash } from 'node:crypto'
import { domainToASCII } from 'node:url'
import { normalName } from '../dns/name.ts'

export interface HashForm {
  readonly algorithm: 'md5' | 'sha1' | 'sha256'
  /** base32: RFC 4648 §6, without padding */
  readonly encoding: 'hex' | 'base32'
}

export interface UrlForm {
  /** with `https://`; false */
  readonly scheme?: boolean
  /** true */
  readonly query?: boolean
  /** asked for in lower case too, where that is another; false */
  readonly lowerCase?: boolean
}

/** What of a link its URL is made from. */
export interface HashedLink {
  readonly url: string
  readonly scheme: string
  readonly host: string
  readonly port: number | undefined
}

const MAX_ADDRESS_CHARACTERS = 320
/** Links are cut there. */
const MAX_URL_CHARACTERS = 2048
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

export function hashLabel(text: string, { algorithm, encoding }: HashForm): string {
  const digest = createHash(algorithm).update(text).digest()
  return encoding === 'hex' ? digest.toString('hex') : base32(digest)
}

/** Why no label can hold such a hash; undefined where one can. */
export function hashFormProblem({ algorithm, encoding }: HashForm): string | undefined {
  return algorithm === 'sha256' && encoding === 'hex' ? 'a SHA-256 has 64 hexadecimal digits, and a label of a name holds 63 characters: such lists use base32' : undefined
}

function base32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((held >> (bits - 5)) & 31)
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (5 - bits)) & 31)
}

/** The address in lower case, its domain as A-labels. */
export function plainAddress(text: string): string | undefined {
  const address = text.trim()
  const at = address.lastIndexOf('@')
  if (at < 1 || address.length > MAX_ADDRESS_CHARACTERS || /[\s\x00-\x1f\x7f<>]/.test(address)) return undefined
  const name = address.slice(at + 1)
  const domain = normalName(/[^\x00-\x7f]/.test(name) ? domainToASCII(name) : name)
  return domain?.includes('.') === true ? `${address.slice(0, at).toLowerCase()}@${domain}` : undefined
}

/** The address as it is hashed. */
export function canonicalAddress(text: string): string | undefined {
  const plain = plainAddress(text)
  if (plain === undefined) return undefined
  const at = plain.lastIndexOf('@')
  const domain = plain.slice(at + 1)
  const plus = plain.indexOf('+')
  // One that begins with it has no other name.
  const user = plain.slice(0, plus > 0 && plus < at ? plus : at)
  if (domain !== 'gmail.com' && domain !== 'googlemail.com') return `${user}@${domain}`
  const letters = user.replaceAll('.', '')
  return letters === '' ? undefined : `${letters}@gmail.com`
}

/** The URL as it is hashed: one spelling, or two. */
export function canonicalUrls({ url, scheme, host, port }: HashedLink, form: UrlForm = {}): readonly string[] {
  if ((scheme !== 'http' && scheme !== 'https') || host === '' || url.length >= MAX_URL_CHARACTERS) return []
  const rest = url.replace(/^[a-z][a-z0-9+.-]*:(?=[/\\])/i, '').replace(/^[/\\]+/, '')
  const start = rest.search(/[/?#\\]/)
  const [tail = ''] = (start < 0 ? '' : rest.slice(start)).split('#', 1)
  const question = tail.indexOf('?')
  const behind = form.query === false && question >= 0 ? tail.slice(0, question) : tail
  const ownPort = scheme === 'https' ? 443 : 80
  const authority = `${host.includes(':') ? `[${host}]` : host}${port === undefined || port === ownPort ? '' : `:${port}`}`
  const made = `${form.scheme === true ? `${scheme}://` : ''}${authority}${behind === '/' ? '' : behind}`
  const lower = made.toLowerCase()
  return form.lowerCase === true && lower !== made ? [made, lower] : [made]
}

/** The addresses of a `mailto:` link (RFC 6068 §2), at most 10. */
export function mailtoAddresses(url: string): readonly string[] {
  const [list = ''] = url.slice('mailto:'.length).split('?', 1)
  return list.split(',', 10).map((one) => plainAddress(decoded(one))).filter((one) => one !== undefined)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
