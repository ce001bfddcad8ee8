/**
 * What an A record of a list means (RFC 5782 §2.1): which return codes count
 * as a listing, and which answers are no listing whatever is configured.
 *
 * A code is written as an address (`127.0.0.4`), a network (`127.0.0.0/29`), an
 * address with ranges (`127.0.0.[2..8]`, `127.0.[0..255].3`), or a bit mask
 * (`&0.0.0.4`: any of these bits is set). `readCode` says what is wrong with
 * any other. Pure; nothing throws.
 */
import { isIPv4 } from 'node:net'
import { parseIpAddress } from './reverse-name.ts'

export const CODE_ALLOWED = 'an address of 127.0.0.0/8 (127.0.0.4), a network (127.0.0.0/29), ranges (127.0.0.[2..8]), or a bit mask (&0.0.0.4)'

type Matches = (bytes: readonly number[]) => boolean

export type CodeReading = { readonly status: 'read'; readonly matches: (answer: string) => boolean } | { readonly status: 'refused'; readonly problem: string }

export function readCode(text: string): CodeReading {
  const matches = text.startsWith('&') ? bitMask(text.slice(1)) : text.includes('/') ? network(text) : ranges(text)
  if (typeof matches === 'string') return { status: 'refused', problem: matches }
  return {
    status: 'read',
    matches: (answer) => {
      const address = parseIpAddress(answer)
      return address?.family === 4 && matches(address.bytes)
    },
  }
}

function bitMask(text: string): Matches | string {
  if (!isIPv4(text)) return 'the bit mask is no address'
  const mask = text.split('.').map(Number)
  if (mask.every((byte) => byte === 0)) return 'a bit mask of no bits matches nothing'
  if (mask[0] !== 0) return 'the first byte of a return code is always 127, so it stands in no bit mask'
  return (bytes) => bytes.some((byte, i) => (byte & (mask[i] ?? 0)) !== 0 && i > 0)
}

function network(text: string): Matches | string {
  const [address = '', prefix = ''] = text.split('/', 2)
  if (!isIPv4(address) || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32 || text.split('/').length > 2) return 'it is no network'
  const [first] = address.split('.')
  if (first !== '127' || Number(prefix) < 8) return 'return codes are in 127.0.0.0/8'
  const hostBits = 32 - Number(prefix)
  const wanted = number(address.split('.').map(Number))
  if (wanted % 2 ** hostBits !== 0) return 'it has bits behind its prefix'
  return (bytes) => Math.floor(number(bytes) / 2 ** hostBits) === Math.floor(wanted / 2 ** hostBits)
}

function ranges(text: string): Matches | string {
  const parts = /^127\.(\d{1,3}|\[\d{1,3}\.\.\d{1,3}\])\.(\d{1,3}|\[\d{1,3}\.\.\d{1,3}\])\.(\d{1,3}|\[\d{1,3}\.\.\d{1,3}\])$/.exec(text)?.slice(1)
  if (parts === undefined) return isIPv4(text) ? 'return codes are in 127.0.0.0/8' : 'it is no return code'
  const bounds: (readonly [low: number, high: number])[] = [[127, 127]]
  for (const part of parts) {
    const [low = NaN, high = low] = (part.match(/\d+/g) ?? []).map(Number)
    if (low > 255 || high > 255) return 'a byte is at most 255'
    if (low > high) return 'a range ends before it begins'
    bounds.push([low, high])
  }
  return (bytes) => bytes.every((byte, i) => byte >= (bounds[i]?.[0] ?? 256) && byte <= (bounds[i]?.[1] ?? -1))
}

function number(bytes: readonly number[]): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
}

/** An answer that is about the list or the way to it, and not about the client. */
export interface ListTrouble {
  /** refused: the list does not serve us; foreign: the answer is not one of a list */
  readonly kind: 'refused' | 'foreign'
  readonly why: string
}

/**
 * The trouble that the answers speak of, if any does: then none of them is believed.
 * @param refuses a return code by which this list says that it does not serve us
 */
export function troubleIn(answers: readonly string[], refuses: (answer: string) => boolean = () => false): ListTrouble | undefined {
  for (const answer of answers) {
    const [first, second, third] = answer.split('.')
    if (first !== '127') return { kind: 'foreign', why: `it answers ${answer}, which is outside 127.0.0.0/8` }
    if (second === '255' && third === '255') return { kind: 'refused', why: `it answers ${answer}: ${refusal(answer)}` }
    if (refuses(answer)) return { kind: 'refused', why: `it answers ${answer}, by which it refuses to answer us` }
  }
  return undefined
}

/** What the lists that use 127.255.255.0/24 mean by it. */
function refusal(answer: string): string {
  switch (answer) {
    case '127.255.255.252': return 'the zone\'s name is mistyped'
    case '127.255.255.254': return 'it does not answer a public or open resolver'
    case '127.255.255.255': return 'too many queries'
    default: return 'it refuses to answer us'
  }
}
