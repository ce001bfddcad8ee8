/**
 * A policy as the configuration hands it over: plain data, which can be sent to
 * the workers. What they decide by has functions in it, and is made there.
 */
import { readCondition, type Condition, type NetworkMatcher, type RawCondition } from './condition.ts'
import type { Exception, Policy } from './policy.ts'

export interface WrittenException extends Omit<Exception, 'when'> {
  readonly when: RawCondition
}

export interface WrittenPolicy extends Omit<Policy, 'exceptions'> {
  readonly exceptions: readonly WrittenException[]
}

/** Throws where a condition is not one: the configuration has let it through, which is a bug. */
export function policyToDecideBy(written: WrittenPolicy, networks: NetworkMatcher): Policy {
  return { ...written, exceptions: written.exceptions.map((one) => ({ ...one, when: conditionOf(one.when, networks) })) }
}

function conditionOf(raw: RawCondition, networks: NetworkMatcher): Condition {
  const reading = readCondition(raw, networks)
  if (reading.status === 'malformed') throw new Error(`a condition that was not checked: ${reading.problems.map(({ problem }) => problem).join('; ')}`)
  return reading.condition
}
