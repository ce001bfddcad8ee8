/**
 * Programs that a test starts: each in a process group of its own, what it
 * prints kept for the failure message, and none left behind: not after a
 * failure, not after an interrupt. Waiting is polling with a deadline.
 *
 * `run` gives the outcome whatever the exit code; what cannot be started, or
 * does not end in time, is an Error that carries the output.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, chmodSync, rmSync } from 'node:fs'
import { Socket, createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface Outcome {
  /** null where a signal ended it */
  readonly code: number | null
  readonly output: string
}

export interface RunOptions {
  readonly input?: string | Buffer
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly timeoutMs?: number
}

export interface RunningProcess {
  readonly pid: number
  /** everything printed so far, both streams */
  output(): string
  /** resolves when the process has ended */
  readonly ended: Promise<void>
  readonly hasEnded: () => boolean
  /** SIGTERM to the whole group, SIGKILL where that does not help; idempotent */
  stop(): Promise<void>
  /** a signal to the whole group */
  signal(name: NodeJS.Signals): void
}

const MAX_OUTPUT = 4 * 1024 * 1024
const groups = new Set<number>()
const directories = new Set<string>()
let watching = false

function watch(): void {
  if (watching) return
  watching = true
  process.once('exit', () => {
    for (const pid of groups) killGroup(pid, 'SIGKILL')
    // What was just killed may still be writing its last file.
    for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}

/** A directory of the test's own, removed when the test process ends; other users may pass through it. */
export function temporaryDirectory(name: string): string {
  watch()
  const directory = mkdtempSync(join(tmpdir(), `postern-${name}-`))
  chmodSync(directory, 0o755)
  directories.add(directory)
  return directory
}

export function start(command: readonly string[], options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {}): RunningProcess {
  watch()
  const child = launch(command, options)
  // A test that fails may forget to stop it: the test process ends all the same, and takes it along.
  child.unref()
  for (const stream of [child.stdin, child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref()
  const chunks: Buffer[] = []
  let size = 0
  const keep = (chunk: Buffer): void => {
    if (size < MAX_OUTPUT) chunks.push(chunk)
    size += chunk.length
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  let over = false
  const pid = child.pid ?? 0
  if (pid > 0) groups.add(pid)
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      keep(Buffer.from(`${error.message}\n`))
      over = true
      resolve()
    })
    child.once('exit', () => {
      over = true
      resolve()
    })
  })
  const stop = async (): Promise<void> => {
    if (pid === 0) return
    killGroup(pid, 'SIGTERM')
    const gentle = await eventually(() => over && !groupLives(pid), 5000)
    if (!gentle) {
      killGroup(pid, 'SIGKILL')
      await eventually(() => over && !groupLives(pid), 5000)
    }
    groups.delete(pid)
  }
  return { pid, output: () => Buffer.concat(chunks).toString('latin1'), ended, hasEnded: () => over, stop, signal: (name) => killGroup(pid, name) }
}

export async function run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  watch()
  const child = launch(command, options)
  if (child.pid !== undefined) groups.add(child.pid)
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A program that ends without reading its input is judged by its exit code, not by the broken pipe.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(options.input ?? '')
  const output = (): string => Buffer.concat(chunks).toString('latin1')
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      const timer = setTimeout(() => {
        if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL')
        reject(new Error(`${command.join(' ')}: not ended after ${options.timeoutMs ?? 30_000} ms\n${output()}`))
      }, options.timeoutMs ?? 30_000)
      child.once('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
      child.once('close', (code) => {
        clearTimeout(timer)
        resolve({ code, output: output() })
      })
    })
  } finally {
    if (child.pid !== undefined) groups.delete(child.pid)
  }
}

function launch(command: readonly string[], options: RunOptions): ChildProcess {
  const [program, ...rest] = command
  if (program === undefined) throw new Error('no program given')
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
  // What steers the tests is no configuration of the gateway.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('POSTERN_'))
  const env = { ...Object.fromEntries(inherited), PATH: path, ...options.env }
  const cwd = options.cwd === undefined ? {} : { cwd: options.cwd }
  return spawn(program, rest, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env, ...cwd })
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0)
    return true
  } catch {
    return false
  }
}

/** Asks again and again until the answer is yes (true) or the time is over (false). */
export async function eventually(condition: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    if (await condition()) return true
    if (Date.now() >= deadline) return false
    await delay(15)
  }
}

/**
 * Waits for a condition; an Error that says what was waited for, and what `detail` tells
 * then. The time is for what never comes: a busy machine takes ten times as long as a quiet one.
 */
export async function until(what: string, condition: () => boolean | Promise<boolean>, options: { readonly timeoutMs?: number; readonly detail?: () => string } = {}): Promise<void> {
  if (await eventually(condition, options.timeoutMs ?? 90_000)) return
  throw new Error(`not in time: ${what}${options.detail === undefined ? '' : `\n${options.detail()}`}`)
}

export type Address = { readonly port: number } | { readonly path: string }

/** Whether something at the address accepts, and greets with 220 where it speaks first. */
export function answers(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = 'port' in address ? createConnection(address.port, '127.0.0.1') : createConnection(address.path)
    const finish = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(2000, () => finish(false))
    socket.once('error', () => finish(false))
    socket.once('close', () => resolve(false))
    socket.once('data', (chunk: Buffer) => finish(chunk.toString('latin1').startsWith('220')))
  })
}

/** Waits until a started program greets; where it ends or stays silent, the Error carries its output. */
export async function untilGreets(name: string, running: RunningProcess, address: Address): Promise<void> {
  const ready = await eventually(async () => running.hasEnded() || (await answers(address)), 90_000)
  if (!ready || running.hasEnded()) {
    await running.stop()
    throw new Error(`${name} ${running.hasEnded() ? 'ended' : 'does not answer'}:\n${running.output()}`)
  }
}
