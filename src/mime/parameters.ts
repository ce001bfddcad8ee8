/**
 * The value of Content-Type and Content-Disposition: a word, and parameters
 * behind it (RFC 2045 §5.1), continued and in character sets (RFC 2231), or with
 * encoded words where they must not be. Written wrongly in all the ways that
 * mail programs put up with: without semicolons or quotes, with blanks around
 * `=` and in values, with quotes that do not end. Of parameters of one name the
 * first counts. Nothing throws; `fault` says that something had to be guessed.
 */
import { charsetText } from './charset-text.ts'
import { fieldText } from './encoded-words.ts'
import { unescaped } from './escapes.ts'

const PERCENT = 0x25
const SEMICOLON = 0x3b
const COMMA = 0x2c
/** More parameters than any field has. */
const MAX_PARAMETERS = 100

export interface ValueReading {
  /** lower case, without blanks and comments: `text/plain`, `attachment`; '' where there is none */
  readonly word: string
  readonly parameters: ReadonlyMap<string, string>
  /** of each parameter that is not continued: as it stands, with its quotes */
  readonly spelled: ReadonlyMap<string, string>
  readonly fault: boolean
}

/** Values that were read, between messages: the same few come with nearly each. */
let known = new Map<string, ValueReading>()
const MAX_KNOWN = 256
/** Longer ones have a boundary or the name of a file in them, and come once. */
const MAX_KNOWN_CHARACTERS = 56

/** `raw`: unfolded, a byte a character. */
export function readValue(raw: string): ValueReading {
  if (raw.length > MAX_KNOWN_CHARACTERS) return new ValueScanner(raw).read()
  const found = known.get(raw)
  if (found !== undefined) return found
  // A piece of a string keeps all of it: the header that this one was cut from.
  const copy = Buffer.from(raw).toString()
  const reading = new ValueScanner(copy).read()
  if (known.size >= MAX_KNOWN) known = new Map()
  known.set(copy, reading)
  return reading
}

interface Segment {
  readonly value: string
  readonly extended: boolean
}

const TOKEN = /["']?([^\s;/()"=,]+?)["']?(?=[\s;/()"=,]|$)/y
const NAME = /([^\s=;("]+)\s*=\s*/y
/** a name where there is no value, or what is none at all */
const JUNK = /[^;]+/y
/** Larger numbers of a piece are none. */
const MAX_INDEX_DIGITS = 9
const NEXT_PARAMETER = /\s+(?:[\w!#$%&*+.^`|~-]+\s*=|\()/y

class ValueScanner {
  private readonly raw: string
  private at = 0
  private fault = false
  private comments = true
  private readonly segments = new Map<string, Map<number, Segment>>()
  private readonly plain = new Map<string, string>()
  private readonly spelled = new Map<string, string>()

  constructor(raw: string) {
    this.raw = raw
  }

  read(): ValueReading {
    this.skipComments()
    const word = this.word()
    for (let count = 0; this.at < this.raw.length && count < MAX_PARAMETERS; count++) this.parameter()
    if (this.at < this.raw.length) this.fault = true
    return { word, parameters: this.decoded(), spelled: this.spelled, fault: this.fault }
  }

  private word(): string {
    const start = this.at
    const word = this.match(TOKEN)?.[1]
    this.skipComments()
    // `name=x` without a word in front
    if (word === undefined || this.raw[this.at] === '=') {
      this.at = start
      return ''
    }
    if (this.raw[this.at] !== '/') return word.toLowerCase()
    const slash = this.at++
    this.skipComments()
    const second = this.match(TOKEN)?.[1]
    if (second === undefined) this.at = slash
    return (second === undefined ? word : `${word}/${second}`).toLowerCase()
  }

  private parameter(): void {
    do this.skipComments()
    while (this.skipSeparators())
    if (this.at >= this.raw.length) return
    const name = this.match(NAME)?.[1]?.toLowerCase()
    if (name === undefined) {
      this.fault = true
      // A quote or bracket may stand where a name should.
      if (this.match(JUNK) === null) this.at++
      return
    }
    const start = this.at
    const value = this.raw[this.at] === '"' ? this.quoted() : this.unquoted(name)
    if (!this.addPiece(name, value) && !this.plain.has(name)) {
      this.plain.set(name, value)
      this.spelled.set(name, this.raw.slice(start, this.at).trim())
    }
  }

  private quoted(): string {
    let value = ''
    let from = this.at + 1
    for (let at = from; at < this.raw.length; at++) {
      const c = this.raw[at]
      if (c === '"') {
        this.at = at + 1
        return value + this.raw.slice(from, at)
      }
      // Only these two need it; in file names it is the backslash of a path.
      if (c === '\\' && (this.raw[at + 1] === '"' || this.raw[at + 1] === '\\')) {
        value += this.raw.slice(from, at)
        from = at + 1
        at++
      }
    }
    this.fault = true
    this.at++
    return this.unquoted('')
  }

  /** Up to the semicolon, less what looks like a comment or another parameter. */
  private unquoted(name: string): string {
    const start = this.at
    while (this.at < this.raw.length && this.raw.charCodeAt(this.at) !== SEMICOLON && !this.isBlankAt(this.at)) this.at++
    if (this.at >= this.raw.length || this.raw[this.at] === ';') return this.raw.slice(start, this.at)
    NEXT_PARAMETER.lastIndex = this.at
    if (NEXT_PARAMETER.test(this.raw)) return this.raw.slice(start, this.at)
    const semicolon = this.raw.indexOf(';', this.at)
    const end = semicolon < 0 ? this.raw.length : semicolon
    this.at = end
    if (name !== 'filename' && name !== 'name') this.fault = true
    return this.raw.slice(start, end).trim()
  }

  /** And blanks. */
  private skipComments(): void {
    this.skipBlanks()
    while (this.raw[this.at] === '(') {
      const end = this.comments ? commentEnd(this.raw, this.at) : -1
      // What does not end is none, and is not looked for again.
      this.comments = end >= 0
      this.at = end < 0 ? this.at + 1 : end
      this.skipBlanks()
    }
  }

  private isBlankAt(at: number): boolean {
    const code = this.raw.charCodeAt(at)
    return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0
  }

  private skipBlanks(): void {
    while (this.isBlankAt(this.at)) this.at++
  }

  /** Whether there were some. */
  private skipSeparators(): boolean {
    const from = this.at
    for (; this.at < this.raw.length; this.at++) {
      const code = this.raw.charCodeAt(this.at)
      if (code !== SEMICOLON && code !== COMMA && !this.isBlankAt(this.at)) break
    }
    return this.at > from
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.raw)
    if (match !== null) this.at = pattern.lastIndex
    return match
  }

  /** RFC 2231: `name*`, `name*0`, `name*0*`; false: it is none of them */
  private addPiece(name: string, value: string): boolean {
    const star = name.indexOf('*')
    const index = star > 0 ? pieceIndex(name, star) : -1
    if (index < 0) return false
    const base = name.slice(0, star)
    let segments = this.segments.get(base)
    if (segments === undefined) this.segments.set(base, segments = new Map<number, Segment>())
    if (!segments.has(index)) segments.set(index, { value, extended: name.endsWith('*') })
    return true
  }

  private decoded(): Map<string, string> {
    const parameters = new Map<string, string>()
    for (const [name, value] of this.plain) parameters.set(name, fieldText(value))
    for (const [name, segments] of this.segments) parameters.set(name, joined(segments))
    return parameters
  }
}

/** What stands between the stars, or behind the only one; -1: no number. */
function pieceIndex(name: string, star: number): number {
  if (star === name.length - 1) return 0
  const end = name.endsWith('*') ? name.length - 1 : name.length
  let index = 0
  for (let at = star + 1; at < end; at++) {
    const digit = name.charCodeAt(at) - 0x30
    if (!(digit >= 0 && digit <= 9)) return -1
    index = index * 10 + digit
  }
  return end > star + 1 && end - star - 1 <= MAX_INDEX_DIGITS ? index : -1
}

/** RFC 2231 §3, §4: the segments in their order (some may be missing); the charset stands in the first that has one. */
function joined(segments: ReadonlyMap<number, Segment>): string {
  let charset: string | undefined
  let binary = ''
  for (const [, segment] of [...segments].sort(([one], [other]) => one - other)) {
    let { value } = segment
    if (segment.extended && charset === undefined) {
      const match = /^([^']*)'[^']*'/.exec(value)
      charset = match?.[1]?.toLowerCase() ?? ''
      value = value.slice(match?.[0].length ?? 0)
    }
    binary += segment.extended ? unescaped(value, PERCENT) : value
  }
  if (charset === undefined || charset === '') return fieldText(binary)
  return charsetText(Buffer.from(binary, 'latin1'), charset).text
}

/** Behind the comment that begins at `from` (RFC 5322 §3.2.2); -1 where it does not end. */
function commentEnd(raw: string, from: number): number {
  let depth = 0
  for (let at = from; at < raw.length; at++) {
    const c = raw[at]
    if (c === '\\') at++
    else if (c === '(') depth++
    else if (c === ')' && --depth === 0) return at + 1
  }
  return -1
}
