/**
 * One thread for bcrypt and SHA-crypt, started with the first job and ended by
 * `close`. Jobs wait in a bounded queue. A job that finds it full, takes longer
 * than is allowed, or whose thread dies, is `busy`: a temporary failure. A
 * thread that died or was stopped is replaced with the next job. Whose turns come
 * when, fair-queue.ts says; a job that nobody wants any more is `busy` at its turn.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { FairQueue } from './fair-queue.ts'
import type { HashAnswer, HashJob } from './hash-worker.ts'
import type { BcryptHash, ShaCryptHash } from './password-hash.ts'

export type Verified = 'match' | 'mismatch' | 'busy'

/** Whose work it is, and whether it is still to be done when its turn comes. */
export interface WorkTurn {
  /** the network of the client */
  readonly lane: string
  readonly wanted: () => boolean
}

export const ANY_TURN: WorkTurn = { lane: '', wanted: () => true }

export interface HashThreadSettings {
  /** of jobs that wait; 64 */
  readonly maxWaiting?: number
  /** of one lane; 16 */
  readonly maxWaitingOfLane?: number
  /** from the moment on at which the thread has the job; 20 s */
  readonly timeoutMs?: number
  /** what went wrong with the thread */
  readonly onTrouble: (cause: string) => void
}

interface Waiting {
  readonly hash: BcryptHash | ShaCryptHash
  readonly forms: readonly string[]
  readonly wanted: () => boolean
  readonly settle: (verified: Verified) => void
}

export const MAX_WAITING = 64
export const MAX_WAITING_OF_LANE = 16
const TIMEOUT_MS = 20_000
const MAX_HEAP_MB = 64

export class HashThread {
  readonly #settings: HashThreadSettings
  readonly #waiting: FairQueue<Waiting>
  #worker: Worker | undefined
  #running: (Waiting & { readonly id: number; readonly timer: NodeJS.Timeout }) | undefined
  #lastId = 0
  #closed = false

  constructor(settings: HashThreadSettings) {
    this.#settings = settings
    this.#waiting = new FairQueue({ most: settings.maxWaiting ?? MAX_WAITING, mostOfLane: settings.maxWaitingOfLane ?? MAX_WAITING_OF_LANE })
  }

  verify(hash: BcryptHash | ShaCryptHash, forms: readonly string[], { lane, wanted }: WorkTurn = ANY_TURN): Promise<Verified> {
    if (this.#closed) return Promise.resolve('busy')
    return new Promise((settle) => {
      this.#waiting.push(lane, { hash, forms, wanted, settle })?.settle('busy')
      this.#next()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#finish('busy')
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) job.settle('busy')
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  #next(): void {
    if (this.#running !== undefined) return
    let job = this.#waiting.shift()
    for (; job?.wanted() === false; job = this.#waiting.shift()) job.settle('busy')
    if (job === undefined) {
      this.#worker?.unref()
      return
    }
    const worker = this.#worker ?? this.#start()
    const id = ++this.#lastId
    const timer = setTimeout(() => this.#broken(worker, 'a password hash took too long'), this.#settings.timeoutMs ?? TIMEOUT_MS)
    this.#running = { ...job, id, timer }
    worker.ref()
    const message: HashJob = { id, hash: job.hash, forms: job.forms }
    worker.postMessage(message)
  }

  #start(): Worker {
    // The file beside this one: .ts where types are stripped, .js where they were.
    const file = new URL(`./hash-worker${extname(import.meta.filename)}`, import.meta.url)
    const worker = new Worker(file, { name: 'password hashes', env: {}, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } })
    worker.on('message', (answer: HashAnswer) => {
      if (worker !== this.#worker || answer.id !== this.#running?.id) return
      this.#finish(answer.matches ? 'match' : 'mismatch')
      this.#next()
    })
    worker.on('error', (error) => this.#broken(worker, error instanceof Error ? error.message : String(error)))
    worker.on('exit', () => this.#broken(worker, 'it ended'))
    this.#worker = worker
    return worker
  }

  #broken(worker: Worker, cause: string): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    this.#settings.onTrouble(cause)
    void worker.terminate()
    this.#finish('busy')
    this.#next()
  }

  #finish(verified: Verified): void {
    if (this.#running === undefined) return
    clearTimeout(this.#running.timer)
    const { settle } = this.#running
    this.#running = undefined
    settle(verified)
  }
}
