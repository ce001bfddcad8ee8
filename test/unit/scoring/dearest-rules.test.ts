/** Which rules are too dear: one that stands out is named, and where none does, what kinds there are. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { dearestOf, kindFrom } from '../../../src/scoring/dearest-rules.ts'
import { packRules } from '../../../src/scoring/packed-rules.ts'
import { kindOf } from '../../../src/scoring/rule-kinds.ts'
import type { Weighing } from '../../../src/scoring/rule-scale.ts'
import type { Pattern } from '../../../src/spam/patterns/pattern.ts'
import { readPattern } from '../../../src/spam/patterns/read-pattern.ts'
import type { Rule } from '../../../src/spam/rules/rule.ts'
import { spamRules } from '../../support/spamassassin.ts'

before(() => {
  setFlagsFromString('--expose-gc')
  globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction
})
after(() => {
  globalThis.gc = undefined
})

const small = (count: number): string => Array.from({ length: count }, (_, number) => `body SMALL_${number} /\\bword${number}\\b/`).join('\n')
/** All its automata and programs are its own. */
const large = (number: number): string => `body LARGE_${number} /[^${number}]{3}(?:[a-f]\\d[x-z]{0,20}){${400 - number}}[q-t]/i`

async function told(files: Readonly<Record<string, string>>, { by = 'ms', ms = 60_000, shipped = [] }: Partial<Pick<Weighing, 'by'>> & { readonly ms?: number; readonly shipped?: readonly string[] } = {}): Promise<string> {
  const located = spamRules(files).rules
  const packed = packRules({ rules: located.map(({ rule }) => rule), problems: [], notes: [] })
  const places = located.map(({ source, place }) => ({ source, line: place.line, site: !shipped.includes(source) }))
  return dearestOf(packed, places, { by, until: performance.now() + ms })
}

for (const by of ['ms', 'mb'] as const) {
  test(`one that takes most of it is found among hundreds, with its place (${by})`, async () => {
    const rules: Rule[] = spamRules(small(300)).rules.map(({ rule }) => rule)
    rules.splice(120, 0, huge(by))
    assert.match(await toldOf(rules, by), /^the dearest: HUGE \(local\.yaml:121\) (?:[5-9]\d|100) %$/)
  })
}

test('a rule that others ask for is not taken for what they take', async () => {
  const asking = Array.from({ length: 30 }, (_, number): Rule => ({ id: `ASKS_${number}`, score: 1, why: '', when: { kind: 'all', of: [{ kind: 'rule', id: 'HUGE' }, { kind: 'not', of: { kind: 'rule', id: 'SMALL_3' } }] } }))
  const text = await toldOf([...asking, ...spamRules(small(30)).rules.map(({ rule }) => rule), huge('ms')], 'ms')
  assert.match(text, /^the dearest: HUGE \(local\.yaml:61\) (?:[5-9]\d|100) %$/)
})

function huge(by: Weighing['by']): Rule {
  return { id: 'HUGE', score: 1, why: '', when: { kind: 'any', of: Array.from({ length: 150 }, (_, number) => ({ kind: 'matches', in: { kind: 'text' }, pattern: pattern(by === 'ms' ? number : 300 + number) })) } }
}

function toldOf(rules: readonly Rule[], by: Weighing['by']): Promise<string> {
  return dearestOf(packRules({ rules, problems: [], notes: [] }), rules.map((_, at) => ({ source: 'local.yaml', line: at + 1, site: true })), { by, until: performance.now() + 60_000 })
}

/** Long to make ready, below 300; beyond it large. */
function pattern(number: number): Pattern {
  const source = number < 300 ? `[^${number % 10}]{3}(?:[a-f]\\d[x-z]{0,20}){${400 - number}}[q-t]` : `[\\x{100}-\\x{${(0x400 + number).toString(16)}}]{3,99}\\w{2,99}\\d`
  const reading = readPattern(source, 'i')
  if (reading.status === 'refused') assert.fail(reading.problem)
  return reading.pattern
}

test('where none stands out it is said so, with the kinds and their files', async () => {
  const all = Array.from({ length: 60 }, (_, number) => large(number))
  const text = await told({ 'a.cf': all.slice(0, 40).join('\n'), 'b.cf': `${all.slice(40).join('\n')}\n${small(100)}` })
  assert.match(text, /^(?:no single rule stands out|the dearest: (?:LARGE_\d+ \([ab]\.cf:\d+\) \d %,? ?)+); by kind: 60 rules with a pattern that is tried everywhere, as it holds no literal \d+ % \(a\.cf: 40, b\.cf: 20\)/)
})

test('where there is no time left nothing is said that is not known', async () => {
  const text = await told({ 'a.cf': `${large(1)}\n${small(3)}\nmeta BOTH SMALL_1 && SMALL_2` }, { ms: -1 })
  assert.equal(text, 'by kind: 3 rules with patterns that hold literals (a.cf: 3); 1 rule with a pattern that is tried everywhere, as it holds no literal (a.cf: 1); 1 rule made of other rules (a.cf: 1)')
})

test('what takes longer than there is time for does not hold up whoever waits', async () => {
  const began = performance.now()
  const text = await told({ 'a.cf': Array.from({ length: 400 }, (_, number) => large(number % 300).replace('LARGE_', `L${number}_`)).join('\n') }, { ms: 200 })
  assert.ok(performance.now() - began < 10_000)
  assert.match(text, /^by kind: 400 rules /)
})

test('what was found of some of a kind holds for as many as there are', () => {
  const weighed = [{ members: [1, 2], weight: 4, cut: false }, { members: [5], weight: 2, cut: true }, { members: [8], weight: 90, cut: false }]
  assert.deepEqual(kindFrom(weighed, 'without a pattern', [1, 2, 3, 4, 5, 6]), { kind: 'without a pattern', members: [1, 2, 3, 4, 5, 6], known: true, cut: true, weight: 12 })
  assert.deepEqual(kindFrom(weighed, 'made of other rules', [7]), { kind: 'made of other rules', members: [7], known: false, cut: false, weight: 0 })
})

test('rules that come with Postern are not meant', async () => {
  assert.doesNotMatch(await told({ 'ours.cf': large(1), 'site.cf': small(30) }, { shipped: ['ours.cf'] }), /LARGE|no literal|ours/)
})

test('kinds', () => {
  const kinds = new Map(spamRules('body A /word/\nbody B /\\d/\nmeta C A && B\nheader D exists:X-Y').rules.map(({ rule }) => [rule.id, kindOf(rule)]))
  assert.deepEqual([...kinds], [['A', 'with patterns that hold literals'], ['B', 'with a pattern that is tried everywhere, as it holds no literal'], ['C', 'made of other rules'], ['D', 'without a pattern']])
})
