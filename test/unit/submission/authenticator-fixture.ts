/** An authenticator on a simulated disk, with a clock that stands until it is told to move, and waits that are written down. */
import { createAuthenticator, type OpenAuthenticator } from '../../../src/submission/authenticator.ts'
import { DEFAULT_GUARD, type AuthenticatorSettings } from '../../../src/submission/settings.ts'
import { createPasswordWork, type PasswordWork } from '../../../src/submission/password-work.ts'
import type { ClientCertificate, SessionFacts, SessionTls } from '../../../src/submission/facts.ts'
import { MemoryCounters } from '../../../src/reputation/rates-counters.ts'
import type { SaslExchange, SaslStep } from '../../../src/smtp/authentication.ts'
import { domains, rememberedLog, type RememberedLog } from '../delivery/local-fixture.ts'
import { SimulatedDisk } from '../delivery/simulated-disk.ts'

export const BOUND = Buffer.alloc(32, 7)
export const TLS: SessionTls = { channelBinding: (type) => (type === 'tls-exporter' ? BOUND : undefined), certificate: undefined }
export const PLAIN_TLS: SessionTls = { channelBinding: () => undefined, certificate: undefined }

export function facts(tls: SessionTls | undefined = TLS, address: string | undefined = '192.0.2.1'): SessionFacts {
  return { address, localAddress: '198.51.100.1', tls }
}

export function withCertificate(certificate: Partial<ClientCertificate>): SessionTls {
  return { ...TLS, certificate: { authorized: false, fingerprint: 'ab'.repeat(32), addresses: [], ...certificate } }
}

/** Of the password `secret`, all of them. */
export const HASHES = {
  // Quick ones: what is slow is tested with the schemes.
  argon2: '{ARGON2ID}$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$4mqQiyq0VpIzuZmp+8eSF3YJ7Av58TkEJ4LIdOVsAc4',
  bcrypt: '{BLF-CRYPT}$2y$05$S7CWmaO7232hb0EyBoIeKeEvjCpZieFY16cMd4sgiCN4pZbBC9bya',
  scram: '{SCRAM-SHA-256}4096,u8Oc2SVEkgt1ENbuEZeXQA==,sN+tdmHnTcDkOlDCDtE2H4ssGUWLswIzczhQBZuXMhM=,wZhZr5GISLZSg8WPAKFg3YchTTI4QlduxgN3stHp0wE=',
  cram: '{CRAM-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56',
  clear: '{PLAIN}secret',
}

export interface Ground {
  readonly disk: SimulatedDisk
  readonly log: RememberedLog
  readonly counters: MemoryCounters
  readonly authenticator: OpenAuthenticator
  readonly waits: number[]
  nowMs: number
  write(file: string, text: string): void
  close(): Promise<void>
}

export interface GroundOptions extends Partial<AuthenticatorSettings> {
  /** of /etc/users */
  readonly file?: string
  readonly map?: string
  readonly work?: PasswordWork
}

export async function ground({ file, map, work, ...settings }: GroundOptions): Promise<Ground> {
  const disk = new SimulatedDisk(['/etc'])
  const log = rememberedLog()
  const waits: number[] = []
  let stampMs = 1000
  const time = { nowMs: 1_700_000_000_000 }
  const counters = new MemoryCounters({ now: () => time.nowMs })
  const passwords = work ?? createPasswordWork({ onTrouble: (cause) => log.error({}, cause) })
  const write = (path: string, text: string): void => disk.put(path, text, stampMs++)
  if (file !== undefined) write('/etc/users', file)
  if (map !== undefined) write('/etc/map', map)
  const authenticator = createAuthenticator({
    listener: 'submission', users: file === undefined ? undefined : '/etc/users', dovecot: undefined, domains: domains('example.org', 'example.com'),
    mechanisms: undefined, withoutTls: false, guard: DEFAULT_GUARD, certificates: undefined, ...settings,
  }, {
    files: disk, log, monotonicMs: () => time.nowMs, now: () => time.nowMs, counters, work: passwords, secret: Buffer.alloc(32, 1), hostname: 'mx.example.org',
    wait: (ms) => {
      waits.push(ms)
      return Promise.resolve()
    },
  })
  await authenticator.reload()
  return {
    disk, log, counters, authenticator, waits, write,
    get nowMs() {
      return time.nowMs
    },
    set nowMs(ms) {
      time.nowMs = ms
    },
    async close() {
      authenticator.close()
      await passwords.close()
    },
  }
}

export function plain(user: string, password: string, authzid = ''): Buffer {
  return Buffer.from(`${authzid}\0${user}\0${password}`)
}

export async function logIn(g: Ground, user: string, { password = 'secret', from = facts() }: { readonly password?: string; readonly from?: SessionFacts } = {}): Promise<string> {
  const exchange = begin(g, 'PLAIN', from)
  return outcome(await exchange.step(plain(user, password)))
}

export function begin(g: Ground, mechanism: string, from: SessionFacts = facts()): SaslExchange {
  const exchange = g.authenticator.begin(mechanism, from)
  if (exchange === undefined) throw new Error(`${mechanism} is not offered`)
  return exchange
}

/** `anna by PLAIN`, `535`, `? challenge` */
export function outcome(step: SaslStep): string {
  switch (step.status) {
    case 'authenticated': return `${step.authentication.login} by ${step.authentication.mechanism}`
    case 'refused': return String(step.reply.status)
    case 'challenge': return `? ${step.data.toString('latin1')}`
  }
}
