/**
 * Conditions put together of others, in the plainest form that says the same.
 */
import type { Condition, Quantity } from './condition.ts'
import type { Comparison } from './read-values.ts'

export function sum(quantities: readonly Quantity[]): Quantity {
  const [first = { kind: 'number', value: 0 }, ...rest] = quantities
  // Balanced, so that a long list is not deep.
  if (rest.length === 0) return first
  const half = Math.ceil(quantities.length / 2)
  return { kind: '+', left: sum(quantities.slice(0, half)), right: sum(quantities.slice(half)) }
}

/** What is added up. */
export function termsOf(quantity: Quantity): readonly Quantity[] {
  return quantity.kind === '+' ? [...termsOf(quantity.left), ...termsOf(quantity.right)] : [quantity]
}

export function compared(left: Quantity, comparisons: readonly Comparison[]): Condition {
  return allOf(comparisons.map(({ operator, value }) => ({ kind: 'compare', left, operator, right: { kind: 'number', value } })))
}

export function allOf(conditions: readonly Condition[]): Condition {
  const [only] = conditions
  return only !== undefined && conditions.length === 1 ? only : { kind: 'all', of: conditions }
}

export function anyOf(conditions: readonly Condition[]): Condition {
  const [only] = conditions
  return only !== undefined && conditions.length === 1 ? only : { kind: 'any', of: conditions }
}
