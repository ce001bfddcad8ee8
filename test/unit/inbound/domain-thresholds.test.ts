/** Domains with thresholds of their own: what is spam for one need not be for another, and one verdict never stands for both. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scoring } from '../../../src/inbound/scoring.ts'
import type { Thresholds } from '../../../src/policy/policy.ts'
import { GOOD, LETTER } from '../../support/judged-zone.ts'
import { judged } from '../../support/judged.ts'

const ZONE = { ...GOOD, 'sender.example': { TXT: ['v=spf1 -all'] } }
const OPTIONS = { zone: ZONE, policy: 'preset: observe, spam: { tag: 5 }', domains: '[hop.example, { domain: strict.example, spam: { tag: 2 } }, { domain: refusing.example, spam: { reject: 2 } }, { domain: also.example, spam: { tag: 2 } }]' }

test('the same message is spam for the one and not for the other', async () => {
  for (const [recipient, required, spam] of [['anna@hop.example', '5.0', 'No'], ['anna@strict.example', '2.0', 'Yes'], ['anna@STRICT.example', '2.0', 'Yes']] as const) {
    const stage = await judged(OPTIONS)
    await stage.greeting()
    await stage.say('EHLO client.example')
    await stage.say('MAIL FROM:<a@sender.example>')
    assert.match(await stage.say(`RCPT TO:<${recipient}>`), /^250/)
    assert.match(await stage.message(LETTER), /^250/)
    assert.match(stage.delivered()[0] ?? '', new RegExp(`X-Spam-Status: ${spam}, score=2\\.0 required=${required}`), recipient)
  }
})

test('a domain can refuse what others take, and the record has its thresholds', async () => {
  const stage = await judged(OPTIONS)
  await stage.greeting()
  await stage.say('EHLO client.example')
  await stage.say('MAIL FROM:<a@sender.example>')
  assert.match(await stage.say('RCPT TO:<anna@refusing.example>'), /^250/)
  assert.match(await stage.message(LETTER), /^550 5\.7\.1/)
  assert.deepEqual(stage.remembered.at(-1)?.record['thresholds'], { tag: 5, quarantine: undefined, reject: 2 })
})

test('recipients with other thresholds have a transaction of their own; equal ones share it', async () => {
  const stage = await judged(OPTIONS)
  await stage.greeting()
  await stage.say('EHLO client.example')
  await stage.say('MAIL FROM:<a@sender.example>')
  assert.match(await stage.say('RCPT TO:<anna@strict.example>'), /^250/)
  assert.match(await stage.say('RCPT TO:<bob@also.example>'), /^250/)
  assert.match(await stage.say('RCPT TO:<anna@hop.example>'), /^451 4\.5\.3/)
  assert.match(await stage.message(LETTER), /^250/)
})

test('what a verdict teaches goes by the thresholds that it was made by', async () => {
  const concluded: Thresholds[] = []
  const scoring: Scoring = { score: () => Promise.resolve({ outcomes: [], traces: [], telling: [], conclude: (_, thresholds) => (concluded.push(thresholds), undefined) }) }
  for (const recipient of ['anna@hop.example', 'anna@strict.example']) {
    const stage = await judged({ ...OPTIONS, scoring })
    await stage.greeting()
    await stage.say('EHLO client.example')
    await stage.say('MAIL FROM:<a@sender.example>')
    await stage.say(`RCPT TO:<${recipient}>`)
    assert.match(await stage.message(LETTER), /^250/)
  }
  assert.deepEqual(concluded.map(({ tag }) => tag), [5, 2])
})
