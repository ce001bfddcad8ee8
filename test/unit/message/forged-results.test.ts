import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticationResults, claimsAuthservId, forgedResults } from '../../../src/message/authentication-results.ts'
import { Random } from '../../support/fuzzing.ts'
import { sectionOf } from '../../support/stored-message.ts'

const OURS = 'mx.example.org'
const claims = (value: string, ours = OURS) => claimsAuthservId(sectionOf(`Authentication-Results:${value}\r\n\r\n`).fields[0]!, ours)

test('our name, however it is written', () => {
  for (const value of [
    ' mx.example.org; spf=pass', 'mx.example.org;none', ' MX.Example.ORG; none', ' mx.example.org.; none', ' mx.example.org..; none', ' mx.example.org', ' mx.example.org 1; none', ' mx.example.org 99 ; none',
    ' "mx.example.org"; none', ' "MX.\\example.org" 1; none', ' " mx.example.org "; none', ' (x) mx.example.org (y (z)); none', ' (\\)) mx.example.org; none', ' ("(") mx.example.org); x',
    '\r\n mx.example.org\r\n ; none', '\r\n\t(a\r\n b)\r\n\tmx.example.org; x', ' (; other.example;) mx.example.org; none', ' \xef\xbd\x8dx.example.org; none',
  ]) assert.equal(claims(value), true, JSON.stringify(value))
})

test('the names of others', () => {
  for (const value of [
    ' other.example; spf=pass', ' example.org; none', ' org; none', ' amx.example.org; none', ' a.mx.example.org; none', ' mx.example.org.evil; none', ' mx.example.orgs; none', ' mx-example.org; none',
    ' other.example; spf=pass reason="mx.example.org; dmarc=pass"', ' other.example (mx.example.org); none', ' (mx.example.org) other.example; none', ' "other.example"; none; mx.example.org',
    ' other.example 1; mx.example.org', ' spf=pass smtp.mailfrom=a@b.example; dkim=none', ' ; dkim=pass', '', ' (other', ' other:25; mx.example.org',
  ]) assert.equal(claims(value), false, JSON.stringify(value))
})

test('a beginning that cannot be read, and our name in it: yes, for others may read it', () => {
  for (const value of [
    ' mx.example.org:25; none', ' mx.example.org spf=pass', ' other.example mx.example.org; none', ' mx.example.org, other.example; none', ' <mx.example.org>; none', ' "mx.example.org; spf=pass', ' mx.example.org"; x',
    ' (mx.example.org; spf=pass', ' mx.example.org (; spf=pass', ' mx.exam(x)ple.org; x', ' mx.exam(x(y)z)ple.org; x', ' mx.exam(\\()ple.org; x', ' )mx.exam(x)ple.org; x', ' mx . example . org; x', ' mx.example\r\n .org; x', ' mx\\.example.org; x', ' mx.example\0.org; x',
    ' =?utf-8?q?mx=2Eexample=2Eorg?=; x', ' =?utf-8?b?bXguZXhhbXBsZS5vcmc=?=; x', ' "=?utf-8?q?mx.example.org?="; x', ' "mx.example.org; spf=pass"; none', ' "mx".example.org; x', ' ;(x) mx.example.org'.slice(2), ' (a;b) mx.example.org:1; x',
  ]) assert.equal(claims(value), true, JSON.stringify(value))
})

test('an international name of ours, in both spellings (RFC 5890)', () => {
  const [unicode, ascii] = ['mx.bücher.example', 'mx.xn--bcher-kva.example']
  const utf8 = (text: string) => Buffer.from(text).toString('latin1')
  for (const ours of [unicode, ascii, `${ascii.toUpperCase()}.`]) {
    for (const value of [ascii, 'MX.XN--BCHER-KVA.Example.', utf8(unicode), utf8('MX.BÜCHER.EXAMPLE'), utf8('mx.bu\u0308cher.example'), `"${utf8(unicode)}"`, utf8(`${unicode}:25`), `${ascii}:25`]) assert.equal(claims(` ${value}; none`, ours), true, `${ours} ${value}`)
    assert.equal(claims(' mx.bucher.example; none', ours), false)
  }
})

test('what we write ourselves claims to be ours', () => {
  for (const id of [OURS, 'a', 'mx 1;', 'x'.repeat(255), '"', 'mx_1.example']) {
    const field = sectionOf(`${authenticationResults({ authservId: id, results: [{ method: 'spf', result: 'pass', properties: [] }] })}\r\n`).fields[0]!
    assert.equal(claimsAuthservId(field, id), true, id)
  }
})

test('forged fields are found by name, however it is written, and no others are taken', () => {
  const names = ['Authentication-Results:', 'AUTHENTICATION-results:', 'authentication-results \t:', 'Authentication-Results\r\n :']
  const others = ['ARC-Authentication-Results: i=1;', 'X-Authentication-Results:', 'Authentication-Results-Original:', 'Received:', 'Authentication_Results:']
  const text = [...names, ...others].map((name) => `${name} mx.example.org; dmarc=pass\r\n`).join('')
  assert.deepEqual(forgedResults(sectionOf(`${text}\r\nAuthentication-Results: mx.example.org; x\r\n`), OURS), [0, 1, 2, 3])
  assert.deepEqual(forgedResults(sectionOf(`${text}\r\n`), 'other.example'), [])
  // behind a line that is no field, behind a bare line end, and behind a line of blanks
  const hidden = 'From: a\r\nno field\r\nAuthentication-Results: mx.example.org; x\r\nA: b\nAuthentication-Results: mx.example.org; x\r\nB: c\r\n \r\nAuthentication-Results: mx.example.org; x\r\n\r\n'
  assert.deepEqual(forgedResults(sectionOf(hidden), OURS), [1, 3, 5])
})

test('an honest field of our own stays found after whatever a forger does that readers overlook', () => {
  const blanks = [' ', '\t', '\r\n ', '\r\n\t', '(x)', '(a(b)c)', '(\\()', '(;)', '( \r\n )', '']
  for (let seed = 0; seed < 5000; seed++) {
    const random = new Random(seed)
    const gap = () => random.soup(blanks, 4, 0)
    const id = OURS.split('.').map((c) => (random.chance(0.5) ? c.toUpperCase() : c)).join('.')
    const written = random.chance(0.3) ? `"${id.replace(/./g, (c) => (random.chance(0.2) ? `\\${c}` : c))}"` : id
    const version = random.chance(0.3) ? ` ${gap()}1` : ''
    assert.equal(claims(`${gap()}${written}${version}${gap()}${random.pick([';', '; none', ''])}`), true)
  }
})

test('time is linear in the field', () => {
  for (const value of ['('.repeat(9e5), ')'.repeat(9e5), `${'('.repeat(4e5)}${')'.repeat(4e5)} x:`, 'a '.repeat(4e5), '=?a?b?'.repeat(1.5e5), '=?utf-8?q?a?='.repeat(7e4), '\\'.repeat(9e5), '"'.repeat(9e5)]) {
    const began = process.cpuUsage()
    claims(value)
    assert.ok(process.cpuUsage(began).user < 3_000_000, value.slice(0, 20))
  }
})
