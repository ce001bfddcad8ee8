/**
 * `postern deliver --listen unix:/path | host:port`: the bundled delivery as a
 * process of its own, an LMTP server under its own user, so that the gateway
 * needs no right to the mailboxes.
 *
 * It takes the hop with `maildir` from the configuration (`--hop` where there
 * are several). SIGHUP reads configuration, users and aliases again, SIGTERM
 * and SIGINT let sessions finish. Exit codes of sysexits(3): 0 stopped, 64 bad
 * arguments, 66 no configuration file, 78 a configuration that cannot work, and
 * for a socket that cannot be bound those of exit-codes.ts.
 */
import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { listenAddress, formatAddress, unixPathProblem } from '../config/format-names.ts'
import { loadConfiguration, type LoadOptions } from '../config/load.ts'
import { describeError } from '../config/problem.ts'
import type { MaildirSettings, Settings, SocketAddress } from '../config/settings.ts'
import { listen } from '../delivery/lmtp-listen.ts'
import { createLmtpServer, type LmtpServer, type LmtpServerSettings } from '../delivery/lmtp-server.ts'
import { createMaildirHop, type LocalHop } from '../delivery/local.ts'
import { checkLocal } from '../delivery/local-settings.ts'
import { nodeFileSystem } from '../delivery/file-system.ts'
import { createLog, type LogDestination, type ProcessLog } from '../observe/create-log.ts'
import { EXIT, exitCodeOf, explainError } from './exit-codes.ts'

export interface DeliverOptions {
  /** of --listen; it has to be given */
  readonly listen?: string | undefined
  /** of --config */
  readonly config?: string | undefined
  /** of --hop: its key under `hops` */
  readonly hop?: string | undefined
  /** of --mode: bits of the unix socket, octal */
  readonly mode?: string | undefined
  /** of --spool: directory for messages over 1 MiB while they come in */
  readonly spool?: string | undefined
}

export type DeliverSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

export interface DeliverIo extends Omit<LoadOptions, 'file'> {
  /** the log is what delivery prints */
  readonly out?: (text: string) => void
  /** writes to standard error */
  readonly err: (text: string) => void
  /** where the log goes; default: standard output */
  readonly log?: LogDestination
  /** default: the process's signals. Returns what takes the listener off. */
  readonly onSignal?: (name: DeliverSignal, listener: () => void) => () => void
  /** told once the socket is bound */
  readonly ready?: (address: SocketAddress) => void
}

const DEFAULT_MODE = 0o660

interface Chosen {
  readonly settings: Settings
  readonly hop: MaildirSettings
}

type Choice =
  | { readonly status: 'ok'; readonly chosen: Chosen }
  | { readonly status: 'wrong'; readonly exitCode: number; readonly text: string }

/** Resolves with the exit code when delivery has stopped. */
export async function runDeliver(options: DeliverOptions, io: DeliverIo): Promise<number> {
  const where = readPlace(options, io)
  if (typeof where === 'string') {
    io.err(`${where}\n`)
    return EXIT.usage
  }
  const choice = await choose(options, io)
  if (choice.status === 'wrong') {
    io.err(choice.text)
    return choice.exitCode
  }
  const log = createLog(choice.chosen.settings.log, io.log)
  try {
    return await serve({ options, io, log, where }, choice.chosen)
  } catch (error) {
    io.err(`cannot deliver on ${formatAddress(where.address)}: ${explainError(error)}\n`)
    return exitCodeOf(error)
  } finally {
    await log.flush()
  }
}

interface Place {
  readonly address: SocketAddress
  readonly mode: number
}

interface Run {
  readonly options: DeliverOptions
  readonly io: DeliverIo
  readonly log: ProcessLog
  readonly where: Place
}

async function serve(run: Run, chosen: Chosen): Promise<number> {
  const { io, log, where } = run
  let hop = makeHop(chosen, log)
  const stopping = nextSignal(io)
  const server = createLmtpServer(() => hop, { ...limitsOf(chosen.settings), spool: await chooseSpool(run, chosen.settings) }, log)
  let lastReload: Promise<void> = Promise.resolve()
  const forgetHup = onSignal(io)('SIGHUP', () => {
    // One after the other: each puts its hop in place of the one that is in use then.
    lastReload = lastReload.then(async () => {
      const old = hop
      hop = await reload(run, old)
      // Transactions that it has are brought to their end; new ones go to the other already.
      if (hop !== old) void old.close()
    })
  })
  try {
    const bound = await listen(server.socket, where.address, where.mode)
    if (bound.kind === 'tcp' && !isLoopback(bound.host)) {
      log.warn({ listen: formatAddress(bound) }, 'LMTP without TLS on an address that others reach: whoever connects can deliver')
    }
    log.info({ listen: formatAddress(bound), hop: chosen.hop.name, path: chosen.hop.path }, 'delivery started')
    io.ready?.(bound)
    const signal = await stopping.received
    log.info({ signal }, 'delivery stops')
    await stopAll(server, hop)
    log.info({}, 'delivery stopped')
    return EXIT.ok
  } finally {
    forgetHup()
    stopping.forget()
  }
}

/** The sessions first: their transactions hold the hop. */
async function stopAll(server: LmtpServer, hop: LocalHop): Promise<void> {
  await server.stop()
  await hop.close()
}

/** The hop of the new configuration, or the old one where that cannot work. */
async function reload(run: Run, old: LocalHop): Promise<LocalHop> {
  const { options, io, log } = run
  const choice = await choose(options, io)
  if (choice.status === 'wrong') {
    for (const error of choice.text.trimEnd().split('\n')) log.error({}, error)
    log.error({}, 'the new configuration is not used, the old one stays')
    // Users and aliases may be read again all the same.
    await old.reload()
    return old
  }
  log.configure(choice.chosen.settings.log)
  const next = makeHop(choice.chosen, log)
  log.info({ hop: choice.chosen.hop.name, path: choice.chosen.hop.path }, 'configuration read again; limits and time-outs change at the next start')
  return next
}

function makeHop({ settings, hop }: Chosen, log: ProcessLog): LocalHop {
  return createMaildirHop(hop, { hostname: settings.hostname, log, domains: new Set(settings.domains.keys()) })
}

async function choose(options: DeliverOptions, io: DeliverIo): Promise<Choice> {
  const { environment, cwd } = io
  const loaded = loadConfiguration({ ...io, environment, cwd, file: options.config, purpose: 'delivery' })
  if (loaded.status === 'unreadable') return { status: 'wrong', exitCode: EXIT.noInput, text: `${loaded.source}: ${loaded.cause}\n` }
  if (loaded.status === 'invalid') {
    return { status: 'wrong', exitCode: EXIT.configuration, text: loaded.errors.map((error) => `${describeError(error)}\n`).join('') }
  }
  const { settings } = loaded
  const hop = chooseHop(settings, options.hop)
  if (typeof hop === 'string') return { status: 'wrong', exitCode: options.hop === undefined ? EXIT.configuration : EXIT.usage, text: `${loaded.source}: ${hop}\n` }
  const report = await checkLocal(hop, { hostname: settings.hostname, domains: new Set(settings.domains.keys()) }, nodeFileSystem)
  // Of the configuration's own warnings `postern check` speaks: most are about listeners.
  for (const warning of report.warnings) io.err(`warning: ${warning}\n`)
  if (report.errors.length > 0) return { status: 'wrong', exitCode: EXIT.configuration, text: report.errors.map((error) => `${error}\n`).join('') }
  return { status: 'ok', chosen: { settings, hop } }
}

function chooseHop(settings: Settings, name: string | undefined): MaildirSettings | string {
  const all = [...settings.hops.values()].filter((hop) => hop.kind === 'maildir')
  const names = all.map((hop) => hop.name).join(', ') || 'none'
  if (name !== undefined) return all.find((hop) => hop.name === name) ?? `there is no hop "${name}" with maildir; those there are: ${names}`
  if (all.length > 1) return `there are several hops with maildir: ${names}; choose one with --hop`
  return all[0] ?? 'there is no hop with maildir under hops'
}

function readPlace(options: DeliverOptions, io: DeliverIo): Place | string {
  if (options.listen === undefined) return `--listen is needed: ${listenAddress.allowed}`
  const reading = listenAddress.read(options.listen)
  if (reading.status === 'refused') return `--listen: ${reading.problems.map((p) => `${p.problem}; allowed: ${p.allowed ?? listenAddress.allowed}`).join('; ')}`
  const mode = options.mode === undefined ? DEFAULT_MODE : /^0?[0-7]{3}$/.test(options.mode) ? Number.parseInt(options.mode, 8) : undefined
  if (mode === undefined) return `--mode: found "${options.mode ?? ''}"; allowed: three octal digits such as 0660`
  if (reading.value.kind === 'tcp') return { address: reading.value, mode }
  const path = resolve(io.cwd, reading.value.path)
  const problem = unixPathProblem(path)
  return problem === undefined ? { address: { kind: 'unix', path }, mode } : `--listen: ${problem}`
}

function limitsOf({ hostname, limits, timeouts }: Settings): Omit<LmtpServerSettings, 'spool'> {
  return {
    hostname,
    maxMessageBytes: limits.messageBytes,
    maxRecipients: limits.recipients,
    maxSessions: limits.sessions,
    commandMs: timeouts.commandMs,
    stopMs: timeouts.stopMs,
  }
}

/** The gateway's own directory, where this user may write there; otherwise the system's. */
async function chooseSpool({ options, io, log }: Run, settings: Settings): Promise<string> {
  if (options.spool !== undefined) return resolve(io.cwd, options.spool)
  const own = join(settings.state, 'tmp')
  try {
    await mkdir(own, { recursive: true, mode: 0o700 })
    await access(own, constants.W_OK | constants.X_OK)
    return own
  } catch (error) {
    log.info({ spool: tmpdir(), cause: error instanceof Error ? error.message : String(error) }, 'large messages are kept in the system\'s temporary directory while they come in; --spool names another')
    return tmpdir()
  }
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.')
}

function onSignal(io: DeliverIo): NonNullable<DeliverIo['onSignal']> {
  return io.onSignal ?? ((name, listener) => {
    process.on(name, listener)
    return () => process.off(name, listener)
  })
}

function nextSignal(io: DeliverIo): { readonly received: Promise<DeliverSignal>; readonly forget: () => void } {
  const listen = onSignal(io)
  const offs: (() => void)[] = []
  const received = new Promise<DeliverSignal>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) offs.push(listen(name, () => resolve(name)))
  })
  return { received, forget: () => offs.forEach((off) => off()) }
}
