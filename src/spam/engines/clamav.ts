/**
 * ClamAV's daemon, by INSTREAM (clamd(8)): the message in chunks of its own
 * length each, an empty one at the end, then one reply. A virus is an outcome;
 * what is done about it is not decided here.
 */
import type { Socket } from 'node:net'
import { ClamReplyReader, parseClamReply } from './clamav-reply.ts'
import { Dialler } from './dial.ts'
import type { Attempt, EngineAdapter, EngineMessage } from './engine.ts'
import { failure, symbolOf, virusName } from './engine-words.ts'
import type { ClamavSettings, SpamName } from './settings.ts'
import { exchange, type Exchanged } from './socket-exchange.ts'
import { writeOut } from './write-out.ts'

const INSTREAM = Buffer.from('zINSTREAM\0', 'latin1')
const PING = Buffer.from('zPING\0', 'latin1')
const END = Buffer.alloc(4)
/** A connection that breaks under less than this says something about the engine, not about the message. */
const LARGE_BYTES = 1_000_000

export function createClamav({ address, spamNames }: Pick<ClamavSettings, 'address' | 'spamNames'>): EngineAdapter {
  const dialler = new Dialler(address, undefined)
  return {
    seesPrefix: false,
    async scan(message, signal) {
      const reader = new ClamReplyReader()
      const exchanged = await exchange({ dialler, reader, signal, send: (socket, wanted) => stream(socket, message, wanted) })
      if (exchanged.status !== 'answer') return unanswered(exchanged, message)
      return judged(reader.text(), { sentAll: exchanged.sentAll, spamNames })
    },
    async ping(signal) {
      const reader = new ClamReplyReader()
      const exchanged = await exchange({ dialler, reader, signal, send: (socket) => Promise.resolve(socket.write(PING)) })
      if (exchanged.status === 'answer') return reader.text() === 'PONG' ? undefined : failure(`it answers PING with "${reader.text()}"`, 'answered').cause
      return exchanged.status === 'bad' ? 'it does not answer as clamd does' : exchanged.cause
    },
    close: () => undefined,
  }
}

async function stream(socket: Socket, { body }: EngineMessage, wanted: () => boolean): Promise<boolean> {
  socket.write(INSTREAM)
  const all = await writeOut(socket, body.chunks(), { wanted, frame: (piece) => [lengthOf(piece), piece] })
  if (all) socket.write(END)
  return all
}

function lengthOf(piece: Buffer): Buffer {
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(piece.length)
  return length
}

function judged(text: string, { sentAll, spamNames }: { readonly sentAll: boolean; readonly spamNames: readonly SpamName[] }): Attempt {
  const reply = parseClamReply(text)
  if (reply === undefined) return failure(`it does not answer as clamd does: "${text}"`, 'lost')
  if (reply.status === 'too-big') return { status: 'too-big' }
  if (reply.status === 'error') return failure(`clamd says "${text}"`, 'answered')
  if (!sentAll) return failure(`clamd has answered before it had the message: "${text}"`, 'answered')
  if (reply.status === 'clean') return { status: 'clean' }
  const { name } = reply
  const spam = spamNames.find(({ prefix }) => name.startsWith(prefix))
  if (spam === undefined) return { status: 'virus', name: virusName(name) }
  return { status: 'scored', score: spam.score, symbols: [symbolOf({ name, score: spam.score })] }
}

function unanswered(exchanged: Exclude<Exchanged, { status: 'answer' }>, { body }: EngineMessage): Attempt {
  switch (exchanged.status) {
    case 'bad': return failure('it does not answer as clamd does', 'lost')
    case 'unreadable': return failure(`the message cannot be read: ${exchanged.cause}`, 'unclear')
    // StreamMaxLength may be lower than our limit, and its reply be lost with the connection: no reason to set it aside for all.
    case 'lost': return failure(exchanged.cause, exchanged.sending && body.size >= LARGE_BYTES ? 'unclear' : 'lost')
  }
}
