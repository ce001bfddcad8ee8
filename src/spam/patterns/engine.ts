/**
 * What a pattern that was read is run by; each made once, when it is asked for
 * the first time, whichever sets the pattern is in.
 */
import { Automaton } from './automaton.ts'
import { compile } from './compile.ts'
import type { Pattern } from './pattern.ts'
import type { Program } from './program.ts'
import { treeOf } from './read-pattern.ts'
import { requiredCharacters } from './required-characters.ts'
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
  #program: Program | undefined
  #automaton: Automaton | undefined | null = null
  #characters: Characters | undefined | null = null
  #longest: number | undefined

  constructor(pattern: Pattern) {
    this.#pattern = pattern
  }

  /** For a matcher, to find where it matches. */
  get program(): Program {
    return this.#program ??= compile(this.#read())
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

  /** One of them must be there; undefined: that is not known of any. */
  get characters(): Characters | undefined {
    if (this.#characters === null) this.#characters = requiredCharacters(this.#read().root)
    return this.#characters
  }

  /** Where the matcher begins seldom, the automaton is asked only if an attempt of the matcher came to no end. */
  get matcherFirst(): boolean {
    const { anchor, share } = this.program
    return anchor === 'text' || share <= SELDOM
  }

  /** Makes what the first message would wait for. */
  prepare(): void {
    this.#tree = treeOf(this.#pattern)
    this.#characters = this.characters
    if (!this.matcherFirst) this.#automaton = this.automaton
    this.#tree = undefined
  }

  #read(): Tree {
    return this.#tree ?? treeOf(this.#pattern)
  }

  #makeAutomaton(): Automaton | undefined {
    const tree = this.#read()
    this.#longest = widthOf(tree.root).most
    const states = statesOf(tree)
    return states === undefined ? undefined : new Automaton(states, this.program.anchor === 'text')
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
