/**
 * Reads rules, and where some of those that are wanted cannot be had for a reason that
 * may pass (no time, no memory, a process that was killed, a file that the system cannot
 * read), tries again: after a minute, then less and less often, some thirty times within
 * a day. What can be had at last is given to whoever wants it; the log tells each try.
 * Where only somebody can mend them, nothing is tried.
 *
 * Tries are for the settings that are in force. A reading for others puts them off until
 * `settle` says what became of those: kept, and the tries are for them, if any are needed;
 * or refused, and the former tries go on.
 */
import type { Log } from '../observe/log.ts'
import { sameRules, type PackedRules } from './packed-rules.ts'
import type { RuleFilesSettings } from './rule-files.ts'
import { againFor, factsOf, mayPass, type RuleReader } from './rule-reader.ts'
import type { RuleSource } from './rule-source.ts'

const FIRST_MS = 60_000
const MOST_MS = 3_600_000
const MOST_TRIES = 30

export interface PatientRulesParts {
  readonly log: Log
  readonly reader: Pick<RuleReader, 'read' | 'wanted' | 'told' | 'close'>
  readonly after?: (delayMs: number, action: () => void) => () => void
}

interface Plan {
  readonly settings: RuleFilesSettings
  readonly inUse: PackedRules
  /** how many there were */
  readonly tries: number
}

export class PatientRules implements RuleSource {
  readonly underWay = false
  readonly #parts: PatientRulesParts
  #take: (rules: PackedRules) => Promise<void> = () => Promise.resolve()
  /** what was asked for last; another one means that nobody waits for this one any more */
  #asked = {}
  #callOff = (): void => undefined
  /** what is tried, now or later, for the settings in force */
  #plan: Plan | undefined
  /** what would be tried for settings that are not in force yet; undefined: there are none such */
  #proposed: { readonly plan?: Plan; readonly cause?: string } | undefined

  constructor(parts: PatientRulesParts) {
    this.#parts = parts
  }

  onLate(take: (rules: PackedRules) => Promise<void>): void {
    this.#take = take
  }

  async read(settings: RuleFilesSettings, inUse?: PackedRules): Promise<PackedRules> {
    const asked = this.#putOff()
    const { packed, again } = await this.#parts.reader.read(settings, inUse)
    if (this.#asked === asked) this.#proposed = again === undefined ? {} : { plan: { settings, inUse: packed, tries: 0 }, cause: again }
    return packed
  }

  /** Somebody else reads for the new settings, or nobody does. */
  pass(): void {
    this.#putOff()
    this.#proposed = {}
  }

  /** @param kept whether what was read last is in force now */
  settle(kept: boolean): void {
    const { plan } = kept ? this.#proposed ?? {} : { plan: this.#plan }
    if (kept && this.#proposed === undefined) return
    const cause = this.#proposed?.cause
    this.#putOff()
    this.#plan = undefined
    if (plan === undefined) return
    const againInMs = this.#later(plan)
    if (kept) this.#parts.log.warn({ cause, againInMs }, 'the rules of this site are read again later')
  }

  close(): void {
    this.#putOff()
    this.#plan = undefined
    this.#parts.reader.close()
  }

  /** A try that is under way is for nobody. */
  #putOff(): object {
    this.#callOff()
    this.#proposed = undefined
    this.#asked = {}
    return this.#asked
  }

  /** In how many milliseconds; undefined: never. */
  #later(next: Plan): number | undefined {
    this.#plan = next.tries >= MOST_TRIES ? undefined : next
    if (this.#plan === undefined) return undefined
    const inMs = Math.min(FIRST_MS * 2 ** next.tries, MOST_MS)
    this.#callOff = (this.#parts.after ?? unhurried)(inMs, () => void this.#again({ ...next, tries: next.tries + 1 }))
    return inMs
  }

  async #again(now: Plan): Promise<void> {
    const asked = this.#asked
    const { reader } = this.#parts
    try {
      const reading = await reader.wanted(now.settings, now.inUse)
      if (this.#asked !== asked) return
      const again = againFor(reading)
      const isNew = !sameRules(reading.packed, now.inUse)
      // What was unreadable may be wrong in other ways, now that it is read.
      if (isNew || again === undefined) reader.told(reading)
      if (isNew) await this.#take(reading.packed)
      if (this.#asked !== asked) return
      if (again === undefined) this.#done(now, reading.problems.length)
      else this.#missed({ ...now, inUse: isNew ? reading.packed : now.inUse }, { cause: again })
    } catch (error) {
      if (this.#asked === asked) this.#failed(now, error instanceof Error ? error : new Error(String(error)))
    }
  }

  #done({ tries }: Plan, problems: number): void {
    this.#plan = undefined
    if (problems === 0) this.#parts.log.info({ tries }, 'the rules of this site are in use at last')
    else this.#parts.log.warn({ tries, problems }, 'the rules of this site are read at last, but not all of them can be used')
  }

  #failed(now: Plan, error: Error): void {
    if (mayPass(error)) {
      this.#missed(now, factsOf(error))
      return
    }
    this.#plan = undefined
    this.#parts.log.error({ ...factsOf(error), tries: now.tries }, 'the rules of this site cannot be used; reload after mending them')
  }

  #missed(now: Plan, facts: ReturnType<typeof factsOf>): void {
    const { log } = this.#parts
    const againInMs = this.#later(now)
    if (againInMs === undefined) log.error({ ...facts, tries: now.tries }, 'the rules of this site still cannot be read, and it is not tried again; reload after mending them')
    else log.warn({ ...facts, tries: now.tries, againInMs }, 'the rules of this site still cannot be read')
  }
}

function unhurried(delayMs: number, action: () => void): () => void {
  const timer = setTimeout(action, delayMs).unref()
  return () => clearTimeout(timer)
}
