/**
 * Encoded words (RFC 2047): text outside ASCII in a header field. Writing gives
 * UTF-8 in the Q encoding; reading takes every charset that the runtime knows.
 * Nothing throws: a word that cannot be read stays as it is.
 */

/** RFC 2047 §2 */
const MAX_WORD_CHARACTERS = 75
const OPENING = '=?UTF-8?Q?'
const CLOSING = '?='

/**
 * The text as encoded words, no character of it split between two of them. To
 * be joined by a space or a fold, which readers leave out. The first may be
 * shorter, for a line that is begun already.
 */
export function encodeWords(text: string, firstWordCharacters = MAX_WORD_CHARACTERS): string[] {
  const words: string[] = []
  let word = ''
  for (const character of text) {
    const encoded = encodeCharacter(character)
    if (OPENING.length + word.length + encoded.length + CLOSING.length > (words.length === 0 ? firstWordCharacters : MAX_WORD_CHARACTERS) && word !== '') {
      words.push(OPENING + word + CLOSING)
      word = ''
    }
    word += encoded
  }
  if (word !== '') words.push(OPENING + word + CLOSING)
  return words
}

/** RFC 2047 §4.2, and only what §5 (3) allows in a phrase stands for itself. */
function encodeCharacter(character: string): string {
  if (character === ' ') return '_'
  if (/^[A-Za-z0-9!*+/-]$/.test(character)) return character
  return [...Buffer.from(character)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/** Unfolded binary text as its reader sees it: encoded words decoded, bytes outside ASCII as UTF-8 where they are. */
export function decodeWords(binary: string): string {
  let text = ''
  let at = 0
  let afterWord = false
  for (const match of binary.matchAll(/=\?([^?\s]{1,60})\?([BQ])\?([^?\s]*)\?=/gi)) {
    const [whole, charset = '', encoding = '', content = ''] = match
    const decoded = decodeWord(charset, encoding, content)
    if (decoded === null) continue
    const between = binary.slice(at, match.index)
    // RFC 2047 §6.2: blanks between two encoded words are not shown.
    if (!afterWord || !/^[ \t\r\n]*$/.test(between)) text += decodeBytes(between)
    text += decoded
    at = match.index + whole.length
    afterWord = true
  }
  return text + decodeBytes(binary.slice(at))
}

function decodeWord(charset: string, encoding: string, content: string): string | null {
  const bytes = encoding.toUpperCase() === 'B' ? Buffer.from(content, 'base64') : Buffer.from(decodeQ(content), 'latin1')
  try {
    // RFC 2231 §5: a language may stand behind the charset.
    return new TextDecoder(charset.replace(/\*.*$/, '')).decode(bytes)
  } catch {
    // A charset that the runtime does not know.
    return null
  }
}

function decodeQ(content: string): string {
  return content.replace(/_/g, ' ').replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decodeBytes(binary: string): string {
  if (!/[\x80-\xff]/.test(binary)) return binary
  try {
    return utf8.decode(Buffer.from(binary, 'latin1'))
  } catch {
    // Some older charset that nobody named.
    return binary
  }
}
