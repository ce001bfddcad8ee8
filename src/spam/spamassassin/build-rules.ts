/**
 * Rules as Postern knows them, out of what SpamAssassin's files say. What cannot
 * be honoured counts as not hit, as a rule that is not there does in SpamAssassin;
 * it is told with file and line, and how many others rest on it. A `meta` that
 * nothing is left of is told too: it could never hit, or would hit every message.
 * Pure; bounds are those of the readers.
 */
import { NOWHERE } from '../../config/problem.ts'
import type { Condition } from '../rules/condition.ts'
import type { LocatedRule } from '../rules/read-file.ts'
import { isPart } from '../rules/rule.ts'
import type { RuleProblem } from '../rules/rule.ts'
import { named } from './directives.ts'
import type { CfNote, Definition, Directives } from './directives.ts'
import { depthOf, readExpression } from './meta-expression.ts'
import type { Expression } from './meta-expression.ts'
import { conditionOf, costIn, countOf, exceptionsIn, fitsGlob, globsIn, namesIn, quantityOf, simplified } from './metas.ts'
import type { CostOf } from './metas.ts'
import { hintOn } from './elsewhere.ts'
import { UNFINISHED } from './pattern-text.ts'
import { defaultScore } from './scores.ts'
import { honour } from './tests.ts'
import type { Honoured } from './tests.ts'

export interface SpamAssassinRules {
  readonly rules: readonly LocatedRule[]
  /** rules that cannot be honoured, or not as they are meant */
  readonly problems: readonly RuleProblem[]
  /** lines that are no rules, and blocks that are skipped */
  readonly notes: readonly RuleProblem[]
}

const MAX_WHY_CHARACTERS = 200
/** Less than references.ts allows. */
const MAX_DEPTH = 48
/** What lies in each other, through all rules that a rule rests on. */
const MAX_LEVELS = 400
const MAX_COST = 1e9
/** Of all rules together. */
const MAX_MATCHED = 200_000
const GLOBS_KEPT = 100
const OWN_SCORES = "; scores of Postern's own rules stand in postern.yaml: spam.scores"
const ZERO: Expression = { kind: 'number', value: 0 }

/** A rule a step. */
export function* buildRules(directives: Directives): Generator<void, SpamAssassinRules> {
  const builder = new Builder(directives)
  const rules = yield* builder.rules()
  return { rules, problems: inOrder([...directives.problems, ...builder.problems]), notes: inOrder([...directives.notes, ...builder.notes]) }
}

function inOrder(notes: readonly CfNote[]): readonly RuleProblem[] {
  const bySource = Map.groupBy(notes, ({ source }) => source)
  return [...bySource.values()].flatMap((some) => some.sort((one, other) => one.line - other.line).map(problemOf))
}

class Builder {
  readonly problems: CfNote[] = []
  readonly notes: CfNote[] = []
  readonly #directives: Directives
  readonly #plain = new Map<string, Honoured>()
  readonly #metas = new Map<string, Expression>()
  /** worked out: without what is known beforehand */
  readonly #done = new Map<string, Expression>()
  /** how many rules in a row it rests on, and how deep that lies */
  readonly #depths = new Map<string, { readonly rules: number; readonly levels: number }>()
  readonly #costs = new Map<string, number>()
  /** of metas that are a number whatever the message is: what they rested on that is not honoured; [] where they are meant so */
  readonly #lost = new Map<string, readonly string[]>()
  readonly #unhonoured = new Map<string, string>()
  readonly #restingOn = new Map<string, Set<string>>()
  /** rules that are not there, by the metas that hold more often without them */
  readonly #exceptions = new Map<string, Set<string>>()
  readonly #counted = new Set<string>()
  readonly #matched = new Map<string, readonly string[]>()
  #names = 0
  readonly #missing = new Map<string, Definition>()

  constructor(directives: Directives) {
    this.#directives = directives
  }

  *rules(): Generator<void, readonly LocatedRule[]> {
    const { tests } = this.#directives
    for (const definition of tests.values()) {
      if (this.#scoreOf(definition.id) === 0) continue
      this.#read(definition)
      yield
    }
    for (const id of this.#metas.keys()) {
      this.#workOutAll(id)
      yield
    }
    this.#countOn()
    yield
    this.#tellUnhonoured()
    this.#tellScores()
    return Array.from(tests.values(), (definition) => this.#rule(definition)).filter((rule) => rule !== undefined)
  }

  #read(definition: Definition): void {
    const { id, kind, value } = definition
    const read = kind === 'meta' && !value.startsWith('eval:') ? readExpression(value) : honour(definition, this.#directives)
    if (typeof read === 'string') this.#unhonoured.set(id, definition.cut === true && UNFINISHED.has(read) ? `${read}; what stands behind a # is a comment: write \\# for the sign` : read)
    else if ('when' in read) {
      this.#plain.set(id, read)
      this.#costs.set(id, costOfTest(read.when))
    }
    else this.#metas.set(id, read)
  }

  /** What it counts whatever the message is; undefined: it has to be asked. Metas were worked out before. */
  #value(id: string, by: Definition): number | undefined {
    if (this.#plain.has(id)) return undefined
    if (this.#metas.has(id)) {
      const known = countOf(this.#done.get(id) ?? ZERO)
      return known.kind === 'number' ? known.value : undefined
    }
    const others = this.#restingOn.get(id)
    if (others === undefined) this.#restingOn.set(id, new Set([by.id]))
    else others.add(by.id)
    const { tests, passedOver } = this.#directives
    if (!tests.has(id) && !passedOver.has(id) && !this.#missing.has(id)) this.#missing.set(id, by)
    return 0
  }

  /** It, and before it the metas that it rests on. */
  #workOutAll(id: string): void {
    const way = [{ id, open: this.#unknownIn(id) }]
    const onTheWay = new Set([id])
    for (let last = way.at(-1); last !== undefined; last = way.at(-1)) {
      const next = last.open.pop()
      if (next === undefined) {
        this.#workOut(last.id)
        onTheWay.delete(last.id)
        way.pop()
      } else if (onTheWay.has(next)) {
        const by = this.#directives.tests.get(last.id)
        if (by !== undefined) this.#tell(by, `rests on ${next}, which rests on it; ${next} counts as not hit there`)
      } else if (!this.#done.has(next)) {
        onTheWay.add(next)
        way.push({ id: next, open: this.#unknownIn(next) })
      }
    }
  }

  /** Metas that it names and that are not worked out, the first one last. */
  #unknownIn(id: string): string[] {
    const tree = this.#metas.get(id)
    if (tree === undefined || this.#done.has(id)) return []
    const names = new Set<string>()
    namesIn(tree, (other) => void names.add(other))
    globsIn(tree, (glob) => this.#matching(glob, id).forEach((other) => names.add(other)))
    return [...names].filter((other) => this.#metas.has(other) && !this.#done.has(other)).reverse()
  }

  #workOut(id: string): void {
    const tree = this.#metas.get(id)
    const definition = this.#directives.tests.get(id)
    if (tree === undefined || definition === undefined || this.#done.has(id)) return
    const matching = (glob: string): readonly string[] => this.#matching(glob, id)
    if (this.#takeNames(tree, matching) > MAX_MATCHED) {
      this.#tell(definition, `rules_matching() of all rules name more than ${MAX_MATCHED} rules; it counts as not hit`)
      this.#done.set(id, ZERO)
      return
    }
    let simple = simplified(tree, { value: (other) => this.#value(other, definition), matching })
    if (simple.kind === 'number') {
      const lost = new Set<string>()
      namesIn(tree, (other) => void lost.add(other))
      globsIn(tree, (glob) => matching(glob).forEach((other) => lost.add(other)))
      this.#lost.set(id, [...lost].filter((other) => this.#isLost(other)))
    }
    exceptionsIn(tree, (other) => this.#except(other, id))
    const depth = this.#depthOf(simple)
    const wrong = depth.rules > MAX_DEPTH ? `rests on rules that rest on rules, more than ${MAX_DEPTH} deep` : depth.levels > MAX_LEVELS ? `with the rules that it rests on it is nested more than ${MAX_LEVELS} deep` : undefined
    if (wrong !== undefined) {
      this.#tell(definition, `${wrong}; it counts as not hit`)
      simple = ZERO
    }
    namesIn(simple, (other, counted) => {
      if (counted) this.#counted.add(other)
    })
    this.#depths.set(id, depth)
    this.#costs.set(id, Math.min(costIn(simple, (other) => this.#costs.get(other) ?? 1), MAX_COST))
    this.#done.set(id, simple)
  }

  #except(id: string, by: string): void {
    if (this.#plain.has(id) || this.#metas.has(id) || this.#scoreOf(id) === 0) return
    const others = this.#exceptions.get(id)
    if (others === undefined) this.#exceptions.set(id, new Set([by]))
    else others.add(by)
  }

  /** Metas that can never hit were told already. */
  #unkept(id: string): string {
    const metas = [...this.#exceptions.get(id) ?? []].filter((meta) => this.#done.get(meta)?.kind !== 'number')
    return metas.length === 0 ? '' : `; it can no longer keep ${named(metas)} from hitting`
  }

  #depthOf(tree: Expression): { readonly rules: number; readonly levels: number } {
    let [rules, levels] = [0, 0]
    namesIn(tree, (other) => {
      const { rules: below, levels: under } = this.#depths.get(other) ?? { rules: 0, levels: 0 }
      rules = Math.max(rules, below + 1)
      levels = Math.max(levels, under)
    })
    return { rules, levels: levels + depthOf(tree) }
  }

  /** It counts as not hit, or as what it would without others that do. */
  #isLost(id: string): boolean {
    const done = this.#done.get(id)
    return !this.#plain.has(id) && (done === undefined || (done.kind === 'number' && this.#lost.get(id)?.length !== 0))
  }

  /** A rule is none of those that it names so itself. */
  #matching(glob: string, by: string): readonly string[] {
    let matched = this.#matched.get(glob)
    if (matched === undefined) {
      if (this.#matched.size >= GLOBS_KEPT) this.#matched.clear()
      this.#matched.set(glob, matched = [...this.#directives.tests.keys()].filter((id) => fitsGlob(id, glob)))
    }
    return matched.includes(by) ? matched.filter((id) => id !== by) : matched
  }

  /** How many there are with its own. */
  #takeNames(tree: Expression, matching: (glob: string) => readonly string[]): number {
    let names = this.#names
    globsIn(tree, (glob) => void (names += matching(glob).length))
    if (names <= MAX_MATCHED) this.#names = names
    return names
  }

  /** Where a meta is counted, what it is made of is, too. */
  #countOn(): void {
    // The list grows while metas are found that count others.
    for (const id of this.#counted) {
      const tree = this.#done.get(id)
      if (tree === undefined) continue
      namesIn(tree, (other, counted) => {
        if (counted) this.#counted.add(other)
      }, true)
    }
  }

  #rule(definition: Definition): LocatedRule | undefined {
    const { id, source, line } = definition
    const honoured = this.#plain.get(id) ?? this.#meta(definition)
    if (honoured === undefined) return undefined
    const { when } = honoured
    const times = this.#counted.has(id) ? honoured.times : undefined
    const score = isPart(id) ? undefined : this.#scoreOf(id)
    const teaches = score === undefined || this.#directives.flags.get(id)?.includes('noautolearn') !== true
    return { rule: { id, score, why: this.#why(id), when, ...(times !== undefined && { times }), ...(!teaches && { teaches }) }, source, place: { ...NOWHERE, line }, hits: [], misses: [] }
  }

  #meta(definition: Definition): Honoured | undefined {
    const simple = this.#done.get(definition.id)
    if (simple === undefined) return undefined
    if (simple.kind !== 'number') {
      const cost: CostOf = (id) => this.#costs.get(id) ?? 1
      return { when: conditionOf(simple, cost), times: quantityOf(countOf(simple), cost) }
    }
    const lost = this.#lost.get(definition.id)
    // Some are written so, to switch them off or to stand for something that is always there.
    if (lost?.length === 0) return simple.value === 0 ? undefined : { when: { kind: 'all', of: [] }, times: simple }
    // Where nothing is known of it, it was told why.
    if (lost !== undefined) this.#tell(definition, simple.value === 0 ? `can never hit: it rests on ${named(lost)}, which count as not hit` : `would hit every message, for it rests on ${named(lost)}, which count as not hit; it is not used`)
    return undefined
  }

  /** undefined: nothing was said */
  #scoreOf(id: string): number | undefined {
    return this.#directives.scores.get(id) ?? (isPart(id) ? undefined : defaultScore(id, this.#directives.flags.get(id)))
  }

  #why(id: string): string {
    const bytes = this.#directives.descriptions.get(id)
    const said = bytes === undefined ? '' : readable(bytes).replace(/[\x00-\x1f\x7f-\x9f\s]+/g, ' ').trim().slice(0, MAX_WHY_CHARACTERS)
    return said === '' ? `SpamAssassin's rule ${id}` : said
  }

  #tellUnhonoured(): void {
    for (const [id, problem] of this.#unhonoured) {
      const definition = this.#directives.tests.get(id)
      const resting = this.#restingOn.get(id)?.size ?? 0
      if (definition !== undefined) this.#tell(definition, `${problem}; it counts as not hit${resting === 0 ? '' : `, also for ${resting === 1 ? 'the rule' : `${resting} rules`} that ${resting === 1 ? 'rests' : 'rest'} on it`}${this.#unkept(id)}`)
    }
    for (const [id, { source, line }] of this.#missing) this.notes.push({ source, line, rule: undefined, problem: `${id} is in none of the files; it counts as not hit${this.#unkept(id)}${hintOn('rules', id)}` })
    this.#tellPassedOver()
  }

  /** Where they stand, the block was told. */
  #tellPassedOver(): void {
    const { tests, passedOver } = this.#directives
    for (const [id, [first = '']] of this.#exceptions) {
      const by = tests.get(first)
      const unkept = tests.has(id) || !passedOver.has(id) ? '' : this.#unkept(id)
      if (by !== undefined && unkept !== '') this.notes.push({ source: by.source, line: by.line, rule: undefined, problem: `${id} is a rule of a plugin that Postern does not have${unkept}${hintOn('rules', id)}` })
    }
  }

  #tellScores(): void {
    const { scores, scorePlaces, tests, passedOver } = this.#directives
    /** by file: sets of rules switch off many */
    const off = new Map<string, string[]>()
    for (const [id, score] of scores) {
      const place = scorePlaces.get(id)
      if (place === undefined || tests.has(id) || passedOver.has(id)) continue
      const others = score === 0 ? off.get(place.source) : undefined
      if (others !== undefined) others.push(id)
      else if (score === 0) off.set(place.source, [id])
      else this.notes.push({ ...place, rule: undefined, problem: `${id} is given a score and is in none of the files${hintOn('rules', id) || OWN_SCORES}` })
    }
    for (const ids of off.values()) {
      const [place] = ids.map((id) => scorePlaces.get(id))
      if (place !== undefined) this.notes.push({ ...place, rule: undefined, problem: `${named(ids)}: given the score 0, and in none of the files${OWN_SCORES}` })
    }
  }

  #tell({ id, source, line }: Definition, problem: string): void {
    this.problems.push({ source, line, rule: id, problem })
  }
}

/** A pattern that is tried on every text is dear, the longer the text; a header is short. */
function costOfTest(when: Condition): number {
  const asked = when.kind === 'not' ? when.of : when
  if (asked.kind === 'any') return 100
  if (asked.kind !== 'matches' || asked.pattern.needs !== undefined) return 1
  return asked.in.kind === 'spamassassin' && asked.in.text.of === 'header' && asked.in.text.name !== 'ALL' ? 3 : 100
}

const strict = new TextDecoder('utf-8', { fatal: true })

function readable(bytes: string): string {
  try {
    return strict.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    // some older character set
    return bytes
  }
}

function problemOf({ source, line, rule, problem }: CfNote): RuleProblem {
  return { ...NOWHERE, source, line, key: rule ?? '', problem, allowed: undefined, rule }
}
