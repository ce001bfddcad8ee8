/** Postern as a process of its own, over a configuration that the test may write anew. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { childrenOf, parseLog, workersOf, type LogLine } from './gateway.ts'
import { freePort } from './ports.ts'
import { start, temporaryDirectory, until, type RunningProcess } from './process.ts'
import { Dialog } from './smtp-dialog.ts'

export const MAIN = process.env['POSTERN_MAIN'] ?? join(import.meta.dirname, '../../src/main.ts')

export interface Postern {
  readonly running: RunningProcess
  readonly port: number
  readonly directory: string
  readonly file: string
  readonly workers: () => number[]
  /** its log lines, once so many of them have this text */
  readonly logged: (text: string, count?: number) => Promise<LogLine[]>
  readonly exitCode: () => Promise<number>
  readonly write: (config: object) => void
  readonly open: () => Promise<Dialog>
}

export interface Options {
  readonly workers: number
  readonly more?: object
  readonly listen?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** where it is another copy of the program */
  readonly main?: string
}

export async function launch(t: TestContext, { workers, more, listen, env, main = MAIN }: Options): Promise<Postern> {
  const directory = temporaryDirectory('process')
  const port = await freePort()
  const file = join(directory, 'postern.yaml')
  const base = {
    hostname: 'mx.example.org', state: join(directory, 'state'), workers, log: { level: 'debug', format: 'json' }, domains: ['example.org'],
    listeners: [{ name: 'inbound', role: 'inbound', listen: listen ?? [`127.0.0.1:${port}`], next: 'local' }],
    hops: { local: { maildir: join(directory, 'mail/{local}') } },
  }
  mkdirSync(join(directory, 'mail'))
  const write = (config: object): void => writeFileSync(file, JSON.stringify({ ...base, ...more, ...config }))
  write({})
  // A shell tells the exit code of what it ran, and dies with nothing of its own.
  const running = start(['/bin/sh', '-c', `"$@"; echo "exit code $?"`, 'sh', process.execPath, main, 'run', '--config', file], { env: { ...env } })
  t.after(() => running.stop())
  const pid = (): number => childrenOf(running.pid)[0] ?? 0
  return {
    running, port, directory, file, write,
    workers: () => workersOf(pid()),
    logged: async (text, count = 1) => {
      const find = (): LogLine[] => parseLog(running.output()).filter(({ msg }) => msg === text)
      await until(`${count} × "${text}" in the log`, () => find().length >= count, { detail: () => running.output() })
      return find()
    },
    exitCode: async () => {
      await until('the end', () => running.hasEnded() && /exit code \d+\n/.test(running.output()), { timeoutMs: 120_000, detail: () => running.output() })
      return Number(/exit code (\d+)\n/.exec(running.output())?.[1])
    },
    open: async () => {
      const dialog = await Dialog.open({ port })
      await dialog.hello()
      return dialog
    },
  }
}

/** To the process itself: the shell above it is no part of the test. */
export function signal(postern: Postern, name: NodeJS.Signals): void {
  const [pid] = childrenOf(postern.running.pid)
  assert.ok(pid !== undefined, postern.running.output())
  process.kill(pid, name)
}

export function delivered(postern: Postern, user: string): number {
  const folder = join(postern.directory, 'mail', user, 'new')
  return existsSync(folder) ? readdirSync(folder).length : 0
}

export const MESSAGE = Buffer.from('Subject: x\r\n\r\nhello\r\n')

export function isAlive(pid: number): boolean {
  try {
    // A zombie that nobody has asked about is dead, too.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}
