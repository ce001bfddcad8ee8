/**
 * Reads rules, and where some of those that are wanted cannot be had for a reason that
 * may pass (no time, no memory, a process that was killed, a file that the system cannot
 * read), tries again: after a minute, then less and less often, some thirty times within
 * a day. What can be had at last is given to whoever wants it; the log tells each try.
 * The next reading that somebody asks for takes its place, and where only somebody can
 * mend them, nothing is tried.
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

interface Try {
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

  constructor(parts: PatientRulesParts) {
    this.#parts = parts
  }

  onLate(take: (rules: PackedRules) => Promise<void>): void {
    this.#take = take
  }

  async read(settings: RuleFilesSettings, inUse?: PackedRules): Promise<PackedRules> {
    const asked = this.rest()
    const { packed, again } = await this.#parts.reader.read(settings, inUse)
    if (again !== undefined && this.#asked === asked) this.#parts.log.warn({ cause: again, againInMs: this.#later({ settings, inUse: packed, tries: 0 }) }, 'the rules of this site are read again later')
    return packed
  }

  /** Nothing is tried any more before the next reading. */
  rest(): object {
    this.#callOff()
    this.#asked = {}
    return this.#asked
  }

  close(): void {
    this.rest()
    this.#parts.reader.close()
  }

  /** In how many milliseconds; undefined: never. */
  #later(next: Try): number | undefined {
    if (next.tries >= MOST_TRIES) return undefined
    const inMs = Math.min(FIRST_MS * 2 ** next.tries, MOST_MS)
    this.#callOff = (this.#parts.after ?? unhurried)(inMs, () => void this.#again({ ...next, tries: next.tries + 1 }))
    return inMs
  }

  async #again(now: Try): Promise<void> {
    const asked = this.#asked
    const { log, reader } = this.#parts
    try {
      const reading = await reader.wanted(now.settings, now.inUse)
      if (this.#asked !== asked) return
      const isNew = !sameRules(reading.packed, now.inUse)
      const packed = isNew ? reader.told(reading) : now.inUse
      if (isNew) await this.#take(packed)
      if (this.#asked !== asked) return
      const again = againFor(reading)
      if (again === undefined) log.info({ tries: now.tries }, 'the rules of this site are in use at last')
      else this.#missed({ ...now, inUse: packed }, { cause: again })
    } catch (error) {
      if (this.#asked === asked) this.#failed(now, error instanceof Error ? error : new Error(String(error)))
    }
  }

  #failed(now: Try, error: Error): void {
    if (mayPass(error)) this.#missed(now, factsOf(error))
    else this.#parts.log.error({ ...factsOf(error), tries: now.tries }, 'the rules of this site cannot be used; reload after mending them')
  }

  #missed(now: Try, facts: ReturnType<typeof factsOf>): void {
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
