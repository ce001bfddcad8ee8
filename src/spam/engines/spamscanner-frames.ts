/**
 * How a message goes to the process of spamscanner: frames of a length (four
 * bytes, big-endian) and so many bytes. The first of all says what to load. The
 * first of each request is a JSON object as well; pieces of the message follow,
 * then an empty frame. Answers are lines of JSON. Both sides read in whatever
 * pieces the bytes come.
 */

export interface LoadRequest {
  /** whose node_modules has it; undefined: that of Postern */
  readonly folder?: string
  readonly options: Readonly<Record<string, unknown>>
}

/** What is asked, apart from the message. */
export interface ScanRequest {
  readonly id: number
  readonly session: {
    readonly remoteAddress?: string
    readonly resolvedClientHostname?: string
    readonly helo?: string
    readonly envelope: { readonly mailFrom: { readonly address: string }; readonly rcptTo: readonly { readonly address: string }[] }
  }
}

export type ChildLine =
  | { readonly is: 'ready'; readonly version: string }
  /** it cannot be loaded; `installed`: it is there all the same */
  | { readonly is: 'unusable'; readonly installed: boolean; readonly cause: string }
  /** what `scan` resolved to, cut down to what is read of it */
  | { readonly is: 'scanned'; readonly id: number; readonly result: unknown }
  | { readonly is: 'failed'; readonly id: number; readonly cause: string }

/** A piece of a message is as large as it lies in memory. */
export const MAX_FRAME_BYTES = 67_108_864

export function frameOf(bytes: Buffer): readonly Buffer[] {
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(bytes.length)
  return [length, bytes]
}

export class FrameReader {
  readonly #head = Buffer.alloc(4)
  #headLength = 0
  #frame: Buffer | undefined
  #filled = 0

  /** The frames that are whole now; `too long` where one says that it is longer than any is. */
  push(piece: Buffer): readonly Buffer[] | 'too long' {
    const frames: Buffer[] = []
    let at = 0
    while (at < piece.length) {
      if (this.#frame === undefined) {
        const part = piece.copy(this.#head, this.#headLength, at, at + 4 - this.#headLength)
        this.#headLength += part
        at += part
        if (this.#headLength < 4) break
        const length = this.#head.readUInt32BE()
        if (length > MAX_FRAME_BYTES) return 'too long'
        this.#headLength = 0
        this.#filled = 0
        this.#frame = Buffer.alloc(length)
      } else {
        const part = piece.copy(this.#frame, this.#filled, at)
        this.#filled += part
        at += part
      }
      if (this.#filled === this.#frame.length) {
        frames.push(this.#frame)
        this.#frame = undefined
      }
    }
    return frames
  }
}
