/**
 * The model as a worker has it: read when the process starts, and again where
 * somebody has written a new one. A file that is damaged, or of another version,
 * is told in the log once, and what was read before goes on being used; a file
 * that is gone takes the model with it.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../observe/log.ts'
import { MODEL_FILE, readModel, type BayesModel } from './model-file.ts'

export class BayesTable {
  readonly #path: string
  readonly #log: Log
  #model: BayesModel | undefined
  /** of the file that was looked at last */
  #seen = ''

  /** @param directory where the model is written; it is not read before `refresh` */
  constructor(directory: string, log: Log) {
    this.#path = join(directory, MODEL_FILE)
    this.#log = log
  }

  /** undefined: nothing was learnt yet */
  get model(): BayesModel | undefined {
    return this.#model
  }

  /** Looks for a new file: one stat where there is none. Call it now and then. True: there is another model now. */
  refresh(): boolean {
    const mark = this.#mark()
    if (mark === this.#seen) return false
    this.#seen = mark
    const reading = readModel(this.#path)
    switch (reading.status) {
      case 'read':
        this.#model = reading.model
        return true
      case 'none': {
        const had = this.#model !== undefined
        this.#model = undefined
        return had
      }
      case 'unreadable':
        this.#log.error({ file: this.#path, cause: reading.cause }, this.#model === undefined ? 'the model of the classifier cannot be used; it has no say' : 'the new model of the classifier cannot be used; the old one stays')
        return false
    }
  }

  #mark(): string {
    try {
      const found = statSync(this.#path, { throwIfNoEntry: false })
      return found === undefined ? 'none' : `${found.ino} ${found.size} ${found.mtimeMs}`
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}
