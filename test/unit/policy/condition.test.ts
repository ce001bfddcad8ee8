import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkMatcher } from '../../../src/config/networks.ts'
import { evaluate, readCondition, type FactName, type FactValue } from '../../../src/policy/condition.ts'
import { rawCondition } from './raw-condition.ts'

const read = (raw: unknown) => readCondition(rawCondition(raw), networkMatcher)

function truth(raw: unknown, facts: Partial<Record<FactName, FactValue | readonly string[]>>): string {
  const reading = read(raw)
  assert.ok(reading.status === 'ok', JSON.stringify(reading))
  return evaluate(reading.condition, (name) => {
    const value = facts[name]
    if (value === undefined) return { status: 'known', values: [] }
    return 'status' in value ? value : { status: 'known', values: value }
  })
}

test('entries of a mapping must all hold; a list of values is any of them', () => {
  const condition = { spf: ['pass', 'neutral'], spf_domain: 'a.example' }
  assert.equal(truth(condition, { spf: ['pass'], spf_domain: ['a.example'] }), 'true')
  assert.equal(truth(condition, { spf: ['fail'], spf_domain: ['a.example'] }), 'false')
  assert.equal(truth(condition, { spf: ['pass'], spf_domain: ['b.example'] }), 'false')
})

test('all, any and not, nested', () => {
  const condition = { any: [{ not: { rdns: 'pass' } }, { all: [{ spf: 'pass' }, { dkim: 'pass' }] }] }
  assert.equal(truth(condition, { rdns: ['fail'] }), 'true')
  assert.equal(truth(condition, { rdns: ['pass'], spf: ['pass'], dkim: ['pass'] }), 'true')
  assert.equal(truth(condition, { rdns: ['pass'], spf: ['pass'], dkim: ['fail'] }), 'false')
})

test('what is not known yet, and what could not be found out, decide nothing that they do not have to', () => {
  const both = { spf: 'pass', dkim: 'pass' }
  assert.equal(truth(both, { spf: { status: 'pending' }, dkim: ['fail'] }), 'false')
  assert.equal(truth(both, { spf: { status: 'pending' }, dkim: ['pass'] }), 'pending')
  assert.equal(truth(both, { spf: { status: 'temperror' }, dkim: ['pass'] }), 'temperror')
})

test('domains, addresses and networks', () => {
  const cases: readonly (readonly [FactName, string, string, boolean])[] = [
    ['spf_domain', 'a.example', 'A.example', true], ['spf_domain', 'a.example', 'x.a.example', false],
    ['spf_domain', '.a.example', 'x.a.example', true], ['spf_domain', '.a.example', 'a.example', true], ['spf_domain', '.a.example', 'xa.example', false],
    ['sender', '@a.example', 'bob@a.example', true], ['sender', '@a.example', 'bob@x.a.example', false], ['sender', 'Bob@a.example', 'bob@A.example', true],
    ['sender', '@a.example', '"x@a.example"@evil.example', false],
    ['client', '192.0.2.0/24', '192.0.2.77', true], ['client', '192.0.2.0/24', '192.0.3.1', false], ['client', '2001:db8::/32', '2001:db8::1', true],
  ]
  for (const [fact, wanted, value, holds] of cases) assert.equal(truth({ [fact]: wanted }, { [fact]: [value] }), String(holds), `${wanted} ${value}`)
})

test('problems are all told, with their place and what is allowed', () => {
  const reading = read({ spf: 'passed', all: [{ nonsense: 1 }, { not: [] }], client: 'not a network', any: 'x', dkim: { a: 1 } })
  assert.ok(reading.status === 'malformed')
  const told = reading.problems.map(({ at, problem }) => `${at.join('.')}: ${problem}`)
  assert.equal(told.length, 6)
  assert.match(told[0] ?? '', /^spf: found "passed"$/)
  assert.match(told[1] ?? '', /^all\.0\.nonsense: there is no fact "nonsense"$/)
  assert.match(told[2] ?? '', /^all\.1\.not: must be a mapping$/)
  assert.match(told[3] ?? '', /^client: /)
  assert.match(told[4] ?? '', /^any: must be a list$/)
  assert.match(told[5] ?? '', /^dkim: must be a word or a list of words$/)
  assert.equal(reading.problems[0]?.allowed, 'pass, fail, softfail, neutral, none, temperror, permerror')
})

test('depth and lengths are bounded', () => {
  let deep: unknown = { spf: 'pass' }
  for (let i = 0; i < 1000; i++) deep = { not: deep }
  assert.equal(read(deep).status, 'malformed')
  assert.equal(read({ any: Array.from({ length: 101 }, () => ({ spf: 'pass' })) }).status, 'malformed')
  assert.equal(read({ spf_domain: Array.from({ length: 101 }, (_, i) => `d${i}.example`) }).status, 'malformed')
  assert.equal(read({}).status, 'malformed')
})

test('names outside ASCII are written as they are, and compared as A-labels', () => {
  assert.equal(truth({ spf_domain: 'bücher.example' }, { spf_domain: ['xn--bcher-kva.example'] }), 'true')
  assert.equal(truth({ dkim_domain: '.Bücher.example' }, { dkim_domain: ['mail.xn--bcher-kva.example'] }), 'true')
  assert.equal(truth({ sender: '@bücher.example' }, { sender: ['anna@xn--bcher-kva.example'] }), 'true')
  assert.equal(truth({ sender: 'ännä@bücher.example' }, { sender: ['ännä@xn--bcher-kva.example'] }), 'true')
})

test('of several recipients all must match', () => {
  assert.equal(truth({ recipient: '@a.example' }, { recipient: ['x@a.example', 'y@a.example'] }), 'true')
  assert.equal(truth({ recipient: '@a.example' }, { recipient: ['x@a.example', 'y@b.example'] }), 'false')
})

test('who asks for temperror is answered by it', () => {
  assert.equal(truth({ spf: ['temperror', 'fail'] }, { spf: { status: 'temperror' } }), 'true')
  assert.equal(truth({ spf: 'fail' }, { spf: { status: 'temperror' } }), 'temperror')
})
