/**
 * What a stranger wrote (an explanation of SPF, a domain of a signature, the
 * text of an error), made fit for one line of a log, a header field or a reply:
 * printable ASCII only, everything else as `?`, and not longer than a bound.
 * Never fails.
 */
export function strangerText(text: string, maxCharacters: number): string {
  const plain = text.replace(/[\t\r\n]+/g, ' ').trim().replace(/[^\x20-\x7e]/g, '?')
  return plain.length <= maxCharacters ? plain : `${plain.slice(0, maxCharacters - 3)}...`
}

const MAX_CAUSE_CHARACTERS = 300

/** The cause of a result: our own words, with names and values of strangers in them. */
export function causeText(text: string): string {
  return strangerText(text, MAX_CAUSE_CHARACTERS)
}

/** The message of whatever was thrown. */
export function thrownText(error: unknown): string {
  return causeText(error instanceof Error ? error.message : String(error))
}
