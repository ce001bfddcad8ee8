/** The front door as its listener's settings change, and what it offers. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { inboundRoutes, outboundRoutes } from '../../src/delivery/routes.ts'
import type { FrontDoorSettings } from '../../src/front-door.ts'
import { FrontDoor } from '../../src/pipeline.ts'
import { parseDomain } from '../../src/smtp/address.ts'
import { parseCommand } from '../../src/smtp/command.ts'
import { describeReply, formatReply } from '../../src/smtp/reply.ts'
import type { SessionFacts } from '../../src/smtp/session-handler.ts'
import { FakeHop } from '../support/fake-hop.ts'
import { NOTHING_KEPT, NOTHING_SIGNED } from '../support/door-context.ts'

const SESSION: SessionFacts = {
  address: '192.0.2.7', port: 4321, spokeEarly: false, name: undefined, login: undefined, helo: 'client.example', protocol: 'ESMTP', tls: undefined, forwarded: new Map(),
}
const hop = (name: string, ...offers: string[]) => new FakeHop(name, 'smtp', { offers: new Map(offers.map((offer) => [offer, ''])) })

function settings(changes: Partial<FrontDoorSettings> & Pick<FrontDoorSettings, 'routes'>): FrontDoorSettings {
  return {
    listener: 'test', hostname: 'mx.example', protocol: 'smtp', mayUse: () => true, addReceived: false, maxReceived: 50, inbound: undefined, ...NOTHING_SIGNED,
    spool: { directory: tmpdir(), memoryBytes: 1000 }, ...changes,
  }
}

function door(current: () => FrontDoorSettings) {
  const logged: string[] = []
  const keep = (_: unknown, text: string) => void logged.push(text)
  let ids = 0
  const context = { ...NOTHING_KEPT, log: { debug: keep, info: keep, warn: keep, error: keep }, newId: () => `ID${++ids}`, now: () => 0, date: () => new Date(0) }
  return { door: new FrontDoor(current, context, SESSION), logged }
}

function envelope(line: string) {
  const command = parseCommand(line)
  assert.ok('envelope' in command)
  return command.envelope
}
const MAIL = envelope('MAIL FROM:<a@client.example>')
const RCPT = envelope('RCPT TO:<b@hop.example>')

test('the greeting names us and the protocol; a client that may not use the listener gets 554', async () => {
  let now = settings({ routes: outboundRoutes(hop('a')) })
  const { door: front, logged } = door(() => now)
  assert.equal(formatReply(await front.connect()), '220 mx.example ESMTP Postern\r\n')
  now = { ...now, protocol: 'lmtp' }
  assert.equal(formatReply(await front.connect()), '220 mx.example LMTP Postern\r\n')
  now = { ...now, mayUse: (address) => address !== '192.0.2.7' }
  assert.equal((await front.connect()).status, 554)
  assert.deepEqual(logged, ['client may not use this listener'])
})

test('new settings hold from the next transaction on; the open one keeps its own', async () => {
  const old = hop('old', 'DSN')
  const fresh = hop('fresh', 'SMTPUTF8')
  let now = settings({ routes: outboundRoutes(old) })
  const { door: front } = door(() => now)
  await front.mail(MAIL)
  now = settings({ routes: outboundRoutes(fresh) })
  assert.deepEqual([...(await front.hello()).keys()], ['SMTPUTF8', 'SIZE'])
  assert.equal((await front.rcpt(RCPT)).status, 250)
  assert.deepEqual(old.events, ['MAIL <a@client.example>', 'RCPT <b@hop.example>'])
  front.reset()
  await front.mail(MAIL)
  assert.deepEqual(fresh.events, ['MAIL <a@client.example>'])
})

test('reset is idempotent, and nothing of a transaction is left behind it', async () => {
  const only = hop('only')
  const { door: front, logged } = door(() => settings({ routes: outboundRoutes(only) }))
  front.reset()
  await front.mail(MAIL)
  front.reset()
  front.reset()
  assert.deepEqual(logged, ['message'])
  assert.equal((await front.rcpt(RCPT)).status, 503)
  assert.throws(() => front.message())
})

test('a message that is under way is its own: reset does not end it', async () => {
  const only = hop('only')
  const { door: front } = door(() => settings({ routes: outboundRoutes(only) }))
  await front.mail(MAIL)
  await front.rcpt(RCPT)
  const sink = front.message()
  front.reset()
  void sink.write(Buffer.from('x\r\n'))
  const answers = await sink.end({ chunked: true, binary: false, anomalies: { bareCr: 0, bareLf: 0, nul: 0 } })
  assert.deepEqual(answers.map(describeReply), ['250 2.0.0 Queued'])
  assert.ok(only.events.includes('MESSAGE chunked'))
})

test('our refusals carry the decision ID; the hop\'s words stay as they are', async () => {
  const only = hop('only')
  const { door: front } = door(() => settings({ routes: inboundRoutes(new Map([[parseDomain('hop.example')!, only]]), only) }))
  only.script('RCPT', [{ status: 550, text: '5.1.1 no' }])
  await front.mail(MAIL)
  assert.equal(describeReply(await front.rcpt(envelope('RCPT TO:<x@elsewhere.example>'))), '550 5.7.1 Relaying denied (ID1)')
  assert.equal(describeReply(await front.rcpt(RCPT)), '550 5.1.1 no')
})
