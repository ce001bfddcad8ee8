/**
 * The lines of a users file, which deliveries and logins read alike: comments
 * and empty lines are passed over, each user stands once. No I/O. What is wrong
 * with a line makes the whole file malformed, with its number.
 */
import type { FileProblem } from './address-file.ts'
import type { Parsed } from './watched-file.ts'

const MAX_LINES = 1_000_000
const MAX_LINE = 4096
const MAX_PROBLEMS = 20

/** A string: what is wrong with it. */
export type UserLine<T> = string | { readonly name: string; readonly value: T; readonly warnings: readonly string[] }

export function parseUserLines<T>(text: string, parseLine: (content: string, line: number) => UserLine<T>): Parsed<ReadonlyMap<string, T>> {
  const users = new Map<string, T>()
  const standsIn = new Map<string, number>()
  const problems: FileProblem[] = []
  const warnings: FileProblem[] = []
  const lines = text.split('\n')
  if (lines.length > MAX_LINES) return { status: 'malformed', problems: [{ line: MAX_LINES, what: `more than ${MAX_LINES} lines` }] }
  for (const [index, raw] of lines.entries()) {
    const line = index + 1
    const content = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (content.trim() === '' || content.startsWith('#')) continue
    const parsed = content.length > MAX_LINE ? `the line has more than ${MAX_LINE} characters` : parseLine(content, line)
    if (typeof parsed === 'string') problems.push({ line, what: parsed })
    else {
      const earlier = standsIn.get(parsed.name)
      if (earlier !== undefined) problems.push({ line, what: `user ${parsed.name} stands already in line ${earlier}` })
      else {
        users.set(parsed.name, parsed.value)
        standsIn.set(parsed.name, line)
      }
      for (const what of parsed.warnings) if (warnings.length < MAX_PROBLEMS) warnings.push({ line, what })
    }
    if (problems.length >= MAX_PROBLEMS) break
  }
  return problems.length > 0 ? { status: 'malformed', problems } : { status: 'ok', value: users, warnings }
}
