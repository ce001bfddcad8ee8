/**
 * dkimproxy.out and dkimproxy.in for tests: as processes of their own, run from
 * the sources, and inside the test with a DNS of its own.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Resolver } from '../../src/dns/resolver.ts'
import { runDaemon } from '../../src/dkimproxy/daemon.ts'
import type { Program } from '../../src/dkimproxy/options.ts'
import { start, temporaryDirectory, until, type RunningProcess } from './process.ts'

export const SOURCES: Readonly<Record<Program, string>> = {
  'dkimproxy.out': join(import.meta.dirname, '../../src/dkimproxy/out.ts'),
  'dkimproxy.in': join(import.meta.dirname, '../../src/dkimproxy/in.ts'),
}

export interface ProxyProcess {
  readonly running: RunningProcess
  readonly directory: string
  output(): string
  stop(): Promise<void>
}

/** Waits until it listens; an Error with its output where it does not. */
export async function startProxy(program: Program, configuration: readonly string[], argv: readonly string[] = []): Promise<ProxyProcess> {
  const directory = temporaryDirectory('dkimproxy')
  const file = join(directory, 'dkimproxy.conf')
  writeFileSync(file, `${configuration.join('\n')}\n`)
  const running = start([process.execPath, SOURCES[program], `--conf_file=${file}`, ...argv], { cwd: directory })
  await until(`${program} listens`, () => running.hasEnded() || running.output().includes('listening on'), { detail: () => running.output() })
  if (running.hasEnded()) throw new Error(`${program} ended:\n${running.output()}`)
  return { running, directory, output: () => running.output(), stop: () => running.stop() }
}

export interface ProxyInside {
  readonly port: number
  output(): string
  signal(name: 'SIGTERM' | 'SIGHUP'): void
  /** resolves with the exit code */
  stop(): Promise<number>
}

export interface InsideOptions {
  readonly configuration?: readonly string[]
  readonly argv?: readonly string[]
  readonly resolver?: Resolver
  readonly directory?: string
}

/** In this process, on a port of the system's choice where `listen` says 0. */
export async function proxyInside(program: Program, { configuration = [], argv = [], resolver, directory = temporaryDirectory('dkimproxy') }: InsideOptions): Promise<ProxyInside> {
  writeFileSync(join(directory, 'dkimproxy.conf'), `${configuration.join('\n')}\n`, 'latin1')
  let output = ''
  const listeners = new Map<string, () => void>()
  const ready = Promise.withResolvers<number>()
  const ended = runDaemon(program, ['--conf_file=dkimproxy.conf', ...argv], {
    environment: {}, cwd: directory, version: '0', out: (text) => (output += text), err: (text) => (output += text),
    onSignal: (signal, listener) => void listeners.set(signal, listener),
    ...(resolver === undefined ? {} : { resolver }),
    ready: ([address]) => ready.resolve(address?.kind === 'tcp' ? address.port : 0),
  })
  const port = await Promise.race([ready.promise, ended.then((code) => {
    throw new Error(`${program} ended with ${code}:\n${output}`)
  })])
  const signal = (name: string): void => listeners.get(name)?.()
  return { port, output: () => output, signal, stop: async () => {
    signal('SIGTERM')
    return ended
  } }
}
