/**
 * Logic with four values, for conditions over facts that may not be known yet
 * or could not be found out.
 *
 * `pending`: it will be known later in the transaction. `temperror`: it could
 * not be found out (DNS), and will not be. Where one side decides, the other
 * does not matter (Kleene); where none does, waiting comes before giving up.
 */
export type Truth = 'true' | 'false' | 'pending' | 'temperror'

export function not(value: Truth): Truth {
  if (value === 'true') return 'false'
  return value === 'false' ? 'true' : value
}

export function allOf(values: readonly Truth[]): Truth {
  return decided(values, 'false') ?? 'true'
}

export function anyOf(values: readonly Truth[]): Truth {
  return decided(values, 'true') ?? 'false'
}

function decided(values: readonly Truth[], strong: 'true' | 'false'): Truth | undefined {
  for (const value of [strong, 'pending', 'temperror'] as const) if (values.includes(value)) return value
  return undefined
}
