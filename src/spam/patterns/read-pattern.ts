/**
 * Reads a pattern: what it needs, and whether it is linear; or why not, and at
 * which offset. Never throws on a source, however broken.
 */
import { NO_FLAGS, Refusal, withFlag } from './cursor.ts'
import type { Flags } from './cursor.ts'
import { requiredLiterals } from './literals.ts'
import { parse } from './parse.ts'
import type { Pattern, PatternReading } from './pattern.ts'
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

/** Of a pattern that was read. */
export function treeOf({ source, flags }: Pattern): Tree {
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
