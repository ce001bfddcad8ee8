/**
 * Reads rules in a process of its own (rules-process.ts), and tells in the log what
 * cannot be used of them. Where that fails, this process reads them itself. Where it
 * had not enough time or memory, or whoever uses them would not have, nothing more is
 * risked for them: those in use stay, and where there are none yet, the rules that come
 * with Postern are used alone. The log says so, and whether it is worth to try again:
 * whoever asked may do that later (patient-rules.ts). It rejects with a bug, where even
 * these cannot be read (unless others are in use), or after `close`; and always ends.
 */
import type { ChildProcess } from 'node:child_process'
import { describeError } from '../config/problem.ts'
import type { Log } from '../observe/log.ts'
import type { SampleProof } from '../spam/rules/load.ts'
import type { PackedRules } from './packed-rules.ts'
import { isNoBug, readApart, within, type ApartParts } from './read-apart.ts'
import type { RuleFilesSettings } from './rule-files.ts'
import { MOST_COST, MOST_COST_AT_START } from './rules-bounds.ts'
import { readTask, type RulesReading, type RulesTask } from './rules-task.ts'
import { READING_MS, WANTED_RULES_MS } from './rules-times.ts'
import { tellProblems } from './tell-rules.ts'
import { TooMuch } from './too-much.ts'
import { ShippedRulesUnread } from './unread-rules.ts'

/** What came of a reading. */
export interface RulesRead {
  readonly packed: PackedRules
  /** why it is not all that is wanted, where that may pass */
  readonly again: string | undefined
}

export interface RuleReaderParts extends Omit<ApartParts, 'running'> {
  readonly log: Log
  /** for what is wanted */
  readonly timeoutMs?: number
  /** reads them in this process */
  readonly here?: (task: RulesTask) => Promise<RulesReading>
}

export class RuleReader {
  readonly #parts: RuleReaderParts
  readonly #running = new Set<ChildProcess>()
  /** of the latest reading: samples of the same files are not run again */
  #proof: SampleProof | undefined
  #closed = false

  constructor(parts: RuleReaderParts) {
    this.#parts = parts
  }

  /** @param inUse what it resolves with where these cannot be had; undefined: there are none yet */
  async read(settings: RuleFilesSettings, inUse?: PackedRules): Promise<RulesRead> {
    try {
      const reading = await this.wanted(settings, inUse)
      return { packed: this.told(reading), again: againFor(reading) }
    } catch (error) {
      if (!isNoBug(error)) throw error
      const { log, here = readTask } = this.#parts
      const again = mayPass(error) ? error.message : undefined
      const remedy = again === undefined ? 'reload after mending them' : 'it is tried again'
      if (inUse !== undefined) {
        log.error(factsOf(error), `the rules could not be read anew; those in use stay; ${remedy}`)
        return { packed: inUse, again }
      }
      if (error instanceof ShippedRulesUnread) throw error
      log.error(factsOf(error), `the rules of this site cannot be read; those that come with Postern are ${settings.shipped ? 'used alone' : 'not wanted (shipped_rules), and none are used'}; ${remedy}`)
      const packed = this.told(await within(READING_MS - WANTED_RULES_MS, () => here({ settings: { ...settings, paths: [], spamassassin: [] }, proof: undefined })))
      return { packed: { ...packed, instead: true }, again }
    }
  }

  /** These or none: it rejects with `TooMuch` and `ShippedRulesUnread` too, and tells nothing. */
  async wanted(settings: RuleFilesSettings, inUse: PackedRules | undefined): Promise<RulesReading> {
    if (this.#closed) throw new Error('rules are not read any more')
    const { timeoutMs = WANTED_RULES_MS } = this.#parts
    const task: RulesTask = { settings, proof: this.#proof, most: inUse === undefined || inUse.instead === true ? MOST_COST_AT_START : MOST_COST }
    return within(timeoutMs, (late) => this.#inItsProcess(task, late))
  }

  /** What is to be used of it from now on. */
  told({ packed, problems, proof }: RulesReading): PackedRules {
    this.#proof = proof
    tellProblems(problems, this.#parts.log)
    return packed
  }

  /** A reading that is under way rejects. */
  close(): void {
    this.#closed = true
    for (const child of this.#running) child.kill('SIGKILL')
  }

  /** In a process of their own, and without it where that breaks. */
  async #inItsProcess(task: RulesTask, late: AbortSignal): Promise<RulesReading> {
    try {
      return await readApart(task, late, { ...this.#parts, running: this.#running })
    } catch (error) {
      if (this.#closed) throw new Error(`closed while rules were read: ${textOf(error)}`, { cause: error })
      if (isNoBug(error) || late.aborted) throw error
      this.#parts.log.warn({ cause: textOf(error) }, 'the process that reads rules has failed; they are read without it')
      const { here = readTask } = this.#parts
      return here(task)
    }
  }
}

/** Undefined: it would end the same way again, or there is nothing more to be had. */
export function againFor({ unread: [first] }: RulesReading): string | undefined {
  return first === undefined ? undefined : describeError(first)
}

export function mayPass(error: Error): boolean {
  return error instanceof TooMuch ? error.about.mayPass : true
}

export function factsOf(error: Error): { readonly cause: string; readonly dearest?: string } {
  const dearest = error instanceof TooMuch ? error.about.dearest : undefined
  return { cause: error.message, ...(dearest !== undefined && { dearest }) }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
