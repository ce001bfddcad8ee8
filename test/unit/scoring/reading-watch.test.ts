/** Reading rules ends in time, and it is said what took so long. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ReadingWatch } from '../../../src/scoring/reading-watch.ts'
import { readRules } from '../../../src/scoring/rule-files.ts'
import { TooMuch } from '../../../src/scoring/too-much.ts'
import { temporaryDirectory } from '../../support/process.ts'

function busy(ms: number): void {
  for (const began = performance.now(); performance.now() - began < ms;);
}

test('what it returns is what the work does, and where that takes too long it is told which part', () => {
  function* work(): Generator<string, number> {
    for (const [name, ms] of [['a', 5], ['b', 60], ['a', 5], ['c', 60]] as const) {
      busy(ms)
      yield name
    }
    return 7
  }
  const over = (until: number) => {
    const steps = new ReadingWatch(until).over(work(), (name) => `file ${name}`)
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
    }
  }
  assert.equal(over(Infinity), 7)
  assert.throws(() => over(performance.now() + 100), (error) => error instanceof TooMuch && error.about.mayPass && /^to read them and to run their samples takes more than \d+ s$/.test(error.message)
    && /^most of the time went to file [bc] \d+ %, file [bc] \d+ %, file a \d+ %$/.test(error.about.dearest ?? ''))
})

test('samples that take long are told by their rule', async () => {
  const file = join(temporaryDirectory('reading-watch'), 'slow.yaml')
  const hits = Array.from({ length: 20 }, (_, number) => `{ text: "${`${'a'.repeat(3000)}\\n`.repeat(10)}${number}" }`).join(', ')
  writeFileSync(file, `rules:\n  - id: SLOW\n    score: 1\n    why: Its samples take long\n    when: { raw: '/(a+)(a+)(a+)\\2\\3\\1[^a]\\1[0-8]/' }\n    hits: [${hits}]\n    misses: [{ subject: x }]\n`)
  await assert.rejects(readRules({ shipped: false, paths: [file], scores: new Map(), spamassassin: [] }, { until: performance.now() + 300 }), (error) => error instanceof TooMuch && error.about.dearest?.includes(`samples of SLOW (${file}:2) `) === true)
})
