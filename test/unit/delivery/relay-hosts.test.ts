/** Several hosts for one hop, and several addresses for one host. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import type { RelaySettings, SocketAddress } from '../../../src/config/settings.ts'
import { createRelayHop } from '../../../src/delivery/relay.ts'
import { connectTo, type Resolve } from '../../../src/delivery/relay-socket.ts'
import { CLIENT, FakeClock, path, RecordedLog, relaySettings, ScriptedHop, send, until, type Peer, type Script } from './scripted-hop.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-hosts-'))
after(() => rmSync(directory, { recursive: true }))

const serves: Script = async (peer) => {
  await peer.hello('AUTH PLAIN')
  await peer.serve((line) => (line.startsWith('AUTH') ? '235 ok' : undefined))
}
const says = (greeting: string): Script => (peer) => peer.end(greeting)
/** nobody is reached: it was ours a moment ago */
const DOWN = 'down'

async function free(): Promise<SocketAddress> {
  const hop = new ScriptedHop([])
  const address = await hop.listen('tcp')
  await hop.stop()
  return address
}

async function stageOf(t: TestContext, scripts: readonly (Script | readonly Script[] | typeof DOWN)[], change: Partial<RelaySettings> = {}) {
  const hops: ScriptedHop[] = []
  const addresses: SocketAddress[] = []
  for (const script of scripts) {
    const hop = new ScriptedHop(script === DOWN ? [] : typeof script === 'function' ? [script] : script)
    hops.push(hop)
    addresses.push(script === DOWN ? await free() : await hop.listen('tcp'))
    if (script !== DOWN) t.after(() => hop.stop())
  }
  const [clock, log] = [new FakeClock(), new RecordedLog()]
  const [first] = addresses
  if (first === undefined) throw new Error('no host')
  const relay = createRelayHop(relaySettings(first, { addresses, ...change }), { hostname: 'gw.test', log, clock })
  return { relay, clock, log, addresses, send: () => send(relay.begin(CLIENT)), peers: () => hops.map(({ peers }) => peers.length), lines: (i: number) => (hops[i]?.peers ?? []).flatMap(({ lines }) => lines) }
}

test('the first that can be used has the mail, and keeps it', async (t) => {
  const s = await stageOf(t, [serves, serves])
  for (let i = 0; i < 3; i++) assert.equal((await s.send()).status, 250)
  assert.deepEqual(s.peers(), [1, 0])
})

for (const [what, first] of [
  ['refuses the connection', DOWN], ['greets with 421', says('421 4.3.2 not now')], ['greets with 554', says('554 5.3.2 never')], ['closes', (peer) => peer.end()], ['makes no sense', says('250 hello')],
  ['refuses EHLO and HELO', async (peer) => {
    peer.say('220 mx')
    for (;;) {
      await peer.line()
      peer.say('550 no')
    }
  }],
] as const satisfies readonly (readonly [string, Script | typeof DOWN])[]) {
  test(`a host that ${what}: the next has the mail`, async (t) => {
    const s = await stageOf(t, [first, serves])
    assert.equal((await s.send()).status, 250)
    assert.equal(s.log.at('warn').length, 1)
    assert.equal(s.log.at('warn')[0]?.facts['peer'], `127.0.0.1:${(s.addresses[0] as { port: number }).port}`)
  })
}

test('a host without the TLS that is required, or the login: the next', async (t) => {
  const passwordFile = join(directory, 'pw')
  writeFileSync(passwordFile, 'secret')
  chmodSync(passwordFile, 0o600)
  const refuses: Script = async (peer) => {
    await peer.hello('AUTH PLAIN')
    await peer.serve((line) => (line.startsWith('AUTH') ? '535 5.7.8 no' : undefined))
  }
  const s = await stageOf(t, [refuses, serves], { login: { user: 'anna', passwordFile } })
  for (let i = 0; i < 3; i++) assert.equal((await s.send()).status, 250)
  assert.deepEqual(s.peers(), [1, 1])

  const clear = await stageOf(t, [serves, serves], { tls: { mode: 'required', verify: true, name: undefined, ca: undefined } })
  assert.deepEqual((await clear.send()).detail, 4)
  assert.deepEqual(clear.peers(), [1, 1])
})

test('what a host answers to the transaction is its word, and no reason for another', async (t) => {
  const s = await stageOf(t, [async (peer) => {
    await peer.hello()
    await peer.serve((line) => (line.startsWith('MAIL') ? '451 4.3.0 not now' : undefined))
  }, serves])
  assert.equal((await s.send()).text, '4.3.0 not now')
  assert.deepEqual(s.peers(), [1, 0])
})

test('a host that failed is left alone, and then asked again by one transaction', async (t) => {
  const s = await stageOf(t, [[says('421 no'), says('421 no'), serves], serves], { maxAgeMs: 1 })
  const again = async (): Promise<number[]> => {
    // Connections are old at once: each transaction looks for its host anew.
    s.clock.advance(1)
    assert.equal((await s.send()).status, 250)
    return s.peers()
  }
  assert.deepEqual(await again(), [1, 1])
  assert.deepEqual(await again(), [1, 2])
  s.clock.advance(10_000)
  assert.deepEqual(await again(), [2, 3])
  s.clock.advance(19_000)
  assert.deepEqual(await again(), [2, 4])
  s.clock.advance(1000)
  // Two at once: one of them finds out, the other does not wait for that.
  const found = await Promise.all([s.send(), s.send()])
  assert.deepEqual(found.map(({ status }) => status), [250, 250])
  assert.deepEqual(s.peers(), [3, 5])
  assert.deepEqual(await again(), [4, 5])
})

test('where all have failed all are tried again at once, and the last refusal is the client\'s', async (t) => {
  const s = await stageOf(t, [says('421 no'), DOWN])
  for (let i = 1; i <= 3; i++) {
    const reply = await s.send()
    assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 4, 1])
    assert.equal(s.peers()[0], i)
  }
})

test('the search ends while the client still waits', async (t) => {
  const slow: Script = async (peer) => {
    peer.say('220 mx')
    await peer.line()
    s.clock.advance(60_000)
  }
  const s = await stageOf(t, [slow, slow, slow])
  assert.equal((await s.send()).status, 451)
  assert.deepEqual(s.peers(), [1, 1, 0])
})

test('a hop that cannot be reached at one host is asked at the other what it can do', async (t) => {
  const s = await stageOf(t, [DOWN, serves])
  assert.deepEqual([...(await s.relay.capabilities()) ?? []], [['AUTH', 'PLAIN']])
  await s.relay.close()
})

/* --- one name, several addresses --- */

/** Two servers on one port, of 127.0.0.1 and 127.0.0.2. */
async function twins(t: TestContext, greetings: readonly [string, string]): Promise<{ port: number; asked: number[] }> {
  const asked = [0, 0]
  let port = 0
  for (const [i, greeting] of greetings.entries()) {
    const server: Server = createServer((socket) => {
      asked[i] = (asked[i] ?? 0) + 1
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => {
        socket.write('250 ok\r\n'.repeat(bytes.toString().split('\r\n').length - 1))
      })
      if (greeting !== 'hold') socket.write(greeting + '\r\n')
    })
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, `127.0.0.${i + 1}`, resolve))
    const bound = server.address()
    port = typeof bound === 'object' && bound !== null ? bound.port : 0
    t.after(() => new Promise((resolve) => server.close(resolve)))
  }
  return { port, asked }
}

const both: Resolve = (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }, { address: '127.0.0.2', family: 4 }])

async function named(port: number, resolve: Resolve) {
  const [clock, log] = [new FakeClock(), new RecordedLog()]
  const relay = createRelayHop(relaySettings({ kind: 'tcp', host: 'mx.test', port }), { hostname: 'gw.test', log, clock, connect: (address, avoid) => connectTo(address, avoid, resolve) })
  const transaction = relay.begin(CLIENT)
  const reply = await transaction.mail(path('<a@x.test>'))
  transaction.abort()
  const closed = relay.close()
  clock.advance(10_000)
  await closed
  return { reply, log }
}

test('an address that takes the connection and no mail: the next of the name', async (t) => {
  const { port, asked } = await twins(t, ['421 4.3.2 not here', '220 mx'])
  const { reply, log } = await named(port, both)
  assert.equal(reply.status, 250)
  assert.deepEqual(asked, [1, 1])
  assert.equal(log.at('warn').length, 1)
})

test('each address of a name once, and the last refusal stands', async (t) => {
  const { port, asked } = await twins(t, ['421 4.3.2 not here', '554 5.3.2 nor here'])
  const { reply, log } = await named(port, both)
  assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 3, 2])
  assert.deepEqual(asked, [1, 1])
  assert.deepEqual(log.at('warn').map(({ facts }) => facts['detail']), ['421 4.3.2 not here', '554 5.3.2 nor here'])
})

test('a name that is not known, or has no address', async () => {
  for (const resolve of [(_, done) => done(new Error('getaddrinfo ENOTFOUND mx.test'), []), (_, done) => done(null, [])] satisfies Resolve[]) {
    const { reply, log } = await named(1, resolve)
    assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 4, 1])
    assert.equal(log.at('warn').length, 1)
  }
})

/* --- a host that lets us in and takes no mail --- */

const answers = (mail: (peer: Peer) => string | undefined): Script => async (peer) => {
  await peer.hello('AUTH PLAIN')
  await peer.serve((line) => (line.startsWith('AUTH') ? '235 ok' : line.startsWith('MAIL') ? mail(peer) : undefined))
}
const fails: readonly (readonly [string, Script])[] = [
  ['closes behind the login', async (peer) => {
    await peer.hello('AUTH PLAIN')
    await peer.line()
    peer.end('235 ok')
  }],
  ['closes at MAIL', async (peer) => {
    await peer.hello('AUTH PLAIN')
    await peer.line()
    peer.say('235 ok')
    await peer.line()
    peer.end()
  }],
  ['answers MAIL with 421', answers(() => '421 4.3.2 going')],
  ['wants a login all the same', answers(() => '530 5.7.0 Authentication required')],
  ['says by the enhanced code that it is about our login', answers(() => '550 5.7.8 no')],
  ['makes no sense at MAIL', answers(() => '354 go')],
]

function login(): Partial<RelaySettings> {
  const passwordFile = join(directory, 'login')
  writeFileSync(passwordFile, 'secret')
  chmodSync(passwordFile, 0o600)
  return { login: { user: 'anna', passwordFile } }
}

for (const [what, script] of fails) {
  test(`a host that ${what}: this very mail goes to the next, and the host is left alone, longer each time`, async (t) => {
    const s = await stageOf(t, [script, serves], { ...login(), maxAgeMs: 1 })
    const again = async (): Promise<number | undefined> => {
      s.clock.advance(1)
      assert.equal((await s.send()).status, 250)
      return s.peers()[0]
    }
    assert.equal(await again(), 1)
    assert.equal(await again(), 1)
    assert.ok(s.log.at('warn').some(({ facts }) => facts['peer'] === `127.0.0.1:${(s.addresses[0] as { port: number }).port}`))
    s.clock.advance(10_000)
    assert.equal(await again(), 2)
    s.clock.advance(19_000)
    assert.equal(await again(), 2)
    s.clock.advance(1000)
    assert.equal(await again(), 3)
  })

  test(`where each host ${what}, each is asked once, and the client is put off`, async (t) => {
    const s = await stageOf(t, [script, script, script], login())
    assert.equal((await s.send()).status, 451)
    assert.deepEqual(s.peers(), [1, 1, 1])
  })
}

test('a host that dies at MAIL after a long silence: no other, the client has waited long enough', async (t) => {
  const s = await stageOf(t, [async (peer) => {
    await peer.hello()
    await peer.line()
    s.clock.advance(100_000)
  }, serves])
  assert.equal((await s.send()).status, 451)
  assert.deepEqual(s.peers(), [1, 0])
  assert.equal((await s.send()).status, 250)
  assert.deepEqual(s.peers(), [1, 1])
})

test('a used connection on which the login has run out: a new one to the same host', async (t) => {
  let mails = 0
  const s = await stageOf(t, [answers(() => (++mails === 2 ? '530 5.7.0 Authentication required' : undefined)), serves], login())
  for (let i = 0; i < 3; i++) assert.equal((await s.send()).status, 250)
  assert.deepEqual(s.peers(), [2, 0])
})

test('a client that leaves at MAIL is no fault of the host', async (t) => {
  const s = await stageOf(t, [async (peer) => {
    await peer.hello()
    await peer.line()
  }, serves])
  const transaction = s.relay.begin(CLIENT)
  const mail = transaction.mail(path('<a@x.test>'))
  await until(() => s.lines(0).some((line) => line.startsWith('MAIL')))
  transaction.abort()
  assert.equal((await mail).status, 451)
  assert.deepEqual(s.peers(), [1, 0])
})

test('one transaction finds out, up to its MAIL, whether a host is back', async (t) => {
  let hold: (() => void) | undefined
  const s = await stageOf(t, [[says('421 no'), async (peer) => {
    await peer.hello('AUTH PLAIN')
    await peer.line()
    await new Promise<void>((resolve) => (hold = resolve))
    peer.say('250 ok')
    await peer.serve()
  }], serves])
  assert.equal((await s.send()).status, 250)
  s.clock.advance(10_000)
  const probing = s.send()
  await until(() => hold !== undefined)
  assert.equal((await s.send()).status, 250)
  assert.deepEqual(s.peers(), [2, 1])
  hold?.()
  assert.equal((await probing).status, 250)
  assert.equal((await s.send()).status, 250)
  assert.deepEqual(s.peers(), [2, 1])
})

test('when the first is back it has the mail, though the second has a connection to spare; that one ends when unused', async (t) => {
  const s = await stageOf(t, [[says('421 no'), serves], serves])
  assert.equal((await s.send()).status, 250)
  assert.equal((await s.send()).status, 250)
  assert.deepEqual(s.peers(), [1, 1])
  s.clock.advance(10_000)
  assert.equal((await s.send()).status, 250)
  assert.equal((await s.send()).status, 250)
  assert.deepEqual(s.peers(), [2, 1])
  assert.equal(s.lines(1).filter((line) => line.startsWith('MAIL')).length, 2)
  s.clock.advance(50_000)
  await until(() => s.lines(1).includes('QUIT'))
  assert.ok(!s.lines(0).includes('QUIT'))
})
