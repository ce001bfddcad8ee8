/** A resolver whose answers the test gives, when it likes. */
import type { Lookup, RecordType, Resolver } from '../../../src/dns/resolver.ts'

export class PendingResolver implements Resolver {
  readonly queries: string[] = []
  #open: { readonly question: string; readonly resolve: (lookup: Lookup<RecordType>) => void; readonly reject: (error: Error) => void }[] = []

  lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
    const question = `${name} ${type}`
    this.queries.push(question)
    return new Promise((resolve, reject) => {
      this.#open.push({ question, resolve: (lookup) => resolve(lookup as Lookup<T>), reject })
    })
  }

  /** Answers each open query for `name TYPE`. */
  answer(question: string, lookup: Lookup<RecordType>): void {
    for (const open of this.#take(question)) open.resolve(lookup)
  }

  fail(question: string, error: Error): void {
    for (const open of this.#take(question)) open.reject(error)
  }

  #take(question: string) {
    const taken = this.#open.filter((open) => open.question === question)
    this.#open = this.#open.filter((open) => open.question !== question)
    if (taken.length === 0) throw new Error(`nobody asks for ${question}`)
    return taken
  }
}

export function addresses(ttlSeconds: number, ...records: readonly string[]): Lookup<'A'> {
  return { status: 'records', records, name: 'a.example', ttlSeconds, authenticated: false }
}
