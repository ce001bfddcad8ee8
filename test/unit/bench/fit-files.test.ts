/** Fitted scores are written into files of rules, and nothing else of them changes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withScores } from '../../../bench/fit-files.ts'
import { readRuleFile } from '../../../src/spam/rules/read-file.ts'

const FILE = `# Offers: what they say
rules:
  - id: __PART
    why: A part of others has no score
    when: { subject: '/score: 1/' }

  - id: FIRST
    score: 1.20   # by ear
    why: The first of the rules
    when: { subject: '/first/' }
    hits: [{ subject: "score: 1.20" }]
    misses:
      - text: |
          rules:
            - id: SECOND
              score: 9
  # fitted before
  - {id: SECOND, score: 2, why: The second of the rules, when: {subject: '/second/'}, hits: [{subject: second}], misses: [{subject: none}]}
  -
    why: The third of the rules
    score: 0.7
    prior: 1.5
    id: THIRD
    when: { subject: '/third/' }
    hits: [{ subject: third }]
    misses: [{ subject: none }]
`

test('scores change in place; what the author gave is kept below', () => {
  const after = withScores(FILE, new Map([['FIRST', 0.85], ['SECOND', 0], ['THIRD', 2.25], ['ELSEWHERE', 3], ['__PART', 1]]))
  assert.equal(after, FILE
    .replace('score: 1.20   # by ear\n', 'score: 0.85   # by ear\n    prior: 1.20\n')
    .replace('{id: SECOND, score: 2,', '{id: SECOND, score: 0, prior: 2,')
    .replace('score: 0.7\n', 'score: 2.25\n'))
  const { rules } = readRuleFile(after, 'offers.yaml', false)
  assert.deepEqual(rules.map(({ rule, prior }) => [rule.id, rule.score, prior]), [['__PART', undefined, undefined], ['FIRST', 0.85, 1.2], ['SECOND', 0, 2], ['THIRD', 2.25, 1.5]])
})

test('a score that stays leaves its file as it is, and what was written is not written again', () => {
  assert.equal(withScores(FILE, new Map([['FIRST', 1.2], ['THIRD', 0.7]])), FILE)
  const scores = new Map([['FIRST', 0.85], ['SECOND', 1]])
  const once = withScores(FILE, scores)
  assert.notEqual(once, FILE)
  assert.equal(withScores(once, scores), once)
})

test('other ends of lines, and no end of the last one', () => {
  const short = 'rules:\n- id: A1\n  score: 1'
  assert.equal(withScores(short, new Map([['A1', 2]])), 'rules:\n- id: A1\n  score: 2\n  prior: 1')
  assert.equal(withScores(`${short}\n`, new Map([['A1', -0.5]])), 'rules:\n- id: A1\n  score: -0.5\n  prior: 1\n')
  assert.equal(withScores('rules:\r\n- id: A1\r\n  score: 1\r\n  why: x\r\n', new Map([['A1', 2]])), 'rules:\r\n- id: A1\r\n  score: 2\r\n  prior: 1\r\n  why: x\r\n')
})

test('files without rules stay as they are; what is no YAML is no file of rules', () => {
  for (const text of ['', 'rules:\n', '# nothing\n', 'other: 3\n']) assert.equal(withScores(text, new Map([['A1', 2]])), text)
  assert.throws(() => withScores('rules: [', new Map()), /not valid YAML/)
})
