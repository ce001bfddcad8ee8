/**
 * The reply of clamd to INSTREAM (clamd(8)): one record, ended as the command
 * was, by NUL: `stream: OK`, `stream: NAME FOUND`, `… ERROR`, `INSTREAM size
 * limit exceeded. ERROR`. What is none of them is undefined.
 */
import { BoundedBytes } from './bounded-bytes.ts'
import type { AnswerReader } from './socket-exchange.ts'

export type ClamReply = { readonly status: 'clean' } | { readonly status: 'found'; readonly name: string } | { readonly status: 'too-big' } | { readonly status: 'error'; readonly text: string }

const MAX_REPLY_BYTES = 4096

export class ClamReplyReader implements AnswerReader {
  readonly #kept = new BoundedBytes(MAX_REPLY_BYTES)
  #whole = false

  push(piece: Buffer): 'more' | 'whole' | 'bad' {
    if (this.#whole) return 'whole'
    const end = piece.indexOf(0)
    if (!this.#kept.push(end < 0 ? piece : piece.subarray(0, end))) return 'bad'
    this.#whole = end >= 0
    return this.#whole ? 'whole' : 'more'
  }

  end(): 'whole' | 'bad' {
    return this.#whole ? 'whole' : 'bad'
  }

  text(): string {
    return this.#kept.bytes().toString('latin1').trim()
  }
}

export function parseClamReply(text: string): ClamReply | undefined {
  if (/^INSTREAM size limit exceeded\b/.test(text)) return { status: 'too-big' }
  const found = /^stream: (.+) FOUND$/.exec(text)?.[1]
  if (found !== undefined) return { status: 'found', name: found }
  if (text === 'stream: OK') return { status: 'clean' }
  return /(?:^| )ERROR$|^(?:UNKNOWN COMMAND|COMMAND UNAVAILABLE)/.test(text) ? { status: 'error', text } : undefined
}
