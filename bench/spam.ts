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
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MimeReader } from '../src/mime/reader.ts'
import { classify } from '../src/spam/bayes/classifier.ts'
import { MAX_IMPORTANCE, packWeights, type LinearModel } from '../src/spam/bayes/linear-model.ts'
import { MAX_WEIGHTS } from '../src/spam/bayes/linear-training.ts'
import { MODEL_FILE, readModel, writeModel, type BayesModel } from '../src/spam/bayes/model-file.ts'
import { tokenKeys } from '../src/spam/bayes/store.ts'
import { TokenTable } from '../src/spam/bayes/table.ts'
import { PAIR_BIT } from '../src/spam/bayes/token-set.ts'
import { readTokens } from '../src/spam/bayes/tokens.ts'
import type { MessageContent } from '../src/spam/content.ts'
import { readContent } from '../src/spam/content/read-content.ts'
import type { ScoringFacts, WordFact } from '../src/spam/facts.ts'
import { readRuleFiles } from '../src/spam/rules/folders.ts'
import { loadRules } from '../src/spam/rules/load.ts'
import { TORTURE } from '../test/support/torture-mail.ts'
import { measuredMessages, numbers, readCorpus, Words, type SizedMessages } from './spam-messages.ts'

const { values: options } = parseArgs({
  options: {
    folder: { type: 'string', multiple: true, default: [] },
    generated: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '9' },
    cache: { type: 'string', default: join(tmpdir(), 'postern-accuracy') },
  },
})
const ROUNDS = Number(options.rounds)
const MODEL_TOKENS = 1_000_000
/** as the gateway gets them from the network */
const PIECE_BYTES = 65_536
const TOKENS = { ownHosts: new Set<string>(), delivered: false }

/** A client in order whom nobody knows. */
const WORDS: Partial<Record<WordFact, string>> = { rdns: 'pass', fcrdns: 'pass', generic_name: 'no', helo: 'pass', spf: 'pass', dkim: 'none', dmarc: 'none', arc: 'none', dnsbl: 'clean', tls: 'yes', correspondent: 'no' }
const FACTS: ScoringFacts = {
  words: (name) => {
    const word = WORDS[name]
    return word === undefined ? undefined : [word]
  },
  number: () => undefined,
}

function read(bytes: Buffer): MessageContent {
  const reader = new MimeReader()
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) reader.write(bytes.subarray(at, at + PIECE_BYTES))
  return readContent(reader.end())
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

/** Half of the tokens of the messages are known from wanted mail, half from unwanted; the others are of nobody's mail. */
function makeModel(sets: readonly SizedMessages[]): BayesModel {
  const counts = new Map<number, number>()
  const learn = (content: MessageContent): void => {
    for (const key of tokenKeys(readTokens(content, { ...TOKENS, delivered: true }))) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  for (const { messages } of sets) for (const bytes of messages) learn(read(bytes))
  const words = new Words(2)
  for (let n = 0; counts.size < MODEL_TOKENS; n++) learn(read(Buffer.from(`From: <w${n}@far.example>\r\nSubject: ${words.text(40, ' ')}\r\n\r\n${words.text(20_000)}\r\n`)))
  const random = numbers(3)
  const keys = Float64Array.from(counts.keys())
  const [ham, spam] = [new Uint32Array(keys.length), new Uint32Array(keys.length)]
  let at = 0
  for (const count of counts.values()) {
    // From one side only to evenly: what real tokens are like.
    const share = random()
    ham[at] = Math.round(count * share)
    spam[at] = count - (ham[at] ?? 0)
    at++
  }
  const table = TokenTable.for(keys.length)
  table.add({ keys, ham, spam })
  return { ham: 5000, spam: 5000, tokens: keys.length, revision: 1, table, linear: makeLinear(keys, random), linearRevision: 1 }
}

/** As large as it may become; the weights are anybody's. */
function makeLinear(keys: Float64Array, random: () => number): LinearModel {
  const tokens = Uint32Array.from(keys.filter((key) => (Math.floor(key / 2 ** 32) & PAIR_BIT) === 0).subarray(0, MAX_WEIGHTS), (key) => key % 2 ** 32)
  return { ...packWeights({ tokens, importance: Float32Array.from(tokens, () => random() * MAX_IMPORTANCE), weights: Float64Array.from(tokens, () => random() - 0.5) }), bias: 0, wantedLimit: 1.5 }
}

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
  for (let n = -2; n < ROUNDS; n++) {
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
const { loaded, lines } = await modelReport(makeModel(sets))
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
