/**
 * The evaluation of one message: what conditions answer, and which rules have
 * been asked, so that nothing is done twice. What is not known stays so.
 */
import type { MatchBudget, Pattern } from '../patterns/pattern.ts'
import type { CompiledRule } from './compile.ts'
import { ALL, ANY, ANY_OF_GROUP, CALL, FIRST, MATCHES, NEED, NEXT, NOT, PRESENT, RULE, SECOND } from './condition-code.ts'
import type { ConditionKind } from './condition-code.ts'
import type { Guards } from './guards.ts'
import { ScannedTexts } from './scanned-texts.ts'
import type { PatternGroup, PatternPlace, TextSets } from './scanned-texts.ts'
import type { MessageView } from './texts.ts'
import { answerOf, NO, UNKNOWN, YES } from './truth.ts'
import type { Answer, Truth } from './truth.ts'

export interface Program extends TextSets {
  /** of all sets */
  readonly patterns: readonly Pattern[]
  /** conditions (condition-code.ts), and what is known in them by a number */
  readonly code: Int32Array
  readonly places: readonly PatternPlace[]
  readonly groups: readonly { readonly group: PatternGroup; readonly least: number }[]
  readonly calls: readonly ((run: Run) => Truth)[]
  readonly rules: readonly CompiledRule[]
  /** for each rule where its condition begins */
  readonly starts: Int32Array
  readonly guards: Guards
  /** of no need, before it is looked for signs: 0 for each */
  readonly nothingMissing: Uint8Array
}

/** Beside the answers; a rule refers to none that refers to it. */
const UNASKED = 3

export class Run {
  readonly view: MessageView
  readonly texts: ScannedTexts
  readonly #program: Program
  readonly #code: Int32Array
  /** of rules and, behind them, of calls */
  readonly #answers: Uint8Array
  #missing: Uint8Array
  /** what is asked of rules that rest on rules comes from many sides */
  readonly #times = new Map<number, number | undefined>()
  readonly #excerpts = new Map<number, string | undefined>()

  constructor(program: Program, view: MessageView, budget: MatchBudget) {
    this.view = view
    this.texts = new ScannedTexts(program, view, budget)
    this.#program = program
    this.#code = program.code
    this.#missing = program.nothingMissing
    this.#answers = new Uint8Array(program.starts.length + program.calls.length).fill(UNASKED)
  }

  /** What is missing of each need, when all signs are looked for (signs.ts). */
  looked(missing: Uint8Array): void {
    this.#missing = missing
  }

  /** What the condition says that begins there. */
  ask(at: number): Answer {
    if (this.#isOut(at)) return NO
    const code = this.#code
    switch (code[at] as ConditionKind) {
      case ALL: {
        let least: Answer = YES
        for (let part = at + FIRST, behind = code[at + NEXT] as number; part < behind; part = code[part + NEXT] as number) {
          const answer = this.ask(part)
          if (answer === NO) return NO
          if (answer === UNKNOWN) least = UNKNOWN
        }
        return least
      }
      case ANY: {
        let greatest: Answer = NO
        for (let part = at + FIRST, behind = code[at + NEXT] as number; part < behind; part = code[part + NEXT] as number) {
          const answer = this.ask(part)
          if (answer === YES) return YES
          if (answer === UNKNOWN) greatest = UNKNOWN
        }
        return greatest
      }
      case NOT: {
        const answer = this.ask(at + FIRST)
        return answer === NO ? YES : answer === YES ? NO : UNKNOWN
      }
      case RULE: return this.rule(code[at + FIRST] as number)
      case MATCHES: return answerOf(this.texts.anyMatches(this.#program.places[code[at + FIRST] as number] as PatternPlace, code[at + SECOND] as number))
      case CALL: return this.#call(code[at + FIRST] as number)
      case PRESENT: {
        const values = this.texts.values(code[at + FIRST] as number)
        return values === undefined ? UNKNOWN : values.length > 0 ? YES : NO
      }
      default: return answerOf(this.#ofGroup(at))
    }
  }

  /** Do so many of them hold that begin there? */
  soMany(parts: readonly number[], least: number): Truth {
    let possible = 0
    for (const at of parts) if (!this.#isOut(at)) possible++
    let known = true
    for (const at of parts) {
      if (possible < least) return false
      if (this.#isOut(at)) continue
      const answer = this.ask(at)
      if (answer === NO) possible--
      if (answer === UNKNOWN) known = false
    }
    return possible < least ? false : known ? true : undefined
  }

  /** What it needs is not there. */
  #isOut(at: number): boolean {
    const need = this.#code[at + NEED] as number
    return need >= 0 && (this.#missing[need] as number) > 0
  }

  #call(number: number): Answer {
    const place = this.#program.starts.length + number
    const known = this.#answers[place]
    if (known !== UNASKED) return known as Answer
    const answer = answerOf(this.#program.calls[number]?.(this))
    this.#answers[place] = answer
    return answer
  }

  #ofGroup(at: number): Truth {
    const program = this.#program
    const number = program.code[at + FIRST] as number
    const { group, least } = program.groups[number] as Program['groups'][number]
    return program.code[at] === ANY_OF_GROUP ? this.texts.anyOfGroup(group) : this.texts.manyOfGroup(group, least)
  }

  rule(index: number): Answer {
    const known = this.#answers[index]
    if (known !== UNASKED) return known as Answer
    const answer = this.ask(this.#program.starts[index] as number)
    this.#answers[index] = answer
    return answer
  }

  ruleTimes(index: number): number | undefined {
    const times = this.#program.rules[index]?.times
    const answer = this.rule(index)
    if (answer !== YES || times === undefined) return answer === UNKNOWN ? undefined : Number(answer === YES)
    if (!this.#times.has(index)) this.#times.set(index, times(this))
    return this.#times.get(index)
  }

  ruleExcerpt(index: number): string | undefined {
    if (this.rule(index) !== YES) return undefined
    if (!this.#excerpts.has(index)) this.#excerpts.set(index, this.#program.rules[index]?.shows(this))
    return this.#excerpts.get(index)
  }
}
