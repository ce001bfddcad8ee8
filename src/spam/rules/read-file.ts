/**
 * Reads one file of rules:
 *
 *     rules:
 *       - id: PRIZE_IN_SUBJECT
 *         score: 1.2
 *         why: The subject promises a prize
 *         when: { subject: '/you (?:have )?won\b/i' }
 *         hits:   [{ subject: You have won }]
 *         misses: [{ subject: Who won the match? }]
 *
 * A rule whose id begins with `__` is a part of others: it has no score, and
 * needs no samples. Every rule that can be read is given, every other told
 * with its place, what was found and what is allowed. Nothing throws. Bounds:
 * 1 MiB of a file (source.ts), 2000 rules in it, 20 samples of each kind.
 */
import type { ConfigurationError, KeyPath, Place } from '../../config/problem.ts'
import { parseSource } from '../../config/source.ts'
import type { Located, LocatedMap } from '../../config/source.ts'
import { ConditionReader, RULE_ID } from './read-condition.ts'
import { complete, ValueReader } from './read-values.ts'
import { isPart, MAX_SCORE, MIN_SCORE } from './rule.ts'
import type { Rule, RuleProblem } from './rule.ts'
import { readSample } from './samples.ts'
import type { Sample } from './samples.ts'

export interface LocatedRule {
  readonly rule: Rule
  /** the score that its author gave, where `score` was fitted to mail since; the gateway does not ask for it */
  readonly prior?: number
  readonly source: string
  readonly place: Place
  readonly hits: readonly Sample[]
  readonly misses: readonly Sample[]
}

export interface RuleFileReading {
  readonly rules: readonly LocatedRule[]
  /** ids of rules that stand there and could not be read */
  readonly refused: readonly string[]
  readonly problems: readonly RuleProblem[]
}

const MAX_RULES = 2000
const MAX_SAMPLES = 20
const KEYS = ['id', 'score', 'prior', 'teaches', 'why', 'when', 'hits', 'misses'] as const
const ID_ALLOWED = '1 to 64 capitals, digits and underscores, no digit first; __ in front of a part of others'
const WHY_ALLOWED = 'one sentence, 10 to 200 characters on one line'

/** @param samples false: they are not read, for they were run before */
export function readRuleFile(text: string, source: string, samples: boolean): RuleFileReading {
  const parsed = parseSource(text)
  const values = new ValueReader(source)
  for (const { place, key, problem } of parsed.problems) values.wrong(place, key, { problem })
  const reader = new RuleReader(values, samples)
  const rules = parsed.root === undefined ? [] : reader.rules(parsed.root)
  return { rules, refused: reader.refused, problems: values.problems }
}

class RuleReader {
  readonly refused: string[] = []
  readonly #values: ValueReader
  readonly #samples: boolean

  constructor(values: ValueReader, samples: boolean) {
    this.#values = values
    this.#samples = samples
  }

  rules(root: LocatedMap): readonly LocatedRule[] {
    this.#values.onlyKeys(root, [], ['rules'])
    const list = root.entries.get('rules')?.value
    if (list === undefined || (list.kind === 'scalar' && list.value === null)) return []
    if (list.kind !== 'list') this.#values.found(list, ['rules'], 'a list of rules')
    else if (list.items.length > MAX_RULES) this.#values.wrong(list.place, ['rules'], { problem: `has ${list.items.length} rules`, allowed: `at most ${MAX_RULES} in one file` })
    else return list.items.flatMap((item, i) => this.#rule(item, ['rules', i]) ?? [])
    return []
  }

  #rule(node: Located, at: KeyPath): LocatedRule | null {
    this.#values.rule = undefined
    if (node.kind !== 'map') return this.#values.found(node, at, `a mapping with ${KEYS.join(', ')}`)
    const id = this.#id(node, at)
    this.#values.rule = id ?? undefined
    const known = this.#values.onlyKeys(node, at, KEYS)
    const score = this.#score({ node, at, id }, 'score')
    const prior = this.#score({ node, at, id }, 'prior')
    const teaches = this.#teaches({ node, at, id })
    const why = this.#why(node, at)
    const when = this.#entry(node, at, 'when')
    const condition = when === null ? null : new ConditionReader(this.#values).read(when, [...at, 'when'])
    const needed = id !== null && !isPart(id)
    const hits = this.#sampleList({ node, at, needed }, 'hits')
    const misses = this.#sampleList({ node, at, needed }, 'misses')
    this.#values.rule = undefined
    if (id !== null && known && score !== null && prior !== null && teaches !== null && why !== null && condition !== null && hits !== null && misses !== null) {
      return { rule: { id, score: score.value, why, when: condition, ...(teaches ? {} : { teaches }) }, ...(prior.value === undefined ? {} : { prior: prior.value }), source: this.#values.source, place: node.place, hits, misses }
    }
    if (id !== null) this.refused.push(id)
    return null
  }

  #entry(node: LocatedMap, at: KeyPath, key: (typeof KEYS)[number]): Located | null {
    return node.entries.get(key)?.value ?? this.#values.wrong(node.place, [...at, key], { problem: 'is missing' })
  }

  #id(node: LocatedMap, at: KeyPath): string | null {
    const value = this.#entry(node, at, 'id')
    if (value === null) return null
    const id = this.#values.text(value) ?? ''
    return RULE_ID.test(id) ? id : this.#values.found(value, [...at, 'id'], ID_ALLOWED)
  }

  #score({ node, at, id }: { readonly node: LocatedMap; readonly at: KeyPath; readonly id: string | null }, key: 'score' | 'prior'): { readonly value: number | undefined } | null {
    const entry = node.entries.get(key)
    if (id !== null && isPart(id)) {
      if (entry === undefined) return { value: undefined }
      return this.#values.wrong(entry.place, [...at, key], { problem: 'a part of others scores nothing', allowed: `no ${key}; or an id without __ in front` })
    }
    if (entry === undefined && key === 'prior') return { value: undefined }
    const given = this.#entry(node, at, key)
    const value = given === null ? null : this.#values.number(given, [...at, key])
    if (value === null || (value >= MIN_SCORE && value <= MAX_SCORE)) return value === null ? null : { value }
    return this.#values.wrong(entry?.place ?? node.place, [...at, key], { problem: `found ${value}`, allowed: `${MIN_SCORE} to ${MAX_SCORE}` })
  }

  #teaches({ node, at, id }: { readonly node: LocatedMap; readonly at: KeyPath; readonly id: string | null }): boolean | null {
    const entry = node.entries.get('teaches')
    if (entry === undefined) return true
    if (id !== null && isPart(id)) return this.#values.wrong(entry.place, [...at, 'teaches'], { problem: 'a part of others scores nothing', allowed: 'no teaches; or an id without __ in front' })
    return this.#values.flag(entry.value, [...at, 'teaches'])
  }

  #why(node: LocatedMap, at: KeyPath): string | null {
    const value = this.#entry(node, at, 'why')
    if (value === null) return null
    const why = this.#values.text(value)?.trim() ?? ''
    return /^[^\x00-\x1f\x7f]{10,200}$/.test(why) ? why : this.#values.found(value, [...at, 'why'], WHY_ALLOWED)
  }

  #sampleList({ node, at, needed }: { readonly node: LocatedMap; readonly at: KeyPath; readonly needed: boolean }, key: 'hits' | 'misses'): readonly Sample[] | null {
    const value = node.entries.get(key)?.value
    if (value === undefined) return needed ? this.#values.wrong(node.place, [...at, key], { problem: 'is missing', allowed: `1 to ${MAX_SAMPLES} samples that the rule must ${key === 'hits' ? 'hit' : 'miss'}` }) : []
    if (!this.#samples) return []
    if (value.kind !== 'list' || value.items.length === 0 || value.items.length > MAX_SAMPLES) return this.#values.wrong(value.place, [...at, key], { problem: 'is no list of samples', allowed: `1 to ${MAX_SAMPLES} samples` })
    return complete(value.items.map((item, i) => readSample(this.#values, item, [...at, key, i])))
  }
}

/** For problems that are found later. */
export function problemOf({ rule, source, place }: LocatedRule, wrong: Pick<ConfigurationError, 'problem' | 'allowed'> & { readonly key?: string; readonly place?: Place }): RuleProblem {
  return { source, ...(wrong.place ?? place), key: wrong.key ?? '', problem: wrong.problem, allowed: wrong.allowed, rule: rule.id }
}
