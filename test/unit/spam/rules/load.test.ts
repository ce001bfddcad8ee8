/** Rules put together from files: what is used, what is not and why, samples, scores, replacements. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadRules, SCORES_SOURCE } from '../../../../src/spam/rules/load.ts'
import type { RuleFile } from '../../../../src/spam/rules/load.ts'
import { readRuleFiles } from '../../../../src/spam/rules/folders.ts'
import { RuleSet } from '../../../../src/spam/rules/rule-set.ts'
import { createBudget } from '../../../../src/spam/patterns/budget.ts'
import { contentOfText, factsOf, load, NO_FACTS, told } from '../../../support/rules.ts'

function rule(id: string, { when = "{ subject: '/prize/i' }", score = '1.5', hits = '[{ subject: A prize }]', misses = '[{ subject: A price }]' } = {}): string {
  return `  - id: ${id}
    score: ${score}
    why: The test wants a rule of this name
    when: ${when}
    hits: ${hits}
    misses: ${misses}
`
}

const file = (text: string, site = false, source = site ? 'site.yaml' : 'shipped.yaml'): RuleFile => ({ source, text: `rules:\n${text}`, site })
const idsOf = (files: readonly RuleFile[]) => loadRules({ files }).rules.rules.map(({ id }) => id)
const PRIZE = contentOfText('Subject: The PRIZE\n\nIt is yours.\n')

test('hits are summed up without the errors of floating point', () => {
  const { rules, problems } = loadRules({ files: [file(rule('A', { score: '0.1' }) + rule('B', { score: '0.2' }) + rule('C', { when: '{ not: A }', hits: '[{ subject: x }]', misses: '[{ subject: prize }]' }))] })
  assert.deepEqual(told(problems), [])
  assert.deepEqual(rules.evaluate(PRIZE, NO_FACTS), {
    hits: [
      { id: 'A', score: 0.1, why: 'The test wants a rule of this name', excerpt: 'PRIZE' },
      { id: 'B', score: 0.2, why: 'The test wants a rule of this name', excerpt: 'PRIZE' },
    ],
    score: 0.3,
    incomplete: undefined,
  })
})

test('a rule whose sample fails is not used, nor what rests on it; the others are', () => {
  const { rules, problems } = loadRules({
    files: [file(rule('GOOD') + rule('MISSES_ITS_HIT', { hits: '[{ subject: A prize }, { subject: A present }]' })
      + rule('HITS_ITS_MISS', { misses: '[{ subject: Surprize }]' }) + rule('RESTS', { when: '{ all: [GOOD, HITS_ITS_MISS] }' }))],
  })
  assert.deepEqual(rules.rules.map(({ id }) => id), ['GOOD'])
  assert.deepEqual(told(problems), [
    'shipped.yaml:12: MISSES_ITS_HIT does not hit a sample that it must hit; samples under hits that the condition holds for',
    'shipped.yaml:19: HITS_ITS_MISS hits a sample that it must miss; samples under misses that it does not hold for',
    'shipped.yaml:20: RESTS refers to HITS_ITS_MISS, which is not used itself',
  ])
  assert.deepEqual(problems.map((one) => one.rule), ['MISSES_ITS_HIT', 'HITS_ITS_MISS', 'RESTS'])
})

test('a sample that lacks a fact says so', () => {
  const [problem] = load(`rules:\n${rule('A', { when: '{ fact: spf, is: fail }', hits: '[{ subject: x }]', misses: '[{ facts: { spf: pass } }]' })}`).problems
  assert.match(problem?.problem ?? '', /does not hit .* not known: does the sample have all facts\?/)
})

test('samples that ran once need not run again for the same files, and what failed stays out and is told', () => {
  const files = [file(rule('GOOD') + rule('BAD', { misses: '[{ subject: prize }]' }))]
  const first = loadRules({ files })
  assert.equal(first.problems.length, 1)
  const second = loadRules({ files, proof: structuredClone(first.proof) })
  assert.deepEqual(second.problems, first.problems)
  assert.deepEqual(second.rules.rules.map(({ id }) => id), ['GOOD'])
  const none = loadRules({ files, proof: { digest: first.proof.digest, failures: [] } })
  assert.deepEqual(none.problems, [], 'the proof is believed: no sample is run')
  const others = [file(rule('GOOD') + rule('BAD', { misses: '[{ subject: a prize }]' }))]
  assert.equal(loadRules({ files: others, proof: { digest: first.proof.digest, failures: [] } }).problems.length, 1, 'of other files it proves nothing')
})

test('each id once in a layer; a rule of the site takes the place of the shipped one, even if it is broken', () => {
  const doubled = loadRules({ files: [file(rule('A')), file(rule('A', { score: '3' }), false, 'more.yaml')] })
  assert.deepEqual(told(doubled.problems), ['more.yaml:2: the id A stands twice; the other is in shipped.yaml, line 2; each id once; a rule of the site may replace a shipped one'])
  assert.equal(doubled.rules.rules[0]?.score, 1.5)
  const replaced = loadRules({ files: [file(rule('A') + rule('B')), file(rule('A', { score: '3' }), true)] })
  assert.deepEqual(replaced.problems, [])
  assert.deepEqual(replaced.rules.rules.map(({ id, score }) => [id, score]), [['A', 3], ['B', 1.5]])
  assert.deepEqual(idsOf([file(rule('A') + rule('B')), file(rule('A', { score: 'much' }), true)]), ['B'])
  assert.deepEqual(idsOf([file(rule('A') + rule('B')), file(rule('A', { misses: '[{ subject: prize }]' }), true)]), ['B'])
  assert.deepEqual(idsOf([file(rule('A') + rule('B', { when: '{ rule: A }' })), file(rule('A', { when: '{ subject: /x( / }' }), true)]), [])
})

test('scores of the configuration', () => {
  const scores = new Map([['A', 4], ['B', 0], ['C', 1], ['__PART', 2], ['D', 5000]])
  const text = rule('A') + rule('B') + rule('D', { when: '{ rule: B }' }) + '  - { id: __PART, why: A part of others, when: { subject: /x/ } }\n'
  const { rules, problems } = loadRules({ files: [file(text)], scores })
  assert.deepEqual(rules.evaluate(PRIZE, NO_FACTS).hits.map(({ id, score }) => [id, score]), [['A', 4], ['D', 1.5]], 'what is switched off can still be asked for')
  assert.deepEqual(problems.map(({ source, key, problem }) => [source, key, problem]), [
    [SCORES_SOURCE, 'C', 'there is no rule "C" that scores; did you mean "A"?'],
    [SCORES_SOURCE, '__PART', 'there is no rule "__PART" that scores'],
    [SCORES_SOURCE, 'D', 'found 5000'],
  ])
})

test('references: to what is not there, round in a circle, too deep', () => {
  const missing = load(`rules:\n${rule('PRIZE') + rule('B', { when: '{ all: [PRISE] }' })}`)
  assert.deepEqual(told(missing.problems), ['test.yaml:8: B refers to PRISE, which is not there; did you mean "PRIZE"?; ids of rules in all files'])
  const circle = load(`rules:\n${rule('A', { when: '{ not: B }' }) + rule('B', { when: '{ any: [C, D] }' }) + rule('C', { when: '{ at_least: 1, of: [A] }' }) + rule('D') + rule('E', { when: '{ rule: A }' })}`)
  assert.deepEqual(circle.rules.rules.map(({ id }) => id), ['D'])
  assert.deepEqual(circle.problems.map(({ problem }) => problem), [
    'A refers to itself: A → B → C → A', 'B refers to itself: A → B → C → A', 'C refers to itself: A → B → C → A', 'E refers to A, which is not used itself',
  ])
  const self = load(`rules:\n${rule('A', { when: '{ rule: A }' })}`)
  assert.equal(self.problems[0]?.problem, 'A refers to itself: A → A')
  const chain = Array.from({ length: 60 }, (_, i) => rule(`R${i}`, i === 59 ? {} : { when: `{ rule: R${i + 1} }` })).join('')
  const deep = load(`rules:\n${chain}`)
  assert.equal(deep.rules.rules.length, 50)
  assert.match(deep.problems[0]?.problem ?? '', /^R0 rests on rules that rest on rules, more than 50 deep$/)
})

test('rules of other formats count as the site\'s, and may count more than once', () => {
  const shipped = file(rule('A') + rule('B'))
  const other = { source: 'local.cf', place: { line: 3, column: 1, variable: undefined }, hits: [], misses: [] }
  const when = { kind: 'compare', left: { kind: '*', left: { kind: 'rule', id: 'TWICE' }, right: { kind: 'number', value: 3 } }, operator: '=', right: { kind: 'number', value: 6 } } as const
  const { rules, problems } = loadRules({
    files: [shipped],
    others: [
      { ...other, rule: { id: 'TWICE', score: 1, why: 'Counts for two', when: { kind: 'rule', id: 'A' }, times: { kind: 'number', value: 2 } } },
      { ...other, rule: { id: 'SIX', score: 1, why: 'Three times two', when } },
      { ...other, rule: { id: 'B', score: 9, why: 'Replaces B', when: { kind: 'rule', id: 'A' } } },
    ],
  })
  assert.deepEqual(told(problems), [])
  assert.deepEqual(rules.evaluate(PRIZE, NO_FACTS).hits.map(({ id, score }) => [id, score]), [['A', 1.5], ['B', 9], ['TWICE', 1], ['SIX', 1]])
  assert.deepEqual(rules.evaluate(contentOfText('Subject: x\n\n'), NO_FACTS).hits, [])
})

test('rules that went through JSON to another process are the same rules', async () => {
  const { files } = await readRuleFiles({ shipped: true, paths: [] })
  const { rules } = loadRules({ files })
  const sent = new RuleSet(JSON.parse(JSON.stringify(rules.rules)) as typeof rules.rules)
  const content = contentOfText('From: "x@bank.example" <y@z.test>\nSUBJECT: ACT NOW BEFORE IT IS TOO LATE\n\nSee http://198.51.100.7/ now.\n')
  const facts = factsOf({ dmarc: ['none'], correspondent: ['no'] }, { domain_age: 0 })
  const outcome = rules.evaluate(content, facts)
  assert.ok(outcome.hits.length > 3)
  assert.deepEqual(sent.evaluate(content, facts), outcome)
})

test('a budget that is used up: what was not looked at is not known, and the outcome says so', () => {
  const text = `rules:\n${rule('A', { when: '{ subject: /PRIZE/ }', hits: '[{ subject: PRIZE }]' })}${rule('B', { when: '{ not: { subject: /PRESENT/ } }', hits: '[{ subject: x }]', misses: '[{ subject: PRESENT }]' })}${rule('C', { when: '{ number: subject_length, above: 3 }', misses: '[{ subject: x }]' })}${rule('D', { when: '{ not: { subject: "/[2-9]{2}/" } }', hits: '[{ subject: x }]', misses: '[{ subject: "99" }]' })}`
  const { rules, problems } = load(text)
  assert.deepEqual(told(problems), [])
  assert.deepEqual(rules.evaluate(PRIZE, NO_FACTS).hits.map(({ id }) => id), ['A', 'B', 'C', 'D'])
  const { hits, incomplete } = rules.evaluate(PRIZE, NO_FACTS, createBudget({ steps: 0 }))
  // That no PRESENT is there was seen when the literals of all patterns were looked for.
  assert.deepEqual(hits.map(({ id }) => id), ['B', 'C'])
  assert.equal(incomplete, 'patterns used up what a message may spend on them')
})

test('of a very long text the begin and the end are looked at', () => {
  const { rules } = load(`rules:\n${rule('A', { when: '{ text: /prize/ }', hits: '[{ text: prize }]' })}`)
  const long = (before: number, behind: number) => rules.evaluate(contentOfText(`Subject: x\n\n${'so it goes. '.repeat(before)}prize${' so it goes.'.repeat(behind)}\n`), NO_FACTS).hits.length
  assert.equal(long(10_000, 40_000), 1)
  assert.equal(long(40_000, 1_000), 1)
  assert.equal(long(25_000, 25_000), 0)
})

test('no files, no rules, no score', () => {
  const { rules, problems } = loadRules({ files: [file(''), file('', true)] })
  assert.deepEqual(problems, [])
  assert.deepEqual(rules.evaluate(PRIZE, NO_FACTS), { hits: [], score: 0, incomplete: undefined })
})
