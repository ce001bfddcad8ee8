/**
 * The author domains of a message: the domains of the addresses in From
 * (RFC 9989 §5.3.1; RFC 5322 §3.4 and §3.6.2; RFC 6532; RFC 6854).
 *
 * Where the field can be read in one way only, that reading counts, and what
 * display names and comments hold that looks like an address is told beside it
 * (`shown`). Where there is any doubt (two fields, obsolete or broken syntax,
 * an address that is hidden in a quoted string, an encoded word or a comment
 * so that a parser could stumble over it), every domain that any reader of mail
 * might take for the author's is given, and `doubt` says why. Who asks for each
 * of them, and lets the strictest answer count, cannot be led astray (RFC 9989
 * §11.5).
 *
 * `none`: nobody is named who could have a domain: no field, nothing in it,
 * only empty groups, only address literals. `malformed`: there is something
 * that no domain can be read from, or that stands beside the others, or more
 * than the bounds allow; what it shows is not known, and so nothing is to be
 * concluded from a part of it. One pass for each of at most eight readings.
 * Nothing throws.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { readByGrammar } from './author-grammar.ts'
import { decodeWords } from './author-words.ts'

export type AuthorReading =
  | {
      readonly status: 'domains'
      /** lower case, A-labels, each once, in the order in which they stand there; 1 to 10 */
      readonly domains: readonly string[]
      /** as they were read, for the log: text of a stranger; at most 100 */
      readonly addresses: readonly string[]
      /** domains of what looks like an address in a display name or a comment, where they are no authors; at most 10 */
      readonly shown: readonly string[]
      /** why there is more than one way to read it; '' where there is one */
      readonly doubt: string
    }
  | { readonly status: 'none' | 'malformed'; readonly cause: string }

const MAX_BYTES = 64 * 1024
const MAX_ADDRESSES = 100
const MAX_DOMAINS = 10
/** RFC 1035 §2.3.4 */
const MAX_NAME_CHARACTERS = 253
const MAX_LABEL_CHARACTERS = 63
/** What is longer is no domain, whatever is left out of it. */
const MAX_RUN_CHARACTERS = 1024
const MAX_ADDRESS_CHARACTERS = 320

/** @param fields what stands behind the colon of each From field, as bytes or one character a byte; folds may be in it */
export function readAuthors(fields: readonly (Buffer | string)[]): AuthorReading {
  const bytes = fields.reduce((sum, { length }) => sum + length, 0)
  if (bytes > MAX_BYTES) return malformed(`From has ${bytes} bytes; at most ${MAX_BYTES} are read`)
  const values = fields.map((field) => (typeof field === 'string' ? Buffer.from(field, 'latin1') : field))
  if (values.every((value) => /^[ \t\r\n]*$/.test(value.toString('latin1')))) return { status: 'none', cause: fields.length === 0 ? 'there is no From field' : 'From is empty' }
  const doubt = fields.length > 1 ? `there are ${fields.length} From fields` : values.every(isUtf8) ? '' : 'From is not valid UTF-8'
  if (doubt !== '') return everyReading(values, doubt)
  return plainReading(utf8(values[0] ?? Buffer.alloc(0))) ?? everyReading(values, 'From can be read in several ways')
}

function malformed(cause: string): AuthorReading {
  return { status: 'malformed', cause }
}

function utf8(value: Buffer): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(value)
}

function isUtf8(value: Buffer): boolean {
  return Buffer.from(utf8(value)).equals(value)
}

const SYNTAX = /[<>,;:"\\[\]\x00-\x1f\x7f-\x9f\ufffd]/

/** Null where it does not hold that all readers see the same. */
function plainReading(value: string): AuthorReading | null {
  const reading = readByGrammar(value.replace(/\r?\n$/, ''))
  if (reading === null) return null
  const names = reading.names.map(asShown)
  const comments = reading.comments.map(asShown)
  // Parsers that decode before they parse, or lose count of quotes and brackets, take such things for syntax.
  if (names.some((text) => text.includes('@') && SYNTAX.test(text)) || comments.some((text) => text.includes('@') && (SYNTAX.test(text) || /[()]/.test(text)))) return null
  if (reading.mailboxes.some(({ localPart }) => SYNTAX.test(asShown(localPart)) || asShown(localPart).includes('@'))) return null
  const found = new Found()
  for (const { localPart, domain } of reading.mailboxes) {
    if (domain.startsWith('[')) {
      if (!isLiteral(domain)) return null
      found.literals++
    } else {
      const named = nameOf(domain)
      if (named.kind !== 'domain') return null
      found.domains.add(named.name)
    }
    found.address(localPart, domain)
  }
  const shown = new Set([...names, ...comments].flatMap((text) => mentioned(text)).filter((domain) => !found.domains.has(domain)))
  return found.reading([...shown].slice(0, MAX_DOMAINS), '')
}

/** What a client may show: encoded words decoded, and the signs that look like an @. */
function asShown(text: string): string {
  return decodeWords(text).replace(/[\uff20\ufe6b]/g, '@')
}

function mentioned(text: string): readonly string[] {
  return signsIn(text).flatMap((at) => {
    const named = nameOf(run(text, at + 1, { comments: NO_COMMENTS, joins: ADJACENT }))
    return named.kind === 'domain' ? [named.name] : []
  })
}

function everyReading(values: readonly Buffer[], doubt: string): AuthorReading {
  const found = new Found()
  for (const value of values) {
    for (const text of withShown(utf8(value))) found.readAll(text)
    // Bytes that are no UTF-8 are Latin-1 to some; what is no name in it is one less way to be seen.
    if (!isUtf8(value)) for (const text of withShown(value.toString('latin1'))) found.readAll(text, false)
  }
  return found.reading([], doubt)
}

function withShown(text: string): ReadonlySet<string> {
  return new Set([text, asShown(text)])
}

class Found {
  readonly domains = new Set<string>()
  readonly #addresses = new Set<string>()
  literals = 0
  #unreadable: string | undefined
  #tooMany = false

  address(localPart: string, domain: string): void {
    this.#addresses.add(`${localPart}@${domain}`.slice(0, MAX_ADDRESS_CHARACTERS))
  }

  /** Every @ may be that of an address, wherever it stands. */
  readAll(text: string, strict = true): void {
    const signs = signsIn(text)
    if (signs.length > MAX_ADDRESSES) this.#tooMany = true
    const comments = commentEnds(text)
    for (const at of signs.slice(0, MAX_ADDRESSES)) {
      const unreadable = this.#readSign(text, at, comments)
      if (strict) this.#unreadable ??= unreadable
    }
  }

  /** @returns what stands there, where it is no domain however one looks at it */
  #readSign(text: string, at: number, comments: ReadonlyMap<number, number>): string | undefined {
    const literal = literalBehind(text, at + 1)
    if (literal !== null) {
      this.literals++
      this.address(localPartBefore(text, at), literal)
      return undefined
    }
    const start = at + 1 + (/^\s*\[/.exec(text.slice(at + 1, at + 100))?.[0].length ?? 0)
    const names = [...new Set(JOINS.map((joins) => run(text, start, { comments, joins })))].filter((name) => name !== '')
    const [first] = names
    if (first === undefined) return undefined
    this.address(localPartBefore(text, at), first)
    const readings = names.flatMap((name) => readingsOf(name))
    for (const reading of readings) {
      if (reading.kind === 'domain') this.domains.add(reading.name)
      else this.literals++
    }
    return readings.length === 0 ? first : undefined
  }

  reading(shown: readonly string[], doubt: string): AuthorReading {
    if (this.#tooMany || this.#addresses.size > MAX_ADDRESSES) return malformed(`From holds more than ${MAX_ADDRESSES} addresses`)
    // Beside a domain that proves itself there could stand one that nobody can ask about.
    if (this.#unreadable !== undefined) return malformed(`From names "${this.#unreadable.slice(0, MAX_LABEL_CHARACTERS)}", which is no domain`)
    if (this.domains.size > MAX_DOMAINS) return malformed(`From names ${this.domains.size} domains; at most ${MAX_DOMAINS} are asked about`)
    if (this.domains.size > 0) return { status: 'domains', domains: [...this.domains], addresses: [...this.#addresses], shown, doubt }
    if (this.literals > 0) return { status: 'none', cause: 'From names an address literal and no domain' }
    return doubt === '' ? { status: 'none', cause: 'From names nobody: its groups are empty' } : malformed('From holds no address')
  }
}

function signsIn(text: string): readonly number[] {
  const signs: number[] = []
  for (let at = text.indexOf('@'); at >= 0 && signs.length <= MAX_ADDRESSES; at = text.indexOf('@', at + 1)) signs.push(at)
  return signs
}

const NO_COMMENTS: ReadonlyMap<number, number> = new Map()

/** Where each comment ends (RFC 5322 §3.2.2), without regard to quotes: whether one is open may be in doubt. */
function commentEnds(text: string): ReadonlyMap<number, number> {
  const ends = new Map<number, number>()
  const open: number[] = []
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '\\') i++
    else if (c === '(') open.push(i)
    else if (c === ')') {
      const start = open.pop()
      if (start !== undefined) ends.set(start, i)
    }
  }
  return ends
}

interface Gap {
  readonly end: number
  readonly kinds: ReadonlySet<'blank' | 'fold' | 'comment' | 'odd'>
}

/** Whether a reader might go on with the name behind a gap. */
type Joins = (kinds: Gap['kinds'], byDot: boolean) => boolean

const ADJACENT: Joins = () => false

/** Each is a way in which parsers differ; the first is the plainest. */
const JOINS: readonly Joins[] = [
  ADJACENT,
  // RFC 5322 §4.4, obs-domain: blanks and comments around the dots
  (kinds, byDot) => byDot && !kinds.has('odd'),
  // a fold that is taken out with its blanks
  (kinds) => kinds.has('fold') && kinds.size === 1,
  // comments taken out, and what should not be there skipped
  (kinds) => !kinds.has('blank') && !kinds.has('fold'),
  // all blanks taken out
  () => true,
]

/** The name that begins behind an @, as one kind of reader sees it. */
function run(text: string, start: number, { comments, joins }: { readonly comments: ReadonlyMap<number, number>; readonly joins: Joins }): string {
  let name = ''
  let at = start
  while (name.length <= MAX_RUN_CHARACTERS) {
    const gap = gapAt(text, at, comments)
    const end = nameEnd(text, gap.end)
    if (end === gap.end) break
    if (name !== '' && !joins(gap.kinds, name.endsWith('.') || text[gap.end] === '.')) break
    name += text.slice(gap.end, end)
    at = end
  }
  return name
}

/** Letters, digits, hyphens, dots, underscores, and everything beyond ASCII that is not blank. */
function nameEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && isNameCharacter(text[at] ?? '')) at++
  return at
}

function isNameCharacter(c: string): boolean {
  return c < '\x80' ? /[A-Za-z0-9._-]/.test(c) : c >= '\xa0' && c !== '\ufffd' && !/\s/.test(c)
}

function gapAt(text: string, start: number, comments: ReadonlyMap<number, number>): Gap {
  const kinds = new Set<'blank' | 'fold' | 'comment' | 'odd'>()
  let at = start
  for (; at < text.length; at++) {
    const c = text[at] ?? ''
    const comment = comments.get(at)
    if (comment !== undefined) {
      kinds.add('comment')
      at = comment
    } else if (c === '\r' || c === '\n') {
      kinds.add('fold')
      // the blanks that make it a fold are part of it
      while (/[\s]/.test(text[at + 1] ?? '')) at++
    } else if (/\s/.test(c)) kinds.add('blank')
    // control characters, quotes, backslashes, and what stands in atoms but not in names
    else if (!isNameCharacter(c) && !/[<>@,:;[\])]/.test(c)) kinds.add('odd')
    else break
  }
  return { end: at, kinds }
}

/** RFC 5322 §3.4.1 */
function literalBehind(text: string, start: number): string | null {
  const match = /^\s*(\[[^\]]{1,60}\])/.exec(text.slice(start, start + 100))
  return match?.[1] !== undefined && isLiteral(match[1]) ? match[1] : null
}

function isLiteral(text: string): boolean {
  const inside = text.slice(1, -1).trim()
  return isIPv4(inside) || isIPv6(inside.replace(/^IPv6:/i, ''))
}

function localPartBefore(text: string, at: number): string {
  return /[^\s<>@,:;()[\]"\\\x00-\x1f\x7f]{0,255}$/.exec(text.slice(Math.max(0, at - 255), at))?.[0] ?? ''
}

type Named = { readonly kind: 'domain'; readonly name: string } | { readonly kind: 'literal' } | { readonly kind: 'unreadable' }

/** A name as it is; where it is none, what is left of it without what does not belong there. */
function readingsOf(name: string): readonly Exclude<Named, { kind: 'unreadable' }>[] {
  const whole = nameOf(name)
  if (whole.kind !== 'unreadable') return [whole]
  const parts = [name.replace(/[\p{C}\p{Z}]/gu, ''), /^[\x00-\x7f]*/.exec(name)?.[0] ?? '']
  return parts.map(nameOf).filter((one) => one.kind !== 'unreadable')
}

/** RFC 9989 §5.3.1, RFC 5890 §2.3.2.1: U-labels become A-labels. Dots too many are left out. */
function nameOf(text: string): Named {
  if (text.length > MAX_RUN_CHARACTERS) return { kind: 'unreadable' }
  // Names in ASCII do not pass domainToASCII: it reads the hosts of URLs, where 1.2 is 1.0.0.2.
  const ascii = /[^\x00-\x7f]/.test(text) ? domainToASCII(text) : text.toLowerCase()
  const labels = ascii.split('.').filter((label) => label !== '')
  const name = labels.join('.')
  if (name.length > MAX_NAME_CHARACTERS || !labels.every((label) => label.length <= MAX_LABEL_CHARACTERS && /^[a-z0-9_-]+$/.test(label))) return { kind: 'unreadable' }
  const last = labels.at(-1)
  if (last === undefined) return { kind: 'unreadable' }
  // RFC 1123 §2.1: no top-level domain is a number, so this is an address without its brackets.
  return /^\d+$/.test(last) ? { kind: 'literal' } : { kind: 'domain', name }
}
