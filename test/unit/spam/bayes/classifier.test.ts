/** From counts to a probability and points. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chiSquareAbove } from '../../../../src/spam/bayes/chi-square.ts'
import { classify, HAM_POINTS, LIMIT_POINTS, MIN_MESSAGES, MOST_LIMIT, oddsOf, pointsOf, SPAM_POINTS } from '../../../../src/spam/bayes/classifier.ts'
import { combine, Estimates } from '../../../../src/spam/bayes/combine.ts'
import { countCode } from '../../../../src/spam/bayes/count-code.ts'
import { tokenKeys } from '../../../../src/spam/bayes/store.ts'
import { TokenTable } from '../../../../src/spam/bayes/table.ts'
import { PAIR_BIT, type TokenSet } from '../../../../src/spam/bayes/token-set.ts'
import { letter, rowsOf, taught, tokensOf } from './bayes-fixture.ts'

test('the chi-square distribution, against its tables and its own sum', () => {
  // Above 5.991 with 2 degrees of freedom, above 18.307 with 10, above 124.342 with 100: 5 %.
  for (const [value, freedom] of [[5.99146, 2], [18.30704, 10], [124.34211, 100]] as const) assert.ok(Math.abs(chiSquareAbove(value / 2, freedom / 2) - 0.05) < 1e-6)
  for (const pairs of [1, 2, 7, 31, 32, 33, 64, 200]) {
    for (const half of [0.01, 0.5, 1, 6.9, 7, 7.1, 31, 33, 90, 200, 400]) {
      let term = Math.exp(-half)
      let sum = term
      for (let i = 1; i < pairs; i++) sum += (term *= half / i)
      assert.ok(Math.abs(chiSquareAbove(half, pairs) - Math.min(1, sum)) < 1e-12, `${half} ${pairs}`)
    }
  }
  assert.equal(chiSquareAbove(0, 5), 1)
  assert.equal(chiSquareAbove(5000, 2), 0)
  assert.equal(chiSquareAbove(10, 5000), 1)
})

const HAM = [letter('the meeting about our garden project is on tuesday, bring the drawings'), letter('thanks for the drawings, see you on tuesday in the garden')]
const SPAM = [letter('cheap pills and loans, order now without prescription'), letter('order cheap loans now, pills at half the price')]

test('there is no word before it knows enough of both', () => {
  const tokens = tokensOf(SPAM[0]!)
  assert.deepEqual(classify(tokens, undefined), { status: 'untrained', ham: 0, spam: 0, points: 0 })
  const few = taught({ ham: HAM, spam: SPAM }, MIN_MESSAGES / 2)
  assert.equal(classify(tokens, few).status, 'classified')
  assert.deepEqual(classify(tokens, { ...few, ham: 199 }), { status: 'untrained', ham: 199, spam: 200, points: 0 })
  assert.deepEqual(classify(tokens, { ...few, spam: 199 }), { status: 'untrained', ham: 200, spam: 199, points: 0 })
  // What is forgotten says nothing of where wanted mail ends; a model of spam alone finds spam in all of it.
  for (const lessons of [{ hams: 0, spams: 200 }, { hams: 199, spams: 4000 }, { hams: 4000, spams: 199 }]) {
    assert.deepEqual(classify(tokens, { ...few, ham: 5000, spam: 5000, lessons }), { status: 'untrained', ham: lessons.hams, spam: lessons.spams, points: 0 })
  }
  assert.equal(classify(tokens, { ...few, ham: 5000, spam: 5000, lessons: { hams: 200, spams: 200 } }).status, 'classified')
  assert.equal(classify(tokens, { ...few, ham: 5000, spam: 5000, lessons: { hams: 200, spams: 200 } }, 5000).status, 'classified')
  assert.equal(classify(tokens, { ...few, spam: 199 }, 100).status, 'classified')
})

test('like what it was taught, unlike what it was not, and nothing where it knows nothing', () => {
  const trained = taught({ ham: HAM, spam: SPAM }, 150)
  const verdict = (text: string) => {
    const found = classify(tokensOf(letter(text)), trained)
    assert.equal(found.status, 'classified')
    return found
  }
  const spam = verdict('order pills now, cheap loans without prescription at half the price')
  const ham = verdict('on tuesday bring the drawings of our garden project to the meeting')
  assert.ok(spam.points > 1.6 && spam.probability > 0.75, `${spam.probability}`)
  assert.ok(ham.points < -2 && ham.probability < 0.25, `${ham.probability}`)
  const unknown = verdict('zwei ganz andere sätze, die niemand je gelernt hat')
  assert.ok(Math.abs(unknown.points) < 0.5, `${unknown.points}`)
  const mixed = verdict('order pills now cheap loans prescription bring drawings garden project meeting thanks')
  assert.ok(Math.abs(mixed.points) < Math.abs(spam.points) && Math.abs(mixed.points) < Math.abs(ham.points), `${mixed.points}`)
})

test('few lessons make fewer points for unwanted mail, and take none from wanted mail', () => {
  const trained = taught({ ham: HAM, spam: SPAM }, 100)
  const points = (text: string, ham: number, spam: number) => classify(tokensOf(letter(text)), { ...trained, ham, spam }).points
  const [spam, ham] = ['order pills now, cheap loans without prescription at half the price', 'on tuesday bring the drawings of our garden project to the meeting']
  assert.ok(points(spam, 4000, 4000) > 2)
  assert.ok(Math.abs(points(spam, 250, 250) - points(spam, 4000, 4000) * 0.25 ** 0.25) < 0.01)
  assert.equal(points(ham, 250, 250), points(ham, 4000, 4000))
  // Those that are remembered count, not those that were taught once.
  const remembered = classify(tokensOf(letter(spam)), { ...trained, ham: 4000, spam: 4000, lessons: { hams: 250, spams: 250 } }).points
  assert.ok(Math.abs(remembered - points(spam, 4000, 4000) * 0.25 ** 0.25) < 0.01)
})

test('the strongest tokens are named, for those who ask', () => {
  const trained = taught({ ham: HAM, spam: SPAM }, 150)
  const found = classify(tokensOf(letter('cheap loans for the garden')), trained)
  assert.equal(found.status, 'classified')
  const cheap = found.telling.find(({ name }) => name === 'cheap')
  assert.deepEqual([cheap?.ham, Math.round((cheap?.spam ?? 0) / 30)], [0, 10])
  assert.ok((cheap?.probability ?? 0) > 0.99)
  assert.ok(found.telling.some(({ name, probability }) => name === 'garden' && probability < 0.01))
  assert.ok(found.telling.length <= 30)
  const quiet = classify(tokensOf(letter('cheap loans for the garden'), { named: false }), trained)
  assert.equal(quiet.status, 'classified')
  assert.deepEqual(quiet.telling, [])
  assert.equal(quiet.points, found.points)
})

test('more messages of one class are no evidence for it', () => {
  const even = new Estimates({ table: taught({ ham: [], spam: [] }, 1).table, ham: 300, spam: 3000 })
  // In a tenth of either.
  assert.ok(Math.abs(even.of((countCode(30) << 8) | countCode(300)) - 0.5) < 0.01)
  assert.ok(even.of((countCode(1) << 8) | countCode(1)) < 0.2)
})

test('a token that was seen once says less than one that was seen often', () => {
  const estimates = new Estimates({ table: taught({ ham: [], spam: [] }, 1).table, ham: 300, spam: 300 })
  const seen = [1, 2, 5, 50].map((times) => estimates.of(countCode(times)))
  assert.deepEqual([...seen].sort(), seen)
  assert.ok((seen[0] ?? 1) < 0.97 && (seen[3] ?? 0) > 0.99)
})

test('points are the logarithm of the odds, between their ends', () => {
  assert.equal(pointsOf(0), 0)
  assert.equal(pointsOf(40), SPAM_POINTS)
  assert.equal(pointsOf(-40), -HAM_POINTS)
  for (let odds = -HAM_POINTS; odds < SPAM_POINTS; odds += 0.1) assert.ok(Math.abs(pointsOf(odds) - odds) < 0.006)
})

test('where wanted mail ends are the points of the tag threshold, wherever that is', () => {
  for (const limit of [1.6, 1.9, MOST_LIMIT]) assert.equal(oddsOf(limit, { wantedLimit: limit }), LIMIT_POINTS)
  // What was learnt may be all of one kind: other wanted mail comes too.
  assert.equal(oddsOf(1.5, { wantedLimit: -2 }), LIMIT_POINTS)
  assert.equal(oddsOf(1.8), LIMIT_POINTS)
  // Spam that was learnt as wanted mail carries the limit off, and must not silence the classifier.
  for (const limit of [2.1, 3, 8, Infinity]) assert.equal(oddsOf(MOST_LIMIT, { wantedLimit: limit }), LIMIT_POINTS)
  for (const limit of [2.4, 3, Infinity]) assert.equal(oddsOf(2.4, { wantedLimit: limit, mostLimit: 2.4 }), LIMIT_POINTS)
})

test('no evidence is no points, and more evidence is never fewer', () => {
  for (const limit of [undefined, 1.6, 3]) {
    assert.equal(oddsOf(0, { wantedLimit: limit }), 0)
    let before = -Infinity
    for (let evidence = -3; evidence < 5; evidence += 0.01) {
      const odds = oddsOf(evidence, { wantedLimit: limit })
      assert.ok(odds > before && (before === -Infinity || odds - before < 0.1), `${evidence}: ${before}, ${odds}`)
      before = odds
    }
  }
})

test('a long message is no surer than its evidence', () => {
  const trained = taught({ ham: HAM, spam: SPAM }, 150)
  const once = classify(tokensOf(letter('cheap pills and loans')), trained)
  const often = classify(tokensOf(letter('cheap pills and loans '.repeat(2000))), trained)
  assert.ok(Math.abs(once.points - often.points) < 1.5, `${once.points} ${often.points}`)
})

test('a pair of words says less than a word, for it is not independent of those in it', () => {
  const numbers = Array.from({ length: 20 }, (_, at) => 1000 + at)
  const certainty = (bit: number): number => {
    const tokens: TokenSet = { count: numbers.length, low: Uint32Array.from(numbers), high: new Uint32Array(numbers.length).fill(bit | 1), names: undefined }
    const table = TokenTable.for(numbers.length)
    table.add(rowsOf(new Map(Array.from(tokenKeys(tokens), (key) => [key, { ham: 0, spam: 50 }]))))
    return combine(tokens, { table, ham: 200, spam: 200 }, new Estimates({ table, ham: 200, spam: 200 })).probability
  }
  const [words, pairs] = [certainty(0), certainty(PAIR_BIT)]
  assert.ok(words > pairs && pairs > 0.5, `${words} ${pairs}`)
})
