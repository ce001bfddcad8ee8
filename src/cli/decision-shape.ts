/**
 * A decision as it came out of the database, or out of a scan, looked at before
 * it is shown: what is there has the shape that the output relies on. One that
 * was written by another version, or was too long to be stored, is undefined.
 */
import type { DecisionRecord } from '../inbound/decision-record.ts'

type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string'
const number: Check = (value) => typeof value === 'number'
const flag: Check = (value) => typeof value === 'boolean'
const maybe = (check: Check): Check => (value) => value === undefined || value === null || check(value)
const listOf = (check: Check): Check => (value) => Array.isArray(value) && value.every(check)
const shape = (parts: Readonly<Record<string, Check>>): Check => (value) =>
  isMapping(value) && Object.entries(parts).every(([key, check]) => check(value[key]))

const lookUp = shape({ question: text, status: text, answer: listOf(text), ms: number })
const check = shape({ check: text, result: text, detail: text, ms: number, dns: listOf(lookUp) })
const effect = shape({ check: text, status: text, result: text, policy: text, effect: text, points: number, exceptions: listOf(text) })
const verdict = shape({ action: text, by: maybe(text), score: number, tagged: flag, effects: listOf(effect) })
const thresholds = shape({ tag: maybe(number), quarantine: maybe(number), reject: maybe(number) })
const refusal = shape({ recipient: text, verdict })
const record = shape({ refused: maybe(listOf(refusal)), transaction: isMapping, checks: listOf(check), verdict: maybe(verdict), shadow: maybe(verdict), thresholds: maybe(thresholds), changes: listOf(text) })

export function readDecisionRecord(value: unknown): DecisionRecord | undefined {
  if (!record(value)) return undefined
  const known = value as DecisionRecord
  return 'refused' in known ? known : { ...(value as Omit<DecisionRecord, 'refused'>), refused: [] }
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
