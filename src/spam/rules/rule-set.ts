/**
 * A set of rules, ready to be asked about messages. Made of rules that are
 * known to fit together (`load.ts` sees to that): each id once, none refers to
 * what is not there or round in a circle. Rules are plain data, so a process
 * that loaded them may send `rules` to others, which need not read files.
 */
import { createBudget } from '../patterns/budget.ts'
import { preparePattern } from '../patterns/engine.ts'
import type { MatchBudget } from '../patterns/pattern.ts'
import type { MessageContent } from '../content.ts'
import type { ScoringFacts } from '../facts.ts'
import { compileRules } from './compile.ts'
import { atOnce } from './in-slices.ts'
import type { Rule, RuleHit, RuleOutcome } from './rule.ts'
import { Run } from './run.ts'
import type { Program } from './run.ts'
import { Signs } from './signs.ts'
import { MessageView } from './texts.ts'
import { truthOf, YES } from './truth.ts'
import type { Truth } from './truth.ts'

export class RuleSet {
  readonly rules: readonly Rule[]
  readonly #program: Program
  readonly #signs: Signs
  readonly #numbers: ReadonlyMap<string, number>

  /** Made in steps (see in-slices.ts), with all that every message asks for; otherwise the first message waits for that. */
  static* making(rules: readonly Rule[]): Generator<void, RuleSet> {
    const set = new RuleSet(rules, yield* made(rules))
    yield* set.#prepare()
    return set
  }

  constructor(rules: readonly Rule[], { program, signs } = atOnce(made(rules))) {
    this.rules = rules
    this.#program = program
    this.#signs = signs
    this.#numbers = new Map(rules.map(({ id }, index) => [id, index]))
  }

  *#prepare(): Generator<void, void> {
    for (const { patterns } of this.#program.sets) yield* patterns.prepare()
    for (const pattern of this.#program.patterns) {
      if (pattern.needs !== undefined) continue
      preparePattern(pattern)
      yield
    }
  }

  /** Pure but for the budget, which may be shared with others who match patterns on the same message. */
  evaluate(content: MessageContent, facts: ScoringFacts, budget: MatchBudget = createBudget({ bytes: content.mime.size })): RuleOutcome {
    const run = new Run(this.#program, new MessageView(content, facts), budget)
    const hits: RuleHit[] = []
    let thousandths = 0
    for (const index of this.#signs.possible(run)) {
      if (run.rule(index) !== YES) continue
      const { id, why, score = 0 } = this.rules[index] as Rule
      const excerpt = run.ruleExcerpt(index)
      hits.push({ id, score, why, ...(excerpt === undefined ? {} : { excerpt }) })
      thousandths += Math.round(score * 1000)
    }
    return { hits, score: thousandths / 1000, incomplete: incompleteness(budget) }
  }

  /** Does one rule hold, whatever it scores? For samples. */
  holds(id: string, content: MessageContent, facts: ScoringFacts): Truth {
    const index = this.#numbers.get(id)
    return index === undefined ? undefined : truthOf(new Run(this.#program, new MessageView(content, facts), createBudget({ bytes: content.mime.size })).rule(index))
  }
}

function* made(rules: readonly Rule[]): Generator<void, { readonly program: Program; readonly signs: Signs }> {
  const program = yield* compileRules(rules)
  const signs = yield* Signs.making(program.guards, program.sources)
  yield
  return { program, signs }
}

function incompleteness(budget: MatchBudget): string | undefined {
  if (!budget.left()) return 'patterns used up what a message may spend on them'
  return budget.exceeded > 0 ? `${budget.exceeded} patterns used up what each may spend` : undefined
}
