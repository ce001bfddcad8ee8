/**
 * `postern train`: teaches the classifier out of messages that lie somewhere,
 * takes back what it was taught, says how much it knows. Works on the state
 * directory itself, whether the gateway runs or not; workers take the new model
 * up within a minute. Control-C ends it between two messages: what was learnt
 * stays learnt, and the same command goes on where it stopped. Where several machines
 * share what is learnt, it is learnt for all of them.
 *
 * Exit codes of sysexits(3): 0 done; 65 nothing of it was a message, or what was learned before cannot be read; 66 a path is
 * not there, nor the state directory where root would have to make it; 75 cut short, or the store is busy or does not answer; 77 no
 * permission; 78 the configuration is wrong.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { readMimeMessage } from '../mime/reader.ts'
import { escapeControls } from '../observe/readable.ts'
import { isTrained, MIN_MESSAGES, MOST_LIMIT } from '../spam/bayes/classifier.ts'
import { Learner, learntMessage } from '../spam/bayes/learner.ts'
import { trustIn, type Lessons } from '../spam/bayes/lessons.ts'
import { MODEL_FILE, readModel, readModelHead, type ModelHead } from '../spam/bayes/model-file.ts'
import { openBayesStore } from '../scoring/bayes-store.ts'
import type { BayesCounts, BayesStore } from '../spam/bayes/store.ts'
import { tokenSettings, type TokenSettings } from '../spam/bayes/tokens.ts'
import { readContent } from '../spam/content/read-content.ts'
import { becomeOwner, givesUpRoot } from './become-owner.ts'
import { configured, type ConfiguredIo } from './configured.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { readMessage } from './scan-message.ts'
import { Doubts } from './train-doubt.ts'
import type { TrainPathsRequest, TrainRequest, TrainStatusRequest } from './train-command.ts'
import { openMail, type Mail } from './train-mail.ts'
import { Progress } from './train-progress.ts'
import { storeError } from './train-store.ts'
import { messagesOf, type Source, type TrainingMessage } from './train-sources.ts'

export interface TrainIo extends ConfiguredIo {
  readonly out: (text: string) => void
  readonly input: AsyncIterable<Buffer>
  /** whether a person reads standard error, and how wide it is; default: whether it is a terminal */
  readonly terminal?: { readonly columns: number } | undefined
  /** milliseconds since 1970; default: the time of day */
  readonly now?: () => number
  /** in place of Control-C */
  readonly signal?: AbortSignal
  /** default: whether this process is root's */
  readonly root?: boolean
}

interface Ground {
  readonly settings: Settings
  readonly store: BayesStore
  readonly learner: Learner
  readonly tokens: TokenSettings
  readonly mail: Mail
  readonly io: TrainIo
}

interface Tally {
  learned: number
  known: number
  moved: number
  forgotten: number
  unknown: number
  unreadable: number
}

/** So many are named, the others counted. */
const NAMED = 10

export function runTrain(request: TrainRequest, io: TrainIo): Promise<number> {
  return withInterrupt(io, (signal) => perform(request, io, signal))
}

async function perform(request: TrainRequest, io: TrainIo, signal: AbortSignal): Promise<number> {
  const loaded = configured(request.config, io)
  if (loaded.status === 'refused') return loaded.exitCode
  const { settings } = loaded
  const stated = existsSync(settings.state)
  // What root makes is root's, and nobody knows yet whom the gateway will run as.
  if (!stated && (io.root ?? process.geteuid?.() === 0)) throw new ExitError(EXIT.noInput, `${settings.state} is not there, and root cannot know whose it is to be: start the service once, or create it and make it belong to the user that the gateway runs as`)
  const paths = request.action === 'status' ? [] : request.paths.filter((path) => path !== '-').map((path) => resolve(io.cwd, path))
  const mail = openMail(paths, { givesUpRoot: stated && givesUpRoot(settings) })
  if (stated) becomeOwner(settings)
  const { bayes } = settings.spam
  let store: BayesStore | undefined
  try {
    store = openBayesStore(bayes, { state: settings.state })
    const tokens = tokenSettings({ hostname: settings.hostname, subjectPrefix: settings.policy.subjectPrefix })
    const learner = new Learner({ store, directory: settings.state, tokens, now: io.now ?? Date.now, minMessages: bayes.minMessages })
    const ground = { settings, store, learner, tokens, mail, io }
    return request.action === 'status' ? await status(request, ground) : await train(request, ground, signal)
  } catch (error) {
    throw storeError(error, settings.state) ?? error
  } finally {
    store?.close()
    await mail.close()
  }
}

/** The first Control-C is for us, a second one for the operating system. */
async function withInterrupt({ signal }: TrainIo, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  if (signal !== undefined) return await work(signal)
  const controller = new AbortController()
  const interrupted = (): void => controller.abort()
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  try {
    return await work(controller.signal)
  } finally {
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
  }
}

async function train(request: TrainPathsRequest, ground: Ground, signal: AbortSignal): Promise<number> {
  const { io } = ground
  const found = await sourcesOf(request.paths, ground)
  const terminal = 'terminal' in io ? io.terminal : process.stderr.isTTY ? { columns: process.stderr.columns } : undefined
  const progress = new Progress(found.sources.reduce((sum, { bytes }) => sum + bytes, 0), { err: io.err, terminal: terminal !== undefined, columns: terminal?.columns ?? 80, now: () => performance.now() })
  const tally: Tally = { learned: 0, known: 0, moved: 0, forgotten: 0, unknown: 0, unreadable: 0 }
  const doubts = new Doubts()
  for (const source of found.sources) {
    if (signal.aborted) break
    await readSource(source, { request, ground, signal, progress, tally, doubts })
  }
  if (!signal.aborted) progress.step('adding up')
  const outcome = signal.aborted ? 'busy' : await ground.learner.maintain(signal)
  progress.clear()
  io.out(`${describeTally(request, tally)}\n`)
  if (signal.aborted) {
    io.err('postern: cut short; what was learnt is kept, and the same command goes on\n')
    return EXIT.temporary
  }
  if (outcome === 'held') io.err('postern: the model in use was made of another store; it stays until this one knows enough of both kinds\n')
  if (outcome === 'busy') io.err('postern: another process is adding up; it takes this in too\n')
  const counts = await ground.store.counts()
  io.out(describeCounts(counts, ground.settings))
  if (request.action === 'ham' && hasSay(counts, ground.settings)) io.out(describeDoubts(doubts, ground.settings))
  if (found.missing) return EXIT.noInput
  const { unreadable, ...read } = tally
  return unreadable > 0 && Object.values(read).every((count) => count === 0) ? EXIT.data : EXIT.ok
}

async function sourcesOf(paths: readonly string[], { mail, io }: Ground): Promise<{ readonly sources: readonly Source[]; readonly missing: boolean }> {
  const sources: Source[] = []
  let missing = false
  for (const path of paths) {
    if (path === '-') {
      sources.push({ path: undefined, bytes: 0, read: () => io.input })
      continue
    }
    const search = await mail.find(resolve(io.cwd, path))
    if (search.status === 'found') for (const file of search.files) sources.push(file)
    else {
      missing = true
      io.err(`postern: ${escapeControls(path)}: ${search.cause}\n`)
    }
  }
  return { sources, missing }
}

interface Reading {
  readonly request: TrainPathsRequest
  readonly ground: Ground
  readonly signal: AbortSignal
  readonly progress: Progress
  readonly tally: Tally
  /** what was taught as wanted now */
  readonly doubts: Doubts
}

async function readSource(source: Source, reading: Reading): Promise<void> {
  const { ground: { settings, io }, signal, progress, tally } = reading
  for await (const message of messagesOf(source, settings.limits.messageBytes)) {
    if (signal.aborted) return
    if (message.status === 'read') tally[await take(source, message, reading)]++
    else {
      tally.unreadable++
      if (tally.unreadable <= NAMED) {
        progress.clear()
        io.err(`postern: ${escapeControls(source.path ?? 'standard input')}: ${message.cause}${tally.unreadable === NAMED ? ' (others like it are only counted)' : ''}\n`)
      }
    }
    progress.add(message.consumed)
  }
}

async function take({ path }: Source, { bytes }: Extract<TrainingMessage, { status: 'read' }>, { request, ground: { settings, learner, tokens, io }, doubts }: Reading): Promise<keyof Tally> {
  const { body } = await readMessage(one(bytes), Math.max(settings.limits.messageBytes, bytes.length * 2))
  try {
    const content = readContent(await readMimeMessage(body))
    if (request.action === 'forget') return await learner.forget(content)
    const learnt = learntMessage(content, { tokens, now: io.now ?? Date.now, delivered: true })
    if (request.action === 'ham') doubts.add(path, content, learnt.singles)
    return await learner.take(learnt, request.action)
  } finally {
    body.discard()
  }
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes)
}

function describeTally({ action }: TrainPathsRequest, tally: Tally): string {
  const parts = action === 'forget'
    ? [`${tally.forgotten} forgotten`, `${tally.unknown} were never learnt`]
    : [`${tally.learned} learned as ${action}`, `${tally.known} known already`, `${tally.moved} moved from ${action === 'spam' ? 'ham' : 'spam'}`]
  return [...parts, `${tally.unreadable} unreadable`].join(', ')
}

async function status({ json }: TrainStatusRequest, { store, settings, io }: Ground): Promise<number> {
  const counts = await store.counts()
  const { ham, spam, tokens, waiting } = counts
  const { doubtful } = modelHead(settings)
  const lessons = remembered(counts, settings)
  if (json === true) io.out(`${JSON.stringify({ ham, spam, tokens, waiting, trained: hasSay(counts, settings), needed: settings.spam.bayes.minMessages, remembered: { ham: lessons.hams, spam: lessons.spams }, doubtful, trust: percentOf(lessons) / 100 })}\n`)
  else io.out(describeCounts(counts, settings))
  return EXIT.ok
}

function hasSay(counts: BayesCounts, settings: Settings): boolean {
  return isTrained({ ...counts, lessons: remembered(counts, settings) }, settings.spam.bayes.minMessages)
}

/** Of what it was taught, as the model says that workers read. */
function remembered({ ham, spam }: BayesCounts, settings: Settings): Lessons {
  return modelHead(settings).lessons ?? { hams: ham, spams: spam }
}

function describeCounts(counts: BayesCounts, settings: Settings): string {
  const { ham, spam, tokens, waiting } = counts
  const { minMessages } = settings.spam.bayes
  const known = `The classifier knows ${ham} wanted and ${spam} unwanted messages, ${tokens} tokens${waiting > 0 ? `; ${waiting} messages are not added up yet` : ''}.\n`
  const lessons = remembered(counts, settings)
  if (hasSay(counts, settings)) return known + describeTrust(lessons) + describeDoubt(settings)
  const missing = [[ham, 'wanted'] as const, [spam, 'unwanted'] as const].flatMap(([count, kind]) => (count < minMessages ? [`${minMessages - count} ${kind}`] : []))
  if (missing.length > 0) return `${known}It has no say before it knows ${minMessages} of each: ${missing.join(' and ')} to go.\n`
  return `${known}Of them it remembers ${lessons.hams} wanted and ${lessons.spams} unwanted ones (spam.bayes.expire), and has no say before it is taught newer ones: ${Math.min(minMessages, MIN_MESSAGES)} of each.\n`
}

/** Where its points are fewer than they will be. */
function describeTrust(lessons: Lessons): string {
  const percent = percentOf(lessons)
  return percent === 100 ? '' : `Its points for unwanted mail count ${percent} %, as it remembers ${lessons.hams} wanted messages${lessons.spams > lessons.hams ? ` and more unwanted ones, ${lessons.spams}` : ''}: more wanted ones, of all kinds, make it surer.\n`
}

function percentOf(lessons: Lessons): number {
  return Math.floor(100 * trustIn(lessons))
}

/** Of what wanted mail was learned that looks like spam. */
function describeDoubt(settings: Settings): string {
  const { doubtful, wantedLimit = 0, mostLimit } = modelHead(settings)
  if (doubtful === 0) return ''
  const bounded = wantedLimit > mostLimit ? ' By them it would be silent for most spam, and it takes its usual bound instead.' : ''
  return `Wanted mail was learned that looks like spam: ${doubtful} ${doubtful === 1 ? 'message' : 'messages'}.${bounded} Look whether spam was learned as ham: postern train ham, once more of the same, names what looks most like it; postern train spam moves it.\n`
}

/** Of what was read just now. */
function describeDoubts(doubts: Doubts, settings: Settings): string {
  const reading = readModel(join(settings.state, MODEL_FILE))
  if (reading.status !== 'read' || reading.model.linear === undefined) return ''
  const { names, more } = doubts.named(reading.model.linear)
  if (names.length === 0) return ''
  return ['Of what was read just now, these look most like it:', ...names.map((name) => `  ${escapeControls(name)}`), ...(more > 0 ? [`  and ${more} more`] : [])].map((line) => `${line}\n`).join('')
}

function modelHead(settings: Settings): Pick<ModelHead, 'doubtful' | 'wantedLimit' | 'mostLimit'> & Partial<Pick<ModelHead, 'lessons'>> {
  const reading = readModelHead(join(settings.state, MODEL_FILE))
  return reading.status === 'read' ? reading.head : { doubtful: 0, wantedLimit: undefined, mostLimit: MOST_LIMIT }
}
