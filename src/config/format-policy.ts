/**
 * Formats of plain values in `dns` and `policy`: resolvers, points, rates,
 * networks that are told apart but not trusted, domains with all below them.
 * Pure; nothing throws.
 */
import { isIP } from 'node:net'
import type { ServerAddress } from '../dns/exchange.ts'
import type { RateLimit } from '../reputation/rates.ts'
import { read, refuse, textFormat } from './format.ts'
import type { Format } from './format.ts'
import { normaliseDomain } from './format-names.ts'
import { parseNetwork, UNIX } from './networks.ts'
import { showValue } from './source.ts'

const DNS_PORT = 53

/** An IP address, with or without a port. A name would need a resolver to be found. */
export const dnsServer: Format<ServerAddress> = textFormat(
  { type: 'address', allowed: 'an IP address such as 127.0.0.1 or 2001:db8::53, or with a port 127.0.0.1:5353 or [::1]:5353' },
  (text) => {
    if (isIP(text) !== 0) return read({ host: text, port: DNS_PORT })
    const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text)
    const host = match?.[1] ?? match?.[2] ?? ''
    const port = Number(match?.[3])
    const family = match?.[1] === undefined ? 4 : 6
    return isIP(host) === family && port >= 1 && port <= 65535 ? read({ host, port }) : refuse(`found ${showValue(text)}`)
  })

const POINTS = { type: 'points', allowed: 'a number of points such as 5 or 2.5, from 0 to 1000', unit: 'points' }

function parsePoints(text: string): number | undefined {
  const value = /^[0-9]{1,4}(?:\.[0-9]{1,2})?$/.test(text) ? Number(text) : NaN
  return value <= 1000 ? value : undefined
}

export const points: Format<number> = textFormat(POINTS, (text) => {
  const value = parsePoints(text)
  return value === undefined ? refuse(`found ${showValue(text)}`) : read(value)
})

export const pointsOrNever: Format<number | 'never'> = textFormat<number | 'never'>({ ...POINTS, allowed: `${POINTS.allowed}; or never` }, (text) => {
  if (text === 'never') return read('never')
  const value = parsePoints(text)
  // A message without a mark has 0 points: that threshold would hold for all mail.
  return value === undefined || value === 0 ? refuse(`found ${showValue(text)}`, 'more than 0 points; or never') : read(value)
})

const WINDOW_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `60/1m`: at most so many in this time. */
export const rate: Format<RateLimit> = textFormat(
  { type: 'rate', allowed: 'a number in a time, such as 60/1m, 1000/1h or 5/10s; at most 1d' },
  (text) => {
    const match = /^([0-9]{1,9})\/([0-9]{0,5})([smhd])$/.exec(text)
    const most = Number(match?.[1] ?? 0)
    const windowMs = (match?.[2] === '' ? 1 : Number(match?.[2] ?? 0)) * (WINDOW_MS[match?.[3] ?? ''] ?? 0)
    if (most < 1 || windowMs < 1000 || windowMs > 86_400_000) return refuse(`found ${showValue(text)}`)
    return read({ most, windowMs })
  })

/** Of whom nothing is trusted, so that it may be as wide as the world. */
export const plainNetwork: Format<string> = textFormat(
  { type: 'network', allowed: 'an address, a network such as 10.0.0.0/8 or fd00::/8, or unix' },
  (text) => {
    if (text === UNIX) return read(UNIX)
    const parsed = parseNetwork(text)
    return parsed.status === 'refused' ? refuse(parsed.problem) : read(parsed.text)
  })

/** `example.org`, or `.example.org` for it and all below it. */
export const domainSuffix: Format<string> = textFormat(
  { type: 'domain', allowed: 'a domain such as lists.example.org, or with a leading dot for all names below it too' },
  (text) => {
    const domain = normaliseDomain(text.replace(/^\./, ''))
    return domain === undefined || domain.startsWith('[') ? refuse(`${showValue(text)} is not a domain name`) : read(text.startsWith('.') ? `.${domain}` : domain)
  })

export const subjectPrefix: Format<string> = textFormat(
  { type: 'text', allowed: '1 to 40 printable ASCII characters such as [SPAM], without blanks at its ends: one is put behind it' },
  (text) => (/^[\x21-\x7e](?:[\x20-\x7e]{0,38}[\x21-\x7e])?$/.test(text) ? read(text) : refuse(`found ${showValue(text)}`)))
