/**
 * Fits the scores of rules to mail whose class is known: a logistic regression
 * with the author's scores as its prior, and with what a threshold asks of it.
 *
 * A message costs softplus(s − `calm`) where it is wanted and softplus(`clear` −
 * s) where it is not; s is its sum of points. It costs so twice: by the rules
 * alone, which is all that a new site has, and by rules and classifier together.
 * Classes weigh the same however many messages they have, and so do, within
 * each, messages with HTML and without: old collections are full of lists in
 * plain text, today's mail is not. On top, wanted mail counts `wantedCost` times.
 *
 * A rule's score costs ½ ((score − prior) / (`spread` · prior))², so that one
 * without evidence stays where its author put it, and evidence must be the
 * stronger the farther it moves. Bounds are hard: no score changes its sign or
 * exceeds `MOST_POINTS` or `MOST_FACTOR` times its prior: one collection is no
 * reason to trust a rule with far more than a person did who knows today's mail.
 *
 * The whole is convex. One score after the other takes a Newton step; within a
 * step of δ the curvature of a logistic loss grows by e^δ at most, so with that
 * much on top no step overshoots. Deterministic; nothing is drawn.
 */

export interface FitMessage {
  readonly unwanted: boolean
  /** numbers of rules */
  readonly hits: readonly number[]
  /** points of a classifier that was not taught with this message */
  readonly classifier: number
  readonly html: boolean
}

export interface FitRule {
  readonly prior: number
  /** true: it keeps its prior */
  readonly fixed: boolean
}

export interface FitPlan {
  /** how far scores may go from their priors, as a share of them: the less, the more a prior counts */
  readonly spread: number
  /** 0 to 1: how much rules alone count beside rules and classifier */
  readonly aloneShare: number
  readonly wantedCost: number
  /** points that wanted mail should stay below */
  readonly calm: number
  /** points that unwanted mail should reach */
  readonly clear: number
}

export const MOST_POINTS = 3.5
export const MOST_FACTOR = 2
/** A prior near 0 is no surer than this one. */
const LEAST_PRIOR = 0.5

/** messages that it takes to say that a rule hits the wrong ones */
export const ENOUGH = 5
/** messages that give a rule half of the room that it may have above its prior */
const MUCH = 10
/** so many times oftener the right mail: a rule that tells clearly */
const CLEAR = 20
const LEAST_FACTOR = 0.5
/** messages of the wrong mail that let a rule fall to half of its prior */
const FEW = 3
/** messages with HTML, or without */
const FEWEST = 50
const MAX_STEP = 0.5
const GROWTH = Math.exp(MAX_STEP)
const CONVERGED = 1e-4
const MAX_ROUNDS = 500

export interface Bounds {
  readonly least: number
  readonly most: number
}

export interface Counts {
  readonly wanted: number
  readonly unwanted: number
}

/**
 * A rule that hits little of the right mail has little room above its prior, and
 * one that hits little of the wrong mail little room below: a single wanted
 * message that breaks many rules shall not cost them all. One that tells both
 * apart clearly keeps half. One that hits the wrong mail as often as the right
 * has its prior's worth at most, and the less the oftener it does.
 *
 * @param hit messages that the rule hits; `all` that there are
 */
export function boundsOf({ prior, fixed }: FitRule, hit: Counts, all: Counts): Bounds {
  if (fixed || prior === 0 || Math.abs(prior) > MOST_POINTS) return { least: prior, most: prior }
  const right = prior > 0 ? 'unwanted' : 'wanted'
  const wrong = prior > 0 ? 'wanted' : 'unwanted'
  const [rightShare, wrongShare] = [hit[right] / all[right], hit[wrong] / all[wrong]]
  const doubtful = hit.wanted + hit.unwanted >= ENOUGH && wrongShare >= rightShare
  const factor = doubtful ? rightShare / wrongShare : 1 + (MOST_FACTOR - 1) * (hit[right] / (hit[right] + MUCH))
  const far = Math.min(MOST_POINTS, factor * Math.abs(prior))
  const clear = hit[right] >= MUCH && rightShare >= CLEAR * ((hit[wrong] + 1) / all[wrong])
  const kept = FEW / (FEW + hit[wrong])
  const near = Math.min(far, Math.abs(prior) * (clear ? Math.max(LEAST_FACTOR, kept) : kept))
  return prior > 0 ? { least: near, most: far } : { least: 0 - far, most: 0 - near }
}

/** A score for each rule. */
export function fitScores(rules: readonly FitRule[], messages: readonly FitMessage[], plan: FitPlan): Float64Array {
  const fit = new Fit(rules, messages, plan)
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (fit.round() < CONVERGED) break
  }
  return fit.scores
}

/** What the scores cost the messages, without the price of leaving priors. */
export function lossOf(scores: ArrayLike<number>, messages: readonly FitMessage[], plan: FitPlan): number {
  const weights = weightsOf(messages, plan.wantedCost)
  let loss = 0
  messages.forEach((message, at) => {
    let sum = 0
    for (const rule of message.hits) sum += scores[rule] ?? 0
    const { aloneShare } = plan
    loss += (weights[at] ?? 0) * (aloneShare * softplus(beyond(message.unwanted, sum, plan)) + (1 - aloneShare) * softplus(beyond(message.unwanted, sum + message.classifier, plan)))
  })
  return loss
}

/** Of each message: 1 on the average, but for `wantedCost`. */
export function weightsOf(messages: readonly Pick<FitMessage, 'unwanted' | 'html'>[], wantedCost: number): Float64Array {
  const cell = ({ unwanted, html }: Pick<FitMessage, 'unwanted' | 'html'>): number => (unwanted ? 2 : 0) + (html ? 1 : 0)
  const counts = [0, 0, 0, 0]
  for (const message of messages) counts[cell(message)] = (counts[cell(message)] ?? 0) + 1
  // A handful of messages does not stand for half of all mail.
  const shares = [[0, 1], [2, 3]].flatMap(([plain = 0, html = 0]) => {
    const [some = 0, others = 0] = [counts[plain], counts[html]]
    if (Math.min(some, others) >= FEWEST) return [1 / (4 * some), 1 / (4 * others)]
    return [1 / (2 * (some + others)), 1 / (2 * (some + others))]
  })
  return Float64Array.from(messages, (message) => messages.length * (shares[cell(message)] ?? 0) * (message.unwanted ? 1 : wantedCost))
}

function beyond(unwanted: boolean, sum: number, { calm, clear }: FitPlan): number {
  return unwanted ? clear - sum : sum - calm
}

function softplus(x: number): number {
  return x > 30 ? x : Math.log1p(Math.exp(x))
}

class Fit {
  readonly scores: Float64Array
  readonly #rules: readonly FitRule[]
  readonly #plan: FitPlan
  readonly #messages: readonly FitMessage[]
  readonly #weights: Float64Array
  /** points of the rules, of each message */
  readonly #sums: Float64Array
  /** numbers of messages, of each rule */
  readonly #hitBy: readonly Int32Array[]
  readonly #bounds: readonly Bounds[]

  constructor(rules: readonly FitRule[], messages: readonly FitMessage[], plan: FitPlan) {
    this.#rules = rules
    this.#plan = plan
    this.#messages = messages
    this.#weights = weightsOf(messages, plan.wantedCost)
    const hitBy: number[][] = rules.map(() => [])
    messages.forEach(({ hits }, at) => hits.forEach((rule) => hitBy[rule]?.push(at)))
    this.#hitBy = hitBy.map((list) => Int32Array.from(list))
    const count = (some: readonly FitMessage[]): Counts => {
      const unwanted = some.filter((message) => message.unwanted).length
      return { wanted: some.length - unwanted, unwanted }
    }
    const all = count(messages)
    this.#bounds = rules.map((rule, number) => boundsOf(rule, count(hitBy[number]?.flatMap((at) => messages[at] ?? []) ?? []), all))
    this.scores = Float64Array.from(rules, ({ prior }, number) => Math.max(this.#bounds[number]?.least ?? prior, Math.min(this.#bounds[number]?.most ?? prior, prior)))
    this.#sums = Float64Array.from(messages, ({ hits }) => hits.reduce((sum, rule) => sum + (this.scores[rule] ?? 0), 0))
  }

  /** Each score once. @returns the farthest step */
  round(): number {
    let farthest = 0
    this.#rules.forEach((rule, number) => {
      const { least, most } = this.#bounds[number] ?? { least: rule.prior, most: rule.prior }
      if (least === most || (this.#hitBy[number]?.length ?? 0) === 0) return
      const before = this.scores[number] ?? 0
      const step = Math.max(-MAX_STEP, Math.min(MAX_STEP, this.#step(rule, number)))
      const after = Math.max(least, Math.min(most, before + step))
      this.scores[number] = after
      for (const at of this.#hitBy[number] ?? []) this.#sums[at] = (this.#sums[at] ?? 0) + after - before
      farthest = Math.max(farthest, Math.abs(after - before))
    })
    return farthest
  }

  #step({ prior }: FitRule, number: number): number {
    const stiffness = 1 / (this.#plan.spread * Math.max(Math.abs(prior), LEAST_PRIOR)) ** 2
    let slope = ((this.scores[number] ?? 0) - prior) * stiffness
    let curve = 0
    for (const at of this.#hitBy[number] ?? []) {
      const message = this.#messages[at]
      if (message === undefined) continue
      const { aloneShare } = this.#plan
      const weight = this.#weights[at] ?? 0
      const sum = this.#sums[at] ?? 0
      const alone = sigmoid(beyond(message.unwanted, sum, this.#plan))
      const both = sigmoid(beyond(message.unwanted, sum + message.classifier, this.#plan))
      slope += (message.unwanted ? -weight : weight) * (aloneShare * alone + (1 - aloneShare) * both)
      curve += weight * (aloneShare * alone * (1 - alone) + (1 - aloneShare) * both * (1 - both))
    }
    return -slope / (curve * GROWTH + stiffness)
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

/** As it stands in a file: hundredths; what is nearly nothing is nothing, and switches the rule off. */
export function written(score: number): number {
  const rounded = Math.round(score * 100) / 100
  return Math.abs(score) < 0.05 ? 0 : rounded
}
