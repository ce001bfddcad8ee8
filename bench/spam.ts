/**
 * What scoring costs: CPU time a message of reading it (MIME and content), of
 * the rules, of the classifier, and of all three; memory and loading of a model;
 * and messages made to hurt, with time and memory. Prints Markdown.
 *
 *   npm run bench:spam -- [--folder MAIL]… [--generated] [--rounds 9] [--cache FOLDER]
 *
 * Without folders of your own it takes the collection that `bench:accuracy`
 * fetches from npm, and made-up messages where there is no network (or with
 * `--generated`). In one process; times are CPU of all of its threads, the median
 * of the rounds. They move from machine to machine, and with what else it does.
 *
 * What is measured is a gateway that has been running: before the rounds that count
 * there are others, since the first thousands of messages are judged by code that
 * the run-time has not translated yet, at about twice the time.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { classify } from '../src/spam/bayes/classifier.ts'
import { MODEL_FILE, readModel, writeModel, type BayesModel } from '../src/spam/bayes/model-file.ts'
import { readTokens } from '../src/spam/bayes/tokens.ts'
import type { MessageContent } from '../src/spam/content.ts'
import type { ScoringFacts, WordFact } from '../src/spam/facts.ts'
import { readRuleFiles } from '../src/spam/rules/folders.ts'
import { loadRules } from '../src/spam/rules/load.ts'
import { TORTURE } from '../test/support/torture-mail.ts'
import { benchOptions } from './options.ts'
import { measuredMessages, readCorpus, type SizedMessages } from './spam-messages.ts'
import { makeModel, read, TOKENS } from './spam-model.ts'

const options = benchOptions({
  folder: { type: 'string', multiple: true, default: [] },
  generated: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '9' },
  cache: { type: 'string', default: join(tmpdir(), 'postern-accuracy') },
})
const ROUNDS = Number(options.rounds)
/** Rounds that do not count: some thousands of messages. */
const WARM_UP = 16

/** A client in order whom nobody knows. */
const WORDS: Partial<Record<WordFact, string>> = { rdns: 'pass', fcrdns: 'pass', generic_name: 'no', helo: 'pass', spf: 'pass', dkim: 'none', dmarc: 'none', arc: 'none', dnsbl: 'clean', tls: 'yes', correspondent: 'no' }
const FACTS: ScoringFacts = {
  words: (name) => {
    const word = WORDS[name]
    return word === undefined ? undefined : [word]
  },
  number: () => undefined,
}

/** Milliseconds of CPU. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

/* --- the model --- */

async function modelReport(model: BayesModel): Promise<{ readonly loaded: BayesModel; readonly lines: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-spam-'))
  try {
    const path = join(folder, MODEL_FILE)
    await writeModel(path, model)
    const times: number[] = []
    let loaded: BayesModel | undefined
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now()
      const reading = readModel(path)
      times.push(performance.now() - began)
      if (reading.status !== 'read') throw new Error('the model that was just written cannot be read')
      loaded = reading.model
    }
    if (loaded === undefined) throw new Error('no round')
    const bytes = loaded.table.slots.byteLength + (loaded.linear?.table.slots.byteLength ?? 0)
    return { loaded, lines: [`- Model: ${loaded.tokens} tokens, ${mega(statSync(path).size)} MB on disk, ${mega(bytes)} MB in each worker, loaded in ${median(times).toFixed(0)} ms.`] }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function mega(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}

/* --- the figures --- */

type Rules = ReturnType<typeof loadRules>['rules']
interface Judges {
  readonly rules: Rules
  readonly model: BayesModel
}

interface Figures {
  readonly read: number
  readonly rules: number
  readonly bayes: number
  readonly all: number
  /** all three, in the best round: what it is where nobody disturbs */
  readonly lowest?: number
}

function judge(bytes: Buffer, { rules, model }: Judges): number {
  const content = read(bytes)
  return rules.evaluate(content, FACTS).score + classify(readTokens(content, TOKENS), model).points
}

function round(messages: readonly Buffer[], judges: Judges): Figures {
  const contents: MessageContent[] = []
  const each = (work: () => void): number => cpuMs(work) / messages.length
  return {
    read: each(() => { for (const bytes of messages) contents.push(read(bytes)) }),
    rules: each(() => { for (const content of contents) judges.rules.evaluate(content, FACTS) }),
    bayes: each(() => { for (const content of contents) classify(readTokens(content, TOKENS), judges.model) }),
    all: each(() => { for (const bytes of messages) judge(bytes, judges) }),
  }
}

/** Sets take turns, so that none has the quiet minutes for itself; the first rounds warm up. */
function measure(sets: readonly SizedMessages[], judges: Judges): readonly Figures[] {
  const found = sets.map((): Figures[] => [])
  for (let n = -WARM_UP; n < ROUNDS; n++) {
    for (const [at, { messages }] of sets.entries()) {
      const figures = round(messages, judges)
      if (n >= 0) found[at]?.push(figures)
    }
  }
  const of = (rounds: readonly Figures[], what: 'read' | 'rules' | 'bayes' | 'all'): number => median(rounds.map((one) => one[what]))
  return found.map((rounds) => ({ read: of(rounds, 'read'), rules: of(rounds, 'rules'), bayes: of(rounds, 'bayes'), all: of(rounds, 'all'), lowest: Math.min(...rounds.map(({ all }) => all)) }))
}

/* --- messages made to hurt --- */

/** Linux: the most resident memory since it was last reset, and what it is now, in bytes. */
function resident(name: 'VmHWM' | 'VmRSS'): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) * 1024
}

function hostileRows(judges: Judges): readonly string[] {
  return TORTURE.map(({ name, make }) => {
    const bytes = make()
    // proc(5): resets the peak to what is there now.
    writeFileSync('/proc/self/clear_refs', '5')
    const before = resident('VmRSS')
    const began = performance.now()
    const used = cpuMs(() => judge(bytes, judges))
    const took = performance.now() - began
    return `| ${name} | ${mega(bytes.length)} | ${used.toFixed(0)} | ${took.toFixed(0)} | ${mega(Math.max(0, resident('VmHWM') - before))} |`
  })
}

/* --- all of it --- */

const began = performance.now()
const { rules, problems } = loadRules(await readRuleFiles({ shipped: true, paths: [] }))
const rulesMs = performance.now() - began
const sets = measuredMessages(readCorpus({ folders: options.folder, cache: options.cache, generated: options.generated }))
const { loaded, lines } = await modelReport(makeModel(sets.flatMap(({ messages }) => messages)))
const judges = { rules, model: loaded }
const figures = measure(sets, judges)

process.stdout.write([
  `Node.js ${process.versions.node}, ${cpus()[0]?.model.trim() ?? 'an unknown CPU'}, load ${loadavg().map((one) => one.toFixed(1)).join(' ')}; median of ${ROUNDS} rounds.`, '',
  `- ${rules.rules.length} rules, ${problems.length} of them unusable, read and proved by their samples in ${(rulesMs / 1000).toFixed(1)} s.`, ...lines, '',
  '| CPU ms a message | messages | bytes, on average | reading | rules | classifier | all | all, lowest |', '|---|---|---|---|---|---|---|---|',
  ...sets.map(({ name, source, messages }, at) => {
    const { read: reading, rules: ruling, bayes, all, lowest = all } = figures[at] ?? { read: 0, rules: 0, bayes: 0, all: 0 }
    const size = messages.reduce((sum, { length }) => sum + length, 0) / messages.length
    return `| ${name} | ${messages.length} ${source} | ${Math.round(size)} | ${[reading, ruling, bayes, all, lowest].map((one) => one.toFixed(2)).join(' | ')} |`
  }), '',
  '| made to hurt | MB | CPU ms | ms | MB more at the peak |', '|---|---|---|---|---|', ...hostileRows(judges), '',
].join('\n'))
