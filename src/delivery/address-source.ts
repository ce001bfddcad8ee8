/**
 * Keeps the address book of a delivery hop up to date with its users and
 * aliases files.
 *
 * The files are looked at (size, times, inode) no more than once a second and
 * only when an address is asked for; a changed file is read again, and once more
 * two seconds later: one that is written in place may have been read half, and
 * be finished without another stamp (the same size, within a tick of the file
 * system's clock, which is two seconds on some). A malformed
 * one is told in the log with each line, and the last good content stays in
 * use. An unreadable one makes the book `unavailable`, for nobody can say then
 * who is a user: the caller answers 451. Nothing here rejects.
 */
import { hash } from 'node:crypto'
import type { Log } from '../observe/log.ts'
import type { Domain } from '../smtp/envelope.ts'
import { checkAddressBook, type AddressBook } from './address-book.ts'
import { describeProblem, type FileProblem } from './address-file.ts'
import { NO_ALIASES, parseAliases, type AliasTable, type AliasTarget } from './aliases.ts'
import type { FileSystem } from './file-system.ts'
import { parseUsers, type UserTable } from './users.ts'

export interface AddressSourceSettings {
  /** its name in the log */
  readonly hop: string
  readonly users: string | undefined
  readonly aliases: string | undefined
  readonly suffix: string
  readonly catchAll: AliasTarget | undefined
  readonly domains: ReadonlySet<Domain>
}

export interface AddressSourceContext {
  readonly files: FileSystem
  readonly log: Log
  /** a clock that does not jump */
  readonly monotonicMs: () => number
}

export type BookResult =
  | { readonly status: 'ok'; readonly book: AddressBook }
  | { readonly status: 'unavailable'; readonly cause: string }

/** Whole sentences, each with file and line. */
export interface LoadReport {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

export interface AddressSource {
  current(): Promise<BookResult>
  /** Looks at the files now, whether they changed or not. */
  reload(): Promise<LoadReport>
}

const CHECK_EVERY_MS = 1000
/** longer than the coarsest clock of a file system ticks */
const SETTLED_MS = 2000
const MAX_FILE_BYTES = 64 * 1024 * 1024

type Parsed<T> =
  | { readonly status: 'ok'; readonly value: T; readonly warnings: readonly FileProblem[] }
  | { readonly status: 'malformed'; readonly problems: readonly FileProblem[] }

/** One file and the last good content of it. */
interface Watched<T> {
  readonly path: string
  readonly parse: (text: string) => Parsed<T>
  stamp: string
  /** of the bytes that were read last */
  digest: string
  /** when it is read again though its stamp is the same */
  againMs: number | undefined
  value: T | undefined
  /** the last good content said something */
  filled: boolean
}

interface Report {
  readonly errors: string[]
  readonly warnings: string[]
}

type LookResult = 'same' | 'changed' | { readonly unreadable: string }

export function createAddressSource(settings: AddressSourceSettings, context: AddressSourceContext): AddressSource {
  const users: Watched<UserTable> | undefined = watched(settings.users, parseUsers)
  const aliases: Watched<AliasTable> | undefined = watched(settings.aliases, (text) => parseAliases(text, settings.domains))
  let last: BookResult = { status: 'unavailable', cause: 'not read yet' }
  let book: AddressBook | undefined
  let checkedMs = -Infinity
  let running: Promise<LoadReport> | undefined

  async function load(force: boolean): Promise<LoadReport> {
    const report: Report = { errors: [], warnings: [] }
    const seen = [await look(users, { context, force, report }), await look(aliases, { context, force, report })]
    const unreadable = seen.find((result) => typeof result === 'object')
    if (unreadable !== undefined) last = { status: 'unavailable', cause: unreadable.unreadable }
    else {
      if (book === undefined || seen.includes('changed')) book = build(report) ?? book
      last = book === undefined ? { status: 'unavailable', cause: report.errors[0] ?? 'the users or aliases file is malformed' } : { status: 'ok', book }
    }
    checkedMs = context.monotonicMs()
    tell(report)
    return report
  }

  function build(report: Report): AddressBook | undefined {
    if (users !== undefined && users.value === undefined) return undefined
    if (aliases !== undefined && aliases.value === undefined) return undefined
    const { suffix, catchAll, domains } = settings
    const made: AddressBook = { users: users?.value, aliases: aliases?.value ?? NO_ALIASES, domains, suffix, catchAll }
    const { errors, warnings } = checkAddressBook(made)
    const file = aliases?.path ?? ''
    report.errors.push(...errors.map((problem) => describeProblem(file, problem)))
    report.warnings.push(...warnings.map((problem) => describeProblem(file, problem)))
    return errors.length > 0 ? undefined : made
  }

  function tell(report: Report): void {
    for (const error of report.errors) context.log.error({ hop: settings.hop, kept: book !== undefined }, error)
    for (const warning of report.warnings) context.log.warn({ hop: settings.hop }, warning)
  }

  function start(force: boolean): Promise<LoadReport> {
    const mine = load(force).finally(() => {
      if (running === mine) running = undefined
    })
    running = mine
    return mine
  }

  return {
    async current() {
      if (running !== undefined) await running
      else if (context.monotonicMs() - checkedMs >= CHECK_EVERY_MS) await start(false)
      return last
    },
    async reload() {
      // One after the other: two at once could put the older content last.
      while (running !== undefined) await running
      return await start(true)
    },
  }
}

function watched<T>(path: string | undefined, parse: (text: string) => Parsed<T>): Watched<T> | undefined {
  return path === undefined ? undefined : { path, parse, stamp: '', digest: '', againMs: undefined, value: undefined, filled: false }
}

async function look<T>(
  file: Watched<T> | undefined,
  how: { readonly context: AddressSourceContext; readonly force: boolean; readonly report: Report },
): Promise<LookResult> {
  if (file === undefined) return 'same'
  const { context, force, report } = how
  let text: string
  try {
    const facts = await context.files.stat(file.path)
    const stamp = `${facts.inode} ${facts.size} ${facts.modifiedMs} ${facts.changedMs}`
    const same = stamp === file.stamp && !force
    if (same && (file.againMs === undefined || context.monotonicMs() < file.againMs)) return 'same'
    if (facts.kind !== 'file') throw new Error('is not a file')
    // What is written between the two calls has another stamp and is read next time.
    const bytes = await context.files.read(file.path, MAX_FILE_BYTES)
    const digest = hash('sha256', bytes)
    if (same && digest === file.digest) {
      file.againMs = undefined
      return 'same'
    }
    file.stamp = stamp
    file.digest = digest
    file.againMs = context.monotonicMs() + SETTLED_MS
    const decoded = decode(bytes)
    if (decoded === null) {
      report.errors.push(`${file.path}: is not valid UTF-8`)
      return 'changed'
    }
    text = decoded
  } catch (error) {
    file.stamp = ''
    const cause = `${file.path}: ${error instanceof Error ? error.message : String(error)}`
    report.errors.push(cause)
    return { unreadable: cause }
  }
  const filled = /^[ \t]*[^#\s]/m.test(text)
  if (file.filled && !filled) {
    // Somebody is writing it, or has emptied it by mistake: nobody's mail is to be returned for that.
    report.errors.push(`${file.path}: is empty, and was not before; the last content stays in use until there is another, or a restart`)
    return 'changed'
  }
  const parsed = file.parse(text)
  if (parsed.status === 'malformed') {
    report.errors.push(...parsed.problems.map((problem) => describeProblem(file.path, problem)))
    return 'changed'
  }
  report.warnings.push(...parsed.warnings.map((problem) => describeProblem(file.path, problem)))
  file.value = parsed.value
  file.filled = filled
  return 'changed'
}

function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}
