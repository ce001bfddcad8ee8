/** Where wanted mail ends, also where some of it is none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classify, LIMIT_POINTS, MOST_LIMIT } from '../../../../src/spam/bayes/classifier.ts'
import { bounded, limitOf, trainLinear } from '../../../../src/spam/bayes/linear-training.ts'
import { trustIn } from '../../../../src/spam/bayes/lessons.ts'
import { singleTokens, type KeptMessage, type MessageClass } from '../../../../src/spam/bayes/store.ts'
import { letter, taught, tokensOf } from './bayes-fixture.ts'

/** As wanted mail is: from −3 up, an exponential at its end. */
function wanted(count: number): number[] {
  return Array.from({ length: count }, (_, at) => -1.5 - 0.3 * Math.log((at + 0.5) / count))
}

const limit = (values: readonly number[]) => limitOf(Float64Array.from(values).sort())

test('the upper end is carried on to one in two thousand', () => {
  // −1.5 + 0.3 · ln 2000 = 0.78, and a bit for what it may be wrong.
  const { wantedLimit = NaN, doubtful } = limit(wanted(4000))
  assert.ok(wantedLimit > 0.75 && wantedLimit < 1, `${wantedLimit}`)
  assert.equal(doubtful, 0)
})

test('a little spam among the wanted mail does not move it', () => {
  const honest = wanted(1600)
  const { wantedLimit: before = NaN } = limit(honest)
  for (const mistakes of [1, 8, 16, 32]) {
    const { wantedLimit = NaN, doubtful } = limit([...honest, ...Array.from({ length: mistakes }, (_, at) => 2 + at / 40)])
    assert.ok(Math.abs(wantedLimit - before) < 0.05, `${mistakes}: ${before}, ${wantedLimit}`)
    assert.equal(doubtful, mistakes)
  }
})

test('much of it does, for then it may be wanted', () => {
  const { wantedLimit = NaN, doubtful } = limit([...wanted(1600), ...Array.from({ length: 100 }, () => 2.4)])
  assert.ok(wantedLimit > MOST_LIMIT)
  assert.equal(doubtful, 100)
})

test('of few wanted messages the limit lies by where the unwanted ones are', () => {
  const unwanted = Float64Array.of(0.5, 2, 2.4, 2.5, 2.6)
  const of = (wantedLimit: number, hams: number) => {
    const { mostLimit, ...limits } = bounded({ wantedLimit, doubtful: 0 }, { hams, spams: 200, unwanted })
    return [limits.wantedLimit, mostLimit]
  }
  // What few messages say of their own end is too low as often as too high.
  assert.deepEqual(of(1.2, 200), [0.9 * 2.4, 2.4])
  assert.deepEqual(of(3, 200), [3, 2.4])
  assert.deepEqual(of(1.2, 800).map((limit) => limit?.toFixed(3)), ['1.200', (MOST_LIMIT + 0.4 * (Math.log(3000 / 800) / Math.log(15))).toFixed(3)])
  assert.deepEqual(of(1.2, 3000), [1.2, MOST_LIMIT])
  assert.deepEqual(of(3, 40_000), [3, MOST_LIMIT])
  // where unwanted mail is told badly, too
  assert.deepEqual(bounded({ wantedLimit: 1, doubtful: 2 }, { hams: 200, spams: 200, unwanted: Float64Array.of(0.5, 1, 1.5) }), { wantedLimit: 1, mostLimit: MOST_LIMIT, doubtful: 2 })
  assert.equal(bounded({ wantedLimit: undefined, doubtful: 0 }, { hams: 0, spams: 0, unwanted }).wantedLimit, undefined)
})

/** Distinct letters of one kind. */
function letters(kind: readonly string[], count: number, first: number): string[] {
  return Array.from({ length: count }, (_, at) => letter(Array.from({ length: 12 }, (_unused, place) => kind[((first + at) * (place + 3) + place * place) % kind.length] ?? '').join(' ')))
}

const HAM_WORDS = 'garden meeting tuesday drawings project hedge letter friends dinner train station weather children school music concert holiday kitchen bread morning'.split(' ')
const SPAM_WORDS = 'cheap pills loans order prescription price casino bonus winner prize lottery transfer million urgent click discount guarantee credit offer free'.split(' ')

function model(mistakes: number) {
  const ham = letters(HAM_WORDS, 200, 0)
  const spam = letters(SPAM_WORDS, 200, 0)
  const wrong = letters(SPAM_WORDS, mistakes, 1000)
  const kept = ([...ham.map((text) => ['ham', text]), ...spam.map((text) => ['spam', text]), ...wrong.map((text) => ['ham', text])] as const)
    .map(([one, text]): KeptMessage => ({ class: one as MessageClass, singles: singleTokens(tokensOf(text ?? '')) }))
  const training = trainLinear(kept)
  for (;;) {
    const step = training.next()
    if (step.done !== true) continue
    assert.equal(step.value.status, 'trained')
    return { linear: step.value.model, trained: { ...taught({ ham: [...ham, ...wrong], spam }, 1), linear: step.value.model } }
  }
}

test('a classifier that was taught some spam as wanted mail goes on finding spam, and says how many are in doubt', () => {
  const honest = model(0)
  assert.equal(honest.linear.doubtful, 0)
  const poisoned = model(10)
  assert.ok((poisoned.linear.doubtful ?? 0) >= 5, `${poisoned.linear.doubtful}`)
  const found = letters(SPAM_WORDS, 40, 500).filter((text) => classify(tokensOf(text), poisoned.trained).points >= LIMIT_POINTS * trustIn({ hams: poisoned.trained.ham, spams: poisoned.trained.spam })).length
  // Half of it at least: no limit is so high that all would be below it.
  assert.ok(found >= 20, `${found} of 40`)
  assert.equal(letters(HAM_WORDS, 40, 500).filter((text) => classify(tokensOf(text), poisoned.trained).points > 0).length, 0)
})
