/** Mail that goes out: who may send it, what it lacks, what becomes of what cannot be signed. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { SigningOrder } from '../../../src/auth/dkim/signing-order.ts'
import { Departure } from '../../../src/outbound/departure.ts'
import type { Outbound } from '../../../src/outbound/outbound.ts'
import { CountedUserLimits } from '../../../src/outbound/user-limits.ts'
import { createRates } from '../../../src/reputation/rates.ts'
import { MemoryCounters } from '../../../src/reputation/rates-counters.ts'
import type { SigningDecision, SigningRequest } from '../../../src/signing/signing.ts'
import { parseCommand } from '../../../src/smtp/command.ts'
import { describeReply } from '../../../src/smtp/reply.ts'

const { privateKey } = generateKeyPairSync('ed25519')
const ORDER: SigningOrder = {
  key: { domain: 'example.org', selector: 's1', algorithm: 'ed25519-sha256', privateKey }, canonicalization: { header: 'relaxed', body: 'relaxed' },
  identity: undefined, signedFields: ['from', 'to', 'subject', 'date', 'message-id'], oversignedFields: ['from'], lifetimeSeconds: undefined,
}
const SIGN: SigningDecision = { status: 'sign', orders: [ORDER], why: 'example.org' }

interface Options {
  readonly decision?: SigningDecision
  readonly onError?: Outbound['onError']
  /** nobody: a listener that trusts its clients by their address; stranger: one who has not logged in */
  readonly who?: 'anna' | 'gone' | 'nobody' | 'stranger'
  readonly sender?: string
  readonly most?: number
  /** who may send as whom can be told */
  readonly known?: boolean
}

function stage({ decision = SIGN, onError = 'tempfail', who = 'anna', sender = 'anna@example.org', most = 100, known = true }: Options = {}) {
  const asked: SigningRequest[] = []
  const alarms: Readonly<Record<string, unknown>>[] = []
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (facts: Readonly<Record<string, unknown>>) => void alarms.push(facts) }
  let nowMs = 0
  const limit = { sender: { most, windowMs: 3_600_000 } }
  const rates = createRates({ messages: limit, recipients: limit }, new MemoryCounters({ now: () => nowMs }))
  const outbound: Outbound = {
    listener: 'users', hostname: 'mx.example.org', onError, newToken: () => 'token',
    signing: { decide: (request) => (asked.push(request), decision) },
    users: who === 'nobody' ? undefined : { ready: () => known, isGone: (user) => user === 'gone', maySendAs: (user, address) => address === `${user}@example.org`, limits: new CountedUserLimits({ rates, log, listener: 'users', now: () => nowMs }) },
  }
  const departure = new Departure(outbound, { login: who === 'anna' || who === 'gone' ? who : undefined, sender: envelope(`MAIL FROM:<${sender}>`), date: () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5)) })
  const send = async (text: string) => {
    for (const byte of Buffer.from(text, 'latin1')) departure.write(Buffer.from([byte]))
    const outcome = await departure.finish()
    return outcome.status === 'refused' ? describeReply(outcome.reply) : { signatures: outcome.signatures.toString(), added: outcome.added.toString() }
  }
  return { departure, send, asked, alarms, pass: (ms: number) => void (nowMs += ms) }
}

function envelope(line: string) {
  const command = parseCommand(line)
  assert.ok('envelope' in command)
  return command.envelope
}

const WHOLE = 'From: Anna <anna@example.org>\r\nDate: Fri, 2 Jan 2026 03:04:05 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n'

test('a message of a user is signed; what it has is not added', async () => {
  const { departure, send, asked } = stage()
  assert.equal(departure.refuseSender(), undefined)
  departure.accepted(envelope('RCPT TO:<b@Hop.EXAMPLE>'))
  const outcome = await send(WHOLE)
  assert.ok(typeof outcome === 'object')
  assert.match(outcome.signatures, /^DKIM-Signature: v=1; a=ed25519-sha256; .*d=example\.org; s=s1;/s)
  assert.equal(outcome.added, '')
  assert.deepEqual(departure.facts, { login: 'anna', signed: 'example.org:s1 ed25519-sha256' })
  assert.equal(asked.length, 1)
  assert.deepEqual([...asked[0]?.recipientDomains ?? []], ['hop.example'])
  assert.equal(asked[0]?.sender, 'anna@example.org')
  assert.ok(asked[0].entitledTo('anna@example.org') && !asked[0].entitledTo('bob@example.org'))
})

test('Date and Message-ID are added for users, and signed; not for clients that are trusted by their address', async () => {
  const lacking = 'From: anna@example.org\r\nSubject: x\r\n\r\nHello\r\n'
  const { send, asked } = stage()
  const outcome = await send(lacking)
  assert.ok(typeof outcome === 'object')
  assert.equal(outcome.added, 'Message-ID: <token@mx.example.org>\r\nDate: Fri, 2 Jan 2026 03:04:05 +0000\r\n')
  assert.match(outcome.signatures.replaceAll(/\s/g, ''), /h=[a-z:-]*date/)
  assert.match(outcome.signatures.replaceAll(/\s/g, ''), /h=[a-z:-]*message-id/)
  assert.deepEqual([...asked[0]?.addedFields ?? []], ['message-id', 'date'])
  const trusted = await stage({ who: 'nobody' }).send(lacking)
  assert.ok(typeof trusted === 'object')
  assert.equal(trusted.added, '')
})

test('a message without a body, and one without an empty line, depart as well', async () => {
  for (const text of ['From: anna@example.org\r\n\r\n', 'From: anna@example.org\r\n']) {
    const outcome = await stage().send(text)
    assert.ok(typeof outcome === 'object')
    assert.match(outcome.signatures, /^DKIM-Signature:/)
    assert.match(outcome.added, /^Message-ID: .*\r\nDate: .*\r\n$/)
  }
})

test('a user sends as nobody else: neither in the reverse-path nor in From, in whatever way it is written', async () => {
  assert.equal(describeReply(stage({ sender: 'bob@example.org' }).departure.refuseSender() ?? assert.fail()), '553 5.7.1 anna may not send as <bob@example.org>')
  assert.match(describeReply(stage({ known: false }).departure.refuseSender() ?? assert.fail()), /^451 4\.3\.0/)
  assert.equal(stage({ sender: '' }).departure.refuseSender(), undefined)
  // One whose account was removed since it logged in is a stranger.
  for (const who of ['stranger', 'gone'] as const) assert.equal(describeReply(stage({ who, sender: 'gone@example.org' }).departure.refuseSender() ?? assert.fail()), '530 5.7.0 Authentication required')
  const says = async (header: string): Promise<string> => {
    const outcome = await stage().send(`${header}\r\n\r\nx\r\n`)
    return typeof outcome === 'string' ? outcome.slice(0, 9) : 'departs'
  }
  assert.equal(await says('From: anna@example.org'), 'departs')
  assert.equal(await says('From: "Anna (bob@example.org)" <anna@example.org>'), 'departs')
  for (const header of [
    'From: bob@example.org', 'From: anna@example.org, bob@example.org', 'From: anna@example.org\r\nFrom: bob@example.org', 'From: bob@example.org <anna@example.org>', 'From: <anna@example.org> <bob@example.org>',
    'From: =?utf-8?q?bob=40example.org?=, anna@example.org', 'From:\r\n bob@example.org', 'From : bob@example.org', 'Subject: x', 'From:', 'From: undisclosed:;', 'From: anna@[192.0.2.1]',
  ]) assert.match(await says(header), /^55[04] 5\./, header)
})

test('more than a user may is 450, and one alarm a minute', () => {
  const { departure, alarms, pass } = stage({ most: 2 })
  for (let i = 0; i < 2; i++) assert.equal(departure.refuseSender(), undefined)
  assert.equal(describeReply(departure.refuseSender() ?? assert.fail()), '450 4.7.1 Too many messages: at most 2 in 1h, try again later')
  departure.refuseSender()
  assert.equal(alarms.length, 1)
  assert.deepEqual({ login: alarms[0]?.['login'], what: alarms[0]?.['what'], most: alarms[0]?.['most'] }, { login: 'anna', what: 'messages', most: 2 })
  pass(60_000)
  departure.refuseSender()
  assert.equal(alarms.length, 2)
  for (let i = 0; i < 2; i++) assert.equal(departure.refuseRecipient(), undefined)
  assert.match(describeReply(departure.refuseRecipient() ?? assert.fail()), /^450 4\.7\.1 Too many recipients/)
  pass(7_200_000)
  assert.equal(departure.refuseRecipient(), undefined)
})

test('what should be signed and cannot be waits, or leaves unsigned where that is wanted', async () => {
  const defer: SigningDecision = { status: 'defer', why: 'no record' }
  const waits = await stage({ decision: defer }).send(WHOLE)
  assert.ok(typeof waits === 'string' && waits.startsWith('451 4.7.0'))
  const lenient = stage({ decision: defer, onError: 'unsigned' })
  const outcome = await lenient.send(WHOLE)
  assert.ok(typeof outcome === 'object')
  assert.deepEqual([outcome.signatures, lenient.departure.facts.signed], ['', 'not signed: no record'])
  // What no try will mend is for good; a key that does not do may be mended.
  const unclear = 'From: anna@example.org\r\nthis is no field\r\n\r\nx\r\n'
  const malformed = await stage().send(unclear)
  assert.ok(typeof malformed === 'string' && malformed.startsWith('554 5.6.0'))
  const unfit = await stage({ decision: { status: 'sign', why: '', orders: [{ ...ORDER, key: { ...ORDER.key, algorithm: 'rsa-sha256' } }] } }).send(WHOLE)
  assert.ok(typeof unfit === 'string' && unfit.startsWith('451 4.7.0'))
  const lax = stage({ onError: 'unsigned' })
  assert.ok(typeof await lax.send(unclear) === 'object')
  assert.match(lax.departure.facts.signed ?? '', /^not signed: the header section cannot be signed: there is a line in it that is no field/)
  const none = stage({ decision: { status: 'unsigned', why: 'no key is meant for it' } })
  assert.ok(typeof await none.send(WHOLE) === 'object')
  assert.equal(none.departure.facts.signed, 'not signed: no key is meant for it')
})
