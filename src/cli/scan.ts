/**
 * `postern scan`: judges a message as the gateway would if it came in now, by
 * the same code and policy, and says why. Delivers, stores and counts nothing.
 * Of an mbox, a Maildir or a folder it judges one message after the other;
 * standard input is one message.
 *
 * Exit codes of sysexits(3): 0 judged, whatever the verdict; with --exit-code 0
 * accepted, 2 quarantine, 4 put off (4xx), 5 refused (5xx), of several the
 * highest; 64 wrong arguments; 65 the message is larger than the gateway takes,
 * or there is none, or with --exit-code all are accepted but some that could not
 * be read; 66 no such file, or no configuration file; 77 no permission; 78 the configuration is wrong.
 */
import { isatty } from 'node:tty'
import type { Settings } from '../config/settings.ts'
import { openResolver } from '../dns/configured.ts'
import type { Resolver } from '../dns/resolver.ts'
import { fieldsNamed, readHeaderSection } from '../message/header-section.ts'
import { unfold, valueText } from '../message/header-field.ts'
import { createLog } from '../observe/create-log.ts'
import { escapeControls } from '../observe/readable.ts'
import type { CheckName } from '../policy/policy.ts'
import { addressKey, parseIpAddress } from '../reputation/reverse-name.ts'
import { parsePath } from '../smtp/address.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import type { SessionFacts } from '../smtp/session-handler.ts'
import { configured, type ConfiguredIo } from './configured.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import type { ScanRequest } from './scan-command.ts'
import { scanGround } from './scan-ground.ts'
import { scan, type Scanned } from './scan-judge.ts'
import type { ScannedMessage } from './scan-message.ts'
import { ScanTally } from './scan-output.ts'
import { messagesToScan, type Scannable } from './scan-sources.ts'

export interface ScanIo extends ConfiguredIo {
  readonly out: (text: string) => void
  /** default: the process's own */
  readonly stdin?: AsyncIterable<Buffer>
  /** default: what the configuration says */
  readonly resolver?: Resolver
  /** whether a person reads standard output; default: whether it is a terminal */
  readonly terminal?: boolean
  /** milliseconds since 1970; default: the time of day */
  readonly now?: () => number
}

const MAX_RECIPIENTS = 1000

export async function runScan(request: ScanRequest, io: ScanIo): Promise<number> {
  const session = sessionOf(request)
  const given = request.from === undefined ? undefined : senderOf(request.from)
  const found = configured(request.config, io, 'judging')
  if (found.status === 'refused') return found.exitCode
  const { settings } = found
  const recipients = recipientsOf(request, settings)
  const messages = messagesToScan(request.file, { cwd: io.cwd, standardInput: () => standardInput(io), maxBytes: settings.limits.messageBytes })
  try {
    // Before the rules are read, which takes its time.
    const first = await messages.next()
    if (first.done === true) throw new Error('neither a message nor an error')
    const now = io.now ?? Date.now
    const tally = new ScanTally(request, { ...io, now })
    await withResolver(settings, io, async ({ resolver, log }) => {
      const ground = await scanGround(settings, { resolver, log, now, without: unasked(session) })
      try {
        for (let next: IteratorResult<Scannable, unknown> = first; next.done !== true; next = await messages.next()) {
          const found = next.value
          if (found.status === 'unreadable') tally.unreadable(found)
          else tally.scanned(found.place, await judged(found.message, (message, returned) => scan({ session, sender: given ?? returned, recipients, message, settings }, ground)))
        }
      } finally {
        ground.content.close()
      }
    })
    return tally.end()
  } finally {
    await messages.return(undefined)
  }
}

async function judged(message: ScannedMessage, judge: (message: ScannedMessage, returned: EnvelopePath) => Promise<Scanned>): Promise<Scanned> {
  try {
    return await judge(message, await returnPath(message))
  } finally {
    message.body.discard()
  }
}

interface Asking {
  readonly resolver: Resolver
  readonly log: ReturnType<typeof createLog>
}

async function withResolver<T>(settings: Settings, io: ScanIo, work: (asking: Asking) => Promise<T>): Promise<T> {
  const log = createLog({ level: 'error', format: 'readable' }, { stream: { write: io.err }, terminal: false })
  if (io.resolver !== undefined) return work({ resolver: io.resolver, log })
  const resolver = openResolver(settings.dns, log)
  try {
    return await work({ resolver, log })
  } finally {
    resolver.close()
  }
}

/* --- the arguments --- */

function sessionOf({ ip, helo }: ScanRequest): SessionFacts {
  const address = ip === undefined ? undefined : parseIpAddress(ip)
  if (ip !== undefined && address === undefined) throw new ExitError(EXIT.usage, `--ip: ${escapeControls(ip)} is no IP address; allowed: 192.0.2.7, 2001:db8::7`)
  // As the protocol takes it.
  if (helo !== undefined && !/^[\x21-\x7e]{1,255}$/.test(helo)) throw new ExitError(EXIT.usage, `--helo: ${escapeControls(helo)} is no name; allowed: up to 255 printable ASCII characters without a blank`)
  return {
    // A client of IPv4 on a socket of IPv6 is known by its IPv4 address.
    address: address?.family === 4 ? addressKey(address) : ip?.replace(/%.*$/s, ''),
    port: undefined, spokeEarly: false, name: undefined, login: undefined, helo, protocol: 'ESMTP', tls: undefined, forwarded: new Map(),
  }
}

/** DMARC without SPF would speak against whoever relies on that. */
function unasked({ address, helo }: SessionFacts): readonly CheckName[] {
  return [...(helo === undefined ? ['helo' as const] : []), ...(address === undefined ? ['spf', 'dmarc'] as const : [])]
}

function senderOf(text: string): EnvelopePath {
  const path = text === '' ? pathOf('<>') : pathOf(text)
  if (typeof path !== 'string') return path
  throw new ExitError(EXIT.usage, `--from: ${escapeControls(text)} is no address: ${path}; allowed: user@example.org, or <> for the null sender`)
}

function recipientsOf({ rcpt }: ScanRequest, { domains }: Settings): readonly EnvelopePath[] {
  const [first = 'localhost'] = domains.keys()
  const given = rcpt ?? [`postmaster@${first}`]
  if (given.length > MAX_RECIPIENTS) throw new ExitError(EXIT.usage, `--rcpt: ${given.length} recipients; allowed: at most ${MAX_RECIPIENTS}`)
  return given.map((text) => {
    const path = pathOf(text)
    const problem = typeof path === 'string' ? `is no address: ${path}` : problemOf(path, domains)
    if (typeof path !== 'string' && problem === undefined) return path
    throw new ExitError(EXIT.usage, `--rcpt: ${escapeControls(text)} ${problem ?? ''}; allowed: an address of ${[...domains.keys()].slice(0, 5).join(', ')}${domains.size > 5 ? ' …' : ''}`)
  })
}

/** What the gateway would refuse whatever the message is. */
function problemOf({ path: { mailbox } }: EnvelopePath, domains: Settings['domains']): string | undefined {
  if (mailbox === null) return 'is no recipient'
  if (/[%!@]/.test(mailbox.localPart)) return 'has a route in it'
  return (mailbox.domain as string) === '' || domains.has(mailbox.domain) ? undefined : 'is of a domain that the configuration does not take mail for'
}

/** What is wrong with it, where it is none. */
function pathOf(text: string): EnvelopePath | string {
  const binary = Buffer.from(text, 'utf8').toString('latin1')
  const parsed = parsePath(binary, 0)
  if (parsed.status === 'malformed') return parsed.why
  return parsed.end === binary.length && !/[\x00-\x1f\x7f]/.test(text) ? { path: parsed.path, parameters: [] } : 'something stands behind it'
}

/** Delivery puts it on top (RFC 5321 §4.4); without it, or with one that cannot be read, the sender is the null one. */
async function returnPath({ body }: ScannedMessage): Promise<EnvelopePath> {
  const [field] = fieldsNamed(await readHeaderSection(body), 'return-path')
  const path = field === undefined ? 'none' : pathOf(Buffer.from(unfold(valueText(field)).trim(), 'latin1').toString('utf8'))
  return typeof path === 'string' ? { path: { wire: '<>', mailbox: null }, parameters: [] } : path
}

function standardInput(io: ScanIo): AsyncIterable<Buffer> {
  if (io.stdin !== undefined) return io.stdin
  if (isatty(0)) io.err('reading the message from the terminal; it ends with Ctrl-D\n')
  return process.stdin
}
