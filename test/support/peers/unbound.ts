/**
 * An Unbound of the test's own on loopback, UDP and TCP: a real recursive
 * resolver, with a zone that it knows by itself, and others that it asks from
 * where the test says. It knows no root and asks nobody else.
 * An Error with its log where it does not answer.
 */
import { writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { ServerAddress } from '../../../src/dns/exchange.ts'
import { freePort } from '../ports.ts'
import { start, temporaryDirectory, until, type RunningProcess } from '../process.ts'

export interface UnboundOptions {
  /** a zone file for `origin`, served with authority */
  readonly origin: string
  readonly zone: readonly string[]
  /** single records that need no zone, as a zone file has them */
  readonly local?: readonly string[]
  /** `local-zone` lines: a name and what is done with queries under it */
  readonly treat?: Readonly<Record<string, 'refuse' | 'deny' | 'always_nxdomain' | 'static'>>
  /** names whose servers are elsewhere */
  readonly forward?: Readonly<Record<string, ServerAddress>>
}

export interface Unbound extends ServerAddress {
  log(): string
  stop(): Promise<void>
  /** starts again, at the same address */
  restart(): Promise<void>
}

export async function startUnbound(options: UnboundOptions): Promise<Unbound> {
  const directory = temporaryDirectory('unbound')
  const port = await freePort()
  writeFileSync(join(directory, 'zone'), options.zone.join('\n') + '\n')
  writeFileSync(join(directory, 'unbound.conf'), configuration(directory, port, options).join('\n') + '\n')
  let running: RunningProcess | undefined
  const log = (): string => running?.output() ?? ''
  const begin = async (): Promise<void> => {
    const started = start(['unbound', '-d', '-p', '-c', join(directory, 'unbound.conf')])
    running = started
    await until('unbound listens', async () => started.hasEnded() || (await connects(port)), { detail: log })
    if (started.hasEnded()) throw new Error(`unbound ended:\n${log()}`)
  }
  await begin()
  return { host: '127.0.0.1', port, log, stop: async () => running?.stop(), restart: begin }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

function configuration(directory: string, port: number, { origin, local = [], treat = {}, forward = {} }: UnboundOptions): string[] {
  return [
    'server:',
    '  interface: 127.0.0.1',
    `  port: ${port}`,
    '  do-daemonize: no',
    '  use-syslog: no',
    '  verbosity: 1',
    '  username: ""',
    '  chroot: ""',
    `  directory: "${directory}"`,
    '  pidfile: ""',
    '  num-threads: 1',
    '  do-not-query-localhost: no',
    // Nothing here is signed.
    '  module-config: "iterator"',
    ...Object.entries(treat).map(([name, what]) => `  local-zone: "${name}." ${what}`),
    ...local.map((record) => `  local-data: '${record}'`),
    'remote-control:',
    '  control-enable: no',
    'auth-zone:',
    `  name: "${origin}"`,
    `  zonefile: "${directory}/zone"`,
    '  for-downstream: yes',
    '  for-upstream: yes',
    ...Object.entries(forward).flatMap(([name, { host, port: at }]) => ['forward-zone:', `  name: "${name}"`, `  forward-addr: ${host}@${at}`, '  forward-first: no']),
    // Whatever else there is, nobody is asked for it.
    'forward-zone:',
    '  name: "."',
    '  forward-addr: 127.0.0.1@9',
    '  forward-first: no',
  ]
}
