/** Many rules that add up others: what they find, and what they take. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RuleSet } from '../../../../src/spam/rules/rule-set.ts'
import { contentOfBytes, spamHits, spamRules } from '../../../support/spamassassin.ts'
import { NO_FACTS } from '../../../support/rules.ts'

const PARTS = ['body A /alpha/', 'body B /beta/', 'body C /gamma/', 'body T /tau/', 'tflags T multiple', 'header U eval:check_for_spf_fail()'].join('\n')
const hits = (meta: string, text: string): boolean => spamHits(`${PARTS}\nmeta SUM ${meta}`, `Subject: x\n\n${text}\n`, NO_FACTS).includes('SUM')

test('rules that hold or do not are added up; one that counts more often counts so', () => {
  assert.equal(hits('A + B + C > 1', 'alpha gamma'), true)
  assert.equal(hits('A + B + C > 1', 'alpha'), false)
  assert.equal(hits('A + B + A == 2', 'alpha'), true)
  assert.equal(hits('A + T + B > 3', 'alpha tau tau tau'), true)
  // What SPF says is not known.
  assert.equal(hits('A + U + B > 1', 'alpha beta'), false)
  assert.equal(hits('(A + B) * 2 == 4', 'alpha beta'), true)
})

test('what is shown is what the first of them found', () => {
  const { rules } = spamRules(`${PARTS}\nmeta SUM C + A + B > 1`)
  const set = new RuleSet(rules.map(({ rule }) => rule))
  const shown = (text: string) => set.evaluate(contentOfBytes(`Subject: x\n\n${text}\n`), NO_FACTS).hits.find(({ id }) => id === 'SUM')?.excerpt
  assert.equal(shown('beta alpha'), 'alpha')
  assert.equal(shown('beta alpha gamma'), 'gamma')
})

test('thousands of sums take little', (t) => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as NodeJS.GCFunction
  t.after(() => setFlagsFromString('--no-expose-gc'))
  const held = (): number => {
    gc()
    gc()
    return process.memoryUsage().heapUsed
  }
  const parts = Array.from({ length: 100 }, (_, number) => `body __P${number} /\\bword${number}\\b/`)
  const metas = Array.from({ length: 2000 }, (_, number) => `meta META_${number} ${Array.from({ length: 40 }, (__, at) => `__P${(number * 7 + at * 13) % 100}`).join(' + ')} > ${1 + number % 30}`)
  const rules = spamRules([...parts, ...metas].join('\n')).rules.map(({ rule }) => rule)
  const before = held()
  const set = new RuleSet(rules)
  const each = (held() - before) / (2000 * 40)
  assert.equal(set.rules.length, 2100)
  assert.ok(each < 100, `${each} bytes for each that is added`)
})
