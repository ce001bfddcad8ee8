/**
 * `postern check`: reads the configuration as `run` would and says what is
 * wrong with it, or what it comes to. An engine that is of no use now is a
 * warning. Exit codes of sysexits(3): 0 where it can be used, 78
 * (EXIT.configuration) where it has errors, 66 (EXIT.noInput) where its file
 * or the rules that come with Postern cannot be read; with --dns also 65 where
 * something is wrong in the DNS, and 75 where it could not be found out.
 */
import { isatty } from 'node:tty'
import { checkDelivery } from './check-delivery.ts'
import { checkDns } from './check-dns.ts'
import { checkEngines } from './check-engines.ts'
import { checkRules, type ReadRulesForCheck } from './check-rules.ts'
import { checkServiceUser } from './check-service-user.ts'
import { checkStore } from './check-store.ts'
import { checkUsers } from './check-users.ts'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import type { LoadReport } from '../delivery/address-source.ts'
import { processIdentity } from '../delivery/local-settings.ts'
import { formatAddress } from '../config/format-names.ts'
import { loadConfiguration } from '../config/load.ts'
import { thisMachine } from '../config/machine.ts'
import { createUriLists } from '../reputation/uri-lists.ts'
import { isUnrouted, parseNetwork } from '../config/networks.ts'
import type { LoadOptions } from '../config/load.ts'
import { describeError } from '../config/problem.ts'
import { EMBEDDED_SOURCE } from '../config/embedded.ts'
import type { HopSettings, ListenerSettings, Settings } from '../config/settings.ts'
import { escapeControls, painter, wantsColour } from '../observe/readable.ts'
import { openResolver } from '../dns/configured.ts'
import type { Resolver } from '../dns/resolver.ts'
import { createDnsLists } from '../reputation/dnsbl.ts'
import { thisReader } from '../signing/key-file.ts'
import { readKeySet } from '../signing/key-set.ts'
import type { SigningKey } from '../signing/signing-key.ts'

export interface CheckOptions {
  /** of --config */
  readonly config?: string | undefined
  /** also what the outside world must know of us */
  readonly dns?: boolean | undefined
}

export interface CheckIo extends Omit<LoadOptions, 'file'> {
  /** default: what the configuration says */
  readonly resolver?: Resolver
  /** default: from their files */
  readonly readRules?: ReadRulesForCheck
  /** whether a person reads standard output; default: whether it is a terminal */
  readonly terminal?: boolean
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
      const { settings } = loaded
      const [files, rules, store, engines] = await Promise.all([checkFiles(settings, loaded.source), checkRules(settings, io.readRules), checkStore(settings.spam.bayes.store), checkEngines(settings)])
      const service = await checkService(settings, loaded.source, { ...where, file: options.config })
      const warnings = [...loaded.warnings, ...service, ...files.warnings, ...rules.warnings, ...store.warnings, ...engines.warnings]
      const errors = [...files.errors, ...store.errors]
      if (rules.unread !== undefined) err(`${rules.unread.message}\n`)
      if (errors.length > 0) return tellErrors(errors, { source: loaded.source, warnings }, err)
      tellWarnings(warnings, err)
      if (rules.unread !== undefined) {
        err(`no errors in ${loaded.source}\n`)
        return exitCodeOf(rules.unread)
      }
      out(`configuration OK: ${loaded.source}\n${summarise(settings)}${[...rules.lines, ...store.lines, ...engines.lines].map((line) => `${line}\n`).join('')}`)
      return options.dns === true ? await tellDns(settings, io) : EXIT.ok
    }
  }
}

/** temporary: it could not be found out now */
const LEVELS = { ok: ['green', 'OK  '], warn: ['yellow', 'WARN'], fail: ['red', 'FAIL'], temporary: ['yellow', 'TEMP'] } as const

/** 0 where nothing is wrong, 65 where something is, 75 where it could not all be found out. */
async function tellDns(settings: Settings, { out, environment, terminal, machine = thisMachine, resolver: given }: CheckIo): Promise<number> {
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const opened = given === undefined ? openResolver(settings.dns, quiet) : undefined
  const resolver = given ?? opened
  if (resolver === undefined) throw new Error('no resolver')
  const zoneContext = { resolver, now: () => machine.nowMs(), log: quiet }
  const lists = createDnsLists({ zones: settings.policy.dnsLists }, zoneContext)
  const uriLists = createUriLists(settings.spam.uriLists, zoneContext)
  const findings = await checkDns({
    hostname: settings.hostname, domains: [...settings.domains.keys()], addresses: machine.addresses().filter(isPublic), resolver, lists: () => lists.prove(), uriLists: () => uriLists.prove(),
    signingKeys: signingKeys(settings),
  })
  opened?.close()
  const paint = painter(wantsColour(terminal ?? isatty(1), environment))
  // Names out of the DNS are those of strangers.
  out(findings.map(({ level, about, text }) => {
    const [style, word] = LEVELS[level]
    return `  ${paint(style, word)}  ${escapeControls(`${about}: ${text}`)}\n`
  }).join(''))
  if (findings.some(({ level }) => level === 'fail')) return EXIT.data
  return findings.some(({ level }) => level === 'temporary') ? EXIT.temporary : EXIT.ok
}

/** What is wrong with their files is an error of the configuration, and told there. */
function signingKeys({ signing }: Settings): readonly SigningKey[] {
  const reading = readKeySet(signing, thisReader())
  return reading.status === 'read' ? reading.set.keys : []
}

/** Others could reach us there. */
function isPublic(address: string): boolean {
  const parsed = parseNetwork(address.replace(/%.*$/, ''))
  return parsed.status === 'network' && !isUnrouted(parsed.network)
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

/** Of the files of the configuration, and what is in them. */
function checkService(settings: Settings, source: string, where: LoadOptions): Promise<readonly string[]> {
  if (source === EMBEDDED_SOURCE) return Promise.resolve([])
  return checkServiceUser(settings, where.machine ?? thisMachine, { look: async () => {
    const loaded = loadConfiguration(where)
    if (loaded.status === 'unreadable') return [`${loaded.source}: ${loaded.cause}`]
    if (loaded.status === 'invalid') return loaded.errors.map((error) => describeError({ ...error, allowed: undefined }))
    return (await checkFiles(loaded.settings, source)).errors
  } })
}

async function checkFiles(settings: Settings, source: string): Promise<LoadReport> {
  // The embedded default's directories are made by `run`.
  if (source === EMBEDDED_SOURCE) return { errors: [], warnings: [] }
  // Whoever runs the check need not be the user that Postern runs as: an owner whom only root can serve is warned of, not an error.
  const reports = [await checkDelivery(settings, source, { ...processIdentity(), uid: 0 }), await checkUsers(settings)]
  return { errors: reports.flatMap(({ errors }) => errors), warnings: reports.flatMap(({ warnings }) => warnings) }
}

/** What the gateway would do, in a few lines. */
export function summarise(settings: Settings): string {
  const lines = [`  hostname   ${settings.hostname}`]
  for (const listener of settings.listeners) {
    lines.push(`  ${listener.role.padEnd(10)} ${listener.name}: ${describeListener(listener)}`)
    lines.push(`${' '.repeat(13)}to ${describeHop(settings.hops.get(listener.next))}`)
    if (listener.role !== 'inbound') lines.push(`${' '.repeat(13)}for ${describeClients(listener)}`)
  }
  lines.push(...describeDomains(settings), ...describeSigning(settings))
  return lines.map((line) => `${line}\n`).join('')
}

function describeListener(listener: ListenerSettings): string {
  const tls = listener.tls === undefined ? 'no TLS' : `TLS ${listener.tls.mode}`
  return `${listener.protocol.toUpperCase()}${listener.transparent ? ' (transparent)' : ''} on ${listener.listen.map(formatAddress).join(', ')}, ${tls}`
}

function describeClients({ clients, submission }: ListenerSettings): string {
  if (submission === undefined) return clients.join(', ')
  const { users, dovecot } = submission.authentication
  return `users of ${[...(users === undefined ? [] : [users]), ...(dovecot === undefined ? [] : ['Dovecot'])].join(' and ')}`
}

function describeSigning({ signing: { keys, directory, tables }, listeners }: Settings): readonly string[] {
  if (listeners.every(({ role }) => role === 'inbound')) return []
  const names = keys.map(({ selector, domain }) => `${selector}._domainkey.${domain}`)
  const shown = 10
  const sources = [
    ...names.slice(0, shown), ...(names.length > shown ? [`and ${names.length - shown} more`] : []),
    ...(directory === undefined ? [] : [`the keys in ${directory}`]), ...(tables === undefined ? [] : [`those of ${tables.signingTable.path}`]),
  ]
  return [`  signing    ${sources.length === 0 ? 'nothing: there are no keys' : sources.join(', ')}`]
}

function describeHop(hop: HopSettings | undefined): string {
  if (hop === undefined) throw new Error('a listener without a hop passed the check')
  if (hop.kind === 'maildir') return `hop ${hop.name}: Maildirs ${hop.path}${hop.users === undefined ? ', everybody is a user' : ''}`
  return `hop ${hop.name}: ${hop.kind.toUpperCase()} ${(hop.addresses ?? [hop.address]).map(formatAddress).join(' or ')}, TLS ${hop.tls.mode}${hop.login === undefined ? '' : `, as ${hop.login.user}`}`
}

/** The first few; a list of thousands helps nobody. */
function describeDomains({ domains }: Settings): readonly string[] {
  const shown = 10
  const names = Array.from(domains, ([domain, { next }]) => next === undefined ? domain : `${domain} (to hop ${next})`)
  if (names.length === 0) return []
  const more = names.length > shown ? ` and ${names.length - shown} more` : ''
  return [`  domains    ${names.slice(0, shown).join(', ')}${more}`]
}
