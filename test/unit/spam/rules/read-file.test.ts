/** What is wrong with a file of rules is told with its line and what is allowed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRuleFile } from '../../../../src/spam/rules/read-file.ts'
import { load, problemWith, told } from '../../../support/rules.ts'

const GOOD = `    score: 1
    why: A rule for the test of files
    when: { subject: /prize/ }
    hits: [{ subject: prize }]
    misses: [{ subject: price }]
`

test('keys of a rule', () => {
  assert.deepEqual(told(load(`rules:\n  - id: A\n    points: 1\n${GOOD}`).problems), ['test.yaml:3: unknown key; id, score, prior, teaches, why, when, hits, misses'])
  assert.match(told(load(`rules:\n  - id: A\n    mises: 1\n${GOOD}`).problems)[0] ?? '', /^test\.yaml:3: unknown key; did you mean "misses"\?/)
  assert.match(told(load(`rules:\n  - id: lower\n${GOOD}`).problems)[0] ?? '', /^test\.yaml:2: found "lower"; 1 to 64 capitals/)
  assert.deepEqual(told(load('rules:\n  - id: A1\n').problems).map((line) => line.split(';')[0]), Array(5).fill('test.yaml:2: is missing'))
  assert.match(told(load(`rules:\n  - id: A1\n${GOOD.replace('1', '1001')}`).problems)[0] ?? '', /^test\.yaml:3: found 1001; -1000 to 1000/)
  assert.match(told(load(`rules:\n  - id: A1\n${GOOD.replace('1', '1e3')}`).problems)[0] ?? '', /^test\.yaml:3: found "1e3"; a number/)
  assert.match(told(load(`rules:\n  - id: A1\n${GOOD.replace('A rule for the test of files', 'short')}`).problems)[0] ?? '', /^test\.yaml:4: found "short"; one sentence/)
  assert.match(told(load(`rules:\n  - id: __A1\n${GOOD}`).problems)[0] ?? '', /^test\.yaml:3: a part of others scores nothing/)
  assert.deepEqual(load(`rules:\n  - id: __A1\n${GOOD.replace('    score: 1\n', '')}`).problems, [])
  assert.deepEqual(load(`rules:\n  - id: A1\n${GOOD}`).problems, [])
})

test('prior, the score before it was fitted, is checked and counts nothing', () => {
  const rule = (id: string, lines: string) => `rules:\n  - id: ${id}\n${lines}${GOOD}`
  const reading = readRuleFile(rule('A1', '    prior: 2.5\n'), 'test.yaml', true)
  assert.deepEqual(reading.problems, [])
  assert.deepEqual(reading.rules.map((one) => [one.rule.score, one.prior]), [[1, 2.5]])
  assert.equal(readRuleFile(rule('A1', ''), 'test.yaml', true).rules[0]?.prior, undefined)
  assert.match(told(load(rule('A1', '    prior: high\n')).problems)[0] ?? '', /^test\.yaml:3: found "high"; a number/)
  assert.match(told(load(rule('A1', '    prior: -1001\n')).problems)[0] ?? '', /^test\.yaml:3: found -1001; -1000 to 1000/)
  assert.match(told(load(rule('__A1', '    prior: 1\n').replace('    score: 1\n', '')).problems)[0] ?? '', /^test\.yaml:3: a part of others scores nothing; no prior/)
})

test('teaches: what holds teaches nothing where it is false', () => {
  const rule = (id: string, lines: string) => `rules:\n  - id: ${id}\n${lines}${GOOD}`
  const teaches = (lines: string) => readRuleFile(rule('A1', lines), 'test.yaml', true).rules.map((one) => one.rule.teaches)
  assert.deepEqual([teaches('    teaches: false\n'), teaches('    teaches: true\n'), teaches('')], [[false], [undefined], [undefined]])
  assert.match(told(load(rule('A1', '    teaches: never\n')).problems)[0] ?? '', /^test\.yaml:3: found "never"; true or false/)
  assert.match(told(load(rule('__A1', '    teaches: false\n').replace('    score: 1\n', '')).problems)[0] ?? '', /^test\.yaml:3: a part of others scores nothing; no teaches/)
  assert.deepEqual(load(rule('A1', '    teaches: false\n')).problems, [])
})

test('the file as a whole', () => {
  assert.match(told(load('- id: A\n').problems)[0] ?? '', /is a mapping/)
  assert.match(told(load('rules: 3\n').problems)[0] ?? '', /^test\.yaml:1: found "3"; a list of rules/)
  assert.match(told(load('rule: []\n').problems)[0] ?? '', /did you mean "rules"/)
  assert.match(told(load('rules: [\n').problems)[0] ?? '', /not valid YAML/)
  assert.match(told(load('rules: [x]\n').problems)[0] ?? '', /^test\.yaml:1: found "x"; a mapping with id/)
  assert.deepEqual(load('').problems, [])
  assert.deepEqual(load('rules:\n').problems, [])
})

test('samples', () => {
  const wrong = (hits: string) => told(load(`rules:\n  - id: A1\n${GOOD.replace('[{ subject: prize }]', hits)}`).problems)[0] ?? ''
  assert.match(wrong('{ subject: prize }'), /^test\.yaml:6: is no list of samples/)
  assert.match(wrong('[]'), /^test\.yaml:6: is no list of samples/)
  assert.match(wrong('[3.5, true]'), /found true; a message as text/)
  assert.match(wrong('[{ subjct: x }]'), /unknown key; did you mean "subject"/)
  assert.match(wrong('[{ message: x, subject: y }]'), /has a message and parts of one/)
  assert.match(wrong('[{ header: nothing }]'), /"Name: value"/)
  assert.match(wrong('[{ facts: { spff: pass } }]'), /there is no such fact; did you mean "spf"/)
  assert.match(wrong('[{ facts: { domain_age: old } }]'), /found "old"; a number/)
  assert.match(wrong('[{ facts: { spf: { a: b } } }]'), /a word, or a list of words/)
})

test('a sample may be written in bytes', () => {
  const rule = (sample: string) => `rules:\n  - id: A1\n${GOOD.replace('/prize/', '/\\xe9/').replace('[{ subject: prize }]', `[${sample}]`)}`.replace('when: { subject:', 'when: { header: Subject, form: raw, matches:')
  assert.deepEqual(told(load(rule('{ charset: latin1, subject: "caf\\xe9" }')).problems), [])
  assert.match(told(load(rule('{ subject: "caf\\xe9" }')).problems)[0] ?? '', /does not hit/)
  assert.match(told(load(rule('{ subject: x, charset: latin2 }')).problems)[0] ?? '', /found "latin2"; did you mean "latin1"/)
})

test('conditions: what cannot be read is told where it stands', () => {
  assert.equal(problemWith('{ subjekt: /x/ }'), 'test.yaml:4: does not say what it asks; did you mean "subject"?; one of all, any, not, of, rule, subject, text, hidden, folded, raw, header, address, link, attachment, part, html, charset, language, script, defect, fact, number')
  assert.match(problemWith('{ subject: /x/, text: /y/ }'), /asks subject and text at once/)
  assert.match(problemWith('{ subject: /x/, coun: 3 }'), /unknown key; did you mean "count"/)
  assert.match(problemWith('{ subject: x }'), /found "x"; a pattern between slashes/)
  assert.match(problemWith("{ subject: '/(x/' }"), /"\(x" is no pattern: .* at character \d/)
  assert.match(problemWith("{ subject: '/x/q' }"), /is no pattern: /)
  assert.match(problemWith('{ subject: [] }'), /has 0 entries; 1 to 200/)
  assert.match(problemWith("{ text: ['/x/', '/y/'], at_least: 3 }"), /found 3, and there are 2 patterns; 1 to 2/)
  assert.match(problemWith("{ text: '/x/', count: { over: 3 } }"), /unknown key.*above, below/)
  assert.match(problemWith("{ text: '/x/', count: many }"), /found "many"; a number/)
  // Nothing is counted that far: what is below would always hold, what is above never.
  assert.match(problemWith("{ text: '/x/', count: { above: 2, below: 15000 } }"), /asks for 15000; numbers below 10000/)
  assert.match(problemWith("{ text: '/x/', count: 10000 }"), /asks for 10000; numbers below 10000/)
  assert.match(problemWith('{ header: Date }'), /does not say what of the field/)
  assert.match(problemWith('{ header: "a b", missing: true }'), /found "a b"; the name of a field/)
  assert.match(problemWith('{ header: ALL, missing: true }'), /ALL stands beside/)
  assert.match(problemWith("{ header: Date, form: cooked, matches: '/x/' }"), /is none that there is; decoded/)
  assert.match(problemWith('{ address: form, local: x }'), /found "form"; did you mean "from"/)
  assert.match(problemWith('{ address: from, local: x, by: colour, same_as: to }'), /found "colour"; organization, domain/)
  assert.match(problemWith('{ link: { hots: x } }'), /unknown key; did you mean "host"/)
  assert.match(problemWith('{ link: { kind: herf } }'), /found "herf"; did you mean "href"/)
  assert.match(problemWith('{ link: { ip: x } }'), /found "x"; true or false/)
  assert.match(problemWith('{ link: {} }'), /a mapping with kind, url/)
  assert.match(problemWith('{ attachment: { same_as: from } }'), /there is nothing to compare/)
  assert.match(problemWith('{ html: { form: 3 } }'), /unknown key; did you mean "forms"/)
  assert.match(problemWith('{ script: Klingon, above: 0 }'), /names of Unicode scripts/)
  assert.match(problemWith('{ script: Latin }'), /does not say what it is compared with/)
  assert.match(problemWith('{ language: english }'), /found "english"; ISO 639-1/)
  assert.match(problemWith('{ defect: too-much }'), /found "too-much"; did you mean "too-deep"|found "too-much"/)
  assert.match(problemWith('{ fact: sfp, is: fail }'), /there is no fact "sfp"; did you mean "spf"/)
  assert.match(problemWith('{ fact: spf, above: 3 }'), /unknown key/)
  assert.match(problemWith('{ fact: spf }'), /does not say what it must be/)
  assert.match(problemWith('{ fact: domain_age, matches: /x/ }'), /unknown key/)
  assert.match(problemWith('{ number: of_the_beast, is: 666 }'), /there is no number/)
  assert.match(problemWith('{ all: A }'), /is no list of conditions/)
  assert.match(problemWith('{ of: [RULE] }'), /does not say how many/)
  assert.match(problemWith('lower'), /found "lower"; a mapping such as/)
  assert.match(problemWith(`${'{ not: '.repeat(11)}RULE${' }'.repeat(11)}`), /is nested too deeply|nested deeper than/)
})

test('numbers: what can never hold, or always does, was meant otherwise', () => {
  assert.match(problemWith('{ of: [RULE], is: 3 }'), /^test\.yaml:4: is 3 can never hold; what some of the whole numbers from 0 to 1 fulfil, and others do not$/)
  assert.match(problemWith('{ at_least: 3, of: [RULE, OTHER] }'), /at_least 3 can never hold/)
  assert.match(problemWith('{ at_least: 0, of: [RULE, OTHER] }'), /at_least 0 always holds/)
  assert.match(problemWith('{ below: 3, of: [RULE, OTHER] }'), /below 3 always holds/)
  assert.match(problemWith('{ is: 1.5, of: [RULE, OTHER] }'), /is 1\.5 can never hold/)
  assert.match(problemWith('{ above: 1, below: 2, of: [RULE, OTHER, THIRD] }'), /above 1 and below 2 can never hold/)
  assert.match(problemWith("{ text: '/x/', count: { below: 0 } }"), /below 0 can never hold; what some of the whole numbers from 0 on fulfil, and others do not/)
  assert.match(problemWith("{ text: '/x/', count: { at_least: 0 } }"), /at_least 0 always holds/)
  assert.match(problemWith('{ header: Received, count: { above: 5, at_most: 5 } }'), /above 5 and at_most 5 can never hold/)
  assert.match(problemWith('{ link: true, domains: { is_not: 0.5 } }'), /is_not 0\.5 always holds/)
  assert.match(problemWith('{ link: { port: { above: 65535 } } }'), /above 65535 can never hold; what some of the whole numbers from 0 to 65535 fulfil$/)
  assert.match(problemWith('{ number: text_capitals, above: 1 }'), /above 1 can never hold; what some of the numbers from 0 to 1 fulfil$/)
  assert.match(problemWith('{ number: message_bytes, at_least: 0 }'), /at_least 0 always holds/)
  assert.match(problemWith('{ html: { base: true, forms: { below: 0 } } }'), /below 0 can never hold/)
  assert.match(problemWith('{ script: Han, at_least: 1.1 }'), /at_least 1\.1 can never hold/)
  assert.match(problemWith('{ fact: domain_age, below: 0 }'), /below 0 can never hold/)
  assert.match(problemWith('{ number: date_skew_hours, above: 3, below: 1 }'), /above 3 and below 1 can never hold; what some of the numbers fulfil$/)
})

test('numbers that are not known of every message may be asked for that alone', () => {
  for (const condition of [
    '{ number: text_capitals, at_least: 0 }', '{ fact: domain_age, at_least: 0 }', '{ header: Subject, length: { at_least: 0 } }', '{ link: { port: { above: 0 } } }',
    '{ number: date_skew_hours, below: -3 }', '{ number: text_capitals, is: 1 }', '{ number: text_share, above: 0.2, below: 0.3 }', '{ number: text_share, above: 2 }',
    "{ text: '/x/', count: 0 }", '{ header: Date, count: { is_not: 1 } }', '{ number: html, is: 0 }', '{ attachment: true, count: { above: 1, below: 3 } }',
  ]) assert.deepEqual(readRuleFile(`rules:\n  - id: A1\n${GOOD.replace('{ subject: /prize/ }', condition)}`, 'test.yaml', false).problems, [], condition)
})
