/**
 * A worker process: a gateway that is told over IPC what to do, and says how
 * it went. It ends by itself where nobody supervises it any more, after its
 * sessions have finished, and by SIGTERM likewise.
 *
 * SIGINT and SIGHUP come to a whole process group (Ctrl-C in a terminal); they
 * are the supervisor's to answer.
 */
import { EXIT, exitCodeOf, explainError } from '../cli/exit-codes.ts'
import type { Settings } from '../config/settings.ts'
import type { Gateway } from '../gateway.ts'
import { GivenRules, WorkerRules } from '../scoring/given-rules.ts'
import { PatientRules } from '../scoring/patient-rules.ts'
import { RuleReader } from '../scoring/rule-reader.ts'
import type { RuleSource } from '../scoring/rule-source.ts'
import type { Log } from '../observe/log.ts'
import type { ProcessLog } from '../observe/create-log.ts'
import type { FromWorker, ToWorker } from './messages.ts'

export interface WorkerParts {
  readonly channel: {
    send(message: FromWorker): void
    onMessage(listener: (message: ToWorker) => void): void
    /** the supervisor is gone */
    onDisconnect(listener: () => void): void
  }
  readonly onSignal: (signal: NodeJS.Signals, listener: () => void) => void
  readonly createGateway: (settings: Settings, context: { log: Log; rules: RuleSource }) => Gateway
  readonly createLog: (settings: Settings['log']) => ProcessLog
  readonly exit: (code: number) => void
}

export function runWorker(parts: WorkerParts): void {
  const { channel } = parts
  let running: Running | undefined
  let stopping = false
  const given = new GivenRules()
  // One thing after the other: a stop that comes in the middle of a start waits for its end.
  let last: Promise<void> = Promise.resolve()
  const enqueue = (action: () => Promise<void>): void => {
    last = last.then(action)
  }
  const stop = (): void => {
    if (stopping) return
    stopping = true
    enqueue(async () => {
      await running?.gateway.stop()
      await running?.log.flush()
      parts.exit(EXIT.ok)
    })
  }

  channel.onMessage((message) => {
    switch (message.type) {
      case 'start':
        if (message.rulesFollow === true) given.expect()
        return enqueue(async () => {
          running = await start(parts, message.settings, given)
        })
      case 'rules':
        // A message may wait for them, and a stop for the message.
        given.give(message.rules)
        return
      case 'reload':
        return enqueue(() => reload(running, message, { ...parts, given }))
      case 'stop':
        return stop()
      case 'ping':
        // Not in its turn: it asks whether this process runs, not what it is busy with.
        return channel.send({ type: 'pong' })
    }
  })
  channel.onDisconnect(() => {
    running?.log.warn({}, 'the supervisor is gone; worker finishes its sessions and stops')
    given.abandon()
    stop()
  })
  parts.onSignal('SIGTERM', stop)
  parts.onSignal('SIGINT', () => undefined)
  parts.onSignal('SIGHUP', () => undefined)
  channel.send({ type: 'up' })
}

interface Running {
  readonly gateway: Gateway
  readonly log: ProcessLog
}

async function start({ createGateway, createLog, channel, exit }: WorkerParts, settings: Settings, given: GivenRules): Promise<Running | undefined> {
  try {
    const log = createLog(settings.log)
    const rules = new WorkerRules({ log, given, own: new PatientRules({ log, reader: new RuleReader({ log }) }) })
    const gateway = createGateway(settings, { log, rules })
    await gateway.start()
    channel.send({ type: 'ready', addresses: gateway.addresses() })
    return { gateway, log }
  } catch (error) {
    const exitCode = exitCodeOf(error)
    channel.send({ type: 'failed', exitCode, message: describeFailure(error, exitCode) })
    exit(exitCode)
    return undefined
  }
}

type Reload = Extract<ToWorker, { type: 'reload' }>

async function reload(running: Running | undefined, { settings, rules }: Reload, { channel, given }: Pick<WorkerParts, 'channel'> & { readonly given: GivenRules }): Promise<void> {
  if (running === undefined) return
  const { gateway, log } = running
  const takeBack = given.give(rules)
  try {
    await gateway.reload(settings)
    log.configure(settings.log)
    channel.send({ type: 'reloaded', addresses: gateway.addresses() })
  } catch (error) {
    takeBack()
    const exitCode = exitCodeOf(error)
    channel.send({ type: 'reload-failed', exitCode, message: describeFailure(error, exitCode) })
  }
}

/** Of a bug the stack is wanted, of everything else what to do about it. */
function describeFailure(error: unknown, exitCode: number): string {
  return exitCode === EXIT.internal && error instanceof Error ? (error.stack ?? error.message) : explainError(error)
}
