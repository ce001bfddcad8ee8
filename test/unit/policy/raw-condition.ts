/** What a test writes as an object, as the configuration reader would hand it over. */
import type { RawCondition } from '../../../src/policy/condition.ts'

export function rawCondition(value: unknown): RawCondition {
  if (Array.isArray(value)) return value.map(rawCondition)
  if (typeof value === 'object' && value !== null) return new Map(Object.entries(value).map(([key, one]) => [key, rawCondition(one)]))
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  return JSON.stringify(value)
}
