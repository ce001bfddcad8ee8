/** ClamAV's protocol against a server that behaves well, and in every way badly. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EngineOutcome } from '../../../../src/spam/engines/engine.ts'
import { clamav, engineFor, engineMessage, ground, HAM, longMessage } from '../../../support/spam-engines.ts'
import { fileMessage, heldMessage, streamedMessage } from '../../../support/stored-message.ts'
import { cuts, fakeEngine, type FakeConnection, type TestEnd } from './fake-engine.ts'

const ended = (received: string): boolean => received.endsWith('\0\0\0\0')

/** What the chunks of INSTREAM come to. */
function streamed(received: string): string {
  const bytes = Buffer.from(received, 'latin1')
  assert.equal(bytes.toString('latin1', 0, 10), 'zINSTREAM\0')
  const parts = []
  for (let at = 10; ;) {
    const length = bytes.readUInt32BE(at)
    at += 4
    if (length === 0) {
      assert.equal(at, bytes.length)
      return parts.join('')
    }
    parts.push(bytes.toString('latin1', at, at + length))
    at += length
  }
}

async function outcome(t: TestEnd, behave: (connection: FakeConnection) => void | Promise<void>, { body = HAM, timeoutMs = 20_000 } = {}) {
  const fake = await fakeEngine(t, behave)
  const engine = engineFor(t, clamav({ address: fake.address, timeoutMs }), ground())
  const found: EngineOutcome = await engine.scan(engineMessage(body))
  return { found, health: engine.health(), fake, engine }
}

test('the message goes out in chunks, and the reply is read wherever it is cut', async (t) => {
  const pieces = ['Subject: x\r\n', '\r\n', 'a', '', 'bcd\r\n'].map((text) => Buffer.from(text))
  let reply: readonly string[] = []
  const fake = await fakeEngine(t, async (connection) => {
    await connection.until(ended)
    await connection.say(...reply)
  })
  const engine = engineFor(t, clamav({ address: fake.address }), ground())
  for (reply of cuts('stream: Evil-1 FOUND\0')) assert.deepEqual(await engine.scan(engineMessage(streamedMessage(pieces))), { status: 'virus', name: 'Evil-1' })
  reply = ['stream: OK\0']
  assert.deepEqual(await engine.scan(engineMessage(heldMessage(pieces), { prefix: Buffer.from('Received: by us\r\n') })), { status: 'clean' })
  for (const { received } of fake.connections) assert.equal(streamed(received()), 'Subject: x\r\n\r\nabcd\r\n')
})

test('25 MB out of a file, taken slowly: no more of it is held than a few pieces', async (t) => {
  const whole = longMessage(25_000_000)
  const body = await fileMessage(t, whole)
  let most = 0
  let taken = 0
  const fake = await fakeEngine(t, ({ socket, say }) => {
    socket.removeAllListeners('data')
    let tail = Buffer.alloc(0)
    socket.on('data', (piece: Buffer) => {
      taken += piece.length
      tail = Buffer.concat([tail, piece]).subarray(-4)
      if (tail.equals(Buffer.alloc(4))) return void say('stream: OK\0')
      socket.pause()
      setImmediate(() => socket.resume())
    })
  })
  const chunks = async function* () {
    let given = 0
    for await (const chunk of body.chunks()) {
      given += chunk.length
      most = Math.max(most, given - taken)
      yield chunk
    }
  }
  const engine = engineFor(t, clamav({ address: fake.address }), ground())
  assert.deepEqual(await engine.scan(engineMessage({ ...body, size: whole.length, memory: null, chunks, discard: () => undefined })), { status: 'clean' })
  assert.ok(taken > whole.length)
  // What the system's own buffers hold is in it.
  assert.ok(most < 16_000_000, String(most))
})

test('a larger message than is allowed is not shown at all', async (t) => {
  const fake = await fakeEngine(t, () => undefined)
  const engine = engineFor(t, clamav({ address: fake.address, maxBytes: HAM.length - 1 }), ground())
  assert.deepEqual(await engine.scan(engineMessage(HAM)), { status: 'too-big' })
  assert.equal(fake.connections.length, 0)
  assert.equal(engine.health().running, 0)
})

test('its own limit is heard while the message is on its way, and is no failure', async (t) => {
  const context = ground()
  const fake = await fakeEngine(t, async ({ socket, until, say }) => {
    await until((received) => received.length > 500_000)
    await say('INSTREAM size limit exceeded. ERROR\0')
    socket.resetAndDestroy()
  })
  const engine = engineFor(t, clamav({ address: fake.address }), context)
  const body = longMessage(10_000_000).toString('latin1')
  for (let i = 0; i < 2; i++) assert.deepEqual(await engine.scan(engineMessage(body)), { status: 'too-big' })
  assert.equal(engine.health().failures, 0)
  // Once is enough: it is the configuration that is wrong.
  assert.deepEqual(context.logged.map(({ level, facts, text }) => [level, facts['bytes'], facts['maxBytes'], text]), [['warn', body.length, 26_214_400, 'a spam engine takes less than max_size says: raise its own limit (of clamd: StreamMaxLength), or lower max_size']])
})

test('an error is answered, so it does not count against the engine', async (t) => {
  const { found, health } = await outcome(t, async ({ until, say }) => {
    await until(ended)
    await say('stream: Can\'t allocate memory ERROR\0')
  })
  assert.deepEqual(found, { status: 'temperror', cause: 'clamd says "stream: Can\'t allocate memory ERROR"' })
  assert.equal(health.failures, 0)
})

const BAD: readonly (readonly [string, (connection: FakeConnection) => void | Promise<void>, RegExp])[] = [
  ['closes at once', ({ socket }) => void socket.destroy(), /closed|ECONNRESET|EPIPE|lost/],
  ['closes in the middle of its reply', async ({ socket, until, say }) => {
    await until(ended)
    await say('stream: O')
    socket.end()
  }, /it has closed the connection/],
  ['resets', async ({ socket, until }) => {
    await until(ended)
    socket.resetAndDestroy()
  }, /ECONNRESET/],
  ['sends garbage', async ({ until, say }) => {
    await until(ended)
    await say('HTTP/1.1 400 Bad\u001b[0m Request\r\n\r\n\0')
  }, /^it does not answer as clamd does: "HTTP\/1\.1 400 Bad\?\[0m Request"$/],
  ['sends without end', async ({ socket, until }) => {
    await until(ended)
    const more = (): void => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 'x')));
    }
    socket.on('drain', more)
    more()
  }, /^it does not answer as clamd does$/],
]

for (const [what, behave, cause] of BAD) {
  test(`a server that ${what}`, async (t) => {
    const { found, health } = await outcome(t, behave)
    assert.ok(found.status === 'temperror')
    assert.match(found.cause, cause)
    assert.equal(health.failures, 1)
  })
}

test('a verdict before the message was read is none', async (t) => {
  for (const reply of ['stream: OK\0', 'stream: Evil FOUND\0']) {
    const { found, health } = await outcome(t, async ({ until, say }) => {
      await until((received) => received.length > 10)
      await say(reply)
    }, { body: longMessage(5_000_000).toString('latin1') })
    assert.ok(found.status === 'temperror')
    assert.match(found.cause, /^clamd has answered before it had the message/)
    assert.equal(health.failures, 0)
  }
})

test('a connection that breaks under a large message says nothing about the engine', async (t) => {
  const { found, health } = await outcome(t, async ({ socket, until }) => {
    await until((received) => received.length > 100_000)
    socket.resetAndDestroy()
  }, { body: longMessage(8_000_000).toString('latin1') })
  assert.equal(found.status, 'temperror')
  assert.equal(health.failures, 0)
})

test('one that says nothing, or does not even read, costs the time and no more', async (t) => {
  for (const behave of [() => undefined, ({ socket }: FakeConnection) => void socket.pause()]) {
    const { found, fake, engine } = await outcome(t, behave, { timeoutMs: 100, body: longMessage(8_000_000).toString('latin1') })
    assert.deepEqual(found, { status: 'temperror', cause: 'no answer in 100 ms' })
    // Nor has the ping an answer, which began before this one.
    assert.equal(await engine.ping(), 'no answer in 100 ms')
    assert.equal(engine.health().failures, 1)
    const [{ socket }] = fake.connections as [FakeConnection]
    socket.resume()
    if (!socket.closed && !socket.readableEnded) await new Promise((resolve) => socket.once('close', resolve).once('end', resolve))
  }
})

test('messages over which it takes too long are no failure while it answers a ping: everybody else is searched', async (t) => {
  const fake = await fakeEngine(t, async ({ until, say }) => {
    let heard = ''
    await until((received) => {
      heard = received
      return received === 'zPING\0' || (ended(received) && !received.includes('SLOW'))
    })
    await say(heard === 'zPING\0' ? 'PONG\0' : 'stream: Evil-1 FOUND\0')
  })
  const engine = engineFor(t, clamav({ address: fake.address, timeoutMs: 200 }), ground())
  const slow = await Promise.all(Array.from({ length: 8 }, () => engine.scan(engineMessage('SLOW'))))
  for (const found of slow) assert.deepEqual(found, { status: 'temperror', cause: 'no answer in 200 ms' })
  assert.equal(await engine.ping(), undefined)
  assert.deepEqual([engine.health().breaker, engine.health().failures], ['closed', 0])
  assert.deepEqual(await engine.scan(engineMessage(HAM)), { status: 'virus', name: 'Evil-1' })
})

test('nobody there, on a port and on a path', async (t) => {
  const fake = await fakeEngine(t, () => undefined)
  await fake.stop()
  const directory = mkdtempSync(join(tmpdir(), 'postern-clamav-'))
  t.after(() => rmSync(directory, { recursive: true }))
  for (const [address, cause] of [[fake.address, /ECONNREFUSED/], [{ path: join(directory, 'none') }, /ENOENT/]] as const) {
    const engine = engineFor(t, clamav({ address }), ground())
    const found = await engine.scan(engineMessage(HAM))
    assert.ok(found.status === 'temperror')
    assert.match(found.cause, cause)
    assert.match(await engine.ping() ?? '', cause)
  }
})

test('over a unix socket; a message that cannot be read is not the engine\'s fault', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-clamav-'))
  const path = join(directory, 'socket')
  const server = createServer((socket) => socket.on('error', () => undefined).on('data', (piece: Buffer) => {
    if (piece.toString('latin1') === 'zPING\0') socket.write('PONG\0')
    else if (ended(piece.toString('latin1'))) socket.write('stream: OK\0')
  }))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.after(() => {
    server.close()
    rmSync(directory, { recursive: true })
  })
  const engine = engineFor(t, clamav({ address: { path } }), ground())
  assert.equal(await engine.ping(), undefined)
  assert.deepEqual(await engine.scan(engineMessage(HAM)), { status: 'clean' })
  const body = heldMessage([Buffer.from(HAM)])
  body.discard()
  const unreadable = { ...body, size: 10, memory: null, chunks: () => body.chunks(), discard: () => undefined }
  assert.deepEqual(await engine.scan(engineMessage(unreadable)), { status: 'temperror', cause: 'the message cannot be read: the message was discarded' })
  assert.equal(engine.health().failures, 0)
})

test('names that stand for spam are scored, all others are viruses', async (t) => {
  const fake = await fakeEngine(t, async ({ until, say }) => {
    await until(ended)
    await say('stream: Sanesecurity.Junk.1 FOUND\0')
  })
  const spamNames = [{ prefix: 'Other.', score: 1 }, { prefix: 'Sanesecurity.', score: 3.5 }]
  const engine = engineFor(t, clamav({ address: fake.address, spamNames }), ground())
  assert.deepEqual(await engine.scan(engineMessage(HAM)), { status: 'scored', score: 3.5, symbols: [{ name: 'Sanesecurity.Junk.1', score: 3.5 }] })
})
