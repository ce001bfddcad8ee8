/** What is learned without being told: only what is beyond doubt, by other evidence than the classifier's, of authenticated authors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Effect, Verdict } from '../../../src/policy/decide.ts'
import { lessonOf } from '../../../src/scoring/auto-learning.ts'

const AUTHOR = { address: 'anna@sender.example', domain: 'sender.example', organizationalDomain: 'sender.example' }
const BOUNDS = { spam: 15, ham: -2 }

function verdict(effects: readonly (Partial<Effect> & Pick<Effect, 'check' | 'points'>)[], more: Partial<Verdict> = {}): Verdict {
  const all = effects.map((one): Effect => ({ status: one.points > 0 ? 'fail' : 'pass', result: '', policy: 'score', effect: 'score', exceptions: [], ...one }))
  const score = all.reduce((sum, { points }) => sum + points, 0)
  return { action: 'accept', by: undefined, reply: undefined, warnings: [], score, tagged: score >= 5, effects: all, ...more }
}

test('only the extremes, and without the word of the classifier', () => {
  assert.equal(lessonOf({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 16 }]) }, BOUNDS), 'spam')
  assert.equal(lessonOf({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 10 }, { check: 'bayes', points: 6 }]) }, BOUNDS), undefined)
  assert.equal(lessonOf({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points: -3 }]) }, BOUNDS), 'ham')
  assert.equal(lessonOf({ author: AUTHOR, verdict: verdict([{ check: 'bayes', points: -4 }]) }, BOUNDS), undefined)
  assert.equal(lessonOf({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points: -3 }, { check: 'bayes', points: 3 }]) }, BOUNDS), 'ham')
})

test('nobody teaches about others', () => {
  assert.equal(lessonOf({ author: undefined, verdict: verdict([{ check: 'content', points: 16 }]) }, BOUNDS), undefined)
  assert.equal(lessonOf({ author: undefined, verdict: verdict([{ check: 'correspondent', points: -3 }]) }, BOUNDS), undefined)
})

test('nothing is learned where something could not be found out, or spoke against what was let through', () => {
  assert.equal(lessonOf({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 16 }, { check: 'dnsbl', points: 0, status: 'temperror' }]) }, BOUNDS), undefined)
  assert.equal(lessonOf({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points: -3 }, { check: 'spf', points: 0, status: 'fail', effect: 'excused' }]) }, BOUNDS), undefined)
  assert.equal(lessonOf({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 16 }], { action: 'tempfail' }) }, BOUNDS), undefined)
})

test('what an exception or the allow list has excused is a doubt, whatever check it is of', () => {
  assert.equal(lessonOf({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points: -3 }, { check: 'content', points: 0, status: 'fail', effect: 'excused' }]) }, BOUNDS), undefined)
  assert.equal(lessonOf({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points: -3 }, { check: 'bayes', points: 0, status: 'fail', effect: 'excused' }]) }, BOUNDS), undefined)
})
