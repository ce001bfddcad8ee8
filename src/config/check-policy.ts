/**
 * Checks what `policy` says as a whole: lists that stand twice, thresholds that
 * are never reached, the allow list's file. Problems go to the collector.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CHECKS, type Preset, type Thresholds } from '../policy/policy.ts'
import { readAllowList } from '../reputation/allow-list-file.ts'
import type { AllowEntry } from '../reputation/allow-list.ts'
import { thresholdsOf } from './assemble-policy.ts'
import type { CheckContext } from './check-context.ts'
import { systemCode } from './check-files.ts'
import type { DomainThresholds } from './format-domain.ts'
import type { Model } from './model.ts'
import { POLICY } from './policy-schema.ts'
import type { KeyPath } from './problem.ts'
import { keysOf } from './section.ts'
import type { Collector } from './section.ts'

/** The checks that an entry of the allow list may name: those of the policy, and greylisting. */
export const ALLOW_LIST_CHECKS: readonly string[] = [...CHECKS, 'greylist']

export function checkPolicy(model: Model, { collector, base, purpose }: Pick<CheckContext, 'collector' | 'base' | 'purpose'>): void {
  const { policy } = model.root.values
  const zones = new Set<string>()
  for (const [i, { zone, name }] of (policy.dnsbl.lists ?? []).entries()) {
    if (zones.has(zone)) collector.error(['policy', 'dnsbl', 'lists', i], `the list ${name ?? zone} stands twice`, 'each list once')
    zones.add(zone)
  }
  checkThresholds(model, collector)
  checkExempt(model, collector)
  if (policy.allow !== undefined && purpose !== 'command') checkAllowList(resolve(base, policy.allow), collector)
}

function checkThresholds({ root: { values: { policy, domains } } }: Model, collector: Collector): void {
  const { preset, spam } = policy
  if (preset === undefined) return
  warnOfUnreached(thresholdsOf({ preset, spam }), { at: ['policy', 'spam'], given: spam, preset }, collector)
  for (const [i, { spam: over }] of (domains ?? []).entries()) {
    if (over !== undefined) warnOfUnreached(thresholdsOf({ preset, spam }, over), { at: ['domains', i, 'spam'], given: over, preset: undefined }, collector)
  }
}

interface ThresholdsPlace {
  readonly at: KeyPath
  readonly given: DomainThresholds
  /** where those come from that are not given; undefined: from the policy */
  readonly preset: Preset | undefined
}

/** Of what holds in the end, whoever said it. */
function warnOfUnreached(thresholds: Thresholds, { at, given, preset }: ThresholdsPlace, collector: Collector): void {
  const { reject } = thresholds
  if (reject === undefined) return
  for (const name of ['quarantine', 'tag'] as const) {
    const points = thresholds[name]
    if (points === undefined || points < reject) continue
    const from = given[name] !== undefined ? '' : ` (${points} points, by ${preset === undefined ? 'policy' : `the preset ${preset}`})`
    collector.warn([...at, name], `is never reached${from}: from ${reject} points on a message is refused`)
  }
}

function checkExempt(model: Model, collector: Collector): void {
  const wide = model.root.values.policy.exempt?.find((network) => network.endsWith('/0'))
  if (wide !== undefined) collector.warn(['policy', 'exempt'], `${wide} is everybody: nothing is checked`)
  const inbound = model.listeners.some(({ values }) => values.role === 'inbound')
  if (!inbound && keysOf({ policy: POLICY }).some(model.root.isGiven)) collector.warn(['policy'], 'no listener has the role inbound, so that nothing uses the policy')
}

function checkAllowList(path: string, collector: Collector): void {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') collector.warn(['policy', 'allow'], `${path} is not there: nobody is on the list`)
    else collector.error(['policy', 'allow'], `${path} cannot be read (${code})`, 'the path of a readable file')
    return
  }
  const reading = readAllowList({ text, source: path, checks: ALLOW_LIST_CHECKS })
  if (reading.status === 'refused') collector.errors.push(...reading.errors)
  else warnOfWaiting(reading.entries, path, collector)
}

const OF_THE_CLIENT: readonly string[] = ['early_talker', 'rdns', 'fcrdns', 'dnsbl']

/** What only the message can prove keeps every client from being refused at its greeting. */
function warnOfWaiting(entries: readonly AllowEntry[], path: string, collector: Collector): void {
  const waiting = entries.filter(({ match, scope }) => (match.kind === 'domain' || match.kind === 'dkim') && (scope.checks === undefined || scope.checks.some((check) => OF_THE_CLIENT.includes(check))))
  const [first] = waiting
  if (first === undefined) return
  collector.warn(['policy', 'allow'], `${path}: "${first.id}"${waiting.length > 1 ? ` and ${waiting.length - 1} more` : ''} can only be decided by the message, so that no client is refused for what it excuses before its message has come; spf or address in place of ${first.match.kind}, or other checks in its scope, avoid that`)
}
