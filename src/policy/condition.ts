/**
 * Conditions of the rule section: and, or and not over facts.
 *
 * A condition is read from configuration data by `readCondition`: a mapping,
 * all of whose entries must hold; `all` and `any` take lists of conditions,
 * `not` takes one; every other key is a fact with the value, or the list of
 * values, that it must have. Evaluation gives a `Truth`, so that what is not
 * known yet can be told from what is not so.
 */
import { domainToASCII } from 'node:url'
import { allOf, anyOf, not, type Truth } from './truth.ts'

/**
 * How the values of a fact are compared. word: one of a set of words; domain:
 * the name itself, or below it with a leading dot; network: CIDR; address: a
 * mailbox, or everything of a domain with a leading @.
 */
export type FactKind = { readonly kind: 'word'; readonly words: readonly string[] } | { readonly kind: 'domain' | 'network' | 'address' }

export const FACTS = {
  rdns: word('pass', 'fail', 'temperror'),
  fcrdns: word('pass', 'fail', 'temperror'),
  generic_name: word('yes', 'no'),
  dnsbl: word('listed', 'clean', 'temperror'),
  dnswl: word('listed', 'clean', 'temperror'),
  helo: word('pass', 'fail', 'temperror'),
  spf: word('pass', 'fail', 'softfail', 'neutral', 'none', 'temperror', 'permerror'),
  dkim: word('pass', 'fail', 'none', 'temperror'),
  dmarc: word('pass', 'fail', 'none', 'temperror', 'permerror'),
  arc: word('pass', 'fail', 'none', 'temperror'),
  client: { kind: 'network' },
  client_name: { kind: 'domain' },
  helo_name: { kind: 'domain' },
  sender: { kind: 'address' },
  recipient: { kind: 'address' },
  spf_domain: { kind: 'domain' },
  dkim_domain: { kind: 'domain' },
  from_domain: { kind: 'domain' },
  dnsbl_zone: { kind: 'domain' },
  dnswl_zone: { kind: 'domain' },
} as const satisfies Readonly<Record<string, FactKind>>

export type FactName = keyof typeof FACTS

export type FactValue =
  /** several where there are several: recipients (all must match), signatures (one must); none where there is no such thing */
  | { readonly status: 'known'; readonly values: readonly string[]; /** there may be more, which could not be found out */ readonly open?: boolean }
  | { readonly status: 'pending' | 'temperror' }

export type Condition =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'fact'; readonly fact: FactName; readonly matches: (value: string) => boolean; readonly wanted: readonly string[] }

/** Configuration data, as it stood in the file. */
export type RawCondition = string | boolean | null | readonly RawCondition[] | ReadonlyMap<string, RawCondition>

/** How a network in CIDR notation is compared with an address. */
export type NetworkMatcher = (networks: readonly string[]) => (address: string) => boolean

export interface ConditionProblem {
  /** keys and indexes that lead to it */
  readonly at: readonly (string | number)[]
  readonly problem: string
  readonly allowed: string
}

export type ConditionReading =
  | { readonly status: 'ok'; readonly condition: Condition }
  | { readonly status: 'malformed'; readonly problems: readonly ConditionProblem[] }

export function evaluate(condition: Condition, facts: (name: FactName) => FactValue): Truth {
  switch (condition.kind) {
    case 'all':
      return allOf(condition.of.map((one) => evaluate(one, facts)))
    case 'any':
      return anyOf(condition.of.map((one) => evaluate(one, facts)))
    case 'not':
      return not(evaluate(condition.of, facts))
    case 'fact': {
      const value = facts(condition.fact)
      // Who asks whether it could not be found out is answered by that.
      if (value.status === 'temperror' && FACTS[condition.fact].kind === 'word' && condition.wanted.includes('temperror')) return 'true'
      if (value.status !== 'known') return value.status
      // What is fine for one recipient opens nothing for the others of the same message.
      const holds = condition.fact === 'recipient' ? value.values.length > 0 && value.values.every(condition.matches) : value.values.some(condition.matches)
      if (holds) return 'true'
      return value.open === true ? 'temperror' : 'false'
    }
  }
}

const MAX_DEPTH = 10
const MAX_ENTRIES = 100

/** Reads a condition from what stood in the configuration; all problems at once. */
export function readCondition(raw: RawCondition, networks: NetworkMatcher): ConditionReading {
  const reader = new Reader(networks)
  const condition = reader.mapping(raw, [])
  return reader.problems.length > 0 || condition === null ? { status: 'malformed', problems: reader.problems } : { status: 'ok', condition }
}

type At = readonly (string | number)[]

class Reader {
  readonly problems: ConditionProblem[] = []
  readonly #networks: NetworkMatcher

  constructor(networks: NetworkMatcher) {
    this.#networks = networks
  }

  mapping(raw: RawCondition, at: At): Condition | null {
    if (at.length > MAX_DEPTH * 2) return this.#wrong(at, 'is nested too deeply', `${MAX_DEPTH} levels`)
    if (!isMapping(raw)) return this.#wrong(at, 'must be a mapping', 'names of facts; all; any; not')
    const entries = [...raw]
    if (entries.length === 0 || entries.length > MAX_ENTRIES) return this.#wrong(at, `has ${entries.length} entries`, `1 to ${MAX_ENTRIES}`)
    const parts = entries.map(([key, value]) => this.#entry(key, value, [...at, key]))
    const whole = parts.filter((part) => part !== null)
    if (whole.length < parts.length) return null
    const [only] = whole
    return only !== undefined && whole.length === 1 ? only : { kind: 'all', of: whole }
  }

  #entry(key: string, value: RawCondition, at: At): Condition | null {
    switch (key) {
      case 'all':
      case 'any':
        return this.#list(key, value, at)
      case 'not': {
        const of = this.mapping(value, at)
        return of === null ? null : { kind: 'not', of }
      }
      default:
        if (!Object.hasOwn(FACTS, key)) return this.#wrong(at, `there is no fact "${key}"`, ['all', 'any', 'not', ...Object.keys(FACTS)].join('; '))
        return this.#fact(key as FactName, value, at)
    }
  }

  #list(kind: 'all' | 'any', value: RawCondition, at: At): Condition | null {
    if (!isList(value) || value.length === 0 || value.length > MAX_ENTRIES) return this.#wrong(at, 'must be a list', `1 to ${MAX_ENTRIES} conditions`)
    const parts = value.map((one, i) => this.mapping(one, [...at, i]))
    const whole = parts.filter((part) => part !== null)
    return whole.length < parts.length ? null : { kind, of: whole }
  }

  #fact(fact: FactName, raw: RawCondition, at: At): Condition | null {
    const values = isList(raw) ? raw : [raw]
    const wanted = values.filter((value): value is string => typeof value === 'string' && value !== '').map((value) => asciiDomain(value.toLowerCase()))
    if (wanted.length === 0 || wanted.length < values.length || wanted.length > MAX_ENTRIES) return this.#wrong(at, 'must be a word or a list of words', `1 to ${MAX_ENTRIES}`)
    const matches = this.#matcher(FACTS[fact], wanted, at)
    return matches === null ? null : { kind: 'fact', fact, matches, wanted }
  }

  #matcher(kind: FactKind, wanted: readonly string[], at: At): ((value: string) => boolean) | null {
    switch (kind.kind) {
      case 'word': {
        const strange = wanted.find((value) => !kind.words.includes(value))
        return strange === undefined ? (value) => wanted.includes(value) : this.#wrong(at, `found "${strange}"`, kind.words.join(', '))
      }
      case 'domain':
        return (value) => wanted.some((one) => isDomain(value.toLowerCase(), one))
      case 'address':
        return (value) => wanted.some((one) => isAddress(value.toLowerCase(), one))
      case 'network':
        try {
          return this.#networks(wanted)
        } catch (error) {
          return this.#wrong(at, error instanceof Error ? error.message : String(error), 'addresses and networks such as 192.0.2.0/24')
        }
    }
  }

  #wrong(at: At, problem: string, allowed: string): null {
    this.problems.push({ at, problem, allowed })
    return null
  }
}

function isMapping(raw: RawCondition): raw is ReadonlyMap<string, RawCondition> {
  return raw instanceof Map
}

function isList(raw: RawCondition): raw is readonly RawCondition[] {
  return Array.isArray(raw)
}

/** Facts hold A-labels (RFC 5890 §2.3.2.1); people write the names as they are. */
function asciiDomain(text: string): string {
  const at = text.lastIndexOf('@')
  const [dot = '', name = ''] = /^(\.?)(.*)$/s.exec(text.slice(at + 1))?.slice(1) ?? []
  const ascii = /[^\x00-\x7f]/.test(name) ? domainToASCII(name) : name
  return text.slice(0, at + 1) + dot + (ascii === '' ? name : ascii)
}

function isDomain(value: string, wanted: string): boolean {
  return wanted.startsWith('.') ? value.endsWith(wanted) || value === wanted.slice(1) : value === wanted
}

function isAddress(value: string, wanted: string): boolean {
  return wanted.startsWith('@') ? value.slice(value.lastIndexOf('@')) === wanted : value === wanted
}

function word<const W extends readonly string[]>(...words: W): { readonly kind: 'word'; readonly words: W } {
  return { kind: 'word', words }
}
