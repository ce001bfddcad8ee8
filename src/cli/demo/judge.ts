/**
 * Compares what a mailbox holds with what was sent: which fields were added on
 * top, what was mended, and whether all the rest is what it was. No I/O.
 */
export interface Findings {
  /** names of the fields on top that were not sent */
  readonly added: readonly string[]
  readonly bareLineEnds: number
  readonly nuls: number
}

export type Comparison =
  | { readonly status: 'same'; readonly findings: Findings }
  | { readonly status: 'different'; readonly cause: string }

/**
 * @param sent as the client sent it, before dot-stuffing
 * @param stored the file in the Maildir, where lines end in LF
 */
export function compare(sent: string, stored: string): Comparison {
  const expected = mend(sent)
  if (!stored.endsWith(expected)) return { status: 'different', cause: 'what was stored is not what was sent' }
  const top = stored.slice(0, stored.length - expected.length)
  const added = [...top.matchAll(/^([\x21-\x39\x3b-\x7e]+):.*\n(?:[ \t].*\n)*/gm)]
  if (added.reduce((length, field) => length + field[0].length, 0) !== top.length) {
    return { status: 'different', cause: 'something else than header fields stands above the message' }
  }
  return {
    status: 'same',
    findings: {
      added: added.map((field) => field[1] ?? ''),
      bareLineEnds: count(sent, /\r(?!\n)|(?<!\r)\n/g),
      nuls: count(sent, /\0/g),
    },
  }
}

/** Every line end is made whole and becomes LF, as files have it; NUL is taken out (RFC 5322 §2.2, §4). */
function mend(sent: string): string {
  return sent.replaceAll('\0', '').replace(/\r\n|\r|\n/g, '\n')
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}
