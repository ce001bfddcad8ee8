/**
 * dkimproxy.out and dkimproxy.in as processes: reads what they are given, opens
 * the listener, takes its identity, and runs until a signal ends it. Exit codes
 * after sysexits(3): 0 stopped (or started, with --daemonize), 64 wrong
 * arguments, 66 a configuration file that is not there, 78 one that is wrong;
 * for an address those of exit-codes.ts.
 *
 * SIGTERM and SIGINT let sessions finish, for half a minute; SIGHUP reads maps
 * and keys again, and the log tells what is wrong with them.
 */
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { EXIT, ExitError, exitCodeOf, explainError } from '../cli/exit-codes.ts'
import type { Resolver } from '../dns/resolver.ts'
import { logCrashesTo } from '../observe/crash.ts'
import type { ListenAddress } from '../smtp/listen.ts'
import { startInBackground, tellForeground, isInBackground } from './daemonize.ts'
import { describeNotice, readCommandLine, readConfFile, type CommandLine, type Notice, type Reading } from './given.ts'
import { helpText } from './help.ts'
import { become, findIdentity, type Identity } from './identity.ts'
import { openIn } from './in-service.ts'
import { giveLogFile } from './log-file.ts'
import type { Program } from './options.ts'
import { openOut } from './out-service.ts'
import { PidFile } from './pid-file.ts'
import { makeProxyLog, type ProxyLog } from './proxy-log.ts'
import { ProxyListener } from './proxy-listener.ts'
import type { ProxyService, ServiceReading } from './service.ts'
import { settleIn, settleOut, type CommonSettings, type InSettings, type OutSettings, type Settled } from './settings.ts'

export interface DaemonIo {
  readonly environment: NodeJS.ProcessEnv
  readonly cwd: string
  readonly version: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly onSignal: (signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', listener: () => void) => void
  /** default: the system's DNS */
  readonly resolver?: Resolver
  /** instead of logger(1) */
  readonly logger?: string
  /** told once it listens */
  readonly ready?: (addresses: readonly ListenAddress[]) => void
}

const STOP_MS = 30_000
const SPOOL_MEMORY_BYTES = 256 * 1024
/** A message of the others' making may be as large as they let it be. */
const MAX_MESSAGE_BYTES = 1024 * 1024 * 1024

/** Resolves with the exit code. */
export async function runDaemon(program: Program, argv: readonly string[], io: DaemonIo): Promise<number> {
  const line = readCommandLine(argv, program)
  if (line.help || line.version) {
    io.out(line.help ? helpText(program) : `${program} of Postern ${io.version}\n`)
    return EXIT.ok
  }
  if (line.errors.length > 0) return refuse({ program, io, notices: line.errors }, EXIT.usage, `(${program} --help lists the options)`)
  const read = readConfiguration(program, line, io)
  if (read.status === 'unreadable') return refuse({ program, io, notices: [read.notice] }, EXIT.noInput)
  const { settled } = read
  if (settled.status === 'wrong') {
    tellWarnings(settled.warnings, program, io)
    return refuse({ program, io, notices: settled.errors }, EXIT.configuration)
  }
  if (settled.settings.daemon.daemonize && !isInBackground(io.environment)) {
    const { exitCode, text } = await startInBackground(argv, io.environment)
    if (text !== '') io.err(exitCode === EXIT.ok ? text : `${program}: ${text}`)
    return exitCode
  }
  return new Daemon(settled.settings, io).run(settled.warnings)
}

function refuse({ program, io, notices }: { readonly program: Program; readonly io: DaemonIo; readonly notices: readonly Notice[] }, exitCode: number, hint?: string): number {
  for (const notice of notices) io.err(`${program}: ${describeNotice(notice)}\n`)
  if (hint !== undefined) io.err(`${hint}\n`)
  return exitCode
}

function tellWarnings(warnings: readonly Notice[], program: Program, io: DaemonIo): void {
  for (const notice of warnings) io.err(`${program}: warning: ${describeNotice(notice)}\n`)
}

type Read = { readonly status: 'read'; readonly settled: Settled<OutSettings | InSettings> } | { readonly status: 'unreadable'; readonly notice: Notice }

function readConfiguration(program: Program, line: CommandLine, io: DaemonIo): Read {
  const file = line.given.findLast(({ name }) => name === 'conf_file')
  let reading: Reading | undefined
  if (file !== undefined) {
    try {
      reading = readConfFile(readFileSync(resolve(io.cwd, file.value), 'latin1'), file.value, program)
    } catch (error) {
      return { status: 'unreadable', notice: { place: { file: file.value, line: 0 }, text: `cannot be read: ${error instanceof Error ? error.message : String(error)}` } }
    }
  }
  return { status: 'read', settled: program === 'dkimproxy.out' ? settleOut(reading, line) : settleIn(reading, line) }
}

class Daemon {
  private readonly settings: OutSettings | InSettings
  private readonly io: DaemonIo
  private readonly background: boolean
  /** whom it is to become; undefined: nobody else, or it is done */
  private identity: Identity | undefined | 'unknown' = 'unknown'
  private logFailed = false

  constructor(settings: OutSettings | InSettings, io: DaemonIo) {
    this.settings = settings
    this.io = io
    this.background = isInBackground(io.environment)
  }

  async run(warnings: readonly Notice[]): Promise<number> {
    const { settings: { log: { level } }, io } = this
    const log = makeProxyLog({ level, to: this.logTo() }, { err: io.err, date: () => new Date(), pid: process.pid, ...(io.logger === undefined ? {} : { logger: io.logger }) })
    try {
      return await this.serve(log, warnings)
    } catch (error) {
      const exitCode = exitCodeOf(error)
      if (exitCode === EXIT.internal) throw error
      return await this.failed(exitCode, explainError(error), log)
    } finally {
      await log.close()
    }
  }

  private logTo(): CommonSettings['log']['to'] {
    const { to } = this.settings.log
    return to.kind === 'file' ? { ...to, path: resolve(this.io.cwd, to.path) } : to
  }

  /** Whoever started it hears of it; the log as well, where there is one of its own that can be written. */
  private async failed(exitCode: number, text: string, log: ProxyLog): Promise<number> {
    const { program, log: { to } } = this.settings
    if (to.kind !== 'stderr' && (await this.canLog(log))) log.line(0, `cannot start: ${text}`)
    if (this.background) await tellForeground({ exitCode, text: `${text}\n` })
    else this.io.err(`${program}: ${text}\n`)
    return exitCode
  }

  private async canLog(log: ProxyLog): Promise<boolean> {
    // Then this is the trouble.
    if (this.identity === 'unknown' || this.logFailed) return false
    try {
      this.becomeUser()
      await log.open()
      return true
    } catch (error) {
      if (!this.background) this.io.err(`${this.settings.program}: the log cannot be written: ${explainError(error)}\n`)
      return false
    }
  }

  private becomeUser(): void {
    const { identity } = this
    if (identity === undefined || identity === 'unknown') return
    become(identity)
    this.identity = undefined
  }

  /** Whatever is written from here on is written as the user. */
  private async openLog(log: ProxyLog): Promise<void> {
    const to = this.logTo()
    try {
      await log.open()
    } catch (error) {
      this.logFailed = true
      if (to.kind !== 'file') throw error
      const { user } = this.settings.daemon
      throw new ExitError(EXIT.permission, `log_file ${to.path} cannot be written${user === undefined ? '' : ` by ${user}`}: ${error instanceof Error ? error.message : String(error)}`)
    }
    // In the background nobody reads standard error.
    logCrashesTo({ ...log.log, configure: () => undefined, flush: () => log.close() })
  }

  private async serve(log: ProxyLog, before: readonly Notice[]): Promise<number> {
    const { settings, io } = this
    this.identity = findIdentity(settings.daemon)
    const to = this.logTo()
    if (to.kind === 'stderr') await log.open()
    else if (to.kind === 'file' && this.identity !== undefined) giveLogFile(to.path, this.identity)
    const context = { cwd: io.cwd, log, spool: { directory: tmpdir(), memoryBytes: SPOOL_MEMORY_BYTES }, date: () => new Date(), resolver: io.resolver }
    const reading: ServiceReading = settings.program === 'dkimproxy.out' ? openOut(settings, context) : openIn(settings, context)
    for (const notice of [...before, ...reading.warnings]) log.line(1, `warning: ${describeNotice(notice)}`)
    if (reading.status === 'wrong') return this.failed(EXIT.configuration, reading.errors.map(describeNotice).join('\n'), log)
    const stopped = this.nextStop()
    const listener = new ProxyListener(settings, { service: reading.service, log, maxMessageBytes: MAX_MESSAGE_BYTES })
    const addresses = await listener.open()
    const { pidFile } = settings.daemon
    const pid = pidFile === undefined ? undefined : new PidFile(resolve(io.cwd, pidFile), process.pid)
    let started = false
    try {
      pid?.write()
      this.becomeUser()
      await this.openLog(log)
      if (this.background) {
        process.chdir('/')
        await tellForeground({ exitCode: EXIT.ok, text: '' })
      }
      started = true
      log.line(2, `started, listening on ${addresses.map(describeAddress).join(' and ')}`)
      io.onSignal('SIGHUP', () => this.reload(reading.service, log))
      io.ready?.(addresses)
      log.line(2, `stopping on ${await stopped}`)
    } finally {
      await listener.close(started ? STOP_MS : 0)
      removePidFile(pid, log)
    }
    log.line(2, 'stopped')
    return EXIT.ok
  }

  private nextStop(): Promise<string> {
    return new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) this.io.onSignal(signal, () => resolve(signal))
    })
  }

  private reload(service: ProxyService, log: ProxyLog): void {
    const { errors, warnings } = service.reload()
    for (const notice of warnings) log.line(1, `warning: ${describeNotice(notice)}`)
    for (const notice of errors) log.line(0, describeNotice(notice))
    log.line(errors.length > 0 ? 0 : 2, errors.length > 0 ? 'what was read again is wrong; what was read before stays' : 'maps and keys were read again')
  }
}

/** The daemon may have no right to it any more: then the next start writes it over. */
function removePidFile(file: PidFile | undefined, log: ProxyLog): void {
  try {
    file?.remove()
  } catch (error) {
    log.line(3, `the pid file stays: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function describeAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return address.path
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
