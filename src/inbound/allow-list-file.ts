/**
 * The allow list as its file has it now: read again when it has changed, so that
 * `postern allow add` counts a moment later. A file that has errors, cannot be
 * read or is gone changes nothing, because an editor may be at work; the log
 * says so once. Nobody is on a list whose file was never there.
 */
import { readFileSync, statSync } from 'node:fs'
import { describeError } from '../config/problem.ts'
import { createAllowList, type AllowList } from '../reputation/allow-list.ts'
import { readAllowList } from '../reputation/allow-list-file.ts'
import type { Log } from '../observe/log.ts'
import { CHECKS } from '../policy/policy.ts'
import { GREYLIST } from './allow.ts'

interface Context {
  readonly log: Log
  /** milliseconds since 1970 */
  readonly now: () => number
}

export class AllowListFile {
  /** may be changed, for a reload */
  file: string | undefined
  current: AllowList
  private readonly context: Context
  /** of the file as it was read, or refused */
  private seen = ''

  constructor(file: string | undefined, context: Context) {
    this.file = file
    this.context = context
    this.current = createAllowList([], context.now)
    this.refresh()
  }

  /** Cheap where nothing has changed. */
  refresh(): void {
    const version = this.version()
    if (version === this.seen) return
    this.seen = version
    if (this.file === undefined) this.current = createAllowList([], this.context.now)
    else if (version.endsWith(' no file')) this.context.log.error({ file: this.file }, 'the allow list is no file; what was read before counts on')
    else if (!version.endsWith(' ENOENT') || this.current.entries.length > 0) this.read(this.file)
  }

  private read(file: string): void {
    try {
      const reading = readAllowList({ text: readFileSync(file, 'utf8'), source: file, checks: [...CHECKS, GREYLIST] })
      if (reading.status === 'read') {
        this.current = createAllowList(reading.entries, this.context.now)
        return
      }
      this.context.log.error({ file, problems: reading.errors.slice(0, 10).map(describeError) }, 'the allow list has errors; what was read before counts on')
    } catch (error) {
      this.context.log.error({ file, cause: error instanceof Error ? error.message : String(error) }, 'the allow list cannot be read; what was read before counts on')
    }
  }

  private version(): string {
    if (this.file === undefined) return 'none'
    try {
      const facts = statSync(this.file)
      // A pipe would be waited for without end.
      if (!facts.isFile()) return `${this.file} no file`
      const { mtimeMs, ctimeMs, size, ino } = facts
      return `${this.file} ${mtimeMs} ${ctimeMs} ${size} ${ino}`
    } catch (error) {
      return `${this.file} ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}`
    }
  }
}
