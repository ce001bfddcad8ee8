/**
 * `postern user`: edits and shows the users file. A running gateway takes an
 * edit up within a second or two; comments, order and the other fields of a
 * line stay as they are.
 *
 * Exit codes of sysexits(3): 0 done; 64 wrong arguments, as a name that cannot
 * be a user's; 65 the file has errors, the user is there already, or the
 * password cannot be one; 66 no such user or file; 75 somebody else edits it;
 * 77 no permission; 78 the configuration is wrong, or names no users file.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describeProblem } from '../delivery/address-file.ts'
import { parseUserName } from '../delivery/users.ts'
import { escapeControls } from '../observe/readable.ts'
import { passwordProblem } from '../submission/prepare.ts'
import { addUser, changePassword, listUsers, removeUser, type UsersEdit } from '../submission/users-edit.ts'
import { hashPassword, schemeLimit } from '../submission/write-password.ts'
import { askPassword, firstLine, passwordLine, type PasswordTerminal } from './ask-password.ts'
import { configured, type ConfiguredIo } from './configured.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { editLocked } from './locked-edit.ts'
import { safeJson } from './safe-json.ts'
import type { UserAddRequest, UserListRequest, UserPasswordRequest, UserRemoveRequest, UserRequest } from './user-command.ts'

export interface UserIo extends ConfiguredIo {
  readonly out: (text: string) => void
  readonly input: PasswordTerminal['input']
}

interface Place {
  readonly file: string
  /** of a file that is made: who runs the gateway may read it */
  readonly group: number | undefined
  readonly io: UserIo
}

/** Hashes of everybody's passwords stand in it. */
const FILE_MODE = 0o640

export async function runUser(request: UserRequest, io: UserIo): Promise<number> {
  const place = placeOf(request, io)
  if (typeof place === 'number') return place
  switch (request.action) {
    case 'add':
    case 'passwd': return await write(request, place)
    case 'remove': return await remove(request, place)
    case 'list': return list(request, place)
  }
}

function placeOf(request: UserRequest, io: UserIo): Place | number {
  if (request.users !== undefined) {
    const file = resolve(io.cwd, request.users)
    return { file, group: groupOf(dirname(file)), io }
  }
  const loaded = configured(request.config, io)
  if (loaded.status === 'refused') {
    io.err('postern: --users FILE says which users file is meant, whatever the configuration is\n')
    return loaded.exitCode
  }
  const { settings, source } = loaded
  const files = new Set(settings.listeners.flatMap(({ submission }) => submission?.authentication.users ?? []))
  const [file] = files
  if (file === undefined) throw new ExitError(EXIT.configuration, `no submission listener of ${source} has a users file: give one with --users`)
  if (files.size > 1) throw new ExitError(EXIT.usage, `${source} names several users files: say which with --users (${[...files].join(', ')})`)
  return { file, group: groupOf(settings.state) ?? groupOf(dirname(file)), io }
}

function groupOf(directory: string): number | undefined {
  return statSync(directory, { throwIfNoEntry: false })?.gid
}

async function write(request: UserAddRequest | UserPasswordRequest, place: Place): Promise<number> {
  const name = userName(request.name)
  const add = request.action === 'add'
  // Before anybody types a password in vain.
  const now = existsSync(place.file) ? readFileSync(place.file, 'utf8') : undefined
  if (now === undefined && !add) throw new ExitError(EXIT.noInput, `${place.file} is not there`)
  const before = add ? addUser(now ?? '', name, '') : changePassword(now ?? '', name, '')
  if (before.status !== 'edited') return explain(before, name, place)
  const password = await passwordFor(request, name, place)
  const problem = passwordProblem(password) ?? schemeLimit(password, request.scheme)
  if (problem !== undefined) throw new ExitError(EXIT.data, `this cannot be a password: ${problem}`)
  const hash = await hashPassword(password, request.scheme)
  const edit = await editFile(place, (text) => (add ? addUser(text, name, hash) : changePassword(text, name, hash)))
  if (edit.status !== 'edited') return explain(edit, name, place)
  place.io.out(add ? `added ${name}\n` : `${name} has a new password\n`)
  return EXIT.ok
}

async function passwordFor({ passwordFile }: UserAddRequest | UserPasswordRequest, name: string, { io }: Place): Promise<string> {
  if (passwordFile === undefined) return await askPassword(name, { input: io.input, err: io.err })
  if (passwordFile === '-') return await firstLine(io.input)
  const file = resolve(io.cwd, passwordFile)
  if (!existsSync(file)) throw new ExitError(EXIT.noInput, `${file} is not there`)
  return passwordLine(readFileSync(file))
}

async function remove(request: UserRemoveRequest, place: Place): Promise<number> {
  const names = request.names.map(userName)
  if (!existsSync(place.file)) throw new ExitError(EXIT.noInput, `${place.file} is not there`)
  let missing = ''
  const edit = await editFile(place, (before) => {
    let result: UsersEdit = { status: 'edited', text: before, replaced: false }
    for (const name of names) {
      result = removeUser(result.text, name)
      missing = name
      if (result.status !== 'edited') return result
    }
    return result
  })
  if (edit.status !== 'edited') return explain(edit, missing, place)
  place.io.out(names.map((name) => `removed ${name}\n`).join(''))
  return EXIT.ok
}

async function editFile({ file, group }: Place, edit: (text: string) => UsersEdit): Promise<UsersEdit> {
  let done: UsersEdit = { status: 'unknown' }
  await editLocked(file, (text) => {
    done = edit(text)
    return done.status === 'edited' ? done.text : undefined
  }, { mode: FILE_MODE, ...(group !== undefined && { group }) })
  return done
}

function explain(edit: Exclude<UsersEdit, { status: 'edited' }>, name: string, { file, io }: Place): number {
  switch (edit.status) {
    case 'exists': throw new ExitError(EXIT.data, `${name} is there already (line ${edit.line} of ${file}); postern user passwd gives another password`)
    case 'unknown': throw new ExitError(EXIT.noInput, `there is no user ${name} in ${file}; nothing was changed`)
    case 'malformed':
      for (const problem of edit.problems) io.err(`postern: ${escapeControls(describeProblem(file, problem))}\n`)
      return EXIT.data
  }
}

function list({ json }: UserListRequest, place: Place): number {
  const { file, io } = place
  if (!existsSync(file)) throw new ExitError(EXIT.noInput, `${file} is not there`)
  const found = listUsers(readFileSync(file, 'utf8'))
  if (found.status === 'malformed') return explain(found, '', place)
  for (const user of found.users) {
    const { name, line, scheme, uid, gid } = user
    io.out(json === true ? `${safeJson({ name, scheme, line, uid, gid })}\n` : `${escapeControls(name)}: ${SCHEMES[scheme] ?? scheme}\n`)
  }
  if (found.users.length === 0 && json !== true) io.out(`${file} has no users\n`)
  return EXIT.ok
}

const SCHEMES: Readonly<Record<string, string>> = {
  none: 'no password, cannot log in', refused: 'a password that cannot be checked here, cannot log in', plain: 'the password itself',
}

function userName(given: string): string {
  const name = parseUserName(given)
  if (typeof name !== 'string') throw new ExitError(EXIT.usage, escapeControls(name.what))
  // A line with it would be a comment, or another user's.
  if (/[:#]/.test(name[0] ?? '') || name.includes(':')) throw new ExitError(EXIT.usage, `the name "${escapeControls(given)}" cannot stand in a users file: no colon, and no # in front`)
  return name
}
