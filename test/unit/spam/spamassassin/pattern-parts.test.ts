import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patternParts } from '../../../../src/spam/spamassassin/pattern-parts.ts'
import { spamHits, spamRules } from '../../../support/spamassassin.ts'

const hosts = Array.from({ length: 1000 }, (_, i) => `host-${i}\\.(?:example|test)`)
const list = hosts.join('|')

test('a long list is split at its alternatives, with what stands around it', () => {
  const parts = patternParts(`^[(|]x(a|b)\\b(${list})>?$`) ?? []
  assert.ok(parts.length > 5 && parts.every((part) => part.length < 4200 && part.startsWith('^[(|]x(a|b)\\b((?:host-') && part.endsWith('))>?$')))
  assert.deepEqual(parts.flatMap((part) => part.slice('^[(|]x(a|b)\\b((?:'.length, -'))>?$'.length).split(/\|(?=host)/)), hosts)
  assert.deepEqual((patternParts(list) ?? []).flatMap((part) => part.slice('(?:'.length, -1).split(/\|(?=host)/)), hosts)
})

test('a bracket that is the first sign of a class does not end it', () => {
  for (const before of ['[]|(]x', '[^]|(]x']) {
    const parts = patternParts(`${before}(${list})$`) ?? []
    assert.ok(parts.length > 5 && parts.every((part) => part.startsWith(`${before}((?:host-`) && part.endsWith('))$')), parts[0]?.slice(0, 60))
  }
})

test('with the flag x a list hits as without; behind a # it is none', () => {
  const rules = `body LIST / (${list}) $ /x\nbody REMARK /abc \\# (${list})/x\nbody LOST /(${list}) \\# a remark|another/x`
  const { problems } = spamRules(rules)
  assert.deepEqual(problems.map(({ rule }) => rule), ['LOST'])
  assert.deepEqual(spamHits(rules, 'Subject: x\n\nhost-999.test\n'), ['LIST'])
  assert.deepEqual(spamHits(rules, 'Subject: x\n\nan abc of host-999.test it is\n'), ['REMARK'])
})

test('what cannot be split without another meaning is left', () => {
  for (const source of ['a|b', 'x'.repeat(9000), `(${list})+`, `(${list}){2}`, `(?!${list})x`, `(?>${list})x`, `(a)\\1|${list}`, `(?i)${list}`, `${list}|(?i)x`, `((${list}))`, `${'x'.repeat(5000)}(${list})`]) assert.equal(patternParts(source), undefined, source.slice(0, 40))
})

test('a rule with such a list hits, and its opposite does not', () => {
  const rules = `header IN From:addr =~ /\\@(${list})$/i\nheader OUT From:addr !~ /\\@(${list})$/i\nbody TEXT /${list}/\nuri LINK m{^https?://(?:${list})/}\nmeta BOTH IN && !OUT`
  assert.deepEqual(spamRules(rules).problems, [])
  assert.deepEqual(spamHits(rules, 'From: a@HOST-999.test\nSubject: x\n\nsee http://host-0.example/x\n'), ['IN', 'TEXT', 'LINK', 'BOTH'])
  assert.deepEqual(spamHits(rules, 'From: a@host-1000.test\nSubject: x\n\nsee http://host-1000.example/x\n'), ['OUT'])
})

test('what is hostile takes as long as it is', () => {
  for (const text of ['(', ')', '|', '[', '\\', '[[:', '(?', '(|', '[^]']) patternParts(text.repeat(60_000))
})
