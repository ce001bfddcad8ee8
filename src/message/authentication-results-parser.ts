/**
 * Reads the value of an Authentication-Results field (RFC 8601 §2.2): comments
 * (nested), folds, quoted strings, versions, any case. Takes what is common in
 * the wild: a semicolon at the end, values with `/` and `=` that are not
 * quoted, `name=value` without a property type, which is passed over.
 *
 * Trouble is `malformed`, with what was read until then. Time is linear in the
 * text; nothing throws.
 */

export interface ReadProperty {
  /** in lower case */
  readonly ptype: string
  /** in lower case */
  readonly property: string
  readonly value: string
}

export interface ReadResult {
  /** in lower case, without its version */
  readonly method: string
  /** in lower case */
  readonly result: string
  readonly reason?: string
  /** what stands in parentheses right behind the result */
  readonly comment?: string
  readonly properties: readonly ReadProperty[]
}

export type ReadAuthservId =
  | { readonly status: 'ok', readonly authservId: string, /** as written, '' where there is none */ readonly version: string, /** offset of the semicolon, or the end */ readonly end: number }
  | { readonly status: 'malformed', readonly why: string }

export interface ReadResults {
  readonly status: 'ok' | 'malformed'
  /** null where it cannot be read */
  readonly authservId: string | null
  readonly version: string
  readonly results: readonly ReadResult[]
  /** empty where the status is `ok` */
  readonly why: string
}

export function readAuthservId(text: string): ReadAuthservId {
  const reader = new Reader(text)
  const comments = reader.passCfws()
  const authservId = comments && reader.value()
  if (authservId === null) return { status: 'malformed', why: `no authserv-id at ${reader.at}` }
  if (reader.passCfws() === null) return { status: 'malformed', why: `a comment is not closed at ${reader.at}` }
  const version = reader.take(/[0-9]+/y) ?? ''
  if (reader.passCfws() === null || !reader.atStop()) return { status: 'malformed', why: `no semicolon at ${reader.at}` }
  return { status: 'ok', authservId, version, end: reader.at }
}

export function parseAuthenticationResults(text: string): ReadResults {
  const head = readAuthservId(text)
  if (head.status === 'malformed') return { status: 'malformed', authservId: null, version: '', results: [], why: head.why }
  const { authservId, version } = head
  const reader = new Reader(text, head.end)
  const results: ReadResult[] = []
  let none = false
  while (reader.accept(';')) {
    const read = readResult(reader)
    if (typeof read === 'string') return { status: 'malformed', authservId, version, results, why: `${read} at ${reader.at}` }
    if (read === NONE) none = true
    else if (read !== EMPTY) results.push(read)
  }
  const why = results.length === 0 && !none ? 'no results' : ''
  return { status: why === '' ? 'ok' : 'malformed', authservId, version, results, why }
}

const NONE: unique symbol = Symbol('none')
const EMPTY: unique symbol = Symbol('empty')

/** From behind one semicolon to the next; a string says what is wrong. */
function readResult(reader: Reader): ReadResult | typeof NONE | typeof EMPTY | string {
  if (reader.passCfws() === null) return UNCLOSED
  if (reader.atStop()) return EMPTY
  const method = reader.take(KEYWORD)?.toLowerCase()
  if (method === undefined) return 'no method'
  if (reader.passCfws() === null) return UNCLOSED
  if (method === 'none' && reader.atStop()) return NONE
  if (reader.accept('/')) {
    if (reader.passCfws() === null) return UNCLOSED
    if (reader.take(/[0-9]+/y) === null) return 'no version of the method'
    if (reader.passCfws() === null) return UNCLOSED
  }
  if (!reader.accept('=')) return 'no = behind the method'
  if (reader.passCfws() === null) return UNCLOSED
  const result = reader.take(KEYWORD)?.toLowerCase()
  if (result === undefined) return 'no result'
  const comments = reader.passCfws()
  if (comments === null) return UNCLOSED
  const details = readDetails(reader)
  if (typeof details === 'string') return details
  return { method, result, ...(comments.length > 0 && { comment: comments.join(' ') }), ...details }
}

/** Reason and properties. */
function readDetails(reader: Reader): Pick<ReadResult, 'reason' | 'properties'> | string {
  const properties: ReadProperty[] = []
  let reason: string | undefined
  while (!reader.atStop()) {
    const name = reader.take(KEYWORD)?.toLowerCase()
    if (name === undefined) return 'no property'
    if (reader.passCfws() === null) return UNCLOSED
    const property = reader.accept('.') ? readPropertyName(reader) : ''
    if (property === null) return 'no name of a property'
    if (!reader.accept('=')) return 'no = behind the property'
    if (reader.passCfws() === null) return UNCLOSED
    const value = reader.propertyValue()
    if (value === null) return 'no value'
    if (property !== '') properties.push({ ptype: name, property, value })
    else if (name === 'reason') reason ??= value
    if (!reader.atBoundary()) return 'a character that must be quoted'
    if (reader.passCfws() === null) return UNCLOSED
  }
  return { ...(reason !== undefined && { reason }), properties }
}

function readPropertyName(reader: Reader): string | null {
  if (reader.passCfws() === null) return null
  const name = reader.take(KEYWORD)?.toLowerCase()
  return name !== undefined && reader.passCfws() !== null ? name : null
}

const UNCLOSED = 'a comment is not closed'
const KEYWORD = /[A-Za-z0-9_-]+/y
/** RFC 2045 §5.1, and UTF-8 (RFC 8601 §2.2 with RFC 6532) */
const TOKEN = /[!#$%&'*+\-.0-9A-Z^_`a-z{|}~\x80-\uffff]+/y
/** also what ought to be quoted, but for what separates or may hide something */
const LENIENT = /[!#$%&'*+\-.0-9A-Z^_`a-z{|}~\x80-\uffff@/=?<>[\]]+/y

class Reader {
  at: number
  private readonly text: string

  constructor(text: string, at = 0) {
    this.text = text
    this.at = at
  }

  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found === undefined) return null
    this.at += found.length
    return found
  }

  accept(character: string): boolean {
    if (this.text[this.at] !== character) return false
    this.at++
    return true
  }

  atStop(): boolean {
    return this.at >= this.text.length || this.text[this.at] === ';'
  }

  /** where a value may end */
  atBoundary(): boolean {
    return this.atStop() || /[ \t\r\n(]/.test(this.text[this.at] ?? '')
  }

  /** Passes blanks, folds and comments (RFC 5322 §3.2.2); gives the comments, or null where one is not closed. */
  passCfws(): string[] | null {
    const comments: string[] = []
    for (;;) {
      this.take(/[ \t\r\n]+/y)
      if (this.text[this.at] !== '(') return comments
      const inside = this.comment()
      if (inside === null) return null
      comments.push(inside)
    }
  }

  private comment(): string | null {
    let depth = 0
    let inside = ''
    for (let i = this.at; i < this.text.length; i++) {
      const c = this.text[i] ?? ''
      if (c === ')' && --depth === 0) {
        this.at = i + 1
        return inside.trim()
      }
      if (c === '\\') inside += this.text[++i] ?? ''
      else if (c !== '\r' && c !== '\n' && (depth > 0 || c !== '(')) inside += c
      if (c === '(') depth++
    }
    return null
  }

  /** A token or a quoted string. */
  value(): string | null {
    return this.text[this.at] === '"' ? this.quoted() : this.take(TOKEN)
  }

  propertyValue(): string | null {
    if (this.text[this.at] !== '"') return this.take(LENIENT)
    const local = this.quoted()
    return local === null ? null : local + (this.take(/@[A-Za-z0-9.\x80-\uffff-]*/y) ?? '')
  }

  private quoted(): string | null {
    let inside = ''
    for (let i = this.at + 1; i < this.text.length; i++) {
      const c = this.text[i] ?? ''
      if (c === '"') {
        this.at = i + 1
        return inside
      }
      if (c === '\\') inside += this.text[++i] ?? ''
      else if (c !== '\r' && c !== '\n') inside += c
    }
    return null
  }
}
