/**
 * Brings CRLF to LF, the line end of files on Unix: what Postfix, Exim and
 * Dovecot write into a Maildir and what mutt shows cleanly.
 *
 * Only the pair CR LF is touched, so the step can be undone wherever the input
 * has neither a bare CR nor a bare LF. Works piece by piece; a pair may lie
 * across two pieces. Does no I/O and cannot fail.
 */
const CR = 0x0d
const LF = 0x0a

export interface LineEndConverter {
  /** The converted bytes of this piece, without a CR at its very end: that waits for the next. */
  push(piece: Buffer): Buffer
  /** What still waited. */
  end(): Buffer
}

export function createLineEndConverter(): LineEndConverter {
  let waiting = false
  return {
    push(piece) {
      if (piece.length === 0) return piece
      const out = Buffer.allocUnsafe(piece.length + 1)
      let length = 0
      if (waiting && piece[0] !== LF) out[length++] = CR
      waiting = false
      const last = piece.length - 1
      for (let i = 0; i < last; i++) {
        const byte = piece[i] as number
        if (byte === CR && piece[i + 1] === LF) continue
        out[length++] = byte
      }
      if (piece[last] === CR) waiting = true
      else out[length++] = piece[last] as number
      return out.subarray(0, length)
    },
    end() {
      const rest = waiting ? Buffer.of(CR) : Buffer.alloc(0)
      waiting = false
      return rest
    },
  }
}

/** The same for a whole that lies in memory. */
export function toLineFeeds(pieces: readonly Buffer[]): Buffer {
  const converter = createLineEndConverter()
  const converted = pieces.map((piece) => converter.push(piece))
  const rest = converter.end()
  if (rest.length > 0) converted.push(rest)
  return converted.length === 1 ? (converted[0] as Buffer) : Buffer.concat(converted)
}
