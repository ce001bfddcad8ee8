/**
 * Sends a message piece by piece at the pace at which it is taken: no more is
 * held than one piece and the stream's own buffer. Ends when all is written,
 * when nobody wants the rest any more, or when the stream is closed; rejects
 * only where the message cannot be read.
 */
import type { Writable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EngineMessage } from './engine.ts'

export interface WriteOut {
  /** false: an answer has come, the time is over */
  readonly wanted: () => boolean
  /** what goes onto the wire for a piece; undefined: the piece itself */
  readonly frame?: (piece: Buffer) => readonly Buffer[]
}

/** Whether all of it was written. */
export async function writeOut(stream: Writable, pieces: AsyncIterable<Buffer>, { wanted, frame }: WriteOut): Promise<boolean> {
  for await (const piece of pieces) {
    if (piece.length === 0) continue
    // An answer before the end is read before the connection is found broken by writing on.
    await nextTurn()
    if (!wanted() || !stream.writable) return false
    // A frame goes out in one: a head alone may be answered, and the connection closed, before the rest is written.
    stream.cork()
    for (const part of frame?.(piece) ?? [piece]) stream.write(part)
    stream.uncork()
    if (stream.writableNeedDrain) await drained(stream)
  }
  return wanted() && stream.writable
}

/** The prefix, if there is one, and the stored bytes. */
export async function* wholeMessage({ prefix, body }: Pick<EngineMessage, 'prefix' | 'body'>): AsyncGenerator<Buffer> {
  if (prefix !== undefined) yield prefix
  yield* body.chunks()
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of EVENTS) stream.removeListener(event, done)
      resolve()
    }
    for (const event of EVENTS) stream.on(event, done)
  })
}

const EVENTS = ['drain', 'error', 'close'] as const
