/**
 * Reads rules in a process of its own (rules-process.ts), and tells in the log what
 * cannot be used of them. Where that fails, this process reads them itself. Where it
 * had not enough time or memory, nothing more is risked for them: those in use stay,
 * and where there are none yet, the rules that come with Postern are used alone. The
 * log says so. It rejects with a bug, where even these cannot be read (unless others
 * are in use), or after `close`; and always ends.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { extname, join } from 'node:path'
import type { Log } from '../observe/log.ts'
import type { SampleProof } from '../spam/rules/load.ts'
import { LastWords } from './last-words.ts'
import type { PackedRules } from './packed-rules.ts'
import type { RuleFilesSettings } from './rule-files.ts'
import type { RulesAnswer, RulesReading, RulesTask } from './rules-process.ts'
import { READING_MS, WANTED_RULES_MS } from './rules-times.ts'
import { tellProblems } from './tell-rules.ts'
import { ShippedRulesUnread } from './unread-rules.ts'

/** Where a gateway has its rules from. */
export interface RuleSource {
  /** somebody reads them already: to ask costs nothing */
  readonly underWay: boolean
  /** @param inUse what it resolves with where these cannot be had; undefined: there are none yet */
  read(settings: RuleFilesSettings, inUse?: PackedRules): Promise<PackedRules>
  close(): void
}

export interface RuleReaderParts {
  readonly log: Log
  /** for what is wanted */
  readonly timeoutMs?: number
  /** of the process: what it may take for its heap */
  readonly memoryMb?: number
  /** the file beside this one, where it is not another */
  readonly program?: string
  /** reads them in this process */
  readonly here?: (task: RulesTask) => Promise<RulesReading>
}

/** Thousands of SpamAssassin's rules take some hundred. */
const MEMORY_MB = 1024

export class RuleReader implements RuleSource {
  readonly underWay = false
  readonly #parts: RuleReaderParts
  readonly #running = new Set<ChildProcess>()
  /** of the latest reading: samples of the same files are not run again */
  #proof: SampleProof | undefined
  #closed = false

  constructor(parts: RuleReaderParts) {
    this.#parts = parts
  }

  async read(settings: RuleFilesSettings, inUse?: PackedRules): Promise<PackedRules> {
    if (this.#closed) throw new Error('rules are not read any more')
    const { here = readHere, timeoutMs = WANTED_RULES_MS } = this.#parts
    const task: RulesTask = { settings, proof: this.#proof }
    try {
      return this.#told(await within(timeoutMs, (late) => this.#wanted(task, late)))
    } catch (error) {
      if (!isNoBug(error)) throw error
      const { log } = this.#parts
      if (inUse !== undefined) {
        log.error({ cause: error.message }, 'the rules could not be read anew; those in use stay')
        return inUse
      }
      if (error instanceof ShippedRulesUnread) throw error
      log.error({ cause: error.message }, `the rules of this site cannot be read; those that come with Postern are ${settings.shipped ? 'used alone' : 'not wanted (shipped_rules), and none are used'}`)
      return { ...this.#told(await within(READING_MS - WANTED_RULES_MS, () => here({ settings: { ...settings, paths: [], spamassassin: [] }, proof: undefined }))), instead: true }
    }
  }

  /** A reading that is under way rejects. */
  close(): void {
    this.#closed = true
    for (const child of this.#running) child.kill('SIGKILL')
  }

  #apart(task: RulesTask, late: AbortSignal): Promise<RulesReading> {
    const { program = join(import.meta.dirname, `rules-process${extname(import.meta.filename)}`), memoryMb = MEMORY_MB } = this.#parts
    return new Promise((resolve, reject) => {
      // Only what it needs to run: nothing of our environment, no file of ours.
      const child = fork(program, { env: {}, execArgv: [`--max-old-space-size=${memoryMb}`], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
      this.#running.add(child)
      // Nobody waits for it who has nothing else to do.
      child.unref()
      child.channel?.unref()
      if (child.stderr instanceof Socket) child.stderr.unref()
      const last = new LastWords()
      child.stderr?.on('data', (piece: Buffer) => last.push(piece))
      const kill = (): void => void child.kill('SIGKILL')
      late.addEventListener('abort', kill)
      const over = (error: Error): void => {
        late.removeEventListener('abort', kill)
        this.#running.delete(child)
        reject(error)
      }
      child.once('message', (answer) => {
        const said = answer as RulesAnswer
        if (said.status === 'read') resolve(said)
        else reject(said.status === 'unread' ? new ShippedRulesUnread(said.cause) : new Error(said.cause))
      })
      child.on('error', over)
      let untold: Error | undefined
      // Not with its exit: what it wrote may still be on its way.
      child.once('close', (code, signal) => over((signal === null ? undefined : untold) ?? endOf({ code, signal }, { words: last.text(), memoryMb })))
      child.send(task, (error) => {
        if (error === null) return
        untold = error
        kill()
      })
    })
  }

  /** In a process of their own, and without it where that breaks. */
  async #wanted(task: RulesTask, late: AbortSignal): Promise<RulesReading> {
    try {
      return await this.#apart(task, late)
    } catch (error) {
      if (this.#closed) throw new Error(`closed while rules were read: ${textOf(error)}`, { cause: error })
      if (isNoBug(error) || late.aborted) throw error
      this.#parts.log.warn({ cause: textOf(error) }, 'the process that reads rules has failed; they are read without it')
      const { here = readHere } = this.#parts
      return here(task)
    }
  }

  #told({ packed, problems, proof }: RulesReading): PackedRules {
    this.#proof = proof
    tellProblems(problems, this.#parts.log)
    return packed
  }
}

/** More time or memory than there is. Whoever tries it once more takes along the process that all others hang on. */
class TooMuch extends Error {}

/** To try it once more would end the same way. */
function isNoBug(error: unknown): error is Error {
  return error instanceof TooMuch || error instanceof ShippedRulesUnread
}

/** By these a process ends where its memory does: V8 aborts or traps, and the system kills. */
const OUT_OF_MEMORY: readonly NodeJS.Signals[] = ['SIGABRT', 'SIGTRAP', 'SIGKILL']

function endOf({ code, signal }: { readonly code: number | null; readonly signal: NodeJS.Signals | null }, { words, memoryMb }: { readonly words: string; readonly memoryMb: number }): Error {
  const wrote = words === '' ? '' : `; the last of what it wrote: ${words}`
  if (signal === null) return new Error(`it ended without an answer, with exit code ${code}${wrote}`)
  return OUT_OF_MEMORY.includes(signal) ? new TooMuch(`it was ended by ${signal}, as where there is no more memory (its heap may take ${memoryMb} MB)${wrote}`) : new Error(`it was ended by ${signal}${wrote}`)
}

/** @param work is told when it is too late */
async function within<T>(timeoutMs: number, work: (late: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TooMuch(`it took longer than ${timeoutMs} ms`))
      controller.abort()
    }, timeoutMs)
    timer.unref()
  })
  try {
    return await Promise.race([work(controller.signal), late])
  } finally {
    clearTimeout(timer)
  }
}

async function readHere({ settings, proof }: RulesTask): Promise<RulesReading> {
  // What it takes is not loaded where it is not needed.
  const [{ readRules }, { packRules }] = await Promise.all([import('./rule-files.ts'), import('./packed-rules.ts')])
  const read = await readRules(settings, proof)
  return { packed: packRules(read), problems: read.problems, proof: read.proof }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
