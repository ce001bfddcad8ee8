/** What a verdict leaves behind, from the message on: what counts in the history of its domain, and what may be learned. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScoringSubject } from '../../../src/inbound/scoring.ts'
import { decide, type DecideInput } from '../../../src/policy/decide.ts'
import { CHECKS, PRESET_ACTIONS, PRESET_THRESHOLDS, WEIGHTS, type CheckName, type CheckPolicy, type Policy } from '../../../src/policy/policy.ts'
import { lessonOf } from '../../../src/scoring/auto-learning.ts'
import { load } from '../../support/rules.ts'
import { scoringStage } from '../../support/scoring-stage.ts'
import { heldMessage } from '../../support/stored-message.ts'
import { zoneMap } from '../../support/zone-map.ts'

const RULES = `rules:
  - { id: TEST_STRING, score: 1000, teaches: false, why: A string that is there for tests, when: { text: /string for tests/ }, hits: [string for tests], misses: [x] }
  - { id: LOUD, score: 4, why: It is as loud as can be, when: { text: /loud/ }, hits: [loud], misses: [x] }
  - { id: KNOWN, score: 3, why: The domain is known for it, when: { fact: domain_spam_share, above: 0.9 }, hits: [{ facts: { domain_spam_share: 1 } }], misses: [x] }
`
const checks = Object.fromEntries(CHECKS.map((check): [CheckName, CheckPolicy] => [check, { action: PRESET_ACTIONS.standard[check], weight: WEIGHTS[check] }])) as Record<CheckName, CheckPolicy>
const POLICY: Policy = { checks, exceptions: [], spam: PRESET_THRESHOLDS.standard, dnsDown: 'accept' }

/** From a domain that has sent nothing but spam before. */
async function concluded(text: string, more: Partial<DecideInput> = {}, rules = () => Promise.resolve(load(RULES).rules)) {
  const counted: { readonly domain: string | undefined; readonly spam: boolean }[] = []
  const { scoring, lessons } = scoringStage({
    rules,
    history: { of: () => ({ status: 'known', domain: 'b.example', ageDays: 99, messages: 40, spamShare: 1 }), count: (domain, { spam }) => void counted.push({ domain, spam }) },
  })
  const subject: ScoringSubject = {
    id: 'x', body: heldMessage([Buffer.from(`From: a@b.example\r\nSubject: x\r\n\r\n${text}\r\n`)]), received: Buffer.alloc(0),
    session: { address: '192.0.2.1', port: 1, spokeEarly: false, name: undefined, login: undefined, helo: 'client.example', protocol: 'ESMTP', tls: undefined, forwarded: new Map() },
    known: { address: '192.0.2.1', recipients: ['b@hop.example'], sender: 'a@b.example', spf: { status: 'pass', domain: 'b.example', scope: 'mailfrom' } },
    ground: { resolver: zoneMap({}), now: () => 0 }, credit: 3, wants: (check) => check === 'content',
  }
  const scored = await scoring.score(subject)
  const verdict = decide(POLICY, { outcomes: scored.outcomes, facts: () => ({ status: 'pending' }), final: true, dnsDown: false, ...more })
  scored.conclude(verdict, POLICY.spam)
  return { verdict, counted, taught: lessons.map((lesson) => lessonOf(lesson, { spam: 15, ham: -2 })) }
}

test('the string for tests is refused, and neither learned nor held against the domain', async () => {
  const { verdict, counted, taught } = await concluded('This is the string for tests.')
  assert.equal(verdict.action, 'reject')
  assert.deepEqual([counted, taught], [[{ domain: 'b.example', spam: false }], [undefined]])
})

test('a domain is not held guilty because it was', async () => {
  const { verdict, counted } = await concluded('It is loud.')
  assert.deepEqual([verdict.tagged, verdict.score], [true, 7])
  assert.deepEqual(counted, [{ domain: 'b.example', spam: false }])
})

test('a message that is put off comes again: it is counted and learned then, and not now', async () => {
  const late: DecideInput['outcomes'] = [{ check: 'virus', status: 'temperror', flows: false, result: 'temperror', code: [7, 1], text: 'later' }]
  const { verdict, counted, taught } = await concluded('It is loud.', { outcomes: late })
  assert.equal(verdict.action, 'tempfail')
  assert.deepEqual([counted, taught], [[], []])
})

test('a message that no rules have judged speaks neither for its domain nor against it, and teaches nothing', async () => {
  const { verdict, counted, taught } = await concluded('It is loud.', {}, () => Promise.reject(new Error('EMFILE')))
  assert.equal(verdict.action, 'accept')
  assert.deepEqual([counted, taught], [[], []])
})
