/** What would have changed a verdict. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkMatcher } from '../../../src/config/networks.ts'
import { readCondition, type FactName } from '../../../src/policy/condition.ts'
import { decide, type DecideInput } from '../../../src/policy/decide.ts'
import type { CheckOutcome } from '../../../src/policy/outcome.ts'
import { ALLOWED_ACTIONS, CHECKS, type Action, type CheckName, type Policy } from '../../../src/policy/policy.ts'
import { whatIf, type WhatIf } from '../../../src/policy/what-if.ts'
import { rawCondition } from './raw-condition.ts'

function policy(change: Partial<Record<CheckName, Action>>, more: Partial<Policy> = {}): Policy {
  const checks = Object.fromEntries(CHECKS.map((check) => [check, { action: change[check] ?? 'note', weight: 3 }])) as Policy['checks']
  return { checks, exceptions: [], spam: { tag: 5, quarantine: undefined, reject: 15 }, dnsDown: 'accept', ...more }
}

function outcome(check: CheckName, status: CheckOutcome['status'], more: Partial<CheckOutcome> = {}): CheckOutcome {
  return { check, status, result: status, code: [7, 25], text: `${check} is to be mended`, ...more }
}

function asked(one: Policy, outcomes: readonly CheckOutcome[], more: Partial<DecideInput> = {}): WhatIf {
  const input: DecideInput = { outcomes, facts: () => ({ status: 'known', values: [] }), final: true, dnsDown: false, ...more }
  return whatIf(one, input, decide(one, input))
}

test('one reason: had that passed, it would have been accepted', () => {
  const made = asked(policy({ spf: 'reject' }), [outcome('spf', 'fail'), outcome('helo', 'fail'), outcome('rdns', 'pass')])
  assert.deepEqual(made.changes, [{ changes: ['spf'], action: 'accept' }])
  assert.equal(made.sentences[0], 'If SPF had passed, it would have been accepted.')
})

test('two reasons: one is left, and both together', () => {
  const made = asked(policy({ rdns: 'disconnect', spf: 'reject', helo: 'score' }), [outcome('rdns', 'fail'), outcome('spf', 'fail'), outcome('helo', 'fail')])
  assert.deepEqual(made.changes, [{ changes: ['rdns', 'spf'], action: 'accept' }, { changes: ['rdns'], action: 'reject' }])
  assert.deepEqual(made.sentences.slice(0, 2), [
    'If the client address had a name in reverse DNS, and SPF had passed, it would have been accepted.',
    'If the client address had a name in reverse DNS, it would have been refused (550).',
  ])
})

test('two of the same strength: neither alone', () => {
  const made = asked(policy({ sender_domain: 'reject', spf: 'reject' }), [outcome('sender_domain', 'fail'), outcome('spf', 'fail')])
  assert.deepEqual(made.changes, [{ changes: ['sender_domain', 'spf'], action: 'accept' }])
})

test('three of the same strength: it is said that no two would do', () => {
  const made = asked(policy({ helo: 'reject', sender_domain: 'reject', spf: 'reject' }), [outcome('helo', 'fail'), outcome('sender_domain', 'fail'), outcome('spf', 'fail')])
  assert.deepEqual(made.changes, [])
  assert.equal(made.sentences[0], 'No one or two of the checks, had they passed, would have changed the verdict.')
})

test('a score: which checks would have kept it below, and by how much it is above', () => {
  const outcomes = [outcome('dnsbl', 'fail', { weight: 9 }), outcome('spf', 'fail', { weight: 4 }), outcome('helo', 'fail', { weight: 4 })]
  const made = asked(policy({ dnsbl: 'warn', spf: 'score', helo: 'score' }), outcomes)
  assert.deepEqual(made.changes, [{ changes: ['dnsbl'], action: 'accept' }, { changes: ['spf'], action: 'accept' }, { changes: ['helo'], action: 'accept' }])
  assert.deepEqual(made.score, { score: 17, reached: { threshold: 'reject', at: 15, above: 2 }, next: undefined })
  assert.equal(made.sentences.at(-1), 'The score of 17 has reached 15, from which on messages are to be refused; it is 2 above.')
  const both = asked(policy({ dnsbl: 'warn', spf: 'score', helo: 'score' }, { spam: { tag: undefined, quarantine: 6, reject: 15 } }), outcomes)
  assert.deepEqual(both.changes.slice(0, 2), [{ changes: ['dnsbl', 'spf'], action: 'accept' }, { changes: ['dnsbl', 'helo'], action: 'accept' }])
  assert.deepEqual(both.changes.slice(2), ['dnsbl', 'spf', 'helo'].map((check) => ({ changes: [check], action: 'quarantine' })))
})

test('how much was missing to the next threshold, also of what was accepted; tenths stay tenths', () => {
  const made = asked(policy({ spf: 'score' }), [outcome('spf', 'fail', { weight: 4.9 })])
  assert.deepEqual([made.changes, made.score], [[], { score: 4.9, reached: undefined, next: { threshold: 'tag', at: 5, missing: 0.1 } }])
  assert.deepEqual(made.sentences, ['The score of 4.9 is 0.1 below 5, from which on messages are to be tagged.'])
  const tagged = asked(policy({ spf: 'score' }), [outcome('spf', 'fail', { weight: 5 })])
  assert.deepEqual(tagged.sentences, ['The score of 5 has reached 5, from which on messages are to be tagged, exactly.', 'The score of 5 is 10 below 15, from which on messages are to be refused.'])
  assert.deepEqual(asked(policy({}, { spam: { tag: undefined, quarantine: undefined, reject: undefined } }), []), { changes: [], score: { score: 0, reached: undefined, next: undefined }, sentences: [] })
})

test('while more is to come the score says nothing', () => {
  const made = asked(policy({ rdns: 'disconnect' }), [outcome('rdns', 'fail')], { final: false })
  assert.deepEqual([made.changes, made.score], [[{ changes: ['rdns'], action: 'accept' }], undefined])
})

test('what could not be found out, and what the domain owner asks for', () => {
  assert.deepEqual(asked(policy({ rdns: 'disconnect' }), [outcome('rdns', 'temperror')]).changes, [{ changes: ['rdns'], action: 'accept' }])
  assert.deepEqual(asked(policy({ dmarc: 'honour' }), [outcome('dmarc', 'fail', { demand: 'quarantine' })]).changes, [{ changes: ['dmarc'], action: 'accept' }])
})

test('where nobody could say what a message is, it is not said that something was found', () => {
  const first = (check: CheckName, more: Partial<CheckOutcome>): string | undefined => asked(policy({ [check]: 'reject' }), [outcome(check, 'temperror', more)]).sentences[0]
  assert.equal(first('virus', { flows: false }), 'If the virus scanner had answered, and had found no virus, it would have been accepted.')
  assert.equal(asked(policy({ engine: 'score' }), [outcome('engine', 'temperror', { flows: false })]).sentences[0], 'If the other spam engine had answered, and had found nothing, it would have been accepted.')
  assert.equal(first('dnsbl', {}), 'If the block lists had answered, and the client had been on none, it would have been accepted.')
  assert.equal(first('spf', {}), 'If SPF had passed, it would have been accepted.')
  const found = asked(policy({ virus: 'reject' }), [outcome('virus', 'fail', { result: 'clamav: Evil-1' }), outcome('virus', 'temperror', { flows: false })])
  assert.equal(found.sentences[0], 'If no virus had been found, it would have been accepted.')
  const tooLarge = asked(policy({ virus: 'reject' }), [outcome('virus', 'fail', { result: 'not searched: too large' })])
  assert.equal(tooLarge.sentences[0], 'If it could have been searched for viruses, and none had been found, it would have been accepted.')
})

test('a check that passes may fulfil the exception of another', () => {
  const reading = readCondition(rawCondition({ spf: 'pass', spf_domain: 'friend.example' }), networkMatcher)
  assert.ok(reading.status === 'ok')
  const one = policy({ fcrdns: 'disconnect', spf: 'reject' }, { exceptions: [{ checks: ['fcrdns'], when: reading.condition, reason: 'a friend' }] })
  const facts = (name: FactName): ReturnType<DecideInput['facts']> => ({ status: 'known', values: name === 'spf_domain' ? ['friend.example'] : name === 'spf' ? ['fail'] : [] })
  const made = asked(one, [outcome('fcrdns', 'fail'), outcome('spf', 'fail')], { facts })
  assert.deepEqual(made.changes, [{ changes: ['spf'], action: 'accept' }, { changes: ['fcrdns'], action: 'reject' }])
})

test('a list that speaks for the client is not taken away', () => {
  const made = asked(policy({ spf: 'score', dnswl: 'score' }, { spam: { tag: undefined, quarantine: undefined, reject: 5 } }), [outcome('spf', 'fail', { weight: 8 }), outcome('dnswl', 'pass', { weight: -2 })])
  assert.deepEqual(made.changes, [{ changes: ['spf'], action: 'accept' }])
})

test('of many changes the first ten are told', () => {
  const made = asked(policy(Object.fromEntries(CHECKS.map((check) => [check, 'score'])), { spam: { tag: 1, quarantine: undefined, reject: 3 * CHECKS.length } }), CHECKS.map((check) => outcome(check, 'fail')))
  assert.deepEqual(made.changes.map(({ changes }) => changes), CHECKS.slice(0, 10).map((check) => [check]))
})

test('every change that is told is so, none is idle, and the list has a bound: all actions of all checks', () => {
  const rank = ['accept', 'quarantine', 'tempfail', 'reject', 'disconnect']
  for (let seed = 0; seed < 3000; seed++) {
    const pick = <T>(of: readonly T[], i: number): T => of[((seed * 2654435761 + i * 40503 * (seed + 7)) >>> 5) % of.length] as T
    const one = policy(Object.fromEntries(CHECKS.map((check, i) => [check, pick(ALLOWED_ACTIONS[check], i)])), { spam: { tag: 1, quarantine: 4, reject: 8 } })
    const outcomes = CHECKS.map((check, i) => outcome(check, pick(['pass', 'fail', 'none', 'temperror', 'fail'] as const, i + 20), { demand: pick(['none', 'quarantine', 'reject'] as const, i + 40) }))
    const input: DecideInput = { outcomes, facts: () => ({ status: 'known', values: [] }), final: true, dnsDown: false }
    const verdict = decide(one, input)
    const { changes, sentences } = whatIf(one, input, verdict)
    assert.ok(changes.length <= 10 && sentences.length <= 13)
    if (verdict.action === 'accept') assert.deepEqual(changes, [])
    for (const change of changes) {
      const again = decide(one, { ...input, outcomes: outcomes.map((each) => (change.changes.includes(each.check) ? outcome(each.check, 'pass') : each)) })
      assert.equal(again.action, change.action)
      assert.ok(rank.indexOf(change.action) < rank.indexOf(verdict.action))
      for (const check of change.changes) assert.ok(verdict.effects.some((effect) => effect.check === check && effect.effect !== 'nothing'))
    }
    if (verdict.action === 'accept' || changes.length > 0) continue
    for (const first of CHECKS) {
      for (const other of CHECKS) {
        const again = decide(one, { ...input, outcomes: outcomes.map((each) => ([first, other].includes(each.check) ? outcome(each.check, 'pass') : each)) })
        assert.ok(rank.indexOf(again.action) >= rank.indexOf(verdict.action), `${first} ${other}: ${JSON.stringify(verdict)}`)
      }
    }
  }
})
