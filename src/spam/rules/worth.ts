/**
 * Which values a quantity can have, whatever the message is: `truth`, 0 or 1;
 * `count`, a whole number that is not below 0; `anything`. Said is never more than is true.
 */
import type { Condition, Quantity } from './condition.ts'
import type { Rule } from './rule.ts'

export type Worth = 'truth' | 'count' | 'anything'

const ORDER: readonly Worth[] = ['truth', 'count', 'anything']

export class Worths {
  readonly #rules: ReadonlyMap<string, Rule>
  readonly #known = new Map<string, Worth>()

  constructor(rules: readonly Rule[]) {
    this.#rules = new Map(rules.map((rule) => [rule.id, rule]))
  }

  of(quantity: Quantity): Worth {
    switch (quantity.kind) {
      case 'truth': return 'truth'
      case 'values':
      case 'length':
      case 'occurrences':
      case 'items':
      case 'spamassassin': return 'count'
      case 'number': return quantity.value === 0 || quantity.value === 1 ? 'truth' : Number.isInteger(quantity.value) && quantity.value > 0 ? 'count' : 'anything'
      case 'rule': return this.#ofRule(quantity.id)
      case 'either':
      case 'both': return widest(quantity.of.map((one) => this.of(one)))
      case 'choose': return widest([this.of(quantity.yes), this.of(quantity.no)])
      case '*': return widest([this.of(quantity.left), this.of(quantity.right)])
      case '+': return widest(['count', this.of(quantity.left), this.of(quantity.right)])
      case 'measure':
      case 'fact':
      case 'scripts':
      case '-':
      case '/': return 'anything'
    }
  }

  #ofRule(id: string): Worth {
    const times = this.#rules.get(id)?.times
    if (times === undefined) return 'truth'
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const worth = this.of(times)
    this.#known.set(id, worth)
    return worth
  }
}

function widest(worths: readonly Worth[]): Worth {
  return ORDER[Math.max(0, ...worths.map((worth) => ORDER.indexOf(worth)))] ?? 'anything'
}

/**
 * One or another compared with a number where that asks no more than whether one
 * of them is not 0: may the first not be known, another can tell. Undefined: it asks more.
 */
export function askedOfEach({ left, operator, right }: Extract<Condition, { kind: 'compare' }>, worths: Worths): Condition | undefined {
  if (left.kind !== 'either' || right.kind !== 'number') return undefined
  const comparison = `${operator} ${right.value}`
  const counts = worths.of(left) !== 'anything'
  const some = comparison === '!= 0' || (counts && (comparison === '> 0' || comparison === '>= 1'))
  const none = comparison === '= 0' || (counts && (comparison === '<= 0' || comparison === '< 1'))
  if (!some && !none) return undefined
  const each: Condition = { kind: 'any', of: left.of.map((part): Condition => ({ kind: 'compare', left: part, operator: '!=', right: { kind: 'number', value: 0 } })) }
  return some ? each : { kind: 'not', of: each }
}
