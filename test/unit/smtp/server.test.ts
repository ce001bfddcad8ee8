/** The listener over real loopback sockets: limits, half-closed clients, stopping, back pressure. Time is injected: nothing sleeps. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { inboundRoutes } from '../../../src/delivery/routes.ts'
import { FakeHop } from '../../support/fake-hop.ts'
import { directory, rawClient, stage, until } from '../../support/loopback-server.ts'

const LETTER = { to: 'b@hop.example', from: 'a@client.example', data: Buffer.from('Subject: x\r\n\r\ntext\r\n') }

test('a message over TCP, in one packet and byte by byte', async () => {
  const { hop, address, open } = await stage()
  const client = await open()
  await client.hello()
  assert.equal((await client.message(LETTER)).status, 250)
  await client.quit()
  const slow = await rawClient(address)
  for (const byte of Buffer.from('EHLO a\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@hop.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n')) {
    await new Promise((resolve) => slow.socket.write(Buffer.from([byte]), resolve))
  }
  await slow.ended
  slow.socket.end()
  assert.match(slow.text(), /354 [^\n]*\n250 2\.0\.0 Queued\r\n221 2\.0\.0 Bye\r\n$/)
  assert.deepEqual(hop.messages.map(String), ['Subject: x\r\n\r\ntext\r\n', 'x\r\n'])
})

test('a message over a unix socket that only owner and group may use', async () => {
  const path = join(directory, 'smtp.sock')
  const { open, messages } = await stage({ path })
  assert.equal(statSync(path).mode & 0o777, 0o660)
  const client = await open()
  await client.hello()
  assert.equal((await client.message(LETTER)).status, 250)
  await client.quit()
  assert.equal(messages()[0]?.['client'], undefined)
})

/* --- limits and ends --- */

test('TOO_MANY_SESSIONS: 421, and a place for the next as soon as one is gone', async () => {
  const { open, raw, server } = await stage({ limits: { sessions: 2 } })
  const first = await open()
  await first.hello()
  const second = await open()
  await second.hello()
  const third = await raw()
  await third.ended
  third.socket.end()
  assert.equal(third.text(), '421 4.3.2 Too many sessions at the moment, try again later\r\n')
  await first.quit()
  await until('gone', () => server.sessions === 1)
  const fourth = await open()
  await fourth.hello()
  for (const client of [second, fourth]) client.close()
})

test('a refused client that never closes is closed', async () => {
  const { raw, server, wait } = await stage({ limits: { sessions: 1 } })
  const first = await raw()
  await until('greeted', () => first.text() !== '')
  const second = await raw()
  await second.ended // our side only: the client keeps its own open
  wait(9_999)
  assert.equal(server.sessions, 2)
  wait(1)
  await until('gone', () => server.sessions === 1)
  for (const client of [first, second]) client.socket.destroy()
})

test('a client that has sent all and closed its side gets its replies', async () => {
  const { raw, hop } = await stage()
  const client = await raw()
  client.socket.end('HELO a\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@hop.example>\r\nDATA\r\nx\r\n.\r\n')
  await client.ended
  assert.match(client.text(), /250 2\.0\.0 Queued\r\n$/)
  assert.equal(hop.messages.length, 1)
})

test('a client that is gone in the middle of a message leaves nothing', async () => {
  const { raw, hop, server, messages } = await stage()
  const client = await raw()
  client.socket.write('HELO a\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@hop.example>\r\nDATA\r\nx\r\n')
  await until('in the message', () => client.text().includes('354'))
  client.socket.resetAndDestroy()
  await until('gone', () => server.sessions === 0)
  assert.deepEqual([messages()[0]?.['verdict'], hop.events.at(-1)], ['abandoned', 'ABORT'])
})

test('stop: idle sessions are told, the one in a transaction may end, and then all is closed', async () => {
  const { open, server } = await stage()
  const idle = await open()
  await idle.hello()
  const busy = await open()
  await busy.hello()
  await busy.command('MAIL FROM:<a@client.example>', 250)
  let stopped = false
  const stopping = server.stop().then(() => (stopped = true))
  await idle.expect(421)
  idle.close()
  await busy.command('RCPT TO:<b@hop.example>', 250)
  assert.ok(!stopped)
  await busy.command('DATA', 354)
  await busy.send('x\r\n.\r\n')
  await busy.expect(250)
  await busy.expect(421)
  busy.close()
  await stopping
})

test('abort: whoever is left is told 421 and closed', async () => {
  const { open, server } = await stage()
  const client = await open()
  await client.hello()
  await client.command('MAIL FROM:<a@client.example>', 250)
  const stopping = server.stop()
  server.abort()
  await client.expect(421)
  client.close()
  await stopping
})

/* --- back pressure --- */

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** How much more there is in buffers that something still holds. */
function growth(): () => number {
  collect()
  const before = process.memoryUsage().arrayBuffers
  return () => {
    collect()
    return process.memoryUsage().arrayBuffers - before
  }
}

test('a flood of commands from a client that reads nothing is not taken in', async () => {
  const { address, server } = await stage()
  const socket: Socket = connect({ port: (address as { port: number }).port, host: '127.0.0.1' })
  socket.pause()
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  const grown = growth()
  const piece = Buffer.from('HELP\r\n'.repeat(10_000))
  // 60 KB a write; what the kernel and we take is bounded, so the writes stop being done.
  let done = 0
  for (let i = 0; i < 500; i++) socket.write(piece, () => done++)
  let before = -1
  while (done !== before) {
    before = done
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(done < 400, `${done} of 500 writes were taken in`)
  assert.ok(grown() < 5_000_000, `${grown()} bytes of buffers`)
  socket.destroy()
  await until('gone', () => server.sessions === 0)
})

test('a message of 20 MB passes in bounded memory, through a file', async () => {
  const { open, hop } = await stage()
  const client = await open()
  await client.hello()
  await client.command('MAIL FROM:<a@client.example>', 250)
  await client.command('RCPT TO:<b@hop.example>', 250)
  await client.command('DATA', 354)
  const piece = Buffer.from(('x'.repeat(998) + '\r\n').repeat(64))
  const grown = growth()
  let most = 0
  for (let i = 0; i < 320; i++) {
    await client.send(piece)
    if (i % 20 === 0) most = Math.max(most, grown())
  }
  await client.send('.\r\n')
  assert.equal((await client.reply()).status, 250)
  await client.quit()
  assert.ok(most < 8_000_000, `${most} bytes of buffers`)
  assert.equal(hop.messages[0]?.length, piece.length * 320)
})

test('recipients that are not ours are refused over the wire, too', async () => {
  const hop = new FakeHop('x', 'smtp', { offers: new Map() })
  const { open } = await stage({ door: { routes: inboundRoutes(new Map(), hop) } })
  const client = await open()
  await client.hello()
  await client.command('MAIL FROM:<a@client.example>', 250)
  await client.command('RCPT TO:<x@elsewhere.example>', 550)
  await client.quit()
})
