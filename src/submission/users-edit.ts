/**
 * Edits the text of a users file, line by line: what is not touched stays byte
 * for byte, comments, order, other fields and line ends included. No I/O; a
 * file with errors is refused with them, for nobody could tell what an edit of
 * it would do.
 */
import type { FileProblem } from '../delivery/address-file.ts'
import { parseUserName, parseUsers } from '../delivery/users.ts'
import { parsePassword, type PasswordHash } from './password-hash.ts'

export type UsersEdit =
  | { readonly status: 'edited'; readonly text: string; readonly replaced: boolean }
  /** no password was there, or no such user, or one already */
  | { readonly status: 'exists'; readonly line: number }
  | { readonly status: 'unknown' }
  | { readonly status: 'malformed'; readonly problems: readonly FileProblem[] }

export interface ListedUser {
  readonly name: string
  readonly line: number
  /** `argon2id`, `none`, `refused`, … */
  readonly scheme: PasswordHash['scheme'] | 'none' | 'refused'
  readonly uid: number | undefined
  readonly gid: number | undefined
}

interface Line {
  readonly text: string
  readonly name: string | undefined
}

/** @param password as it stands in the file, `{SCHEME}…` */
export function addUser(text: string, name: string, password: string): UsersEdit {
  return edited(text, (lines) => {
    const at = lines.findIndex((line) => line.name === name)
    if (at >= 0 && passwordOf(lines[at]?.text ?? '') !== '') return { status: 'exists', line: at + 1 }
    // A user who had mail delivered only gets a password; everything else of the line stays.
    if (at >= 0) return replaced(lines, at, password)
    const bodies = lines.map((line) => line.text)
    const [last] = bodies.slice(-1)
    const end = bodies.some((line) => line.endsWith('\r')) ? '\r' : ''
    const whole = last === '' || last === undefined ? bodies.slice(0, -1) : [...bodies.slice(0, -1), last + (last.endsWith('\r') ? '' : end)]
    return { status: 'edited', text: [...whole, `${name}:${password}${end}`, ''].join('\n'), replaced: false }
  })
}

export function changePassword(text: string, name: string, password: string): UsersEdit {
  return edited(text, (lines) => {
    const at = lines.findIndex((line) => line.name === name)
    return at < 0 ? { status: 'unknown' } : replaced(lines, at, password)
  })
}

export function removeUser(text: string, name: string): UsersEdit {
  return edited(text, (lines) => {
    const at = lines.findIndex((line) => line.name === name)
    return at < 0 ? { status: 'unknown' } : { status: 'edited', text: lines.toSpliced(at, 1).map((line) => line.text).join('\n'), replaced: false }
  })
}

export function listUsers(text: string): { readonly status: 'ok'; readonly users: readonly ListedUser[] } | Extract<UsersEdit, { status: 'malformed' }> {
  const parsed = parseUsers(text)
  if (parsed.status === 'malformed') return parsed
  const users = linesOf(text).flatMap(({ text: content, name }, index): ListedUser[] => {
    if (name === undefined) return []
    const found = parsePassword(passwordOf(content))
    const [, , uid, gid] = content.split(':')
    return [{ name, line: index + 1, scheme: found.status === 'ok' ? found.hash.scheme : found.status, uid: idOf(uid), gid: idOf(gid) }]
  })
  return { status: 'ok', users }
}

function edited(text: string, edit: (lines: readonly Line[]) => UsersEdit): UsersEdit {
  const parsed = parseUsers(text)
  return parsed.status === 'malformed' ? parsed : edit(linesOf(text))
}

function replaced(lines: readonly Line[], at: number, password: string): UsersEdit {
  const line = lines[at]?.text ?? ''
  const end = line.endsWith('\r') ? '\r' : ''
  const fields = line.slice(0, line.length - end.length).split(':')
  const text = [fields[0] ?? '', password, ...fields.slice(2)].join(':') + end
  return { status: 'edited', text: lines.map((one, i) => (i === at ? text : one.text)).join('\n'), replaced: true }
}

function passwordOf(line: string): string {
  return (line.replace(/\r$/, '').split(':')[1] ?? '').trim()
}

/** The file is in order, so each line that says something has a name. */
function linesOf(text: string): readonly Line[] {
  return text.split('\n').map((line) => {
    const content = line.replace(/\r$/, '')
    if (content.trim() === '' || content.startsWith('#')) return { text: line, name: undefined }
    const name = parseUserName((content.split(':', 1)[0] ?? '').trim())
    return { text: line, name: typeof name === 'string' ? name : undefined }
  })
}

function idOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}
