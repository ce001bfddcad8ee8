/** The fit of scores: where evidence moves them, where they stay, and that the point it finds is the best. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boundsOf, fitScores, lossOf, weightsOf, written, type Counts, type FitMessage, type FitPlan, type FitRule } from '../../../bench/fit-scores.ts'

const PLAN: FitPlan = { spread: 0.4, aloneShare: 0.5, wantedCost: 4, calm: 3, clear: 6 }
const rule = (prior: number, fixed = false): FitRule => ({ prior, fixed })
const mail = (count: number, unwanted: boolean, more: Partial<FitMessage> = {}): FitMessage[] => Array.from({ length: count }, () => ({ unwanted, hits: [], classifier: 0, html: false, ...more }))
/** as the fit sees it: loss, and the price of leaving priors */
const costOf = (scores: ArrayLike<number>, { rules, messages }: { readonly rules: readonly FitRule[]; readonly messages: readonly FitMessage[] }): number =>
  lossOf(scores, messages, PLAN) + rules.reduce((sum, { prior }, at) => sum + (((scores[at] ?? 0) - prior) / (PLAN.spread * Math.max(Math.abs(prior), 0.5))) ** 2 / 2, 0)

/** Without a draw: every run has the same. */
function someMail(): { readonly rules: readonly FitRule[]; readonly messages: readonly FitMessage[] } {
  const rules = [rule(1), rule(0.8), rule(2), rule(-1), rule(0.4), rule(1.5)]
  let state = 7
  const chance = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const messages = Array.from({ length: 600 }, (): FitMessage => {
    const unwanted = chance() < 0.4
    const odds = unwanted ? [0.3, 0.5, 0.1, 0.02, 0.2, 0.3] : [0.01, 0.1, 0.002, 0.3, 0.2, 0.005]
    return { unwanted, hits: odds.flatMap((share, number) => (chance() < share ? [number] : [])), classifier: unwanted ? 6 * chance() : -4 * chance(), html: chance() < 0.5 }
  })
  return { rules, messages }
}

test('a rule without evidence keeps what its author gave it, and so does one that is not to be fitted', () => {
  const messages = [...mail(50, false), ...mail(50, true, { hits: [1, 2] })]
  const scores = fitScores([rule(1.3), rule(1000), rule(2, true), rule(0)], messages, PLAN)
  assert.deepEqual([...scores], [1.3, 1000, 2, 0])
})

test('evidence moves a score, more of it farther, and a tight spread less', () => {
  const fitted = (unwanted: number, plan = PLAN): number => {
    const messages = [...mail(500, false), ...mail(500 - unwanted, true), ...mail(unwanted, true, { hits: [0] })]
    return fitScores([rule(1.5)], messages, plan)[0] ?? 0
  }
  assert.ok(fitted(1) > 1.5 && fitted(1) < fitted(5))
  assert.ok(fitted(5) < fitted(50))
  assert.ok(fitted(5, { ...PLAN, spread: 0.1 }) < fitted(5))
  assert.ok(fitted(500) > fitted(50) && fitted(500) <= 3, 'twice its prior is the most')
})

test('what hits wanted mail goes down, and never changes its sign', () => {
  const messages = [...mail(300, false), ...mail(200, false, { hits: [0], classifier: 3 }), ...mail(450, true), ...mail(50, true, { hits: [0] }), ...mail(100, true, { hits: [1] })]
  const [first = 1, second = 1] = fitScores([rule(1.5), rule(-1)], messages, PLAN)
  assert.ok(first >= 0 && first < 0.05)
  assert.ok(second <= 0 && second > -0.05)
})

test('bounds: by sign, by factor, by the most that one rule may have', () => {
  const all = { wanted: 1000, unwanted: 500 }
  const clean = { wanted: 0, unwanted: 90 }
  const far = (prior: number, hit: Counts): number => Math.max(...Object.values(boundsOf(rule(prior), hit, all)).map(Math.abs))
  const near = (prior: number, hit: Counts): number => Math.min(...Object.values(boundsOf(rule(prior), hit, all)).map(Math.abs))
  // Room above: the more of the right mail, the more of it; twice the prior and 3.5 are the most.
  assert.deepEqual([0, 10, 90].map((unwanted) => far(1, { wanted: 0, unwanted })), [1, 1.5, 1.9])
  assert.equal(far(3, clean), 3.5)
  assert.deepEqual(boundsOf(rule(-0.5), { wanted: 90, unwanted: 0 }, all), { least: -0.95, most: -0.5 })
  // Room below: the more of the wrong mail, the more of it; half stays where both are told apart clearly.
  assert.deepEqual([0, 1, 3].map((wanted) => near(1, { wanted, unwanted: 5 })), [1, 0.75, 0.5])
  assert.equal(near(1, { wanted: 9, unwanted: 100 }), 0.5)
  assert.equal(near(1, { wanted: 9, unwanted: 60 }), 0.25)
  // As often the wrong mail as the right: its prior's worth at most.
  assert.deepEqual(boundsOf(rule(1), { wanted: 57, unwanted: 10 }, all), { least: 0.05, most: 20 / 57 })
  assert.deepEqual(boundsOf(rule(-1), clean, all), { least: 0, most: 0 })
  assert.equal(far(1, { wanted: 4, unwanted: 0 }), 1)
  // Not to be fitted at all.
  assert.deepEqual(boundsOf(rule(3.6), clean, all), { least: 3.6, most: 3.6 })
  assert.deepEqual(boundsOf(rule(2, true), clean, all), { least: 2, most: 2 })
})

test('no other scores within the bounds cost less', () => {
  const some = someMail()
  const fitted = fitScores(some.rules, some.messages, PLAN)
  const best = costOf(fitted, some)
  const count = (list: readonly FitMessage[]): Counts => ({ wanted: list.filter(({ unwanted }) => !unwanted).length, unwanted: list.filter(({ unwanted }) => unwanted).length })
  const bounds = some.rules.map((one, number) => boundsOf(one, count(some.messages.filter(({ hits }) => hits.includes(number))), count(some.messages)))
  for (let at = 0; at < fitted.length; at++) {
    for (const step of [-0.3, -0.02, 0.02, 0.3]) {
      const other = Float64Array.from(fitted)
      const moved = (fitted[at] ?? 0) + step
      const { least, most } = bounds[at] ?? { least: 0, most: 0 }
      if (moved < least || moved > most) continue
      other[at] = moved
      assert.ok(costOf(other, some) >= best - 1e-6, `rule ${at} by ${step}`)
    }
  }
  assert.ok(best < costOf(some.rules.map(({ prior }) => prior), some))
  assert.deepEqual(fitScores(some.rules, some.messages, PLAN), fitted)
})

test('rules that say the same share what is to be said', () => {
  const messages = [...mail(400, false), ...mail(8, false, { hits: [0, 1] }), ...mail(10, true, { hits: [0, 1] }), ...mail(200, true)]
  const [first = 0, second = 0] = fitScores([rule(1.5), rule(1.5)], messages, PLAN)
  const [alone = 0] = fitScores([rule(1.5)], messages.map((message) => ({ ...message, hits: message.hits.slice(0, 1) })), PLAN)
  assert.ok(Math.abs(first - second) < 0.01)
  assert.ok(first < alone)
})

test('classes weigh the same, and HTML as much as plain text where there is some of both', () => {
  const messages = [...mail(300, false), ...mail(100, false, { html: true }), ...mail(200, true)]
  const weights = weightsOf(messages, 4)
  const sum = (from: number, to: number): number => Math.round(weights.slice(from, to).reduce((all, one) => all + one, 0))
  assert.deepEqual([sum(0, 300), sum(300, 400), sum(400, 600)], [600, 600, 300])
  // A few messages do not stand for half of all mail.
  const few = weightsOf([...mail(300, false), ...mail(10, false, { html: true }), ...mail(200, true)], 1)
  assert.equal(few[0], few[305])
})

test('scores are written in hundredths; next to nothing is nothing', () => {
  assert.deepEqual([1.23456, 0.049, -0.02, 0.05, -2.5].map(written), [1.23, 0, 0, 0.05, -2.5])
  assert.ok(Object.is(written(-0.001), 0))
})
