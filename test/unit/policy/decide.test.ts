/** The verdict as a function of the facts: what each action comes to, exceptions, temporary errors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkMatcher } from '../../../src/config/networks.ts'
import { readCondition, type FactName, type FactValue } from '../../../src/policy/condition.ts'
import { decide, type DecideInput } from '../../../src/policy/decide.ts'
import { rawCondition } from './raw-condition.ts'
import type { CheckOutcome } from '../../../src/policy/outcome.ts'
import { ALLOWED_ACTIONS, CHECKS, PRESET_ACTIONS, PRESET_THRESHOLDS, PRESETS, WEIGHTS, type Action, type CheckName, type Exception, type Policy } from '../../../src/policy/policy.ts'
import type { Truth } from '../../../src/policy/truth.ts'

function policy(change: Partial<Record<CheckName, Action>> = {}, more: Partial<Policy> = {}): Policy {
  const checks = Object.fromEntries(CHECKS.map((check) => [check, { action: change[check] ?? 'note', weight: WEIGHTS[check] }])) as Policy['checks']
  return { checks, exceptions: [], spam: { tag: 5, quarantine: undefined, reject: 15 }, dnsDown: 'accept', ...more }
}

function outcome(check: CheckName, status: CheckOutcome['status'], more: Partial<CheckOutcome> = {}): CheckOutcome {
  return { check, status, result: status, code: [7, 25], text: `${check} is to be mended`, warnings: [`${check} is bad`], ...more }
}

function input(outcomes: readonly CheckOutcome[], more: Partial<DecideInput> = {}): DecideInput {
  return { outcomes, facts: () => ({ status: 'known', values: [] }), final: true, dnsDown: false, ...more }
}

function exception(checks: readonly CheckName[], when: unknown): Exception {
  const reading = readCondition(rawCondition(when), networkMatcher)
  assert.ok(reading.status === 'ok')
  return { checks, when: reading.condition, reason: 'known to be fine' }
}

test('each action, for a failed check', () => {
  const cases: readonly (readonly [Action, string, number | undefined])[] = [
    ['off', 'accept', undefined], ['note', 'accept', undefined], ['warn', 'accept', undefined], ['score', 'accept', undefined],
    ['tempfail', 'tempfail', 451], ['reject', 'reject', 550], ['disconnect', 'disconnect', 550],
  ]
  for (const [action, verdict, status] of cases) {
    const made = decide(policy({ rdns: action }), input([outcome('rdns', 'fail')]))
    assert.equal(made.action, verdict)
    assert.equal(made.reply?.status, status)
    assert.deepEqual(made.warnings, action === 'warn' ? ['rdns is bad'] : [])
    assert.equal(made.score, action === 'score' || action === 'warn' ? WEIGHTS.rdns : 0)
  }
})

test('a list that speaks for the client takes points away, and needs no exception for it', () => {
  const listed = outcome('dnswl', 'pass', { weight: -3 })
  assert.equal(decide(policy({ dnswl: 'score', rdns: 'score' }), input([outcome('rdns', 'fail'), listed])).score, 0)
  assert.equal(decide(policy({ dnswl: 'note', rdns: 'score' }), input([outcome('rdns', 'fail'), listed])).score, 3)
  assert.equal(decide(policy({ dnswl: 'score' }), input([listed], { excuses: [{ checks: undefined, truth: 'true', reason: 'a friend' }] })).score, -3)
})

test('the allow list excuses what its entries name, waits for what is not known, and is no reason to refuse where it could not be asked', () => {
  const made = (truth: Truth, more: Partial<DecideInput> = {}) =>
    decide(policy({ rdns: 'disconnect' }), input([outcome('rdns', 'fail')], { excuses: [{ checks: ['rdns'], truth, reason: 'a friend' }], ...more }))
  assert.deepEqual([made('true').action, made('true').effects[0]?.exceptions], ['accept', ['a friend']])
  assert.deepEqual([made('pending', { final: false }).action, made('pending', { final: false }).effects[0]?.effect], ['accept', 'deferred'])
  assert.equal(made('pending').action, 'disconnect')
  assert.equal(made('temperror').action, 'tempfail')
  assert.equal(made('false').action, 'disconnect')
  const other = decide(policy({ rdns: 'disconnect' }), input([outcome('rdns', 'fail')], { excuses: [{ checks: ['spf'], truth: 'true', reason: 'a friend' }] }))
  assert.equal(other.action, 'disconnect')
})

test('a refusal has the code and the words of its check', () => {
  const { reply, by } = decide(policy({ rdns: 'disconnect' }), input([outcome('rdns', 'fail')]))
  assert.deepEqual(reply, { status: 550, subject: 7, detail: 25, text: 'rdns is to be mended' })
  assert.equal(by, 'rdns')
})

test('what passed, and what there is nothing to say of, does nothing', () => {
  for (const status of ['pass', 'none'] as const) assert.equal(decide(policy({ rdns: 'disconnect', dmarc: 'honour' }), input([outcome('rdns', status), outcome('dmarc', status, { demand: 'reject' })])).action, 'accept')
})

test('DMARC: what the domain owner asks for', () => {
  for (const [demand, action] of [['none', 'accept'], ['quarantine', 'quarantine'], ['reject', 'reject']] as const) {
    assert.equal(decide(policy({ dmarc: 'honour' }), input([outcome('dmarc', 'fail', { demand })])).action, action)
    assert.equal(decide(policy({ dmarc: 'note' }), input([outcome('dmarc', 'fail', { demand })])).action, 'accept')
  }
})

test('of several reasons the strongest decides, of equal ones the first', () => {
  const made = decide(policy({ rdns: 'tempfail', spf: 'reject', dmarc: 'honour' }), input([outcome('rdns', 'fail'), outcome('spf', 'fail'), outcome('dmarc', 'fail', { demand: 'reject' })]))
  assert.deepEqual([made.action, made.by], ['reject', 'spf'])
})

test('the score: points are summed, thresholds count at the end only', () => {
  const scored = policy({ rdns: 'score', dnsbl: 'score' }, { spam: { tag: 5, quarantine: 7, reject: 9 } })
  const at = (weight: number, final = true) => decide(scored, input([outcome('rdns', 'fail'), outcome('dnsbl', 'fail', { weight })], { final }))
  assert.deepEqual([at(1.9).score, at(1.9).tagged, at(1.9).action], [4.9, false, 'accept'])
  assert.deepEqual([at(2).tagged, at(2).action], [true, 'accept'])
  assert.equal(at(4).action, 'quarantine')
  assert.deepEqual([at(6).action, at(6).by, at(6).reply?.status], ['reject', 'score', 550])
  assert.equal(at(6, false).action, 'accept')
})

test('an exception excuses; one that is not known yet makes the refusal wait, but not for ever', () => {
  const excusing = policy({ fcrdns: 'disconnect' }, { exceptions: [exception(['fcrdns'], { spf: 'pass', spf_domain: '.friend.example' })] })
  const failed = outcome('fcrdns', 'fail')
  const facts = (spf: FactValue, domain: readonly string[] = ['friend.example']) => (name: FactName): FactValue =>
    name === 'spf' ? spf : { status: 'known', values: name === 'spf_domain' ? domain : [] }
  const known = (value: string): FactValue => ({ status: 'known', values: [value] })
  const made = (spf: FactValue, more: Partial<DecideInput> = {}) => decide(excusing, input([failed], { facts: facts(spf), ...more }))
  assert.deepEqual([made(known('pass')).action, made(known('pass')).effects[0]?.effect, made(known('pass')).effects[0]?.exceptions], ['accept', 'excused', ['known to be fine']])
  assert.equal(made(known('fail')).action, 'disconnect')
  assert.deepEqual([made({ status: 'pending' }, { final: false }).action, made({ status: 'pending' }, { final: false }).effects[0]?.effect], ['accept', 'deferred'])
  assert.equal(made({ status: 'pending' }).action, 'disconnect')
  assert.equal(made({ status: 'pending' }, { final: false, facts: facts({ status: 'pending' }, ['stranger.example']) }).action, 'disconnect')
  assert.equal(made({ status: 'temperror' }).action, 'tempfail')
})

test('a check that cannot be done is 451 where it would refuse, and nothing elsewhere; with no DNS at all mail flows', () => {
  for (const action of ALLOWED_ACTIONS.rdns) {
    const made = decide(policy({ rdns: action }), input([outcome('rdns', 'temperror')]))
    assert.equal(made.action, ['tempfail', 'reject', 'disconnect'].includes(action) ? 'tempfail' : 'accept', action)
    assert.equal(decide(policy({ rdns: action }), input([outcome('rdns', 'temperror')], { dnsDown: true })).action, 'accept')
  }
  assert.equal(decide(policy({ rdns: 'disconnect' }, { dnsDown: 'tempfail' }), input([outcome('rdns', 'temperror')], { dnsDown: true })).reply?.status, 451)
})

test('the presets use what is allowed', () => {
  for (const preset of PRESETS) for (const check of CHECKS) assert.ok(ALLOWED_ACTIONS[check].includes(PRESET_ACTIONS[preset][check]), `${preset} ${check}`)
  for (const check of CHECKS) assert.ok(!['tempfail', 'reject', 'disconnect', 'honour'].includes(PRESET_ACTIONS.observe[check]), check)
  assert.deepEqual(PRESET_THRESHOLDS.observe, { tag: 5, quarantine: undefined, reject: undefined })
})

const STATUSES = ['pass', 'none', 'temperror'] as const
const HALF = CHECKS.length / 2
const ALL_ACTIONS: readonly Action[] = ['off', 'note', 'warn', 'score', 'quarantine', 'tempfail', 'reject', 'disconnect', 'honour']

test('a temporary error alone never ends in a refusal for good: every combination of results, every preset, every action', () => {
  // Without a check that failed there is no reason for a 5xx: each half of the checks in every combination, beside the other half in each state.
  const policies = [
    ...PRESETS.map((preset) => policy(PRESET_ACTIONS[preset], { dnsDown: 'tempfail', spam: { tag: 0, quarantine: 0, reject: 1 } })),
    ...ALL_ACTIONS.map((action) => policy(Object.fromEntries(CHECKS.map((check) => [check, action])), { dnsDown: 'tempfail', spam: { tag: 0, quarantine: 0, reject: 1 } })),
  ]
  const found = CHECKS.map((check) => STATUSES.map((status) => outcome(check, status, { demand: 'reject', weight: 10 })))
  let combinations = 0
  for (const one of policies) {
    for (const half of [0, 1]) {
      for (let n = 0; n < 3 ** (HALF + 1); n++) {
        const others = n % 3
        const outcomes = found.flatMap((of, i) => of[Math.floor(i / HALF) === half ? Math.floor(n / 3 ** (1 + i % HALF)) % 3 : others] ?? [])
        const { action, reply, score } = decide(one, input(outcomes))
        if (action === 'reject' || action === 'disconnect' || (reply?.status ?? 0) >= 500 || score > 0) assert.fail(JSON.stringify({ outcomes, action, reply }))
        combinations++
      }
    }
  }
  assert.equal(combinations, policies.length * 2 * 3 ** (HALF + 1))
})

test('nor does a failure whose only exception could not be found out: every check, action and phase', () => {
  for (const check of CHECKS) {
    for (const action of ALL_ACTIONS) {
      for (const final of [true, false]) {
        const one = policy({ [check]: action }, { exceptions: [exception([check], { spf: 'pass' })], spam: { tag: 1, quarantine: undefined, reject: 1 } })
        const { reply } = decide(one, input([outcome(check, 'fail', { demand: 'reject', weight: 2 })], { final, facts: () => ({ status: 'temperror' }) }))
        assert.ok((reply?.status ?? 0) < 500, `${check} ${action}`)
      }
    }
  }
})

test('the score: what a list that did not answer might have taken away is no reason to refuse for good', () => {
  const strict = { spam: { tag: 1, quarantine: undefined, reject: 3 } }
  const silent = outcome('dnswl', 'temperror', { weight: -2 })
  const made = (weight: number) => decide(policy({ rdns: 'score', dnswl: 'score' }, strict), input([outcome('rdns', 'fail', { weight }), silent]))
  assert.deepEqual([made(4).action, made(4).reply?.status], ['tempfail', 451])
  assert.deepEqual([made(5).action, made(5).reply?.status], ['reject', 550])
  assert.equal(made(2).action, 'accept')
  assert.equal(decide(policy({ rdns: 'score', dnswl: 'note' }, strict), input([outcome('rdns', 'fail', { weight: 4 }), silent])).action, 'reject')
})

test('DMARC that could not be found out is 451 where it is honoured, and nothing where it is noted', () => {
  assert.equal(decide(policy({ dmarc: 'honour' }), input([outcome('dmarc', 'temperror')])).action, 'tempfail')
  assert.equal(decide(policy({ dmarc: 'note' }), input([outcome('dmarc', 'temperror')])).action, 'accept')
  assert.equal(decide(policy({ dmarc: 'honour' }), input([outcome('dmarc', 'temperror')], { dnsDown: true })).action, 'accept')
})

test('a fact of which perhaps not all is known: what matches is so, what does not is open', () => {
  const excused = (when: unknown, values: readonly string[]) => decide(policy({ rdns: 'reject' }, { exceptions: [exception(['rdns'], when)] }), input([outcome('rdns', 'fail')], { facts: () => ({ status: 'known', values, open: true }) })).action
  assert.equal(excused({ dkim_domain: 'a.example' }, ['a.example']), 'accept')
  assert.equal(excused({ dkim_domain: 'a.example' }, ['b.example']), 'tempfail')
  assert.equal(excused({ not: { dkim_domain: 'a.example' } }, ['b.example']), 'tempfail')
  assert.equal(excused({ not: { dkim_domain: 'a.example' } }, ['a.example']), 'reject')
})

test('thousands of entries of an allow list cost a verdict no more than its share', () => {
  const excuses = Array.from({ length: 5000 }, (_, i) => ({ checks: undefined, truth: 'pending' as const, reason: `entry ${i}` }))
  const made = decide(policy({ rdns: 'reject', spf: 'reject' }), input([outcome('rdns', 'fail'), outcome('spf', 'fail')], { excuses, final: false }))
  assert.deepEqual(made.effects.map(({ effect, exceptions }) => [effect, exceptions.length]), [['deferred', 10], ['deferred', 10]])
})

test('a reply fits its line, whatever strangers write into it', () => {
  assert.ok((decide(policy({ rdns: 'reject' }), input([outcome('rdns', 'fail', { text: 'x'.repeat(2000) })])).reply?.text.length ?? 0) <= 440)
})

test('whoever is to keep mail waiting while it is down does so, whatever is done about what it finds; not where it is off', () => {
  const down = (check: CheckName, flows: boolean | undefined) => outcome(check, 'temperror', { ...(flows !== undefined && { flows }) })
  const made = (check: CheckName, action: Action, flows: boolean | undefined) => decide(policy({ [check]: action }), input([down(check, flows)])).action
  for (const [check, actions] of [['engine', ['score']], ['virus', ['score', 'warn', 'quarantine', 'tempfail', 'reject']]] as const) {
    for (const action of actions) assert.deepEqual([made(check, action, false), made(check, action, true)], ['tempfail', 'accept'], `${check} ${action}`)
    for (const action of ['off', 'note'] as const) assert.equal(made(check, action, false), 'accept')
  }
})

test('who is let through without a check being named is let through with neither viruses nor floods', () => {
  const strict = policy({ virus: 'reject', rate: 'tempfail', spf: 'reject' })
  const made = (check: CheckName, checks: readonly CheckName[] | undefined) => decide(strict, input([outcome(check, 'fail')], { excuses: [{ checks, truth: 'true', reason: 'a friend' }] })).action
  assert.deepEqual([made('spf', undefined), made('virus', undefined), made('rate', undefined)], ['accept', 'reject', 'tempfail'])
  assert.deepEqual([made('virus', ['virus']), made('rate', ['rate'])], ['accept', 'accept'])
})

test('where the owner himself is not sure, a failure counts points and refuses nothing', () => {
  for (const action of ['score', 'tempfail', 'reject'] as const) {
    const made = decide(policy({ spf: action }), input([outcome('spf', 'fail', { mild: true })]))
    assert.deepEqual([made.action, made.score, made.effects[0]?.effect], ['accept', WEIGHTS.spf, 'score'], action)
  }
  assert.equal(decide(policy({ spf: 'note' }), input([outcome('spf', 'fail', { mild: true })])).score, 0)
})
