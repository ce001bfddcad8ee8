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
import { MOST_COST, type RulesBounds, type RulesCost } from './rules-bounds.ts'
import { TooMuch } from './too-much.ts'

const LOOK_MS = 20

export interface CostOptions {
  /** what they may take */
  readonly most?: RulesBounds
  /** of `performance.now()`: whoever waits is gone then */
  readonly until?: number
}

/** More than the bound of one of both; or there was no time left. */
export class TooDear extends TooMuch {
  readonly by: keyof RulesCost | 'until'
  /** of computing, up to then */
  readonly ms: number

  constructor(by: TooDear['by'], message: string, ms = 0) {
    super(message, { mayPass: by !== 'mb' })
    this.by = by
    this.ms = ms
  }
}

/** It rejects with `TooDear`, or with `TooMuch` where they cannot be made ready. */
export async function costOf(packed: PackedRules, { most = MOST_COST, until = Infinity }: CostOptions = {}): Promise<RulesCost> {
  // What reading has left behind would be collected meanwhile, and they would seem the smaller for it.
  await setImmediate()
  const before = heldMb()
  const { set, ms } = await made(packed, { most, until, before })
  const after = before === undefined ? undefined : heldMb()
  const mb = before === undefined || after === undefined ? undefined : after - before
  // They are kept to here.
  if (mb !== undefined && set.rules.length > 0 && mb > most.mb) throw tooLarge(most.mb)
  return { ms, mb }
}

export interface MakingBounds extends Required<CostOptions> {
  /** what is held without them; undefined: not known, or of no interest */
  readonly before: number | undefined
}

/** How long it took, and what came of it. It rejects as `costOf` does. */
export async function made(packed: PackedRules, { most, until, before }: MakingBounds): Promise<{ readonly set: RuleSet; readonly ms: number }> {
  const memory = new Memory(before, most.mb)
  const began = performance.now()
  const work = new Watched(unpacking(packed), (ms) => {
    if (ms > most.ms) throw new TooDear('ms', `to make them ready for use takes more than ${most.ms / 1000} s of computing`, ms)
    if (performance.now() > until) throw new TooDear('until', `they were not ready for use after ${Math.round((performance.now() - began) / 1000)} s, and there was no more time`, ms)
    memory.look()
  })
  const set = await inSlices(work.steps())
  return { set, ms: work.ms }
}

/** What is taken while the work is under way: buffers at once, everything else without its garbage. */
class Memory {
  readonly #buffers = buffersMb()
  readonly #before: number | undefined
  readonly #most: number
  /** Garbage is collected when there is so much more than now. */
  #next: number

  constructor(before: number | undefined, most: number) {
    this.#before = before
    this.#most = most
    this.#next = 2 * most
  }

  look(): void {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    if (arrayBuffers / 1e6 - this.#buffers > this.#most) throw tooLarge(this.#most)
    if (this.#before === undefined || (heapUsed + arrayBuffers) / 1e6 - this.#before < this.#next) return
    const held = (heldMb() ?? 0) - this.#before
    if (held > this.#most) throw tooLarge(this.#most)
    this.#next = held + this.#most
  }
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
    throw new TooMuch(`they cannot be made ready for use: ${error instanceof Error ? error.message : String(error)}`, { mayPass: false })
  }
}

function tooLarge(mb: number): TooDear {
  return new TooDear('mb', `ready for use they take more than ${mb} MB of memory in each worker`)
}

function spentMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function buffersMb(): number {
  return process.memoryUsage().arrayBuffers / 1e6
}

/**
 * Undefined: nobody can tell.
 * @param times garbage is collected: what waits to be told of its end goes with the second
 */
export function heldMb(times = 2): number | undefined {
  if (globalThis.gc === undefined) return undefined
  for (let time = 0; time < times; time++) globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 1e6
}
