/**
 * An IP address as bytes, and the names and networks made of it: the labels
 * under which the DNS keeps what is known of an address (RFC 1035 §3.5, RFC
 * 3596 §2.5, RFC 5782 §2.1 and §2.4), and the network that stands for a client
 * where addresses are counted together.
 *
 * An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is its IPv4 address; a zone
 * (`%eth0`) is left out. What is no address is undefined.
 */
import { BlockList, isIP } from 'node:net'

export interface IpAddress {
  readonly family: 4 | 6
  /** 4 or 16 of them */
  readonly bytes: readonly number[]
}

export function parseIpAddress(text: string): IpAddress | undefined {
  const bare = text.replace(/%.*$/s, '')
  switch (isIP(bare)) {
    case 4:
      return { family: 4, bytes: dotted(bare) }
    case 6: {
      const bytes = sixteenBytes(bare)
      const mapped = bytes.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff))
      return mapped ? { family: 4, bytes: bytes.slice(12) } : { family: 6, bytes }
    }
    default:
      return undefined
  }
}

function dotted(text: string): number[] {
  return text.split('.').map(Number)
}

function sixteenBytes(text: string): number[] {
  const groups = text.replace(/[0-9.]+\.[0-9.]+$/, (end) => {
    const [a = 0, b = 0, c = 0, d = 0] = dotted(end)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [head = '', tail] = groups.split('::')
  const before = bytesOf(head)
  const after = bytesOf(tail ?? '')
  return [...before, ...Array.from({ length: 16 - before.length - after.length }, () => 0), ...after]
}

function bytesOf(groups: string): number[] {
  if (groups === '') return []
  return groups.split(':').flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255])
}

export function sameAddress(a: IpAddress | undefined, b: IpAddress | undefined): boolean {
  return a !== undefined && b !== undefined && a.family === b.family && a.bytes.every((byte, i) => byte === b.bytes[i])
}

/** `1.2.0.192`, or 32 nibbles: what stands before the zone of a list, `in-addr.arpa` or `ip6.arpa`. */
export function reverseLabels({ family, bytes }: IpAddress): string {
  if (family === 4) return bytes.toReversed().join('.')
  return hexadecimal(bytes).split('').reverse().join('.')
}

/** The name that has the PTR records. */
export function reverseName(address: IpAddress): string {
  return `${reverseLabels(address)}.${address.family === 4 ? 'in-addr.arpa' : 'ip6.arpa'}`
}

export function hexadecimal(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The address in one spelling, whatever it was written as. IPv6 is written out, not shortened. */
export function addressKey({ family, bytes }: IpAddress): string {
  return family === 4 ? bytes.join('.') : (hexadecimal(bytes).match(/.{4}/g) ?? []).join(':')
}

/** `192.0.2.0/24`, or the first half of an IPv6 address as `2001:0db8:0000:0001::/64`: what one client is given. */
export function networkKey({ family, bytes }: IpAddress): string {
  if (family === 4) return `${bytes.slice(0, 3).join('.')}.0/24`
  return `${(hexadecimal(bytes.slice(0, 8)).match(/.{4}/g) ?? []).join(':')}::/64`
}

/** Networks to which no mail is sent from outside (RFC 6890), but for those of documentation. */
const UNROUTED = new BlockList()
const LOOPBACK = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12],
  ['192.168.0.0', 16], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) UNROUTED.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [['::', 127], ['fc00::', 7], ['fe80::', 10], ['ff00::', 8]] as const) UNROUTED.addSubnet(network, prefix, 'ipv6')
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Nobody outside reaches it: loopback, private, link-local, unspecified, multicast, reserved. */
export function isUnrouted(address: IpAddress): boolean {
  return UNROUTED.check(addressKey(address), address.family === 4 ? 'ipv4' : 'ipv6')
}

/** This machine. */
export function isLoopback(address: IpAddress): boolean {
  return LOOPBACK.check(addressKey(address), address.family === 4 ? 'ipv4' : 'ipv6')
}
