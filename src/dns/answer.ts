/**
 * What an answer says to the question (RFC 1034 §4.3.2, RFC 2308): the records
 * at the end of the CNAME chain, or that there are none, or that the server
 * did not say. No I/O, nothing is thrown.
 *
 * Of the answer section only the chain from the name asked for counts; other
 * records are ignored, whatever they are. Bounds: so many CNAMEs in a chain,
 * so many records and characters of TXT in an answer; what is beyond the last
 * two is left out, which nobody feels but the owner of the zone. Hosts with
 * names that are no host names are left out too (see record-data.ts).
 */
import { FORMERR, readBody, type Head, type Question, type WireRecord } from './message.ts'
import { readData, readSoaMinimum, SOA_TYPE, TYPE_NUMBERS } from './record-data.ts'
import type { Absence, RecordData, Records, RecordType } from './resolver.ts'

export const MAX_CHAIN = 8
export const MAX_RECORDS = 256
export const MAX_TXT_CHARACTERS = 32_768
/** RFC 2308 §5: one to three hours are sensible. */
export const MAX_NEGATIVE_TTL_SECONDS = 10_800

export type Answer<T extends RecordType> =
  | Records<T>
  | Absence
  | Alias
  /** the server has not answered the question; another one may */
  | { readonly status: 'failed'; readonly cause: string }
  /** as failed; it may be that the server does not know EDNS (RFC 6891 §6.2.2, §7) */
  | { readonly status: 'rejected'; readonly cause: string }
  /** the zone itself is at fault: no other server will say more */
  | { readonly status: 'broken'; readonly cause: string }

/** The chain ends at a name of which the answer says nothing: it has to be asked for by itself. */
export interface Alias {
  readonly status: 'alias'
  readonly target: string
  readonly ttlSeconds: number
  /** of the chain, from the name first asked for */
  readonly links: number
  readonly authenticated: boolean
}

/** @param links of the chain so far, from answers before this one */
export function readAnswer<T extends RecordType>(bytes: Buffer, head: Head, asked: { readonly name: string; readonly type: T; readonly links: number }): Answer<T> {
  const body = readBody(bytes, head)
  if (body.status === 'malformed') return { status: 'failed', cause: `a malformed answer: ${body.why}` }
  const rcode = head.rcode | (body.extendedRcode << 4)
  if (rcode === FORMERR || rcode === NOTIMP) return { status: 'rejected', cause: nameOf(rcode) }
  if (rcode !== NOERROR && rcode !== NXDOMAIN) return { status: 'failed', cause: nameOf(rcode) }
  const chain = follow(body.answer, asked)
  if (chain.status !== 'end') return chain
  const { authenticated } = head
  const held = collect(body.answer, asked.type, chain.name)
  if (held.status === 'malformed') return { status: 'failed', cause: `a malformed answer: ${asked.type} data of ${chain.name}` }
  const ttlSeconds = Math.min(chain.ttlSeconds, held.ttlSeconds)
  if (held.records.length > 0) return { status: 'records', records: held.records, name: chain.name, ttlSeconds, authenticated }
  const negativeTtl = negativeTtlOf(body.authority, chain.name)
  const ttl = Math.min(ttlSeconds, negativeTtl ?? 0, MAX_NEGATIVE_TTL_SECONDS)
  // RFC 2308 §2.1: with a chain, it is the last name that does not exist.
  if (rcode === NXDOMAIN) return { status: 'nxdomain', ttlSeconds: ttl, authenticated }
  if (held.unusable > 0) return { status: 'nodata', ttlSeconds: Math.min(ttlSeconds, MAX_NEGATIVE_TTL_SECONDS), authenticated }
  if (negativeTtl === undefined && chain.links > asked.links) return { status: 'alias', target: chain.name, ttlSeconds: chain.ttlSeconds, links: chain.links, authenticated }
  if (negativeTtl === undefined && !head.authoritative && body.authority.some(({ type }) => type === TYPE_NUMBERS.NS)) return { status: 'failed', cause: 'a referral: the server does no recursion' }
  return { status: 'nodata', ttlSeconds: ttl, authenticated }
}

const NOERROR = 0
const NXDOMAIN = 3
const NOTIMP = 4
const RCODES: Readonly<Record<number, string>> = { 1: 'FORMERR', 2: 'SERVFAIL', 4: 'NOTIMP', 5: 'REFUSED', 16: 'BADVERS' }

function nameOf(rcode: number): string {
  return RCODES[rcode] ?? `response code ${rcode}`
}

interface ChainEnd {
  readonly status: 'end'
  readonly name: string
  readonly links: number
  /** the smallest of the chain; Infinity without one */
  readonly ttlSeconds: number
}

function follow(records: readonly WireRecord[], { name: first, type, links: before }: Question & { readonly links: number }): ChainEnd | { readonly status: 'failed' | 'broken'; readonly cause: string } {
  let name = first
  let links = before
  let ttlSeconds = Infinity
  const seen = new Set([name])
  while (type !== 'CNAME') {
    const aliases = records.filter((record) => record.type === TYPE_NUMBERS.CNAME && record.name === name)
    const [alias] = aliases
    if (alias === undefined) break
    const target = readData('CNAME', alias)
    if (target.status === 'malformed') return { status: 'failed', cause: `a malformed answer: CNAME data of ${name}` }
    if (target.status === 'unusable') return { status: 'broken', cause: `${name} is an alias of something that is no name` }
    // RFC 2181 §10.1. The same one twice does no harm.
    if (aliases.some((other) => !sameAlias(other, target.value))) return { status: 'broken', cause: `${name} has several CNAME records` }
    if (seen.has(target.value)) return { status: 'broken', cause: `the CNAME chain is a loop at ${target.value}` }
    if (++links > MAX_CHAIN) return { status: 'broken', cause: `the CNAME chain has more than ${MAX_CHAIN} links` }
    ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds)
    name = target.value
    seen.add(name)
  }
  return { status: 'end', name, links, ttlSeconds }
}

function sameAlias(record: WireRecord, target: string): boolean {
  const other = readData('CNAME', record)
  return other.status === 'ok' && other.value === target
}

type Held<T extends RecordType> =
  | { readonly status: 'held'; readonly records: readonly RecordData[T][]; readonly ttlSeconds: number; readonly unusable: number }
  | { readonly status: 'malformed' }

function collect<T extends RecordType>(answer: readonly WireRecord[], type: T, name: string): Held<T> {
  const records: RecordData[T][] = []
  let ttlSeconds = Infinity
  let unusable = 0
  let txtCharacters = 0
  for (const record of answer) {
    if (record.type !== TYPE_NUMBERS[type] || record.name !== name) continue
    if (records.length + unusable === MAX_RECORDS) break
    const data = readData(type, record)
    if (data.status === 'malformed') return data
    ttlSeconds = Math.min(ttlSeconds, record.ttlSeconds)
    if (type === 'TXT') txtCharacters += record.end - record.start
    if (data.status === 'unusable' || txtCharacters > MAX_TXT_CHARACTERS) unusable++
    else records.push(data.value)
  }
  return { status: 'held', records, ttlSeconds, unusable }
}

/** RFC 2308 §5: the smaller of the SOA's own and its minimum. Undefined where no SOA of a zone above the name is there. */
function negativeTtlOf(authority: readonly WireRecord[], name: string): number | undefined {
  for (const record of authority) {
    if (record.type !== SOA_TYPE || record.name === undefined) continue
    if (record.name !== '' && record.name !== name && !name.endsWith(`.${record.name}`)) continue
    const minimum = readSoaMinimum(record)
    if (minimum !== undefined) return Math.min(record.ttlSeconds, minimum)
  }
  return undefined
}
