import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TransactionRecord } from '../../../src/observe/transaction-record.ts'
import { parsePath } from '../../../src/smtp/address.ts'
import type { EnvelopePath } from '../../../src/smtp/envelope.ts'
import type { SessionFacts } from '../../../src/smtp/session-handler.ts'
import { tlsFacts } from '../../support/tls-facts.ts'

const SESSION: SessionFacts = {
  address: '192.0.2.7', port: 1, spokeEarly: false, name: undefined, login: undefined, helo: 'client.example', protocol: 'ESMTP',
  tls: tlsFacts({ cipher: 'x' }), forwarded: new Map(),
}

function envelope(address: string): EnvelopePath {
  const path = parsePath(`<${Buffer.from(address).toString('latin1')}>`, 0)
  assert.ok(path.status === 'ok')
  return { path: path.path, parameters: [] }
}

function record(session: Partial<SessionFacts> = {}, sender = 'a@b.example') {
  return new TransactionRecord({ listener: 'inbound', session: { ...SESSION, ...session }, sender: envelope(sender), id: 'ID', startedMs: 100 })
}

test('a message that went through', () => {
  const of = record()
  of.hop = 'backend'
  of.message(1234, { bareCr: 0, bareLf: 0, nul: 0 })
  of.reply = { status: 250, text: '2.0.0 Queued' }
  assert.deepEqual(of.facts([envelope('c@d.example')], 112.34), {
    id: 'ID', listener: 'inbound', client: '192.0.2.7', helo: 'client.example', tls: 'TLSv1.3', login: undefined, from: 'a@b.example', rcpts: ['c@d.example'],
    rcptCount: undefined, refused: undefined, refusedCount: undefined, size: 1234, mended: undefined, verdict: 'accept', score: undefined, tests: undefined, auth: undefined, learned: undefined, signed: undefined, hop: 'backend',
    reply: '250 2.0.0 Queued', ms: 12.3,
  })
})

test('who has logged in, and what the message was signed with', () => {
  const of = record()
  of.departure = { login: 'anna', signed: 'example.org:s1 rsa-sha256' }
  const { login, signed } = of.facts([], 0)
  assert.deepEqual([login, signed], ['anna', 'example.org:s1 rsa-sha256'])
  of.departure = { login: undefined, signed: 'x'.repeat(1000) }
  assert.equal(String(of.facts([], 0)['signed']).length, 401)
})

test('verdicts', () => {
  const verdict = (status?: number, refused = false) => {
    const of = record()
    if (refused) of.refuse(envelope('c@d.example'), { status: 550, text: '5.1.1 no' })
    if (status !== undefined) of.reply = { status, text: '' }
    return of.facts([], 0)['verdict']
  }
  assert.deepEqual([verdict(250), verdict(550), verdict(451), verdict(), verdict(undefined, true), verdict(250, true)],
    ['accept', 'reject', 'tempfail', 'abandoned', 'refused', 'accept'])
})

test('what a trusted peer forwarded is what is logged', () => {
  const facts = record({ forwarded: new Map([['ADDR', '198.51.100.9'], ['HELO', 'spike']]) }).facts([], 0)
  assert.deepEqual([facts['client'], facts['helo']], ['198.51.100.9', 'spike'])
})

test('addresses can be read: UTF-8, the null sender, broken bytes', () => {
  assert.equal(record({}, 'jörg@b.example').facts([], 0)['from'], 'jörg@b.example')
  assert.equal(record({}, '').facts([], 0)['from'], '')
})

test('what was mended is told', () => {
  const of = record()
  of.message(1, { bareCr: 0, bareLf: 2, nul: 0 })
  assert.deepEqual(of.facts([], 0)['mended'], { bareCr: 0, bareLf: 2, nul: 0 })
})

test('lists are bounded, with the true counts beside them', () => {
  const of = record()
  const many = Array.from({ length: 120 }, (_, i) => envelope(`r${i}@d.example`))
  for (const one of many) of.refuse(one, { status: 550, subject: 1, detail: 1, text: 'no' })
  const facts = of.facts(many, 0)
  assert.deepEqual([(facts['rcpts'] as unknown[]).length, facts['rcptCount'], facts['refusedCount']], [50, 120, 120])
  const refused = facts['refused'] as string[]
  assert.ok(refused.length > 30 && refused.length <= 50 && refused.join('').length <= 1000)
  assert.equal((facts['refused'] as string[])[0], 'r0@d.example 550 5.1.1 no')
})

test('a line is short enough to stay in one piece beside those of other workers', () => {
  const of = record()
  const long = `${'x'.repeat(300)}@${'y.'.repeat(60)}example`
  for (let i = 0; i < 60; i++) of.refuse(envelope(long), { status: 550, text: 'z'.repeat(400) })
  of.reply = { status: 550, text: Array.from({ length: 100 }, () => 'w'.repeat(400)) }
  const facts = of.facts(Array.from({ length: 60 }, () => envelope(long)), 0)
  assert.ok(JSON.stringify(facts).length < 3800, String(JSON.stringify(facts).length))
  assert.deepEqual([facts['rcptCount'], facts['refusedCount']], [60, 60])
  assert.ok((facts['rcpts'] as readonly string[]).length > 0)
})

test('what the policy came to stands in the line, bounded', () => {
  const of = record()
  of.judgement = { auth: 'spf=pass dkim=none', tests: Array.from({ length: 200 }, (_, i) => `dnsbl:listed at list${i}.example ${'x'.repeat(200)}`), score: 4.5, learned: undefined }
  const { score, auth, tests } = of.facts([], 0)
  assert.deepEqual([score, auth], [4.5, 'spf=pass dkim=none'])
  assert.ok(Array.isArray(tests) && tests.length >= 5 && tests.join('').length <= 1100)
})
