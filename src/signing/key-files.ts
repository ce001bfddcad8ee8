/**
 * The key files of one load. A file that is as it was at the load before (same
 * inode, size and times, those of its mode too) is not read again: a reload
 * with thousands of keys costs a look at each.
 */
import { statSync } from 'node:fs'
import { markOf, readSecret, type Reader } from './key-file.ts'
import { readPrivateKey, type KeyReading, type PrivateKey } from './private-key.ts'

interface Known {
  readonly mark: string
  readonly key: PrivateKey
}

export class KeyFiles {
  readonly #reader: Reader
  readonly #before: ReadonlyMap<string, Known>
  readonly #known = new Map<string, Known>()

  constructor(reader: Reader, before?: KeyFiles) {
    this.#reader = reader
    this.#before = before === undefined ? new Map() : before.#known
  }

  read(path: string): KeyReading {
    const known = this.#known.get(path) ?? this.#before.get(path)
    if (known !== undefined && markNow(path) === known.mark) {
      this.#known.set(path, known)
      return { status: 'read', key: known.key }
    }
    const found = readSecret(path, this.#reader)
    if (found.status === 'refused') return found
    const reading = readPrivateKey(found.text)
    if (reading.status === 'read') this.#known.set(path, { mark: found.mark, key: reading.key })
    return reading
  }

  /** What is wrong with a file that holds keys among other things; undefined where nothing is. */
  problemOf(path: string): string | undefined {
    const found = readSecret(path, this.#reader)
    return found.status === 'refused' ? found.problem : undefined
  }
}

function markNow(path: string): string | undefined {
  try {
    return markOf(statSync(path))
  } catch {
    // Reading it says what is wrong.
    return undefined
  }
}
