/**
 * What a `score` line says (Mail::SpamAssassin::Conf, "score"): one score, or one
 * for each of four sets, of which that counts which fits how Postern is used.
 * In parentheses they are added to what was said before. Pure.
 */
import { MAX_SCORE, MIN_SCORE } from '../rules/rule.ts'

/** Which of the four: network tests count one, Bayes counts two. */
export function scoreSetOf({ bayes, network }: { readonly bayes: boolean; readonly network: boolean }): number {
  return (bayes ? 2 : 0) + (network ? 1 : 0)
}

/** @param before what was said of the rule before; undefined: nothing, and nothing can be added to it */
export function readScores(value: string, scoreSet: number, before: number | undefined): number | string {
  const words = value.split(/\s+/)
  const relative = words.some((word) => word.startsWith('('))
  const numbers = words.map((word) => Number(/^\(?([+-]?(?:\d+\.?\d*|\.\d+))\)?$/.exec(word)?.[1] ?? NaN))
  if (numbers.some(Number.isNaN) || (numbers.length !== 1 && numbers.length !== 4)) return `the score cannot be read; it is one number or four, such as 1.5 or (0.5)`
  if (relative && before === undefined) return 'the score is in parentheses, and there is none before it to which it could be added'
  const given = numbers.length === 1 ? numbers[0] : numbers[scoreSet]
  const score = (given ?? 0) + (relative ? before ?? 0 : 0)
  return Math.min(MAX_SCORE, Math.max(MIN_SCORE, score))
}

/** @param flags of its `tflags` line */
export function defaultScore(id: string, flags: readonly string[] = []): number {
  const score = id.startsWith('T_') ? 0.01 : 1
  return flags.includes('nice') ? -score : score
}
