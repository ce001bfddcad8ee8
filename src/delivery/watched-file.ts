/**
 * A text file that administrators write while we run, and its last good content.
 *
 * It is looked at (size, times, inode) no more than once a second and only when
 * somebody asks; a changed file is read again, and once more two seconds later:
 * one that is written in place may have been read half, and be finished without
 * another stamp (the same size, within a tick of the file system's clock, which
 * is two seconds on some). A malformed one is told with
 * each line, and the last good content stays. One that was emptied is believed
 * when it still is empty those two seconds later, or when it is read on demand;
 * or never, where addresses would be returned for it (`keep`). Nothing here rejects.
 */
import { hash } from 'node:crypto'
import type { Log } from '../observe/log.ts'
import { describeProblem, type FileProblem } from './address-file.ts'
import type { FileSystem } from './file-system.ts'

export interface FileContext {
  readonly files: Pick<FileSystem, 'stat' | 'read'>
  readonly log: Log
  /** a clock that does not jump */
  readonly monotonicMs: () => number
}

/** Whole sentences, each with file and line. */
export interface LoadReport {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** What becomes of the last content when a file is empty that was not. Where the file gives rights, nobody may keep them for ever. */
export type WhenEmpty = 'keep' | 'settle'

export interface Report {
  readonly errors: string[]
  readonly warnings: string[]
}

export type Parsed<T> =
  | { readonly status: 'ok'; readonly value: T; readonly warnings: readonly FileProblem[] }
  | { readonly status: 'malformed'; readonly problems: readonly FileProblem[] }

/** One file and the last good content of it. */
export interface Watched<T> {
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
  readonly whenEmpty: WhenEmpty
  /** it was empty when it was read last, and is to be believed when it still is */
  emptied: boolean
}

export type LookResult = 'same' | 'changed' | { readonly unreadable: string }

export type FileResult<T> =
  | { readonly status: 'ok'; readonly value: T }
  /** cannot be read, or was never well formed */
  | { readonly status: 'unavailable'; readonly cause: string }

export interface FileSource<T> {
  /** Looks at the file where the last look is a second ago. */
  current(): Promise<FileResult<T>>
  /** Looks at the file now, whether it changed or not. */
  reload(): Promise<LoadReport>
  /** The last good content, without a look. */
  last(): T | undefined
}

export interface FileSourceSettings<T> {
  readonly path: string
  readonly parse: (text: string) => Parsed<T>
  /** what stands with its lines in the log */
  readonly facts: Readonly<Record<string, unknown>>
  /** 'settle' */
  readonly whenEmpty?: WhenEmpty
}

const CHECK_EVERY_MS = 1000
/** longer than the coarsest clock of a file system ticks */
const SETTLED_MS = 2000
const MAX_FILE_BYTES = 64 * 1024 * 1024

export function createFileSource<T>(settings: FileSourceSettings<T>, context: FileContext): FileSource<T> {
  const { facts } = settings
  const file = watched(settings.path, settings.parse, settings.whenEmpty ?? 'settle')
  let last: FileResult<T> = { status: 'unavailable', cause: 'not read yet' }

  async function load(force: boolean): Promise<LoadReport> {
    const report: Report = { errors: [], warnings: [] }
    const seen = await look(file, { context, force, report })
    if (typeof seen === 'object') last = { status: 'unavailable', cause: seen.unreadable }
    else if (file.value !== undefined) last = { status: 'ok', value: file.value }
    else if (report.errors[0] !== undefined) last = { status: 'unavailable', cause: report.errors[0] }
    for (const error of report.errors) context.log.error({ ...facts, kept: file.value !== undefined }, error)
    for (const warning of report.warnings) context.log.warn(facts, warning)
    return report
  }

  const looks = inTurns(load, context.monotonicMs)
  return {
    async current() {
      await looks.refresh()
      return last
    },
    reload: () => looks.reload(),
    last: () => file.value,
  }
}

/** Who takes turns at looking: a look at most once a second, and never two at once, of which the older content could come last. */
export function inTurns(load: (force: boolean) => Promise<LoadReport>, monotonicMs: () => number): { refresh(): Promise<void>; reload(): Promise<LoadReport> } {
  let checkedMs = -Infinity
  let running: Promise<LoadReport> | undefined

  function start(force: boolean): Promise<LoadReport> {
    const mine = load(force).finally(() => {
      checkedMs = monotonicMs()
      if (running === mine) running = undefined
    })
    running = mine
    return mine
  }

  return {
    async refresh() {
      if (running !== undefined) await running
      else if (monotonicMs() - checkedMs >= CHECK_EVERY_MS) await start(false)
    },
    async reload() {
      while (running !== undefined) await running
      return await start(true)
    },
  }
}

export function watched<T>(path: string, parse: (text: string) => Parsed<T>, whenEmpty?: WhenEmpty): Watched<T>
export function watched<T>(path: string | undefined, parse: (text: string) => Parsed<T>, whenEmpty?: WhenEmpty): Watched<T> | undefined
export function watched<T>(path: string | undefined, parse: (text: string) => Parsed<T>, whenEmpty: WhenEmpty = 'keep'): Watched<T> | undefined {
  return path === undefined ? undefined : { path, parse, stamp: '', digest: '', againMs: undefined, value: undefined, filled: false, whenEmpty, emptied: false }
}

export async function look<T>(
  file: Watched<T> | undefined,
  how: { readonly context: FileContext; readonly force: boolean; readonly report: Report },
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
      if (!file.emptied) return 'same'
    } else file.againMs = context.monotonicMs() + SETTLED_MS
    file.stamp = stamp
    file.digest = digest
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
  const settled = force || (file.emptied && file.againMs === undefined)
  file.emptied = false
  if (file.filled && !filled && file.whenEmpty === 'settle') {
    // Perhaps somebody is writing it.
    file.emptied = !settled
    if (file.emptied) return 'changed'
    report.warnings.push(`${file.path}: is empty, and was not before: nobody stands in it any more`)
  }
  if (file.filled && !filled && file.whenEmpty === 'keep') {
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
