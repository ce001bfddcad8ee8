/** What `postern why` will know of a decision. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { reasonsOf, type DecisionRecord } from '../../../src/inbound/decision-record.ts'
import type { Effect, Verdict } from '../../../src/policy/decide.ts'
import { GOOD, LETTER, PTR } from '../../support/judged-zone.ts'
import { judged, type Judged } from '../../support/judged.ts'
import { temporaryDirectory } from '../../support/process.ts'

function recordOf(stage: Judged): DecisionRecord {
  const [decision] = stage.remembered
  assert.ok(decision !== undefined)
  // It goes through JSON to the database.
  return JSON.parse(JSON.stringify(decision.record)) as DecisionRecord
}

test('a refused message: the transaction, each check with the DNS answers behind it, the verdict, what would have changed it', async () => {
  const stage = await judged({ zone: { ...GOOD, 'bank.example': { MX: [[10, 'mx.bank.example']] }, '_dmarc.bank.example': { TXT: ['v=DMARC1; p=reject'] } } })
  await stage.greeting()
  await stage.envelope()
  await stage.message(['From: Bank <service@bank.example>', ...LETTER.slice(1)])
  const record = recordOf(stage)
  assert.equal(record.transaction['id'], 'ID1')
  assert.equal(record.transaction['auth'], 'iprev=pass spf=pass dkim=none arc=none dmarc=fail')
  assert.deepEqual(record.transaction['tests'], ['dmarc:fail'])
  assert.deepEqual(record.checks.map(({ check, result }) => `${check} ${result}`), ['rate within', 'iprev pass', 'helo pass', 'spf pass', 'sender_domain pass', 'dkim none', 'dmarc fail'])
  const iprev = record.checks.find(({ check }) => check === 'iprev')
  assert.deepEqual(iprev?.dns.map(({ question, status, answer }) => [question, status, answer]), [[`PTR ${PTR}`, 'records', ['mail.sender.example']], ['A mail.sender.example', 'records', ['192.0.2.7']]])
  assert.ok(record.checks.find(({ check }) => check === 'dmarc')?.dns.some(({ question, answer }) => question === 'TXT _dmarc.bank.example' && answer[0] === 'v=DMARC1; p=reject'))
  assert.deepEqual([record.verdict?.action, record.verdict?.by], ['reject', 'dmarc'])
  assert.deepEqual(record.verdict?.effects.map(({ check, effect }) => [check, effect]), [['dmarc', 'reject']])
  assert.match(record.changes.join(' '), /DMARC/i)
  assert.deepEqual(record.thresholds, { tag: 5, reject: 15 })
  assert.equal(record.shadow, undefined)
})

test('a client that was turned away at the greeting', async () => {
  const stage = await judged({ zone: {} })
  await stage.greeting()
  const record = recordOf(stage)
  assert.equal(record.transaction['client'], '192.0.2.7')
  assert.deepEqual(record.verdict?.effects.map(({ check, effect }) => [check, effect]), [['rdns', 'disconnect'], ['fcrdns', 'disconnect']])
  assert.deepEqual(record.checks.map(({ check }) => check), ['rate', 'iprev'])
})

test('a client that is exempt: nothing was checked, and the record says so by having no verdict', async () => {
  const stage = await judged({ zone: {}, client: undefined })
  await stage.greeting()
  await stage.envelope()
  await stage.message(LETTER)
  const record = recordOf(stage)
  assert.deepEqual([record.checks, record.verdict, record.changes], [[], undefined, []])
  assert.equal(record.transaction['verdict'], 'accept')
})

test('the shadow policy is decided beside it, has no effect, and stands there where it disagrees', async () => {
  const path = join(temporaryDirectory('shadow'), 'shadow.yaml')
  writeFileSync(path, 'policy: { preset: strict }\n')
  const zone = { ...GOOD, 'sender.example': { TXT: ['v=spf1 -all'], MX: [[10, 'mail.sender.example']] } } as const
  const stage = await judged({ zone, policy: `preset: observe, shadow: ${path}` })
  await stage.greeting()
  assert.match(await stage.envelope(), /^250/)
  assert.match(await stage.message(LETTER), /^250/)
  const record = recordOf(stage)
  assert.equal(record.verdict?.action, 'accept')
  assert.deepEqual([record.shadow?.action, record.shadow?.by], ['reject', 'spf'])
  const agreeing = await judged({ zone: GOOD, policy: `preset: observe, shadow: ${path}` })
  await agreeing.greeting()
  await agreeing.envelope()
  await agreeing.message(LETTER)
  assert.equal(recordOf(agreeing).shadow, undefined)
})

test('thresholds of a domain hold for the shadow policy too; what it leaves out is as the shadow says', async () => {
  const directory = temporaryDirectory('shadow')
  const zone = { ...GOOD, 'sender.example': { TXT: ['v=spf1 -all'] } }
  const shadowOf = async (domain: string, shadow: string) => {
    const path = join(directory, 'shadow.yaml')
    writeFileSync(path, `policy: { ${shadow} }\n`)
    const stage = await judged({ zone, policy: `preset: observe, shadow: ${path}`, domains: `[${domain}]` })
    await stage.greeting()
    await stage.say('EHLO client.example')
    await stage.say('MAIL FROM:<a@sender.example>')
    await stage.say('RCPT TO:<anna@own.example>')
    await stage.message(LETTER)
    return recordOf(stage).shadow?.action
  }
  // SPF fails, which is 2 points: refused by the domain's own threshold, and the same by a shadow that says the same.
  assert.equal(await shadowOf('{ domain: own.example, spam: { reject: 2 } }', 'preset: observe'), undefined)
  assert.equal(await shadowOf('{ domain: own.example, spam: { tag: 2 } }', 'preset: observe, spam: { reject: 1 }'), 'reject')
  assert.equal(await shadowOf('own.example', 'preset: observe, spam: { reject: 1 }'), 'reject')
})

test('a recipient that was refused: why, also where another one was accepted', async () => {
  const zone = { 'sender.example': { MX: [[10, 'mx.sender.example']] } } as const
  const stage = await judged({ zone, policy: 'preset: standard, early_talker_wait: 0s, exceptions: [{ checks: [rdns, fcrdns], when: { recipient: b@hop.example }, reason: takes all }]' })
  await stage.greeting()
  await stage.envelope()
  assert.match(await stage.say('RCPT TO:<c@hop.example>'), /^550 5\.7\.25/)
  await stage.say('RSET')
  const record = recordOf(stage)
  assert.deepEqual([record.verdict?.action, record.verdict?.by], ['disconnect', 'rdns'])
  assert.deepEqual(record.refused.map(({ recipient, verdict }) => [recipient, verdict.by]), [['c@hop.example', 'rdns']])
})

test('the shadow policy has its word also where a client is turned away at the greeting', async () => {
  const path = join(temporaryDirectory('shadow'), 'shadow.yaml')
  writeFileSync(path, 'policy: { preset: observe }\n')
  const stage = await judged({ zone: {}, policy: `preset: standard, shadow: ${path}` })
  assert.match(await stage.greeting(), /^550/)
  assert.equal(recordOf(stage).shadow?.action, 'accept')
})

test('the next hop and our own field hear the confirmed name', async () => {
  const stage = await judged({ zone: GOOD })
  await stage.greeting()
  await stage.envelope()
  assert.equal(stage.hop.clients[0]?.name, 'mail.sender.example')
})

test('why a message was kept: what decided first, then by points; what had no effect is not told', () => {
  const effect = (check: Effect['check'], points: number, more: Partial<Effect> = {}): Effect => ({ check, status: 'fail', result: 'found', policy: 'score', effect: 'score', points, exceptions: [], ...more })
  const effects = [
    effect('helo', 1), effect('rdns', 0, { effect: 'nothing' }), effect('dnswl', -2),
    effect('content', 9, { parts: [{ name: 'SMALL', points: 2, why: '' }, { name: 'GOOD', points: -1, why: '' }, { name: 'LARGE', points: 8, why: '' }] }),
    effect('virus', 0, { effect: 'quarantine' }),
  ]
  const verdict = (by: Verdict['by']): Verdict => ({ action: 'quarantine', by, reply: undefined, warnings: [], score: 8, tagged: true, effects })
  const scored = ['content:found 9', 'LARGE 8', 'SMALL 2', 'GOOD -1', 'helo:found 1']
  assert.deepEqual(reasonsOf({ verdict: verdict('score') }), [...scored, 'virus:found', 'dnswl:found -2'])
  assert.deepEqual(reasonsOf({ verdict: verdict('virus') }), ['virus:found', ...scored, 'dnswl:found -2'])
  assert.deepEqual(reasonsOf({ verdict: undefined }), [])
})
