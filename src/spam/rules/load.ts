/**
 * Puts the rules of all files together to a set that can be asked.
 *
 * A rule that is wrong, refers to what is not there, or fails one of its
 * samples is not used, and is told with file and line; the others are. A rule
 * of the site takes the place of the shipped one with its id, even where it
 * cannot be used itself: the shipped one was not wanted. Pure; the files are
 * read by folders.ts.
 *
 * Samples are run once for the same files: `proof` of one load spares them
 * the next (in a worker), which then leaves out what failed, and tells it.
 */
import { createHash } from 'node:crypto'
import { suggestion } from '../../config/nearest.ts'
import { formatKey, quote } from '../../config/problem.ts'
import type { ConfigurationError } from '../../config/problem.ts'
import { atOnce } from './in-slices.ts'
import { problemOf, readRuleFile } from './read-file.ts'
import type { LocatedRule } from './read-file.ts'
import { fitting } from './references.ts'
import { isPart, MAX_SCORE, MIN_SCORE } from './rule.ts'
import type { Rule, RuleProblem } from './rule.ts'
import { RuleSet } from './rule-set.ts'
import { contentOf } from './samples.ts'
import type { Sample } from './samples.ts'
import type { Truth } from './truth.ts'

export interface RuleFile {
  /** its path, for problems */
  readonly source: string
  readonly text: string
  /** the site's own: its rules replace shipped ones */
  readonly site: boolean
  /** its samples were run where it was made: they are not read again */
  readonly proved?: boolean
}

export interface RuleSources {
  /** shipped ones first */
  readonly files: readonly RuleFile[]
  /** rules of other formats, compiled already; they count as the site's */
  readonly others?: readonly LocatedRule[]
  /** from the configuration: instead of what the files say; 0 switches off */
  readonly scores?: ReadonlyMap<string, number>
  /** of an earlier load; of other files it is no proof, and the samples are run */
  readonly proof?: SampleProof
}

/** Plain data: it may be sent to another process. */
export interface SampleProof {
  /** of all files */
  readonly digest: string
  readonly failures: readonly RuleProblem[]
}

export interface RulePlace {
  readonly source: string
  readonly line: number | undefined
  /** false: it came with Postern */
  readonly site: boolean
}

/** Plain data too. */
export interface ChosenRules {
  /** that fit together, with the scores that they have now */
  readonly rules: readonly Rule[]
  /** of each of them */
  readonly places: readonly RulePlace[]
  readonly problems: readonly RuleProblem[]
  readonly proof: SampleProof
}

export interface LoadedRules extends Omit<ChosenRules, 'rules'> {
  readonly rules: RuleSet
}

/** As `source` of problems with `scores`. */
export const SCORES_SOURCE = 'scores of rules'

/** All at once, and made to a set. */
export function loadRules(sources: RuleSources): LoadedRules {
  const chosen = atOnce(chooseRules(sources))
  return { ...chosen, rules: new RuleSet(chosen.rules) }
}

/** What a step was about: a file, or a rule of which a sample was run. */
export type RuleStep = RuleFile | LocatedRule

/** A file a step, and a sample. */
export function* chooseRules(sources: RuleSources): Generator<RuleStep, ChosenRules> {
  const digest = digestOf(sources.files)
  const proof = sources.proof?.digest === digest ? sources.proof : undefined
  const problems: RuleProblem[] = []
  const refused = new Set<string>()
  const placed = yield* place(sources, { problems, refused, samples: proof === undefined })
  let used = fitting(placed, refused, problems)
  const failures = proof?.failures ?? (yield* failuresOf(used))
  if (failures.length > 0) {
    problems.push(...failures)
    for (const { rule } of failures) if (rule !== undefined) refused.add(rule)
    used = fitting(used.filter(({ rule }) => !refused.has(rule.id)), refused, problems)
  }
  problems.push(...scoreProblems(sources.scores, placed))
  const shipped = new Set(sources.files.filter(({ site }) => !site).map(({ source }) => source))
  const places = used.map(({ source, place }) => ({ source, line: place.line, site: !shipped.has(source) }))
  return { rules: scored(used, sources.scores), places, problems, proof: { digest, failures } }
}

function digestOf(files: readonly RuleFile[]): string {
  const hash = createHash('sha256')
  for (const { source, text, site } of files) hash.update(JSON.stringify([source, site, text]))
  return hash.digest('hex')
}

interface Placing {
  readonly problems: RuleProblem[]
  readonly refused: Set<string>
  readonly samples: boolean
}

/** Each id once: within a layer the first, of the layers the site's. */
function* place({ files, others = [] }: RuleSources, { problems, refused, samples }: Placing): Generator<RuleStep, readonly LocatedRule[]> {
  const placed = new Map<string, LocatedRule>()
  const ofSite = new Set<string>()
  const add = (one: LocatedRule, site: boolean): void => {
    const { id } = one.rule
    const other = placed.get(id)
    if (other !== undefined && ofSite.has(id) === site) {
      problems.push(problemOf(one, { problem: `the id ${id} stands twice; the other is in ${other.source}${other.place.line === undefined ? '' : `, line ${other.place.line}`}`, allowed: 'each id once; a rule of the site may replace a shipped one' }))
      return
    }
    placed.set(id, one)
    if (site) ofSite.add(id)
  }
  for (const file of files) {
    const { source, text, site, proved = false } = file
    const reading = readRuleFile(text, source, samples && !proved)
    problems.push(...reading.problems)
    for (const one of reading.rules) add(one, site)
    for (const id of reading.refused) {
      if (site) placed.delete(id)
      if (!placed.has(id)) refused.add(id)
    }
    yield file
  }
  for (const one of others) add(one, true)
  return [...placed.values()].filter(({ rule }) => !refused.has(rule.id))
}

function scored(rules: readonly LocatedRule[], scores: ReadonlyMap<string, number> | undefined): readonly Rule[] {
  return rules.map(({ rule }) => {
    const score = isPart(rule.id) ? undefined : scores?.get(rule.id)
    return score === undefined || !isScore(score) ? rule : { ...rule, score }
  })
}

function isScore(score: number): boolean {
  return score >= MIN_SCORE && score <= MAX_SCORE
}

/** Where there are samples: those of shipped rules were run before. */
function* failuresOf(used: readonly LocatedRule[]): Generator<RuleStep, readonly RuleProblem[]> {
  const tried = used.filter(({ hits, misses }) => hits.length + misses.length > 0)
  if (tried.length === 0) return []
  const rules = new RuleSet(used.map(({ rule }) => rule))
  const failures: RuleProblem[] = []
  for (const one of tried) {
    for (const { sample, wanted } of [...one.hits.map((sample) => ({ sample, wanted: true })), ...one.misses.map((sample) => ({ sample, wanted: false }))]) {
      failures.push(...failureOf(one, { sample, wanted, truth: rules.holds(one.rule.id, contentOf(sample), sample.facts) }))
      yield one
    }
  }
  return failures
}

/** What is not known is not hit: that is how the rule will behave. */
function failureOf(one: LocatedRule, { sample, wanted, truth }: { readonly sample: Sample; readonly wanted: boolean; readonly truth: Truth }): readonly RuleProblem[] {
  if ((truth === true) === wanted) return []
  const unknown = truth === undefined ? '; something it asks for is not known: does the sample have all facts?' : ''
  return [problemOf(one, {
    place: sample.place, key: formatKey(sample.at),
    problem: `${one.rule.id} ${wanted ? 'does not hit a sample that it must hit' : 'hits a sample that it must miss'}${unknown}`,
    allowed: wanted ? 'samples under hits that the condition holds for' : 'samples under misses that it does not hold for',
  })]
}

function scoreProblems(scores: ReadonlyMap<string, number> | undefined, rules: readonly LocatedRule[]): readonly RuleProblem[] {
  const ids = new Set(rules.map(({ rule }) => rule.id).filter((id) => !isPart(id)))
  return Array.from(scores ?? [], ([id, score]) => {
    if (!ids.has(id)) return scoreProblem(id, { problem: `there is no rule ${quote(id)} that scores${suggestion(id, ids)}`, allowed: 'ids of rules' })
    return isScore(score) ? undefined : scoreProblem(id, { problem: `found ${score}`, allowed: `${MIN_SCORE} to ${MAX_SCORE}` })
  }).filter((problem) => problem !== undefined)
}

function scoreProblem(id: string, wrong: Pick<ConfigurationError, 'problem' | 'allowed'>): RuleProblem {
  return { source: SCORES_SOURCE, line: undefined, column: undefined, key: id, variable: undefined, ...wrong, rule: undefined }
}
