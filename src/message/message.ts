/**
 * A message as it was received: bytes with CRLF line ends (unless BINARYMIME),
 * without dot-stuffing; a small one in memory, a larger one in a
 * temporary file that has no name any more.
 */
export interface StoredMessage {
  /** bytes in all */
  readonly size: number
  /** all bytes, where the message is small enough to be held in memory; otherwise null */
  readonly memory: readonly Buffer[] | null
  /** every byte, in order, in pieces of at most 64 KiB or as they lie in memory; may be read more than once */
  chunks(): AsyncIterable<Buffer>
  /** frees memory and file; the message cannot be read any more */
  discard(): void
}

/** A message on its way out: fields added on top, then the stored bytes, unchanged. */
export interface OutgoingMessage {
  /** whole header fields, each ended by CRLF; may be empty */
  readonly prefix: Buffer
  readonly body: StoredMessage
  /** The client sent BDAT: pass it on as BDAT where the next hop can (RFC 3030). */
  readonly chunked: boolean
  /** BODY=BINARYMIME: lines mean nothing, only BDAT can carry it (RFC 3030 §3). */
  readonly binary: boolean
}

export function outgoingSize(message: OutgoingMessage): number {
  return message.prefix.length + message.body.size
}
