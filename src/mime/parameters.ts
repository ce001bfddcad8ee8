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

/** `raw`: unfolded, a byte a character. */
export function readValue(raw: string): ValueReading {
  return new ValueScanner(raw).read()
}

interface Segment {
  readonly value: string
  readonly extended: boolean
}

const WORD = /[ \t]*([^\s;/()"=,]+)(?:[ \t]*\/[ \t]*([^\s;/()"=,]+))?/y
const SEPARATORS = /[;,\s]+/y
const NAME = /([^\s=;("]+)\s*=\s*/y
/** a name where there is no value, or what is none at all */
const JUNK = /[^;]+/y
const LEADING_WORD = /[^\s;]*/y
const NEXT_PARAMETER = /\s+(?:[\w!#$%&*+.^`|~-]+\s*=|\()/y

class ValueScanner {
  private readonly raw: string
  private at = 0
  private fault = false
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
    WORD.lastIndex = this.at
    const match = WORD.exec(this.raw)
    if (match === null) return ''
    const behind = this.raw.slice(WORD.lastIndex, WORD.lastIndex + 20).trimStart()
    // `name=x` without a word in front
    if (behind.startsWith('=') && match[2] === undefined) return ''
    this.at = WORD.lastIndex
    return (match[2] === undefined ? match[1] ?? '' : `${match[1] ?? ''}/${match[2]}`).toLowerCase()
  }

  private parameter(): void {
    this.match(SEPARATORS)
    this.skipComments()
    if (this.at >= this.raw.length || this.raw[this.at] === ';') return
    const name = this.match(NAME)?.[1]?.toLowerCase()
    if (name === undefined) {
      this.fault = true
      // A quote or bracket may stand where a name should.
      if (this.match(JUNK) === null) this.at++
      return
    }
    const start = this.at
    const value = this.raw[this.at] === '"' ? this.quoted() : this.unquoted(name)
    this.add(name, value)
    if (!this.spelled.has(name)) this.spelled.set(name, this.raw.slice(start, this.at).trim())
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
    this.match(LEADING_WORD)
    if (this.at >= this.raw.length || this.raw[this.at] === ';') return this.raw.slice(start, this.at)
    NEXT_PARAMETER.lastIndex = this.at
    if (NEXT_PARAMETER.test(this.raw)) return this.raw.slice(start, this.at)
    const semicolon = this.raw.indexOf(';', this.at)
    const end = semicolon < 0 ? this.raw.length : semicolon
    this.at = end
    if (name !== 'filename' && name !== 'name') this.fault = true
    return this.raw.slice(start, end).trim()
  }

  private skipComments(): void {
    for (;;) {
      const blanks = /\s*/y
      blanks.lastIndex = this.at
      blanks.test(this.raw)
      if (this.raw[blanks.lastIndex] !== '(') return
      this.at = commentEnd(this.raw, blanks.lastIndex)
      this.match(SEPARATORS)
    }
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.raw)
    if (match !== null) this.at = pattern.lastIndex
    return match
  }

  /** RFC 2231: `name*`, `name*0`, `name*0*` */
  private add(name: string, value: string): void {
    const match = /^([^*]+)(?:\*(\d{1,3}))?(\*)?$/.exec(name)
    if (match === null || (match[2] === undefined && match[3] === undefined)) {
      if (!this.plain.has(name)) this.plain.set(name, value)
      return
    }
    const [, base = '', number, star] = match
    const segments = this.segments.get(base) ?? new Map<number, Segment>()
    const index = number === undefined ? 0 : Number(number)
    if (!segments.has(index)) segments.set(index, { value, extended: star !== undefined })
    this.segments.set(base, segments)
  }

  private decoded(): Map<string, string> {
    const parameters = new Map<string, string>()
    for (const [name, value] of this.plain) parameters.set(name, fieldText(value))
    for (const [name, segments] of this.segments) {
      const value = joined(segments)
      if (value !== undefined) parameters.set(name, value)
    }
    return parameters
  }
}

/** RFC 2231 §3, §4: segments in their order, up to the first that is missing; the charset stands in the first. */
function joined(segments: ReadonlyMap<number, Segment>): string | undefined {
  let charset: string | undefined
  let binary = ''
  for (let index = 0; ; index++) {
    // Some count from one.
    const segment = segments.get(index)
    if (segment === undefined && index === 0 && segments.has(1)) continue
    if (segment === undefined) break
    let { value } = segment
    if (segment.extended && charset === undefined) {
      const match = /^([^']*)'[^']*'/.exec(value)
      charset = match?.[1]?.toLowerCase() ?? ''
      value = value.slice(match?.[0].length ?? 0)
    }
    binary += segment.extended ? value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))) : value
  }
  if (binary === '') return segments.size === 0 ? undefined : ''
  if (charset === undefined || charset === '') return fieldText(binary)
  return charsetText(Buffer.from(binary, 'latin1'), charset).text
}

/** Behind the comment that begins at `from` (RFC 5322 §3.2.2); one that does not end is one character. */
function commentEnd(raw: string, from: number): number {
  let depth = 0
  for (let at = from; at < raw.length; at++) {
    const c = raw[at]
    if (c === '\\') at++
    else if (c === '(') depth++
    else if (c === ')' && --depth === 0) return at + 1
  }
  return from + 1
}
