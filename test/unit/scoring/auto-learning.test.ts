/** What is learned without being told: only what is beyond doubt, by other evidence than the classifier's, of authenticated authors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Effect, Verdict } from '../../../src/policy/decide.ts'
import { lessonOf } from '../../../src/scoring/auto-learning.ts'

const AUTHOR = { address: 'anna@sender.example', domain: 'sender.example', organizationalDomain: 'sender.example' }
const BOUNDS = { spam: 15, ham: -2 }

/** Unless it is said, all rules that held teach. */
function learned({ author, verdict, taught = pointsOf(verdict) }: { readonly author: typeof AUTHOR | undefined; readonly verdict: Verdict; readonly taught?: number }): 'spam' | 'ham' | undefined {
  return lessonOf({ author, verdict, evidence: { taught, ofHistory: 0 } }, BOUNDS)
}

function pointsOf({ effects }: Verdict): number {
  return effects.reduce((sum, { check, points }) => (check === 'content' ? sum + points : sum), 0)
}

function verdict(effects: readonly (Partial<Effect> & Pick<Effect, 'check' | 'points'>)[], more: Partial<Verdict> = {}): Verdict {
  const all = effects.map((one): Effect => ({ status: one.points > 0 ? 'fail' : 'pass', result: '', policy: 'score', effect: 'score', exceptions: [], ...one }))
  const score = all.reduce((sum, { points }) => sum + points, 0)
  return { action: 'accept', by: undefined, reply: undefined, warnings: [], score, tagged: score >= 5, effects: all, ...more }
}

test('only the extremes, and without the word of the classifier', () => {
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 16 }]) }), 'spam')
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 10 }, { check: 'bayes', points: 6 }]) }), undefined)
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points: -3 }]) }), 'ham')
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'bayes', points: -4 }]) }), undefined)
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points: -3 }, { check: 'bayes', points: 3 }]) }), 'ham')
})

test('nobody teaches about others', () => {
  assert.equal(learned({ author: undefined, verdict: verdict([{ check: 'content', points: 16 }]) }), undefined)
  assert.equal(learned({ author: undefined, verdict: verdict([{ check: 'correspondent', points: -3 }]) }), undefined)
})

test('nothing is learned where something could not be found out, or spoke against what was let through', () => {
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 16 }, { check: 'dnsbl', points: 0, status: 'temperror' }]) }), undefined)
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points: -3 }, { check: 'spf', points: 0, status: 'fail', effect: 'excused' }]) }), undefined)
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 16 }], { action: 'tempfail' }) }), undefined)
})

test('what an exception or the allow list has excused is a doubt, whatever check it is of', () => {
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points: -3 }, { check: 'content', points: 0, status: 'fail', effect: 'excused' }]) }), undefined)
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points: -3 }, { check: 'bayes', points: 0, status: 'fail', effect: 'excused' }]) }), undefined)
})

test('points that teach nothing are no lesson: neither in spam, nor by their absence in what is wanted', () => {
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 1016 }]), taught: 16 }), 'spam')
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 1000 }]), taught: 0 }), undefined)
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'content', points: 4 }, { check: 'correspondent', points: -3 }]), taught: 0 }), undefined)
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'content', points: -20 }]), taught: -5 }), 'ham')
  // Another filter alone, which may have been shown a string for tests.
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'engine', points: 20 }]) }), undefined)
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'engine', points: 20 }, { check: 'content', points: 6 }]) }), 'spam')
  assert.equal(learned({ author: AUTHOR, verdict: verdict([{ check: 'engine', points: 20 }, { check: 'content', points: 4.9 }]) }), undefined)
})

test('the bounds themselves are extremes, and nothing short of them', () => {
  const spam = (points: number) => learned({ author: AUTHOR, verdict: verdict([{ check: 'content', points }]) })
  const ham = (points: number) => learned({ author: AUTHOR, verdict: verdict([{ check: 'correspondent', points }]) })
  assert.deepEqual([spam(14.9), spam(15)], [undefined, 'spam'])
  assert.deepEqual([ham(-1.9), ham(-2)], [undefined, 'ham'])
})
