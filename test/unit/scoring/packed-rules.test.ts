/** Rules on their way to another process. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packRules, takeUp, unpackRules } from '../../../src/scoring/packed-rules.ts'
import { atOnce } from '../../../src/spam/rules/in-slices.ts'
import { readRules } from '../../../src/scoring/rule-files.ts'
import { chooseRules, loadRules } from '../../../src/spam/rules/load.ts'
import { readRuleFiles } from '../../../src/spam/rules/folders.ts'
import { contentOfText, NO_FACTS } from '../../support/rules.ts'

const SHIPPED = { shipped: true, paths: [], scores: new Map<string, number>(), spamassassin: [] }

test('what comes out is what went in, bounds of patterns that are infinite too', async () => {
  const read = await readRules(SHIPPED)
  const there = structuredClone(packRules(read))
  assert.deepEqual((await unpackRules(there)).rules, read.rules)
  assert.ok(there.pieces.length > 1, 'a process may do something else meanwhile')
  assert.equal(there.problems, read.problems.length)
  assert.equal(there.passedOver, 0)
})

test('they say of messages what they say where they were read', async () => {
  const { rules } = loadRules(await readRuleFiles({ shipped: true, paths: [] }))
  const there = await unpackRules(structuredClone(packRules(await readRules(SHIPPED))))
  const messages = [
    'From: "PayPal" <x@example.net>\nSubject: Your account is suspended!!!\n\nDear customer, verify your password at http://192.0.2.1/login within 24 hours.\n',
    'Subject: GTUBE\n\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n',
    'From: Ann <ann@example.org>\nSubject: Minutes\n\nHello Bob, here they are.\n',
  ].map(contentOfText)
  for (const message of messages) assert.deepEqual(there.evaluate(message, NO_FACTS), rules.evaluate(message, NO_FACTS))
  assert.ok(messages.some((message) => there.evaluate(message, NO_FACTS).hits.length > 1))
})

test('no rules are rules too', async () => {
  const packed = packRules({ rules: [], problems: [], notes: [] })
  assert.deepEqual((await unpackRules(packed)).rules, [])
})

test('a reload that reads the same rules keeps those that are ready; one more or another score makes others', async () => {
  const numbered = (count: number, scores = new Map<string, number>()) => {
    const text = Array.from({ length: count }, (_, at) => `- { id: RULE_${at}, why: The subject has number ${at}, score: 1, when: { subject: '/\\bnumber ${at}\\b/i' }, hits: [{ subject: number ${at} }], misses: [{ subject: none }] }\n`).join('')
    const { rules, problems } = atOnce(chooseRules({ files: [{ source: 'site.yaml', text: `rules:\n${text}`, site: true }], scores }))
    assert.deepEqual(problems, [])
    return packRules({ rules, problems, notes: [] })
  }
  const inUse = await takeUp(structuredClone(numbered(70)))
  assert.equal((await takeUp(numbered(70), inUse)).set, inUse.set)
  for (const packed of [numbered(70, new Map([['RULE_3', 2]])), numbered(71), numbered(69), numbered(50), numbered(120), numbered(0)]) {
    const other = await takeUp(packed, inUse)
    assert.notEqual(other.set, inUse.set)
    assert.deepEqual(other.set.rules, (await unpackRules(packed)).rules)
    assert.equal(other.packed, packed)
  }
})
