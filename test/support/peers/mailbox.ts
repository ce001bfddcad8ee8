/**
 * A Maildir as a test reads it: what lies in `new` and `cur`, oldest first,
 * byte for byte. Waiting is polling with a deadline.
 */
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../process.ts'

export class Mailbox {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  #files(): string[] {
    const files = ['new', 'cur'].flatMap((part) => {
      const directory = join(this.path, part)
      return existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : []
    })
    const timed = files.map((file) => ({ file, time: statSync(file, { bigint: true }).mtimeNs }))
    return timed.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).map((entry) => entry.file)
  }

  get count(): number {
    return this.#files().length
  }

  read(): Buffer[] {
    return this.#files().map((file) => readFileSync(file))
  }

  async waitFor(count: number, options: { readonly timeoutMs?: number; readonly detail?: () => string } = {}): Promise<Buffer[]> {
    await until(`${count} messages in ${this.path}`, () => this.count >= count, { timeoutMs: options.timeoutMs ?? 90_000, detail: () => `${this.count} there\n${options.detail?.() ?? ''}` })
    return this.read()
  }

  /** Waits for that many, gives them and empties the mailbox. */
  async take(count: number, options: { readonly timeoutMs?: number; readonly detail?: () => string } = {}): Promise<Buffer[]> {
    await this.waitFor(count, options)
    return this.#files().map((file) => {
      const data = readFileSync(file)
      rmSync(file)
      return data
    })
  }
}
