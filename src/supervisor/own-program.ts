/**
 * Whether the files of this program are still those that it was started from. While
 * somebody pulls, builds or installs in its folder they are not, and a process that is
 * started then runs other code than the one that starts it, or finds half of it. What
 * is in the files counts, and not when they were written; they are read again only
 * where that has changed. The log says when they are others and when they are as they
 * were, once each.
 *
 * It keeps the process for as long as that takes, some hundredths of a second: it is
 * for one that carries no mail.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../observe/log.ts'

export const RESTART = 'restart Postern to run what is there now'

interface Look {
  /** sizes and times */
  readonly outside: string
  readonly inside: string
}

export class OwnProgram {
  readonly #folder: string
  readonly #log: Log
  #started: Look | undefined
  #changed = false

  /** @param folder of the program's files; what npm says of its packages is beside it */
  constructor(folder: string, log: Log) {
    this.#folder = folder
    this.#log = log
  }

  /** What is there now is what was started. Before that nothing is known of any change. */
  remember(): void {
    try {
      this.#started = { outside: this.#outside(), inside: this.#inside() }
    } catch (error) {
      this.#log.warn({ cause: error instanceof Error ? error.message : String(error) }, 'the files of this program cannot be read: whether they change is not watched')
    }
  }

  /** Never throws. */
  isAsStarted(): boolean {
    const changed = this.#hasChanged()
    if (changed && !this.#changed) this.#log.error({ folder: this.#folder }, `the program in its folder is not the one that was started: until it is, no worker that ends is replaced, and nothing is reloaded; ${RESTART}`)
    if (!changed && this.#changed) this.#log.info({ folder: this.#folder }, 'the program in its folder is the one that was started again')
    this.#changed = changed
    return !changed
  }

  #hasChanged(): boolean {
    if (this.#started === undefined) return false
    try {
      const outside = this.#outside()
      if (outside === this.#started.outside) return false
      if (this.#inside() !== this.#started.inside) return true
      this.#started = { ...this.#started, outside }
      return false
    } catch {
      // A file that was listed is gone.
      return true
    }
  }

  #outside(): string {
    return this.#files().map((path) => [path, ...look(path)].join(' ')).join('\n')
  }

  #inside(): string {
    const hash = createHash('sha256')
    for (const path of this.#files()) hash.update(`${path} ${look(path)[0] ?? 'none'}\n`).update(look(path).length === 0 ? '' : readFileSync(path))
    return hash.digest('hex')
  }

  #files(): readonly string[] {
    const own = readdirSync(this.#folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.[jt]s$/.test(name)).sort()
    // npm removes the second when it begins, and writes it when all packages are there. Where they are elsewhere there is none.
    return [...own, '../package.json', '../node_modules/.package-lock.json'].map((name) => join(this.#folder, name))
  }
}

/** Its size and its time; nothing where it is not there. */
function look(path: string): readonly number[] {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? [] : [found.size, found.mtimeMs]
}
