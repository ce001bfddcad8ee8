/**
 * A DNS zone as a map, and a `Resolver` that answers from it. What does not
 * stand in the map does not exist; a name above one that stands there exists
 * without records (an empty non-terminal). `*.example` is a wildcard (RFC 4592).
 * test/support/dns-server.ts serves the same map over the wire.
 *
 *     zoneMap({
 *       'a.example': { A: ['192.0.2.1'], MX: [[10, 'mx.a.example']], TXT: ['v=spf1 -all', ['two', 'strings']] },
 *       'b.example': { CNAME: 'a.example' },
 *       'dead.example': 'timeout', 'broken.example': 'servfail',   // whatever the type
 *       'x.example': { A: 'timeout', TXT: ['this one answers'] },
 *     })
 *
 * A fault goes for the name alone, not for what lies under it. An Error where
 * the map itself is wrong.
 */
import { SocketAddress } from 'node:net'
import { normalName } from '../../src/dns/name.ts'
import type { Lookup, RecordData, RecordType, Resolver } from '../../src/dns/resolver.ts'

export type Fault = 'timeout' | 'servfail'

export interface ZoneEntry {
  readonly A?: readonly string[] | Fault
  readonly AAAA?: readonly string[] | Fault
  readonly PTR?: readonly string[] | Fault
  readonly NS?: readonly string[] | Fault
  /** `[0, '.']` is the null MX (RFC 7505): an exchange of '' */
  readonly MX?: readonly (readonly [preference: number, exchange: string])[] | Fault
  /** one byte a character (latin1); a string longer than 255 is cut into several, as zone files have it */
  readonly TXT?: readonly (string | readonly string[])[] | Fault
  /** the target; 'timeout' and 'servfail' are faults here too */
  readonly CNAME?: string
  /** seconds, of all records here; otherwise that of the map */
  readonly ttl?: number
}

export type ZoneData = Readonly<Record<string, ZoneEntry | Fault>>

export interface ZoneOptions {
  readonly ttlSeconds?: number
  /** of nxdomain and nodata */
  readonly negativeTtlSeconds?: number
  /** the AD bit of each answer */
  readonly authenticated?: boolean
}

export interface ZoneMap extends Resolver {
  /** what was asked, in order, as `name TYPE`; a name in lower case */
  readonly queries: readonly string[]
  /** puts a name in, or in the place of what was there; undefined takes it away */
  set(name: string, entry: ZoneEntry | Fault | undefined): void
  forget(): void
}

const MAX_CHAIN = 8

/** What one name holds of one type: the map's own answer, without following a CNAME. */
export type Found<T extends RecordType = RecordType> =
  | { readonly status: 'records'; readonly records: readonly RecordData[T][]; readonly ttlSeconds: number }
  | { readonly status: 'cname'; readonly target: string; readonly ttlSeconds: number }
  | { readonly status: 'nxdomain' | 'nodata' | Fault }

export class Zone {
  readonly #entries = new Map<string, ZoneEntry | Fault>()
  readonly #ttlSeconds: number

  constructor(data: ZoneData, ttlSeconds = 300) {
    this.#ttlSeconds = ttlSeconds
    for (const [name, entry] of Object.entries(data)) this.set(name, entry)
  }

  set(name: string, entry: ZoneEntry | Fault | undefined): void {
    const key = owner(name)
    if (entry === undefined) this.#entries.delete(key)
    else this.#entries.set(key, checked(key, entry))
  }

  find<T extends RecordType>(name: string, type: T): Found<T> {
    const entry = this.#entryOf(name)
    if (typeof entry === 'string') return { status: entry }
    const ttlSeconds = entry.ttl ?? this.#ttlSeconds
    const { CNAME: alias } = entry
    if (alias === 'timeout' || alias === 'servfail') return { status: alias }
    if (alias !== undefined && type !== 'CNAME') return { status: 'cname', target: owner(alias), ttlSeconds }
    const held = entry[type]
    if (held === 'timeout' || held === 'servfail') return { status: held }
    const records = recordsOf(entry, type)
    return records.length === 0 ? { status: 'nodata' } : { status: 'records', records, ttlSeconds }
  }

  #entryOf(name: string): ZoneEntry | Fault | 'nxdomain' | 'nodata' {
    const own = this.#entries.get(name)
    if (own !== undefined) return own
    if (this.#exists(name)) return 'nodata'
    let above = name
    while (above.includes('.')) {
      above = above.slice(above.indexOf('.') + 1)
      // RFC 4592 §3.3.1: only the wildcard under the closest name that exists.
      if (this.#exists(above) || this.#entries.has(`*.${above}`)) return this.#entries.get(`*.${above}`) ?? 'nxdomain'
    }
    return 'nxdomain'
  }

  #exists(name: string): boolean {
    return this.#entries.has(name) || [...this.#entries.keys()].some((key) => key.endsWith(`.${name}`))
  }
}

export function zoneMap(data: ZoneData, options: ZoneOptions = {}): ZoneMap {
  const { ttlSeconds = 300, negativeTtlSeconds = 60, authenticated = false } = options
  const zone = new Zone(data, ttlSeconds)
  const queries: string[] = []

  function answer<T extends RecordType>(asked: string, type: T): Lookup<T> {
    const seen = new Set<string>()
    let name = asked
    let smallest = Infinity
    while (seen.size <= MAX_CHAIN) {
      const found = zone.find(name, type)
      switch (found.status) {
        case 'timeout': return { status: 'timeout', cause: `${name} ${type}: no answer, as the zone map has it` }
        case 'servfail': return { status: 'servfail', cause: `${name} ${type}: SERVFAIL, as the zone map has it` }
        case 'nxdomain':
        case 'nodata': return { status: found.status, ttlSeconds: Math.min(smallest, negativeTtlSeconds), authenticated }
        case 'records': return { status: 'records', records: found.records, name, ttlSeconds: Math.min(smallest, found.ttlSeconds), authenticated }
        case 'cname':
          if (seen.has(found.target)) return { status: 'servfail', cause: `${asked} ${type}: the CNAME chain is a loop at ${found.target}` }
          seen.add(name)
          smallest = Math.min(smallest, found.ttlSeconds)
          name = found.target
      }
    }
    return { status: 'servfail', cause: `${asked} ${type}: the CNAME chain is longer than ${MAX_CHAIN}` }
  }

  return {
    queries,
    set: (name, entry) => zone.set(name, entry),
    forget: () => void queries.splice(0),
    lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
      const asked = normalName(name)
      if (asked === undefined) return Promise.resolve({ status: 'nxdomain', ttlSeconds: negativeTtlSeconds, authenticated: false })
      queries.push(`${asked} ${type}`)
      return Promise.resolve(answer(asked, type))
    },
  }
}

/** The name under which an address has its PTR records (RFC 1035 §3.5, RFC 3596 §2.5), to write maps with. */
export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const [head = '', tail] = canonicalV6(address).replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  }).split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const before = groups(head)
  const after = groups(tail ?? '')
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after]
  return `${all.map((group) => group.padStart(4, '0')).join('').split('').reverse().join('.')}.ip6.arpa`
}

function canonicalV6(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address
}

function owner(name: string): string {
  const normal = normalName(name)
  if (normal === undefined) throw new Error(`the zone map has a name that cannot be: ${JSON.stringify(name)}`)
  return normal
}

function checked(name: string, entry: ZoneEntry | Fault): ZoneEntry | Fault {
  if (typeof entry === 'string') return entry
  if (entry.CNAME !== undefined && Object.keys(entry).some((key) => key !== 'CNAME' && key !== 'ttl')) throw new Error(`the zone map has a CNAME beside other records at ${name} (RFC 1034 §3.6.2)`)
  for (const type of ['A', 'AAAA', 'PTR', 'CNAME', 'NS', 'MX', 'TXT'] as const) if (entry[type] !== 'timeout' && entry[type] !== 'servfail') recordsOf(entry, type)
  return entry
}

function recordsOf<T extends RecordType>(entry: ZoneEntry, type: T): readonly RecordData[T][] {
  const made: { readonly [U in RecordType]: () => readonly RecordData[U][] } = {
    A: () => held(entry.A).map((address) => new SocketAddress({ address, family: 'ipv4' }).address),
    AAAA: () => held(entry.AAAA).map(canonicalV6),
    PTR: () => held(entry.PTR).map(owner),
    NS: () => held(entry.NS).map(owner),
    CNAME: () => (entry.CNAME === undefined ? [] : [owner(entry.CNAME)]),
    MX: () => held(entry.MX).map(([preference, exchange]) => ({ preference, exchange: exchange === '.' || exchange === '' ? '' : owner(exchange) })),
    TXT: () => held(entry.TXT).map((strings) => (typeof strings === 'string' ? [strings] : strings).flatMap(characterStrings)),
  }
  return made[type]()
}

function held<R>(records: readonly R[] | Fault | undefined): readonly R[] {
  return typeof records === 'string' || records === undefined ? [] : records
}

function characterStrings(text: string): string[] {
  if (!/^[\x00-\xff]*$/.test(text)) throw new Error(`the zone map has a TXT with characters beyond one byte: ${JSON.stringify(text)}`)
  return text === '' ? [''] : (text.match(/[^]{1,255}/g) ?? [])
}
