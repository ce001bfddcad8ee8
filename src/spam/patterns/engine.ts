/**
 * What a pattern that was read is run by; each made once, when it is asked for
 * the first time, whichever sets the pattern is in.
 */
import { Automaton } from './automaton.ts'
import { compile } from './compile.ts'
import { Matcher } from './matcher.ts'
import type { Pattern } from './pattern.ts'
import { treeOf } from './read-pattern.ts'
import { hasOneOf, requiredCharacters } from './required-characters.ts'
import { requiredRun } from './required-run.ts'
import type { Run } from './required-run.ts'
import { widthOf } from './syntax.ts'
import type { Tree } from './syntax.ts'
import type { Characters } from './required-characters.ts'
import { statesOf } from './states.ts'

/** Of what the matcher may begin at, in mail, at most; otherwise the automaton is there sooner. */
const SELDOM = 0.06

export class Engine {
  readonly #pattern: Pattern
  /** while several things are made of it */
  #tree: Tree | undefined
  #matcher: Matcher | undefined
  #automaton: Automaton | undefined | null = null
  #characters: Characters | undefined | null = null
  #run: Run | undefined | null = null
  #longest: number | undefined

  constructor(pattern: Pattern) {
    this.#pattern = pattern
  }

  /** Finds where it matches. */
  get matcher(): Matcher {
    return this.#matcher ??= new Matcher(compile(this.#read()))
  }

  /** Says whether it matches; undefined: not for this pattern. */
  get automaton(): Automaton | undefined {
    if (this.#automaton === null) this.#automaton = this.#makeAutomaton()
    return this.#automaton
  }

  /** A match has so many code units at most. */
  get longest(): number {
    return this.#longest ??= widthOf(this.#read().root).most
  }

  /** One of them must be there; undefined: that is not known of any, or its literals say as much. */
  get characters(): Characters | undefined {
    if (this.#characters === null) this.#characters = this.#makeCharacters()
    return this.#characters
  }

  /** Every match has one in it; undefined: nothing is known, or a look at the begin of the text costs less. */
  get run(): Run | undefined {
    if (this.#run === null) this.#run = this.matcher.anchored ? undefined : requiredRun(this.#read().root)
    return this.#run
  }

  /** Where the matcher begins seldom, the automaton is asked only if an attempt of the matcher came to no end. */
  get matcherFirst(): boolean {
    const { matcher } = this
    return matcher.anchored || matcher.share <= SELDOM
  }

  /** Makes what the first message would wait for. */
  prepare(): void {
    this.#tree = treeOf(this.#pattern)
    this.#characters = this.characters
    this.#run = this.run
    this.#longest = this.longest
    if (!this.matcherFirst) this.#automaton = this.automaton
    this.#tree = undefined
  }

  #read(): Tree {
    return this.#tree ?? treeOf(this.#pattern)
  }

  #makeCharacters(): Characters | undefined {
    const characters = requiredCharacters(this.#read().root)
    if (characters === undefined || this.#pattern.needs === undefined) return characters
    const saysMore = this.#pattern.needs.some((literal) => !hasOneOf(characters, Uint16Array.from(literal, (unit) => unit.charCodeAt(0)), [0, literal.length]))
    return saysMore ? characters : undefined
  }

  #makeAutomaton(): Automaton | undefined {
    const tree = this.#read()
    this.#longest = widthOf(tree.root).most
    const states = statesOf(tree)
    return states === undefined ? undefined : new Automaton(states, this.matcher.anchored)
  }
}

const engines = new WeakMap<Pattern, Engine>()

export function engineOf(pattern: Pattern): Engine {
  let engine = engines.get(pattern)
  if (engine === undefined) {
    engine = new Engine(pattern)
    engines.set(pattern, engine)
  }
  return engine
}

export function preparePattern(pattern: Pattern): void {
  engineOf(pattern).prepare()
}
