/**
 * The evaluation of one message: which rules have been asked is remembered, so
 * that nothing is done twice. What is not known stays so.
 */
import type { MatchBudget, Pattern } from '../patterns/pattern.ts'
import type { CompiledRule } from './compile.ts'
import type { Guards } from './guards.ts'
import { ScannedTexts } from './scanned-texts.ts'
import type { TextSets } from './scanned-texts.ts'
import type { MessageView } from './texts.ts'
import type { Truth } from './truth.ts'

export interface Program extends TextSets {
  /** of all sets */
  readonly patterns: readonly Pattern[]
  readonly rules: readonly CompiledRule[]
  readonly guards: Guards
}

const UNASKED = 0
const HOLDS = 1
const HOLDS_NOT = 2
const UNKNOWN = 3

export class Run {
  readonly view: MessageView
  readonly texts: ScannedTexts
  readonly #program: Program
  readonly #answers: Uint8Array
  /** what is asked of rules that rest on rules comes from many sides */
  readonly #times = new Map<number, number | undefined>()
  readonly #excerpts = new Map<number, string | undefined>()

  constructor(program: Program, view: MessageView, budget: MatchBudget) {
    this.view = view
    this.texts = new ScannedTexts(program, view, budget)
    this.#program = program
    this.#answers = new Uint8Array(program.rules.length)
  }

  rule(index: number): Truth {
    const known = this.#answers[index]
    if (known !== UNASKED) return known === HOLDS ? true : known === HOLDS_NOT ? false : undefined
    const answer = this.#program.rules[index]?.question.holds(this)
    this.#answers[index] = answer === undefined ? UNKNOWN : answer ? HOLDS : HOLDS_NOT
    return answer
  }

  ruleTimes(index: number): number | undefined {
    const times = this.#program.rules[index]?.times
    const holds = this.rule(index)
    if (holds !== true || times === undefined) return holds === undefined ? undefined : Number(holds)
    if (!this.#times.has(index)) this.#times.set(index, times(this))
    return this.#times.get(index)
  }

  ruleExcerpt(index: number): string | undefined {
    if (this.rule(index) !== true) return undefined
    if (!this.#excerpts.has(index)) this.#excerpts.set(index, this.#program.rules[index]?.question.shows(this))
    return this.#excerpts.get(index)
  }
}
