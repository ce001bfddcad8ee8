/**
 * Authentication-Results (RFC 8601): writes ours, and finds those that came
 * with the message and claim to be ours, which have to go (§5).
 *
 * The writer cannot be led astray by values of strangers: they are quoted and
 * bounded, and have no line ends, control characters or bytes outside ASCII. It
 * throws for words of our own that are no keywords.
 *
 * Whether a field claims our authserv-id is answered with yes where in doubt: a
 * field whose beginning cannot be read claims whatever name stands in it, for
 * whoever reads it next may read it in another way.
 */
import { domainToASCII, domainToUnicode } from 'node:url'
import { readAuthservId } from './authentication-results-parser.ts'
import { decodeWords } from './encoded-words.ts'
import { comment, foldedField, plainText, plainValue, quotedString } from './field-text.ts'
import { unfold, valueText, type HeaderField } from './header-field.ts'
import { fieldsNamed, type HeaderSection } from './header-section.ts'

export type PropertyType = 'smtp' | 'header' | 'policy' | 'body'

export interface ResultProperty {
  readonly ptype: PropertyType
  /** `mailfrom`, `d`, `remote-ip` … */
  readonly property: string
  /** anything; a domain should be given as A-labels */
  readonly value: string
}

export interface AuthenticationResult {
  /** `spf`, `dkim`, `dmarc`, `arc`, `iprev` … */
  readonly method: string
  readonly result: string
  readonly reason?: string
  readonly comment?: string
  readonly properties: readonly ResultProperty[]
}

/* --- writing --- */

/** The whole field with its CRLF, in ASCII; `none` where there are no results (§2.2). */
export function authenticationResults({ authservId, results }: { readonly authservId: string, readonly results: readonly AuthenticationResult[] }): string {
  const id = value(authservId)
  if (results.length === 0) return foldedField('Authentication-Results', [[`${id};`, 'none']])
  const groups = [[id], ...results.map(resultWords)]
  const separated = groups.map((words, i) => (i === groups.length - 1 ? words : [...words.slice(0, -1), `${words.at(-1) ?? ''};`]))
  return foldedField('Authentication-Results', separated)
}

function resultWords(result: AuthenticationResult): string[] {
  const words = [`${keyword(result.method)}=${keyword(result.result)}`]
  const remark = plainText(result.comment ?? '')
  if (remark !== '') words.push(...comment(remark).split(' '))
  const reason = plainText(result.reason ?? '')
  if (reason !== '') words.push(...`reason=${TOKEN.test(reason) ? reason : quotedString(reason)}`.split(' '))
  for (const { ptype, property, value: text } of result.properties) words.push(`${keyword(ptype)}.${keyword(property)}=${value(text)}`)
  return words
}

/** RFC 5321 §4.1.2 */
function keyword(word: string): string {
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?$/.test(word)) throw new TypeError(`${JSON.stringify(word)} is no keyword of Authentication-Results`)
  return word
}

/** RFC 2045 §5.1 */
const TOKEN = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/
/** what §2.2 allows without quotes beside a token: `local@domain`, `@domain` */
const ADDRESS = /^(?:[!#$%&'*+\-/0-9=?A-Z^_`a-z{|}~]+(?:\.[!#$%&'*+\-/0-9=?A-Z^_`a-z{|}~]+)*)?@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/

function value(text: string): string {
  const plain = plainValue(text)
  return TOKEN.test(plain) || ADDRESS.test(plain) ? plain : quotedString(plain)
}

/* --- forged ones --- */

/** Indexes of the Authentication-Results fields that claim our authserv-id. A section that was cut may have more. */
export function forgedResults(section: HeaderSection, authservId: string): readonly number[] {
  return fieldsNamed(section, 'authentication-results').filter((field) => claimsAuthservId(field, authservId)).map(({ index }) => index)
}

export function claimsAuthservId(field: HeaderField, authservId: string): boolean {
  const text = valueText(field)
  const ours = canonicalName(authservId)
  const read = readAuthservId(text)
  if (read.status === 'ok') {
    const name = decodeWords(read.authservId)
    if (canonicalName(name) === ours) return true
    // In quotes anything may stand, and not everyone knows quotes.
    if (!/[^A-Za-z0-9._\x80-\u{10ffff}-]/u.test(name)) return false
  }
  const names = [ours, domainToUnicode(ours)]
  return readings(unfold(text)).some((reading) => names.some((name) => reading.includes(name)))
}

/** A name for comparison: in A-labels (RFC 5890 §2.3.2.1), lower case, without a dot at the end. */
function canonicalName(name: string): string {
  const trimmed = name.trim().toLowerCase().replace(/\.+$/, '')
  // What the function takes for the end of a name, and the characters it leaves out, are no letters of ours.
  const ascii = /[^\x00-\x7f]/.test(trimmed) ? domainToASCII(trimmed) : trimmed
  return (ascii === '' ? trimmed : ascii).replace(/\.+$/, '')
}

/** What one reader or another may take for the beginning of a doubtful field: up to the first semicolon, with and without comments, blanks, quotes. */
function readings(text: string): string[] {
  return [text, withoutComments(text)].flatMap((one) => {
    // Where nothing stands before it, the next part is what some take for the name.
    const start = decodeWords(one.split(';').find((part) => part.trim() !== '') ?? '').toLowerCase()
    return [start, start.replace(/[^a-z0-9._\x80-\u{10ffff}-]/gu, '')]
  })
}

function withoutComments(text: string): string {
  let kept = ''
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? ''
    if (c === '\\') i++
    if (c === '(') depth++
    else if (c === ')' && depth > 0) depth--
    else if (depth === 0) kept += c === '\\' ? (text[i] ?? '') : c
  }
  return kept
}
