/**
 * Postern as its users run it: `main.ts run --config FILE` in a process of its
 * own, with a configuration written for the test. Waits until every listener
 * accepts; an Error with its output where it does not. Its log is JSON lines.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { freePort } from './ports.ts'
import { eventually, start, temporaryDirectory, until, type Address, type RunningProcess } from './process.ts'

export type LogLine = Readonly<Record<string, unknown>>
type Mapping = Readonly<Record<string, unknown>>

export interface GatewayConfig {
  /** `listen` is filled in with a free port where it is missing; `name` and `role` too. Without a `policy` everybody is exempt. */
  readonly listeners: readonly Mapping[]
  readonly hops: Mapping
  readonly [key: string]: unknown
}

export interface Gateway {
  /** by listener name */
  address(listener?: string): Address
  /** of the process that was started: the supervisor, where there are workers */
  readonly pid: number
  log(): LogLine[]
  output(): string
  /** waits for a log line */
  logged(what: string, matches: (line: LogLine) => boolean): Promise<LogLine>
  readonly directory: string
  running(): RunningProcess
  /** SIGTERM, then SIGKILL */
  stop(): Promise<void>
  /** starts again at the same addresses with the same configuration */
  restart(): Promise<void>
}

/** POSTERN_MAIN runs the tests against another build, such as dist/main.js. */
const MAIN = process.env['POSTERN_MAIN'] ?? join(import.meta.dirname, '../../src/main.ts')

/** One listener that relays everything for `domains` to one hop. */
export function relaying(hop: Mapping, more: { readonly listener?: Mapping; readonly root?: Mapping } = {}): GatewayConfig {
  return { ...more.root, listeners: [{ next: 'hop', ...more.listener }], hops: { hop } }
}

export async function startGateway(config: GatewayConfig): Promise<Gateway> {
  const directory = temporaryDirectory('gateway')
  const addresses = new Map<string, Address>()
  const listeners: Mapping[] = []
  for (const [index, given] of config.listeners.entries()) {
    const name = typeof given['name'] === 'string' ? given['name'] : index === 0 ? 'inbound' : `listener${index}`
    const path = typeof given['listen'] === 'string' && given['listen'].startsWith('unix:') ? given['listen'].slice('unix:'.length) : undefined
    const address: Address = path === undefined ? { port: await freePort() } : { path }
    addresses.set(name, address)
    listeners.push({ role: 'inbound', ...given, name, listen: [path === undefined ? `127.0.0.1:${'port' in address ? address.port : 0}` : `unix:${path}`] })
  }
  const file = join(directory, 'postern.yaml')
  mkdirSync(join(directory, 'state'))
  const inbound = listeners.some((listener) => listener['role'] === 'inbound')
  // A test that is not about policy asks no DNS: nothing is checked of anybody unless it says otherwise.
  const whole = { ...(inbound ? { policy: { exempt: ['0.0.0.0/0', '::/0', 'unix'] } } : {}), hostname: 'gateway.example', state: join(directory, 'state'), workers: 0, log: { level: 'debug', format: 'json' }, ...(inbound ? { domains: ['hop.example'] } : {}), ...config, listeners }
  // JSON is YAML, and needs no library to write.
  writeFileSync(file, JSON.stringify(whole, null, 2) + '\n')
  let running: RunningProcess | undefined
  const earlier: string[] = []
  const output = (): string => earlier.join('') + (running?.output() ?? '')
  const begin = async (): Promise<void> => {
    if (running !== undefined) earlier.push(running.output())
    const started = start([process.execPath, MAIN, 'run', '--config', file])
    running = started
    for (const address of addresses.values()) await untilAccepts(started, address)
  }
  await begin()
  const current = (): RunningProcess => {
    if (running === undefined) throw new Error('the gateway was not started')
    return running
  }
  const log = (): LogLine[] => parseLog(output())
  return {
    address: (listener) => addressOf(addresses, listener),
    get pid() {
      return current().pid
    },
    log,
    output,
    directory,
    running: current,
    logged: async (what, matches) => {
      let found: LogLine | undefined
      await until(`a log line: ${what}`, () => (found = log().find(matches)) !== undefined, { detail: output })
      return found as LogLine
    },
    stop: () => current().stop(),
    restart: begin,
  }
}

function addressOf(addresses: ReadonlyMap<string, Address>, listener: string | undefined): Address {
  const address = listener === undefined ? addresses.values().next().value : addresses.get(listener)
  if (address === undefined) throw new Error(`no listener ${listener ?? ''}`)
  return address
}

export function parseLog(output: string): LogLine[] {
  const lines: LogLine[] = []
  for (const line of output.split('\n')) {
    // The runtime's own warnings are no JSON; a last line may be half written.
    if (!line.startsWith('{') || !line.endsWith('}')) continue
    lines.push(JSON.parse(line) as LogLine)
  }
  return lines
}

async function untilAccepts(running: RunningProcess, address: Address): Promise<void> {
  const ready = await eventually(async () => running.hasEnded() || (await accepts(address)), 90_000)
  if (ready && !running.hasEnded()) return
  await running.stop()
  throw new Error(`postern ${running.hasEnded() ? 'ended' : 'does not listen'}:\n${running.output()}`)
}

export function accepts(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = 'port' in address ? createConnection(address.port, '127.0.0.1') : createConnection(address.path)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** Children of a process. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter((text) => text !== '').map(Number)
  } catch {
    return []
  }
}

/** Those of a supervisor's children that carry mail; now and then another reads rules for them. */
export function workersOf(supervisor: number): number[] {
  return childrenOf(supervisor).filter((pid) => !/rules-process|reading rules/.test(commandOf(pid)))
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}
