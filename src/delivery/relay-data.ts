/**
 * Sends a message on a connection whose transaction has its recipients: by
 * DATA (RFC 5321 §4.1.1.4) or by one BDAT (RFC 3030 §2), and awaits the
 * replies: one, or from LMTP one for each recipient (RFC 2033 §4.2).
 *
 * Never rejects. A message that cannot be read to its end, or that has bytes
 * in it which may not go out, is `unsendable`; its end is then never sent, and
 * the connection is closed.
 */
import { outgoingSize, type OutgoingMessage } from '../message/message.ts'
import type { Answer, ClientConnection } from '../smtp/client-connection.ts'
import { DataEncoder, isFault, type Fault } from '../smtp/data-encoder.ts'

/** Up to this a message goes out in one write. */
const ONE_WRITE_BYTES = 64 * 1024

export interface DataTimeouts {
  readonly dataMs: number
  readonly blockMs: number
  readonly finalMs: number
}

export type Sent =
  /** the hop did not ask for the message; its one answer to DATA */
  | { readonly status: 'not-asked', readonly answer: Answer }
  | { readonly status: 'answered', readonly answers: readonly Answer[] }
  /** answered before the message was out, and so no more was sent; the connection is closed */
  | { readonly status: 'answered-early', readonly answers: readonly Answer[] }
  | { readonly status: 'unsendable', readonly detail: string }

export interface Sending {
  readonly message: OutgoingMessage
  readonly form: 'data' | 'bdat'
  /** how many final replies are to come */
  readonly replies: number
  readonly timeouts: DataTimeouts
}

export async function sendMessage(channel: ClientConnection, sending: Sending): Promise<Sent> {
  let head: Buffer | undefined
  if (sending.form === 'data') {
    const answer = await channel.command('DATA\r\n', sending.timeouts.dataMs)
    if (!('status' in answer) || answer.status !== 354) return { status: 'not-asked', answer }
  } else {
    if (channel.loss) return { status: 'not-asked', answer: channel.loss }
    head = Buffer.from(`BDAT ${outgoingSize(sending.message)} LAST\r\n`, 'latin1')
  }
  const finals: Promise<Answer>[] = []
  for (let i = 0; i < sending.replies; i++) finals.push(channel.expect(sending.timeouts.finalMs))
  const written = await write(channel, sending, head)
  switch (written.status) {
    case 'sent':
      channel.restartDeadline()
      return { status: 'answered', answers: await Promise.all(finals) }
    case 'stopped':
      channel.drop('answered before the message was sent')
      return { status: 'answered-early', answers: await Promise.all(finals) }
    case 'unsendable':
      channel.drop(`message cannot be sent: ${written.detail}`)
      return written
  }
}

type Written =
  | { readonly status: 'sent' }
  /** a reply came, or the connection was lost, before the end */
  | { readonly status: 'stopped' }
  | { readonly status: 'unsendable', readonly detail: string }

async function write(channel: ClientConnection, sending: Sending, head: Buffer | undefined): Promise<Written> {
  const { message } = sending
  const expectedSize = outgoingSize(message)
  const encoder = message.binary ? undefined : new DataEncoder(sending.form)
  if (message.body.memory && expectedSize <= ONE_WRITE_BYTES) {
    const whole = encodeWhole(encoder, [message.prefix, ...message.body.memory], expectedSize)
    if (!Array.isArray(whole)) return whole
    if (head) whole.unshift(head)
    channel.write(Buffer.concat(whole))
    return { status: 'sent' }
  }
  let size = 0
  try {
    if (head) channel.write(head)
    for await (const piece of pieces(message)) {
      size += piece.length
      const bytes = encoder ? encoder.encode(piece) : piece
      if (isFault(bytes)) return unsendable(bytes)
      if (!channel.write(bytes)) await channel.drained(sending.timeouts.blockMs)
      if (channel.loss || channel.outstanding < sending.replies) return { status: 'stopped' }
    }
  } catch (error) {
    return { status: 'unsendable', detail: `cannot be read: ${String(error)}` }
  }
  const end = encoder?.finish()
  if (end && isFault(end)) return unsendable(end)
  if (size !== expectedSize) return wrongSize(size, expectedSize)
  if (end) channel.write(end)
  return { status: 'sent' }
}

function encodeWhole(encoder: DataEncoder | undefined, from: readonly Buffer[], expectedSize: number): Buffer[] | Written {
  const encoded: Buffer[] = []
  let size = 0
  for (const piece of from) {
    size += piece.length
    const bytes = encoder ? encoder.encode(piece) : piece
    if (isFault(bytes)) return unsendable(bytes)
    encoded.push(bytes)
  }
  const end = encoder?.finish()
  if (end && isFault(end)) return unsendable(end)
  if (size !== expectedSize) return wrongSize(size, expectedSize)
  if (end) encoded.push(end)
  return encoded
}

function unsendable(fault: Fault): Written {
  return { status: 'unsendable', detail: `${fault.fault} at byte ${fault.offset}` }
}

function wrongSize(size: number, expected: number): Written {
  return { status: 'unsendable', detail: `has ${size} bytes, not ${expected}` }
}

async function* pieces(message: OutgoingMessage): AsyncGenerator<Buffer> {
  if (message.prefix.length > 0) yield message.prefix
  yield* message.body.chunks()
}
