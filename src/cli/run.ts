/**
 * `postern run`: the gateway until a signal ends it. Exit codes: 0 after a
 * stop, 66 where the configuration file cannot be read, 78 where it is wrong,
 * 75 or 77 where an address cannot be had, 75 where another gateway works with
 * the same state directory, 70 for a bug, 130 after a second SIGINT.
 */
import { accessSync, closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isatty } from 'node:tty'
import { EMBEDDED_SOURCE } from '../config/embedded.ts'
import { loadConfiguration, type LoadOptions, type Loaded } from '../config/load.ts'
import { describeError } from '../config/problem.ts'
import { parseMailboxTemplate } from '../delivery/mailbox-path.ts'
import type { Settings } from '../config/settings.ts'
import { processIdentity } from '../delivery/local-settings.ts'
import { logCrashesTo } from '../observe/crash.ts'
import { createLog, type ProcessLog } from '../observe/create-log.ts'
import { painter, wantsColour } from '../observe/readable.ts'
import { createNotifier } from '../observe/sd-notify.ts'
import { scoringSettings } from '../scoring-settings.ts'
import type { PackedRules } from '../scoring/packed-rules.ts'
import type { PatientRules } from '../scoring/patient-rules.ts'
import { systemClock } from '../supervisor/clock.ts'
import { lockState } from '../state/state-lock.ts'
import { operate } from '../supervisor/operation.ts'
import { OwnProgram } from '../supervisor/own-program.ts'
import type { Service } from '../supervisor/service.ts'
import { checkDelivery, deliveryProblems } from './check-delivery.ts'
import { EXIT } from './exit-codes.ts'
import type { ConfigOption } from './config-option.ts'
import { welcome } from './welcome.ts'

export interface RunIo {
  readonly environment: NodeJS.ProcessEnv
  readonly cwd: string
  readonly version: string
  readonly err: (text: string) => void
}

const LONG_MS = 86_400_000
const AS_ROOT = 'this gateway and its workers run as root, and need not: let it be a user of its own, who opens ports below 1024 by CAP_NET_BIND_SERVICE (packaging/postern.service does both), and mailboxes of several owners be written by `postern deliver`'

export async function run(options: ConfigOption, io: RunIo): Promise<number> {
  const load = (): Read => readConfiguration({ file: options.config, environment: io.environment, cwd: io.cwd })
  const loaded = load()
  if (loaded.status !== 'ok') return refuse(loaded, io)
  const { settings, source } = loaded
  const unusable = prepareState(settings.state)
  if (unusable !== undefined) {
    io.err(`postern: ${source}: state: ${unusable}; allowed: a directory that this user may write to\n`)
    return EXIT.configuration
  }
  const lock = lockState(settings.state)
  if (lock.status === 'held') {
    io.err(`postern: ${settings.state}: another gateway works with this state directory (${lock.by}); stop that one, or give this one a \`state\` of its own\n`)
    return EXIT.temporary
  }
  // A supervisor that waits before it replaces its last worker has nothing else that keeps it.
  const alive = setInterval(() => undefined, LONG_MS)
  try {
    return await serve(loaded, load, io)
  } finally {
    clearInterval(alive)
    lock.release()
  }
}

async function serve({ settings, source, warnings }: Extract<Read, { status: 'ok' }>, load: () => Read, io: RunIo): Promise<number> {
  if (source === EMBEDDED_SOURCE) {
    prepareMailboxes(settings)
    io.err(welcome(settings, io.cwd, painter(wantsColour(isatty(2), io.environment))))
  }
  const log = createLog(settings.log)
  logCrashesTo(log)
  for (const warning of warnings) log.warn({ warning }, 'warning in the configuration')
  if (process.geteuid?.() === 0) log.warn({}, AS_ROOT)
  await logDelivery(settings, source, log)
  const exitCode = await operate({
    settings,
    log,
    service: await createService(settings, log),
    notifier: createNotifier({ environment: io.environment, pid: process.pid, log, clock: systemClock }),
    load,
    onSignal: (signal, listener) => process.on(signal, listener),
    hungUp: terminalWatch(),
    err: io.err,
    facts: { version: io.version, node: process.versions.node, configuration: source, hostname: settings.hostname },
  })
  await log.flush()
  return exitCode
}

/**
 * Delivery never makes the folder above the mailboxes: where it is missing, a
 * disk is not mounted. A newcomer has not made one yet, so it is made here.
 */
function prepareMailboxes(settings: Settings): void {
  for (const hop of settings.hops.values()) {
    const template = hop.kind === 'maildir' ? parseMailboxTemplate(hop.path) : undefined
    if (template?.status === 'ok') mkdirSync(template.template.fixed, { recursive: true, mode: 0o700 })
  }
}

/** Large messages are kept there while they pass: without it they would be put off for ever, and small ones not. */
function prepareState(state: string): string | undefined {
  const directory = join(state, 'tmp')
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    accessSync(directory, constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function createService(settings: Settings, log: ProcessLog): Promise<Service> {
  if (settings.workers === 0) {
    const [{ inProcess }, { createGateway }] = await Promise.all([import('../supervisor/in-process.ts'), import('../gateway.ts')])
    return inProcess(createGateway(settings, { log }))
  }
  const [{ Supervisor }, { clusterFork }, { RuleReader }, { PatientRules }] = await Promise.all([import('../supervisor.ts'), import('../supervisor/cluster.ts'), import('../scoring/rule-reader.ts'), import('../scoring/patient-rules.ts')])
  const rules = new PatientRules({ log, reader: new RuleReader({ log }) })
  return new Supervisor(settings, { fork: clusterFork([], scoringSettings(settings).judges ? 'judging' : 'relaying'), clock: systemClock, log, readRules: (wanted, inUse) => readRules(rules, wanted, inUse), onLateRules: (take) => rules.onLate(take), settleRules: (kept) => rules.settle(kept), program: new OwnProgram(dirname(import.meta.dirname), log) })
}

/** Once for all workers, where they are going to ask for them. */
function readRules(source: PatientRules, settings: Settings, inUse: PackedRules | undefined): Promise<PackedRules> | undefined {
  const { judges, rules } = scoringSettings(settings)
  // What was read for others is of no use to those who read for themselves.
  if (!judges) source.pass()
  return judges ? source.read(rules, inUse) : undefined
}

function refuse(read: Exclude<Read, { status: 'ok' }>, io: RunIo): number {
  for (const error of read.errors) io.err(`postern: ${error}\n`)
  return read.exitCode
}

/** What start and reload take alike: settings that can be put in place, or why not. */
type Read =
  | Extract<Loaded, { status: 'ok' }>
  | { readonly status: 'invalid'; readonly errors: readonly string[]; readonly exitCode: number }

function readConfiguration(options: LoadOptions): Read {
  const loaded = loadConfiguration(options)
  switch (loaded.status) {
    case 'ok': {
      const errors = deliveryProblems(loaded.settings, loaded.source, processIdentity())
      return errors.length === 0 ? loaded : { status: 'invalid', errors, exitCode: EXIT.configuration }
    }
    case 'unreadable':
      return { status: 'invalid', errors: [`${loaded.source}: ${loaded.cause}`], exitCode: EXIT.noInput }
    case 'invalid':
      return { status: 'invalid', errors: loaded.errors.map(describeError), exitCode: EXIT.configuration }
  }
}

/** Users, aliases, a folder that is missing: mail for them waits (451), everything else goes on. */
async function logDelivery(settings: Settings, source: string, log: ProcessLog): Promise<void> {
  const { errors, warnings } = await checkDelivery(settings, source, processIdentity())
  for (const cause of errors) log.error({ cause }, 'delivery cannot work')
  for (const warning of warnings) log.warn({ warning }, 'warning of delivery')
}

/** Tells a SIGHUP of the operator from that of a terminal that was closed. */
function terminalWatch(): () => boolean {
  const onTerminal = hasTerminal()
  return () => onTerminal && !hasTerminal()
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    // ENXIO: no terminal controls this process.
    return false
  }
}
