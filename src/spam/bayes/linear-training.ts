/**
 * Makes the linear model out of messages that were learnt: a support vector
 * machine (L2-regularized, squared hinge) by dual coordinate descent (Hsieh et
 * al., 2008) over binary vectors, each token weighted by the logarithm of how
 * unevenly it is spread (Wang and Manning, 2012). Both classes weigh the same,
 * however many messages they have. Tokens of one message only teach nothing.
 *
 * And finds where wanted mail ends: the messages are judged in four parts, each
 * by what the other three teach, and the upper end of what wanted ones have is
 * carried on to one in two thousand, as if it fell off like an exponential. Those
 * that are where spam is are left out: they are mistakes, if they are few. Where
 * few wanted messages were learnt, much that others say is new, and they lie nearer
 * to the spam: then the limit may be as high as the middle of the spam is.
 *
 * A generator, which yields after each message that it looked at: whoever runs it
 * lets others have their turns. The same messages in the same order make the same
 * model. Bounded by what it is given: about 4 bytes for each token of each
 * message, and 60 for each distinct one. Never throws.
 */
import { MOST_LIMIT } from './classifier.ts'
import { estimate, isTelling, probabilityOf } from './combine.ts'
import { evidenceOf } from './evidence.ts'
import { fewnessOf, type Lessons } from './lessons.ts'
import { MAX_IMPORTANCE, packWeights, type LinearModel } from './linear-model.ts'
import { randomSeed } from './scatter.ts'
import type { KeptMessage } from './store.ts'
import { Vocabulary } from './vocabulary.ts'

export type Training =
  | { readonly status: 'trained'; readonly lessons: Lessons; readonly model: LinearModel }
  /** one of the classes has no messages */
  | { readonly status: 'nothing'; readonly lessons: Lessons }

/** Steps of some microseconds up to a millisecond or so. */
type Steps<T> = Generator<undefined, T>

/** Of errors against the length of the weights; a hundred times as much does about as well. */
const COST = 10
/** Beyond them nothing changes that is seen. */
const ROUNDS = 5
const SMOOTHING = 0.5
const MIN_COUNT = 2
/** in the model: 2.7 MB */
export const MAX_WEIGHTS = 500_000

/** of tokens, of which each takes some ten nanoseconds */
const AT_ONCE = 16_384

const PARTS = 4
/** of either class; of fewer the upper end is not seen */
const MIN_FOR_LIMIT = 40
/** of wanted messages: where their upper end begins */
const UPPER_END = 0.05
const LIMIT_SHARE = 1 / 2000
/** Evidence of wanted messages that are mistakes most probably, and the most of all that are left out for it. */
const DOUBTFUL = 1.5
const MOST_DOUBTFUL = 0.02
/** of the middle of the unwanted ones: where the limit of few wanted messages is at least */
const LEAST_OF_FEW = 0.9

/** Messages as numbers of tokens: those of message m from starts[m] to before starts[m + 1]. */
interface Collection {
  readonly starts: Int32Array
  readonly ids: Int32Array
  /** −1 ham, 1 spam */
  readonly labels: Int8Array
  /** by number */
  readonly tokens: Uint32Array
}

interface Counts {
  readonly ham: Float64Array
  readonly spam: Float64Array
  readonly hams: number
  readonly spams: number
}

interface Solution {
  readonly importance: Float32Array
  readonly weights: Float64Array
  readonly bias: number
}

/** @param seed of the tables, in which tokens lie as it says; the model is the same by each */
export function* trainLinear(messages: readonly KeptMessage[], seed = randomSeed()): Steps<Training> {
  const collection = yield* collect(messages, seed)
  const all = members(collection, () => true)
  const counts = yield* count(collection, all)
  const lessons: Lessons = { hams: counts.hams, spams: counts.spams }
  if (counts.hams === 0 || counts.spams === 0) return { status: 'nothing', lessons }
  const limit = yield* upperEnd(collection, counts)
  const { importance, weights, bias } = yield* solve(collection, { counts, members: all })
  return { status: 'trained', lessons, model: { ...packWeights({ tokens: collection.tokens, importance, weights, seed }), bias, ...limit } }
}

function* collect(messages: readonly KeptMessage[], seed: number): Steps<Collection> {
  const vocabulary = new Vocabulary(seed)
  let total = 0
  for (const { singles } of messages) {
    yield* vocabulary.reserve(singles.length)
    for (const token of singles) vocabulary.add(token)
    total += singles.length
    yield
  }
  const numbers = yield* renumber(vocabulary)
  const starts = new Int32Array(messages.length + 1)
  const ids = new Int32Array(total)
  let at = 0
  for (const [index, { singles }] of messages.entries()) {
    for (const token of singles) {
      const number = vocabulary.numberOf(token)
      const id = number < 0 ? -1 : numbers.ids[number] ?? -1
      if (id >= 0) ids[at++] = id
    }
    starts[index + 1] = at
    yield
  }
  return { starts, ids: ids.slice(0, at), labels: Int8Array.from(messages, (message) => (message.class === 'spam' ? 1 : -1)), tokens: numbers.tokens }
}

/** Of tokens that are in several messages; where they are too many, in more. */
function* renumber({ tokens, counts, size }: Vocabulary): Steps<{ readonly ids: Int32Array; readonly tokens: Uint32Array }> {
  // How many tokens are in so many messages; in more than there are places here: in the last.
  const spread = new Uint32Array(MAX_WEIGHTS)
  yield* each(size, (number) => {
    const place = Math.min(counts[number] ?? 0, spread.length - 1)
    spread[place] = (spread[place] ?? 0) + 1
  })
  let least = MIN_COUNT
  let held = spread.subarray(least).reduce((sum, one) => sum + one, 0)
  while (held > MAX_WEIGHTS) held -= spread[least++] ?? 0
  const ids = new Int32Array(size).fill(-1)
  const kept = new Uint32Array(held)
  let next = 0
  yield* each(size, (number) => {
    if ((counts[number] ?? 0) < least) return
    kept[next] = tokens[number] ?? 0
    ids[number] = next++
  })
  return { ids, tokens: kept }
}

/** Something quick for each number below `end`, in steps. */
function* each(end: number, work: (number: number) => void): Steps<void> {
  for (let from = 0; from < end; from += AT_ONCE) {
    for (let number = from; number < Math.min(end, from + AT_ONCE); number++) work(number)
    yield
  }
}

function members({ labels }: Collection, wanted: (index: number) => boolean): Int32Array {
  return Int32Array.from(labels.keys()).filter(wanted)
}

function* count({ starts, ids, labels, tokens }: Collection, of: Int32Array): Steps<Counts> {
  const ham = new Float64Array(tokens.length)
  const spam = new Float64Array(tokens.length)
  let spams = 0
  for (const index of of) {
    const isSpam = labels[index] === 1
    if (isSpam) spams++
    const own = isSpam ? spam : ham
    for (let at = starts[index] ?? 0; at < (starts[index + 1] ?? 0); at++) {
      const id = ids[at] ?? 0
      own[id] = (own[id] ?? 0) + 1
    }
    yield
  }
  return { ham, spam, hams: of.length - spams, spams }
}

/** What is left when those of a part are taken out. */
function* without(all: Counts, part: Counts): Steps<Counts> {
  const ham = new Float64Array(all.ham.length)
  const spam = new Float64Array(all.ham.length)
  yield* each(ham.length, (id) => {
    ham[id] = (all.ham[id] ?? 0) - (part.ham[id] ?? 0)
    spam[id] = (all.spam[id] ?? 0) - (part.spam[id] ?? 0)
  })
  return { ham, spam, hams: all.hams - part.hams, spams: all.spams - part.spams }
}

function* importanceOf({ ham, spam, hams, spams }: Counts): Steps<Float32Array> {
  const lean = Math.log((spams + 2 * SMOOTHING) / (hams + 2 * SMOOTHING))
  const importance = new Float32Array(ham.length)
  yield* each(ham.length, (id) => {
    const [inHam, inSpam] = [ham[id] ?? 0, spam[id] ?? 0]
    if (inHam + inSpam > 0) importance[id] = Math.min(MAX_IMPORTANCE, Math.abs(Math.log((inSpam + SMOOTHING) / (inHam + SMOOTHING)) - lean))
  })
  return importance
}

function* solve(collection: Collection, { counts, members: of }: { readonly counts: Counts; readonly members: Int32Array }): Steps<Solution> {
  const { starts, ids, labels } = collection
  const importance = yield* importanceOf(counts)
  const squares = importance.map((value) => value * value)
  const weights = new Float64Array(importance.length)
  const lengths = Float64Array.from(of, (index) => inverseLength(collection, squares, index))
  const alphas = new Float64Array(of.length)
  const order = Int32Array.from(of.keys())
  const ballast = { ham: counts.hams / (of.length * COST), spam: counts.spams / (of.length * COST) }
  let bias = 0
  let state = 1
  for (let round = 0; round < ROUNDS; round++) {
    state = shuffle(order, state)
    for (const place of order) {
      yield
      const index = of[place] ?? 0
      const label = labels[index] ?? 0
      const length = lengths[place] ?? 0
      const start = starts[index] ?? 0
      const end = starts[index + 1] ?? 0
      let sum = 0
      for (let at = start; at < end; at++) sum += weights[ids[at] ?? 0] ?? 0
      const own = label > 0 ? ballast.spam : ballast.ham
      const alpha = alphas[place] ?? 0
      const slope = label * (sum * length + bias) - 1 + own * alpha
      const next = Math.max(0, alpha - slope / ((length > 0 ? 1 : 0) + 1 + own))
      if (next === alpha) continue
      alphas[place] = next
      const step = (next - alpha) * label
      bias += step
      for (let at = start; at < end; at++) {
        const id = ids[at] ?? 0
        weights[id] = (weights[id] ?? 0) + step * length * (squares[id] ?? 0)
      }
    }
  }
  return { importance, weights, bias }
}

/** 0 for a message without a token that counts. */
function inverseLength({ starts, ids }: Collection, squares: Float32Array, index: number): number {
  let sum = 0
  for (let at = starts[index] ?? 0; at < (starts[index + 1] ?? 0); at++) sum += squares[ids[at] ?? 0] ?? 0
  return sum === 0 ? 0 : 1 / Math.sqrt(sum)
}

/** In place; the same each time. */
function shuffle(order: Int32Array, seed: number): number {
  let state = seed
  for (let at = order.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const other = Math.floor((state / 2 ** 32) * (at + 1))
    const held = order[at] ?? 0
    order[at] = order[other] ?? 0
    order[other] = held
  }
  return state
}

export type UpperEnd = Required<Pick<LinearModel, 'wantedLimit' | 'doubtful'>>
type Bounded = UpperEnd & Required<Pick<LinearModel, 'mostLimit'>>

function* upperEnd(collection: Collection, all: Counts): Steps<Bounded> {
  if (Math.min(all.hams, all.spams) < MIN_FOR_LIMIT) return { wantedLimit: undefined, doubtful: 0, mostLimit: MOST_LIMIT }
  const wanted: number[] = []
  const unwanted: number[] = []
  for (let part = 0; part < PARTS; part++) {
    const judged = members(collection, (index) => index % PARTS === part)
    const counts = yield* without(all, yield* count(collection, judged))
    const solution = yield* solve(collection, { counts, members: members(collection, (index) => index % PARTS !== part) })
    const logs = yield* logarithms(counts)
    for (const index of judged) {
      const found = collection.labels[index] === -1 ? wanted : unwanted
      found.push(evidence(collection, { solution, logs }, index))
      yield
    }
  }
  return bounded(limitOf(Float64Array.from(wanted).sort()), { hams: all.hams, spams: all.spams, unwanted: Float64Array.from(unwanted).sort() })
}

interface Learnt extends Lessons {
  /** evidence of unwanted messages, from the lowest */
  readonly unwanted: Float64Array
}

/** The fewer wanted messages there are, the more their limit goes by where the unwanted ones are. */
export function bounded({ wantedLimit, doubtful }: UpperEnd, { unwanted, ...lessons }: Learnt): Bounded {
  const fewness = fewnessOf(lessons)
  const middle = unwanted[unwanted.length >> 1] ?? 0
  const least = fewness * LEAST_OF_FEW * middle
  return { wantedLimit: wantedLimit === undefined ? undefined : Math.max(least, wantedLimit), mostLimit: MOST_LIMIT + fewness * Math.max(0, middle - MOST_LIMIT), doubtful }
}

/** As Fisher's method has them, of single tokens: −ln(1 − f) and −ln f. */
interface Logarithms {
  readonly ham: Float32Array
  readonly spam: Float32Array
}

function* logarithms({ ham, spam, hams, spams }: Counts): Steps<Logarithms> {
  const logs = { ham: new Float32Array(ham.length), spam: new Float32Array(ham.length) }
  yield* each(ham.length, (id) => {
    const [inHam, inSpam] = [ham[id] ?? 0, spam[id] ?? 0]
    if (inHam + inSpam === 0) return
    const value = estimate({ inHam: inHam / Math.max(1, hams), inSpam: inSpam / Math.max(1, spams), messages: inHam + inSpam })
    if (!isTelling(value)) return
    logs.ham[id] = -Math.log(1 - value)
    logs.spam[id] = -Math.log(value)
  })
  return logs
}

function evidence({ starts, ids }: Collection, { solution, logs }: { readonly solution: Solution; readonly logs: Logarithms }, index: number): number {
  const { importance, weights, bias } = solution
  let sum = 0
  let squares = 0
  let forHam = 0
  let forSpam = 0
  let telling = 0
  for (let at = starts[index] ?? 0; at < (starts[index + 1] ?? 0); at++) {
    const id = ids[at] ?? 0
    sum += weights[id] ?? 0
    squares += (importance[id] ?? 0) ** 2
    const log = logs.ham[id] ?? 0
    if (log === 0) continue
    forHam += log
    forSpam += logs.spam[id] ?? 0
    telling++
  }
  return evidenceOf(squares === 0 ? 0 : sum / Math.sqrt(squares) + bias, probabilityOf({ forHam, forSpam, weights: telling }))
}

/**
 * What was learnt by mistake would carry the limit to where the spam is.
 *
 * @param sorted from the lowest
 */
export function limitOf(sorted: Float64Array): UpperEnd {
  const from = sorted.findIndex((value) => value >= DOUBTFUL)
  const doubtful = from < 0 ? 0 : sorted.length - from
  const out = Math.min(doubtful, Math.floor(sorted.length * MOST_DOUBTFUL))
  return { wantedLimit: upperLimit(sorted.subarray(0, sorted.length - out)), doubtful }
}

/**
 * Of few messages the upper end is known badly: the limit is higher by about what
 * it may be wrong.
 *
 * @param sorted from the lowest
 */
function upperLimit(sorted: Float64Array): number {
  const upper = Math.max(1, Math.ceil(sorted.length * UPPER_END))
  const from = sorted.length - upper
  const begin = sorted[Math.max(0, from - 1)] ?? 0
  let excess = 0
  for (let at = from; at < sorted.length; at++) excess += (sorted[at] ?? 0) - begin
  const beyond = (excess / upper) * Math.log(upper / sorted.length / LIMIT_SHARE)
  return begin + beyond * (1 + 1 / Math.sqrt(upper))
}
