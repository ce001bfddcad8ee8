/** Rspamd's HTTP against a server that behaves well, and in every way badly. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RspamdSettings } from '../../../../src/spam/engines/settings.ts'
import { CERTIFICATE, PRIVATE_KEY } from '../../../support/certificate.ts'
import { engineFor, engineMessage, ground, HAM, longMessage, rspamd } from '../../../support/spam-engines.ts'
import { cuts, fakeEngine, type FakeConnection, type TestEnd } from './fake-engine.ts'

const JSON_ANSWER = '{"score":7.5,"required_score":15,"action":"add header","symbols":{"A":{"score":7.5}}}'
const FOUND = { status: 'scored', score: 7.5, threshold: 15, action: 'add header', symbols: [{ name: 'A', score: 7.5 }] }
const response = (body: string, status = '200 OK', more = ''): string => `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`
const ANSWER = response(JSON_ANSWER)

/** How many requests have come whole, counted by the end of the message. */
const requests = (received: string): number => received.split(HAM).length - 1

async function ask(t: TestEnd, behave: (connection: FakeConnection) => void | Promise<void>, { settings = {}, body = HAM }: { settings?: Partial<RspamdSettings>; body?: string } = {}) {
  const fake = await fakeEngine(t, behave)
  const engine = engineFor(t, rspamd({ address: fake.address, ...settings }), ground())
  return { found: await engine.scan(engineMessage(body)), engine, fake }
}

const answering = (...pieces: string[]) => async ({ until, say }: FakeConnection): Promise<void> => {
  await until((received) => requests(received) > 0)
  await say(...pieces)
}

test('what is asked: the facts of the session in fields, the prefix on top of the message', async (t) => {
  const fake = await fakeEngine(t, answering(ANSWER))
  const engine = engineFor(t, rspamd({ address: fake.address }), ground())
  const prefix = Buffer.from('Received: from a by b\r\n', 'latin1')
  const message = engineMessage(HAM, { prefix, sender: '', recipients: ['bert@example.org', 'jürgen@example.org'], user: 'anna', client: { ip: '2001:db8::1', helo: 'evil\r\nPassword: x', name: 'host.example' } })
  assert.deepEqual(await engine.scan(message), FOUND)
  const [head = '', ...rest] = (fake.connections[0]?.received() ?? '').split('\r\n\r\n')
  assert.equal(rest.join('\r\n\r\n'), `${prefix.toString('latin1')}${HAM}`)
  const [line, ...fields] = head.split('\r\n')
  assert.equal(line, 'POST /checkv2 HTTP/1.1')
  assert.deepEqual(fields.filter((field) => !/^(?:Host|Connection):/.test(field)).sort(), [
    `Content-Length: ${prefix.length + HAM.length}`, 'Content-Type: message/rfc822', 'From: <>', 'Helo: evil??Password: x', 'Hostname: host.example', 'IP: 2001:db8::1', 'Queue-Id: ID1',
    'Rcpt: <bert@example.org>', `Rcpt: <${Buffer.from('jürgen@example.org').toString('latin1')}>`, 'User: anna',
  ])
})

test('the answer is read wherever it is cut, over one connection that stays', async (t) => {
  const splits = cuts(ANSWER)
  const fake = await fakeEngine(t, async ({ until, say }) => {
    for (const [i, pieces] of splits.entries()) {
      await until((received) => requests(received) > i)
      await say(...pieces)
    }
  })
  const engine = engineFor(t, rspamd({ address: fake.address }), ground())
  for (let i = 0; i < splits.length; i++) assert.deepEqual(await engine.scan(engineMessage(HAM)), FOUND)
  assert.equal(fake.connections.length, 1)
})

test('no more connections than scans at a time', async (t) => {
  const fake = await fakeEngine(t, async ({ until, say }) => {
    for (let i = 0; ; i++) {
      await until((received) => requests(received) > i)
      await say(ANSWER)
    }
  })
  const engine = engineFor(t, rspamd({ address: fake.address, scans: 3, waiting: 50 }), ground())
  for (const found of await Promise.all(Array.from({ length: 40 }, () => engine.scan(engineMessage(HAM))))) assert.deepEqual(found, FOUND)
  assert.ok(fake.connections.length <= 3, String(fake.connections.length))
})

test('a connection that it has closed meanwhile is no failure: the message is sent again', async (t) => {
  const fake = await fakeEngine(t, async ({ socket, until, say }) => {
    await until((received) => requests(received) > 0)
    await say(ANSWER)
    await until((received) => received.length > 1000)
    socket.resetAndDestroy()
  })
  const engine = engineFor(t, rspamd({ address: fake.address }), ground())
  for (let i = 0; i < 5; i++) assert.deepEqual(await engine.scan(engineMessage(HAM)), FOUND)
  assert.ok(fake.connections.length > 1)
  assert.equal(engine.health().failures, 0)
})

test('what it answers with another code is an answer', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    [response('{"error":"Unauthorized"}', '401 Unauthorized'), 'Rspamd answers 401: Unauthorized'],
    [response('<html>', '502 Bad Gateway'), 'Rspamd answers 502'],
    [response('', '302 Found', 'Location: http://127.0.0.1:1/\r\n'), 'Rspamd answers 302'],
    [response('{"error":"cannot\\u001b parse"}'), 'Rspamd says "cannot? parse"'],
  ]
  for (const [answer, cause] of cases) {
    const { found, engine } = await ask(t, answering(answer))
    assert.deepEqual(found, { status: 'temperror', cause })
    assert.equal(engine.health().failures, 0)
  }
})

test('garbage, an early end, a reset, too much: each is a failure', async (t) => {
  const cases: readonly (readonly [(connection: FakeConnection) => void | Promise<void>, RegExp])[] = [
    [answering('SPAMD/1.0 76 Bad header line\r\n\r\n'), /Parse Error/],
    [answering(response('[1, 2]')), /^it does not answer as Rspamd does$/],
    [async (connection) => {
      await answering(ANSWER.slice(0, -3))(connection)
      connection.socket.end()
    }, /aborted|breaks off|lost|hang up/],
    [({ socket }) => void socket.destroy(), /hang up|ECONNRESET|EPIPE/],
    [answering(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(20_000)}\r\n`), /overflow/i],
    [async ({ socket, until }) => {
      await until((received) => requests(received) > 0)
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536, ' ')));
      }
      socket.on('drain', more)
      more()
    }, /^its answer is longer than 2097152 bytes$/],
  ]
  for (const [behave, cause] of cases) {
    const { found, engine } = await ask(t, behave)
    assert.ok(found.status === 'temperror')
    assert.match(found.cause, cause)
    assert.equal(engine.health().failures, 1)
  }
})

test('an answer before the message was taken: no score is believed, a refusal is', async (t) => {
  const body = longMessage(8_000_000).toString('latin1')
  for (const [answer, cause] of [[ANSWER, 'Rspamd has answered before it had the message'], [response('{"error":"too large"}', '413 Payload Too Large'), 'Rspamd answers 413: too large']] as const) {
    const { found, engine } = await ask(t, async ({ socket, until, say }) => {
      await until((received) => received.length > 200_000)
      await say(answer)
      socket.destroy()
    }, { body })
    assert.deepEqual(found, { status: 'temperror', cause })
    assert.equal(engine.health().failures, 0)
  }
})

test('silence, and a header of which more and more comes, cost the time', async (t) => {
  const endless = ({ socket }: FakeConnection): void => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    const drip = setInterval(() => socket.write('1\r\n \r\n'), 5)
    socket.on('close', () => clearInterval(drip))
  }
  for (const behave of [() => undefined, endless]) {
    const { found, engine } = await ask(t, behave, { settings: { timeoutMs: 80 } })
    assert.deepEqual(found, { status: 'temperror', cause: 'no answer in 80 ms' })
    // Nor has the ping an answer, which began before this one.
    assert.equal(await engine.ping(), 'no answer in 80 ms')
    assert.equal(engine.health().failures, 1)
  }
})

test('the password is read out of its file for each message, sent, and never shown', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-rspamd-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'password')
  const fake = await fakeEngine(t, async ({ until, say }) => {
    for (let i = 0; ; i++) {
      await until((received) => requests(received) > i)
      await say(ANSWER)
    }
  })
  const context = ground()
  const engine = engineFor(t, rspamd({ address: fake.address, passwordFile: file }), context)
  const absent = await engine.scan(engineMessage(HAM))
  assert.ok(absent.status === 'temperror')
  assert.match(absent.cause, /^the password file of Rspamd is not used: it cannot be read/)
  writeFileSync(file, 's3crét\n', { mode: 0o600 })
  assert.deepEqual(await engine.scan(engineMessage(HAM)), FOUND)
  assert.match(fake.connections[0]?.received() ?? '', new RegExp(`\r\nPassword: ${Buffer.from('s3crét').toString('latin1')}\r\n`))
  writeFileSync(file, 'n\u0001w\n')
  const broken = await engine.scan(engineMessage(HAM))
  assert.ok(broken.status === 'temperror')
  assert.doesNotMatch(broken.cause, /n\u0001w/)
  assert.equal(engine.health().failures, 0)
  assert.doesNotMatch(JSON.stringify([context.logged, engine.health()]), /s3cr/)
})

test('/ping', async (t) => {
  for (const [answer, expected] of [[response('pong\r\n'), undefined], [response('hello'), 'it answers /ping with something else than pong'], [response('pong', '404 Not Found'), 'it answers /ping with 404']] as const) {
    const fake = await fakeEngine(t, async ({ until, say }) => {
      await until((received) => received.startsWith('GET /ping HTTP/1.1\r\n'))
      await say(answer)
    })
    assert.equal(await engineFor(t, rspamd({ address: fake.address }), ground()).ping(), expected)
  }
})

test('over TLS: to one whose certificate is known, to no other', async (t) => {
  const server = createHttpsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (request, answer) => {
    request.resume().on('end', () => answer.end(JSON_ANSWER))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const bound = server.address()
  assert.ok(bound !== null && typeof bound === 'object')
  const asked = async (tls: RspamdSettings['tls']) => await engineFor(t, rspamd({ address: { host: '127.0.0.1', port: bound.port }, tls }), ground()).scan(engineMessage(HAM))
  assert.deepEqual(await asked({ ca: undefined, servername: undefined, verify: false }), FOUND)
  const unknown = await asked({ ca: undefined, servername: 'mx.example.org', verify: true })
  assert.ok(unknown.status === 'temperror', JSON.stringify(unknown))
})
