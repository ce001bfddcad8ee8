/**
 * What DKIMproxy is to do, out of what it was given: defaults filled in, places
 * read, contradictions found. Pure. All errors come at once; settings are there
 * only where there is none.
 */
import { isIP } from 'node:net'
import { readAccess, type Access } from './access.ts'
import { COMMAND_LINE, type CommandLine, type Given, type Notice, type Place, type Reading } from './given.ts'
import { OPTIONS, isOn, type Program } from './options.ts'

export interface HostPort {
  readonly host: string
  readonly port: number
}

export interface DaemonSettings {
  readonly daemonize: boolean
  readonly user: string | undefined
  readonly group: string | undefined
  readonly pidFile: string | undefined
}

export interface LogSettings {
  /** of Net::Server: 0 errors, 1 warnings, 2 what is done, 3 and 4 more */
  readonly level: number
  readonly to: { readonly kind: 'stderr' } | { readonly kind: 'file'; readonly path: string } | { readonly kind: 'syslog'; readonly ident: string; readonly facility: string }
}

export interface CommonSettings {
  readonly program: Program
  readonly listen: HostPort
  readonly relay: HostPort
  readonly rejectError: boolean
  readonly daemon: DaemonSettings
  readonly log: LogSettings
  readonly maxSessions: number
  readonly access: Access
  readonly trace: boolean
}

/** Words of the configuration with their place, for what is read later. */
export interface Said {
  readonly value: string
  readonly place: Place
}

export interface OutSettings extends CommonSettings {
  readonly program: 'dkimproxy.out'
  /** lower case; empty: none given */
  readonly domains: readonly string[]
  readonly keyfile: Said | undefined
  readonly selector: Said | undefined
  readonly method: Said | undefined
  readonly identity: Said | undefined
  readonly signatures: readonly Said[]
  readonly senderMap: Said | undefined
  readonly listidMap: Said | undefined
}

export interface InSettings extends CommonSettings {
  readonly program: 'dkimproxy.in'
  /** undefined: the system's name */
  readonly hostname: string | undefined
  readonly rejectFail: boolean
}

export type Settled<S> =
  | { readonly status: 'ok'; readonly settings: S; readonly warnings: readonly Notice[] }
  | { readonly status: 'wrong'; readonly errors: readonly Notice[]; readonly warnings: readonly Notice[] }

const DEFAULT_MAX_SERVERS = 50
const RELAY_PORT = 25
const FACILITIES = /^(?:auth|authpriv|cron|daemon|ftp|kern|lpr|mail|news|syslog|user|uucp|local[0-7])$/

/** The command line beats the file, for lists as well; of repeated scalars the last counts. */
class Options {
  readonly errors: Notice[] = []
  readonly warnings: Notice[] = []
  readonly positional: readonly string[]
  private readonly said = new Map<string, Given[]>()

  constructor(file: Reading | undefined, line: CommandLine) {
    this.positional = line.positional
    for (const reading of [file, line]) {
      if (reading === undefined) continue
      const here = new Map<string, Given[]>()
      for (const given of reading.given) here.set(given.name, OPTIONS.get(given.name)?.kind === 'list' ? [...(here.get(given.name) ?? []), given] : [given])
      for (const [name, list] of here) this.said.set(name, list)
      this.errors.push(...reading.errors)
      this.warnings.push(...reading.warnings)
    }
  }

  list(name: string): readonly Given[] {
    return this.said.get(name) ?? []
  }

  one(name: string): Given | undefined {
    return this.said.get(name)?.at(-1)
  }

  flag(...names: readonly string[]): boolean {
    return names.some((name) => isOn(this.one(name)?.value ?? ''))
  }

  /** A whole number, or an error. */
  number(name: string, otherwise: number, range: readonly [number, number]): number {
    const given = this.one(name)
    if (given === undefined) return otherwise
    const value = Number(given.value)
    if (/^\d+$/.test(given.value) && value >= range[0] && value <= range[1]) return value
    this.error(given, `${name} is ${JSON.stringify(given.value)}; allowed: a number from ${range[0]} to ${range[1]}`)
    return otherwise
  }

  error(of: { readonly place: Place } | undefined, text: string): void {
    this.errors.push({ place: of?.place ?? COMMAND_LINE, text })
  }

  warn(of: { readonly place: Place }, text: string): void {
    this.warnings.push({ place: of.place, text })
  }
}

export function settleOut(file: Reading | undefined, line: CommandLine): Settled<OutSettings> {
  const options = new Options(file, line)
  const common = settleCommon(options, 'dkimproxy.out')
  const domains = (options.one('domain')?.value ?? '').split(',').map((one) => one.trim().toLowerCase()).filter((one) => one !== '')
  const senderMap = options.one('sender_map')
  const listidMap = options.one('listid_map')
  const given = options.list('signature')
  // Without any word on it there is one signature.
  const signatures = given.length === 0 && senderMap === undefined && listidMap === undefined ? [{ value: 'dkim', place: options.one('keyfile')?.place ?? COMMAND_LINE }] : given
  const domainkeysMethod = options.one('domainkeys_method')
  if (domainkeysMethod !== undefined) options.warn(domainkeysMethod, 'domainkeys_method does nothing: DomainKeys is historic (RFC 4870)')
  const identity = options.one('identity')
  if (identity !== undefined) options.warn(identity, 'identity is set as i= of signatures whose domain it lies under; DKIMproxy never uses it')
  return settled(options, common === undefined ? undefined : {
    ...common, program: 'dkimproxy.out', domains, identity, signatures, senderMap, listidMap,
    keyfile: options.one('keyfile'), selector: options.one('selector'), method: options.one('dkim_method') ?? options.one('method'),
  })
}

export function settleIn(file: Reading | undefined, line: CommandLine): Settled<InSettings> {
  const options = new Options(file, line)
  const common = settleCommon(options, 'dkimproxy.in')
  const hostname = options.one('hostname')
  if (hostname !== undefined && !/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/.test(hostname.value)) options.error(hostname, `hostname is ${JSON.stringify(hostname.value)}; allowed: a host name`)
  const rejectFail = options.flag('reject_fail')
  if (rejectFail) {
    options.warn(options.one('reject_fail') ?? { place: COMMAND_LINE }, 'reject_fail goes by DMARC (RFC 9989), since ADSP is historic; SPF counts where the client passes on its own client\'s address with XFORWARD')
  }
  return settled(options, common === undefined ? undefined : { ...common, program: 'dkimproxy.in', hostname: hostname?.value, rejectFail })
}

function settled<S>({ errors, warnings }: Options, settings: S | undefined): Settled<S> {
  return errors.length > 0 || settings === undefined ? { status: 'wrong', errors, warnings } : { status: 'ok', settings, warnings }
}

function settleCommon(options: Options, program: Program): Omit<CommonSettings, 'program'> | undefined {
  const listen = placeOf(options, 'listen')
  const relay = placeOf(options, 'relay')
  const chroot = options.one('chroot')
  if (chroot !== undefined) options.error(chroot, 'chroot cannot be done by Node.js; take it out, or let systemd do it (RootDirectory=)')
  const access = readAccess({ allow: options.list('allow'), deny: options.list('deny'), cidrAllow: options.list('cidr_allow'), cidrDeny: options.list('cidr_deny') })
  for (const notice of access.errors) options.errors.push(notice)
  for (const notice of access.warnings) options.warnings.push(notice)
  const daemonize = options.flag('daemonize', 'setsid', 'background')
  const common = {
    rejectError: options.flag('reject_error'),
    daemon: { daemonize, user: options.one('user')?.value, group: options.one('group')?.value, pidFile: (options.one('pid_file') ?? options.one('pidfile'))?.value },
    log: { level: options.number('log_level', 2, [0, 4]), to: logPlace(options, program, daemonize) },
    maxSessions: options.number('max_servers', DEFAULT_MAX_SERVERS, [1, 100_000]),
    access: access.access,
    trace: options.flag('debugtrace'),
  }
  return listen === undefined || relay === undefined ? undefined : { ...common, listen, relay }
}

function logPlace(options: Options, program: Program, daemonize: boolean): LogSettings['to'] {
  const file = options.one('log_file')
  const facility = options.one('syslog_facility')
  const ident = options.one('syslog_ident')
  if (facility !== undefined && !FACILITIES.test(facility.value)) options.error(facility, `syslog_facility is ${JSON.stringify(facility.value)}; allowed: mail, daemon, local0 and the others of syslog(3)`)
  if (ident !== undefined && !/^[\x21-\x7e]{1,64}$/.test(ident.value)) options.error(ident, 'syslog_ident is no name; allowed: up to 64 characters without blanks')
  const syslog = { kind: 'syslog', ident: ident?.value ?? program, facility: facility?.value ?? 'mail' } as const
  if (file === undefined) return daemonize ? syslog : { kind: 'stderr' }
  return file.value === 'Sys::Syslog' ? syslog : { kind: 'file', path: file.value }
}

/** Positional, then `listen` or `relay`, then the split options. */
function placeOf(options: Options, name: 'listen' | 'relay'): HostPort | undefined {
  const positional = options.positional[name === 'listen' ? 0 : 1]
  const whole: Said | undefined = positional === undefined ? options.one(name) : { value: positional, place: COMMAND_LINE }
  const [hostName, portName] = name === 'listen' ? ['host', 'port'] : ['relay_host', 'relay_port']
  const host = options.one(hostName)
  const port = options.one(portName)
  const read = whole === undefined ? undefined : readHostPort(whole.value)
  if (whole !== undefined && read === undefined) {
    options.error(whole, `${name} is ${JSON.stringify(whole.value)}; allowed: HOST:PORT or [IPV6]:PORT`)
    return undefined
  }
  const foundHost = read?.host ?? host?.value
  const foundPort = read?.port ?? (port === undefined ? (name === 'relay' ? RELAY_PORT : undefined) : portNumber(port.value.replace(/\/tcp$/, '')))
  const missing = name === 'relay' && foundHost === undefined ? 'where to relay to is not said; allowed: relay HOST[:PORT], or two arguments'
    : foundPort !== undefined ? undefined
    : name === 'listen' ? 'the port to listen on is not said; allowed: listen HOST:PORT, or two arguments' : 'relay_port is no port'
  if (missing !== undefined) options.error(whole ?? port, missing)
  if (missing !== undefined || foundPort === undefined) return undefined
  return { host: foundHost ?? '*', port: foundPort }
}

function readHostPort(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]*))(?::([^:]+))?$/.exec(text.trim())
  if (match === null) return undefined
  const host = match[1] ?? match[2] ?? ''
  if ((match[1] !== undefined && isIP(host) !== 6) || (match[1] === undefined && host !== '*' && !/^[A-Za-z0-9_.-]*$/.test(host))) return undefined
  const port = match[3] === undefined ? undefined : portNumber(match[3].replace(/\/tcp$/, ''))
  if (match[3] !== undefined && port === undefined) return undefined
  return { host: host === '' ? '*' : host, port }
}

/** Port 0 is for tests: the system chooses. */
function portNumber(text: string): number | undefined {
  const port = Number(text)
  return /^\d{1,5}$/.test(text) && port <= 65_535 ? port : undefined
}
