/**
 * Reads rules in a thread of its own, and tells in the log what cannot be used
 * of them. Where the thread breaks, this process reads them itself. Where it had
 * not enough time or memory, nothing more is risked for them: the rules that come
 * with Postern are used alone. The log says so. It rejects with a bug, where even
 * these cannot be read in time, or after `close`; and always ends.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Log } from '../observe/log.ts'
import type { SampleProof } from '../spam/rules/load.ts'
import type { PackedRules } from './packed-rules.ts'
import type { RuleFilesSettings } from './rule-files.ts'
import type { ThreadAnswer, ThreadTask } from './rules-thread.ts'
import { tellProblems } from './tell-rules.ts'

/** Where a gateway has its rules from. */
export interface RuleSource {
  /** somebody reads them already: to ask costs nothing */
  readonly underWay: boolean
  read(settings: RuleFilesSettings): Promise<PackedRules>
  close(): void
}

export interface RuleReaderParts {
  readonly log: Log
  readonly timeoutMs?: number
  /** the file beside this one, where it is not another */
  readonly thread?: URL
  /** reads them in this process */
  readonly here?: (task: ThreadTask) => Promise<ThreadAnswer>
}

/** Thousands of SpamAssassin's rules take some seconds. */
const TIMEOUT_MS = 45_000

export class RuleReader implements RuleSource {
  readonly underWay = false
  readonly #parts: RuleReaderParts
  readonly #running = new Set<Worker>()
  /** of the latest reading: samples of the same files are not run again */
  #proof: SampleProof | undefined
  #closed = false

  constructor(parts: RuleReaderParts) {
    this.#parts = parts
  }

  async read(settings: RuleFilesSettings): Promise<PackedRules> {
    if (this.#closed) throw new Error('rules are not read any more')
    const task: ThreadTask = { settings, proof: this.#proof }
    const { packed, problems, proof } = await this.#inThread(task).catch((error: unknown) => this.#without(task, error))
    this.#proof = proof
    tellProblems(problems, this.#parts.log)
    return packed
  }

  /** A reading that is under way rejects. */
  close(): void {
    this.#closed = true
    for (const worker of this.#running) void worker.terminate()
  }

  #inThread(task: ThreadTask): Promise<ThreadAnswer> {
    const { thread = new URL(`./rules-thread${extname(import.meta.filename)}`, import.meta.url) } = this.#parts
    const timeoutMs = this.#timeoutMs()
    return new Promise((resolve, reject) => {
      const worker = new Worker(thread, { name: 'rules', env: {}, workerData: task })
      this.#running.add(worker)
      // Nobody waits for it who has nothing else to do.
      worker.unref()
      const timer = setTimeout(() => {
        reject(new TooMuch(`it took longer than ${timeoutMs} ms`))
        void worker.terminate()
      }, timeoutMs)
      timer.unref()
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', (code) => {
        clearTimeout(timer)
        this.#running.delete(worker)
        reject(new Error(`it ended without an answer, with code ${code}`))
      })
    })
  }

  async #without(task: ThreadTask, error: unknown): Promise<ThreadAnswer> {
    const { log } = this.#parts
    let reason = error
    if (this.#closed) throw new Error(`closed while rules were read: ${textOf(error)}`, { cause: error })
    if (!isTooMuch(error)) {
      log.warn({ cause: textOf(error) }, 'the thread that reads rules has failed; they are read without it')
      try {
        return await this.#here(task)
      } catch (second) {
        if (!isTooMuch(second)) throw second
        reason = second
      }
    }
    log.error({ cause: textOf(reason) }, 'the rules of this site cannot be read; those that come with Postern are used alone')
    return await this.#here({ settings: { ...task.settings, paths: [], spamassassin: [] }, proof: undefined })
  }

  async #here(task: ThreadTask): Promise<ThreadAnswer> {
    const { here = readHere } = this.#parts
    const timeoutMs = this.#timeoutMs()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new TooMuch(`it took longer than ${timeoutMs} ms`)), timeoutMs)
      timer.unref()
    })
    try {
      return await Promise.race([here(task), late])
    } finally {
      clearTimeout(timer)
    }
  }

  #timeoutMs(): number {
    return this.#parts.timeoutMs ?? TIMEOUT_MS
  }
}

/** More time than there is. */
class TooMuch extends Error {}

/** Whoever tries it once more takes along the process that all others hang on. */
function isTooMuch(error: unknown): boolean {
  return error instanceof TooMuch || (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
}

async function readHere({ settings, proof }: ThreadTask): Promise<ThreadAnswer> {
  // What it takes is not loaded where it is not needed.
  const [{ readRules }, { packRules }] = await Promise.all([import('./rule-files.ts'), import('./packed-rules.ts')])
  const read = await readRules(settings, proof)
  return { packed: packRules(read), problems: read.problems, proof: read.proof }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
