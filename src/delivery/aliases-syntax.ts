/**
 * Splits one entry of an aliases file into its name and its targets, with
 * regard to double quotes and backslashes. No I/O; what is malformed is said
 * in a sentence.
 */
export interface LogicalLine {
  readonly text: string
  /** where it begins */
  readonly line: number
}

export type EntryResult =
  | { readonly status: 'ok'; readonly name: string; readonly targets: readonly string[] }
  | { readonly status: 'malformed'; readonly why: string }

/** Name and targets are as they came, quotes included, without the white space around them. */
export function splitEntry(text: string): EntryResult {
  const colon = findOutsideQuotes(text, 0, ':')
  if (colon === -2) return malformed('a quotation mark is not closed')
  if (colon < 0) return malformed('an entry has the form name: target, target')
  const targets: string[] = []
  let from = colon + 1
  for (;;) {
    const comma = findOutsideQuotes(text, from, ',')
    if (comma === -2) return malformed('a quotation mark is not closed')
    const word = text.slice(from, comma < 0 ? text.length : comma).trim()
    // Empty words between commas are harmless, as in `a, , b` and `a,` before a continuation.
    if (word !== '') {
      if (hasBareSpace(word)) return malformed(`"${word}": targets are separated by commas`)
      targets.push(word)
    }
    if (comma < 0) break
    from = comma + 1
  }
  const name = text.slice(0, colon).trim()
  if (hasBareSpace(name)) return malformed(`"${name}": a name with white space needs quotation marks`)
  return { status: 'ok', name, targets }
}

/** Without its quotation marks and the backslashes in them. */
export function unquoteName(text: string): string {
  if (!text.startsWith('"') || !text.endsWith('"') || text.length < 2) return text
  return text.slice(1, -1).replace(/\\(.)/g, '$1')
}

/** Index of the character outside quotation marks; -1 where it is not there, -2 where a quotation is not closed. */
function findOutsideQuotes(text: string, from: number, wanted: string): number {
  let quoted = false
  for (let i = from; i < text.length; i++) {
    const c = text[i]
    if (quoted && c === '\\') i++
    else if (c === '"') quoted = !quoted
    else if (c === wanted && !quoted) return i
  }
  return quoted ? -2 : -1
}

function hasBareSpace(word: string): boolean {
  return /\s/.test(word.replace(/"(?:\\.|[^"\\])*"/g, '""'))
}

function malformed(why: string): EntryResult {
  return { status: 'malformed', why }
}
