/** What rules may ask about besides the message; what is not known is undefined. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scoringFacts, type FactSources } from '../../../src/scoring/facts.ts'

const NOTHING: FactSources = { known: { address: '192.0.2.7' }, tls: false, lists: [], correspondent: undefined, history: undefined }

test('what nobody has looked up is not known, and is neither yes nor no', () => {
  const facts = scoringFacts(NOTHING)
  for (const name of ['spf', 'dkim', 'dmarc', 'rdns', 'correspondent', 'recipient'] as const) assert.equal(facts.words(name), undefined, name)
  for (const name of ['domain_age', 'domain_messages', 'domain_spam_share', 'recipients', 'uri_unasked'] as const) assert.equal(facts.number(name), undefined, name)
  assert.deepEqual([facts.words('client'), facts.words('tls'), facts.words('uri_list')], [['192.0.2.7'], ['no'], []])
})

test('what is known', () => {
  const facts = scoringFacts({
    ...NOTHING, tls: true, known: { address: '192.0.2.7', sender: 'a@b.example', recipients: ['x@y.example', 'z@y.example'], generic: true },
    correspondent: { status: 'known' }, history: { status: 'known', domain: 'b.example', ageDays: 3, messages: 7, spamShare: 0.5 },
  })
  assert.deepEqual([facts.words('tls'), facts.words('sender'), facts.words('generic_name'), facts.words('correspondent')], [['yes'], ['a@b.example'], ['yes'], ['yes']])
  assert.deepEqual([facts.number('recipients'), facts.number('domain_age'), facts.number('domain_messages'), facts.number('domain_spam_share')], [2, 3, 7, 0.5])
})

test('a list that could not be asked leaves open whether it knows a link', () => {
  const facts = scoringFacts({ ...NOTHING, lists: [{ zone: 'a.example', kind: 'domain', questions: 1, unasked: 0, most: 2, status: 'error', stage: 'look-up', cause: 'timeout' }] })
  assert.equal(facts.words('uri_list'), undefined)
})

test('how much of what links hold was not asked for', () => {
  const list = { kind: 'domain', zone: 'a.example', questions: 20, most: 2, status: 'not-listed' } as const
  assert.equal(scoringFacts({ ...NOTHING, lists: [{ ...list, unasked: 3 }, { ...list, unasked: 0 }] }).number('uri_unasked'), 3)
  assert.equal(scoringFacts({ ...NOTHING, lists: [{ ...list, unasked: 0 }] }).number('uri_unasked'), 0)
})

test('a correspondent that could not be looked up is neither', () => {
  assert.equal(scoringFacts({ ...NOTHING, correspondent: { status: 'temperror', cause: 'disk' } }).words('correspondent'), undefined)
})
