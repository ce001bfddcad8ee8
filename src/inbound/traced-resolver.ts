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

  /** @param now milliseconds on a clock that only goes forward */
  constructor(inner: Resolver, now: () => number) {
    this.#inner = inner
    this.#now = now
  }

  async lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
    const beganMs = this.#now()
    const found = await this.#inner.lookup(name, type)
    if (this.lookups.length < MAX_LOOKUPS) {
      this.lookups.push({ question: `${type} ${strangerText(name, MAX_CHARACTERS)}`, status: found.status, answer: answerOf(found), ms: Math.round((this.#now() - beganMs) * 10) / 10 })
    }
    return found
  }

  /** Not remembered: whoever uses it asks for it. */
  known<T extends RecordType>(name: string, type: T): Lookup<T> | undefined {
    return this.#inner.known?.(name, type)
  }
}

function answerOf(found: Lookup<RecordType>): readonly string[] {
  if ('cause' in found) return [strangerText(found.cause, MAX_CHARACTERS)]
  if (found.status !== 'records') return []
  const shown = found.records.slice(0, MAX_RECORDS).map((record) => strangerText(recordText(record), MAX_CHARACTERS))
  return found.records.length > shown.length ? [...shown, `and ${found.records.length - shown.length} more`] : shown
}

function recordText(record: string | { readonly preference: number; readonly exchange: string } | readonly string[]): string {
  if (typeof record === 'string') return record
  return 'exchange' in record ? `${record.preference} ${record.exchange === '' ? '.' : record.exchange}` : record.join('')
}
