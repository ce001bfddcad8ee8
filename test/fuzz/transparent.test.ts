/**
 * Fuzzing of the transparent session: what comes out of DATA is what the RFC
 * says, wherever it is cut; no bytes of a message become commands at a relay,
 * however lax it is about line ends; nothing throws, nothing hangs.
 */
import assert from 'node:assert/strict'
import { DataText, LineView } from '../../src/transparent/data-text.ts'
import { DataWire } from '../../src/transparent/data-wire.ts'
import { RelayReplies } from '../../src/transparent/relay-replies.ts'
import { fuzz, type Random } from '../support/fuzzing.ts'
import { Stage } from '../support/transparent.ts'

const BYTES = ['\r\n', '\r', '\n', '.', '..', '\0', 'a', 'text', '\r\n.', '\n.\n', '\r\n.\r', ' ', '\x80']

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

function inPieces(random: Random, text: string, feed: (piece: Buffer) => Buffer): string {
  return random.pieces(latin1(text)).map((piece) => feed(piece).toString('latin1')).join('')
}

fuzz('the text of DATA, in pieces', 4000, (random) => {
  const sent = random.soup(BYTES, 30)
  const behind = random.soup(BYTES, 5)
  const end = `\r\n${sent}\r\n.\r\n`.indexOf('\r\n.\r\n')
  const all = `${sent}\r\n.\r\n${behind}`
  const text = `\r\n${all}`.slice(2, end + 2).replace(/(^|\r\n)\./g, '$1')
  const decoder = new DataText()
  let used = 0
  const got = random.pieces(latin1(all)).map((piece) => {
    if (decoder.ended) return ''
    const out = decoder.decode(piece).toString('latin1')
    used += decoder.consumed
    return out
  }).join('')
  assert.equal(decoder.ended, true)
  assert.equal(got, text)
  assert.equal(used, end + 3)
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0
  assert.deepEqual([decoder.bareLf, decoder.nul], [count(/(?<!\r)\n/g), count(/\0/g)])
  assert.equal(decoder.clean, !/\r(?!\n)|(?<!\r)\n|\0/.test(text))
})

/** Whether somebody who leaves NUL out and takes CR, LF and CR LF for line ends has seen a dot alone. */
function hasEnded(wire: string): boolean {
  return /(?:^|[\r\n])\.[\r\n]/.test(wire.replaceAll('\0', ''))
}

fuzz('what goes to the relay as DATA', 4000, (random) => {
  const text = `${random.soup(BYTES, 30)}\r\n`
  const clean = !/\r(?!\n)|(?<!\r)\n|\0/.test(text)
  const wire = new DataWire(clean)
  let sent = ''
  let refused = false
  for (const piece of random.pieces(latin1(text))) {
    const out = wire.encode(piece)
    if (out === null) {
      refused = true
      break
    }
    sent += out.toString('latin1')
  }
  const stuffed = text.replace(/(^|\r\n)\./g, '$1..')
  assert.equal(refused, hasEnded(stuffed), JSON.stringify(text))
  if (refused) {
    assert.ok(!hasEnded(sent), JSON.stringify(sent))
    return
  }
  assert.equal(sent, stuffed)
  assert.equal(wire.finish().toString('latin1'), '.\r\n')
})

fuzz('bare LFs as line ends, in pieces', 2000, (random) => {
  const text = random.soup(BYTES, 30)
  const view = new LineView()
  assert.equal(inPieces(random, text, (piece) => view.feed(piece)), text.replace(/(?<!\r)\n/g, '\r\n'))
})

fuzz('replies of a relay', 3000, (random) => {
  const text = random.soup(['250', '-', ' ', 'ok', '\r\n', '\n', '\r', '\0', '250-a\r\n', '250 b\r\n', '354 go\r\n', '999 x\r\n'], 20)
  const all = (pieces: readonly Buffer[]): unknown[] => {
    const replies = new RelayReplies()
    const found: unknown[] = []
    for (const piece of pieces) {
      replies.feed(piece)
      for (let reply = replies.next(); reply !== undefined; reply = replies.next()) {
        found.push(reply)
        if (typeof reply === 'string') return found
      }
    }
    return found
  }
  assert.deepEqual(all(random.pieces(latin1(text))), all([latin1(text)]))
})

const CLIENT = ['EHLO x\r\n', 'MAIL FROM:<a@a.example>\r\n', 'RCPT TO:<b@b.example>\r\n', 'DATA\r\n', 'RSET\r\n', 'AUTH LOGIN\r\n', 'BDAT 3 LAST\r\nabc', 'BDAT 9999\r\n', 'STARTTLS\r\n', 'NOOP\r\n', '\r\n', '\n', '\r', '.', '\0', '\r\n.\r\n', 'QUIT\r\n', 'text']
const REPLIES = ['250 ok\r\n', '354 go\r\n', '334 x\r\n', '451 no\r\n', '421 bye\r\n', '', 'nonsense\r\n', '250-a\r\n250 b\r\n']

fuzz('sessions with clients and relays that say anything', 1500, async (random) => {
  const replies = Object.fromEntries(['', 'EHLO', 'MAIL', 'DATA', 'AUTH', '.', 'NOOP', '*'].filter(() => random.chance(0.3)).map((verb) => [verb, random.pick(REPLIES)]))
  const stage = new Stage({ replies, lax: random.chance(0.5), ...(random.chance(0.2) ? { verdict: () => ({ status: 'refuse', reply: '450 no\r\n' }) } : {}) })
  await stage.greet()
  for (const piece of random.pieces(latin1(random.soup(CLIENT, 30)))) {
    if (random.chance(0.02)) stage.session.relayLost()
    if (random.chance(0.02)) stage.session.fromRelay(latin1(random.pick(REPLIES)))
    if (random.chance(0.02)) stage.session.clientEnded()
    if (random.chance(0.02)) stage.session.stop()
    stage.session.fromClient(piece)
    if (random.chance(0.5)) await stage.settled()
  }
  await stage.settled()
  stage.now += 10_000
  stage.session.tick()
  await stage.settled()
  assert.ok(stage.session.isClosed(), 'it ends at last')
  for (const error of stage.errors) assert.match(error, /^the relay sent /)
})

fuzz('no line of a message becomes a command at the laxest relay', 2500, async (random) => {
  const stage = new Stage({ lax: true })
  await stage.greet()
  await stage.client('EHLO x\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n')
  const text = random.soup([...BYTES, 'EVIL\r\n', '\nEVIL\n', '.\r\nEVIL\r\n', '\0.\r\nEVIL\r\n'], 25)
  for (const piece of random.pieces(latin1(`${`${text}\r\n`.replace(/(^|\r\n)\.(?=\r\n)/g, '$1..')}.\r\n`))) stage.session.fromClient(piece)
  await stage.settled()
  assert.deepEqual(stage.relay.commands.slice(0, 4).map((line) => line.split(' ')[0]), ['EHLO', 'MAIL', 'RCPT', 'DATA'])
  assert.equal(stage.relay.commands.length, 4, JSON.stringify(stage.relay.commands))
  assert.match(stage.toClientText, stage.relay.messages.length === 1 ? /250 2\.0\.0 taken\r\n$/ : /550 5\.6\.11 [^\r]*\r\n$/)
})
