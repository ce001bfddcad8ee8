/**
 * The npm package `spamscanner`, where a site has installed it: it is none of
 * Postern's dependencies (its licence, 224 MB, 316 MB of memory). It runs in a
 * process of its own for each worker, one message at a time; one that takes too
 * long is killed with its process, and the next message starts another. Where
 * the package is not there, each try says how to install it.
 */
import { strangerText } from '../../auth/stranger-text.ts'
import type { Attempt, EngineAdapter, EngineClock, EngineContext, EngineMessage } from './engine.ts'
import { failure } from './engine-words.ts'
import type { SpamscannerSettings } from './settings.ts'
import { parseSpamscannerResult } from './spamscanner-answer.ts'
import { frameOf, type ScanRequest } from './spamscanner-frames.ts'
import { notInstalled } from './spamscanner-package.ts'
import { SpamscannerProcess, type Loaded } from './spamscanner-process.ts'
import { wholeMessage, writeOut } from './write-out.ts'

type Settings = Pick<SpamscannerSettings, 'folder' | 'options'>

const END = Buffer.alloc(4)
const MAX_RECIPIENTS = 100
/** One that has not loaded the package by then never will. */
const LOAD_MS = 120_000

export function createSpamscanner(settings: Settings, context: Pick<EngineContext, 'clock'>): EngineAdapter {
  return new Spamscanner(settings, context.clock)
}

class Spamscanner implements EngineAdapter {
  readonly seesPrefix = true
  readonly #settings: Settings
  readonly #clock: EngineClock
  #process: SpamscannerProcess
  #startedMs: number
  #lastId = 0
  #closed = false

  constructor(settings: Settings, clock: EngineClock) {
    this.#settings = settings
    this.#clock = clock
    // Loading takes seconds: it begins before the first message.
    this.#process = new SpamscannerProcess(settings)
    this.#startedMs = clock.nowMs()
  }

  async scan(message: EngineMessage, signal: AbortSignal): Promise<Attempt> {
    const process = this.#running()
    const late = (): void => {
      if (this.#clock.nowMs() - this.#startedMs > LOAD_MS) process.end()
    }
    signal.addEventListener('abort', late, { once: true })
    const loaded = await process.loaded
    signal.removeEventListener('abort', late)
    if (loaded.status === 'unusable') return failure(this.#unusable(loaded), 'lost')
    // While it was loading the time ran out; the process may be somebody else's by now.
    if (signal.aborted || this.#closed) return failure('called off', 'unclear')
    // It cannot be told to stop; killed, it takes what it was doing with it.
    const kill = (): void => process.end()
    signal.addEventListener('abort', kill, { once: true })
    try {
      return await this.#ask(process, message)
    } finally {
      signal.removeEventListener('abort', kill)
    }
  }

  async ping(): Promise<string | undefined> {
    const loaded = await this.#running().loaded
    return loaded.status === 'ok' ? undefined : strangerText(this.#unusable(loaded), 300)
  }

  close(): void {
    this.#closed = true
    this.#process.end()
  }

  #running(): SpamscannerProcess {
    if (!this.#process.gone) return this.#process
    this.#startedMs = this.#clock.nowMs()
    return (this.#process = new SpamscannerProcess(this.#settings))
  }

  async #ask(process: SpamscannerProcess, message: EngineMessage): Promise<Attempt> {
    const id = ++this.#lastId
    const answered = process.answerTo(id)
    let over = false
    void answered.then(() => (over = true))
    try {
      for (const part of frameOf(Buffer.from(JSON.stringify(requestOf(id, message)), 'utf8'))) process.input.write(part)
      if (await writeOut(process.input, wholeMessage(message), { wanted: () => !over, frame: frameOf })) process.input.write(END)
    } catch (error) {
      // Half a message lies there; it ends with its process.
      process.end()
      return failure(`the message cannot be read: ${error instanceof Error ? error.message : String(error)}`, 'unclear')
    }
    const answer = await answered
    if (answer.is === 'gone') return failure(answer.cause, 'lost')
    if (answer.is === 'failed') return failure(`spamscanner says "${answer.cause}"`, 'answered')
    return parseSpamscannerResult(answer.result) ?? failure('this version of spamscanner has no result that is known here', 'answered')
  }

  #unusable({ installed, cause }: Extract<Loaded, { status: 'unusable' }>): string {
    return installed ? `spamscanner does not run: ${cause}` : notInstalled(this.#settings.folder)
  }
}

function requestOf(id: number, { client, sender, recipients }: EngineMessage): ScanRequest {
  return {
    id,
    session: {
      ...(client.ip !== undefined && { remoteAddress: client.ip }),
      ...(client.name !== undefined && { resolvedClientHostname: client.name }),
      ...(client.helo !== undefined && { helo: client.helo }),
      envelope: { mailFrom: { address: sender }, rcptTo: recipients.slice(0, MAX_RECIPIENTS).map((address) => ({ address })) },
    },
  }
}
