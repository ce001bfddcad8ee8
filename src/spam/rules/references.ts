/**
 * What rules refer to: others that must be there, and must not lead back.
 * Takes out what does not fit together, tells why, and leaves the rest.
 */
import { suggestion } from '../../config/nearest.ts'
import { rulesIn, rulesInQuantity } from './condition.ts'
import { problemOf } from './read-file.ts'
import type { LocatedRule } from './read-file.ts'
import type { RuleProblem } from './rule.ts'

/** Rules that rest on rules that rest on rules … */
const MAX_DEPTH = 50

/** @param refused ids that stand in the files and are not used */
export function fitting(rules: readonly LocatedRule[], refused: ReadonlySet<string>, problems: RuleProblem[]): readonly LocatedRule[] {
  const gone = new Set(refused)
  let left = rules
  for (;;) {
    const ids = new Map(left.map((one) => [one.rule.id, one]))
    const kept = left.filter((one) => {
      const missing = referencesOf(one).find((id) => !ids.has(id))
      if (missing === undefined) return true
      problems.push(problemOf(one, gone.has(missing)
        ? { problem: `${one.rule.id} refers to ${missing}, which is not used itself`, allowed: undefined }
        : { problem: `${one.rule.id} refers to ${missing}, which is not there${suggestion(missing, ids.keys())}`, allowed: 'ids of rules in all files' }))
      gone.add(one.rule.id)
      return false
    })
    const straight = withoutCircles(kept, gone, problems)
    if (straight.length === left.length) return left
    left = straight
  }
}

function withoutCircles(rules: readonly LocatedRule[], gone: Set<string>, problems: RuleProblem[]): readonly LocatedRule[] {
  const ids = new Map(rules.map((one) => [one.rule.id, one]))
  const done = new Set<string>()
  const wrong = new Map<string, string>()
  const visit = (id: string, way: readonly string[]): void => {
    const rule = ids.get(id)
    if (rule === undefined || done.has(id) || wrong.has(id)) return
    if (way.includes(id)) {
      const circle = way.slice(way.indexOf(id))
      for (const one of circle) wrong.set(one, `refers to itself: ${[...circle, id].join(' → ')}`)
      return
    }
    if (way.length >= MAX_DEPTH) {
      wrong.set(way[0] ?? id, `rests on rules that rest on rules, more than ${MAX_DEPTH} deep`)
      return
    }
    for (const next of referencesOf(rule)) visit(next, [...way, id])
    done.add(id)
  }
  for (const id of ids.keys()) visit(id, [])
  for (const [id, problem] of wrong) {
    const rule = ids.get(id)
    if (rule !== undefined) problems.push(problemOf(rule, { problem: `${id} ${problem}`, allowed: `at most ${MAX_DEPTH} rules in a row, none of them twice` }))
    gone.add(id)
  }
  return rules.filter(({ rule }) => !wrong.has(rule.id))
}

function referencesOf({ rule }: LocatedRule): readonly string[] {
  return [...rulesIn(rule.when), ...(rule.times === undefined ? [] : rulesInQuantity(rule.times))]
}
