/** What the commands of `postern dkim` have of the world around them, and what they read from the command line alike. */
import type { LoadOptions } from '../config/load.ts'
import { normaliseDomain } from '../config/format-names.ts'
import type { ServerAddress } from '../dns/exchange.ts'
import type { Resolver } from '../dns/resolver.ts'
import { escapeControls } from '../observe/readable.ts'
import { isName } from '../signing/signing-key.ts'
import { EXIT, ExitError } from './exit-codes.ts'

export interface DkimIo extends Omit<LoadOptions, 'file'> {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** bytes to standard output; resolves when more may come */
  readonly write?: (bytes: Buffer) => Promise<void>
  readonly stdin?: AsyncIterable<Buffer>
  /** milliseconds since 1970; default: the time of day */
  readonly now?: () => number
  /** default: what the configuration says */
  readonly resolver?: Resolver
  /** where a server of a zone listens; default: port 53 */
  readonly serverAt?: (address: string) => ServerAddress
  /** waits, and calls nobody's time its own */
  readonly pause?: (ms: number) => Promise<void>
}

export function domainOf(text: string, what: string): string {
  const domain = normaliseDomain(text)
  if (domain !== undefined && !domain.startsWith('[')) return domain
  throw new ExitError(EXIT.usage, `${what}: ${escapeControls(text)} is no domain; allowed: a name such as example.org`)
}

export function selectorOf(text: string): string {
  const selector = text.toLowerCase()
  // RFC 1035 §2.3.4: with _domainkey and a domain behind it there has to be room.
  if (isName(selector) && selector.length <= 100) return selector
  throw new ExitError(EXIT.usage, `--selector: ${escapeControls(text)} is no selector; allowed: labels of letters, digits and hyphens such as s2026`)
}

/** `s20261121`: what it is, and since when. */
export function datedSelector(algorithm: 'rsa-sha256' | 'ed25519-sha256', nowMs: number): string {
  return `${algorithm === 'rsa-sha256' ? 's' : 'e'}${new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '')}`
}
