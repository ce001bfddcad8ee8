/** One check as it was done: what it found, how long it took, and the DNS answers behind it. */
import type { Resolver } from '../dns/resolver.ts'
import { TracedResolver, type TracedLookup } from './traced-resolver.ts'

export interface CheckTrace {
  readonly check: string
  /** the field's own word */
  readonly result: string
  /** a sentence; '' where there is nothing to say */
  readonly detail: string
  readonly ms: number
  readonly dns: readonly TracedLookup[]
}

/** Whoever does checks for one client: its resolver, and a clock that only goes forward. */
export interface CheckGround {
  readonly resolver: Resolver
  readonly now: () => number
}

export interface Traced<T> {
  readonly outcome: T
  readonly trace: CheckTrace
}

/**
 * @param describe result and detail of what was found
 * @param shown what the DNS was asked, as people may read it; as it is unless given
 */
export async function traced<T>(check: string, ground: CheckGround, work: { readonly run: (resolver: Resolver) => Promise<T>; readonly describe: (outcome: T) => readonly [result: string, detail: string]; readonly shown?: (text: string) => string }): Promise<Traced<T>> {
  const resolver = new TracedResolver(ground.resolver, ground.now, work.shown)
  const beganMs = ground.now()
  const outcome = await work.run(resolver)
  const [result, detail] = work.describe(outcome)
  return { outcome, trace: { check, result, detail, ms: Math.round((ground.now() - beganMs) * 10) / 10, dns: resolver.lookups } }
}
