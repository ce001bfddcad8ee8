/** The transparent server over real sockets: relays that are down, large messages, bounds on sessions, stops. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, describe, test } from 'node:test'
import type { StoredMessage } from '../../../src/message/message.ts'
import type { TransparentProfile } from '../../../src/transparent/connection.ts'
import type { PassingVerdict } from '../../../src/transparent/passing-message.ts'
import { SpooledMessage } from '../../../src/transparent/spooled-message.ts'
import { TransparentServer } from '../../../src/transparent/server.ts'
import { Admission } from '../../../src/smtp/admission.ts'
import { CaptureSink, EVERY_EXTENSION } from '../../support/capture-sink.ts'
import { freePort } from '../../support/ports.ts'
import { temporaryDirectory, until } from '../../support/process.ts'
import { Dialog } from '../../support/smtp-dialog.ts'

const spool = { directory: temporaryDirectory('spool'), memoryBytes: 64 * 1024 }
const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const running: { stop(): Promise<unknown> }[] = []
after(async () => {
  for (const one of running) await one.stop()
})

class Passed extends SpooledMessage {
  protected look(): void {
    // Nobody signs here.
  }

  protected judge(body: StoredMessage): Promise<PassingVerdict> {
    return Promise.resolve({ status: 'send', prefix: Buffer.from('X-Passed: yes\r\n'), body })
  }
}

interface Open {
  readonly server: TransparentServer
  readonly port: number
  now: number
}

async function open(relayPort: number, change: Partial<TransparentProfile> = {}, { sessions = 10, waiting = 0 } = {}): Promise<Open> {
  const clock = { now: 0 }
  const server = new TransparentServer({
    listener: 'test', relay: { kind: 'tcp', host: '127.0.0.1', port: relayPort }, newlines: 'pass', maxMessageBytes: 100_000_000, maxLineBytes: 4096,
    timeouts: { connectMs: 1000, clientMs: 5000, relayMs: 5000 }, mayUse: () => true,
    makeMessage: () => () => new Passed(spool),
    ...change,
  }, { admission: new Admission({ sessions, sessionsPerNetwork: 100 }), waiting, now: () => clock.now, log: QUIET })
  const address = await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 })
  running.push({ stop: () => {
    const stopped = server.stop()
    server.abort()
    return stopped
  } })
  return { server, port: address.kind === 'tcp' ? address.port : 0, get now() {
    return clock.now
  }, set now(to) {
    clock.now = to
  } }
}

async function sink(options: Parameters<typeof CaptureSink.start>[0] = {}): Promise<CaptureSink> {
  const started = await CaptureSink.start({ extensions: EVERY_EXTENSION, ...options })
  running.push(started)
  return started
}

const portOf = (one: CaptureSink): number => Number(one.target.split(':').at(-1))

describe('the relay', () => {
  test('is connected to once for each client, and sees what it would see without us', async () => {
    const relay = await sink()
    const { port } = await open(portOf(relay))
    const dialog = await Dialog.open({ port })
    const hello = await dialog.hello()
    assert.ok(!hello.lines.some((line) => /CHUNKING|BINARYMIME/.test(line)) && hello.lines.some((line) => line.startsWith('XFORWARD')))
    for (const body of ['one\r\n', '..two\r\n']) assert.equal((await dialog.message({ to: 'alice@hop.example', data: Buffer.from(body) })).status, 250)
    await dialog.quit()
    assert.deepEqual(relay.messages.map(({ data, connection }) => [data.toString(), connection]), [['X-Passed: yes\r\none\r\n', 1], ['X-Passed: yes\r\n..two\r\n', 1]])
  })

  test('a message of 20 MB passes through a file, byte for byte', async () => {
    const relay = await sink()
    const { port } = await open(portOf(relay))
    const line = `${'.'.repeat(40)}${'x'.repeat(36)}\r\n`
    const data = Buffer.from(line.repeat(20_000_000 / line.length))
    const dialog = await Dialog.open({ port })
    await dialog.hello()
    assert.equal((await dialog.message({ to: 'alice@hop.example', data })).status, 250)
    await dialog.quit()
    assert.ok(relay.messages[0]?.data.equals(Buffer.concat([Buffer.from('X-Passed: yes\r\n'), data])))
  })

  test('is down: 421 in DKIMproxy\'s words', async () => {
    const { port } = await open(await freePort())
    const dialog = await Dialog.open({ port })
    assert.equal((await dialog.expect(421)).text, '421 Internal error (Next hop is down)\r\n')
    assert.equal((await dialog.expect()).status, 0)
  })

  test('accepts and says nothing: the session waits, and is given up in time', async () => {
    const mute = createServer(() => undefined)
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const place = mute.address()
    const opened = await open(typeof place === 'object' && place !== null ? place.port : 0)
    const dialog = await Dialog.open({ port: opened.port })
    await until('the session is there', () => opened.server.sessions === 1)
    // Until it is connected the other time-out counts.
    await until('time is over', () => {
      opened.now += 4000
      opened.server.tick()
      return opened.server.sessions === 0 || opened.now > 40_000
    })
    assert.equal((await dialog.expect()).status, 421)
    dialog.close()
    mute.close()
  })

  test('goes away in the middle of a message: 421, nothing is taken', async () => {
    const relay = await sink({ script: ({ verb }) => (verb === '.' ? 'close' : undefined) })
    const { port } = await open(portOf(relay))
    const dialog = await Dialog.open({ port })
    await dialog.hello()
    assert.equal((await dialog.message({ to: 'alice@hop.example', data: Buffer.from('x\r\n') })).status, 421)
  })
})

describe('clients', () => {
  test('who may not use it hears so', async () => {
    const relay = await sink()
    const { port } = await open(portOf(relay), { mayUse: () => false })
    const dialog = await Dialog.open({ port })
    assert.equal((await dialog.expect()).status, 554)
    assert.equal(relay.connections, 0)
  })

  test('above the bound they wait for their turn, and more of them are refused', async () => {
    const relay = await sink()
    const opened = await open(portOf(relay), {}, { sessions: 1, waiting: 1 })
    const first = await Dialog.open({ port: opened.port })
    await first.hello()
    const second = await Dialog.open({ port: opened.port })
    // What it says early waits with it.
    await second.send('EHLO second.example\r\n')
    await until('it waits', async () => {
      const third = await Dialog.open({ port: opened.port })
      const { status } = await third.expect()
      third.close()
      return status === 421
    })
    await first.quit()
    await second.expect(220)
    await second.expect(250)
    await second.quit()
    const lone = await open(portOf(relay), {}, { sessions: 1 })
    const holder = await Dialog.open({ port: lone.port })
    await holder.hello()
    const refused = await Dialog.open({ port: lone.port })
    assert.equal((await refused.expect()).status, 421)
    holder.close()
  })

  test('who leaves in the middle of a message leaves nothing at the relay', async () => {
    const relay = await sink()
    const opened = await open(portOf(relay))
    const dialog = await Dialog.open({ port: opened.port })
    await dialog.hello()
    for (const line of ['MAIL FROM:<a@a.example>', 'RCPT TO:<b@b.example>']) await dialog.command(line, 250)
    await dialog.command('DATA', 354)
    await dialog.send('half')
    dialog.close()
    await until('the session is gone', () => opened.server.sessions === 0)
    assert.equal(relay.messages.length, 0)
  })

  test('a stop lets a message come to its end', async () => {
    const relay = await sink()
    const { server, port } = await open(portOf(relay))
    const [idle, busy] = [await Dialog.open({ port }), await Dialog.open({ port })]
    await idle.hello()
    await busy.hello()
    await busy.command('MAIL FROM:<a@a.example>', 250)
    const stopped = server.stop()
    assert.equal((await idle.expect()).status, 421)
    await busy.command('RCPT TO:<b@b.example>', 250)
    await busy.command('DATA', 354)
    await busy.send('text\r\n.\r\n')
    assert.equal((await busy.expect()).status, 250)
    assert.equal((await busy.expect()).status, 421)
    await stopped
    assert.equal(relay.messages.length, 1)
  })
})
