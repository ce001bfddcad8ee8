/**
 * resolv.conf(5), as far as it says whom to ask: `nameserver`, and of `options`
 * the words `timeout:` (seconds) and `attempts:`. Anything else is passed over,
 * as the C library does: search lists have no place in a mail gateway. Without
 * a file, or one that names no server, it is the server on this machine.
 */
import { isIP } from 'node:net'
import type { ServerAddress } from './exchange.ts'

export interface ResolvConf {
  readonly servers: readonly ServerAddress[]
  readonly timeoutMs: number
  readonly tries: number
}

const DNS_PORT = 53
/** The bounds of the C library. */
const MAX_SERVERS = 3
const MAX_TIMEOUT_SECONDS = 30
const MAX_ATTEMPTS = 5

/** @param text of the file; undefined where there is none */
export function readResolvConf(text: string | undefined): ResolvConf {
  const servers: ServerAddress[] = []
  let timeoutSeconds = 5
  let tries = 2
  for (const line of (text ?? '').split('\n')) {
    // A comment sign counts at the start of a line only.
    const [keyword, ...words] = line.startsWith('#') || line.startsWith(';') ? [] : line.trim().split(/\s+/)
    const [host] = words
    if (keyword === 'nameserver' && host !== undefined && isIP(host) !== 0 && servers.length < MAX_SERVERS) servers.push({ host, port: DNS_PORT })
    if (keyword !== 'options') continue
    for (const word of words) {
      timeoutSeconds = option(word, 'timeout', MAX_TIMEOUT_SECONDS) ?? timeoutSeconds
      tries = option(word, 'attempts', MAX_ATTEMPTS) ?? tries
    }
  }
  if (servers.length === 0) servers.push({ host: '127.0.0.1', port: DNS_PORT })
  return { servers, timeoutMs: timeoutSeconds * 1000, tries }
}

function option(word: string, name: string, most: number): number | undefined {
  const [key, value] = word.split(':', 2)
  if (key !== name || value === undefined || !/^\d+$/.test(value)) return undefined
  return Math.min(Math.max(Number(value), 1), most)
}
