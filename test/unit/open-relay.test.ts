/**
 * No example configuration is an open relay. Each is started as it is, but for
 * its ports, its hops (one sink that takes everything) and one peer that is
 * believed about the client's address, so that clients can come from anywhere.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { ListenerSettings, RelaySettings, Settings } from '../../src/config/settings.ts'
import { createGateway } from '../../src/gateway.ts'
import type { Log } from '../../src/observe/log.ts'
import { CaptureSink } from '../support/capture-sink.ts'
import { temporaryDirectory } from '../support/process.ts'
import { exampleNames, loadExample } from '../support/settings.ts'
import { Dialog } from '../support/smtp-dialog.ts'

const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const STRANGERS = ['203.0.113.5', '2001:db8:ffff::5', '192.168.2.9', '10.0.0.1', '169.254.1.1', '0.0.0.0', '::', '::ffff:203.0.113.5']
const cleanups: (() => Promise<void>)[] = []
after(async () => {
  for (const cleanup of cleanups) await cleanup()
})

/** Recipients that are not ours, in every disguise that we know; `own` is one of our domains. */
function disguises(own: string): string[] {
  const wide = Buffer.from(own.replace(/^./, (c) => String.fromCodePoint(c.charCodeAt(0) + 0xfee0))).toString('latin1')
  return [
    '<victim@elsewhere.example>', 'victim@elsewhere.example', '< victim@elsewhere.example>', '<victim@[203.0.113.1]>', '<victim@[IPv6:2001:db8::1]>', '<victim@localhost>', '<victim@[127.0.0.1]>',
    `<victim%elsewhere.example@${own}>`, `<victim%elsewhere.example%${own}@${own}>`, `<elsewhere.example!victim@${own}>`, `<victim@elsewhere.example@${own}>`, `<victim@${own}@elsewhere.example>`,
    `<"victim@elsewhere.example"@${own}>`, `<"victim%elsewhere.example"@${own}>`, `<"elsewhere.example!victim"@${own}>`, `<"victim\\@elsewhere.example"@${own}>`, `<"victim@elsewhere.example">`, '<"victim@elsewhere.example"@>',
    `<@${own}:victim@elsewhere.example>`, `<@${own},@${own}:victim@elsewhere.example>`, `<@${own}:victim%elsewhere.example@${own}>`, `<@${own}:elsewhere.example!victim@${own}>`,
    `<victim@sub.${own}>`, `<victim@${own}.elsewhere.example>`, `<victim@elsewhere.example.${own}.>`, `<victim@x${own}>`, `<victim@elsewhere.example#${own}>`, `<victim@elsewhere.example,a@${own}>`,
    `<victim@elsewhere.example> <a@${own}>`, `<victim@elsewhere.example>,<a@${own}>`, `<victim@${own}\t@elsewhere.example>`, `<victim@${wide}/@elsewhere.example>`, `<victim@${wide}?@elsewhere.example>`,
    `<victim@${wide}#@elsewhere.example>`, `<victim@${wide}\\@elsewhere.example>`, `<"victim@${wide}/@elsewhere.example">`, '<victim>', '<@elsewhere.example>', '<victim@>', '<elsewhere.example!victim>', '<victim%elsewhere.example>',
    `<"<victim@elsewhere.example>"@${own}>`, `<|victim@elsewhere.example@${own}>`, `<victim@elsewhere.example\0@${own}>`, `<victim(@elsewhere.example)@${own}>`, `<"victim"@elsewhere.example>`, `<postmaster@elsewhere.example>`,
  ]
}

async function prepare(name: string): Promise<{ settings: Settings; sink: CaptureSink }> {
  const directory = temporaryDirectory('open-relay')
  const loaded = loadExample(name, directory)
  assert.ok(loaded.status === 'ok', `${name} is not valid`)
  const sink = await CaptureSink.start()
  cleanups.push(() => sink.stop())
  const relay = (hop: string): RelaySettings => ({
    kind: 'smtp', name: hop, address: { kind: 'tcp', host: '127.0.0.1', port: sink.port }, tls: { mode: 'off', verify: false, name: undefined, ca: undefined },
    xforward: false, xclient: false, connections: 10, idleMs: 1000, maxAgeMs: 1000,
    timeouts: { connectMs: 5000, greetingMs: 5000, mailMs: 5000, rcptMs: 5000, dataMs: 5000, blockMs: 5000, finalMs: 5000 },
  })
  const listener = (one: ListenerSettings): ListenerSettings => ({
    // The client here speaks in clear; where TLS comes first, nobody could even ask.
    ...one, tls: undefined, ...(one.transparent ? { clients: ['192.0.2.0/24'] } : {}), listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }], trust: { ...one.trust, proxy: ['127.0.0.0/8'] },
  })
  return {
    sink,
    settings: {
      ...loaded.settings, state: directory, listeners: loaded.settings.listeners.map(listener),
      hops: new Map([...loaded.settings.hops.keys()].map((hop) => [hop, relay(hop)])),
      // No policy stands in their way: what keeps them from relaying is not that they have no name.
      policy: { ...loaded.settings.policy, exempt: ['0.0.0.0/0', '::/0', 'unix'] },
      // Strangers are many and make many errors here.
      limits: { ...loaded.settings.limits, errors: 10_000, unknownCommands: 10_000, junkCommands: 100_000 },
    },
  }
}

async function clientFrom(port: number, address: string): Promise<Dialog> {
  const client = await Dialog.open({ port })
  const family = address.includes(':') ? 'TCP6' : 'TCP4'
  await client.send(`PROXY ${family} ${address} ${family === 'TCP6' ? '::1' : '127.0.0.1'} 4321 25\r\n`)
  return client
}

for (const name of exampleNames()) {
  test(`${name} relays nothing for strangers`, async () => {
    const { settings, sink } = await prepare(name)
    const gateway = createGateway(settings, { log: SILENT })
    cleanups.unshift(() => gateway.stop())
    await gateway.start()
    const [own = 'none.example'] = settings.domains.keys()
    for (const listener of settings.listeners) {
      const [bound] = gateway.addresses().get(listener.name) ?? []
      assert.ok(bound?.kind === 'tcp')
      if (listener.transparent) {
        // It reads no PROXY header: here the stranger is this very machine.
        const client = await Dialog.open({ port: bound.port })
        await client.expect(554)
        client.close()
        continue
      }
      for (const stranger of STRANGERS) {
        const client = await clientFrom(bound.port, stranger)
        if (listener.role === 'outbound') {
          await client.expect(554)
          client.close()
          continue
        }
        await client.hello()
        // Saying who one is helps nobody who is not trusted.
        await client.command('XCLIENT ADDR=127.0.0.1 LOGIN=root', 550)
        await client.command('XFORWARD ADDR=127.0.0.1', 550)
        if (listener.role === 'submission') {
          for (const command of ['MAIL FROM:<a@elsewhere.example>', `MAIL FROM:<anna@${own}>`, `MAIL FROM:<anna@${own}> AUTH=anna`, 'RCPT TO:<victim@elsewhere.example>', 'DATA', 'AUTH PLAIN AGFubmEAYW5uYQ==']) {
            const reply = await client.command(command)
            assert.ok(reply.status >= 500, `${listener.name} from ${stranger}: ${command} → ${reply.text}`)
          }
          await client.quit()
          continue
        }
        await client.command('MAIL FROM:<a@elsewhere.example> SMTPUTF8', 250)
        for (const recipient of disguises(own)) {
          const reply = await client.command(`RCPT TO:${recipient}`)
          assert.ok(reply.status >= 500, `${listener.name} from ${stranger}: RCPT TO:${recipient} → ${reply.text}`)
        }
        await client.command('DATA', 554)
        await client.quit()
      }
      // That users who log in can send is proved with real clients elsewhere.
      if (listener.role !== 'submission') await provesItself(listener, bound.port, own)
    }
    // What the sink has is the proof's own mail.
    assert.ok(sink.messages.length > 0 || settings.listeners.every(({ transparent }) => transparent))
    for (const { rcpts } of sink.messages) assert.ok(rcpts.every((rcpt) => [`<anna@${own}>`, '<friend@elsewhere.example>'].includes(rcpt)), rcpts.join())
    for (const { line } of sink.commands) assert.ok(!line.includes('victim'), line)
  })
}

/** The same listener does take what it is there for: the refusals above are no accident. */
async function provesItself(listener: ListenerSettings, port: number, own: string): Promise<void> {
  const friend = await clientFrom(port, listener.role === 'outbound' ? '127.0.0.1' : '203.0.113.5')
  await friend.hello()
  const to = listener.role === 'outbound' ? 'friend@elsewhere.example' : `anna@${own}`
  assert.equal((await friend.message({ to, data: Buffer.from('Subject: x\r\n\r\nx\r\n') })).status, 250)
  await friend.quit()
}
