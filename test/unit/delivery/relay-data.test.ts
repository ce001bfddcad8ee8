import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { OutgoingMessage } from '../../../src/message/message.ts'
import type { Transaction } from '../../../src/delivery/next-hop.ts'
import type { RelaySettings } from '../../../src/config/settings.ts'
import type { TestContext } from 'node:test'
import { message, path, send, stage, storedMessage, until, type Peer, type Stage } from './scripted-hop.ts'

const BLOCK = Buffer.from(('.' + 'x'.repeat(61) + '\r\n').repeat(1024), 'latin1')

/** A stage at the point where the message may go out; `then` is what the hop does with DATA or BDAT. */
async function atData(t: TestContext, then: (peer: Peer) => Promise<void>, change: { offers?: readonly string[], settings?: Partial<RelaySettings>, body?: string, recipients?: number } = {}): Promise<Stage & { transaction: Transaction }> {
  const recipients = change.recipients ?? 1
  const s = await stage(t, [async (peer) => {
    await peer.hello(...(change.offers ?? []))
    for (let i = 0; i <= recipients; i++) {
      await peer.line()
      peer.say('250 ok')
    }
    await then(peer)
  }, async (peer) => {
    await peer.hello()
    await peer.serve()
  }], change.settings)
  const transaction = s.begin()
  assert.equal((await transaction.mail(path('<a@x>', ...(change.body ? [`BODY=${change.body}`] : [])))).status, 250)
  for (let i = 0; i < recipients; i++) assert.equal((await transaction.rcpt(path('<b@x>'))).status, 250)
  return { ...s, transaction }
}

/** `count` blocks; says how many were asked for. */
function blocks(count: number, change: Partial<OutgoingMessage> = {}) {
  const state = { pulled: 0, finished: false }
  const made = storedMessage(count * BLOCK.length, async function* () {
    try {
      for (; state.pulled < count; state.pulled++) {
        await setImmediate()
        yield BLOCK
      }
    } finally {
      state.finished = true
    }
  }, change)
  return { message: made, state }
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(typeof data === 'string' ? Buffer.from(data, 'latin1') : data).digest('hex')

async function stalled(state: { readonly pulled: number }): Promise<void> {
  // Nothing but room in the socket is waited for, so turns of the loop without progress mean that there is none.
  let [last, turns] = [-1, 0]
  await until(() => {
    turns = state.pulled === last && last > 0 ? turns + 1 : 0
    last = state.pulled
    return turns > 30
  })
}

test('a large message goes out whole, dots stuffed', async (t) => {
  let wire = ''
  const s = await atData(t, async (peer) => {
    await peer.line()
    peer.say('354 go')
    wire = await peer.through('\r\n.\r\n')
    peer.say('250 taken')
  })
  const prefix = Buffer.from('Received: x\r\n')
  const { message: large } = blocks(80, { prefix })
  assert.equal((await s.transaction.data(large))[0]?.status, 250)
  const expected = Buffer.concat([prefix, ...Array.from({ length: 80 }, () => Buffer.from(BLOCK.toString('latin1').replaceAll('.', '..'), 'latin1')), Buffer.from('.\r\n')])
  assert.equal(sha256(wire), sha256(expected))
})

test('a message in memory that is too long for one write', async (t) => {
  let wire = ''
  const s = await atData(t, async (peer) => {
    await peer.line()
    peer.say('354 go')
    wire = await peer.through('\r\n.\r\n')
    peer.say('250 taken')
  })
  const text = ('y'.repeat(98) + '\r\n').repeat(3000) + 'last'
  assert.equal((await s.transaction.data(message(text)))[0]?.status, 250)
  assert.equal(sha256(wire), sha256(text + '\r\n.\r\n'))
})

test('a hop that does not read is not written to without bound, and gets the rest when it reads', async (t) => {
  let peer: Peer | undefined
  const s = await atData(t, async (it) => {
    await it.line()
    it.socket.pause()
    it.say('354 go')
    peer = it
    await it.skipThrough('\r\n.\r\n')
    it.say('250 taken')
  })
  const { message: large, state } = blocks(1000)
  const answer = s.transaction.data(large)
  await stalled(state)
  assert.ok(state.pulled < 500, `${state.pulled} blocks were read ahead`)
  peer?.socket.resume()
  assert.equal((await answer)[0]?.status, 250)
  assert.equal(state.pulled, 1000)
})

test('a hop that reads no more is given up after the block time-out', async (t) => {
  const s = await atData(t, async (peer) => {
    await peer.line()
    peer.socket.pause()
    peer.say('354 go')
    await peer.closed()
  })
  const { message: large, state } = blocks(1000)
  const answer = s.transaction.data(large)
  await stalled(state)
  s.clock.advance(64_000)
  const [reply] = await answer
  assert.deepEqual([reply?.status, reply?.subject, reply?.detail], [451, 4, 2])
  assert.equal(s.log.at('warn')[0]?.facts['cause'], 'timeout')
  assert.equal(state.finished, true)
})

test('a refusal while the message is on its way is the answer, and no more is sent', async (t) => {
  for (const close of [false, true]) {
    const s = await atData(t, async (peer) => {
      await peer.line()
      peer.say('354 go')
      await peer.bytes(100_000)
      if (close) peer.end('552 5.3.4 too big')
      else {
        peer.socket.pause()
        peer.say('552 5.3.4 too big')
      }
      await until(() => peer.socket.destroyed || peer.socket.readableEnded)
    })
    const { message: large, state } = blocks(2000)
    assert.deepEqual(await s.transaction.data(large), [{ status: 552, text: '5.3.4 too big' }])
    assert.ok(state.pulled < 2000)
    assert.equal((await send(s.begin())).status, 250)
    assert.equal(s.hop.peers.length, 2)
  }
})

test('an acceptance before the end of the message is none', async (t) => {
  const s = await atData(t, async (peer) => {
    await peer.line()
    peer.say('354 go')
    await peer.bytes(100_000)
    peer.say('250 taken')
    await peer.closed()
  })
  const [reply] = await s.transaction.data(blocks(2000).message)
  assert.deepEqual([reply?.status, reply?.subject, reply?.detail], [451, 5, 0])
})

test('a hop that closes in mid-message', async (t) => {
  for (const end of [(peer: Peer) => peer.end(), (peer: Peer) => peer.reset()]) {
    const s = await atData(t, async (peer) => {
      await peer.line()
      peer.say('354 go')
      await peer.bytes(100_000)
      end(peer)
      await peer.closed()
    })
    const { message: large, state } = blocks(2000)
    const [reply] = await s.transaction.data(large)
    assert.deepEqual([reply?.status, reply?.subject, reply?.detail], [451, 4, 2])
    assert.equal(state.finished, true)
    assert.equal(s.log.at('warn').length, 1)
  }
})

test('a message with bytes that may not go out: 451, and its end never reaches the hop', async (t) => {
  const big = 'z'.repeat(70_000) + '\r\n'
  for (const text of ['a\nb\r\n', 'a\r\n.\nb\r\n', 'a\rb\r\n', 'a\0b\r\n', 'a\r', big + 'a\n', big + 'a\r']) {
    for (const chunked of [false, true]) {
      const s = await atData(t, async (peer) => {
        if (!chunked) {
          await peer.line()
          peer.say('354 go')
        }
        await peer.closed()
      }, { offers: ['CHUNKING'] })
      const [reply] = await s.transaction.data(message(text, { chunked }))
      assert.deepEqual([reply?.status, reply?.subject, reply?.detail], [451, 3, 0])
      await s.hop.peers[0]?.closed()
      assert.doesNotMatch(s.hop.peers[0]?.received ?? '', /\r(?!\n)|(?<!\r)\n|\0|\r\n\.\r\n/)
      assert.equal(s.log.at('error').length, 1)
      assert.equal((await send(s.begin())).status, 250)
    }
  }
})

test('a message that cannot be read to its end, or is not as long as it says: 451, never a part of it', async (t) => {
  const broken = storedMessage(3 * BLOCK.length, async function* () {
    yield await Promise.resolve(BLOCK)
    throw new Error('EIO: i/o error, read')
  })
  const short = storedMessage(3 * BLOCK.length, async function* () {
    yield await Promise.resolve(BLOCK)
  })
  const wrong = message('abc\r\n')
  for (const one of [broken, short, { ...short, chunked: true }, { ...wrong, body: { ...wrong.body, size: 99 } }]) {
    const s = await atData(t, async (peer) => {
      if (!one.chunked) {
        await peer.line()
        peer.say('354 go')
      }
      await peer.closed()
    }, { offers: ['CHUNKING'] })
    const [reply] = await s.transaction.data(one)
    assert.deepEqual([reply?.status, reply?.subject, reply?.detail], [451, 3, 0])
    await s.hop.peers[0]?.closed()
    assert.doesNotMatch(s.hop.peers[0]?.received ?? '', /\r\n\.\r\n/)
    assert.equal(s.log.at('error').length, 1)
  }
})

test('BDAT where the client used it and the hop has it', async (t) => {
  for (const text of ['', '.\r\n..a\r\nno line end', 'b\r\n'.repeat(40_000)]) {
    const s = await atData(t, async (peer) => {
      const prefix = 'R: x\r\n'
      assert.equal(await peer.line(), `BDAT ${prefix.length + text.length} LAST`)
      assert.equal(sha256(await peer.bytes(prefix.length + text.length)), sha256(prefix + text))
      assert.equal(peer.unread, '')
      peer.say('250 taken')
      await peer.serve()
    }, { offers: ['CHUNKING'] })
    assert.equal((await s.transaction.data(message(text, { chunked: true, prefix: Buffer.from('R: x\r\n') })))[0]?.status, 250)
    assert.equal((await send(s.begin())).status, 250)
    assert.equal(s.hop.peers.length, 1)
  }
})

test('a BDAT that is refused', async (t) => {
  const s = await atData(t, async (peer) => {
    await peer.line()
    await peer.bytes(3)
    peer.say('554 5.6.0 no')
    await peer.serve()
  }, { offers: ['CHUNKING'] })
  assert.deepEqual(await s.transaction.data(message('a\r\n', { chunked: true })), [{ status: 554, text: '5.6.0 no' }])
})

test('DATA where the client used BDAT and the hop has none, and where the client used DATA', async (t) => {
  for (const [offers, chunked] of [[[], true], [['CHUNKING'], false]] as const) {
    const s = await atData(t, async (peer) => {
      assert.equal(await peer.line(), 'DATA')
      peer.say('354 go')
      assert.equal(await peer.through('\r\n.\r\n'), '..a\r\n.\r\n')
      peer.say('250 taken')
    }, { offers })
    assert.equal((await s.transaction.data(message('.a', { chunked })))[0]?.status, 250)
  }
})

test('BINARYMIME goes by BDAT, every byte as it is, or not at all', async (t) => {
  const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('').repeat(400)
  const s = await atData(t, async (peer) => {
    assert.equal(await peer.line(), `BDAT ${bytes.length} LAST`)
    assert.equal(sha256(await peer.bytes(bytes.length)), sha256(bytes))
    peer.say('250 taken')
  }, { offers: ['CHUNKING', 'BINARYMIME'], body: 'BINARYMIME' })
  assert.equal(s.hop.peers[0]?.lines[1], 'MAIL FROM:<a@x> BODY=BINARYMIME')
  assert.equal((await s.transaction.data(message(bytes, { chunked: true, binary: true })))[0]?.status, 250)
  const without = await atData(t, async (peer) => {
    assert.equal(await peer.line(), 'RSET')
    peer.say('250 ok')
  })
  const [reply] = await without.transaction.data(message('a\n', { binary: true, chunked: true }))
  assert.deepEqual([reply?.status, reply?.subject, reply?.detail], [451, 3, 3])
})

test('LMTP by BDAT: one reply for each recipient', async (t) => {
  const s = await atData(t, async (peer) => {
    assert.equal(await peer.line(), 'BDAT 3 LAST')
    await peer.bytes(3)
    await peer.sayByByte('250 one\r\n550 two')
  }, { settings: { kind: 'lmtp' }, offers: ['CHUNKING'], recipients: 2 })
  assert.deepEqual((await s.transaction.data(message('a\r\n', { chunked: true }))).map((reply) => reply.status), [250, 550])
})

test('LMTP: what was answered counts where the hop then closes; the rest is tried again', async (t) => {
  for (const [last, expected] of [['', [250, 451, 451]], ['421 4.3.2 going down', [250, 451, 451]], ['354 what', [250, 451, 451]]] as const) {
    const s = await atData(t, async (peer) => {
      await peer.line()
      peer.say('354 go')
      await peer.through('\r\n.\r\n')
      peer.end(last === '' ? '250 one' : `250 one\r\n${last}`)
    }, { settings: { kind: 'lmtp' }, recipients: 3 })
    assert.deepEqual((await s.transaction.data(message('a\r\n'))).map((reply) => reply.status), expected)
    assert.equal(s.log.at('warn').length, 1)
  }
})

test('abort while the message is on its way', async (t) => {
  const s = await atData(t, async (peer) => {
    await peer.line()
    peer.socket.pause()
    peer.say('354 go')
    await peer.closed()
  })
  const { message: large, state } = blocks(1000)
  const answer = s.transaction.data(large)
  await stalled(state)
  s.transaction.abort()
  assert.deepEqual((await answer).map((reply) => reply.status), [451])
  assert.equal(state.finished, true)
  assert.deepEqual(s.log.at('warn'), [])
})
