/**
 * A clamd of the test's own, on a unix socket and on loopback, with a database
 * of one signature: the EICAR test string. An Error with its log where it does
 * not listen.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { start, temporaryDirectory, until, type RunningProcess } from '../process.ts'
import { accepts } from './listening.ts'

/** In two parts, so that no scanner takes this file for it. */
export const EICAR = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD', '-ANTIVIRUS-TEST-FILE!$H+H*'].join('')
export const EICAR_NAME = 'Test.Eicar.UNOFFICIAL'

export interface EngineDaemon {
  readonly path: string
  readonly tcp: { readonly host: string; readonly port: number }
  readonly log: () => string
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
  /** starts again, at the same addresses */
  restart(): Promise<void>
}

export async function startClamd({ maxBytes }: { readonly maxBytes: number }): Promise<EngineDaemon> {
  const directory = temporaryDirectory('clamd')
  const path = join(directory, 'clamd.sock')
  const tcp = { host: '127.0.0.1', port: await freePort() }
  mkdirSync(join(directory, 'database'))
  writeFileSync(join(directory, 'database', 'test.ndb'), `Test.Eicar:0:*:${Buffer.from(EICAR, 'latin1').toString('hex')}\n`)
  const configuration = [
    'Foreground yes', `DatabaseDirectory ${directory}/database`, `LocalSocket ${path}`, 'FixStaleSocket yes', `TCPSocket ${tcp.port}`, `TCPAddr ${tcp.host}`,
    `TemporaryDirectory ${directory}`, `StreamMaxLength ${maxBytes}`, 'SelfCheck 0', 'LogSyslog no', '',
  ]
  const file = join(directory, 'clamd.conf')
  writeFileSync(file, configuration.join('\n'))
  return await daemon(['/usr/sbin/clamd', '-c', file], { path, tcp })
}

/** Starts it, and waits until it accepts at both addresses. */
export async function daemon(command: readonly string[], { path, tcp }: Pick<EngineDaemon, 'path' | 'tcp'>): Promise<EngineDaemon> {
  let running: RunningProcess | undefined
  const log = (): string => running?.output() ?? ''
  const begin = async (): Promise<void> => {
    const started = start(command)
    running = started
    await until(`${command[0] ?? ''} listens`, async () => started.hasEnded() || ((await accepts({ path })) && (await accepts(tcp))), { detail: log, timeoutMs: 30_000 })
    if (started.hasEnded()) throw new Error(`${command[0] ?? ''} ended:\n${log()}`)
  }
  await begin()
  const stop = async (): Promise<void> => {
    // It holds nothing that could be lost.
    running?.signal('SIGKILL')
    await running?.stop()
  }
  return { path, tcp, log, stop, signal: (name) => running?.signal(name), restart: begin }
}
