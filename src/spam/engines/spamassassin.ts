/**
 * SpamAssassin, by the protocol of its spamd: REPORT, which of all its commands
 * gives the names of rules with their points. One connection a message, our
 * side of it closed at the end of the message, as spamc does.
 */
import type { Socket } from 'node:net'
import { Dialler } from './dial.ts'
import type { Attempt, EngineAdapter, EngineMessage } from './engine.ts'
import { failure } from './engine-words.ts'
import type { SpamAssassinSettings } from './settings.ts'
import { exchange, type Exchanged } from './socket-exchange.ts'
import { SpamdAnswerReader, type SpamdAnswer } from './spamd-answer.ts'
import { wholeMessage, writeOut } from './write-out.ts'

const PING = Buffer.from('PING SPAMC/1.5\r\n\r\n', 'latin1')
const MAX_USER = 320

type Settings = Pick<SpamAssassinSettings, 'address' | 'tls' | 'user'>

export function createSpamAssassin({ address, tls, user }: Settings): EngineAdapter {
  const dialler = new Dialler(address, tls)
  return {
    seesPrefix: true,
    async scan(message, signal) {
      const reader = new SpamdAnswerReader()
      const exchanged = await exchange({ dialler, reader, signal, send: (socket, wanted) => report(socket, message, { user, wanted }) })
      if (exchanged.status !== 'answer') return unanswered(exchanged)
      return judged(reader.answer(), exchanged.sentAll)
    },
    async ping(signal) {
      const reader = new SpamdPongReader()
      const exchanged = await exchange({ dialler, reader, signal, send: (socket) => Promise.resolve(socket.end(PING).writable) })
      if (exchanged.status === 'answer') return undefined
      return exchanged.status === 'bad' ? 'it does not answer as spamd does' : exchanged.cause
    },
    close: () => undefined,
  }
}

async function report(socket: Socket, message: EngineMessage, { user, wanted }: Pick<Settings, 'user'> & { readonly wanted: () => boolean }): Promise<boolean> {
  const size = (message.prefix?.length ?? 0) + message.body.size
  const name = userName(message, user)
  socket.write(`REPORT SPAMC/1.5\r\nContent-length: ${size}\r\n${name === undefined ? '' : `User: ${name}\r\n`}\r\n`, 'utf8')
  const all = await writeOut(socket, wholeMessage(message), { wanted })
  if (all) socket.end()
  return all
}

/** Undefined, too, for a name that would not be one field of the request. */
function userName({ recipients }: EngineMessage, user: SpamAssassinSettings['user']): string | undefined {
  const name = user === 'recipient' ? (recipients.length === 1 ? recipients[0] : undefined) : user?.name
  return name === undefined || name === '' || name.length > MAX_USER || /[\p{Cc}\s]/u.test(name) ? undefined : name
}

function judged(answer: SpamdAnswer | undefined, sentAll: boolean): Attempt {
  if (answer === undefined) return failure('it does not answer as spamd does', 'lost')
  if (answer.status === 'error') return failure(`spamd says "${answer.text}"`, 'answered')
  const { verdict, symbols } = answer
  if (verdict === undefined) return failure('spamd has answered without a score', 'lost')
  if (!sentAll) return failure('spamd has answered before it had the message', 'answered')
  return { status: 'scored', score: verdict.score, threshold: verdict.threshold, symbols, action: verdict.spam ? 'spam' : 'no action' }
}

function unanswered(exchanged: Exclude<Exchanged, { status: 'answer' }>): Attempt {
  switch (exchanged.status) {
    case 'bad': return failure('it does not answer as spamd does', 'lost')
    case 'unreadable': return failure(`the message cannot be read: ${exchanged.cause}`, 'unclear')
    case 'lost': return failure(exchanged.cause, 'lost')
  }
}

/** `SPAMD/1.5 0 PONG` */
class SpamdPongReader {
  #text = ''

  push(piece: Buffer): 'more' | 'whole' | 'bad' {
    this.#text += piece.toString('latin1')
    if (/^SPAMD\/\d+\.\d+ 0 PONG\r?\n/.test(this.#text)) return 'whole'
    return this.#text.length > 512 || this.#text.includes('\n') ? 'bad' : 'more'
  }

  end(): 'bad' {
    return 'bad'
  }
}
