import { test } from 'node:test'
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { CLIENT, path, send, stage, until, type Peer } from './scripted-hop.ts'

const ALL = 'XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE'
const FORWARDED = 'XFORWARD NAME=client.example ADDR=192.0.2.7 PORT=4711 PROTO=ESMTP HELO=helo.example IDENT=ID1 SOURCE=REMOTE'

const mails = (peer: Peer | undefined): string[] => peer?.lines.filter((line) => /^(MAIL|XFORWARD|XCLIENT|EHLO|HELO)/.test(line)) ?? []

test('XFORWARD goes with MAIL in one write where the hop takes pipelining', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello(ALL, 'PIPELINING')
    // No answer before both are there.
    assert.equal(await peer.line(), FORWARDED)
    assert.equal(await peer.line(), 'MAIL FROM:<from@x.test>')
    peer.say('250 2.0.0 noted\r\n250 2.1.0 sender')
    await peer.serve()
  }, { xforward: true })
  const transaction = s.begin()
  assert.deepEqual(await transaction.mail(path('<from@x.test>')), { status: 250, text: '2.1.0 sender' })
})

test('XFORWARD and MAIL wait for each other where it does not', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello(ALL)
    assert.equal(await peer.line(), FORWARDED)
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    assert.equal(peer.unread, '')
    peer.say('250 ok')
    await peer.serve()
  }, { xforward: true })
  assert.equal((await send(s.begin())).status, 250)
})

test('XFORWARD tells of each client before each MAIL, on the same connection', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('XFORWARD NAME ADDR SOURCE', 'PIPELINING')
    await peer.serve()
  }, { xforward: true })
  await send(s.begin())
  await send(s.begin({ address: undefined, name: undefined, source: 'LOCAL' }))
  assert.deepEqual(mails(s.hop.peers[0]).slice(1), [
    'XFORWARD NAME=client.example ADDR=192.0.2.7 SOURCE=REMOTE', 'MAIL FROM:<from@x.test>',
    'XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] SOURCE=LOCAL', 'MAIL FROM:<from@x.test>',
  ])
  assert.equal(s.hop.peers.length, 1)
})

test('XFORWARD tells where the message came from, as a peer of ours says; XCLIENT tells who that peer is', async (t) => {
  const origin = { ...CLIENT, address: '127.0.0.1', name: 'localhost' }
  const s = await stage(t, async (peer) => {
    await peer.hello('XFORWARD NAME ADDR', 'XCLIENT NAME ADDR')
    assert.equal(await peer.line(), 'XCLIENT NAME=client.example ADDR=192.0.2.7')
    peer.say('220 mx.test again')
    await peer.ehlo('XFORWARD NAME ADDR')
    assert.equal(await peer.line(), 'XFORWARD NAME=localhost ADDR=127.0.0.1')
    peer.say('250 ok')
    await peer.serve()
  }, { xclient: true, xforward: true })
  assert.equal((await send(s.begin({ origin }))).status, 250)
})

test('XFORWARD is not sent where it is not wanted or not offered', async (t) => {
  for (const [offers, xforward] of [[[ALL], false], [['DSN'], true], [['XFORWARD'], true], [['XFORWARD FOO BAR'], true]] as const) {
    const s = await stage(t, async (peer) => {
      await peer.hello(...offers)
      await peer.serve()
    }, { xforward })
    assert.equal((await send(s.begin())).status, 250)
    assert.deepEqual(mails(s.hop.peers[0]), ['EHLO gw.test', 'MAIL FROM:<from@x.test>'])
  }
})

test('a refused XFORWARD is logged and costs no mail', async (t) => {
  for (const offers of [[ALL, 'PIPELINING'], [ALL]]) {
    const s = await stage(t, async (peer) => {
      await peer.hello(...offers)
      await peer.serve((line) => line.startsWith('XFORWARD') ? '550 5.7.0 not allowed' : undefined)
    }, { xforward: true })
    assert.equal((await send(s.begin())).status, 250)
    assert.deepEqual(s.log.entries.map((entry) => [entry.level, entry.facts['hop'], entry.facts['reply']]), [['warn', 'next', '550 5.7.0 not allowed']])
  }
})

test('long attributes become several commands, each with its answer', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('XFORWARD NAME HELO IDENT', 'PIPELINING')
    await peer.serve()
  }, { xforward: true })
  assert.equal((await send(s.begin({ name: 'n'.repeat(250), helo: 'h'.repeat(250) }))).status, 250)
  assert.equal((await send(s.begin())).status, 250)
  const sent = mails(s.hop.peers[0])
  assert.deepEqual(sent.map((line) => line.length <= 510), sent.map(() => true))
  assert.equal(sent.filter((line) => line.startsWith('XFORWARD')).length, 3)
})

test('a connection from the pool that turns out dead at XFORWARD: once more, on a new one', async (t) => {
  const first = (end: (peer: Peer) => void) => async (peer: Peer): Promise<void> => {
    await peer.hello(ALL, 'PIPELINING')
    let forwards = 0
    await peer.serve((line) => {
      if (line.startsWith('XFORWARD') && ++forwards === 2) end(peer)
      return undefined
    })
  }
  for (const end of [(peer: Peer) => peer.reset(), (peer: Peer) => peer.end('421 4.4.2 too late')]) {
    const s = await stage(t, [first(end), async (peer) => {
      await peer.hello(ALL, 'PIPELINING')
      await peer.serve()
    }], { xforward: true })
    assert.equal((await send(s.begin())).status, 250)
    assert.equal((await send(s.begin())).status, 250)
    assert.equal(s.hop.peers.length, 2)
  }
})

const XCLIENT = 'XCLIENT NAME ADDR PORT PROTO HELO LOGIN'

test('XCLIENT: the hop hears of the client, is greeted in its name, and asked again what it can do', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello(XCLIENT, 'DSN')
    assert.equal(await peer.line(), 'XCLIENT NAME=client.example ADDR=IPV6:2001:db8::9 PORT=4711 PROTO=ESMTP HELO=helo.example LOGIN=u+2Bx@y.test')
    peer.say('220 mx.test again')
    assert.equal(await peer.ehlo('8BITMIME'), 'EHLO helo.example')
    await peer.serve()
  }, { xclient: true })
  const transaction = s.begin({ address: '2001:db8::9', login: 'u+x@y.test' })
  // DSN was offered to us, not to the client.
  assert.equal((await transaction.mail(path('<a@x>', 'RET=HDRS'))).status, 451)
  assert.equal((await s.relay.capabilities())?.has('DSN'), true)
  assert.equal((await send(s.begin({ address: '2001:db8::9', login: 'u+x@y.test' }))).status, 250)
})

test('XCLIENT: no connection serves two clients, nor two transactions', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello(XCLIENT)
    await peer.serve((line) => line.startsWith('XCLIENT') ? '220 mx.test' : undefined)
  }, { xclient: true })
  await s.relay.capabilities()
  for (const name of ['one.example', 'two.example', undefined]) assert.equal((await send(s.begin({ name, helo: name }))).status, 250)
  const aborted = s.begin()
  await aborted.mail(path('<a@x>'))
  aborted.abort()
  await until(() => s.hop.peers.every((peer) => peer.lines.at(-1) === 'QUIT'))
  assert.deepEqual(s.hop.peers.map((peer) => [peer.lines[0], /NAME=(\S+)/.exec(peer.lines[1] ?? '')?.[1], peer.lines[2]]), [
    // The first connection is the one that asked for the capabilities.
    ['EHLO gw.test', 'one.example', 'EHLO one.example'],
    ['EHLO gw.test', 'two.example', 'EHLO two.example'],
    ['EHLO gw.test', '[UNAVAILABLE]', 'EHLO gw.test'],
    ['EHLO gw.test', 'client.example', 'EHLO helo.example'],
  ])
})

test('XCLIENT that is offered and not allowed: 451, since the hop would take the client for us', async (t) => {
  for (const refusal of ['550 5.7.0 insufficient authorization', '501 5.5.4 syntax', '503 5.5.1 not now']) {
    const s = await stage(t, async (peer) => {
      await peer.hello(XCLIENT)
      await peer.serve((line) => line.startsWith('XCLIENT') ? refusal : undefined)
    }, { xclient: true })
    const reply = await send(s.begin())
    assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 3, 2])
    assert.equal(s.log.at('warn')[0]?.facts['reply'], refusal)
    await s.hop.peers[0]?.closed()
    assert.ok(!s.hop.peers[0]?.lines.some((line) => line.startsWith('MAIL')))
  }
})

test('XCLIENT: a hop that rejects the client says so to the client', async (t) => {
  const rejections = [
    ['XCLIENT', '554 5.7.1 client host rejected', { status: 554, text: '5.7.1 client host rejected' }],
    ['XCLIENT', '421 4.7.0 too many', { status: 451, text: '4.7.0 too many' }],
    ['EHLO helo', '450 4.7.1 greylisted', { status: 450, text: '4.7.1 greylisted' }],
  ] as const
  for (const [at, answer, expected] of rejections) {
    const s = await stage(t, async (peer) => {
      await peer.hello(XCLIENT)
      await peer.serve((line) => line.startsWith(at) ? answer : line.startsWith('XCLIENT') ? '220 mx' : undefined)
    }, { xclient: true })
    assert.deepEqual(await send(s.begin()), expected)
    await s.hop.peers[0]?.closed()
  }
})

test('XCLIENT: nonsense and a lost connection', async (t) => {
  for (const [answer, codes] of [['250 ok', [451, 5, 0]], ['', [451, 5, 0]]] as const) {
    const s = await stage(t, async (peer) => {
      await peer.hello(XCLIENT)
      await peer.serve((line) => line.startsWith('XCLIENT') ? answer : undefined)
    }, { xclient: true })
    const reply = await send(s.begin())
    assert.deepEqual([reply.status, reply.subject, reply.detail], codes)
  }
  const s = await stage(t, [async (peer) => {
    await peer.hello(XCLIENT)
    await peer.line()
    peer.end()
  }, async (peer) => {
    await peer.hello(XCLIENT)
    await peer.serve((line) => line.startsWith('XCLIENT') ? '220 mx' : undefined)
  }], { xclient: true })
  // Lay in the pool and was closed by the hop: a new one is tried.
  await s.relay.capabilities()
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 2)
})

test('XCLIENT that is not offered, or without ADDR: 451, since the hop would take the client for us', async (t) => {
  for (const offers of [ALL, 'XCLIENT NAME HELO', 'XCLIENT']) {
    const s = await stage(t, async (peer) => {
      await peer.hello(offers)
      await peer.serve()
    }, { xclient: true, xforward: true })
    assert.equal((await send(s.begin())).status, 451)
    assert.deepEqual(mails(s.hop.peers[0]), ['EHLO gw.test'])
    assert.match(s.log.at('warn')[0]?.text ?? '', /^next hop does not offer us XCLIENT with ADDR/)
  }
})
