/** What it takes to make rules ready: found out where they are read, and bounded there. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { packRules, type PackedRules } from '../../../src/scoring/packed-rules.ts'
import { readApart } from '../../../src/scoring/read-apart.ts'
import { MOST_COST } from '../../../src/scoring/rules-bounds.ts'
import { costOf, TooDear } from '../../../src/scoring/rules-cost.ts'
import { readTask, readingOf, answerTo } from '../../../src/scoring/rules-task.ts'
import { TooMuch } from '../../../src/scoring/too-much.ts'
import type { Rule } from '../../../src/spam/rules/rule.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { spamRules } from '../../support/spamassassin.ts'

const packed = (rules: readonly Rule[]): PackedRules => packRules({ rules, problems: [], notes: [] })
/** Each is looked for everywhere, by an automaton of its own. */
const many = (count: number): string => Array.from({ length: count }, (_, number) => `body RULE_${number} /[a-${'bcdefgh'[number % 7] ?? ''}\\d]{3,9}[^${number}]{2}\\d[xyz]{${number % 20}}/i`).join('\n')
const settings = (lines: string) => {
  const file = join(temporaryDirectory('rules-cost'), 'local.cf')
  writeFileSync(file, lines)
  return { settings: { shipped: false, paths: [], scores: new Map<string, number>(), spamassassin: [file] }, proof: undefined }
}

test('what takes too much computing, or memory, is refused', async () => {
  const rules = packed(spamRules(many(1500)).rules.map(({ rule }) => rule))
  await assert.rejects(costOf(rules, { most: { ms: 20, mb: 256 } }), (error) => error instanceof TooMuch && error.message === 'to make them ready for use takes more than 0.02 s of computing')
  await assert.rejects(costOf(rules, { most: { ms: 60_000, mb: 0.01 } }), (error) => error instanceof TooMuch && error.message === 'ready for use they take more than 0.01 MB of memory in each worker')
  const { ms } = await costOf(rules)
  assert.ok(ms > 20 && ms <= MOST_COST.ms)
})

test('what is kept counts too, not only what lies in buffers', async (t) => {
  setFlagsFromString('--expose-gc')
  globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction
  t.after(() => {
    globalThis.gc = undefined
  })
  const rules = packed(spamRules(many(500)).rules.map(({ rule }) => rule))
  // What was made before is collected with the first.
  await costOf(rules)
  const { mb } = await costOf(rules)
  assert.ok(mb !== undefined && mb > 0.5, `${mb} MB`)
  await assert.rejects(costOf(rules, { most: { ms: 60_000, mb: mb * 0.8 } }), TooMuch)
  assert.ok((await costOf(rules, { most: { ms: 60_000, mb: mb * 1.5 } })).ms > 0)
})

test('what is kept is looked at while they are made ready, not only in the end', async (t) => {
  setFlagsFromString('--expose-gc')
  globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction
  t.after(() => {
    globalThis.gc = undefined
  })
  // They hold on to each other, and to little in buffers.
  const parts = Array.from({ length: 100 }, (_, number) => `body __PART_${number} /\\bword${number}\\b/`)
  const metas = Array.from({ length: 4000 }, (_, number) => `meta META_${number} ${Array.from({ length: 40 }, (__, at) => `__PART_${(number * 7 + at * 13) % 100}`).join(' + ')} > ${number % 30}`)
  const rules = packed(spamRules([...parts, ...metas].join('\n')).rules.map(({ rule }) => rule))
  const { ms } = await costOf(rules)
  await assert.rejects(costOf(rules, { most: { ms, mb: 2 } }), (error) => error instanceof TooDear && error.by === 'mb' && !error.about.mayPass)
})

test('what cannot be made ready is refused, not tried again elsewhere', async () => {
  await assert.rejects(costOf(packed([{ id: 'RULE', score: 1, why: '', when: { kind: 'rule', id: 'NOWHERE' } }])), (error) => error instanceof TooMuch && error.message === 'they cannot be made ready for use: there is no rule NOWHERE')
})

test('the process that reads rules finds out what they take: those of a site, not those that come with Postern alone', async () => {
  const busy = setInterval(() => undefined, 1000)
  try {
    const late = new AbortController().signal
    const { cost, rules } = await readApart(settings(many(500)), late)
    assert.equal(rules, 500)
    assert.ok(cost?.mb !== undefined && cost.mb > 0.5 && cost.mb < 50, `${cost?.mb} MB`)
    assert.ok(cost.ms > 1)
    assert.equal((await readApart({ ...settings(''), settings: { ...settings('').settings, spamassassin: [] } }, late)).cost, undefined)
  } finally {
    clearInterval(busy)
  }
})

test('whoever waits is gone some time: they are given up before', async () => {
  const rules = packed(spamRules(many(1500)).rules.map(({ rule }) => rule))
  await assert.rejects(costOf(rules, { until: performance.now() }), (error) => error instanceof TooDear && error.by === 'until' && error.about.mayPass)
})

test('what is too much is said from one process to the other, with what is known of the rules', async () => {
  const task = settings(`${many(200)}\nbody BAD /(/\nrequired_score 5`)
  const answer = await answerTo({ ...task, most: { ms: -1, mb: 0 } })
  assert.equal(answer.status, 'useless')
  assert.throws(() => readingOf(answer), (error) => error instanceof TooMuch && /^to make them ready/.test(error.message) && error.about.known?.problems.length === 1 && error.about.known.notes.length === 1 && error.about.mayPass)
  assert.equal((await readTask(task)).rules, 200)
})

test('which are the dearest is found out where there is nothing else to do, and after the time of reading; to fail at it changes nothing', async (t) => {
  // So few may take no time that a clock shows: what is less than none is too much whatever they take.
  const task = settings(many(20))
  let asked = 0
  const name = async (): Promise<string> => {
    asked += 1
    await new Promise((resolve) => setTimeout(resolve, 200))
    return 'that one'
  }
  assert.equal((await readTask({ ...task, near: -1 }, name)).dearest, undefined)
  await assert.rejects(readTask({ ...task, most: { ms: -1, mb: 256 } }, name), (error) => error instanceof TooMuch && error.about.dearest === undefined)
  assert.equal(asked, 0)
  setFlagsFromString('--expose-gc')
  globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction
  t.after(() => {
    globalThis.gc = undefined
  })
  const began = performance.now()
  const { dearest, tookMs = NaN } = await readTask({ ...task, near: -1 }, name)
  assert.equal(dearest, 'that one')
  assert.ok(tookMs > 0 && tookMs <= performance.now() - began - 190, `${tookMs} ms`)
  const broken = (): Promise<string> => Promise.reject(new Error('it cannot be taken apart'))
  assert.equal((await readTask({ ...task, near: -1 }, broken)).dearest, undefined)
  await assert.rejects(readTask({ ...task, most: { ms: -1, mb: 256 } }, broken), (error) => error instanceof TooMuch && /^to make them ready/.test(error.message) && error.about.known?.problems.length === 0)
})
