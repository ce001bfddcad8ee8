/** What makes a rule dear, as far as it can be seen: for where no single rule stands out. */
import { rulesIn } from '../spam/rules/condition.ts'
import type { Rule } from '../spam/rules/rule.ts'

export const RULE_KINDS = [
  'with a pattern that is tried everywhere, as it holds no literal',
  'with patterns that hold literals',
  'made of other rules',
  'without a pattern',
] as const

export type RuleKind = (typeof RULE_KINDS)[number]

export function kindOf({ when, times }: Rule): RuleKind {
  const found = patternsIn([when, times])
  if (found !== 'none') return RULE_KINDS[found === 'anywhere' ? 0 : 1]
  return RULE_KINDS[rulesIn(when).length > 0 ? 2 : 3]
}

/** A rule is plain data: its patterns are found wherever they stand in it. */
function patternsIn(rule: readonly unknown[]): 'none' | 'some' | 'anywhere' {
  const open: unknown[] = [...rule]
  const seen = new Set<object>()
  let found: 'none' | 'some' = 'none'
  for (let one = open.pop(); open.length > 0 || one !== undefined; one = open.pop()) {
    if (typeof one !== 'object' || one === null || seen.has(one)) continue
    seen.add(one)
    if (!isPattern(one)) open.push(...Object.values<unknown>({ ...one }).filter((value) => typeof value === 'object'))
    else if (one.needs === undefined) return 'anywhere'
    else found = 'some'
  }
  return found
}

function isPattern(value: object): value is { readonly needs?: unknown } {
  return 'source' in value && 'flags' in value
}
