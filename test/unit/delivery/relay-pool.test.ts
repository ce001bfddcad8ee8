import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { createRelayHop } from '../../../src/delivery/relay.ts'
import { CLIENT, FakeClock, RecordedLog, message, path, relaySettings, send, stage, until, type Peer, type Script } from './scripted-hop.ts'

const serve = async (peer: Peer): Promise<void> => {
  await peer.hello()
  await peer.serve()
}

/** Serves one transaction, then does what it is told at the next line. */
const once = (then: (peer: Peer) => void) => async (peer: Peer): Promise<void> => {
  await peer.hello()
  for (const reply of ['250 ok', '250 ok', '354 go']) {
    await peer.line()
    peer.say(reply)
  }
  await peer.through('\r\n.\r\n')
  peer.say('250 taken')
  await peer.line()
  then(peer)
}

for (const [name, then] of [
  ['closed', (peer: Peer) => peer.end()],
  ['reset', (peer: Peer) => peer.reset()],
  ['421 and closed', (peer: Peer) => peer.end('421 4.4.2 idle too long')],
  ['421, left open', (peer: Peer) => peer.say('421 4.4.2 idle too long')],
] as const) {
  test(`a connection from the pool that turns out dead at MAIL (${name}): once more, on a new one`, async (t) => {
    const s = await stage(t, [once(then), serve])
    assert.equal((await send(s.begin())).status, 250)
    assert.equal((await send(s.begin())).status, 250)
    assert.deepEqual(s.hop.peers.map((peer) => peer.lines.filter((line) => line.startsWith('MAIL')).length), [2, 1])
    assert.deepEqual(s.log.at('warn'), [])
  })
}

test('once more, and not twice', async (t) => {
  const s = await stage(t, [once((peer) => peer.end()), async (peer) => {
    await peer.hello()
    await peer.line()
    peer.end()
  }])
  assert.equal((await send(s.begin())).status, 250)
  const reply = await send(s.begin())
  assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 4, 2])
  assert.equal(s.hop.peers.length, 2)
})

test('a new connection that dies at MAIL is not tried again', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello()
    await peer.line()
    peer.end()
  })
  assert.equal((await send(s.begin())).status, 451)
  assert.equal(s.hop.peers.length, 1)
})

test('a hop that is slow at MAIL is not asked again', async (t) => {
  const s = await stage(t, once(() => undefined))
  await send(s.begin())
  const reply = s.begin().mail(path('<b@x>'))
  await until(() => s.hop.peers[0]?.lines.at(-1) === 'MAIL FROM:<b@x>')
  s.clock.advance(61_000)
  assert.equal((await reply).status, 451)
  assert.equal(s.hop.peers.length, 1)
})

test('a hop that closes an unused connection is no news', async (t) => {
  for (const end of [(peer: Peer) => peer.end(), (peer: Peer) => peer.end('421 4.3.2 bye'), (peer: Peer) => peer.reset()]) {
    const s = await stage(t, serve)
    await send(s.begin())
    const peer = s.hop.peers[0]
    assert.ok(peer)
    end(peer)
    await until(() => s.log.entries.length > 0)
    assert.deepEqual(s.log.entries.map((entry) => [entry.level, entry.text]), [['debug', 'next hop closed an unused connection']])
    assert.equal((await send(s.begin())).status, 250)
    assert.equal(s.hop.peers.length, 2)
  }
})

test('bytes that nobody asked for end an unused connection', async (t) => {
  for (const bytes of ['250 2.0.0 taken\r\n', '25', '\r\n']) {
    const s = await stage(t, serve)
    await send(s.begin())
    s.hop.peers[0]?.socket.write(bytes)
    await s.hop.peers[0]?.closed()
    assert.equal(s.log.at('warn').length, 1)
    assert.equal((await send(s.begin())).status, 250)
    assert.equal(s.hop.peers.length, 2)
  }
})

test('a reply too many behind a final reply: this one counts, the connection is not used again', async (t) => {
  const s = await stage(t, [async (peer) => {
    await peer.hello()
    await peer.serve((line) => line === '.' ? '250 taken\r\n250 and more' : undefined)
  }, serve])
  assert.deepEqual(await send(s.begin()), { status: 250, text: 'taken' })
  assert.equal((await send(s.begin())).text, '2.0.0 taken')
  assert.equal(s.hop.peers.length, 2)
})

test('a reply too many within a transaction ends it', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello()
    await peer.serve((line) => line.startsWith('MAIL') ? '250 ok\r\n250 for a recipient that was never named' : undefined)
  })
  const transaction = s.begin()
  assert.equal((await transaction.mail(path('<a@x>'))).status, 250)
  const reply = await transaction.rcpt(path('<b@x>'))
  assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 5, 0])
  assert.deepEqual(s.hop.peers[0]?.lines.length, 2)
  assert.equal(s.log.at('warn')[0]?.facts['cause'], 'unsolicited')
})

test('no more connections than allowed; who waits is served in order', async (t) => {
  const s = await stage(t, serve, { connections: 2 })
  const [a, b, c, d] = [s.begin(), s.begin(), s.begin(), s.begin()]
  await a.mail(path('<a@x>'))
  await b.mail(path('<b@x>'))
  const order: string[] = []
  const third = c.mail(path('<c@x>')).then((reply) => (order.push('c'), reply))
  const fourth = d.mail(path('<d@x>')).then((reply) => (order.push('d'), reply))
  await a.rcpt(path('<r@x>'))
  assert.deepEqual(order, [])
  await a.data(message('x\r\n'))
  assert.equal((await third).status, 250)
  assert.deepEqual(order, ['c'])
  b.abort()
  assert.equal((await fourth).status, 250)
  assert.equal(s.hop.peers.length, 2)
})

test('who waits too long gets a 451', async (t) => {
  const s = await stage(t, serve, { connections: 1 })
  const first = s.begin()
  await first.mail(path('<a@x>'))
  const waiting = s.begin().mail(path('<b@x>'))
  s.clock.advance(29_999)
  s.clock.advance(1)
  const reply = await waiting
  assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 3, 2])
  assert.equal(s.log.at('warn').length, 1)
  await first.rcpt(path('<r@x>'))
  assert.equal((await first.data(message('x\r\n')))[0]?.status, 250)
})

test('who waits gets a new connection when one in use is lost', async (t) => {
  const s = await stage(t, [async (peer) => {
    await peer.hello()
    await peer.serve((line) => line.startsWith('RCPT') ? '250-broken\r\n550 reply' : undefined)
  }, serve], { connections: 1 })
  const first = s.begin()
  await first.mail(path('<a@x>'))
  const waiting = s.begin().mail(path('<b@x>'))
  assert.equal((await first.rcpt(path('<r@x>'))).status, 451)
  assert.equal((await waiting).status, 250)
  assert.equal(s.hop.peers.length, 2)
})

test('an unused connection is closed after its time, with QUIT', async (t) => {
  const s = await stage(t, serve)
  await send(s.begin())
  s.clock.advance(59_999)
  assert.equal((await send(s.begin())).status, 250)
  s.clock.advance(60_000)
  await s.hop.peers[0]?.closed()
  assert.equal(s.hop.peers[0]?.lines.at(-1), 'QUIT')
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 2)
  assert.deepEqual(s.log.entries, [])
})

test('an old connection takes no new transaction, however busy it is', async (t) => {
  const s = await stage(t, serve, { maxAgeMs: 100_000 })
  for (let i = 0; i < 4; i++) {
    assert.equal((await send(s.begin())).status, 250)
    s.clock.advance(40_000)
  }
  assert.equal(s.hop.peers.length, 2)
  assert.equal(s.hop.peers[0]?.lines.at(-1), 'QUIT')
})

test('a hop that does not answer QUIT is closed all the same', async (t) => {
  const s = await stage(t, once(() => undefined))
  await send(s.begin())
  const closing = s.relay.close()
  await until(() => s.hop.peers[0]?.lines.at(-1) === 'QUIT')
  s.clock.advance(5000)
  await closing
})

test('a hop that is down: 451 with hop and cause in the log, and mail again as soon as it is up', async (t) => {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  assert.ok(address && typeof address === 'object')
  await new Promise((resolve) => probe.close(resolve))
  const log = new RecordedLog()
  const relay = createRelayHop(relaySettings({ kind: 'tcp', host: '127.0.0.1', port: address.port }), { hostname: 'gw.test', log, clock: new FakeClock() })
  const reply = await send(relay.begin(CLIENT))
  assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 4, 1])
  assert.equal(log.at('warn').length, 1)
  assert.deepEqual(log.at('warn')[0]?.facts['hop'], 'next')
  assert.match(String(log.at('warn')[0]?.facts['detail']), /ECONNREFUSED/)
  assert.equal(log.at('warn')[0]?.facts['peer'], `127.0.0.1:${address.port}`)
  const up = createServer((socket) => {
    socket.write('220 mx\r\n')
    socket.on('data', (bytes: Buffer) => socket.write(bytes.toString().startsWith('DATA') ? '354 go\r\n' : '250 ok\r\n'))
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => up.listen(address.port, '127.0.0.1', resolve))
  t.after(() => up.close())
  assert.equal((await send(relay.begin(CLIENT))).status, 250)
  await relay.close()
})

test('a transaction whose client is silent gives its connection up where another waits, and takes one again', async (t) => {
  const s = await stage(t, serve, { connections: 1 })
  const slow = s.begin()
  assert.equal((await slow.mail(path('<slow@x>'))).status, 250)
  assert.equal((await slow.rcpt(path('<one@y>'))).status, 250)
  const other = send(s.begin())
  // It has to have rested a second.
  s.clock.advance(999)
  assert.equal(s.hop.peers[0]?.lines.includes('RSET'), false)
  s.clock.advance(1)
  assert.equal((await other).status, 250)
  assert.equal((await slow.rcpt(path('<two@y>'))).status, 250)
  assert.equal((await slow.data(message('late\r\n')))[0]?.status, 250)
  assert.deepEqual(s.hop.peers[0].lines, [
    'EHLO gw.test', 'MAIL FROM:<slow@x>', 'RCPT TO:<one@y>', 'RSET',
    'MAIL FROM:<from@x.test>', 'RCPT TO:<to@y.test>', 'DATA',
    'MAIL FROM:<slow@x>', 'RCPT TO:<one@y>', 'RCPT TO:<two@y>', 'DATA',
  ])
  assert.equal(s.hop.peers.length, 1)
  assert.equal(s.log.at('warn').length, 0)
})

test('the longest silent first, and no more than wait; who is silent while nobody waits keeps its connection', async (t) => {
  const s = await stage(t, serve, { connections: 3 })
  const silent = [s.begin(), s.begin(), s.begin()]
  for (const [i, one] of silent.entries()) {
    await one.mail(path(`<silent${i}@x>`))
    s.clock.advance(500)
  }
  s.clock.advance(5000)
  assert.equal(s.hop.peers.some((peer) => peer.lines.includes('RSET')), false)
  assert.equal((await send(s.begin())).status, 250)
  assert.deepEqual(s.hop.peers.map((peer) => peer.lines.includes('RSET')), [true, false, false])
  for (const one of silent) one.abort()
})

test('a client that goes away after its transaction gave the connection up leaves nothing behind', async (t) => {
  const s = await stage(t, serve, { connections: 1 })
  const slow = s.begin()
  await slow.mail(path('<slow@x>'))
  s.clock.advance(1000)
  assert.equal((await send(s.begin())).status, 250)
  slow.abort()
  assert.equal((await slow.rcpt(path('<b@y>'))).status, 451)
  assert.equal((await send(s.begin())).status, 250)
  await s.relay.close()
})

test('a connection on which one client was refused often serves no other', async (t) => {
  const refusing: Script = async (peer) => {
    await peer.hello()
    await peer.serve((line) => line.startsWith('RCPT TO:<no') ? '550 no' : undefined)
  }
  const s = await stage(t, refusing, { connections: 1 })
  const guess = async (count: number): Promise<void> => {
    const one = s.begin()
    await one.mail(path('<a@x>'))
    for (let i = 0; i < count; i++) assert.equal((await one.rcpt(path(`<no${i}@y>`))).status, 550)
    one.abort()
  }
  await guess(4)
  assert.equal((await send(s.begin())).status, 250)
  // A message that the hop took ends the count, there and here.
  await guess(4)
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 1)
  await guess(5)
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 2)
})

test('a hop that is slow at QUIT does not gather connections', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('XCLIENT ADDR')
    await peer.serve((line) => line.startsWith('XCLIENT') ? '220 again' : line === 'QUIT' ? '' : undefined)
  }, { connections: 2, xclient: true })
  let open = 0
  let most = 0
  for (let i = 0; i < 12; i++) {
    await send(s.begin())
    open = s.hop.peers.filter((peer) => !peer.hasEnded).length
    most = Math.max(most, open)
  }
  assert.ok(most <= 6, `${most} at once`)
})
