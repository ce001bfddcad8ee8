/**
 * Puts together what checks logins at one listener: the users file, Dovecot,
 * certificates, the guard against guessing, and the mechanisms (SaslExchange of
 * smtp/authentication.ts). The caller hands in everything that is shared.
 *
 * `reload` before the first session: until then nobody's abilities are known
 * and only PLAIN and LOGIN are offered. Afterwards files are looked at when
 * somebody logs in. Nothing rejects; a failure is 454 4.7.0.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { FileSystem } from '../delivery/file-system.ts'
import { createFileSource, type FileSource, type LoadReport } from '../delivery/watched-file.ts'
import type { Log } from '../observe/log.ts'
import type { SharedCounters } from '../reputation/rates-counters.ts'
import type { SaslExchange } from '../smtp/authentication.ts'
import { createAccounts, type Accounts } from './accounts.ts'
import { parseCertificateMap, usersOfCertificate, type CertificateMap } from './certificates.ts'
import { createDovecotClient, type DovecotClient } from './dovecot-client.ts'
import { createDovecotLogin, passThrough } from './dovecot-login.ts'
import { bounded } from './exchange.ts'
import type { Authenticator, SessionFacts, SessionTls } from './facts.ts'
import { createGuard } from './guard.ts'
import type { AttemptContext } from './login-attempt.ts'
import { offeredMechanisms } from './mechanisms.ts'
import { parsePasswords, type PasswordTable } from './password-file.ts'
import type { PasswordWork } from './password-work.ts'
import { cramExchange } from './sasl-cram-md5.ts'
import { externalExchange } from './sasl-external.ts'
import { loginExchange, plainExchange } from './sasl-password.ts'
import { scramExchange } from './sasl-scram.ts'
import type { AuthenticatorSettings } from './settings.ts'

export interface AuthenticatorServices {
  readonly files: Pick<FileSystem, 'stat' | 'read'>
  readonly log: Log
  /** a clock that does not jump */
  readonly monotonicMs: () => number
  /** milliseconds since 1970 */
  readonly now: () => number
  /** of all workers */
  readonly counters: SharedCounters
  /** one for all listeners of a process; closed by whoever made it */
  readonly work: PasswordWork
  /** of `loadServerSecret` */
  readonly secret: Buffer
  /** in the challenge of CRAM-MD5 */
  readonly hostname: string
  /** default: node's own */
  readonly random?: (bytes: number) => Buffer
  /** default: a timer; ends early, without rejecting, where the signal says so */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface OpenAuthenticator extends Authenticator {
  /** Looks at all files now, and at Dovecot. */
  reload(): Promise<LoadReport>
  /** Looks at the files that have changed, as every login does: so what was taken away ends though nobody logs in. */
  look(): Promise<void>
  /** What is known of the users file; undefined where there is none, or it could not be read yet. */
  users(): PasswordTable | undefined
  /** Ends the connection to Dovecot. Exchanges under way end as temporary failures. */
  close(): void
}

interface Parts {
  readonly settings: AuthenticatorSettings
  readonly services: AuthenticatorServices
  readonly random: (bytes: number) => Buffer
  readonly accounts: Accounts
  readonly attempts: AttemptContext
  readonly dovecot: DovecotClient | undefined
  /** whom the client's certificate stands for */
  readonly certified: (facts: SessionFacts) => Promise<ReadonlySet<string>>
}

export function createAuthenticator(settings: AuthenticatorSettings, services: AuthenticatorServices): OpenAuthenticator {
  const { log } = services
  const { listener } = settings
  const source = <T>(path: string | undefined, parse: Parameters<typeof createFileSource<T>>[0]['parse']): FileSource<T> | undefined =>
    path === undefined ? undefined : createFileSource({ path, parse, facts: { listener } }, services)
  const users = source<PasswordTable>(settings.users, (text) => parsePasswords(text, settings.domains))
  const map = source<CertificateMap>(settings.certificates?.map, parseCertificateMap)
  const dovecot = settings.dovecot && createDovecotClient(settings.dovecot, {
    monotonicMs: services.monotonicMs,
    clientId: () => randomInt(1, 0x7fff_ffff),
    onTrouble: (cause) => log.warn({ listener, cause }, 'Dovecot\'s auth service cannot be asked'),
  })
  const accounts = createAccounts({ users, dovecot: dovecot && createDovecotLogin(dovecot), work: services.work, secret: services.secret })
  const certified = async ({ tls }: SessionFacts): Promise<ReadonlySet<string>> => {
    await map?.current()
    return certifiedNow(tls)
  }
  // Whom Dovecot alone knows cannot be asked for: the domain is what tells its users from others that the authority has signed.
  const isOurs = (name: string): boolean => (settings.domains as ReadonlySet<string>).has(name.slice(name.lastIndexOf('@') + 1))
  const certifiedNow = (tls: SessionTls | undefined): ReadonlySet<string> => {
    // With a file that could not be read yet, a certificate stands for nobody.
    const known = map === undefined ? undefined : (map.last() ?? new Map<string, readonly string[]>())
    const named = settings.certificates === undefined ? [] : usersOfCertificate(tls?.certificate, known, (name) => isOurs(name) || users?.last()?.find(name) !== undefined)
    // An address at one of our domains may be a user whom the file names without it.
    return new Set([...named].map((name) => accounts.nameOf(name)))
  }
  const attempts: AttemptContext = {
    listener, log, guard: createGuard(settings.guard, services.counters), wait: services.wait ?? wait,
    secondFactor: settings.certificates?.mode === 'second' ? certified : undefined,
  }
  const parts: Parts = { settings, services, random: services.random ?? randomBytes, accounts, attempts, dovecot, certified }
  const mechanisms = (tls: SessionTls | undefined): readonly string[] => offeredMechanisms(settings, {
    tls: tls !== undefined,
    channelBinding: tls !== undefined && canBind(tls),
    certified: certifiedNow(tls).size > 0,
    abilities: users?.last()?.abilities,
    dovecot: dovecot?.mechanisms(),
  })
  return {
    mechanisms,
    begin(name, facts) {
      const mechanism = name.toUpperCase()
      const offered = mechanisms(facts.tls)
      return offered.includes(mechanism) ? bounded(exchangeOf(mechanism, { facts, offered, parts }), log) : undefined
    },
    async reload() {
      const [reports, trouble] = await Promise.all([Promise.all([users?.reload(), map?.reload()]), dovecot?.ready()])
      const known = reports.filter((report) => report !== undefined)
      const warnings = known.flatMap((report) => report.warnings)
      return { errors: known.flatMap((report) => report.errors), warnings: trouble === undefined ? warnings : [...warnings, `Dovecot's auth service cannot be asked: ${trouble}`] }
    },
    look: async () => {
      await Promise.all([users?.current(), map?.current()])
    },
    users: () => users?.last(),
    close: () => dovecot?.close(),
  }
}

function exchangeOf(mechanism: string, { facts, offered, parts }: { readonly facts: SessionFacts; readonly offered: readonly string[]; readonly parts: Parts }): SaslExchange {
  const { accounts, attempts, dovecot, random, services, certified } = parts
  const common = { accounts, attempts, facts }
  const elsewhere = dovecot === undefined ? undefined : (): SaslExchange => passThrough(mechanism, { client: dovecot, facts, attempts })
  const abilities = accounts.table()?.abilities
  switch (mechanism) {
    case 'PLAIN': return plainExchange(common)
    case 'LOGIN': return loginExchange(common)
    case 'EXTERNAL': return externalExchange({ ...common, certified: () => certified(facts) })
    case 'SCRAM-SHA-256':
      // Where the file has nobody for it, Dovecot has all of it.
      if (elsewhere !== undefined && (abilities?.scram ?? 0) === 0) return elsewhere()
      return scramExchange(mechanism, { ...common, random, plusOffered: offered.includes('SCRAM-SHA-256-PLUS'), elsewhere })
    case 'SCRAM-SHA-256-PLUS': return scramExchange(mechanism, { ...common, random, plusOffered: true, elsewhere: undefined })
    case 'CRAM-MD5':
      // The name comes too late to choose by it.
      if (elsewhere !== undefined && (abilities?.cramMd5 ?? 0) === 0) return elsewhere()
      return cramExchange({ ...common, random, hostname: services.hostname, now: services.now })
    default:
      if (elsewhere === undefined) throw new Error(`mechanism ${mechanism} was offered, and nobody can do it`)
      return elsewhere()
  }
}

/**
 * With TLS 1.3. Before it clients bind to tls-unique, the default of RFC 5802
 * §6.1, which is not safe without an extended master secret and which we do not
 * know: those that take the strongest mechanism would fail where -PLUS is offered.
 */
function canBind(tls: SessionTls): boolean {
  return tls.channelBinding('tls-exporter') !== undefined
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch {
    // The client has gone: nobody waits.
  }
}
