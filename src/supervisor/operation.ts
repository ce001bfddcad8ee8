/**
 * A service from its start to its end, as signals and systemd have it:
 *
 * - SIGTERM or SIGINT: sessions finish, then exit code 0;
 * - a second SIGINT: everything ends at once, exit code 130;
 * - SIGHUP: the configuration is read again; a bad one is reported, error by
 *   error, and the old one stays;
 * - a service that cannot go on is stopped, and its exit code is ours.
 *
 * Returns the exit code. A start that fails is logged with its cause; what can
 * be done about it goes to standard error as well.
 */
import { EXIT, ExitError, exitCodeOf, explainError } from '../cli/exit-codes.ts'
import type { Settings } from '../config/settings.ts'
import type { ProcessLog } from '../observe/create-log.ts'
import type { ServiceNotifier } from '../observe/sd-notify.ts'
import { bindClashes } from './bind-clash.ts'
import { describeAddresses, type Service } from './service.ts'
import { removeStaleSockets, unixPaths } from './sockets.ts'

export interface OperationParts {
  readonly settings: Settings
  readonly service: Service
  readonly log: ProcessLog
  readonly notifier: ServiceNotifier
  /** Reads the configuration again. */
  readonly load: () => LoadedAgain
  readonly onSignal: (signal: NodeJS.Signals, listener: () => void) => void
  /** Whether the terminal that we were started on is gone. */
  readonly hungUp: () => boolean
  readonly err: (text: string) => void
  /** said once at the start */
  readonly facts: Readonly<Record<string, unknown>>
}

export type LoadedAgain =
  | { readonly status: 'ok'; readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly status: 'invalid'; readonly errors: readonly string[] }

const EXIT_BY_SIGINT = 130

export function operate(parts: OperationParts): Promise<number> {
  return new Promise((resolve, reject) => {
    new Operation(parts, resolve).run().catch(reject)
  })
}

class Operation {
  private readonly parts: OperationParts
  private readonly end: (exitCode: number) => void
  private settings: Settings
  private started = false
  private stopping = false
  private lastReload: Promise<void> = Promise.resolve()

  constructor(parts: OperationParts, end: (exitCode: number) => void) {
    this.parts = parts
    this.end = end
    this.settings = parts.settings
  }

  async run(): Promise<void> {
    const { onSignal, service, log, notifier, hungUp } = this.parts
    const stopOn = (signal: NodeJS.Signals) => (): void => {
      this.stop(signal)
    }
    onSignal('SIGTERM', stopOn('SIGTERM'))
    onSignal('SIGINT', stopOn('SIGINT'))
    onSignal('SIGHUP', () => {
      // Nobody is left to press Ctrl-C: a gateway on a closed terminal would run for ever.
      if (hungUp()) this.stop('SIGHUP')
      else this.reloadNext()
    })
    service.onFailure((why) => this.fail(why))
    notifier.watch(() => service.answers())
    try {
      await removeStaleSockets(unixPaths(this.settings))
      await service.start()
    } catch (error) {
      if (!this.stopping) this.failToStart(error)
      return
    }
    this.started = true
    if (this.stopping) return
    log.info({ ...this.parts.facts, workers: this.settings.workers, listening: describeAddresses(service.addresses()) }, 'started')
    await notifier.ready(this.status())
  }

  private status(): string {
    const { workers } = this.settings
    const processes = workers === 0 ? 'one process' : workers === 1 ? '1 worker' : `${workers} workers`
    return `${processes}, ${describeAddresses(this.parts.service.addresses())}`
  }

  private failToStart(error: unknown): void {
    const { log, err } = this.parts
    const exitCode = exitCodeOf(error)
    const [cause = '', ...advice] = explainError(error).split('\n')
    if (exitCode === EXIT.internal) log.error({ err: error }, 'cannot start')
    else log.error({ cause, exitCode }, 'cannot start')
    if (advice.length > 0) err(advice.join('\n') + '\n')
    this.end(exitCode)
  }

  private fail({ message: cause, exitCode }: ExitError): void {
    if (this.stopping) return
    this.parts.log.error({ cause, exitCode }, 'cannot go on, and ends')
    this.beginStop(exitCode)
  }

  private stop(signal: NodeJS.Signals): void {
    const { service, log } = this.parts
    if (this.stopping) {
      if (signal !== 'SIGINT') return
      log.warn({ signal }, 'ending at once; sessions are cut off')
      service.kill()
      this.end(EXIT_BY_SIGINT)
      return
    }
    log.info({ signal, waitAtMostMs: this.settings.timeouts.stopMs }, 'stopping')
    this.beginStop(EXIT.ok)
  }

  private beginStop(exitCode: number): void {
    const { service, log, notifier } = this.parts
    this.stopping = true
    notifier.close()
    void notifier.stopping('waiting for sessions to finish')
    const end = async (): Promise<void> => {
      await service.stop()
      log.info({}, 'stopped')
      this.end(exitCode)
    }
    end().catch((error: unknown) => {
      log.error({ err: error }, 'the stop failed')
      this.end(exitCodeOf(error))
    })
  }

  /** One after the other: each is about the file as it is when its turn comes. */
  private reloadNext(): void {
    this.lastReload = this.lastReload.then(() => this.reload())
  }

  private async reload(): Promise<void> {
    const { log, notifier } = this.parts
    if (!this.started || this.stopping) {
      log.warn({}, 'SIGHUP while starting or stopping: nothing was reloaded')
      return
    }
    void notifier.reloading()
    try {
      const changed = await this.takeUp()
      if (changed) log.info({ listening: describeAddresses(this.parts.service.addresses()), workers: this.settings.workers }, 'configuration reloaded')
    } catch (error) {
      log.error({ cause: explainError(error) }, 'the new configuration cannot be used; the old one stays')
    }
    // systemd waits for this whatever came of the reload.
    if (!this.isStopping()) await notifier.ready(this.status())
  }

  private async takeUp(): Promise<boolean> {
    const { load, log } = this.parts
    const loaded = load()
    if (loaded.status === 'invalid') {
      for (const error of loaded.errors) log.error({ cause: error }, 'error in the new configuration')
      log.error({ errors: loaded.errors.length }, 'the new configuration is wrong; the old one stays')
      return false
    }
    for (const warning of loaded.warnings) log.warn({ warning }, 'warning in the new configuration')
    const settings = this.keepWhatStays(loaded.settings)
    await removeStaleSockets(unixPaths(settings), unixPaths(this.settings))
    await this.reloadService(settings)
    this.settings = settings
    log.configure(settings.log)
    return true
  }

  private async reloadService(settings: Settings): Promise<void> {
    const { service } = this.parts
    try {
      await service.reload(settings)
    } catch (error) {
      // Of a worker's error the message alone comes here.
      const clashes = /\bEADDRINUSE\b/.test(String(error)) ? bindClashes(settings, service.addresses()) : []
      if (clashes.length === 0) throw error
      throw new ExitError(EXIT.temporary, clashes.join('; '))
    }
  }

  /**
   * With and without a supervisor are two ways to be started, and what is open in the
   * state directory stays open; everything else changes while running.
   */
  private keepWhatStays(next: Settings): Settings {
    const { workers, state } = this.settings
    const sameModel = (workers === 0) === (next.workers === 0)
    if (!sameModel) this.parts.log.warn({ now: workers, configured: next.workers }, 'workers: from or to 0 needs a restart; the number stays as it is')
    if (state !== next.state) this.parts.log.warn({ now: state, configured: next.state }, 'state: another directory needs a restart; it stays as it is, and commands that read the configuration look into the other one')
    return { ...next, state, ...(!sameModel && { workers }) }
  }

  /** Asked again after a wait, when it may have changed. */
  private isStopping(): boolean {
    return this.stopping
  }
}
