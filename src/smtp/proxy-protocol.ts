/**
 * Reads a PROXY protocol header, version 1 or 2 (haproxy's proxy-protocol.txt),
 * from the first bytes of a connection whose peer is trusted to send one.
 *
 * Fed the bytes so far, it says that more are needed, what the header told, or
 * why it is none. No I/O; a header is bounded to 107 bytes (version 1) or 16 +
 * 65,535 (version 2), of which only the addresses are looked at.
 */
import { isIPv4, isIPv6 } from 'node:net'

export type ProxyResult =
  | { readonly status: 'incomplete' }
  | { readonly status: 'malformed'; readonly why: string }
  /** addresses undefined: the proxy speaks for itself (LOCAL, UNKNOWN, UNSPEC); `length` bytes were the header */
  | { readonly status: 'ok'; readonly length: number; readonly client: { readonly address: string; readonly port: number } | undefined }

const V1_MAX = 107
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const INCOMPLETE: ProxyResult = { status: 'incomplete' }

export function readProxyHeader(bytes: Buffer): ProxyResult {
  if (bytes.length === 0) return INCOMPLETE
  if (bytes[0] === V2_SIGNATURE[0]) return readVersion2(bytes)
  return readVersion1(bytes)
}

function readVersion1(bytes: Buffer): ProxyResult {
  const start = 'PROXY '
  const seen = bytes.toString('latin1', 0, Math.min(bytes.length, V1_MAX))
  if (!start.startsWith(seen.slice(0, start.length))) return malformed('no PROXY header')
  const end = seen.indexOf('\r\n')
  if (end < 0) return seen.length >= V1_MAX ? malformed('the version 1 header is too long') : INCOMPLETE
  const length = end + 2
  const words = seen.slice(0, end).split(' ')
  if (words[1] === 'UNKNOWN') return { status: 'ok', length, client: undefined }
  const [, family, source, destination, sourcePort, destinationPort] = words
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : null
  const port = parsePort(sourcePort)
  if (words.length !== 6 || isAddress === null || port === null || parsePort(destinationPort) === null) return malformed('the version 1 header is malformed')
  if (source === undefined || destination === undefined || !isAddress(source) || !isAddress(destination) || source.includes('%')) return malformed('an address of the version 1 header is malformed')
  return { status: 'ok', length, client: { address: plain(source), port } }
}

function readVersion2(bytes: Buffer): ProxyResult {
  const signature = bytes.subarray(0, V2_SIGNATURE.length)
  if (!V2_SIGNATURE.subarray(0, signature.length).equals(signature)) return malformed('no PROXY header')
  if (bytes.length < 16) return INCOMPLETE
  const command = bytes.readUInt8(12)
  const family = bytes.readUInt8(13)
  const length = 16 + bytes.readUInt16BE(14)
  if (command >> 4 !== 2 || (command & 0x0f) > 1) return malformed('the version or command of the header is not known')
  if (bytes.length < length) return INCOMPLETE
  if ((command & 0x0f) === 0) return { status: 'ok', length, client: undefined }
  const body = bytes.subarray(16, length)
  switch (family >> 4) {
    case 1:
      if (body.length < 12) return malformed('the IPv4 addresses are cut short')
      return { status: 'ok', length, client: { address: body.subarray(0, 4).join('.'), port: body.readUInt16BE(8) } }
    case 2:
      if (body.length < 36) return malformed('the IPv6 addresses are cut short')
      return { status: 'ok', length, client: { address: ipv6(body), port: body.readUInt16BE(32) } }
    default:
      return { status: 'ok', length, client: undefined }
  }
}

function ipv6(body: Buffer): string {
  const groups: string[] = []
  for (let at = 0; at < 16; at += 2) groups.push(body.readUInt16BE(at).toString(16))
  return plain(groups.join(':'))
}

/** The one way to write a valid address (RFC 5952); an IPv4 address mapped into IPv6 is that IPv4 address. */
export function plain(address: string): string {
  // A zone is of this machine's links and is kept as it is.
  if (!address.includes(':') || address.includes('%')) return address.toLowerCase()
  const lower = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(lower)
  if (hex?.[1] === undefined || hex[2] === undefined) return lower
  const high = parseInt(hex[1], 16)
  const low = parseInt(hex[2], 16)
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

function parsePort(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return null
  const port = Number(text)
  return port <= 65535 ? port : null
}

function malformed(why: string): ProxyResult {
  return { status: 'malformed', why }
}
