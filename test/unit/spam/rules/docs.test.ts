/** docs/rules.md: each of its examples works, and each name that a rule file may use is in it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { NUMBER_FACTS, WORD_FACTS } from '../../../../src/spam/facts.ts'
import { PARTIES } from '../../../../src/spam/rules/addresses.ts'
import { fieldTypes } from '../../../../src/spam/rules/items.ts'
import { MEASURE_NAMES } from '../../../../src/spam/rules/measures.ts'
import { CONDITION_KINDS } from '../../../../src/spam/rules/read-condition.ts'
import { ITEM_TESTS } from '../../../../src/spam/rules/read-items.ts'
import { COMPARISONS } from '../../../../src/spam/rules/read-values.ts'
import { load, told } from '../../../support/rules.ts'

const page = readFileSync(new URL('../../../../docs/rules.md', import.meta.url), 'utf8')
const examples = Array.from(page.matchAll(/```yaml\n([\s\S]*?)```/g), ([, text = '']) => text)
const PRIZE = examples[0] ?? ''

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ')
}

test('the examples of conditions can be read, those of rules pass their samples', () => {
  assert.ok(examples.length > 40, `${examples.length} examples`)
  for (const example of examples) {
    const text = example.startsWith('rules:') ? example : `${PRIZE}  - id: __EXAMPLE\n    why: An example of the page\n${indented(example)}`
    const { rules, problems } = load(text)
    assert.deepEqual(told(problems), [], example)
    assert.ok(rules.rules.length > 0)
  }
})

test('every kind of condition has an example', () => {
  const conditions = examples.join('')
  for (const kind of CONDITION_KINDS) assert.match(conditions, new RegExp(`\\b${kind}:`), kind)
})

test('every name that may stand in a rule file is on the page', () => {
  const words = [
    ...CONDITION_KINDS, ...PARTIES, ...MEASURE_NAMES, ...WORD_FACTS, ...NUMBER_FACTS, ...ITEM_TESTS, ...COMPARISONS,
    ...(['link', 'attachment', 'part', 'address'] as const).flatMap((kind) => [...fieldTypes(kind).keys()]),
  ]
  const missing = words.filter((word) => !new RegExp(`\`[^\`]*(?<![a-z_-])${word}(?![a-z_-])[^\`]*\``).test(page))
  assert.deepEqual(missing, [])
})
