/**
 * What it takes to make rules ready for use: each worker does it, at its start
 * and at each reload, while it serves mail, and keeps what it makes. Who reads
 * the rules does it first, where nobody waits, and within bounds: what takes more
 * than these is no use to the gateway.
 */
import { setImmediate } from 'node:timers/promises'
import { inSlices } from '../spam/rules/in-slices.ts'
import type { RuleSet } from '../spam/rules/rule-set.ts'
import { unpacking, type PackedRules } from './packed-rules.ts'
import { MOST_COST, type RulesCost } from './rules-bounds.ts'
import { TooMuch } from './too-much.ts'

const LOOK_MS = 20

/** It rejects with `TooMuch`. */
export async function costOf(packed: PackedRules, most = MOST_COST): Promise<RulesCost> {
  // What reading has left behind would be collected meanwhile, and they would seem the smaller for it.
  await setImmediate()
  const before = heldMb()
  const buffersBefore = buffersMb()
  const work = new Watched(unpacking(packed), (ms) => {
    if (ms > most.ms) throw new TooMuch(`to make them ready for use takes more than ${most.ms / 1000} s of computing`)
    if (buffersMb() - buffersBefore > most.mb) throw tooLarge(most.mb)
  })
  const set = await inSlices(work.steps())
  const { ms } = work
  const after = heldMb()
  const mb = before === undefined || after === undefined ? undefined : after - before
  // They are kept to here.
  if (mb !== undefined && set.rules.length > 0 && mb > most.mb) throw tooLarge(most.mb)
  return { ms, mb }
}

/** The same work; every now and then somebody looks. What others of this thread compute meanwhile does not count. */
class Watched {
  /** of computing, up to now */
  ms = 0
  readonly #work: Generator<void, RuleSet>
  readonly #look: (ms: number) => void

  constructor(work: Generator<void, RuleSet>, look: (ms: number) => void) {
    this.#work = work
    this.#look = look
  }

  * steps(): Generator<void, RuleSet> {
    let looked = performance.now()
    for (;;) {
      const began = spentMs()
      const step = nextOf(this.#work)
      this.ms += spentMs() - began
      if (step.done === true || performance.now() - looked >= LOOK_MS) {
        this.#look(this.ms)
        looked = performance.now()
      }
      if (step.done === true) return step.value
      yield
    }
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
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function buffersMb(): number {
  return process.memoryUsage().arrayBuffers / 1e6
}

function heldMb(): number | undefined {
  if (globalThis.gc === undefined) return undefined
  // What waits to be told of its end goes with the second.
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 1e6
}
