/**
 * `postern allow`: edits and shows the allow list that `policy.allow` names. A
 * running gateway takes an edit up within a second or two.
 *
 * Exit codes of sysexits(3): 0 done; 64 wrong arguments, or an entry that no list may
 * have; 65 the list, as it is, has errors; 66 no such entry, or no configuration file; 75
 * somebody else edits it; 77 no permission; 78 the configuration is wrong, or
 * names no allow list.
 */
import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { duration } from '../config/format.ts'
import { loadConfiguration, type LoadOptions } from '../config/load.ts'
import { describeError } from '../config/problem.ts'
import type { Settings } from '../config/settings.ts'
import type { ConfigurationError } from '../config/problem.ts'
import { GREYLIST } from '../inbound/allow.ts'
import { escapeControls } from '../observe/readable.ts'
import { CHECKS } from '../policy/policy.ts'
import { addAllowEntry, removeAllowEntry, type AllowDraft } from '../reputation/allow-list-edit.ts'
import { readAllowList } from '../reputation/allow-list-file.ts'
import type { AllowEntry, AllowHits } from '../reputation/allow-list.ts'
import { DatabaseAllowHits } from '../state/allow-hits.ts'
import type { AddRequest, AllowRequest } from './allow-command.ts'
import { whoIs, WHO_ALLOWED, type Who } from './allow-who.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { editLocked } from './locked-edit.ts'
import { readDatabase } from './read-database.ts'
import { safeJson } from './safe-json.ts'

export interface AllowIo extends Omit<LoadOptions, 'file'> {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** milliseconds since 1970; default: the time of day */
  readonly now?: () => number
  /** default: the login */
  readonly user?: () => string
}

interface Place {
  readonly file: string
  readonly settings: Settings
  readonly io: AllowIo
  readonly nowMs: number
}

const KNOWN_CHECKS: readonly string[] = [...CHECKS, GREYLIST]
const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const AFTER = duration({ min: '1m', max: '3650d' })

export async function runAllow(request: AllowRequest, io: AllowIo): Promise<number> {
  const loaded = loadConfiguration({ ...io, file: request.config, purpose: 'command' })
  if (loaded.status === 'unreadable') throw new ExitError(EXIT.noInput, `${loaded.source}: ${loaded.cause}`)
  if (loaded.status === 'invalid') return tellProblems(loaded.errors, io, EXIT.configuration)
  const { settings } = loaded
  const { policy } = settings
  if (policy.allow === undefined) throw new ExitError(EXIT.configuration, `${loaded.source} names no allow list: add "policy: { allow: allow.yaml }" to it`)
  const place: Place = { file: policy.allow, settings, io, nowMs: (io.now ?? Date.now)() }
  switch (request.action) {
    case 'add': return add(request, place)
    case 'remove': return remove(request.ids, place)
    case 'list': return list(request.json === true, place)
  }
}

function tellProblems(errors: readonly ConfigurationError[], { err }: AllowIo, code: number): number {
  for (const error of errors) err(`postern: ${describeError(error)}\n`)
  return code
}

/** What an edit came to, said once it is on disk. */
interface Said {
  readonly code: number
  readonly out: string
}

async function add(request: AddRequest, place: Place): Promise<number> {
  let said: Said = { code: EXIT.ok, out: '' }
  await editLocked(place.file, (text) => {
    const source = sourceOf(text, place)
    const draft = draftOf(request, text, place)
    const before = readAllowList(source)
    if (before.status === 'refused') {
      said = { code: tellProblems(before.errors, place.io, EXIT.data), out: '' }
      return undefined
    }
    const edit = addAllowEntry(source, draft)
    // The list was in order, so what is wrong was on the command line.
    if (edit.status !== 'edited') throw new ExitError(EXIT.usage, edit.status === 'refused' ? edit.errors.map((error) => describeDraftError(error, request)).join('\n') : 'the entry could not be added')
    said = { code: EXIT.ok, out: `added ${draft.id}, until ${draft.expires}\n` }
    return edit.text
  })
  place.io.out(said.out)
  return said.code
}

/** An entry that does not stand in the file has no line there: the option is named in its place. */
function describeDraftError({ key, problem, allowed }: ConfigurationError, request: AddRequest): string {
  const named = /\.(id|domain|dkim|spf|address|sender|recipient|checks|reason|author|expires)(?:\[\d+\])?$/.exec(key)?.[1]
  const option = named === 'id' && request.id === undefined ? 'the id made of it' : named === undefined ? key : `--${named}`
  return escapeControls(`${option}: ${problem}${allowed === undefined ? '' : `; allowed: ${allowed}`}`)
}

async function remove(ids: readonly string[], place: Place): Promise<number> {
  let said: Said = { code: EXIT.ok, out: '' }
  await editLocked(place.file, (before) => {
    let text = before
    for (const id of ids) {
      const edit = removeAllowEntry(sourceOf(text, place), id)
      switch (edit.status) {
        case 'edited':
          text = edit.text
          break
        case 'refused':
          said = { code: tellProblems(edit.errors, place.io, EXIT.data), out: '' }
          return undefined
        case 'no-such-entry': throw new ExitError(EXIT.noInput, `there is no entry ${escapeControls(id)}; nothing was removed`)
      }
    }
    said = { code: EXIT.ok, out: ids.map((id) => `removed ${id}\n`).join('') }
    return text
  })
  place.io.out(said.out)
  return said.code
}

function sourceOf(text: string, { file }: Place): { readonly text: string; readonly source: string; readonly checks: readonly string[] } {
  return { text, source: file, checks: KNOWN_CHECKS }
}

function draftOf(request: AddRequest, text: string, place: Place): AllowDraft {
  const { recipient, checks, reason } = request
  const { match, sender } = identityOf(request)
  const scope = { ...(sender && { sender }), ...(recipient && { recipient }), ...(checks !== undefined && { checks: checks.split(',').map((one) => one.trim()) }) }
  return {
    id: request.id ?? freeId(request.who ?? request.domain ?? request.dkim ?? request.spf ?? request.address?.[0] ?? '', sourceOf(text, place)),
    match, scope: Object.keys(scope).length === 0 ? 'all' : scope, reason, author: request.author ?? (place.io.user ?? login)(), expires: expiryOf(request.expires, place.nowMs),
  }
}

function identityOf({ who, domain, dkim, spf, address, sender }: AddRequest): Who {
  const match = { ...(domain && { domain }), ...(dkim && { dkim }), ...(spf && { spf }), ...(address && { address }) }
  const given = Object.keys(match).length
  if (who === undefined) {
    if (given !== 1) throw new ExitError(EXIT.usage, `say who it is: ${WHO_ALLOWED}; or exactly one of --domain, --dkim, --spf and --address`)
    return { match, ...(sender && { sender }) }
  }
  if (given > 0) throw new ExitError(EXIT.usage, 'say who it is once: as an argument, or by one of --domain, --dkim, --spf and --address')
  const found = whoIs(who)
  if (found === undefined) throw new ExitError(EXIT.usage, `${escapeControls(JSON.stringify(who))} is nobody whom a list could let through; allowed: ${WHO_ALLOWED}`)
  if (found.sender !== undefined && sender) throw new ExitError(EXIT.usage, '--sender: with the address of a sender nothing is left to say of it')
  return { ...found, ...(sender && { sender }) }
}

/** A user without an entry in the user database, as in containers, has no name. */
function login(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

/** `30d` as the day on which it ends; anything else is for the reader of the list to understand. */
function expiryOf(text: string, nowMs: number): string {
  const after = AFTER.read(text)
  return after.status === 'read' ? new Date(nowMs + after.value).toISOString().slice(0, 10) : text
}

function freeId(identity: string, source: Parameters<typeof readAllowList>[0]): string {
  const base = identity.toLowerCase().replace(/^[^a-z0-9]+/, '').replaceAll(/[^a-z0-9._-]+/g, '-').replace(/[^a-z0-9]+$/, '').slice(0, 58) || 'entry'
  const reading = readAllowList(source)
  const taken = new Set(reading.status === 'read' ? reading.entries.map(({ id }) => id) : [])
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`
    if (!taken.has(id)) return id
  }
}

function list(json: boolean, place: Place): number {
  const { file, io } = place
  const reading = readAllowList(sourceOf(existsSync(file) ? readFileSync(file, 'utf8') : '', place))
  if (reading.status === 'refused') return tellProblems(reading.errors, io, EXIT.data)
  if (reading.entries.length === 0 && !json) io.out(`nobody is on the list ${file}\n`)
  const show = (hits: Pick<AllowHits, 'of'>): void => {
    for (const entry of reading.entries) io.out(json ? `${safeJson(asJson(entry, hits, place.nowMs))}\n` : describe(entry, hits, place.nowMs))
  }
  // Without a database nothing was counted.
  readDatabase(place.settings.state, { read: (database) => show(new DatabaseAllowHits(database, QUIET)), missing: () => show({ of: () => undefined }) })
  return EXIT.ok
}

function asJson(entry: AllowEntry, hits: Pick<AllowHits, 'of'>, nowMs: number): Readonly<Record<string, unknown>> {
  const used = hits.of(entry.id)
  return {
    ...entry, expiresAt: entry.expiresAt === undefined ? null : new Date(entry.expiresAt).toISOString(), expired: isExpired(entry, nowMs),
    hits: used?.count ?? 0, lastHit: used === undefined ? null : new Date(used.lastAt).toISOString(),
  }
}

function describe(entry: AllowEntry, hits: Pick<AllowHits, 'of'>, nowMs: number): string {
  const { id, match, scope, reason, author, expiresAt } = entry
  const identity = match.kind === 'address' ? `address ${match.networks.join(', ')}` : `${match.kind} ${match.domain}`
  const limits = [scope.sender && `from ${scope.sender}`, scope.recipient && `to ${scope.recipient}`, scope.checks && `from the checks ${scope.checks.join(', ')}`].filter((part) => part !== undefined && part !== '')
  const end = expiresAt === undefined ? 'without end' : `${isExpired(entry, nowMs) ? 'EXPIRED' : 'until'} ${new Date(expiresAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const used = hits.of(id)
  const use = used === undefined ? 'never of use' : `of use ${used.count} times, last ${new Date(used.lastAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return escapeControls(`${id}: ${identity}${limits.length === 0 ? '' : `, ${limits.join(', ')}`}; ${end}; ${use}; ${author}: ${reason}`) + '\n'
}

function isExpired({ expiresAt }: AllowEntry, nowMs: number): boolean {
  return expiresAt !== undefined && nowMs >= expiresAt
}
