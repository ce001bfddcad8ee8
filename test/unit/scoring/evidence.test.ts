/** What a verdict rests on: no lesson comes of one rule alone, of strings for tests, or of what was counted before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Effect, Verdict } from '../../../src/policy/decide.ts'
import { evidenceOf, wasSpam } from '../../../src/scoring/evidence.ts'
import { RuleSet } from '../../../src/spam/rules/rule-set.ts'
import { load } from '../../support/rules.ts'

const THRESHOLDS = { tag: 5, quarantine: undefined, reject: 15 }

const RULES = `rules:
  - { id: TEST_STRING, score: 1000, teaches: false, why: A string that is there for tests, when: { text: /string/ }, hits: [string], misses: [x] }
  - { id: LOUD, score: 7, why: It is as loud as can be, when: { text: /loud/ }, hits: [loud], misses: [x] }
  - { id: QUIET, score: -30, why: It is as quiet as can be, when: { text: /quiet/ }, hits: [quiet], misses: [x] }
  - { id: KNOWN, score: 3, why: The domain is known for it, when: { fact: domain_spam_share, above: 0.9 }, hits: [{ facts: { domain_spam_share: 1 } }], misses: [x] }
  - { id: __OLD, why: The domain is an old one, when: { not: { fact: domain_age, below: 7 } } }
  - { id: OLD_AND_LOUD, score: 2, why: An old domain that is loud, when: { all: [__OLD, LOUD] }, hits: [{ facts: { domain_age: 9 }, text: loud }], misses: [x] }
`

function rules(): RuleSet {
  const { rules: set, problems } = load(RULES)
  assert.deepEqual(problems, [])
  return set
}

function found(...hits: readonly (readonly [string, number])[]) {
  return evidenceOf(hits.map(([id, score]) => ({ id, score, why: '' })), rules())
}

function verdict(content: number, more: Partial<Verdict> = {}, effect: Effect['effect'] = 'score'): Verdict {
  const points = effect === 'score' ? content : 0
  const effects: Effect[] = [{ check: 'content', status: 'fail', result: '', policy: 'score', effect, points, exceptions: [] }]
  return { action: 'accept', by: undefined, reply: undefined, warnings: [], score: points, tagged: points >= 5, effects, ...more }
}

test('a rule that teaches nothing counts nothing, and none more than its share', () => {
  assert.deepEqual(found(['TEST_STRING', 1000]), { taught: 0, ofHistory: 1000 })
  assert.deepEqual(found(['LOUD', 7]), { taught: 5, ofHistory: 0 })
  assert.deepEqual(found(['LOUD', 4.5], ['QUIET', -30]), { taught: -0.5, ofHistory: 0 })
})

test('rules that ask for the history of the domain, themselves or by others, are told apart', () => {
  assert.deepEqual(found(['KNOWN', 3], ['LOUD', 1]), { taught: 4, ofHistory: 3 })
  assert.deepEqual(found(['OLD_AND_LOUD', 2], ['LOUD', 1]), { taught: 3, ofHistory: 2 })
})

test('what counts as spam in the history of a domain is not what the history says', () => {
  assert.equal(wasSpam(verdict(7), THRESHOLDS, found(['LOUD', 7])), true)
  assert.equal(wasSpam(verdict(7), THRESHOLDS, found(['LOUD', 4], ['KNOWN', 3])), false)
  assert.equal(wasSpam(verdict(1000, { action: 'reject', by: 'score' }), THRESHOLDS, found(['TEST_STRING', 1000])), false)
  // Another check has refused it, whatever the points are.
  assert.equal(wasSpam(verdict(0, { action: 'reject', by: 'virus' }), THRESHOLDS, found()), true)
  // Who is let off is let off here too, and the history took nothing away from what did not count.
  assert.equal(wasSpam(verdict(7, {}, 'excused'), THRESHOLDS, found(['LOUD', 4], ['KNOWN', 3])), false)
  assert.equal(wasSpam(verdict(7), { tag: undefined, quarantine: undefined, reject: undefined }, found(['LOUD', 7])), false)
})

test('what has just reached a threshold was spam, whichever it is', () => {
  for (const [points, spam] of [[4.9, false], [5, true]] as const) {
    assert.equal(wasSpam(verdict(points), THRESHOLDS, found(['LOUD', points])), spam)
    assert.equal(wasSpam(verdict(points + 3), THRESHOLDS, found(['LOUD', points], ['KNOWN', 3])), spam)
    assert.equal(wasSpam(verdict(points), { tag: undefined, quarantine: undefined, reject: 5 }, found(['LOUD', points])), spam)
  }
})
