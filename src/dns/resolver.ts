/**
 * What the DNS says of a name. Everything that asks the DNS is handed a
 * `Resolver`: the stub resolver in the gateway, a zone map in tests.
 *
 * A look-up never rejects. A failure is a result with its cause, so that no
 * caller can take "could not be asked" for "is not there".
 */

/** Record data by type. Names are in lower case, without a dot at the end. */
export interface RecordData {
  readonly A: string
  readonly AAAA: string
  readonly PTR: string
  readonly CNAME: string
  readonly NS: string
  /** an exchange of '' is the null MX (RFC 7505) */
  readonly MX: { readonly preference: number; readonly exchange: string }
  /** the character-strings of one record, one byte a character (latin1); RFC 7208 §3.3 joins them without a space */
  readonly TXT: readonly string[]
}

export type RecordType = keyof RecordData

export interface Records<T extends RecordType> {
  readonly status: 'records'
  readonly records: readonly RecordData[T][]
  /** where the records stand: the name asked for, or the last of its CNAME chain */
  readonly name: string
  readonly ttlSeconds: number
  /** the resolver's AD bit: it has validated the answer (RFC 4035 §3.2.3) */
  readonly authenticated: boolean
}

/** The name does not exist; the name exists, without records of this type (RFC 2308 §2). */
export interface Absence {
  readonly status: 'nxdomain' | 'nodata'
  readonly ttlSeconds: number
  readonly authenticated: boolean
}

/** The servers answered, but not the question (SERVFAIL, REFUSED, nonsense); no server answered in time. */
export interface Failure {
  readonly status: 'servfail' | 'timeout'
  readonly cause: string
  /** of a timeout: the servers answer other questions, so it is this name that is dead and not they */
  readonly serversAnswer?: boolean
  /** of a timeout: it was not asked, or given up, for a reason of our own (too many look-ups, a budget, an end), which says nothing of name and servers */
  readonly ours?: boolean
}

export type Lookup<T extends RecordType> = Records<T> | Absence | Failure

export interface Resolver {
  /** @param name without a dot at the end; one that cannot be a name in the DNS is `nxdomain` */
  lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>>
  /** What a look-up would say at once, without asking anybody; undefined where nobody knows yet. */
  known?<T extends RecordType>(name: string, type: T): Lookup<T> | undefined
}
