/** The composition root: starting, reloading without dropping a session, stopping. Real loopback sockets, a real hop. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createGateway, type Gateway } from '../../src/gateway.ts'
import type { Log } from '../../src/observe/log.ts'
import { CaptureSink } from '../support/capture-sink.ts'
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.ts'
import { temporaryDirectory, type Address } from '../support/process.ts'
import { settingsFrom } from '../support/settings.ts'
import { Dialog } from '../support/smtp-dialog.ts'

const directory = temporaryDirectory('gateway-unit')
const gateways: Gateway[] = []
const sinks: CaptureSink[] = []
after(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()))
  await Promise.all(sinks.map((sink) => sink.stop()))
})

function makeLog() {
  const lines: string[] = []
  const keep = (_: unknown, text: string) => void lines.push(text)
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep }
  return { log, lines }
}

async function makeSink(): Promise<CaptureSink> {
  const sink = await CaptureSink.start()
  sinks.push(sink)
  return sink
}

function portOf(sink: CaptureSink): number {
  assert.ok('port' in sink.address)
  return sink.address.port
}

/** Listeners on ports that the system chooses, a hop called `hop`, the domain hop.example; `changes` override whole keys. */
function configured(hopPort: number, changes: Readonly<Record<string, unknown>> = {}) {
  return settingsFrom(JSON.stringify({
    hostname: 'mx.example', state: directory, workers: 0, domains: ['hop.example'],
    listeners: [{ name: 'inbound', role: 'inbound', listen: '127.0.0.1:0', next: 'hop' }],
    hops: { hop: { smtp: `127.0.0.1:${hopPort}` } },
    timeouts: { stop: '2s' },
    ...changes,
  }), { cwd: directory })
}

function listener(changes: Readonly<Record<string, unknown>>) {
  return { name: 'inbound', role: 'inbound', listen: '127.0.0.1:0', next: 'hop', ...changes }
}

async function started(settings: ReturnType<typeof configured>) {
  const { log, lines } = makeLog()
  const gateway = createGateway(settings, { log })
  gateways.push(gateway)
  await gateway.start()
  return { gateway, lines }
}

function addressOf(gateway: Gateway, name = 'inbound'): Address {
  const [bound] = gateway.addresses().get(name) ?? []
  assert.ok(bound !== undefined, `no address of ${name}`)
  return bound.kind === 'tcp' ? { port: bound.port } : { path: bound.path }
}

async function opened(gateway: Gateway, name?: string): Promise<Dialog> {
  const client = await Dialog.open(addressOf(gateway, name))
  await client.hello()
  return client
}

function occupy(): Promise<{ port: number; server: Server }> {
  const server = createServer()
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, server })))
}

async function canBind(port: number): Promise<boolean> {
  const server = createServer()
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  await new Promise((resolve) => server.close(resolve))
  return free
}

const LETTER = { to: 'b@hop.example', data: Buffer.from('Subject: x\r\n\r\ntext\r\n') }

test('a message from a client to the hop, with a Received field on top; and then it stops', async () => {
  const sink = await makeSink()
  const { gateway } = await started(configured(portOf(sink)))
  const client = await opened(gateway)
  assert.equal((await client.message(LETTER)).status, 250)
  await client.quit()
  assert.match(sink.messages[0]?.data.toString() ?? '', /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mx\.example with ESMTP id \w{10}\r\n\tfor <b@hop\.example>;\r\n\t.* \+0000\r\nSubject: x\r\n\r\ntext\r\n$/)
  const { port } = addressOf(gateway) as { port: number }
  await gateway.stop()
  assert.ok(await canBind(port))
  assert.equal(gateway.addresses().size, 0)
})

test('a start that cannot bind all binds nothing', async () => {
  const { port: taken, server } = await occupy()
  const { port: free, server: other } = await occupy()
  await new Promise((resolve) => other.close(resolve))
  const { log, lines } = makeLog()
  const gateway = createGateway(configured(1, { listeners: [listener({ listen: `127.0.0.1:${free}` }), listener({ name: 'second', listen: `127.0.0.1:${taken}` })] }), { log })
  await assert.rejects(gateway.start(), /EADDRINUSE/)
  assert.ok(await canBind(free))
  assert.equal(gateway.addresses().size, 0)
  // Whoever started it hears of it, once.
  assert.deepEqual(lines.filter((text) => !/\brules?\b/.test(text)), [])
  await gateway.stop()
  server.close()
})

test('reload: the open transaction keeps its hop, the next one has the new; no session is dropped', async () => {
  const [old, fresh] = [await makeSink(), await makeSink()]
  const { gateway } = await started(configured(portOf(old)))
  const before = addressOf(gateway)
  const client = await opened(gateway)
  await client.command('MAIL FROM:<a@client.example>', 250)
  await client.command('RCPT TO:<b@hop.example>', 250)
  await client.command('DATA', 354)
  await client.send('half a line')
  await gateway.reload(configured(portOf(fresh)))
  assert.deepEqual(addressOf(gateway), before)
  await client.send(', the other half\r\n.\r\n')
  await client.expect(250)
  assert.equal((await client.message(LETTER)).status, 250)
  await client.quit()
  assert.deepEqual([old.messages.length, fresh.messages.length], [1, 1])
  assert.ok(old.messages[0]?.data.includes('half a line, the other half'))
})

test('reload: a hop that did not change keeps its connections', async () => {
  const sink = await makeSink()
  const { gateway } = await started(configured(portOf(sink)))
  const client = await opened(gateway)
  assert.equal((await client.message(LETTER)).status, 250)
  await gateway.reload(configured(portOf(sink), { limits: { message_bytes: '1MB' } }))
  assert.equal((await client.message(LETTER)).status, 250)
  await client.quit()
  assert.equal(sink.connections, 1)
  assert.equal(sink.messages.length, 2)
})

function maildir(changes: Readonly<Record<string, unknown>>) {
  mkdirSync(join(directory, 'mail'), { recursive: true })
  return configured(1, { hops: { hop: { maildir: `${directory}/mail/{local}`, ...changes } } })
}

test('reload: a Maildir hop that did not change reads its users again, at once', async () => {
  const users = join(directory, 'users')
  writeFileSync(users, 'anna\n')
  const { gateway } = await started(maildir({ users }))
  const client = await opened(gateway)
  await client.command('MAIL FROM:<a@client.example>', 250)
  await client.command('RCPT TO:<bert@hop.example>', 550)
  writeFileSync(users, 'anna\nbert\n')
  await gateway.reload(maildir({ users }))
  await client.command('RCPT TO:<bert@hop.example>', 250)
  await client.quit()
})

test('an outbound listener in front of Maildirs takes mail to any domain, an inbound one beside it does not', async () => {
  const hops = { hop: { maildir: `${directory}/mail/{local}` } }
  const listeners = [listener({}), listener({ name: 'out', role: 'outbound' })]
  mkdirSync(join(directory, 'mail'), { recursive: true })
  const { gateway } = await started(configured(1, { hops, listeners }))
  for (const [name, status] of [['out', 250], ['inbound', 550]] as const) {
    const client = await opened(gateway, name)
    await client.command('MAIL FROM:<a@client.example>', 250)
    await client.command('RCPT TO:<bert@elsewhere.example>', status)
    await client.quit()
  }
})

test('reload: a port in use keeps the old, all of it', async () => {
  const { port: taken, server } = await occupy()
  const [old, fresh] = [await makeSink(), await makeSink()]
  const { gateway } = await started(configured(portOf(old)))
  const bad = configured(portOf(fresh), { listeners: [listener({}), listener({ name: 'free' }), listener({ name: 'taken', listen: `127.0.0.1:${taken}` })] })
  await assert.rejects(gateway.reload(bad), /EADDRINUSE/)
  assert.deepEqual([...gateway.addresses().keys()], ['inbound'])
  const client = await opened(gateway)
  assert.equal((await client.message(LETTER)).status, 250)
  await client.quit()
  assert.deepEqual([old.messages.length, fresh.messages.length], [1, 0])
  server.close()
  // And the next good one is taken.
  await gateway.reload(configured(portOf(fresh), { listeners: [listener({}), listener({ name: 'free' })] }))
  const other = await opened(gateway, 'free')
  assert.equal((await other.message(LETTER)).status, 250)
  await other.quit()
  assert.equal(fresh.messages.length, 1)
})

test('reload: TLS comes and goes for new sessions; certificates that cannot be used keep the old', async () => {
  const sink = await makeSink()
  const { gateway } = await started(configured(portOf(sink)))
  const tls = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
  writeFileSync(tls.cert, CERTIFICATE)
  writeFileSync(tls.key, PRIVATE_KEY, { mode: 0o600 })
  const withTls = configured(portOf(sink), { listeners: [listener({ tls })] })
  await gateway.reload(withTls)
  const client = await opened(gateway)
  await client.startTls()
  await client.command('EHLO again', 250)
  assert.equal((await client.message(LETTER)).status, 250)
  writeFileSync(tls.cert, 'no certificate')
  await assert.rejects(gateway.reload(withTls), /cert\.pem/)
  assert.equal((await client.message(LETTER)).status, 250)
  await client.quit()
  await gateway.reload(configured(portOf(sink)))
  const clear = await opened(gateway)
  await clear.command('STARTTLS', 500)
  await clear.quit()
})

test('reload: domains reach a running session with its next transaction', async () => {
  const sink = await makeSink()
  const { gateway } = await started(configured(portOf(sink)))
  const client = await opened(gateway)
  assert.equal((await client.message({ ...LETTER, to: 'b@new.example' })).status, 550)
  await client.command('RSET', 250)
  await gateway.reload(configured(portOf(sink), { domains: ['new.example'] }))
  assert.equal((await client.message({ ...LETTER, to: 'b@new.example' })).status, 250)
  assert.equal((await client.message(LETTER)).status, 550)
  await client.quit()
})

test('reload: a stranger who was greeted before the address became outbound can send nothing through it', async () => {
  const sink = await makeSink()
  const { gateway } = await started(configured(portOf(sink)))
  const [idle, sending] = [await opened(gateway), await opened(gateway)]
  await sending.command('MAIL FROM:<a@client.example>', 250)
  await sending.command('RCPT TO:<b@hop.example>', 250)
  // The socket stays, only its role changes; the clients here are strangers to it.
  const port = (addressOf(gateway) as { port: number }).port
  await gateway.reload(configured(portOf(sink), { listeners: [listener({ role: 'outbound', clients: ['192.0.2.1'] })] }))
  assert.equal((addressOf(gateway) as { port: number }).port, port)
  await idle.expect(421)
  await sending.command('RCPT TO:<c@elsewhere.example>', 550)
  await sending.command('RSET', 250)
  await sending.expect(421)
  assert.equal(sink.messages.length, 0)
})

test('reload: clients that may no longer use a listener hear so at their next MAIL', async () => {
  const sink = await makeSink()
  const outbound = (clients: readonly string[]) => configured(portOf(sink), { domains: [], listeners: [listener({ role: 'outbound', clients })] })
  const { gateway } = await started(outbound(['127.0.0.1']))
  const client = await opened(gateway)
  assert.equal((await client.message({ ...LETTER, to: 'b@elsewhere.example' })).status, 250)
  await gateway.reload(outbound(['192.0.2.1']))
  await client.command('MAIL FROM:<a@client.example>', 554)
  assert.equal(sink.messages.length, 1)
  await client.quit()
})

test('reload: a change of protocol ends the sessions: their replies would not fit', async () => {
  const sink = await makeSink()
  const { gateway } = await started(configured(portOf(sink)))
  const client = await opened(gateway)
  await gateway.reload(configured(portOf(sink), { listeners: [listener({ protocol: 'lmtp' })] }))
  await client.expect(421)
})

test('reload: a listener that is gone takes nobody, tells the idle, and lets a transaction end', async () => {
  const sink = await makeSink()
  const both = configured(portOf(sink), { listeners: [listener({}), listener({ name: 'second' })] })
  const { gateway } = await started(both)
  const { port } = addressOf(gateway, 'second') as { port: number }
  const idle = await opened(gateway, 'second')
  const busy = await opened(gateway, 'second')
  await busy.command('MAIL FROM:<a@client.example>', 250)
  await gateway.reload(configured(portOf(sink)))
  await idle.expect(421)
  await assert.rejects(Dialog.open({ port }))
  await busy.command('RCPT TO:<b@hop.example>', 250)
  await busy.command('DATA', 354)
  await busy.send('x\r\n.\r\n')
  await busy.expect(250)
  await busy.expect(421)
  for (const client of [idle, busy]) client.close()
  assert.equal(sink.messages.length, 1)
})

test('a session of a listener that is gone still has its time-outs', async () => {
  const sink = await makeSink()
  const changes = { timeouts: { data: '10ms', stop: '2s' } }
  const { gateway } = await started(configured(portOf(sink), { ...changes, listeners: [listener({}), listener({ name: 'second' })] }))
  const client = await opened(gateway, 'second')
  await client.command('MAIL FROM:<a@client.example>', 250)
  await client.command('RCPT TO:<b@hop.example>', 250)
  await client.send('DATA\r\n')
  const reloaded = gateway.reload(configured(portOf(sink), changes))
  await client.expect(354)
  await reloaded
  await client.expect(421)
  client.close()
})

test('stop ends the sessions of a listener that is gone, too', async () => {
  const sink = await makeSink()
  const changes = { timeouts: { stop: '50ms' } }
  const { gateway, lines } = await started(configured(portOf(sink), { ...changes, listeners: [listener({}), listener({ name: 'second' })] }))
  const client = await opened(gateway, 'second')
  await client.command('MAIL FROM:<a@client.example>', 250)
  await gateway.reload(configured(portOf(sink), changes))
  await gateway.stop()
  await client.expect(421)
  client.close()
  assert.ok(lines.includes('sessions still run, closing them'))
})

test('stop: a transaction may end in its time', async () => {
  const sink = await makeSink()
  const { gateway } = await started(configured(portOf(sink)))
  const client = await opened(gateway)
  await client.command('MAIL FROM:<a@client.example>', 250)
  const stopping = gateway.stop()
  await client.command('RCPT TO:<b@hop.example>', 250)
  await client.command('DATA', 354)
  await client.send('x\r\n.\r\n')
  await client.expect(250)
  await client.expect(421)
  client.close()
  await stopping
  assert.equal(sink.messages.length, 1)
})

test('two reloads at once: the last one holds, and neither fails', async () => {
  const sink = await makeSink()
  const { port, server } = await occupy()
  await new Promise((resolve) => server.close(resolve))
  const { gateway } = await started(configured(portOf(sink)))
  const withSecond = configured(portOf(sink), { listeners: [listener({}), listener({ name: 'second', listen: `127.0.0.1:${port}` })] })
  await Promise.all([gateway.reload(withSecond), gateway.reload(withSecond), gateway.reload(configured(portOf(sink)))])
  assert.deepEqual([...gateway.addresses().keys()], ['inbound'])
  assert.ok(await canBind(port))
})

test('a stop during a reload leaves nothing open', async () => {
  const sink = await makeSink()
  const { port, server } = await occupy()
  await new Promise((resolve) => server.close(resolve))
  const { gateway } = await started(configured(portOf(sink)))
  const reloading = gateway.reload(configured(portOf(sink), { listeners: [listener({}), listener({ name: 'second', listen: `127.0.0.1:${port}` })] }))
  await Promise.all([gateway.stop(), reloading])
  assert.equal(gateway.addresses().size, 0)
  assert.ok(await canBind(port))
})

test('a unix socket is removed when its listener stops', async () => {
  const sink = await makeSink()
  const path = join(directory, 'in.sock')
  const { gateway } = await started(configured(portOf(sink), { listeners: [listener({ listen: `unix:${path}` })] }))
  const client = await opened(gateway)
  assert.equal((await client.message(LETTER)).status, 250)
  await client.quit()
  await gateway.stop()
  assert.ok(!existsSync(path))
})

test('a hop that is down is 451, and the next message works as soon as it is back', async () => {
  const sink = await makeSink()
  const port = portOf(sink)
  await sink.stop()
  const { gateway } = await started(configured(port))
  const client = await opened(gateway)
  assert.equal((await client.message(LETTER)).status, 451)
  const back = await CaptureSink.start({ listen: { port } })
  sinks.push(back)
  assert.equal((await client.message(LETTER)).status, 250)
  await client.quit()
})

test('two hops by domain, each with its own recipients', async () => {
  const [one, two] = [await makeSink(), await makeSink()]
  const { gateway } = await started(configured(portOf(one), {
    hops: { hop: { smtp: `127.0.0.1:${portOf(one)}` }, other: { smtp: `127.0.0.1:${portOf(two)}` } },
    domains: ['hop.example', { domain: 'other.example', next: 'other' }],
  }))
  const client = await opened(gateway)
  await client.command('MAIL FROM:<a@client.example>', 250)
  await client.command('RCPT TO:<b@other.example>', 250)
  await client.command('RCPT TO:<b@hop.example>', 451)
  await client.command('DATA', 354)
  await client.send('x\r\n.\r\n')
  await client.expect(250)
  assert.equal((await client.message(LETTER)).status, 250)
  await client.quit()
  assert.deepEqual([one.messages.map((m) => m.rcpts), two.messages.map((m) => m.rcpts)], [[['<b@hop.example>']], [['<b@other.example>']]])
})
