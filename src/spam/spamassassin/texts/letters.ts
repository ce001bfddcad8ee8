/**
 * What letters a Subject, a field or a body is made of, as SpamAssassin counts
 * them. Texts are bytes, a byte a character. Pure.
 */
import { isUtf8 } from 'node:buffer'
import { withoutEdges } from './bytes.ts'

/** Character sets whose bytes look like capitals before they are decoded. */
const LIKE_CAPITALS = /koi|jp|jis|euc|gb|big5|isoir|cp1251|windows-1251|georgianps|pt154|tis/i

/** Two words or more, ten characters or more, and no small letter. */
export function isAllCapitals(subject: string, raw: string): boolean {
  const plain = withoutEdges(subject).replace(/^(?:(?:Re|Fwd|Fw|Aw|Antwort|WG|SV|VB|VS|VL):[ \t-\r]*)+/i, '')
  if (!/[ \t-\r]/.test(plain) || plain.length < 10) return false
  for (const [, charset = ''] of raw.matchAll(/=\?([-\w]{1,100})\?/g)) if (LIKE_CAPITALS.test(charset)) return false
  const letters = plain.replace(/[^a-zA-Z]/g, '')
  return letters !== '' && letters === letters.toUpperCase()
}

/** Bytes that a field of ASCII may not have, by their share and number; UTF-8 without control characters is none of them. */
export function hasIllegal(raw: string, { share, count, isSubject }: { readonly share: number; readonly count: number; readonly isSubject: boolean }): boolean {
  if (!/\S/.test(raw)) return false
  if (/[\x80-\xff]/.test(raw) && isUtf8(Buffer.from(raw, 'latin1')) && countOf(raw, isControl) === 0) return false
  const illegal = countOf(raw, (code) => code > 0x7e || isControl(code))
  // One sign of cents, of pounds, or of a trade mark.
  const counted = isSubject && illegal > 0 && countOf(raw, (code) => code === 0xa2 || code === 0xa3 || code === 0xae) === 1 ? illegal - 1 : illegal
  return counted / raw.length >= share && counted >= count
}

/** Of a hundred letters and digits of lines with a blank in them, how many are capitals; 0 where there is little text. */
export function capitalsOfHundred(body: readonly string[], charsets: readonly string[]): number {
  if (charsets.some((charset) => /^[-\w]*$/.test(charset) && LIKE_CAPITALS.test(charset))) return 0
  let [length, small, capital] = [0, 0, 0]
  for (const piece of body) {
    if (!/[^ \t-\r][ \t-\r]+[^ \t-\r]/.test(piece) || /^(?:[A-Za-z0-9+/=]{60,76} ){2}/.test(piece)) continue
    length += piece.length
    small += countOf(piece, (code) => (code > 0x60 && code < 0x7b) || (code > 0x2f && code < 0x3a))
    capital += countOf(piece, (code) => code > 0x40 && code < 0x5b)
  }
  return length < 200 || small + capital === 0 ? 0 : (capital / (small + capital)) * 100
}

const MAX_ADDRESS = 320
const MAX_SUBJECT = 4000

/** @param address of the first addressee */
export function isInSubject(subject: string, address: string, form: 'user' | 'address'): boolean {
  if (address === '' || address.length > MAX_ADDRESS) return false
  if (form === 'address') return new RegExp(`\\b${escaped(address)}\\b`, 'i').test(subject.slice(0, MAX_SUBJECT))
  const user = escaped(address.replace(/@.*/s, ''))
  const line = withoutEdges(subject).slice(0, MAX_SUBJECT)
  return new RegExp(`^(?:(?:re|fw):\\s*(?:\\w+\\s+)?${user}|${user}|,\\s*${user}[,:;!?-])$`, 'i').test(line) || new RegExp(`^${user}\\s*[,:;!?-](?:$|\\s)`).test(line)
}

function escaped(text: string): string {
  return text.replace(/[$()*+./?[\\\]^{|}-]/g, '\\$&')
}

/** But for tabs and line ends. */
function isControl(code: number): boolean {
  return code < 0x20 && code !== 9 && code !== 10 && code !== 13
}

function countOf(text: string, counts: (code: number) => boolean): number {
  let count = 0
  for (let at = 0; at < text.length; at++) if (counts(text.charCodeAt(at))) count++
  return count
}
