/** What each source of points says becomes an outcome of the policy: points, names, and never a refusal for what could not be found out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bayesName, bayesOutcome, contentOutcome, correspondentOutcome, engineOutcome, engineOutcomes, scannerTrouble, uriListOutcomes, uriListWord } from '../../../src/scoring/outcomes.ts'
import { decide, type Verdict } from '../../../src/policy/decide.ts'
import type { CheckOutcome } from '../../../src/policy/outcome.ts'
import { CHECKS, PRESET_ACTIONS, PRESET_THRESHOLDS, WEIGHTS, type Action, type CheckName, type Policy } from '../../../src/policy/policy.ts'
import type { EngineReport } from '../../../src/spam/engines/create-engines.ts'
import type { UriListOutcome } from '../../../src/reputation/uri-lists.ts'

/** The verdict of the preset `standard`, with these actions. */
function decided(change: Partial<Record<CheckName, Action>>, outcomes: readonly CheckOutcome[], dnsDown = false): Verdict {
  const checks = Object.fromEntries(CHECKS.map((check) => [check, { action: change[check] ?? PRESET_ACTIONS.standard[check], weight: WEIGHTS[check] }])) as Policy['checks']
  return decide({ checks, exceptions: [], spam: PRESET_THRESHOLDS.standard, dnsDown: 'accept' }, { outcomes, facts: () => ({ status: 'pending' }), final: true, dnsDown })
}

test('rules: their sum counts, their names are parts, what they matched stands behind the sentence', () => {
  const made = contentOutcome({ hits: [{ id: 'A', score: 2, why: 'It shouts', excerpt: 'BUY' }, { id: 'B', score: -0.5, why: 'It is polite' }], score: 1.5, incomplete: undefined })
  assert.deepEqual([made.status, made.weight, made.parts], ['fail', 1.5, [{ name: 'A', points: 2, why: 'It shouts: BUY' }, { name: 'B', points: -0.5, why: 'It is polite' }]])
  assert.equal(contentOutcome({ hits: [{ id: 'B', score: -0.5, why: 'It is polite' }], score: -0.5, incomplete: undefined }).status, 'pass')
  assert.equal(contentOutcome({ hits: [], score: 0, incomplete: undefined }).status, 'none')
})

test('rules that could not all be tried: temperror where none held, and what held still counts', () => {
  assert.deepEqual([contentOutcome({ hits: [], score: 0, incomplete: 'time' })].map(({ status, flows, weight }) => [status, flows, weight]), [['temperror', true, 0]])
  const some = contentOutcome({ hits: [{ id: 'A', score: 2, why: 'It shouts' }], score: 2, incomplete: 'time' })
  assert.deepEqual([some.status, some.weight], ['fail', 2])
  assert.match(some.result, /not all could be tried: time/)
})

test('the classifier: the names that filters know, points as it says, nothing before it is trained', () => {
  assert.deepEqual([0, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.995, 1].map(bayesName), ['BAYES_00', 'BAYES_05', 'BAYES_20', 'BAYES_40', 'BAYES_50', 'BAYES_60', 'BAYES_80', 'BAYES_95', 'BAYES_99', 'BAYES_999'])
  const spam = bayesOutcome({ status: 'classified', probability: 0.9999, points: 5.9, counted: 50, telling: [] })
  assert.deepEqual([spam.status, spam.weight, spam.parts?.[0]?.name], ['fail', 5.9, 'BAYES_999'])
  assert.equal(bayesOutcome({ status: 'classified', probability: 0.001, points: -3.9, counted: 50, telling: [] }).status, 'pass')
  assert.deepEqual([bayesOutcome({ status: 'untrained', ham: 3, spam: 199, points: 0 })].map(({ status, weight }) => [status, weight]), [['none', 0]])
})

test('lists for links: listings add up, one that errs is temperror and counts nothing', () => {
  const common = { kind: 'domain', questions: 2, unasked: 0, most: 3 } as const
  const listed = (zone: string, weight: number): UriListOutcome => ({ ...common, zone, status: 'listed', weight, labels: [], failed: 0, listings: [{ item: 'bad.example', codes: ['127.0.0.2'], labels: [], weight }] })
  const error: UriListOutcome = { ...common, zone: 'c.example', status: 'error', stage: 'look-up', cause: 'timeout' }
  const [made] = uriListOutcomes([listed('a.example', 2), error, listed('b.example', 1.5)])
  assert.deepEqual([made?.status, made?.weight, made?.parts?.map(({ name }) => name)], ['fail', 3.5, ['URI_A_EXAMPLE', 'URI_B_EXAMPLE']])
  assert.deepEqual(uriListOutcomes([error]).map(({ status, flows, weight }) => [status, flows, weight]), [['temperror', undefined, 0]])
  // One that is set aside is as if it were not configured, or nothing would be learned by itself beside it.
  const aside: UriListOutcome = { ...error, stage: 'set-aside', cause: 'it lists everything' }
  const clean: UriListOutcome = { ...common, zone: 'a.example', status: 'not-listed' }
  assert.deepEqual(uriListOutcomes([aside, clean]).map(({ status }) => status), ['pass'])
  assert.deepEqual(uriListOutcomes([aside]), [])
  assert.deepEqual([[clean, aside], [aside], [aside, error, clean], [error, listed('a.example', 2)]].map(uriListWord), ['clean', 'none', 'temperror', 'listed'])
  assert.deepEqual(uriListOutcomes([{ ...common, zone: 'a.example', status: 'not-listed' }]).map(({ status }) => status), ['pass'])
  assert.deepEqual(uriListOutcomes([{ ...common, zone: 'a.example', status: 'not-asked', why: 'no links' }]), [])
})

test('a correspondent takes points away; one who could not be looked up would perhaps have', () => {
  assert.deepEqual([correspondentOutcome({ status: 'known' }, 3)].map(({ status, weight }) => [status, weight]), [['pass', -3]])
  assert.deepEqual([correspondentOutcome({ status: 'temperror', cause: 'disk' }, 3)].map(({ status, weight, flows }) => [status, weight, flows]), [['temperror', -3, true]])
})

test('engines: points, viruses, and one that is down lets mail flow unless it is told otherwise', () => {
  const report = (outcome: EngineReport['outcome'], more: Partial<EngineReport> = {}): EngineReport => ({ engine: 'rspamd', kind: 'rspamd', outcome, contribution: undefined, down: 'flow', tooBig: 'flow', least: -5, tookMs: 1, ...more })
  const scored = engineOutcome(report({ status: 'scored', score: 12, threshold: 15, symbols: [{ name: 'A', score: 12 }] }, { contribution: { points: 4, symbols: [{ name: 'A', score: 4 }] } }))
  assert.deepEqual([scored?.check, scored?.status, scored?.weight, scored?.parts?.[0]], ['engine', 'fail', 4, { name: 'RSPAMD', points: 4, why: 'A 4' }])
  const down = engineOutcome(report({ status: 'temperror', cause: 'refused' }))
  assert.deepEqual([down?.check, down?.status, down?.flows], ['engine', 'temperror', true])
  const virus = engineOutcome(report({ status: 'virus', name: 'Eicar' }, { engine: 'clamav', kind: 'clamav' }))
  assert.deepEqual([virus?.check, virus?.status], ['virus', 'fail'])
  assert.match(virus?.text ?? '', /virus \(Eicar\)/)
  const trouble = scannerTrouble(report({ status: 'temperror', cause: 'refused' }, { kind: 'clamav', down: 'tempfail' }))
  assert.deepEqual([trouble?.check, trouble?.status, trouble?.flows], ['virus', 'temperror', false])
  assert.equal(engineOutcome(report({ status: 'too-big' })), undefined)
  assert.deepEqual([down?.weight, scored?.weight], [-5, 4])
  const unsearched = engineOutcome(report({ status: 'too-big' }, { kind: 'clamav' }))
  assert.deepEqual([unsearched?.check, unsearched?.status, unsearched?.result], ['virus', 'none', 'not searched: too large'])
})

test('a list for links that does not answer is a 451 where a listing would refuse, and nothing elsewhere', () => {
  const error: UriListOutcome = { kind: 'domain', questions: 2, unasked: 0, most: 3, zone: 'c.example', status: 'error', stage: 'look-up', cause: 'timeout' }
  const made = (action: Action, dnsDown = false) => decided({ uri_list: action }, uriListOutcomes([error]), dnsDown)
  for (const action of ['reject', 'tempfail'] as const) {
    assert.deepEqual([made(action).action, made(action).reply?.status], ['tempfail', 451])
    assert.match(String(made(action).reply?.text), /try again later/)
    assert.equal(made(action, true).action, 'accept', 'when the whole DNS is silent, as dns_down says')
  }
  for (const action of ['score', 'warn', 'note'] as const) assert.equal(made(action).action, 'accept')
})

const report = (outcome: EngineReport['outcome'], more: Partial<EngineReport> = {}): EngineReport => ({ engine: 'clamav', kind: 'clamav', outcome, contribution: undefined, down: 'flow', tooBig: 'flow', least: -5, tookMs: 1, ...more })

test('down: tempfail is a 451 whatever is done about what it finds, and whether or not the DNS answers', () => {
  const silent = { status: 'temperror', cause: 'refused' } as const
  const scanner = engineOutcomes(report(silent, { down: 'tempfail' }))
  for (const virus of ['reject', 'quarantine', 'tempfail', 'warn', 'score'] as const) {
    for (const dnsDown of [false, true]) {
      const { action, reply } = decided({ virus }, scanner, dnsDown)
      assert.deepEqual([action, reply?.status], ['tempfail', 451], `${virus} ${dnsDown}`)
    }
    assert.equal(decided({ virus }, engineOutcomes(report(silent))).action, 'accept', virus)
  }
  for (const virus of ['off', 'note'] as const) assert.equal(decided({ virus }, scanner).action, 'accept')
  const { action, reply } = decided({}, engineOutcomes(report(silent, { engine: 'rspamd', kind: 'rspamd', down: 'tempfail' })))
  assert.equal(action, 'tempfail')
  assert.match(String(reply?.text), /try again later/)
})

test('an engine that would perhaps have taken points away is no reason to refuse for good while it is down', () => {
  const content = contentOutcome({ hits: [{ id: 'A', score: 16, why: 'It shouts' }], score: 16, incomplete: undefined })
  const rspamd = (outcome: EngineReport['outcome'], more: Partial<EngineReport> = {}) => engineOutcomes(report(outcome, { engine: 'rspamd', kind: 'rspamd', ...more }))
  const made = (engine: readonly CheckOutcome[]) => decided({}, [content, ...engine]).action
  assert.equal(made([]), 'reject')
  assert.equal(made(rspamd({ status: 'scored', score: -5, symbols: [] }, { contribution: { points: -5, symbols: [] } })), 'accept')
  assert.equal(made(rspamd({ status: 'temperror', cause: 'refused' })), 'tempfail')
  assert.equal(made(rspamd({ status: 'temperror', cause: 'refused' }, { least: 0 })), 'reject')
})

test('what is too large to be searched flows, or is dealt with as a virus is, without the points of one', () => {
  const large = { status: 'too-big' } as const
  const [flowing] = engineOutcomes(report(large))
  assert.deepEqual([flowing?.check, flowing?.status, flowing?.result], ['virus', 'none', 'not searched: too large'])
  assert.equal(decided({}, engineOutcomes(report(large, { down: 'tempfail' }))).action, 'accept')
  const refused = engineOutcomes(report(large, { tooBig: 'reject' }))
  const { action, reply } = decided({}, refused)
  assert.deepEqual([action, reply?.status, reply?.subject, reply?.detail], ['reject', 550, 3, 4])
  assert.equal(decided({ virus: 'quarantine' }, refused).action, 'quarantine')
  const warned = decided({ virus: 'warn' }, refused)
  assert.deepEqual([warned.action, warned.score, warned.warnings], ['accept', 0, ['this message was not searched for viruses: it is too large']])
  assert.deepEqual(engineOutcomes(report(large, { kind: 'rspamd', tooBig: 'reject' })), [])
})

test('what stands for spam was found first: a virus behind it would not have been', () => {
  const found = engineOutcomes(report({ status: 'scored', score: 3, symbols: [{ name: 'Sanesecurity.Junk', score: 3 }] }, { contribution: { points: 3, symbols: [{ name: 'Sanesecurity.Junk', score: 3 }] } }))
  assert.deepEqual(found.map(({ check, status, result }) => [check, status, result]), [['virus', 'none', 'not searched: not to the end'], ['engine', 'fail', 'clamav 3']])
})
