/**
 * Writes the Received-SPF field (RFC 7208 §9.1). What strangers said of
 * themselves stands in quotes, bounded, in printable ASCII.
 */
import { comment, foldedField, plainText, plainValue, quotedString } from './field-text.ts'

export interface ReceivedSpfFacts {
  readonly result: 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'temperror' | 'permerror'
  /** for people: who said what of whom */
  readonly comment?: string
  readonly clientIp: string
  /** `local@domain`; null or '' for the null reverse-path */
  readonly envelopeFrom: string | null
  readonly helo: string
  /** our name */
  readonly receiver: string
  /** what was checked */
  readonly identity: 'mailfrom' | 'helo'
  /** of temperror and permerror: why */
  readonly problem?: string
  /** the mechanism that matched */
  readonly mechanism?: string
}

/** The whole field with its CRLF. */
export function receivedSpf(facts: ReceivedSpfFacts): string {
  const remark = plainText(facts.comment ?? '')
  const head = [facts.result, ...(remark === '' ? [] : comment(remark).split(' '))]
  const pairs = [
    pair('receiver', plainValue(facts.receiver)),
    pair('identity', facts.identity),
    pair('client-ip', plainValue(facts.clientIp)),
    pair('envelope-from', facts.envelopeFrom === null || facts.envelopeFrom === '' ? '<>' : plainValue(facts.envelopeFrom)),
    pair('helo', plainValue(facts.helo)),
    ...(facts.mechanism === undefined ? [] : [pair('mechanism', plainText(facts.mechanism))]),
    ...(facts.problem === undefined ? [] : [pair('problem', plainText(facts.problem))]),
  ]
  return foldedField('Received-SPF', [[...head, ...pairs.map((one, i) => (i === pairs.length - 1 ? one : `${one};`))]])
}

/** RFC 5322 §3.2.3 */
const DOT_ATOM = /^[!#$%&'*+\-/0-9=?A-Z^_`a-z{|}~]+(?:\.[!#$%&'*+\-/0-9=?A-Z^_`a-z{|}~]+)*$/

function pair(key: string, value: string): string {
  return `${key}=${DOT_ATOM.test(value) ? value : quotedString(value)}`
}
