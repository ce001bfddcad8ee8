/**
 * Rules read in a process of their own (rules-process.ts), within bounds of time
 * and memory. It rejects with `TooMuch` where these are too little, or what can be
 * read is useless; with `ShippedRulesUnread`; and with any other error where the
 * process breaks.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { extname, join } from 'node:path'
import { LastWords } from './last-words.ts'
import { readingOf, type RulesAnswer, type RulesReading, type RulesTask } from './rules-task.ts'
import { TooMuch } from './too-much.ts'
import { ShippedRulesUnread } from './unread-rules.ts'

export interface ApartParts {
  /** of the process: what it may take for its heap */
  readonly memoryMb?: number
  /** the file beside this one, where it is not another */
  readonly program?: string
  /** those that run; whoever ends them has them end */
  readonly running?: Set<ChildProcess>
  /** whoever asks has nothing else to do; otherwise it keeps nobody from ending */
  readonly waits?: boolean
}

/** Thousands of SpamAssassin's rules take some hundred. */
const MEMORY_MB = 1024
/** It makes much that is of no use a moment later: a young generation that grows would hold it for long, and double what the process takes. */
const YOUNG_MB = 4

/** To try it once more would end the same way. */
export function isNoBug(error: unknown): error is Error {
  return error instanceof TooMuch || error instanceof ShippedRulesUnread
}

/** @param late ends it */
export function readApart(task: RulesTask, late: AbortSignal, parts: ApartParts = {}): Promise<RulesReading> {
  const { program = join(import.meta.dirname, `rules-process${extname(import.meta.filename)}`), memoryMb = MEMORY_MB, running, waits = false } = parts
  return new Promise((resolve, reject) => {
    // Only what it needs to run: nothing of our environment, no file of ours.
    const child = fork(program, { env: {}, execArgv: [`--max-old-space-size=${memoryMb}`, `--max-semi-space-size=${YOUNG_MB}`, '--expose-gc'], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    running?.add(child)
    if (!waits) letGo(child)
    const last = new LastWords()
    child.stderr?.on('data', (piece: Buffer) => last.push(piece))
    const kill = (): void => void child.kill('SIGKILL')
    late.addEventListener('abort', kill)
    const over = (error: Error): void => {
      late.removeEventListener('abort', kill)
      running?.delete(child)
      reject(error)
    }
    child.once('message', (answer) => void Promise.resolve(answer as RulesAnswer).then(readingOf).then(resolve, reject))
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

function letGo(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
  if (child.stderr instanceof Socket) child.stderr.unref()
}

/** By these a process ends where its memory does: V8 aborts or traps, and the system kills. */
const OUT_OF_MEMORY: readonly NodeJS.Signals[] = ['SIGABRT', 'SIGTRAP', 'SIGKILL']

/** V8's own bound, which is the same wherever and whenever it runs. */
const HEAP_FULL = /reached heap limit|ineffective mark-compacts/i

function endOf({ code, signal }: { readonly code: number | null; readonly signal: NodeJS.Signals | null }, { words, memoryMb }: { readonly words: string; readonly memoryMb: number }): Error {
  const wrote = words === '' ? '' : `; the last of what it wrote: ${words}`
  if (signal === null) return new Error(`it ended without an answer, with exit code ${code}${wrote}`)
  if (!OUT_OF_MEMORY.includes(signal)) return new Error(`it was ended by ${signal}${wrote}`)
  return new TooMuch(`it was ended by ${signal}, as where there is no more memory (its heap may take ${memoryMb} MB)${wrote}`, { mayPass: !HEAP_FULL.test(words) })
}

/** @param work is told when it is too late */
export async function within<T>(timeoutMs: number, work: (late: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TooMuch(`it took longer than ${timeoutMs} ms`, { mayPass: true }))
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
