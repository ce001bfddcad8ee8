import { test } from 'node:test'
import assert from 'node:assert/strict'
import { message, path, send, stage, until, type Peer } from './scripted-hop.ts'

const serve = async (peer: Peer): Promise<void> => {
  await peer.hello('PIPELINING', 'SIZE 1000', '8BITMIME', 'DSN')
  await peer.serve()
}

test('a transaction: what is sent, and what comes back', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('SIZE 1000', '8BITMIME')
    assert.equal(await peer.line(), 'MAIL FROM:<from@x.test> SIZE=12 BODY=8BITMIME')
    peer.say('250-2.1.0 first\r\n250 2.1.0 second')
    assert.equal(await peer.line(), 'RCPT TO:<a@y.test>')
    peer.say('251 2.1.5 forwarded')
    assert.equal(await peer.line(), 'RCPT TO:<b@y.test>')
    peer.say('550-5.1.1 nobody\r\n550-5.1.1 of\r\n550 5.1.1 that name')
    assert.equal(await peer.line(), 'DATA')
    peer.say('354 go')
    assert.equal(await peer.through('\r\n.\r\n'), 'R: x\r\na: b\r\n\r\n..c\r\n.\r\n')
    peer.say('250 2.0.0 queued as \xe9')
  })
  const transaction = s.begin()
  assert.deepEqual(await transaction.mail(path('<from@x.test>', 'SIZE=12', 'BODY=8BITMIME')), { status: 250, text: ['2.1.0 first', '2.1.0 second'] })
  assert.deepEqual(await transaction.rcpt(path('<a@y.test>')), { status: 251, text: '2.1.5 forwarded' })
  assert.deepEqual(await transaction.rcpt(path('<b@y.test>')), { status: 550, text: ['5.1.1 nobody', '5.1.1 of', '5.1.1 that name'] })
  assert.deepEqual(await transaction.data(message('a: b\r\n\r\n.c\r\n', { prefix: Buffer.from('R: x\r\n') })), [{ status: 250, text: '2.0.0 queued as \xe9' }])
  assert.deepEqual(s.hop.peers[0]?.lines[0], 'EHLO gw.test')
  assert.deepEqual(s.log.entries, [])
})

test('replies that come byte by byte', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.sayByByte('220-mx\r\n220 ready')
    await peer.line()
    await peer.sayByByte('250-mx\r\n250 DSN')
    await peer.line()
    await peer.sayByByte('250-a\r\n250 b')
    await peer.line()
    await peer.sayByByte('250 c')
    await peer.line()
    await peer.sayByByte('354 d')
    // An empty message: the dot stands on the first line.
    await peer.through('.\r\n')
    await peer.sayByByte('250 e')
  })
  const transaction = s.begin()
  assert.deepEqual(await transaction.mail(path('<a@b>', 'RET=HDRS')), { status: 250, text: ['a', 'b'] })
  assert.deepEqual(await transaction.rcpt(path('<c@d>')), { status: 250, text: 'c' })
  assert.deepEqual(await transaction.data(message('')), [{ status: 250, text: 'e' }])
  assert.ok(s.hop.peers[0]?.received.endsWith('DATA\r\n.\r\n'))
})

test('one connection serves one transaction after the other', async (t) => {
  const s = await stage(t, serve)
  for (let i = 0; i < 5; i++) assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 1)
})

test('transactions at the same time have a connection each', async (t) => {
  const s = await stage(t, serve)
  const both = [s.begin(), s.begin()] as const
  await both[0].mail(path('<a@x>'))
  await both[1].mail(path('<b@x>'))
  assert.equal(s.hop.peers.length, 2)
  for (const one of both) {
    await one.rcpt(path('<c@x>'))
    assert.equal((await one.data(message('x\r\n')))[0]?.status, 250)
  }
  assert.deepEqual(s.hop.peers.map((peer) => peer.lines[1]), ['MAIL FROM:<a@x>', 'MAIL FROM:<b@x>'])
})

test('a refused MAIL passes, is reset, and leaves the connection fit for use', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello()
    await peer.serve((line) => line === 'MAIL FROM:<bad@x>' ? '553 5.1.8 not you' : undefined)
  })
  const transaction = s.begin()
  assert.deepEqual(await transaction.mail(path('<bad@x>')), { status: 553, text: '5.1.8 not you' })
  transaction.abort()
  assert.equal((await transaction.rcpt(path('<c@x>'))).status, 553)
  await until(() => s.hop.peers[0]?.lines.includes('RSET') ?? false)
  assert.equal((await send(s.begin())).status, 250)
  assert.deepEqual(s.hop.peers.map((peer) => peer.lines), [['EHLO gw.test', 'MAIL FROM:<bad@x>', 'RSET', 'MAIL FROM:<from@x.test>', 'RCPT TO:<to@y.test>', 'DATA']])
})

test('an aborted transaction is reset before the connection is used again', async (t) => {
  const s = await stage(t, serve, { connections: 1 })
  const first = s.begin()
  await first.mail(path('<a@x>'))
  await first.rcpt(path('<b@x>'))
  first.abort()
  first.abort()
  assert.equal((await send(s.begin())).status, 250)
  assert.deepEqual(s.hop.peers.map((peer) => peer.lines), [['EHLO gw.test', 'MAIL FROM:<a@x>', 'RCPT TO:<b@x>', 'RSET', 'MAIL FROM:<from@x.test>', 'RCPT TO:<to@y.test>', 'DATA']])
  assert.deepEqual(s.log.entries, [])
})

test('where RSET is not answered by 250 the connection is not used again', async (t) => {
  const s = await stage(t, [async (peer) => {
    await peer.hello()
    await peer.serve((line) => line === 'RSET' ? '500 5.5.1 never heard of it' : undefined)
  }, serve], { connections: 1 })
  const first = s.begin()
  await first.mail(path('<a@x>'))
  first.abort()
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 2)
})

test('abort while an answer is awaited closes the connection', async (t) => {
  const s = await stage(t, [async (peer) => {
    await peer.hello()
    await peer.line()
    peer.say('250 ok')
    await peer.line()
    await peer.closed()
  }, serve], { connections: 1 })
  const first = s.begin()
  await first.mail(path('<a@x>'))
  const answer = first.rcpt(path('<b@x>'))
  first.abort()
  assert.equal((await answer).status, 451)
  assert.equal((await send(s.begin())).status, 250)
  assert.deepEqual(s.log.entries, [])
})

test('abort before MAIL was answered, and before there was a connection', async (t) => {
  const s = await stage(t, [async (peer) => {
    await peer.hello()
    await peer.line()
    await peer.closed()
  }, serve])
  const idle = s.begin()
  idle.abort()
  assert.equal((await idle.mail(path('<a@x>'))).status, 451)
  assert.equal(s.hop.peers.length, 0)
  const early = s.begin()
  const answer = early.mail(path('<a@x>'))
  await until(() => s.hop.peers[0]?.lines.length === 2)
  early.abort()
  assert.equal((await answer).status, 451)
  const connecting = s.begin()
  const other = connecting.mail(path('<a@x>'))
  connecting.abort()
  assert.equal((await other).status, 451)
  // The connection that it no longer wanted is there for the next.
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 2)
})

test('DATA refused before 354 passes, and the connection is reset', async (t) => {
  let asked = 0
  const s = await stage(t, async (peer) => {
    await peer.hello()
    await peer.serve((line) => line === 'DATA' && asked++ === 0 ? '554 5.7.1 no' : undefined)
  }, { connections: 1 })
  assert.deepEqual(await send(s.begin()), { status: 554, text: '5.7.1 no' })
  assert.equal((await send(s.begin())).status, 250)
  assert.ok(s.hop.peers[0]?.lines.includes('RSET'))
  assert.equal(s.hop.peers.length, 1)
})

test('a final refusal passes, and the connection stays', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello()
    await peer.serve((line) => line === '.' ? '550-5.7.1 spam\r\n550 5.7.1 see https://x.test' : undefined)
  })
  assert.deepEqual(await send(s.begin()), { status: 550, text: ['5.7.1 spam', '5.7.1 see https://x.test'] })
  assert.equal((await send(s.begin())).status, 550)
  assert.equal(s.hop.peers.length, 1)
})

test('what the hop does not offer is refused, not downgraded', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('8BITMIME')
    await peer.serve()
  })
  for (const parameter of ['SMTPUTF8', 'BODY=BINARYMIME', 'RET=FULL', 'REQUIRETLS']) {
    const reply = await s.begin().mail(path('<a@x>', parameter))
    assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 3, 3], parameter)
  }
  const transaction = s.begin()
  assert.equal((await transaction.mail(path('<a@x>', 'SIZE=1', 'BODY=8BITMIME'))).status, 250)
  assert.equal((await transaction.rcpt(path('<a@x>', 'NOTIFY=NEVER'))).status, 451)
  assert.equal((await transaction.rcpt(path('<b@x>'))).status, 250)
  assert.deepEqual(s.hop.peers.map((peer) => peer.lines), [['EHLO gw.test', 'MAIL FROM:<a@x> BODY=8BITMIME', 'RCPT TO:<b@x>']])
})

test('REQUIRETLS of a hop without verified TLS is worth nothing', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('REQUIRETLS', 'DSN')
    await peer.serve()
  })
  assert.deepEqual([...await s.relay.capabilities() ?? []], [['DSN', '']])
  assert.equal((await s.begin().mail(path('<a@x>', 'REQUIRETLS'))).status, 451)
})

test('calls out of order are answered, and logged as our own fault', async (t) => {
  const s = await stage(t, serve)
  const transaction = s.begin()
  assert.equal((await transaction.rcpt(path('<b@x>'))).status, 451)
  await transaction.mail(path('<a@x>'))
  assert.equal((await transaction.mail(path('<a@x>'))).status, 451)
  assert.deepEqual((await transaction.data(message('x'))).map((reply) => reply.status), [451])
  assert.equal((await transaction.rcpt(path('<b@x>'))).status, 451)
  assert.equal(s.log.at('error').length, 3)
})

test('a line end inside a path never reaches the hop', async (t) => {
  const s = await stage(t, serve)
  assert.equal((await s.begin().mail(path('<a@x>\r\nRCPT TO:<b@x>'))).status, 451)
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers[0]?.lines[1], 'MAIL FROM:<from@x.test>')
  assert.equal(s.log.at('error').length, 1)
})

test('LMTP: LHLO, and one reply for each accepted recipient', async (t) => {
  const s = await stage(t, async (peer) => {
    assert.equal(await peer.hello('PIPELINING'), 'LHLO gw.test')
    for (const reply of ['250 ok', '250 one', '550 5.1.1 no', '250 two', '354 go']) {
      await peer.line()
      peer.say(reply)
    }
    await peer.through('\r\n.\r\n')
    peer.say('250 2.0.0 <one> saved\r\n452-4.2.2 <two>\r\n452 4.2.2 full')
    await peer.serve()
  }, { kind: 'lmtp', unix: true })
  const transaction = s.begin()
  await transaction.mail(path('<a@x>'))
  for (const name of ['one', 'none', 'two']) await transaction.rcpt(path(`<${name}@x>`))
  assert.deepEqual(await transaction.data(message('x\r\n')), [{ status: 250, text: '2.0.0 <one> saved' }, { status: 452, text: ['4.2.2 <two>', '4.2.2 full'] }])
  assert.equal((await s.begin().mail(path('<b@x>'))).status, 250)
  assert.equal(s.hop.peers.length, 1)
})

test('LMTP: a refusal of DATA is one for every recipient', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello()
    await peer.serve((line) => line === 'DATA' ? '451 4.3.0 not now' : undefined)
  }, { kind: 'lmtp' })
  const transaction = s.begin()
  await transaction.mail(path('<a@x>'))
  await transaction.rcpt(path('<b@x>'))
  await transaction.rcpt(path('<c@x>'))
  assert.deepEqual(await transaction.data(message('x\r\n')), [{ status: 451, text: '4.3.0 not now' }, { status: 451, text: '4.3.0 not now' }])
})

test('close waits for the running transaction, takes no new one, and says QUIT', async (t) => {
  const s = await stage(t, serve)
  await send(s.begin())
  const running = s.begin()
  await running.mail(path('<a@x>'))
  let closed = false
  const closing = s.relay.close().then(() => closed = true)
  assert.deepEqual((await s.begin().mail(path('<b@x>'))).status, 451)
  await running.rcpt(path('<b@x>'))
  assert.equal(closed, false)
  assert.equal((await running.data(message('x\r\n')))[0]?.status, 250)
  await closing
  assert.equal(s.hop.peers.length, 1)
  assert.equal(s.hop.peers[0]?.lines.at(-1), 'QUIT')
  assert.equal(s.clock.running, false)
})
