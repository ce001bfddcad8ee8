/**
 * What it takes to make rules ready for use: each worker does it, at its start
 * and at each reload, while it serves mail, and keeps what it makes. Who reads
 * the rules does it first, where nobody waits, and within bounds: what takes more
 * than these is no use to the gateway.
 */
import { inSlices } from '../spam/rules/in-slices.ts'
import type { RuleSet } from '../spam/rules/rule-set.ts'
import { unpacking, type PackedRules } from './packed-rules.ts'
import { TooMuch } from './too-much.ts'

export interface RulesCost {
  /** of computing */
  readonly ms: number
  /** what is kept; undefined: unknown, as where nobody can ask for the garbage to be collected */
  readonly mb: number | undefined
}

export type RulesBounds = { readonly [Key in keyof RulesCost]-?: number }

export const MOST_COST: RulesBounds = { ms: 10_000, mb: 256 }

const LOOK_MS = 20

/** It rejects with `TooMuch`. */
export async function costOf(packed: PackedRules, most = MOST_COST): Promise<RulesCost> {
  const before = heldMb()
  const buffersBefore = buffersMb()
  const began = spentMs()
  const set = await inSlices(watched(unpacking(packed), () => {
    if (spentMs() - began > most.ms) throw new TooMuch(`to make them ready for use takes more than ${most.ms / 1000} s of computing`)
    if (buffersMb() - buffersBefore > most.mb) throw tooLarge(most.mb)
  }))
  const ms = spentMs() - began
  const after = heldMb()
  const mb = before === undefined || after === undefined ? undefined : after - before
  // They are kept to here.
  if (mb !== undefined && set.rules.length > 0 && mb > most.mb) throw tooLarge(most.mb)
  return { ms, mb }
}

/** The same work; every now and then somebody looks. */
function* watched(work: Generator<void, RuleSet>, look: () => void): Generator<void, RuleSet> {
  let looked = performance.now()
  for (;;) {
    const step = nextOf(work)
    if (step.done === true || performance.now() - looked >= LOOK_MS) {
      look()
      looked = performance.now()
    }
    if (step.done === true) return step.value
    yield
  }
}

/** What is wrong with rules that could be read is wrong wherever they are made ready. */
function nextOf(work: Generator<void, RuleSet>): IteratorResult<void, RuleSet> {
  try {
    return work.next()
  } catch (error) {
    throw new TooMuch(`they cannot be made ready for use: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function tooLarge(mb: number): TooMuch {
  return new TooMuch(`ready for use they take more than ${mb} MB of memory in each worker`)
}

function spentMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function buffersMb(): number {
  return process.memoryUsage().arrayBuffers / 1e6
}

function heldMb(): number | undefined {
  if (globalThis.gc === undefined) return undefined
  globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 1e6
}
