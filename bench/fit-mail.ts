/**
 * The mail that `bench/fit-rules.ts` fits to: which rules hit each message, and
 * what the classifier gives it when it was taught by others.
 *
 * Rules are asked at their authors' scores, so that one that was fitted to 0
 * has its chance again. Of connection and authentication old mail tells
 * nothing; rules that ask for it hit nothing here and keep their priors.
 */
import { MimeReader } from '../src/mime/reader.ts'
import { readContent } from '../src/spam/content/read-content.ts'
import type { ScoringFacts } from '../src/spam/facts.ts'
import { loadRules, type RuleFile } from '../src/spam/rules/load.ts'
import { readRuleFile } from '../src/spam/rules/read-file.ts'
import { isPart } from '../src/spam/rules/rule.ts'
import type { CorpusMessage } from './accuracy-corpus.ts'
import { classifierPoints, readCollection, type Collection, type Judged } from './accuracy-judges.ts'
import type { FitMessage, FitRule } from './fit-scores.ts'

export interface MailRule extends FitRule {
  readonly id: string
  /** its file */
  readonly source: string
  /** that stands there now */
  readonly score: number
}

export interface Mail {
  readonly rules: readonly MailRule[]
  /** in the order of their receipt */
  readonly messages: readonly CorpusMessage[]
  /** of each message, numbers of rules */
  readonly hits: readonly (readonly number[])[]
  readonly html: readonly boolean[]
  readonly collection: Collection
}

/** One message with the points it has from others. */
export interface Tested {
  /** its number in the mail */
  readonly at: number
  readonly classifier: number
}

export interface Split {
  readonly name: 'time' | 'folds' | 'few'
  readonly training: readonly Tested[]
  readonly tested: readonly Tested[]
}

const NO_FACTS: ScoringFacts = { words: () => undefined, number: () => undefined }

/** @param fitted whether rules of this file are to be fitted; others keep the score they have */
export async function readMail(files: readonly RuleFile[], messages: readonly CorpusMessage[], fitted: (source: string) => boolean): Promise<Mail> {
  const located = new Map(files.flatMap(({ source, text }) => readRuleFile(text, source, false).rules).map((one) => [one.rule.id, one]))
  const rules = Array.from(located.values()).flatMap(({ rule: { id, score = 0 }, prior, source }): MailRule[] => {
    if (isPart(id)) return []
    const fixed = !fitted(source)
    return [{ id, source, score, prior: fixed ? score : prior ?? score, fixed }]
  })
  const { rules: set, problems } = loadRules({ files, scores: new Map(rules.map(({ id, prior }) => [id, prior])) })
  const [problem] = problems
  if (problem !== undefined) throw new Error(`${problem.source}:${problem.line ?? ''}: ${problem.problem}; rules must be right before they are fitted`)
  const numbers = new Map(rules.map(({ id }, number) => [id, number]))
  const seen = messages.map(({ bytes }) => {
    const reader = new MimeReader()
    reader.write(bytes)
    const content = readContent(reader.end())
    return { hits: set.evaluate(content, NO_FACTS).hits.flatMap(({ id }) => numbers.get(id) ?? []), html: content.html !== undefined }
  })
  return { rules, messages, hits: seen.map(({ hits }) => hits), html: seen.map(({ html }) => html), collection: await readCollection(messages) }
}

export function fitMessage({ messages, hits, html }: Mail, { at, classifier }: Tested): FitMessage {
  return { unwanted: messages[at]?.class === 'spam', hits: hits[at] ?? [], html: html[at] ?? false, classifier }
}

/** The number of a fold for each; the same in each run. */
export function shuffledFolds(count: number, folds: number, seed: number): number[] {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * folds)
  })
}

const INNER_FOLDS = 5
const OUTER_SEED = 20_260_101
const INNER_SEED = 77

/** Points of a classifier that knew the others of these, but none of its own fold. */
export function outOfFold({ collection }: Mail, numbers: readonly number[]): Tested[] {
  const folds = shuffledFolds(numbers.length, INNER_FOLDS, INNER_SEED)
  const found = Array.from({ length: INNER_FOLDS }, (_, fold) => {
    const inside = numbers.filter((_, index) => folds[index] === fold)
    return taught(collection, numbers.filter((_, index) => folds[index] !== fold), inside)
  })
  return found.flat().sort((one, other) => one.at - other.at)
}

function taught(collection: Collection, by: readonly number[], tested: readonly number[]): Tested[] {
  const judged = (numbers: readonly number[]): Judged[] => numbers.flatMap((at) => collection.judged[at] ?? [])
  const points = classifierPoints(collection, judged(by), judged(tested))
  return tested.map((at, index) => ({ at, classifier: points[index] ?? 0 }))
}

/** The older half against the newer, and each fold against the others; neither scores nor classifier see what they are tested with. */
export function splitsOf(mail: Mail, folds: number): Split[] {
  const all = mail.messages.map((_, at) => at)
  const half = all.length >> 1
  const fold = shuffledFolds(all.length, folds, OUTER_SEED)
  return [
    splitOf(mail, 'time', { training: all.slice(0, half), tested: all.slice(half) }),
    ...Array.from({ length: folds }, (_, one) => splitOf(mail, 'folds', { training: all.filter((at) => fold[at] !== one), tested: all.filter((at) => fold[at] === one) })),
  ]
}

function splitOf(mail: Mail, name: Split['name'], { training, tested }: { readonly training: readonly number[]; readonly tested: readonly number[] }): Split {
  return { name, training: outOfFold(mail, training), tested: taught(mail.collection, training, tested) }
}

/** So many of each class, drawn several times; all others are judged by what they teach. */
export function fewSplits(mail: Mail, { ham, spam, draws }: { readonly ham: number; readonly spam: number; readonly draws: number }): Split[] {
  const all = mail.messages.map((_, at) => at)
  return Array.from({ length: draws }, (_, draw) => {
    const drawn = new Set(([['ham', ham], ['spam', spam]] as const).flatMap(([one, count]) => {
      const own = all.filter((at) => mail.messages[at]?.class === one)
      const order = shuffledFolds(own.length, 2 ** 30, OUTER_SEED + draw)
      return [...own.keys()].sort((first, second) => (order[first] ?? 0) - (order[second] ?? 0)).slice(0, count).flatMap((place) => own[place] ?? [])
    }))
    return splitOf(mail, 'few', { training: all.filter((at) => drawn.has(at)), tested: all.filter((at) => !drawn.has(at)) })
  })
}
