/** Rules that are not asked: only such as would not hold. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScoringFacts } from '../../../../src/spam/facts.ts'
import { compileRules } from '../../../../src/spam/rules/compile.ts'
import { atOnce } from '../../../../src/spam/rules/in-slices.ts'
import type { RuleSet } from '../../../../src/spam/rules/rule-set.ts'
import { Run } from '../../../../src/spam/rules/run.ts'
import { createBudget } from '../../../../src/spam/patterns/budget.ts'
import { Signs } from '../../../../src/spam/rules/signs.ts'
import { MessageView } from '../../../../src/spam/rules/texts.ts'
import { contentOfText, factsOf, load, told } from '../../../support/rules.ts'

const CONDITIONS = [
  '{ subject: /prize/i }', '{ subject: [/prize/i, /money/i] }', '{ not: { subject: /prize/i } }', '{ text: /prize/ }', '{ text: /prize/, count: 2 }', '{ text: [/prize/, /money/], at_least: 2 }',
  '{ folded: /prize/ }', '{ raw: /<b>/ }', '{ header: x-mailer, matches: /bulk/i }', '{ header: x-mailer, missing: false }', '{ header: x-mailer, missing: true }', '{ header: subject, matches: /^$/ }', "{ header: x-mailer, matches: '/^.{4}/' }",
  '{ address: from, domain: example.org }', '{ address: from, domain: /example/ }', '{ address: from, domain: /example/, name: /bank/i }', '{ address: from, differs_from: reply-to }', '{ address: from, count: { above: 1 } }',
  '{ link: { host: /shop/ } }', '{ link: { kind: href, mismatch: true } }', '{ link: { length: { above: 40 } } }', '{ link: { port: { above: 1024 } } }', '{ link: { port: { below: 9999 }, mismatch: false } }', '{ link: { any: [{ userinfo: true }, { ip: true }] } }', '{ not: { link: { ip: true } } }', '{ link: { mismatch: false } }', '{ link: { ip: true }, count: { below: 1 } }', '{ part: { top: true, bytes: { above: 0 } } }', '{ attachment: { executable: false, bytes: { above: 0 } } }', '{ address: envelope, impostor: true }', '{ not: { address: envelope, impostor: true } }', '{ link: { not: { host: /shop/ } } }', '{ link: { host: /s/ }, count: { below: 2 } }', '{ link: true, count: 0 }',
  '{ attachment: { extension: [pdf, exe] } }', '{ attachment: { mismatch: true } }', '{ part: { type: text/html } }', '{ fact: spf, is: fail }', '{ fact: spf, is: [fail, softfail] }', '{ not: { fact: spf, is: fail } }',
  '{ all: [{ fact: spf, is: fail }, { subject: /prize/i }] }', '{ any: [{ fact: spf, is: fail }, { subject: /prize/i }] }', '{ any: [{ subject: /prize/i }, { number: subject_length, below: 3 }] }', '{ all: [{ rule: R0 }, { not: { rule: R3 } }] }', '{ any: [{ rule: R0 }, { rule: R17 }] }',
  '{ of: [{ number: text_capitals, above: 0.5 }, { header: from, matches: /example/ }, { text: /gold/ }], at_least: 2 }',
  '{ charset: utf-8 }', '{ number: links, above: 0 }', '{ link: true, domains: { above: 0 } }', '{ of: [{ rule: R4 }, { rule: R10 }], at_least: 1 }',
  '{ text: [/prize/, /money/, /\\d\\d/], at_least: 2 }', '{ of: [{ subject: /prize/i }, { not: { fact: spf, is: pass } }, { text: /prize/ }], at_least: 2 }', '{ of: [{ subject: /prize/i }, { not: { fact: spf, is: pass } }], at_least: 1 }',
  '{ of: [{ text: /prize/ }, { text: /prize/ }, { text: /gold/ }], at_least: 2 }', '{ of: [{ text: /prize/ }, { text: /gold/ }, { text: /silver/ }], at_least: 2 }', '{ all: [{ text: /prize/ }, { text: /gold/ }] }', '{ all: [{ text: /prize/ }, { any: [{ rule: R3 }, { text: /gold/ }] }] }',
  '{ number: html, is: 1 }', '{ number: html_tags, above: 0 }', '{ number: hidden_length, below: 1 }', '{ hidden: /./ }', '{ header: x-mailer, length: { above: 3 } }', '{ header: [x-mailer, reply-to], missing: true }', '{ text: [/prize/, /money/], count: 3 }', '{ address: envelope, domain: example.org }', '{ any: [{ subject: /hello/i }, { not: { fact: spf, is: pass } }] }',
]

const MESSAGES = [
  'Subject: A PRIZE\n\nThe prize is money. See http://shop.example.net/x\n',
  'From: "Bank" <a@example.org>\nReply-To: b@other.example\nX-Mailer: Bulk 1.0\nSubject: Hello\nContent-Type: text/html\n\n<b>prize</b> prize <a href="https://evil.example/a/very/long/path/that/goes/on/and/on">www.shop.example</a>\n',
  'From: a@example.org, b@example.com\nSubject:\n\n\n', 'Subject: x\n\nnothing at all\n', `Subject: ${'long '.repeat(1500)}PRIZE\nX-Mailer: ${'x'.repeat(5000)} bulk\n\nprize\n`,
  'Content-Type: application/pdf; name="invoice.pdf"\nContent-Disposition: attachment; filename="invoice.pdf"\n\nno pdf\n',
]

const FACTS: readonly ScoringFacts[] = [factsOf({}), factsOf({ spf: ['fail'], from_domain: ['example.org'] }), factsOf({ spf: ['pass'] })]

/** What is not known is not false: of that, the opposite does not hold either. */
const OPPOSITES = [
  ...CONDITIONS.flatMap((_, number) => [`{ not: { rule: R${number} } }`, `{ any: [{ not: { rule: R${number} } }, { subject: /prize/i }] }`]),
  ...['{ all: [{ fact: spf, is: fail }, { subject: /prize/i }] }', '{ address: envelope, domain: example.org }', '{ address: envelope, count: { above: 0 } }', '{ number: html_tags, above: 0 }', '{ number: links, above: 0 }', '{ header: x-mailer, length: { above: 3 } }', '{ any: [{ fact: spf, is: fail }, { text: /prize/ }] }', '{ of: [{ fact: spf, is: fail }, { text: /prize/ }], at_least: 1 }', '{ of: [{ fact: spf, is: fail }, { text: /prize/ }, { text: /gold/ }], at_least: 3 }', '{ address: from, differs_from: envelope }', '{ header: x-mailer, missing: true }', '{ of: [{ subject: /prize/i }, { not: { fact: spf, is: pass } }, { fact: dkim, is: pass }], at_least: 2 }', '{ of: [{ subject: /prize/i }, { fact: dkim, is: pass }], at_least: 1 }'].map((when) => `{ not: ${when} }`),
]

/** They need no samples here. */
function loaded(conditions: readonly string[] = [...CONDITIONS, ...OPPOSITES]): RuleSet {
  const text = `rules:\n${conditions.map((when, number) => `  - { id: R${number}, why: A rule of the test, score: 1, hits: [{ subject: x }], misses: [{ subject: x }], when: ${when} }\n`).join('')}`
  const { rules, problems } = load(text, { proof: { digest: load(text).proof.digest, failures: [] } })
  assert.deepEqual(told(problems), [])
  return rules
}

/** Those of the conditions whose rules are asked. */
function askedOf(conditions: readonly string[], message: string): readonly string[] {
  const { rules } = loaded(conditions)
  const program = atOnce(compileRules(rules))
  const possible = new Signs(program.guards, program.sources).possible(new Run(program, new MessageView(contentOfText(message), factsOf({})), createBudget()))
  return possible.map((number) => conditions[number] ?? '')
}

test('what hits is what holds, rule by rule', () => {
  const rules = loaded()
  const held = new Set<string>()
  for (const message of MESSAGES) {
    for (const facts of FACTS) {
      const content = contentOfText(message)
      const holding = rules.rules.map(({ id }) => id).filter((id) => rules.holds(id, content, facts) === true)
      assert.deepEqual(rules.evaluate(content, facts).hits.map(({ id }) => id), holding)
      for (const id of holding) held.add(id)
    }
  }
  // Otherwise the comparison says little.
  assert.ok(held.size > CONDITIONS.length * 0.7, `only ${[...held].join()} held`)
})

test('of a message with nothing in it few rules are asked', () => {
  const { rules } = loaded()
  const program = atOnce(compileRules(rules))
  const possible = new Signs(program.guards, program.sources).possible(new Run(program, new MessageView(contentOfText('Subject: x\n\nnothing at all\n'), FACTS[2] ?? factsOf({})), createBudget()))
  const asked = rules.flatMap(({ when }, number) => (possible.includes(number) ? [CONDITIONS[number] ?? when] : []))
  for (const when of ['{ subject: /prize/i }', '{ text: [/prize/, /money/], at_least: 2 }', '{ fact: spf, is: fail }', '{ link: { host: /shop/ } }', '{ header: x-mailer, missing: false }', '{ attachment: { mismatch: true } }', '{ any: [{ fact: spf, is: fail }, { subject: /prize/i }] }', '{ text: [/prize/, /money/, /\\d\\d/], at_least: 2 }', '{ all: [{ text: /prize/ }, { text: /gold/ }] }', '{ number: html, is: 1 }', '{ hidden: /./ }']) assert.ok(!asked.includes(when), when)
  for (const when of ['{ not: { subject: /prize/i } }', '{ link: true, count: 0 }', '{ not: { fact: spf, is: fail } }', '{ of: [{ subject: /prize/i }, { not: { fact: spf, is: pass } }], at_least: 1 }']) assert.ok(asked.includes(when), when)
})

test('rules of links that are out of the ordinary are asked where there is such a link', () => {
  const flags = ['{ link: { mismatch: true } }', '{ link: { ip: true } }', '{ link: { userinfo: true } }', '{ link: { port: { above: 1024 } } }', '{ link: { any: [{ shortener: true }, { look_alike: true }] } }']
  assert.deepEqual(askedOf(flags, 'Subject: x\n\nSee http://www.example.net/x and https://example.org/y\n'), [])
  assert.deepEqual(askedOf(flags, 'Subject: x\n\nSee http://www.example.net/x and https://192.0.2.1/y\n'), ['{ link: { ip: true } }'])
  assert.deepEqual(askedOf(flags, 'Subject: x\n\nSee http://www.example.net:8080/x and https://ann@example.org/y\n'), ['{ link: { userinfo: true } }', '{ link: { port: { above: 1024 } } }'])
  assert.deepEqual(askedOf(flags, 'Content-Type: text/html\n\n<a href="https://evil.example/a">www.shop.test</a>\n'), ['{ link: { mismatch: true } }'])
})

test('of rules that need several things those are asked of which so many are there', () => {
  const { rules } = loaded()
  const program = atOnce(compileRules(rules))
  const possible = new Signs(program.guards, program.sources).possible(new Run(program, new MessageView(contentOfText('Subject: x\n\na prize\n'), FACTS[2] ?? factsOf({})), createBudget()))
  const asked = rules.flatMap((_, number) => (possible.includes(number) ? [CONDITIONS[number]] : []))
  for (const when of ['{ all: [{ text: /prize/ }, { text: /gold/ }] }', '{ of: [{ text: /prize/ }, { text: /gold/ }, { text: /silver/ }], at_least: 2 }']) assert.ok(!asked.includes(when), when)
  for (const when of ['{ of: [{ text: /prize/ }, { text: /prize/ }, { text: /gold/ }], at_least: 2 }', '{ all: [{ text: /prize/ }, { any: [{ rule: R3 }, { text: /gold/ }] }] }', '{ header: [x-mailer, reply-to], missing: true }']) assert.ok(asked.includes(when), when)
})

test('of several things too few are there: none of them is asked, whoever asks for the rule', () => {
  const rule = (id: string, when: string): string => `  - { id: ${id}, why: A rule of the test, score: 1, hits: [{ subject: x }], misses: [{ subject: x }], when: ${when} }\n`
  const textOf = (least: number): string => `rules:\n${rule('FEW', `{ at_least: ${least}, of: [{ rule: FIRST }, { rule: SECOND }, { rule: THIRD }] }`)}${rule('FIRST', "{ text: '/prize(?! at)/' }")}${rule('SECOND', '{ text: /gold/ }')}${rule('THIRD', '{ text: /silver/ }')}${rule('ASKS', '{ any: [{ rule: FEW }, { not: { subject: /./ } }] }')}`
  const asked = (message: string, least = 2): readonly string[] => {
    const text = textOf(least)
    const { rules } = load(text, { proof: { digest: load(text).proof.digest, failures: [] } }).rules
    const program = atOnce(compileRules(rules))
    const run = new Run(program, new MessageView(contentOfText(message), factsOf({})), createBudget())
    new Signs(program.guards, program.sources).possible(run)
    const found: string[] = []
    const ask = run.rule.bind(run)
    run.rule = (index) => {
      found.push(rules[index]?.id ?? '')
      return ask(index)
    }
    run.rule(rules.length - 1)
    return found
  }
  assert.deepEqual(asked('Subject: x\n\na prize\n'), ['ASKS'])
  assert.deepEqual(asked('Subject: x\n\na prize of gold\n'), ['ASKS', 'FEW', 'FIRST', 'SECOND'])
  // What is there and does not match is known with the first of them.
  assert.deepEqual(asked('Subject: x\n\na prize at last, of gold and silver\n'), ['ASKS', 'FEW', 'FIRST', 'SECOND', 'THIRD'])
  assert.deepEqual(asked('Subject: x\n\na prize at last, of gold and silver\n', 3), ['ASKS', 'FEW', 'FIRST'])
})

test('of what language a message is, is not found out for a rule that wants other things too, which are not there', () => {
  const text = 'rules:\n  - { id: R0, why: A rule of the test, score: 1, hits: [{ subject: x }], misses: [{ subject: x }], when: { all: [{ language: en }, { text: /prize/ }] } }\n'
  const { rules } = load(text, { proof: { digest: load(text).proof.digest, failures: [] } })
  const words = 'This is what we have for you, and it is not from me but from all of the people who are here with us. '
  const asked: string[] = []
  const hits = (message: string): number => {
    const content = contentOfText(message)
    const watched = new Proxy(content, { get: (target, key) => {
      if (key === 'language') asked.push(message)
      return Reflect.get(target, key, target) as unknown
    } })
    return rules.evaluate(watched, factsOf({})).hits.length
  }
  assert.equal(hits(`Subject: x\n\n${words}\n`), 0)
  assert.deepEqual(asked, [])
  assert.equal(hits(`Subject: x\n\n${words} A prize!\n`), 1)
  assert.equal(asked.length > 0, true)
})

test('as many patterns over one text as anybody may have', () => {
  const patterns = new Map([[0, new Map(Array.from({ length: 200_000 }, (_, index) => [index, 0]))]])
  assert.doesNotThrow(() => new Signs({ watched: [{ slot: 0, present: -1, absent: -1, words: new Map(), patterns }], checks: [], needs: [], rules: new Int32Array(0) }, [{ kind: 'text' }]))
})
