/** A line of our maps, `key user[, user…]`, as Postfix's tables have it. No I/O. */
import { parseUserName } from '../delivery/users.ts'

export interface MapLine {
  readonly key: string
  /** as accounts are named */
  readonly users: readonly string[]
}

const MAX_LINE = 4096
const MAX_USERS = 200

/** null: nothing stands there; a sentence: what is wrong with it. */
export function parseMapLine(raw: string): MapLine | string | null {
  const content = raw.trim()
  if (content === '' || content.startsWith('#')) return null
  if (content.length > MAX_LINE) return `the line has more than ${MAX_LINE} characters`
  const [, key = '', rest = ''] = /^(\S+)(?:\s+(.*))?$/s.exec(content) ?? []
  const names = rest.split(/[\s,]+/).filter((name) => name !== '')
  if (names.length === 0) return `no user stands behind "${key}"; a line is key user[, user…]`
  if (names.length > MAX_USERS) return `more than ${MAX_USERS} users`
  const users: string[] = []
  for (const name of names) {
    const parsed = parseUserName(name)
    if (typeof parsed !== 'string') return parsed.what
    users.push(parsed)
  }
  return { key, users }
}
