/**
 * A resolver that remembers what was asked through it and what came back, so
 * that `postern why` can show the answers a check rests on. Bounded: look-ups,
 * records of each, characters of a record. It changes no answer.
 */
import { strangerText } from '../auth/stranger-text.ts'
import type { Lookup, RecordType, Resolver } from '../dns/resolver.ts'

export interface TracedLookup {
  /** `PTR 1.2.0.192.in-addr.arpa` */
  readonly question: string
  /** `records`, `nxdomain`, `nodata`, `servfail`, `timeout` */
  readonly status: Lookup<RecordType>['status']
  /** the records, or the cause of a failure */
  readonly answer: readonly string[]
  readonly ms: number
}

const MAX_LOOKUPS = 60
const MAX_RECORDS = 8
const MAX_CHARACTERS = 200

export class TracedResolver implements Resolver {
  readonly lookups: TracedLookup[] = []
  readonly #inner: Resolver
  readonly #now: () => number
  readonly #shown: (text: string) => string

  /**
   * @param now milliseconds on a clock that only goes forward
   * @param shown what stands for names and causes that may have a secret in them
   */
  constructor(inner: Resolver, now: () => number, shown: (text: string) => string = (text) => text) {
    this.#inner = inner
    this.#now = now
    this.#shown = shown
  }

  async lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
    const beganMs = this.#now()
    const found = await this.#inner.lookup(name, type)
    if (this.lookups.length < MAX_LOOKUPS) {
      this.lookups.push({ question: `${type} ${this.#text(name)}`, status: found.status, answer: this.#answer(found), ms: Math.round((this.#now() - beganMs) * 10) / 10 })
    }
    return found
  }

  /** Not remembered: whoever uses it asks for it. */
  known<T extends RecordType>(name: string, type: T): Lookup<T> | undefined {
    return this.#inner.known?.(name, type)
  }

  #answer(found: Lookup<RecordType>): readonly string[] {
    if ('cause' in found) return [this.#text(found.cause)]
    if (found.status !== 'records') return []
    const first = found.records.slice(0, MAX_RECORDS).map((record) => this.#text(recordText(record)))
    return found.records.length > first.length ? [...first, `and ${found.records.length - first.length} more`] : first
  }

  #text(text: string): string {
    return strangerText(this.#shown(text), MAX_CHARACTERS)
  }
}

function recordText(record: string | { readonly preference: number; readonly exchange: string } | readonly string[]): string {
  if (typeof record === 'string') return record
  return 'exchange' in record ? `${record.preference} ${record.exchange === '' ? '.' : record.exchange}` : record.join('')
}
