/**
 * Addresses in header fields, read as leniently as mail clients read them
 * (RFC 5322 §3.4 with its obsolete forms, RFC 6532, RFC 2047 in display names):
 * what a rule looks at, never what DMARC stands on (that is message/author.ts).
 * One pass over each value, at most 64 KiB and 200 addresses; what cannot be
 * read as an address is left out. Nothing throws.
 */
import { domainToASCII } from 'node:url'
import { decodeWords } from '../../message/author-words.ts'
import { organizationalDomain } from '../../reputation/organizational-domain.ts'

/** Whose addresses. Header fields by their names; the rest are facts, or names that stand for a domain alone. */
export const HEADER_PARTIES = ['from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'return-path', 'errors-to', 'disposition-notification-to'] as const
export const OTHER_PARTIES = ['envelope', 'recipient', 'dkim', 'helo', 'client', 'message-id'] as const
export const PARTIES = [...HEADER_PARTIES, ...OTHER_PARTIES] as const
export type Party = (typeof PARTIES)[number]

/** Those that stand in the message: none, or as many as are there. Of the others it may not be known. */
export const OF_THE_MESSAGE: ReadonlySet<Party> = new Set([...HEADER_PARTIES, 'message-id'])

const MAX_VALUE_CHARACTERS = 65_536
export const MAX_ADDRESSES = 200
const MAX_NAME_CHARACTERS = 500
const MAX_ADDRESS_CHARACTERS = 320

export class Address {
  /** display name, or the comment that stands for it; '' where there is none */
  readonly name: string
  /** '' for a party that is a domain alone */
  readonly local: string
  /** lower case, A-labels */
  readonly domain: string
  #organization: string | undefined
  #claims: readonly string[] | undefined

  constructor({ name, local, domain }: { readonly name: string; readonly local: string; readonly domain: string }) {
    this.name = name
    this.local = local
    this.domain = domain
  }

  get address(): string {
    return this.local === '' ? this.domain : `${this.local}@${this.domain}`
  }

  /** as registered; the domain itself where nobody registers such names */
  get organization(): string {
    this.#organization ??= organizationalDomain(this.domain) ?? this.domain
    return this.#organization
  }

  /** domains that stand in the display name, in addresses or alone */
  get claims(): readonly string[] {
    this.#claims ??= claimedDomains(this.name)
    return this.#claims
  }

  /** the display name holds a domain of somebody else */
  get impostor(): boolean {
    return this.claims.length > 0 && !this.claims.some((claim) => (organizationalDomain(claim) ?? claim) === this.organization)
  }
}

/** A domain alone; undefined where it is none. */
export function domainAlone(text: string): Address | undefined {
  const domain = normalDomain(text)
  return domain === '' ? undefined : new Address({ name: '', local: '', domain })
}

/** @param value unfolded; bytes as characters (latin1) */
export function readAddresses(value: string): readonly Address[] {
  const reader = new Reader(asUtf8(value.slice(0, MAX_VALUE_CHARACTERS)))
  reader.read()
  return reader.found
}

class Reader {
  readonly found: Address[] = []
  readonly #text: string
  #at = 0
  /** what stands outside of brackets and comments, of the address that is being read */
  #words = ''
  #comment = ''
  #angle: string | undefined
  /** quotes or brackets that nothing closes are no quotes or brackets; they are searched for once */
  #unclosed = ''

  constructor(text: string) {
    this.#text = text
  }

  read(): void {
    for (; this.#at < this.#text.length && this.found.length < MAX_ADDRESSES; this.#at++) {
      const c = this.#text[this.#at] ?? ''
      if (this.#unclosed.includes(c)) continue
      if (c === '"') this.#quotedWords()
      else if (c === '(') this.#comment = this.#bracketed() || this.#comment
      else if (c === '<') this.#angle = this.#inAngle()
      else if (c === ',' || c === ';') this.#finish()
      // The name of a group; within an address a colon belongs to a literal.
      else if (c === ':' && this.#angle === undefined && !this.#words.includes('@')) this.#words = ''
      else this.#words += c
    }
    this.#finish()
  }

  /** A name, or the local part of an address without brackets. */
  #quotedWords(): void {
    const inside = this.#quoted()
    if (this.#text[this.#at + 1] !== '@' || this.#angle !== undefined) {
      this.#words += inside
      return
    }
    const domain = /@[^\s,;<>"]*/y
    domain.lastIndex = this.#at + 1
    this.#angle = inside + (domain.exec(this.#text)?.[0] ?? '')
    this.#at = Math.max(this.#at, domain.lastIndex - 1)
  }

  #quoted(): string {
    const start = this.#at
    let inside = ''
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const c = this.#text[this.#at] ?? ''
      if (c === '"') return inside
      if (c === '\\') this.#at++
      inside += this.#text[this.#at] ?? ''
    }
    return this.#notClosed('"', start)
  }

  #bracketed(): string {
    const start = this.#at
    let depth = 1
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const c = this.#text[this.#at]
      if (c === '\\') this.#at++
      else if (c === '(') depth++
      else if (c === ')' && --depth === 0) return this.#text.slice(start + 1, this.#at)
    }
    return this.#notClosed('(', start)
  }

  /** Goes on behind the sign. */
  #notClosed(sign: string, start: number): string {
    this.#unclosed += sign
    this.#at = start
    return ''
  }

  #inAngle(): string {
    const end = this.#text.indexOf('>', this.#at)
    const inside = this.#text.slice(this.#at + 1, end < 0 ? undefined : end)
    this.#at = end < 0 ? this.#text.length : end
    // RFC 5322 §4.4: a route stands before the colon.
    return inside.startsWith('@') ? inside.slice(inside.indexOf(':') + 1) : inside
  }

  #finish(): void {
    const words = this.#words.trim()
    const bare = this.#angle === undefined
    const written = this.#angle ?? lastWith('@', words)
    const name = bare ? words.slice(0, words.length - written.length).trim() || this.#comment : words || this.#comment
    this.#words = ''
    this.#comment = ''
    this.#angle = undefined
    const at = written.lastIndexOf('@')
    const domain = normalDomain(written.slice(at + 1))
    if (at < 0 || domain === '') return
    const local = written.slice(0, at).trim().replace(/^"(.*)"$/s, '$1')
    this.found.push(new Address({ name: shownName(name), local: local.slice(-MAX_ADDRESS_CHARACTERS), domain }))
  }
}

/** The last word, of its end no more than an address may have; '' where the sign is not in it. */
function lastWith(sign: string, words: string): string {
  const end = words.slice(-MAX_ADDRESS_CHARACTERS)
  const word = end.includes(sign) ? end.split(/\s/).at(-1) ?? '' : ''
  return word.includes(sign) ? word : ''
}

function shownName(name: string): string {
  return decodeWords(name.slice(0, MAX_NAME_CHARACTERS)).replace(/\s+/g, ' ').trim()
}

function normalDomain(text: string): string {
  const domain = text.trim().slice(0, MAX_ADDRESS_CHARACTERS).toLowerCase().replace(/\.$/, '')
  if (/^(?:[a-z0-9._-]*|\[[a-z0-9.:]*\])$/.test(domain)) return domain
  // What is no name, and what is no ASCII and has no A-labels, is nobody's domain.
  return /[^\x00-\x7f]/.test(domain) && !/[\s<>"]/.test(domain) ? domainToASCII(domain) : ''
}

const strict = new TextDecoder('utf-8', { fatal: true })

/** RFC 6532; bytes that are no UTF-8 stay characters. */
function asUtf8(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value
  try {
    return strict.decode(Buffer.from(value, 'latin1'))
  } catch {
    // some older character set that nobody named
    return value
  }
}

/** Labels with dots between them. A domain in them begins where the first word does, or there is none: no other begin is tried, for there may be hundreds. */
const LABELS = /_?[a-z0-9-]+(?:\.[a-z0-9-]+)*/gi
const BEGIN = /\b[a-z0-9]/i
const CLAIM = /[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.([a-z]{2,24})\b/iy
/** Without an @ a dot may be that of an abbreviation (Dr.Strange): only these endings count then, or a country's behind a word in small letters. */
const PLAIN_ENDINGS: ReadonlySet<string> = new Set(['com', 'net', 'org', 'edu', 'gov', 'mil', 'info', 'biz', 'io', 'app', 'dev', 'shop', 'online', 'cloud', 'bank'])

function claimedDomains(name: string): readonly string[] {
  if (!name.includes('.')) return []
  const found = new Set<string>()
  const text = name.replaceAll('\uff20', '@')
  for (const { index, 0: labels } of text.matchAll(LABELS)) {
    const begin = labels.search(BEGIN)
    CLAIM.lastIndex = index + begin
    const [domain, ending] = begin < 0 ? [] : CLAIM.exec(text) ?? []
    if (domain === undefined || ending === undefined) continue
    const hasAt = text[index + begin - 1] === '@'
    const isName = hasAt || PLAIN_ENDINGS.has(ending.toLowerCase()) || (ending.length === 2 && /^[a-z0-9-]{4,}\.[a-z]{2}$/.test(domain))
    // a local part with a dot in it
    if (isName && (hasAt || !name.includes(`${domain}@`))) found.add(domain.toLowerCase())
  }
  return [...found]
}
