/**
 * Reads a pattern: what it needs, and whether it is linear; or why not, and at
 * which offset. Never throws on a source, however broken. The program of a
 * pattern is made when it is tried for the first time.
 */
import { Automaton } from './automaton.ts'
import { anchorOf, compile } from './compile.ts'
import { NO_FLAGS, Refusal, withFlag } from './cursor.ts'
import type { Flags } from './cursor.ts'
import { requiredLiterals } from './literals.ts'
import { Matcher } from './matcher.ts'
import { parse } from './parse.ts'
import type { Pattern, PatternReading } from './pattern.ts'
import { statesOf } from './states.ts'
import { isLinear } from './syntax.ts'
import type { Tree } from './syntax.ts'

/** `source` stands between the slashes; `flags` behind them. */
export function readPattern(source: string, flags: string): PatternReading {
  try {
    const { root } = parse(source, readFlags(flags))
    const needs = requiredLiterals(root)
    const linear = isLinear(root)
    const pattern: Pattern = needs === undefined ? { source, flags, needs, linear } : { source, flags, needs: needs.all, needsAt: needs.at, linear }
    return { status: 'read', pattern }
  } catch (error) {
    if (error instanceof Refusal) return { status: 'refused', problem: error.message, at: error.at }
    throw error
  }
}

const matchers = new WeakMap<Pattern, Matcher>()
const automata = new WeakMap<Pattern, Automaton | 'none'>()

/** Finds where a pattern that was read matches; made once, whichever sets it is in. */
export function matcherOf(pattern: Pattern): Matcher {
  const known = matchers.get(pattern)
  if (known !== undefined) return known
  const matcher = new Matcher(compile(treeOf(pattern)))
  matchers.set(pattern, matcher)
  return matcher
}

/** Says whether it matches; made once. Undefined: not for this pattern. */
export function automatonOf(pattern: Pattern): Automaton | undefined {
  let known = automata.get(pattern)
  if (known === undefined) {
    const tree = treeOf(pattern)
    const states = statesOf(tree)
    known = states === undefined ? 'none' : new Automaton(states, anchorOf(tree.root) === 'text')
    automata.set(pattern, known)
  }
  return known === 'none' ? undefined : known
}

function treeOf({ source, flags }: Pattern): Tree {
  return parse(source, readFlags(flags))
}

function readFlags(letters: string): Flags {
  let flags = NO_FLAGS
  for (const letter of letters) flags = withFlag(flags, letter, true) ?? refuseFlag(letter)
  return flags
}

function refuseFlag(letter: string): never {
  throw new Refusal(`the flag ${letter} is not supported`, 0)
}
