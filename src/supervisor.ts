/**
 * The supervisor: keeps `workers` worker processes running on shared listening
 * sockets, replaces those that die or do not answer any more, passes on new
 * settings, and stops them. It reads the rules that messages are scored by, once
 * for all workers.
 * It carries no mail itself and holds nothing that a crash could lose.
 *
 * A start at which every worker fails ends with the first one's reason; later
 * deaths are survived, with back-off. `reload` is all or nothing: where one
 * worker cannot take up the settings, all go back to those they had.
 */
import { EXIT, ExitError } from './cli/exit-codes.ts'
import type { Settings } from './config/settings.ts'
import type { Log } from './observe/log.ts'
import type { PackedRules } from './scoring/packed-rules.ts'
import { factsOfUnread } from './scoring/unread-rules.ts'
import { Backoff } from './supervisor/backoff.ts'
import type { Clock } from './supervisor/clock.ts'
import { RESTART, type OwnProgram } from './supervisor/own-program.ts'
import type { Addresses, Service } from './supervisor/service.ts'
import { Slot, type Death, type Failure, type WorkerProcess } from './supervisor/slot.ts'

export interface SupervisorParts {
  readonly fork: () => WorkerProcess
  readonly clock: Clock
  readonly log: Log
  /**
   * undefined: with these settings hardly anybody will ask for rules, and each worker is to read them when it wants them
   * @param inUse by workers now, if any: where the new ones cannot be had, these stay
   */
  readonly readRules: (settings: Settings, inUse: PackedRules | undefined) => Promise<PackedRules> | undefined
  /** who takes those that could be had only later, for the settings of the latest reading */
  readonly onLateRules?: (take: (rules: PackedRules) => Promise<void>) => void
  /** what became of the settings that rules were read for last: in force, or refused */
  readonly settleRules?: (kept: boolean) => void
  /** undefined: nobody looks whether its files are still the same */
  readonly program?: Pick<OwnProgram, 'remember' | 'isAsStarted'>
}

const OTHER_PROGRAM = `the program in its folder is not the one that was started; ${RESTART}`
/** How often it is looked whether the program is again the one that runs, so that a worker can be replaced. */
const OTHER_PROGRAM_MS = 30_000
/** The same where no worker is left. */
const NOBODY_LEFT_MS = 5000
/** A build or an installation may be over by then. */
const MOST_WITHOUT_WORKERS_MS = 30_000

type RulesReading = Promise<PackedRules | undefined> | undefined

interface Place {
  readonly slot: Slot
  readonly backoff: Backoff
  cancelRelaunch: () => void
  /** of its first worker, while the start is not decided */
  death: Death | undefined
}

interface Start {
  /** slots whose first worker is neither ready nor dead yet */
  readonly open: Set<Slot>
  readonly resolve: () => void
  readonly reject: (error: ExitError) => void
  /** in order of time */
  readonly deaths: Death[]
}

export class Supervisor implements Service {
  private settings: Settings
  private readonly parts: SupervisorParts
  private places: Place[] = []
  /** that a reload made surplus, each until it has stopped */
  private readonly retiring = new Map<Slot, Promise<void>>()
  private starting: Start | undefined
  private stopping = false
  private reloading = false
  /** reloads, and rules that come late, one after the other */
  private turn: Promise<unknown> = Promise.resolve()
  private bound: Addresses = new Map()
  private launched = 0
  /** for the settings as they are */
  private rules: RulesReading
  /** since when no worker is left, and none may be started */
  private nobodySince: number | undefined
  private onFailed: (why: ExitError) => void = () => undefined
  /** workers may have read rules for themselves, and keep them where others were given instead of the wanted ones */
  private ownRules = false

  constructor(settings: Settings, parts: SupervisorParts) {
    this.settings = settings
    this.parts = parts
    parts.onLateRules?.((rules) => this.takeLate(rules, this.rules))
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const open = new Set<Slot>()
      this.starting = { open, resolve, reject, deaths: [] }
      this.rules = this.readRules(this.settings, undefined)
      void this.rules?.then(() => this.parts.settleRules?.(true))
      // All are known before the first can answer.
      for (let i = 0; i < this.settings.workers; i++) open.add(this.addPlace().slot)
      for (const { slot } of this.places) slot.launch()
      // While they load it.
      this.parts.program?.remember()
    })
  }

  onFailure(listener: (why: ExitError) => void): void {
    this.onFailed = listener
  }

  reload(next: Settings): Promise<void> {
    return this.inTurn(async () => {
      if (!this.isProgramAsStarted()) throw new ExitError(EXIT.temporary, OTHER_PROGRAM)
      try {
        await this.change(next, (inUse) => this.readRules(next, inUse))
      } catch (error) {
        this.parts.settleRules?.(false)
        throw error
      }
      this.parts.settleRules?.(true)
    })
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.turn.then(work)
    // Whoever asked hears of a failure; the next in turn need not.
    this.turn = mine.catch(() => undefined)
    return mine
  }

  /** Workers take them as they take new settings, one after the other; a worker that is starting does when it is ready. */
  private takeLate(rules: PackedRules, before: RulesReading): Promise<void> {
    return this.inTurn(async () => {
      // A reload has read others meanwhile.
      if (this.rules !== before) return
      if (!this.isProgramAsStarted()) throw new ExitError(EXIT.temporary, OTHER_PROGRAM)
      await this.change({ ...this.settings }, () => Promise.resolve(rules), 'one by one')
    })
  }

  private async change(next: Settings, read: (inUse: PackedRules | undefined) => RulesReading, how: 'at once' | 'one by one' = 'at once'): Promise<void> {
    this.reloading = true
    let rules: RulesReading
    try {
      // What was begun before is given to workers before.
      const inUse = await this.rules
      this.ownRules ||= inUse === undefined
      rules = read(inUse)
      const given = await rules
      await (how === 'at once' ? this.reloadAll(next, given) : this.reloadOneByOne(next, given))
      this.ownRules &&= given === undefined || given.instead === true
    } finally {
      this.reloading = false
    }
    if (this.stopping) return
    this.settings = next
    this.rules = rules
    this.catchUp()
    this.resize(next.workers)
  }

  async stop(): Promise<void> {
    this.stopping = true
    for (const place of this.places) place.cancelRelaunch()
    await Promise.all([...this.places.map(({ slot }) => slot.stop(this.settings.timeouts.stopMs)), ...this.retiring.values()])
    this.starting?.resolve()
    this.starting = undefined
  }

  kill(): void {
    this.stopping = true
    for (const { slot, cancelRelaunch } of this.places) {
      cancelRelaunch()
      slot.kill()
    }
    for (const slot of this.retiring.keys()) slot.kill()
  }

  addresses(): Addresses {
    return this.bound
  }

  answers(): boolean {
    return [...this.places.map(({ slot }) => slot), ...this.retiring.keys()].every((slot) => slot.answers())
  }

  /** Where the rules cannot be read here, each worker tries for itself. */
  private readRules(settings: Settings, inUse: PackedRules | undefined): RulesReading {
    return this.parts.readRules(settings, inUse)?.catch((error: unknown) => {
      if (!this.stopping) this.parts.log.error(factsOfUnread(error), 'rules could not be read for the workers')
      return undefined
    })
  }

  private async reloadAll(next: Settings, rules: PackedRules | undefined): Promise<void> {
    const ready = this.places.map(({ slot }) => slot).filter((slot) => slot.phase === 'ready')
    const outcomes = await Promise.all(ready.map((slot) => slot.reload(next, rules)))
    const failed = outcomes.find((outcome) => outcome.status === 'failed')
    if (failed === undefined) {
      for (const outcome of outcomes) if (outcome.status === 'ok') this.bound = outcome.addresses
      return
    }
    await this.goBack(ready.filter((slot) => slot.settings === next))
    throw new ExitError(failed.failure.exitCode, failed.failure.message)
  }

  /** Nobody waits for it: mail flows at the other workers, and where one hangs in it the others do not. */
  private async reloadOneByOne(next: Settings, rules: PackedRules | undefined): Promise<void> {
    const ready = this.places.map(({ slot }) => slot).filter((slot) => slot.phase === 'ready')
    for (const slot of ready) {
      const outcome = await slot.reload(next, rules)
      if (this.stopping) return
      if (outcome.status === 'ok') continue
      await this.goBack(ready.filter((other) => other.settings === next))
      if (outcome.status === 'failed') throw new ExitError(outcome.failure.exitCode, outcome.failure.message)
      throw new ExitError(EXIT.temporary, 'a worker ended while it took them up')
    }
  }

  private addPlace(): Place {
    const slot = new Slot(++this.launched, {
      ...this.parts,
      settings: () => this.settings,
      rules: () => this.rules,
      // Looked at once more when it has loaded everything. The first ones have loaded what was started.
      fits: () => this.starting !== undefined || this.isProgramAsStarted(),
      onReady: (ready, addresses) => this.onReady(ready, addresses),
      onDeath: (dead, death) => this.onDeath(dead, death),
    })
    const place: Place = { slot, backoff: new Backoff(), cancelRelaunch: () => undefined, death: undefined }
    this.places.push(place)
    return place
  }

  private onReady(slot: Slot, addresses: Addresses): void {
    this.bound = addresses
    this.parts.log.debug({ worker: slot.pid }, 'worker is ready')
    if (this.starting !== undefined) this.report(this.starting, slot)
    else this.catchUp()
  }

  private onDeath(slot: Slot, death: Death): void {
    const place = this.places.find((candidate) => candidate.slot === slot)
    // Told to go, or no longer one of ours.
    if (this.stopping || place === undefined) return
    if (this.starting !== undefined) {
      place.death = death
      this.starting.deaths.push(death)
      this.report(this.starting, slot)
      return
    }
    this.relaunch(place, death)
  }

  /** A slot's first worker is ready or dead. The start is decided when all have reported. */
  private report(starting: Start, slot: Slot): void {
    starting.open.delete(slot)
    if (starting.open.size > 0) return
    this.starting = undefined
    const [first] = starting.deaths
    if (first !== undefined && starting.deaths.length === this.places.length) {
      const { exitCode, message } = failureOf(first)
      starting.reject(new ExitError(exitCode, message))
      return
    }
    for (const place of this.places) {
      if (place.death !== undefined) this.relaunch(place, place.death)
    }
    this.catchUp()
    starting.resolve()
  }

  private relaunch(place: Place, death: Death): void {
    const delayMs = place.backoff.afterDeath(death.livedMs)
    const facts = {
      slot: place.slot.number,
      code: death.code ?? undefined,
      signal: death.signal ?? undefined,
      cause: death.failure?.message,
      livedMs: Math.round(death.livedMs),
      againInMs: delayMs,
    }
    // Somebody may have sent it a SIGTERM of its own: then it stopped in good order.
    if (death.code === 0) this.parts.log.warn(facts, 'worker ended and is replaced')
    else this.parts.log.error(facts, 'worker died and is replaced')
    place.cancelRelaunch = this.parts.clock.after(delayMs, () => this.launchAgain(place))
  }

  /** Never out of other files than this process: it goes on with the workers that it has, and ends where none is left. */
  private launchAgain(place: Place): void {
    const now = this.parts.clock.nowMs()
    const mayStart = this.isProgramAsStarted()
    const nobodyLeft = this.places.every(({ slot }) => slot.phase === 'gone')
    this.nobodySince = mayStart || !nobodyLeft ? undefined : this.nobodySince ?? now
    if (mayStart) {
      place.slot.launch()
      return
    }
    if (this.nobodySince !== undefined && now - this.nobodySince >= MOST_WITHOUT_WORKERS_MS) {
      this.onFailed(new ExitError(EXIT.temporary, `no worker is left, and ${OTHER_PROGRAM}`))
      this.onFailed = () => undefined
      return
    }
    place.cancelRelaunch = this.parts.clock.after(nobodyLeft ? NOBODY_LEFT_MS : OTHER_PROGRAM_MS, () => this.launchAgain(place))
  }

  private isProgramAsStarted(): boolean {
    return this.parts.program?.isAsStarted() ?? true
  }

  /** A worker that was starting during a reload has the settings of before. */
  private catchUp(): void {
    if (this.reloading) return
    for (const { slot } of this.places) {
      if (slot.phase !== 'ready' || slot.settings === this.settings) continue
      void this.catchUpOne(slot, { settings: this.settings, reading: this.rules })
    }
  }

  private async catchUpOne(slot: Slot, { settings, reading }: { readonly settings: Settings; readonly reading: RulesReading }): Promise<void> {
    const outcome = await slot.reload(settings, await reading)
    if (outcome.status !== 'failed') return
    this.parts.log.error({ worker: slot.pid, cause: outcome.failure.message }, 'worker cannot take up the configuration and is killed')
    slot.kill()
  }

  private async goBack(slots: readonly Slot[]): Promise<void> {
    const rules = this.ownRules ? undefined : asWanted(await this.rules)
    const outcomes = await Promise.all(slots.map((slot) => slot.reload(this.settings, rules)))
    for (const [index, outcome] of outcomes.entries()) {
      // It had these settings a moment ago; a new process will take them.
      if (outcome.status === 'failed') slots[index]?.kill()
    }
  }

  private resize(workers: number): void {
    while (this.places.length < workers) this.addPlace().slot.launch()
    for (const { slot, cancelRelaunch } of this.places.splice(workers)) {
      cancelRelaunch()
      this.retiring.set(slot, slot.stop(this.settings.timeouts.stopMs).then(() => void this.retiring.delete(slot)))
    }
  }
}

/** They were in use: for who goes back to them they stand instead of nothing. */
function asWanted(rules: PackedRules | undefined): PackedRules | undefined {
  return rules === undefined ? undefined : { pieces: rules.pieces, problems: rules.problems, passedOver: rules.passedOver }
}

function failureOf(death: Death): Failure {
  if (death.failure !== undefined) return death.failure
  const how = death.signal === null ? `with exit code ${death.code ?? 'unknown'}` : `by ${death.signal}`
  return { exitCode: EXIT.internal, message: `a worker ended at its start ${how}` }
}
