/**
 * The child process of spamscanner as its adapter sees it: started once, asked
 * one thing at a time, ended for good by `end`. It has none of our environment,
 * a bound on its heap, and what it writes is read within bounds. Nothing rejects.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { extname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { BoundedBytes } from './bounded-bytes.ts'
import { frameOf, type ChildLine, type LoadRequest } from './spamscanner-frames.ts'

export interface ProcessSettings {
  readonly folder: string | undefined
  readonly options: Readonly<Record<string, unknown>>
}

export type Loaded = { readonly status: 'ok'; readonly version: string } | { readonly status: 'unusable'; readonly installed: boolean; readonly cause: string }
export type ChildAnswer = Extract<ChildLine, { is: 'scanned' | 'failed' }> | { readonly is: 'gone'; readonly cause: string }

const MAX_HEAP_MB = 1024
const MAX_LINE_BYTES = 1_048_576
const MAX_ERROR_CHARACTERS = 2000

export class SpamscannerProcess {
  readonly loaded: Promise<Loaded>
  readonly #child: ChildProcess
  readonly #input: Writable
  readonly #settleLoaded: (loaded: Loaded) => void
  #line = new BoundedBytes(MAX_LINE_BYTES)
  #waiting: { readonly id: number; readonly settle: (answer: ChildAnswer) => void } | undefined
  #errors = ''
  #gone: string | undefined

  constructor({ folder, options }: ProcessSettings) {
    const { promise, resolve } = Promise.withResolvers<Loaded>()
    this.loaded = promise
    this.#settleLoaded = resolve
    // The file beside this one: .ts where types are stripped, .js where they were.
    const file = join(import.meta.dirname, `spamscanner-child${extname(import.meta.filename)}`)
    const env = { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production' }
    const child = spawn(process.execPath, [`--max-old-space-size=${MAX_HEAP_MB}`, file, String(process.pid)], { env, stdio: ['pipe', 'ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.#input = child.stdio[0] as Writable
    const answers = child.stdio[3] as Readable
    // A child that cannot be started has no streams to speak of; `error` tells.
    this.#input.on('error', () => undefined)
    answers.on('error', () => undefined)
    const load: LoadRequest = { ...(folder !== undefined && { folder }), options }
    for (const part of frameOf(Buffer.from(JSON.stringify(load), 'utf8'))) this.#input.write(part)
    answers.on('data', (piece: Buffer) => this.#receive(piece))
    child.stderr?.on('error', () => undefined)
    child.stderr?.on('data', (piece: Buffer) => (this.#errors = (this.#errors + piece.toString('utf8')).slice(-MAX_ERROR_CHARACTERS)))
    child.on('error', (error) => this.#lose(`its process cannot be started: ${error.message}`))
    child.on('close', (code, signal) => this.#lose(`its process has ended (${signal ?? code ?? ''})${lastLine(this.#errors)}`))
    // Sessions keep the gateway alive, not this.
    child.unref()
    for (const stream of [this.#input, answers, child.stderr]) if (stream instanceof Socket) stream.unref()
  }

  get gone(): boolean {
    return this.#gone !== undefined
  }

  get input(): Writable {
    return this.#input
  }

  /** The answer to what is written to `input` under this number. */
  answerTo(id: number): Promise<ChildAnswer> {
    if (this.#gone !== undefined) return Promise.resolve({ is: 'gone', cause: this.#gone })
    return new Promise((settle) => (this.#waiting = { id, settle }))
  }

  end(): void {
    this.#lose('ended')
    this.#child.kill('SIGKILL')
  }

  #receive(piece: Buffer): void {
    for (let rest = piece; rest.length > 0 && this.#gone === undefined;) {
      const end = rest.indexOf(10)
      if (!this.#line.push(end < 0 ? rest : rest.subarray(0, end))) {
        this.#lose('its answer is too long')
        this.#child.kill('SIGKILL')
        return
      }
      if (end < 0) return
      const line = this.#line.bytes().toString('utf8')
      this.#line = new BoundedBytes(MAX_LINE_BYTES)
      rest = rest.subarray(end + 1)
      this.#take(parsedLine(line))
    }
  }

  #take(line: ChildLine | undefined): void {
    switch (line?.is) {
      case undefined: return
      case 'ready': return this.#settleLoaded({ status: 'ok', version: line.version })
      case 'unusable': return this.#settleLoaded({ status: 'unusable', installed: line.installed, cause: line.cause })
      case 'scanned':
      case 'failed': {
        const waiting = this.#waiting
        if (waiting?.id !== line.id) return
        this.#waiting = undefined
        waiting.settle(line)
      }
    }
  }

  #lose(cause: string): void {
    this.#gone ??= cause
    this.#settleLoaded({ status: 'unusable', installed: true, cause })
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.settle({ is: 'gone', cause })
  }
}

/** The child is our own code, but what it runs is not. */
function parsedLine(line: string): ChildLine | undefined {
  try {
    const value = JSON.parse(line) as Readonly<Record<string, unknown>> | null
    const { is, id, cause, version, installed, result } = value ?? {}
    if (is === 'ready') return { is, version: String(version) }
    if (is === 'unusable') return { is, installed: installed === true, cause: String(cause) }
    if (is === 'scanned' && typeof id === 'number') return { is, id, result }
    if (is === 'failed' && typeof id === 'number') return { is, id, cause: String(cause) }
    return undefined
  } catch {
    return undefined
  }
}

function lastLine(errors: string): string {
  const line = errors.split('\n').findLast((text) => /\S/.test(text) && !/^\s+at |^Node\.js v/.test(text))
  return line === undefined ? '' : `: ${line.trim()}`
}
