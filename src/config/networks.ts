/**
 * Networks of trusted peers and of clients that may relay: what a list may
 * hold, and whether an address is in it.
 *
 * A list that covers the world would be an open relay, so an entry is refused
 * where it is a public network wider than /16 (IPv4) or /32 (IPv6), under
 * whatever notation: IPv4 addresses also appear as IPv4-mapped (RFC 4291
 * §2.5.5.2), IPv4-compatible (§2.5.5.1), NAT64 (RFC 6052, RFC 8215), SIIT
 * (RFC 2765), Teredo (RFC 4380) and 6to4 (RFC 3056) addresses. Networks that
 * nobody is routed to from outside (private, loopback, link-local, unique
 * local, shared) may be as wide as they are.
 *
 * Refusals are returned; `networkMatcher` throws on a list that was not
 * checked, which is a bug.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { read, refuse, textFormat } from './format.ts'
import type { Format } from './format.ts'
import { showValue } from './source.ts'

/** A peer on a unix socket, which has no address. */
export const UNIX = 'unix'

export interface Network {
  readonly family: 4 | 6
  /** first address, as a number */
  readonly first: bigint
  /** last address, as a number */
  readonly last: bigint
  readonly prefix: number
}

export type ParsedNetwork =
  | { readonly status: 'network'; readonly network: Network; readonly text: string }
  | { readonly status: 'refused'; readonly problem: string }

const BITS = { 4: 32, 6: 128 } as const
const NARROWEST_PUBLIC = { 4: 16, 6: 32 } as const

/** In all lists of a configuration together: 256 public networks of the widest kind that is allowed. */
export const MAX_PUBLIC_ADDRESSES = { 4: 256n << 16n, 6: 256n << 96n } as const

const UNROUTED = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', '169.254.0.0/16', '100.64.0.0/10',
  '::1/128', 'fe80::/10', 'fc00::/7'].map(constant)

/** Prefixes under which all of IPv4 appears as IPv6. Inside them a /112 is the /16 of IPv4. */
const TRANSLATED = ['::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/32'].map(constant)
const NARROWEST_TRANSLATED = 112

const NEVER_A_CLIENT: readonly (readonly [Network, string])[] = [
  [constant('0.0.0.0/8'), '0.0.0.0 stands for no client at all'],
  [constant('224.0.0.0/4'), 'a multicast address is no client'],
  [constant('255.255.255.255/32'), 'the broadcast address is no client'],
  [constant('::/128'), ':: stands for no client at all'],
  [constant('ff00::/8'), 'a multicast address is no client'],
]

/** The library reads `::10.0.0.1` as if it were `::ffff:10.0.0.1`; so its dotted end is written in hexadecimal first. */
export function parseIPv6(text: string): ipaddr.IPv6 {
  return ipaddr.IPv6.parse(text.replace(/[0-9.]+\.[0-9.]+/, (dotted) => {
    const value = dottedToNumber(dotted)
    return `${Math.floor(value / 65_536).toString(16)}:${(value % 65_536).toString(16)}`
  }))
}

/** The text must be an address. */
function addressNumber(text: string): bigint {
  return toNumber(isIP(text) === 6 ? parseIPv6(text).toByteArray() : ipaddr.IPv4.parse(text).toByteArray())
}

/** A fixed network of this file. */
function constant(text: string): Network {
  const [address = '', prefix = ''] = text.split('/')
  return network(isIP(address) === 6 ? 6 : 4, addressNumber(address), Number(prefix))
}

function network(family: 4 | 6, address: bigint, prefix: number): Network {
  const hostBits = BigInt(BITS[family] - prefix)
  const first = (address >> hostBits) << hostBits
  return { family, first, last: first + (1n << hostBits) - 1n, prefix }
}

function toNumber(bytes: readonly number[]): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}

/** Reads `address` or `address/prefix`, strictly; an IPv4-mapped network becomes the IPv4 one. */
export function parseNetwork(text: string): ParsedNetwork {
  const match = /^([0-9A-Fa-f:.]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text)
  const address = match?.[1] ?? ''
  const family = isIP(address) === 6 ? 6 : 4
  if (isIP(address) === 0) return refusedNetwork(`${showValue(text)} is not a network`)
  const prefix = match?.[2] === undefined ? BITS[family] : Number(match[2])
  if (prefix > BITS[family]) return refusedNetwork(`${showValue(text)} has more than ${BITS[family]} bits of prefix`)
  const given = addressNumber(address)
  const found = unmap(network(family, given, prefix))
  if (network(family, given, prefix).first !== given) {
    return refusedNetwork(`${showValue(text)} has bits behind its prefix; either ${formatNetwork(found)} or ${address} is meant`)
  }
  return { status: 'network', network: found, text: formatNetwork(found) }
}

function refusedNetwork(problem: string): ParsedNetwork {
  return { status: 'refused', problem }
}

const MAPPED = constant('::ffff:0:0/96')

function unmap(given: Network): Network {
  return given.family === 6 && contains(MAPPED, given) ? network(4, given.first - MAPPED.first, given.prefix - 96) : given
}

function contains(outer: Network, inner: Network): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last
}

function overlap(a: Network, b: Network): boolean {
  return contains(a, b) || contains(b, a)
}

export function formatNetwork(of: Network): string {
  const bytes = Array.from({ length: BITS[of.family] / 8 }, (_, i) => Number((of.first >> BigInt(BITS[of.family] - 8 * (i + 1))) & 255n))
  const address = of.family === 4 ? bytes.join('.') : new ipaddr.IPv6(bytes).toRFC5952String()
  return of.prefix === BITS[of.family] ? address : `${address}/${of.prefix}`
}

/** Why the network may not stand in a list of clients or trusted peers; undefined where it may. */
export function networkProblem(of: Network): string | undefined {
  if (isUnrouted(of)) return undefined
  const never = NEVER_A_CLIENT.find(([reserved]) => contains(reserved, of))
  if (never !== undefined) return never[1]
  if (TRANSLATED.some((block) => overlap(block, of)) && of.prefix < NARROWEST_TRANSLATED) {
    return `it stands for much of IPv4 in translation; a network there is no wider than /${NARROWEST_TRANSLATED}`
  }
  const narrowest = NARROWEST_PUBLIC[of.family]
  return of.prefix < narrowest ? `a public IPv${of.family} network is no wider than /${narrowest}, or the listener serves strangers` : undefined
}

export function isUnrouted(of: Network): boolean {
  return UNROUTED.some((block) => contains(block, of))
}

/** An entry of `clients`, `trust.proxy`, `trust.xclient`, `trust.xforward`; read into its canonical text. */
export const trustedNetwork: Format<string> = textFormat(
  { type: 'network', allowed: 'an address, a network such as 10.0.0.0/8 or fd00::/8 (public networks no wider than /16 for IPv4, /32 for IPv6), or unix' },
  (text) => {
    if (text === UNIX) return read(UNIX)
    const parsed = parseNetwork(text)
    if (parsed.status === 'refused') return refuse(parsed.problem)
    const problem = networkProblem(parsed.network)
    return problem === undefined ? read(parsed.text) : refuse(`${showValue(text)} is refused: ${problem}`)
  })

/** Public addresses that the entries cover together, each counted once. */
export function publicAddresses(entries: readonly string[], family: 4 | 6): bigint {
  const open = networksOf(entries).filter((one) => one.family === family && !isUnrouted(one))
  return merge(open).reduce((sum, range) => sum + range.last - range.first + 1n, 0n)
}

function networksOf(entries: readonly string[]): readonly Network[] {
  return entries.filter((entry) => entry !== UNIX).map((entry) => {
    const parsed = parseNetwork(entry)
    if (parsed.status === 'refused') throw new Error(`network list was not checked: ${parsed.problem}`)
    return parsed.network
  })
}

interface Range {
  readonly first: bigint
  readonly last: bigint
}

/** Sorted and without overlaps, so that one comparison after a binary search decides. */
function merge(networks: readonly Network[]): readonly Range[] {
  const merged: Range[] = []
  for (const next of networks.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const last = merged.at(-1)
    if (last !== undefined && next.first <= last.last + 1n) {
      if (next.last > last.last) merged[merged.length - 1] = { first: last.first, last: next.last }
    } else merged.push({ first: next.first, last: next.last })
  }
  return merged
}

/**
 * Says whether an address is in the list. `undefined` is a peer on a unix
 * socket. An IPv4-mapped IPv6 address counts as its IPv4 address; a zone
 * (`%eth0`) is left out. What is no address is in no list.
 */
export function networkMatcher(list: readonly string[]): (address: string | undefined) => boolean {
  const unix = list.includes(UNIX)
  const networks = networksOf(list)
  const four = merge(networks.filter((one) => one.family === 4)).map((r) => ({ first: Number(r.first), last: Number(r.last) }))
  const six = merge(networks.filter((one) => one.family === 6))
  return (address) => {
    if (address === undefined) return unix
    switch (isIP(address)) {
      case 4: return within(four, dottedToNumber(address))
      case 6: {
        const parsed = parseIPv6(address)
        if (!parsed.isIPv4MappedAddress()) return six.length > 0 && within(six, toNumber(parsed.toByteArray()))
        return within(four, dottedToNumber(parsed.toIPv4Address().toString()))
      }
      default: return false
    }
  }
}

function dottedToNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
}

function within<N extends number | bigint>(ranges: readonly { readonly first: N; readonly last: N }[], value: N): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const range = ranges[middle]
    if (range === undefined || value < range.first) high = middle
    else if (value > range.last) low = middle + 1
    else return true
  }
  return false
}
