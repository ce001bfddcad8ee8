/** The protocol of spamd against a server that behaves well, and in every way badly. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { test } from 'node:test'
import type { EngineMessage } from '../../../../src/spam/engines/engine.ts'
import type { SpamAssassinSettings } from '../../../../src/spam/engines/settings.ts'
import { CERTIFICATE, PRIVATE_KEY } from '../../../support/certificate.ts'
import { engineFor, engineMessage, ground, HAM, longMessage, spamassassin } from '../../../support/spam-engines.ts'
import { fakeEngine, type FakeConnection, type TestEnd } from './fake-engine.ts'

const REPORT = ' pts rule name              description\n---- ---------------------- -----------------\n 1.0 A_RULE                 It is one\n'
const ANSWER = `SPAMD/1.1 0 EX_OK\r\nContent-length: ${REPORT.length}\r\nSpam: True ; 7.5 / 5.0\r\n\r\n${REPORT}`
const FOUND = { status: 'scored', score: 7.5, threshold: 5, action: 'spam', symbols: [{ name: 'A_RULE', score: 1, description: 'It is one' }] }

async function ask(t: TestEnd, behave: (connection: FakeConnection) => void | Promise<void>, { settings = {}, message = {}, body = HAM }: { settings?: Partial<SpamAssassinSettings>; message?: Partial<EngineMessage>; body?: string } = {}) {
  const fake = await fakeEngine(t, behave)
  const engine = engineFor(t, spamassassin({ address: fake.address, ...settings }), ground())
  return { found: await engine.scan(engineMessage(body, message)), engine, fake }
}

async function whole({ socket }: FakeConnection): Promise<void> {
  if (!socket.readableEnded) await once(socket, 'end')
}

const answering = (...pieces: string[]) => async (connection: FakeConnection): Promise<void> => {
  await whole(connection)
  await connection.say(...pieces)
}

test('what is asked: the length, the prefix on top, and the end of our side', async (t) => {
  const prefix = Buffer.from('Received: from a by b\r\n', 'latin1')
  const { found, fake } = await ask(t, answering(ANSWER), { message: { prefix } })
  assert.deepEqual(found, FOUND)
  assert.equal(fake.connections[0]?.received(), `REPORT SPAMC/1.5\r\nContent-length: ${prefix.length + HAM.length}\r\n\r\n${prefix.toString('latin1')}${HAM}`)
})

test('whose preferences: of one user, of the only recipient, of nobody', async (t) => {
  const asked = async (user: SpamAssassinSettings['user'], recipients: readonly string[]): Promise<string | undefined> => {
    const { fake } = await ask(t, answering(ANSWER), { settings: { user }, message: { recipients } })
    return /^User: (.*)\r$/m.exec(fake.connections[0]?.received() ?? '')?.[1]
  }
  assert.equal(await asked({ name: 'mail' }, ['anna@example.org']), 'mail')
  assert.equal(await asked('recipient', ['anna@example.org']), 'anna@example.org')
  assert.equal(await asked('recipient', ['anna@example.org', 'bert@example.org']), undefined)
  assert.equal(await asked('recipient', []), undefined)
  for (const hostile of ['anna@example.org\r\nCompress: zlib', '"an na"@example.org', 'a'.repeat(400)]) assert.equal(await asked('recipient', [hostile]), undefined)
})

test('the answer is read in single bytes, and before the connection ends', async (t) => {
  const { found, fake } = await ask(t, answering(...Array.from(ANSWER)))
  assert.deepEqual(found, FOUND)
  assert.equal(fake.connections[0]?.socket.writableEnded, false)
})

test('its errors are answers, and do not count against it', async (t) => {
  for (const line of ['SPAMD/1.0 79 Timeout: (30 second timeout)\r\n', 'SPAMD/1.1 69 EX_UNAVAILABLE\r\n\r\n']) {
    const { found, engine } = await ask(t, async (connection) => {
      await answering(line)(connection)
      connection.socket.end()
    })
    assert.ok(found.status === 'temperror')
    assert.match(found.cause, /^spamd says "(?:79 Timeout: \(30 second timeout\)|69 EX_UNAVAILABLE)"$/)
    assert.equal(engine.health().failures, 0)
  }
})

test('garbage, no score, an early end, too much: each is a failure', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['220 mx.example ESMTP\r\n\r\n', /^it does not answer as spamd does$/],
    ['SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\n\r\n', /without a score/],
    [ANSWER.slice(0, -5), /closed the connection/],
    ['', /closed the connection/],
    [`SPAMD/1.1 0 EX_OK\r\n${'X: y\r\n'.repeat(2000)}`, /^it does not answer as spamd does$/],
    [`SPAMD/1.1 0 EX_OK\r\nSpam: True ; 5 / 5\r\n\r\n${' '.repeat(300_000)}`, /^it does not answer as spamd does$/],
  ]
  for (const [answer, cause] of cases) {
    const { found, engine } = await ask(t, async (connection) => {
      await answering(answer)(connection)
      connection.socket.end()
    })
    assert.ok(found.status === 'temperror', answer.slice(0, 60))
    assert.match(found.cause, cause)
    assert.equal(engine.health().failures, 1)
  }
})

test('an answer before the message was taken is none; silence costs the time', async (t) => {
  const body = longMessage(6_000_000).toString('latin1')
  const early = await ask(t, ({ until, say }) => until((text) => text.length > 100).then(() => say(ANSWER)), { settings: { maxBytes: 10_000_000 }, body })
  assert.deepEqual(early.found, { status: 'temperror', cause: 'spamd has answered before it had the message' })
  const silent = await ask(t, () => undefined, { settings: { timeoutMs: 50 } })
  assert.deepEqual(silent.found, { status: 'temperror', cause: 'no answer in 50 ms' })
})

test('PING', async (t) => {
  const answers = { 'SPAMD/1.5 0 PONG\r\n': undefined, 'SPAMD/1.5 0 OK\r\n': 'it does not answer as spamd does', '': 'it has closed the connection', [`S${'x'.repeat(1000)}`]: 'it does not answer as spamd does' }
  for (const [answer, expected] of Object.entries(answers)) {
    const fake = await fakeEngine(t, async (connection) => {
      await whole(connection)
      assert.equal(connection.received(), 'PING SPAMC/1.5\r\n\r\n')
      await connection.say(...Array.from(answer))
      connection.socket.end()
    })
    assert.equal(await engineFor(t, spamassassin({ address: fake.address }), ground()).ping(), expected)
  }
})

test('over TLS: to one whose certificate is known, to no other', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-spamd-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const ca = join(directory, 'ca.pem')
  writeFileSync(ca, CERTIFICATE)
  const server = createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined).resume().on('end', () => socket.end(ANSWER))
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  const bound = server.address()
  assert.ok(bound !== null && typeof bound === 'object')
  const asked = async (tls: SpamAssassinSettings['tls']) => await engineFor(t, spamassassin({ address: { host: '127.0.0.1', port: bound.port }, tls }), ground()).scan(engineMessage(HAM))
  assert.deepEqual(await asked({ ca: undefined, servername: undefined, verify: false }), FOUND)
  const unknown = await asked({ ca: undefined, servername: 'mx.example.org', verify: true })
  assert.ok(unknown.status === 'temperror', JSON.stringify(unknown))
  const absent = await asked({ ca: join(directory, 'none.pem'), servername: undefined, verify: true })
  assert.ok(absent.status === 'temperror' && absent.cause.startsWith('the file of authorities cannot be read: '), JSON.stringify(absent))
  const wrong = await asked({ ca, servername: 'another.invalid', verify: true })
  assert.ok(wrong.status === 'temperror' && /altnames|does not match/i.test(wrong.cause), JSON.stringify(wrong))
})
