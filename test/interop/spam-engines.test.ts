/** Rspamd, SpamAssassin's spamd and ClamAV's clamd, as Debian has them, asked by our adapters. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createEngines } from '../../src/spam/engines/create-engines.ts'
import type { EngineOutcome, Scored } from '../../src/spam/engines/engine.ts'
import { SHORT_MESSAGE } from '../../src/spam/engines/short-message.ts'
import { EICAR, EICAR_NAME, startClamd, type EngineDaemon } from '../support/peers/clamd.ts'
import { missing } from '../support/peers/programs.ts'
import { startRspamd, type Rspamd } from '../support/peers/rspamd.ts'
import { startSpamd } from '../support/peers/spamd.ts'
import { temporaryDirectory, until } from '../support/process.ts'
import * as engines from '../support/spam-engines.ts'
import { engineFor, engineMessage, ground, GTUBE, HAM, longMessage, WATCHES } from '../support/spam-engines.ts'
import { fileMessage } from '../support/stored-message.ts'

// None of these tests is about time, and the machine may be busy.
const PATIENT = { timeoutMs: 120_000 }
const rspamd = (changed: Parameters<typeof engines.rspamd>[0]) => engines.rspamd({ ...PATIENT, ...changed })
const spamassassin = (changed: Parameters<typeof engines.spamassassin>[0]) => engines.spamassassin({ ...PATIENT, ...changed })
const clamav = (changed: Parameters<typeof engines.clamav>[0]) => engines.clamav({ ...PATIENT, ...changed })

const skip = missing('rspamd', 'spamd', 'clamd')
const STREAM_MAX = 12_000_000
const PASSWORD = 'q7 wört'

let rs: Rspamd
let sa: EngineDaemon
let clam: EngineDaemon

before(async () => {
  if (skip !== false) return
  const started = await Promise.all([
    startRspamd({ password: PASSWORD }),
    startSpamd(['header CHEAP_WATCHES Subject =~ /cheap watches/i', 'describe CHEAP_WATCHES Watches are offered', 'score CHEAP_WATCHES 7.5', 'header OUR_TRACE Received =~ /by mx\\.ours\\.example/', 'score OUR_TRACE 0.5']),
    startClamd({ maxBytes: STREAM_MAX }),
  ])
  rs = started[0]
  sa = started[1]
  clam = started[2]
})

after(async () => {
  if (skip === false) await Promise.all([rs.stop(), sa.stop(), clam.stop()])
})

function scored(outcome: EngineOutcome, log: () => string): Scored {
  assert.ok(outcome.status === 'scored', `${JSON.stringify(outcome)}\n${log()}`)
  return outcome
}

const symbol = ({ symbols }: Scored, name: string) => symbols.find((one) => one.name === name)

test('Rspamd scores over TCP and over a unix socket, and is told of the session', { skip }, async (t) => {
  for (const address of [rs.tcp, { path: rs.path }]) {
    const engine = engineFor(t, rspamd({ address }), ground())
    assert.equal(await engine.ping(), undefined, rs.log())
    const spam = scored(await engine.scan(engineMessage(WATCHES)), rs.log)
    assert.deepEqual([spam.score, spam.threshold, spam.action], [7.6, 15, 'add header'])
    assert.deepEqual(symbol(spam, 'CHEAP_WATCHES'), { name: 'CHEAP_WATCHES', score: 7.5, description: 'Watches are offered' })
    assert.equal(symbol(spam, 'SESSION')?.description, '[ip=192.0.2.7, helo=client.example, host=host.example.net, from=anna@example.net, to=bert@example.org user=nil id=ID1]')
    const gtube = scored(await engine.scan(engineMessage(GTUBE)), rs.log)
    assert.deepEqual([gtube.action, gtube.score, gtube.threshold, symbol(gtube, 'GTUBE')?.name], ['reject', 15, 15, 'GTUBE'])
    const ham = scored(await engine.scan(engineMessage(HAM, { sender: '', recipients: ['bert@example.org', 'carl@example.org'], user: 'anna' })), rs.log)
    assert.deepEqual([ham.score, ham.action], [0.1, 'no action'])
    assert.match(symbol(ham, 'SESSION')?.description ?? '', /from=(?:nil)?, to=bert@example\.org carl@example\.org user=anna/)
  }
})

test('the controller of Rspamd wants the password of the file', { skip }, async (t) => {
  const file = join(temporaryDirectory('rspamd-password'), 'password')
  const context = ground()
  const engine = engineFor(t, rspamd({ address: rs.controller, passwordFile: file }), context)
  writeFileSync(file, `${PASSWORD}\n`, { mode: 0o600 })
  assert.equal(scored(await engine.scan(engineMessage(WATCHES)), rs.log).score, 7.6)
  writeFileSync(file, 'another\n')
  assert.deepEqual(await engine.scan(engineMessage(WATCHES)), { status: 'temperror', cause: 'Rspamd answers 401: Unauthorized' })
  assert.equal(engine.health().failures, 0)
  assert.doesNotMatch(JSON.stringify(context.logged), /another|q7/)
})

test('SpamAssassin names its rules with their points', { skip }, async (t) => {
  for (const address of [sa.tcp, { path: sa.path }]) {
    const engine = engineFor(t, spamassassin({ address, user: 'recipient' }), ground())
    assert.equal(await engine.ping(), undefined, sa.log())
    const prefix = Buffer.from('Received: from client.example ([192.0.2.7]) by mx.ours.example with ESMTP; Mon, 6 Oct 2025 10:00:01 +0000\r\n', 'latin1')
    const spam = scored(await engine.scan(engineMessage(WATCHES, { prefix })), sa.log)
    assert.deepEqual(symbol(spam, 'CHEAP_WATCHES'), { name: 'CHEAP_WATCHES', score: 7.5, description: 'Watches are offered' })
    assert.equal(symbol(spam, 'OUR_TRACE')?.score, 0.5)
    assert.ok(spam.score >= 7.5 && spam.score < 15, String(spam.score))
    assert.deepEqual([spam.threshold, spam.action], [5, 'spam'])
    const gtube = scored(await engine.scan(engineMessage(GTUBE)), sa.log)
    assert.ok(gtube.score >= 999 && symbol(gtube, 'GTUBE')?.score === 1000, JSON.stringify(gtube))
    const ham = scored(await engine.scan(engineMessage(HAM)), sa.log)
    assert.ok(ham.score < 5, JSON.stringify(ham))
    assert.equal(ham.action, 'no action')
  }
})

test('ClamAV finds the test string, plain and in an attachment, and nothing in a letter', { skip }, async (t) => {
  const attached = `Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(EICAR, 'latin1').toString('base64')}\r\n`
  for (const address of [clam.tcp, { path: clam.path }]) {
    const engine = engineFor(t, clamav({ address }), ground())
    assert.equal(await engine.ping(), undefined, clam.log())
    assert.deepEqual(await engine.scan(engineMessage(EICAR)), { status: 'virus', name: EICAR_NAME })
    assert.deepEqual(await engine.scan(engineMessage(`Subject: a present\r\nMIME-Version: 1.0\r\n${attached}`)), { status: 'virus', name: EICAR_NAME })
    assert.deepEqual(await engine.scan(engineMessage(HAM)), { status: 'clean' })
  }
  const spam = engineFor(t, clamav({ address: clam.tcp, spamNames: [{ prefix: 'Test.', score: 4 }] }), ground())
  assert.deepEqual(await spam.scan(engineMessage(EICAR)), { status: 'scored', score: 4, symbols: [{ name: EICAR_NAME, score: 4 }] })
})

test('the short message by which it is found out whether an engine judges is judged at once, and harmless', { skip }, async (t) => {
  for (const settings of [rspamd({ address: rs.tcp }), spamassassin({ address: sa.tcp }), clamav({ address: clam.tcp })]) {
    const outcome = await engineFor(t, settings, ground()).scan(SHORT_MESSAGE)
    assert.ok(outcome.status === 'clean' || (outcome.status === 'scored' && outcome.score < 5), JSON.stringify(outcome))
  }
})

test('5 MB from a temporary file, to all three at once', { skip }, async (t) => {
  const body = await fileMessage(t, longMessage(5_000_000))
  const all = createEngines([rspamd({ address: rs.tcp }), spamassassin({ address: sa.tcp, maxBytes: 10_000_000 }), clamav({ address: { path: clam.path } })], ground())
  t.after(() => all.close())
  const reports = await all.scan(engineMessage(body))
  assert.deepEqual(reports.map(({ engine, outcome }) => [engine, outcome.status]), [['rspamd', 'scored'], ['spamassassin', 'scored'], ['clamav', 'clean']], JSON.stringify(reports))
})

test('more than clamd takes is too big, whether we know its limit or not', { skip }, async (t) => {
  const body = await fileMessage(t, longMessage(25_000_000))
  const engine = engineFor(t, clamav({ address: { path: clam.path } }), ground())
  for (let i = 0; i < 5; i++) assert.deepEqual(await engine.scan(engineMessage(body)), { status: 'too-big' })
  assert.equal(engine.health().failures, 0)
  const told = engineFor(t, clamav({ address: { path: clam.path }, maxBytes: STREAM_MAX }), ground())
  assert.deepEqual(await told.scan(engineMessage(body)), { status: 'too-big' })
})

test('an engine that is killed in the middle is set aside, and asked again when it is back', { skip }, async (t) => {
  const asked = [{ peer: clam, settings: clamav }, { peer: sa, settings: spamassassin }, { peer: rs, settings: rspamd }] as const
  await Promise.all(asked.map(async ({ peer, settings }) => {
    const context = ground()
    const engine = engineFor(t, settings({ address: peer.tcp, breaker: { failures: 2, firstPauseMs: 60_000, mostPauseMs: 600_000 } }), context)
    // Stopped, it takes the connection and says nothing.
    peer.signal('SIGSTOP')
    const interrupted = engine.scan(engineMessage(HAM))
    await until('the scan is under way', () => engine.health().running > 0)
    peer.signal('SIGKILL')
    assert.equal((await interrupted).status, 'temperror')
    await peer.stop()
    const refused = await engine.scan(engineMessage(HAM))
    assert.ok(refused.status === 'temperror' && /ECONNREFUSED/.test(refused.cause), JSON.stringify(refused))
    assert.equal(engine.health().breaker, 'open')
    const aside = await engine.scan(engineMessage(HAM))
    assert.ok(aside.status === 'temperror' && /^set aside since/.test(aside.cause), JSON.stringify(aside))
    await peer.restart()
    assert.equal((await engine.scan(engineMessage(HAM))).status, 'temperror')
    context.advance(60_000)
    assert.notEqual((await engine.scan(engineMessage(HAM))).status, 'temperror', peer.log())
    assert.deepEqual(context.logged.map(({ level, text }) => [level, text]), [
      ['warn', 'a spam engine is set aside, and mail goes on without it'], ['info', 'a spam engine answers again'],
    ])
  }))
})
