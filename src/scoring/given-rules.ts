/**
 * Rules as a worker has them: its supervisor reads their files, once for all
 * workers, and gives them. Where it has none to give, or does not give them in
 * time, the worker reads the files itself; the log says so where that was not meant.
 * What a supervisor gives instead of the rules that are wanted replaces none in use:
 * this worker may have read for itself what the supervisor could not read.
 */
import type { Log } from '../observe/log.ts'
import type { PackedRules } from './packed-rules.ts'
import type { RuleFilesSettings } from './rule-files.ts'
import type { PatientRules } from './patient-rules.ts'
import type { RuleSource } from './rule-source.ts'
import { GIVEN_RULES_MS } from './rules-times.ts'

/** What the supervisor has given, or will. */
export class GivenRules {
  #arrive: ((rules: PackedRules | undefined) => void) | undefined
  /** undefined: nothing is to come; what it ends with is undefined where there was nothing to give */
  coming: Promise<PackedRules | undefined> | undefined

  expect(): void {
    this.coming = new Promise((resolve) => {
      this.#arrive = resolve
    })
  }

  /** Undefined: the supervisor has none. What this returns takes it back. */
  give(rules: PackedRules | undefined): () => void {
    const before = this.coming
    if (this.#arrive === undefined) this.coming = rules === undefined ? undefined : Promise.resolve(rules)
    this.#arrive?.(rules)
    this.#arrive = undefined
    return () => {
      this.coming = before
    }
  }

  /** Nobody gives any more. */
  abandon(): void {
    this.#arrive?.(undefined)
    this.#arrive = undefined
  }
}

export interface WorkerRulesParts {
  readonly log: Log
  readonly given: GivenRules
  /** where nothing was given */
  readonly own: Pick<PatientRules, 'read' | 'pass' | 'settle' | 'onLate' | 'close'>
  readonly timeoutMs?: number
}

export class WorkerRules implements RuleSource {
  readonly #parts: WorkerRulesParts

  constructor(parts: WorkerRulesParts) {
    this.#parts = parts
  }

  get underWay(): boolean {
    return this.#parts.given.coming !== undefined
  }

  async read(settings: RuleFilesSettings, inUse?: PackedRules): Promise<PackedRules> {
    const { log, given, own, timeoutMs = GIVEN_RULES_MS } = this.#parts
    if (given.coming === undefined) return own.read(settings, inUse)
    own.pass()
    const rules = await within(given.coming, timeoutMs)
    if (rules?.instead === true && inUse !== undefined) {
      log.warn({}, 'the supervisor could not read the rules anew; this worker keeps those in use')
      return inUse
    }
    if (rules !== undefined) return rules
    log.warn({}, 'the supervisor gave no rules; this worker reads them itself')
    return own.read(settings, inUse)
  }

  /** What it has read itself; those of the supervisor come with a reload. */
  onLate(take: (rules: PackedRules) => Promise<void>): void {
    this.#parts.own.onLate(take)
  }

  settle(kept: boolean): void {
    this.#parts.own.settle(kept)
  }

  close(): void {
    this.#parts.own.close()
    this.#parts.given.abandon()
  }
}

/** Undefined where it takes longer. */
async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs)
    timer.unref()
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
