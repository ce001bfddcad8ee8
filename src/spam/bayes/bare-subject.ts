/**
 * A subject without the prefix that this site puts in front of it where a message
 * is tagged (message/subject-prefix.ts): learned out of a mailbox, a message has
 * the words that it came in with. Only what stands at the very beginning is taken
 * off, once. Never throws.
 */
import { decodeWords } from '../../message/encoded-words.ts'
import { prefixText } from '../../message/subject-prefix.ts'

/** A prefix outside ASCII is written as so many encoded words at most. */
const MAX_WORDS = 12
const WORD = /[ \t]*=\?[^?\s]{1,60}\?[bq]\?[^?\s]{0,80}\?=/iy

/** @param subject decoded */
export function bareSubject(subject: string, prefix: string | undefined): string {
  const text = prefix === undefined ? '' : prefixText(prefix)
  const trimmed = subject.trimStart()
  return text !== '' && trimmed.startsWith(text) ? trimmed.slice(text.length).trimStart() : subject
}

/** The same of the field as it is written. undefined: there is nothing but the prefix, which stands there alone where a message had no subject. */
export function bareSubjectField(raw: string, prefix: string | undefined): string | undefined {
  const text = prefix === undefined ? '' : prefixText(prefix)
  if (text === '') return raw
  const end = raw.startsWith(text) ? text.length : encodedEnd(raw, text)
  if (end === 0) return raw
  const rest = raw.slice(end).trimStart()
  return rest === '' ? undefined : rest
}

/** Where the encoded words end that say `text`; 0: they say something else. */
function encodedEnd(raw: string, text: string): number {
  WORD.lastIndex = 0
  for (let words = 0; words < MAX_WORDS && WORD.test(raw); words++) {
    if (decodeWords(raw.slice(0, WORD.lastIndex)).trim() === text) return WORD.lastIndex
  }
  return 0
}
