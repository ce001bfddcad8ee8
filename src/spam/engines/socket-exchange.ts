/**
 * One request and one answer over a connection of their own (spamd, clamd). The
 * answer is read from the first moment on, so that one that comes before the
 * message was taken is heard, and is bounded by its reader. The signal ends it.
 */
import type { Socket } from 'node:net'
import { thrownText } from '../../auth/stranger-text.ts'
import type { Dialler } from './dial.ts'

/** Takes the answer as it comes. `more`: not whole yet. `bad`: it cannot become one. */
export interface AnswerReader {
  push(piece: Buffer): 'more' | 'whole' | 'bad'
  /** The connection is at its end: whether that completes it. */
  end(): 'whole' | 'bad'
}

export interface Exchange {
  readonly dialler: Dialler
  readonly reader: AnswerReader
  /** Writes the request; rejects where the message cannot be read. True: all of it was written. */
  readonly send: (socket: Socket, wanted: () => boolean) => Promise<boolean>
  readonly signal: AbortSignal
}

export type Exchanged =
  | { readonly status: 'answer'; /** false: it came before all was sent */ readonly sentAll: boolean }
  | { readonly status: 'bad' }
  /** `sending`: while the message was on its way */
  | { readonly status: 'lost'; readonly cause: string; readonly sending: boolean }
  | { readonly status: 'unreadable'; readonly cause: string }

export async function exchange({ dialler, reader, send, signal }: Exchange): Promise<Exchanged> {
  const dialled = await dialler.dial()
  if (dialled.status === 'failed') return { status: 'lost', cause: dialled.cause, sending: false }
  const { socket, ready } = dialled
  return await new Promise<Exchanged>((resolve) => {
    let over = false
    let connected = false
    let sentAll = false
    const finish = (exchanged: Exchanged): void => {
      if (over) return
      over = true
      signal.removeEventListener('abort', stop)
      socket.destroy()
      resolve(exchanged)
    }
    const lost = (cause: string): void => finish({ status: 'lost', cause, sending: connected && !sentAll })
    const stop = (): void => lost('called off')
    const read = (state: 'more' | 'whole' | 'bad'): void => {
      if (state === 'whole') finish({ status: 'answer', sentAll })
      else if (state === 'bad') finish({ status: 'bad' })
    }
    signal.addEventListener('abort', stop, { once: true })
    socket.on('data', (piece: Buffer) => read(reader.push(piece)))
    socket.on('end', () => {
      if (reader.end() === 'whole') finish({ status: 'answer', sentAll })
      else lost('it has closed the connection')
    })
    socket.on('error', (error) => lost(thrownText(error)))
    socket.on('close', () => lost('the connection was lost'))
    socket.once(ready, () => {
      connected = true
      send(socket, () => !over).then((all) => void (sentAll = all), (error: unknown) => finish({ status: 'unreadable', cause: thrownText(error) }))
    })
    if (signal.aborted) stop()
  })
}
