/** What transcripts leave out: the temporary file, its failure, what a hop is told of the client. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { inboundRoutes, outboundRoutes } from '../../src/delivery/routes.ts'
import type { Log } from '../../src/observe/log.ts'
import type { FrontDoorSettings } from '../../src/front-door.ts'
import { parseDomain } from '../../src/smtp/address.ts'
import { parseCommand } from '../../src/smtp/command.ts'
import { describeReply } from '../../src/smtp/reply.ts'
import * as replies from '../../src/smtp/reply-catalogue.ts'
import type { MessageFacts, SessionFacts } from '../../src/smtp/session-handler.ts'
import { MailTransaction } from '../../src/transaction.ts'
import { FakeHop } from '../support/fake-hop.ts'
import { NOTHING_KEPT, NOTHING_SIGNED } from '../support/door-context.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-transaction-'))
after(() => rmSync(directory, { recursive: true }))

const FACTS: MessageFacts = { chunked: false, binary: false, anomalies: { bareCr: 0, bareLf: 0, nul: 0 } }
const SESSION: SessionFacts = {
  address: '192.0.2.7', port: 4321, spokeEarly: false, name: 'spike.example', login: 'u', helo: 'client.example', protocol: 'ESMTP', tls: undefined, forwarded: new Map(),
}

function stage(options: { settings?: Partial<FrontDoorSettings>; session?: Partial<SessionFacts>; kind?: FakeHop['kind'] } = {}) {
  const hop = new FakeHop('backend', options.kind ?? 'smtp', { offers: new Map() })
  const logged: (readonly [Record<string, unknown>, string])[] = []
  const keep = (facts: Readonly<Record<string, unknown>>, text: string) => void logged.push([facts, text])
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep }
  const settings: FrontDoorSettings = {
    listener: 'test', hostname: 'mx.example', protocol: 'smtp', mayUse: () => true, routes: outboundRoutes(hop), addReceived: false, maxReceived: 50, inbound: undefined, ...NOTHING_SIGNED,
    spool: { directory: join(directory, 'spool'), memoryBytes: 1000 }, ...options.settings,
  }
  const transaction = new MailTransaction(envelope('MAIL FROM:<a@client.example>'), {
    settings, session: { ...SESSION, ...options.session }, client: null,
    context: { ...NOTHING_KEPT, log, newId: () => 'ID1', now: () => 0, date: () => new Date(0) },
  })
  return { hop, transaction, logged, messages: () => logged.filter(([, text]) => text === 'message').map(([facts]) => facts) }
}

function envelope(line: string) {
  const command = parseCommand(line)
  assert.ok('envelope' in command)
  return command.envelope
}

async function opened(...[options]: Parameters<typeof stage>) {
  const of = stage(options)
  await of.transaction.mail()
  await of.transaction.rcpt(envelope('RCPT TO:<b@hop.example>'))
  return of
}

test('a message above the bound of memory goes through a file that leaves nothing behind', async () => {
  const { hop, transaction, messages } = await opened()
  const sink = transaction.message()
  const pieces = Array.from({ length: 300 }, (_, i) => Buffer.from(`line ${i} ${'x'.repeat(1000)}\r\n`))
  for (const piece of pieces) await sink.write(piece)
  assert.deepEqual((await sink.end(FACTS)).map(describeReply), ['250 2.0.0 Queued'])
  assert.deepEqual(hop.messages, [Buffer.concat(pieces)])
  assert.deepEqual(readdirSync(join(directory, 'spool')), [])
  assert.equal(messages()[0]?.['size'], Buffer.concat(pieces).length)
  assert.equal(messages().length, 1)
})

test('NO_ROOM: a disk that takes no more is 452, the cause is in the log, the hop sees no message', async () => {
  const blocked = join(directory, 'a-file')
  writeFileSync(blocked, '')
  const { hop, transaction, logged, messages } = await opened({ settings: { spool: { directory: join(blocked, 'spool'), memoryBytes: 10 } } })
  const sink = transaction.message()
  for (let i = 0; i < 5; i++) await sink.write(Buffer.from('more than ten bytes\r\n'))
  const [reply] = await sink.end(FACTS)
  assert.deepEqual(reply, { ...replies.NO_ROOM, text: `${replies.NO_ROOM.text as string} (ID1)` })
  assert.equal(logged.filter(([, text]) => text === 'no room for a message').length, 1)
  assert.match(String(logged.find(([, text]) => text === 'no room for a message')?.[0]['cause']), /ENOTDIR/)
  assert.equal(messages()[0]?.['verdict'], 'tempfail')
  assert.deepEqual(hop.messages, [])
  assert.equal(hop.events.at(-1), 'ABORT')
  assert.deepEqual(hop.violations, [])
})

test('a message that is taken back while a write is under way', async () => {
  const { hop, transaction, messages } = await opened()
  const sink = transaction.message()
  const writing = sink.write(Buffer.alloc(5000, 'x'))
  sink.abort()
  await writing
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(readdirSync(join(directory, 'spool')), [])
  assert.equal(hop.events.at(-1), 'ABORT')
  assert.equal(messages()[0]?.['verdict'], 'abandoned')
})

test('what the hop is told of the client', async () => {
  assert.deepEqual((await opened()).hop.clients, [
    { address: '192.0.2.7', port: 4321, name: 'spike.example', helo: 'client.example', protocol: 'ESMTP', login: 'u', source: 'REMOTE', ident: 'ID1' },
  ])
  assert.equal((await opened({ session: { address: undefined, port: undefined } })).hop.clients[0]?.source, 'LOCAL')
})

test('what a trusted peer forwarded stands beside what we see: for the log of the hop, not for its access rules', async () => {
  const forwarded = new Map([['ADDR', '198.51.100.9'], ['PORT', '99'], ['NAME', 'n.example'], ['HELO', 'h'], ['PROTO', 'SMTP'], ['SOURCE', 'LOCAL']])
  const [client] = (await opened({ session: { forwarded } })).hop.clients
  assert.equal(client?.address, '192.0.2.7')
  assert.deepEqual(client.origin, { address: '198.51.100.9', port: 99, name: 'n.example', helo: 'h', protocol: 'SMTP', login: 'u', source: 'LOCAL', ident: 'ID1' })
  const [partly] = (await opened({ session: { forwarded: new Map([['ADDR', '198.51.100.9']]) } })).hop.clients
  assert.deepEqual(partly?.origin, { address: '198.51.100.9', port: undefined, name: undefined, helo: undefined, protocol: 'SMTP', login: 'u', source: 'REMOTE', ident: 'ID1' })
})

test('a hop that gives fewer replies than LMTP recipients leaves none without one', async () => {
  const { hop, transaction } = await opened({ settings: { protocol: 'lmtp' }, kind: 'lmtp' })
  await transaction.rcpt(envelope('RCPT TO:<c@hop.example>'))
  await transaction.rcpt(envelope('RCPT TO:<d@hop.example>'))
  hop.script('DATA', [{ status: 250, text: 'one' }, { status: 250, text: 'two' }])
  const sink = transaction.message()
  void sink.write(Buffer.from('x\r\n'))
  assert.deepEqual((await sink.end(FACTS)).map((reply) => reply.status), [250, 250, 451])
})

test('a refused recipient counts for nothing: LMTP replies are those of the accepted', async () => {
  const { hop, transaction } = stage({ settings: { protocol: 'lmtp' } })
  await transaction.mail()
  hop.script('RCPT', [{ status: 550, text: 'no' }])
  await transaction.rcpt(envelope('RCPT TO:<x@hop.example>'))
  await transaction.rcpt(envelope('RCPT TO:<y@hop.example>'))
  const sink = transaction.message()
  assert.equal((await sink.end(FACTS)).length, 1)
})

test('the transaction is one line in the log, whatever ends it', async () => {
  const ends: readonly ((of: ReturnType<typeof stage>) => unknown)[] = [
    (of) => of.transaction.end(null),
    (of) => of.transaction.message().end(FACTS),
    (of) => of.transaction.message().abort(),
    (of) => of.transaction.message().refuse(replies.BARE_NEWLINE),
  ]
  for (const end of ends) {
    const of = await opened()
    await end(of)
    assert.equal(of.messages().length, 1)
  }
})

test('where the sender is refused at the first recipient, the next may bring another hop', async () => {
  const a = new FakeHop('a', 'smtp', { offers: new Map() })
  const b = new FakeHop('b', 'smtp', { offers: new Map() })
  a.script('MAIL', [{ status: 451, text: 'later' }])
  const of = stage({ settings: { routes: inboundRoutes(new Map([[parseDomain('a.example')!, a], [parseDomain('b.example')!, b]]), a) } })
  assert.equal((await of.transaction.mail()).status, 250)
  assert.equal((await of.transaction.rcpt(envelope('RCPT TO:<x@a.example>'))).status, 451)
  assert.equal((await of.transaction.rcpt(envelope('RCPT TO:<x@b.example>'))).status, 250)
  assert.deepEqual([...a.violations, ...b.violations], [])
})
