/**
 * Parts of the header fields that we write ourselves (RFC 5322 §2.2.3, §3.2).
 * What a stranger wrote may stand in them: it becomes printable ASCII in one
 * line, bounded, and then a quoted string or a comment that it cannot leave.
 */

/** RFC 5322 §2.1.1 */
const MAX_LINE_CHARACTERS = 78
/** Written in quotes or as a comment, twice as many characters still fit in a line of 998 bytes. */
export const MAX_VALUE_CHARACTERS = 400

/** For reading: blanks and line ends become one space. A longer text ends in dots. */
export function plainText(text: string, maxCharacters = MAX_VALUE_CHARACTERS): string {
  const plain = printable(text.slice(0, maxCharacters * 4)).replace(/ {2,}/g, ' ').trim()
  return plain.length <= maxCharacters ? plain : `${plain.slice(0, maxCharacters - 3).trimEnd()}...`
}

/**
 * For comparing. Of a longer one the end is kept, with dots before it: the end
 * of an address says whose it is, and an address cut at its end could be
 * another one's.
 */
export function plainValue(text: string): string {
  const plain = printable(text.length <= MAX_VALUE_CHARACTERS ? text : text.slice(-MAX_VALUE_CHARACTERS))
  return text.length <= MAX_VALUE_CHARACTERS ? plain : `...${plain.slice(3)}`
}

function printable(text: string): string {
  return text.replace(/[\t\r\n]+/g, ' ').replace(/[^\x20-\x7e]/g, '?')
}

/** RFC 5322 §3.2.4; `text` is plain */
export function quotedString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** RFC 5322 §3.2.2; `text` is plain. Quotes mean nothing in a comment, but not every reader knows that. */
export function comment(text: string): string {
  return `(${text.replace(/"/g, "'").replace(/[()\\]/g, '\\$&')})`
}

/**
 * The whole field with its CRLF. Each group of words begins on a line of its
 * own; within a group lines are broken between words where they get longer than
 * 78 characters. A fold is CRLF and one space, so that unfolding gives back the
 * words with single spaces between them.
 */
export function foldedField(name: string, groups: readonly (readonly string[])[]): string {
  let field = `${name}:`
  let column = field.length
  for (const [g, words] of groups.entries()) {
    for (const [w, word] of words.entries()) {
      const breaks = (g > 0 && w === 0) || (column > name.length + 1 && column + 1 + word.length > MAX_LINE_CHARACTERS)
      if (breaks) {
        field += '\r\n'
        column = 0
      }
      field += ` ${word}`
      column += 1 + word.length
    }
  }
  return `${field}\r\n`
}
