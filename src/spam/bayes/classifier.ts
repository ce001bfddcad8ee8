/**
 * The word of the classifier on a message: a probability that it is unwanted,
 * and points for the score. It has none before it knows `MIN_MESSAGES` of each
 * class, or as many as the configuration says: what is common in few messages
 * is chance.
 *
 * Two opinions are added up, Fisher's method (combine.ts) and a linear model
 * (linear-model.ts). What their sum means hangs on the mail of the site: the
 * model says where about one wanted message in two thousand would be, within
 * bounds: neither few messages nor spam among the wanted ones silence it. There are
 * `LIMIT_POINTS`, which is the tag threshold. Just below it points fall steeply:
 * there is wanted mail that looks like an offer, and a rule or two shall not
 * carry it over. No evidence is no points. Certainty that mail is wanted
 * (−`HAM_POINTS`) outweighs a few rules, but not a message that breaks many of
 * them: words are easily borrowed. Points are the logarithm of the odds, and the
 * probability is made of them. Few lessons have fewer points (lessons.ts).
 *
 * Never throws.
 */
import { combine, Estimates, tellingTokens, type TellingToken, type Trained as Counted } from './combine.ts'
import { evidenceOf } from './evidence.ts'
import { trustIn, type Lessons } from './lessons.ts'
import { marginOf, type LinearModel } from './linear-model.ts'
import type { TokenSet } from './token-set.ts'

export const MIN_MESSAGES = 200
export const SPAM_POINTS = 6.5
export const HAM_POINTS = 2.5
export const LIMIT_POINTS = 5
/** points for each one of evidence above the limit, and for what speaks for wanted mail */
const STEEP = 5
const FLAT = 2.5
/** What is so near to the limit is in doubt, and has these points. */
const DOUBT = 0.7
const DOUBT_POINTS = 1.5
/** Where a limit is not known. */
const USUAL_LIMIT = 1.8
/** Mail that comes tomorrow is less like what was learnt than that is like itself. */
const LEAST_LIMIT = 1.5
/** Most unwanted mail is above it. Where much wanted mail was learnt and seems to be so high, it is spam by mistake. */
export const MOST_LIMIT = 2
/** named in `scan` */
const MOST_TELLING = 30

export interface Trained extends Counted {
  /** that are still remembered; default: all that were ever taught */
  readonly lessons?: Lessons
  /** undefined: there is none, and Fisher's method speaks alone */
  readonly linear?: LinearModel | undefined
}

export type Classification =
  /** how many it remembers; both zero where there is no model */
  | { readonly status: 'untrained'; readonly ham: number; readonly spam: number; readonly points: 0 }
  | {
      readonly status: 'classified'
      /** that it is unwanted */
      readonly probability: number
      readonly points: number
      /** tokens that counted */
      readonly counted: number
      /** those that weighed most; [] unless the tokens have their names */
      readonly telling: readonly TellingToken[]
    }

const estimatesOf = new WeakMap<Counted, Estimates>()

/** @param minMessages of each class, before it has a say */
export function classify(tokens: TokenSet, trained: Trained | undefined, minMessages = MIN_MESSAGES): Classification {
  if (trained === undefined) return { status: 'untrained', ham: 0, spam: 0, points: 0 }
  const { linear } = trained
  const { hams, spams } = lessonsOf(trained)
  if (!isTrained(trained, minMessages)) return { status: 'untrained', ham: hams, spam: spams, points: 0 }
  let estimates = estimatesOf.get(trained)
  if (estimates === undefined) {
    estimates = new Estimates(trained)
    estimatesOf.set(trained, estimates)
  }
  const { probability: counted, telling } = combine(tokens, trained, estimates)
  const margin = linear === undefined ? 2 * counted - 1 : marginOf(tokens, linear)
  const odds = oddsOf(evidenceOf(margin, counted), linear)
  // Few lessons make no certainty that mail is unwanted. That they speak for a message does no harm.
  const trust = odds > 0 ? trustIn({ hams, spams }) : 1
  return {
    status: 'classified', probability: 1 / (1 + Math.exp(-trust * odds)), points: pointsOf(odds, trust), counted: telling,
    telling: tokens.names === undefined ? [] : tellingTokens(tokens, trained, MOST_TELLING),
  }
}

type Taught = Pick<Trained, 'ham' | 'spam' | 'lessons'>

/** Whether it has a say. What was learned long ago and is forgotten since says nothing of where wanted mail ends. */
export function isTrained(taught: Taught, minMessages = MIN_MESSAGES): boolean {
  const { hams, spams } = lessonsOf(taught)
  return Math.min(taught.ham, taught.spam) >= minMessages && Math.min(hams, spams) >= Math.min(minMessages, MIN_MESSAGES)
}

function lessonsOf({ ham, spam, lessons }: Taught): Lessons {
  return lessons ?? { hams: ham, spams: spam }
}

/** Of the linear model, where there is one and where it knows them. */
export type Limits = { readonly [name in 'wantedLimit' | 'mostLimit']?: number | undefined }

/** The logarithm of the odds that a message is unwanted. */
export function oddsOf(evidence: number, { wantedLimit = USUAL_LIMIT, mostLimit = MOST_LIMIT }: Limits = {}): number {
  const limit = Math.min(mostLimit, Math.max(LEAST_LIMIT, wantedLimit))
  const doubt = limit - DOUBT
  if (evidence < 0) return FLAT * evidence
  if (evidence < doubt) return DOUBT_POINTS * (evidence / doubt)
  if (evidence < limit) return DOUBT_POINTS + (LIMIT_POINTS - DOUBT_POINTS) * ((evidence - doubt) / DOUBT)
  return LIMIT_POINTS + STEEP * (evidence - limit)
}

/** @param trust in lessons, which takes from them */
export function pointsOf(odds: number, trust = 1): number {
  return Math.round(trust * Math.min(SPAM_POINTS, Math.max(-HAM_POINTS, odds)) * 100) / 100
}
