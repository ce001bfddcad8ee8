/**
 * Writes fitted scores into files of rules. Only the values of `score` change,
 * and `prior` is added below it where the score was the author's own until now;
 * comments, order and layout stay. Pure; a file that is not YAML is a bug of
 * the caller, who has read its rules already.
 */
import { isMap, isScalar, isSeq, parseDocument, type YAMLMap } from 'yaml'

/** @param scores by id; of rules that are not named, nothing changes */
export function withScores(text: string, scores: ReadonlyMap<string, number>): string {
  const document = parseDocument(text)
  if (document.errors[0] !== undefined) throw new Error(`not valid YAML: ${document.errors[0].message}`)
  const rules = document.get('rules')
  if (!isSeq(rules)) return text
  const edits: Edit[] = []
  for (const rule of rules.items) {
    if (!isMap(rule)) continue
    const id = rule.get('id')
    const score = typeof id === 'string' ? scores.get(id) : undefined
    if (score !== undefined) edits.push(...editsOf(text, rule, score))
  }
  return edits.reduceRight((before, { from, to, by }) => before.slice(0, from) + by + before.slice(to), text)
}

interface Edit {
  readonly from: number
  readonly to: number
  readonly by: string
}

function editsOf(text: string, rule: YAMLMap, score: number): Edit[] {
  const pair = rule.items.find(({ key }) => isScalar(key) && key.value === 'score')
  if (!isScalar(pair?.key) || !isScalar(pair.value) || !pair.key.range || !pair.value.range || typeof pair.value.value !== 'number') return []
  const before = pair.value.value
  if (before === score) return []
  const [from, to] = pair.value.range
  const change = { from, to, by: String(score) }
  if (rule.has('prior')) return [change]
  const old = text.slice(from, to)
  if (rule.flow) return [{ ...change, by: `${change.by}, prior: ${old}` }]
  // Behind the line, for there may be a comment on it; below the key, however the list is indented.
  const key = pair.key.range[0]
  const indent = ' '.repeat(key - (text.lastIndexOf('\n', key - 1) + 1))
  const found = text.indexOf('\n', to)
  const line = text[found - 1] === '\r' ? '\r\n' : '\n'
  const end = found < 0 ? text.length : found - line.length + 1
  return [change, { from: end, to: end, by: `${line}${indent}prior: ${old}` }]
}
