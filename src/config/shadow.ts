/**
 * Reads a shadow policy: a file with the one key `policy`, which holds what
 * makes a verdict out of facts (`RULES`). No environment variable sets anything
 * of it. Returns all errors at once, each with its place in that file.
 */
import type { WrittenPolicy } from '../policy/written.ts'
import { policyOf } from './assemble-policy.ts'
import type { RuleValues } from './assemble-policy.ts'
import { RULES } from './policy-schema.ts'
import { formatKey, NOWHERE } from './problem.ts'
import type { ConfigurationError } from './problem.ts'
import { Collector, readSection } from './section.ts'
import { parseSource } from './source.ts'

export type ShadowReading =
  | { readonly status: 'read'; readonly policy: WrittenPolicy }
  | { readonly status: 'refused'; readonly errors: readonly ConfigurationError[] }

/** @param text undefined where the file is not UTF-8 */
export function readShadow(text: string | undefined, source: string): ShadowReading {
  if (text === undefined) return refused(source, 'is not UTF-8 text')
  const parsed = parseSource(text)
  const problems = parsed.problems.map(({ place, key, problem }): ConfigurationError => ({ source, ...place, key: formatKey(key), problem, allowed: undefined }))
  if (parsed.root === undefined) return { status: 'refused', errors: problems }
  const collector = new Collector(source, parsed.root, {})
  collector.errors.push(...problems)
  for (const name of parsed.root.entries.keys()) if (name !== 'policy') collector.error([name], 'a shadow policy has no such key', 'policy')
  const node = parsed.root.entries.get('policy')?.value
  if (node?.kind !== 'map') return refused(source, 'has no mapping "policy"')
  const section = readSection(RULES, { node, at: ['policy'], variableWords: undefined }, collector)
  if (collector.errors.length > 0) return { status: 'refused', errors: collector.errors }
  // Without errors every value is what its type promises.
  return { status: 'read', policy: policyOf(section.values as unknown as RuleValues) }
}

function refused(source: string, problem: string): ShadowReading {
  return { status: 'refused', errors: [{ source, ...NOWHERE, key: '', problem, allowed: 'policy: { preset: strict } and the like' }] }
}
