/**
 * The data of one record (RFC 1035 §3.3, §3.4; RFC 3596 §2.2). It must fill
 * its RDLENGTH exactly; whatever does not is `malformed`.
 *
 * `unusable` is well-formed data that nobody can work with: the name of a host
 * that is no host name (see `isHostName`), an alias that cannot be written.
 */
import { SocketAddress } from 'node:net'
import type { RecordData, RecordType } from './resolver.ts'
import { isHostName, readName } from './wire-name.ts'

export const TYPE_NUMBERS: { readonly [T in RecordType]: number } = { A: 1, NS: 2, CNAME: 5, PTR: 12, MX: 15, TXT: 16, AAAA: 28 }
export const SOA_TYPE = 6
export const OPT_TYPE = 41

/** Where the data of a record stands. */
export interface Span {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

export type Data<V> = { readonly status: 'ok'; readonly value: V } | { readonly status: 'unusable' } | { readonly status: 'malformed' }

const MALFORMED = { status: 'malformed' } as const
const UNUSABLE = { status: 'unusable' } as const

const READERS: { readonly [T in RecordType]: (span: Span) => Data<RecordData[T]> } = {
  A: ({ bytes, start, end }) => (end - start === 4 ? ok(bytes.subarray(start, end).join('.')) : MALFORMED),
  AAAA: readIpv6,
  PTR: readHost,
  NS: readHost,
  CNAME: readAlias,
  MX: readExchange,
  TXT: readStrings,
}

export function readData<T extends RecordType>(type: T, span: Span): Data<RecordData[T]> {
  return READERS[type](span)
}

/** The last field of an SOA: the time to live of "is not there" (RFC 2308 §4). Undefined where it is malformed. */
export function readSoaMinimum({ bytes, start, end }: Span): number | undefined {
  const primary = readName(bytes, start)
  const mailbox = primary && readName(bytes, primary.end)
  return mailbox?.end === end - 20 ? bytes.readUInt32BE(end - 4) : undefined
}

function ok<V>(value: V): Data<V> {
  return { status: 'ok', value }
}

/** In the spelling that Node.js gives the address of a socket (RFC 5952). */
function readIpv6({ bytes, start, end }: Span): Data<string> {
  if (end - start !== 16) return MALFORMED
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(start + i * 2).toString(16))
  return ok(new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address)
}

function readHost({ bytes, start, end }: Span): Data<string> {
  const name = readName(bytes, start)
  if (name?.end !== end) return MALFORMED
  return name.text !== undefined && isHostName(name.text) ? ok(name.text) : UNUSABLE
}

/** An alias need not be a host name: RFC 2317 has slashes in it. */
function readAlias({ bytes, start, end }: Span): Data<string> {
  const name = readName(bytes, start)
  if (name?.end !== end) return MALFORMED
  return name.text ? ok(name.text) : UNUSABLE
}

/** The root as exchange, '', is the null MX (RFC 7505). */
function readExchange({ bytes, start, end }: Span): Data<RecordData['MX']> {
  if (end - start < 3) return MALFORMED
  const exchange = readName(bytes, start + 2)
  if (exchange?.end !== end) return MALFORMED
  if (exchange.text === undefined || (exchange.text !== '' && !isHostName(exchange.text))) return UNUSABLE
  return ok({ preference: bytes.readUInt16BE(start), exchange: exchange.text })
}

function readStrings({ bytes, start, end }: Span): Data<readonly string[]> {
  const strings: string[] = []
  for (let at = start; at < end;) {
    const next = at + 1 + (bytes[at] ?? 0)
    if (next > end) return MALFORMED
    strings.push(bytes.toString('latin1', at + 1, next))
    at = next
  }
  return strings.length === 0 ? MALFORMED : ok(strings)
}
