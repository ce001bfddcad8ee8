import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCode, troubleIn } from '../../../src/reputation/dnsbl-codes.ts'

const matching: readonly (readonly [code: string, yes: readonly string[], no: readonly string[]])[] = [
  ['127.0.0.4', ['127.0.0.4'], ['127.0.0.40', '127.0.1.4', '127.0.0.5']],
  ['127.0.0.0/29', ['127.0.0.0', '127.0.0.7'], ['127.0.0.8', '127.0.1.1']],
  ['127.0.0.2/32', ['127.0.0.2'], ['127.0.0.3']],
  ['127.0.0.0/8', ['127.0.0.1', '127.254.1.1'], ['128.0.0.1', '126.255.255.255']],
  ['127.0.0.[2..8]', ['127.0.0.2', '127.0.0.8'], ['127.0.0.1', '127.0.0.9', '127.0.1.2']],
  ['127.0.[0..255].3', ['127.0.0.3', '127.0.255.3'], ['127.0.1.2', '127.1.1.3']],
  ['&0.0.0.4', ['127.0.0.4', '127.0.0.6', '127.1.1.7'], ['127.0.0.2', '127.0.4.8']],
  ['&0.0.1.0', ['127.0.1.0', '127.0.3.9'], ['127.0.0.1']],
]

test('addresses, networks, ranges and bit masks', () => {
  for (const [code, yes, no] of matching) {
    const reading = readCode(code)
    assert.ok(reading.status === 'read', code)
    for (const answer of yes) assert.ok(reading.matches(answer), `${code} ${answer}`)
    for (const answer of no) assert.ok(!reading.matches(answer), `${code} ${answer}`)
    for (const answer of ['', '::1', '127.0.0', 'x']) assert.ok(!reading.matches(answer))
  }
})

test('anything else is refused, with what is wrong', () => {
  const wrong: readonly (readonly [code: string, problem: RegExp])[] = [
    ['', /no return code/], ['4', /no return code/], ['127.0.0', /no return code/], ['127.0.0.4 ', /no return code/], ['127.0.0.[8..2]', /ends before/],
    ['127.0.0.256', /no return code|at most 255/], ['127.0.0.[1..300]', /at most 255/], ['10.0.0.1', /127\.0\.0\.0\/8/], ['10.0.0.0/24', /127\.0\.0\.0\/8/],
    ['127.0.0.0/7', /127\.0\.0\.0\/8/], ['0.0.0.0/0', /127\.0\.0\.0\/8/], ['127.0.0.1/24', /bits behind/], ['127.0.0.0/33', /no network/], ['127.0.0.0/', /no network/],
    ['127.0.0.0/24/1', /no network/], ['127.0.0.0/2x', /no network/], ['&', /no address/], ['&4', /no address/], ['&0.0.0.0', /no bits/], ['&127.0.0.4', /first byte/], ['::1', /no return code/],
  ]
  for (const [code, problem] of wrong) {
    const reading = readCode(code)
    assert.ok(reading.status === 'refused', code)
    assert.match(reading.problem, problem, code)
  }
})

test('answers that are no listing whatever is configured', () => {
  for (const answer of ['127.0.0.2', '127.0.0.1', '127.255.254.255', '127.254.255.255', '127.1.2.3']) assert.equal(troubleIn([answer]), undefined, answer)
  for (const answer of ['192.0.2.1', '0.0.0.0', '126.255.255.255', '128.0.0.1', '10.0.0.1']) assert.equal(troubleIn([answer])?.kind, 'foreign', answer)
  for (let last = 0; last < 256; last++) assert.equal(troubleIn([`127.255.255.${last}`])?.kind, 'refused')
  assert.match(troubleIn(['127.255.255.254'])?.why ?? '', /public or open resolver/)
  assert.match(troubleIn(['127.255.255.255'])?.why ?? '', /too many queries/)
  assert.match(troubleIn(['127.255.255.252'])?.why ?? '', /mistyped/)
  assert.equal(troubleIn(['127.0.0.2', '127.255.255.254'])?.kind, 'refused')
  assert.equal(troubleIn(['127.0.0.2', '8.8.8.8'])?.kind, 'foreign')
  assert.equal(troubleIn([]), undefined)
})
