/**
 * Takes a text apart into the pieces that patterns look at one by one. A pattern
 * matches within a piece, and `^` and `$` are a piece's begin and end.
 */

/** Of a piece, in UTF-16 code units. */
export const MAX_CHUNK_CHARACTERS = 4096
/** So many lines are pieces of their own; what is left over comes in pieces of many lines. */
export const MAX_LINES = 16_384

const NEWLINE = 10
const BLANKS: ReadonlySet<number> = new Set([0x20, 9, 10, 13])

/** Lines (of a text that is shown: paragraphs) without their ends; empty ones are left out, long ones are split at a blank where there is one. */
export function chunksOf(text: string): readonly string[] {
  if (text.length <= MAX_CHUNK_CHARACTERS && !text.includes('\n')) return text === '' ? [] : [text]
  const chunks: string[] = []
  let at = 0
  for (let lines = 0; at < text.length; lines++) {
    if (lines === MAX_LINES) {
      addBlocks(chunks, text.slice(at))
      break
    }
    const newline = text.indexOf('\n', at)
    const next = newline < 0 ? text.length : newline + 1
    let end = newline < 0 ? next : newline
    if (newline > at && text.charCodeAt(end - 1) === 13) end--
    if (end - at > MAX_CHUNK_CHARACTERS) addBlocks(chunks, text.slice(at, end))
    else if (end > at) chunks.push(text.slice(at, end))
    at = next
  }
  return chunks
}

/** Pieces of whole lines, as many as fit: for patterns that look across lines. Their line ends stay. */
export function blocksOf(text: string): readonly string[] {
  const chunks: string[] = []
  addBlocks(chunks, text)
  return chunks
}

function addBlocks(chunks: string[], text: string): void {
  let at = 0
  while (text.length - at > MAX_CHUNK_CHARACTERS) {
    const end = breakBefore(text, at, at + MAX_CHUNK_CHARACTERS)
    chunks.push(text.slice(at, end))
    at = end
  }
  if (at < text.length) chunks.push(text.slice(at))
}

/** Behind the last newline, or else the last blank, of the second half; otherwise where it is full, but never within a pair of surrogates. */
function breakBefore(text: string, from: number, full: number): number {
  const middle = from + MAX_CHUNK_CHARACTERS / 2
  let blank = -1
  for (let at = full - 1; at >= middle; at--) {
    const code = text.charCodeAt(at)
    if (code === NEWLINE) return at + 1
    if (blank < 0 && BLANKS.has(code)) blank = at + 1
  }
  if (blank >= 0) return blank
  const code = text.charCodeAt(full - 1)
  return code >= 0xd800 && code <= 0xdbff ? full - 1 : full
}
