/**
 * Submission as its users have it: Postern in a process of its own with the
 * listeners that a test describes, a users file, a key that signs, a DNS server
 * with its record, and a server of ours behind it that keeps what comes.
 *
 *     const stage = await startSubmission({ users: { anna: hash }, listeners: [{ name: 'submissions', tls: 'implicit' }] })
 *     const sent = await stage.submit(msmtp, { mechanism: 'PLAIN', user: 'anna', password: '…' })
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CaptureSink, type CapturedMessage } from './capture-sink.ts'
import { startDnsServer, type DnsServer } from './dns-server.ts'
import { startGateway, type Gateway } from './gateway.ts'
import { makeCertificate, type Certificate } from './peers/certificate.ts'
import { lastReply, type Submission, type Submitter } from './peers/submitters.ts'
import { temporaryDirectory, type Outcome } from './process.ts'
import { SignatureCheck, writeKey } from './signature-check.ts'
import { reload } from './signing-stage.ts'

type Mapping = Readonly<Record<string, unknown>>

export const SELECTOR = 's2026'
export const HOME = 'home.example'

export interface SubmissionListener extends Mapping {
  readonly name: string
  /** 'off' is for a listener on loopback without a certificate */
  readonly mode: 'implicit' | 'required' | 'starttls' | 'off'
}

export interface SubmissionStageOptions {
  /** lines of the users file, by user; without them the listeners say where users come from */
  readonly users?: Readonly<Record<string, string>>
  /** `users` and `next` are filled in, and with `mode` what stands under `tls` */
  readonly listeners: readonly SubmissionListener[]
  readonly root?: Mapping
}

export interface Sent {
  readonly outcome: Outcome
  /** the last refusal that the program told of, otherwise the last reply */
  readonly reply: string
}

export interface SubmissionStage {
  readonly gateway: Gateway
  readonly sink: CaptureSink
  readonly dns: DnsServer
  readonly certificate: Certificate
  readonly signatures: SignatureCheck
  readonly directory: string
  readonly usersFile: string
  port(listener?: string): number
  submit(program: Submitter, how?: Partial<Submission> & { readonly listener?: string }): Promise<Sent>
  /** waits for one message at the sink, and takes it */
  arrived(): Promise<CapturedMessage>
  /** changes the configuration file and sends SIGHUP; waits until all is in place */
  reload(change: (whole: Mapping) => Mapping): Promise<void>
  stop(): Promise<void>
}

export const LETTER = ['From: Anna <anna@home.example>', 'To: alice@hop.example', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', 'Message-ID: <1@laptop.example>', 'Subject: Hello', '', 'One line.', '.', '..two dots', 'blank at the end ', 'caf\xe9', '', ''].join('\r\n')

export function letterFrom(author: string): string {
  return LETTER.replace('Anna <anna@home.example>', author)
}

export async function startSubmission(options: SubmissionStageOptions): Promise<SubmissionStage> {
  const directory = temporaryDirectory('submission')
  const [certificate, sink] = await Promise.all([makeCertificate(), CaptureSink.start()])
  mkdirSync(join(directory, 'keys'))
  const key = writeKey(join(directory, 'keys/home.pem'))
  const name = `${SELECTOR}._domainkey.${HOME}`
  const [dns, signatures] = await Promise.all([startDnsServer({ [name]: { TXT: [key.record] } }), SignatureCheck.start({ [name]: key.record })])
  const usersFile = join(directory, 'users')
  if (options.users !== undefined) writeUsers(usersFile, options.users)
  const tls = { cert: certificate.certFile, key: certificate.keyFile }
  const gateway = await startGateway({
    domains: [HOME],
    dns: { servers: [`127.0.0.1:${dns.port}`], timeout: '2s', tries: 1 },
    signing: { keys: [{ domain: HOME, selector: SELECTOR, key: key.file }] },
    ...options.root,
    listeners: options.listeners.map(({ mode, ...listener }) => ({ role: 'submission', ...(options.users === undefined ? {} : { users: usersFile }), ...(mode === 'off' ? {} : { tls: { ...tls, mode } }), next: 'sink', ...listener })),
    hops: { sink: { smtp: sink.target } },
  })
  const port = (listener?: string): number => {
    const address = gateway.address(listener)
    if (!('port' in address)) throw new Error(`${listener ?? 'the listener'} has no port`)
    return address.port
  }
  return {
    gateway, sink, dns, certificate, signatures, directory, usersFile, port,
    async submit(program, { listener = options.listeners[0]?.name, ...how } = {}) {
      const mode = options.listeners.find((one) => one.name === listener)?.mode
      const usual = mode === 'implicit' ? 'implicit' : mode === 'off' ? 'off' : 'starttls'
      const outcome = await program({ port: port(listener), tls: usual, authority: certificate.certFile, from: 'anna@home.example', to: ['alice@hop.example'], message: LETTER, ...how })
      return { outcome, reply: lastReply(outcome) }
    },
    async arrived() {
      await sink.waitFor(1)
      const [message, ...more] = sink.take()
      if (message === undefined || more.length > 0) throw new Error(`${more.length + 1} messages came`)
      return message
    },
    async reload(change) {
      if ((await reload(gateway, change)) === 'refused') throw new Error(`the new configuration was refused:\n${gateway.output()}`)
    },
    async stop() {
      await gateway.stop()
      await Promise.all([sink.stop(), dns.stop(), signatures.stop()])
    },
  }
}

/** A users file that Dovecot's processes can read too. */
export function writeUsers(file: string, users: Readonly<Record<string, string>>): void {
  writeFileSync(file, Object.entries(users).map(([user, hash]) => `${user}:${hash}\n`).join(''))
  chmodSync(file, 0o644)
}
