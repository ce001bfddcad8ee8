/**
 * A message of ours that no engine takes long over: whether it judges anything
 * at all is asked with it. It is nobody's mail, and what is said of it counts nothing.
 */
import type { EngineMessage } from './engine.ts'

const TEXT = Buffer.from([
  'From: postmaster@localhost', 'To: postmaster@localhost', 'Date: Thu, 01 Jan 2026 00:00:00 +0000', 'Message-ID: <short-message@localhost>',
  'Subject: Does this engine judge messages?', 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=us-ascii', '',
  'Postern asks, since a message had no answer in time.', '',
].join('\r\n'), 'latin1')

export const SHORT_MESSAGE: EngineMessage = {
  body: { size: TEXT.length, memory: [TEXT], chunks: () => inOnePiece(), discard: () => undefined },
  client: {}, sender: '', recipients: [], id: 'short-message',
}

async function* inOnePiece(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(TEXT)
}
