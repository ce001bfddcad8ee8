/**
 * Sums of rules that hold or do not, as the numbers of these rules: thousands of metas
 * may add up some dozen each, and a closure for each of them took most of the memory.
 */
import { ARITHMETIC, both } from './arithmetic.ts'
import type { Quantity } from './condition.ts'
import type { Run } from './run.ts'

/** Undefined: something else is added, too. `numberOf`: undefined where a rule counts more than once. */
export function rulesAdded(sum: Quantity, numberOf: (rule: Extract<Quantity, { kind: 'rule' }>) => number | undefined): readonly number[] | undefined {
  const rules: number[] = []
  const open = [sum]
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (one.kind === '+') {
      open.push(one.right, one.left)
      continue
    }
    const rule = one.kind === 'rule' ? numberOf(one) : undefined
    if (rule === undefined) return undefined
    rules.push(rule)
  }
  return rules
}

/** All are asked, even behind one that is not known. */
export function sumOfRules(run: Run, rules: readonly number[]): number | undefined {
  let sum: number | undefined = 0
  for (const rule of rules) sum = both(sum, run.ruleTimes(rule), ARITHMETIC['+'])
  return sum
}

/** What the first of them shows that holds and shows something. */
export function firstOfRules(run: Run, rules: readonly number[]): string | undefined {
  for (const rule of rules) {
    const text = run.ruleExcerpt(rule)
    if (text !== undefined) return text
  }
  return undefined
}
