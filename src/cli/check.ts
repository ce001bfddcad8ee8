/**
 * `postern check`: reads the configuration as `run` would and says what is
 * wrong with it, or what it comes to. Exit codes of sysexits(3): 0 where it
 * can be used, 78 (EXIT.configuration) where it has errors, 66 (EXIT.noInput) where its
 * file cannot be read.
 */
import { checkDelivery } from './check-delivery.ts'
import { EXIT } from './exit-codes.ts'
import type { LoadReport } from '../delivery/address-source.ts'
import { processIdentity } from '../delivery/local-settings.ts'
import { formatAddress } from '../config/format-names.ts'
import { loadConfiguration } from '../config/load.ts'
import type { LoadOptions } from '../config/load.ts'
import { describeError } from '../config/problem.ts'
import { EMBEDDED_SOURCE } from '../config/embedded.ts'
import type { HopSettings, ListenerSettings, Settings } from '../config/settings.ts'

export interface CheckOptions {
  /** of --config */
  readonly config?: string | undefined
}

export interface CheckIo extends Omit<LoadOptions, 'file'> {
  /** writes to standard output */
  readonly out: (text: string) => void
  /** writes to standard error */
  readonly err: (text: string) => void
}

export async function runCheck(options: CheckOptions, io: CheckIo): Promise<number> {
  const { out, err, ...where } = io
  const loaded = loadConfiguration({ ...where, file: options.config })
  switch (loaded.status) {
    case 'unreadable':
      err(`${loaded.source}: ${loaded.cause}\n`)
      return EXIT.noInput
    case 'invalid':
      return tellErrors(loaded.errors.map(describeError), loaded, err)
    case 'ok': {
      const files = await checkFiles(loaded.settings, loaded.source)
      const warnings = [...loaded.warnings, ...files.warnings]
      if (files.errors.length > 0) return tellErrors(files.errors, { source: loaded.source, warnings }, err)
      tellWarnings(warnings, err)
      out(`configuration OK: ${loaded.source}\n${summarise(loaded.settings)}`)
      return EXIT.ok
    }
  }
}

function tellErrors(errors: readonly string[], about: { source: string; warnings: readonly string[] }, err: (text: string) => void): number {
  for (const error of errors) err(`${error}\n`)
  tellWarnings(about.warnings, err)
  err(`${errors.length} ${errors.length === 1 ? 'error' : 'errors'} in ${about.source}\n`)
  return EXIT.configuration
}

function tellWarnings(warnings: readonly string[], err: (text: string) => void): void {
  for (const warning of warnings) err(`warning: ${warning}\n`)
}

async function checkFiles(settings: Settings, source: string): Promise<LoadReport> {
  // The embedded default's directories are made by `run`.
  if (source === EMBEDDED_SOURCE) return { errors: [], warnings: [] }
  // Whoever runs the check need not be the user that Postern runs as: an owner whom only root can serve is warned of, not an error.
  return checkDelivery(settings, source, { ...processIdentity(), uid: 0 })
}

/** What the gateway would do, in a few lines. */
export function summarise(settings: Settings): string {
  const lines = [`  hostname   ${settings.hostname}`]
  for (const listener of settings.listeners) {
    lines.push(`  ${listener.role.padEnd(10)} ${listener.name}: ${describeListener(listener)}`)
    lines.push(`${' '.repeat(13)}to ${describeHop(settings.hops.get(listener.next))}`)
    if (listener.role === 'outbound') lines.push(`${' '.repeat(13)}for ${listener.clients.join(', ')}`)
  }
  lines.push(...describeDomains(settings))
  return lines.map((line) => `${line}\n`).join('')
}

function describeListener(listener: ListenerSettings): string {
  const tls = listener.tls === undefined ? 'no TLS' : `TLS ${listener.tls.mode}`
  return `${listener.protocol.toUpperCase()} on ${listener.listen.map(formatAddress).join(', ')}, ${tls}`
}

function describeHop(hop: HopSettings | undefined): string {
  if (hop === undefined) throw new Error('a listener without a hop passed the check')
  if (hop.kind === 'maildir') return `hop ${hop.name}: Maildirs ${hop.path}${hop.users === undefined ? ', everybody is a user' : ''}`
  return `hop ${hop.name}: ${hop.kind.toUpperCase()} ${formatAddress(hop.address)}, TLS ${hop.tls.mode}`
}

/** The first few; a list of thousands helps nobody. */
function describeDomains({ domains }: Settings): readonly string[] {
  const shown = 10
  const names = Array.from(domains, ([domain, { next }]) => next === undefined ? domain : `${domain} (to hop ${next})`)
  if (names.length === 0) return []
  const more = names.length > shown ? ` and ${names.length - shown} more` : ''
  return [`  domains    ${names.slice(0, shown).join(', ')}${more}`]
}
