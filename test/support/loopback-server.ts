/**
 * Our SMTP server on a free loopback port or a unix socket, with a fake hop
 * behind it and an injected clock: for tests of the socket driver. What a test
 * leaves open is closed when its file ends.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { outboundRoutes } from '../../src/delivery/routes.ts'
import type { Log } from '../../src/observe/log.ts'
import type { FrontDoorSettings } from '../../src/front-door.ts'
import { FrontDoor } from '../../src/pipeline.ts'
import { Admission } from '../../src/smtp/admission.ts'
import type { ConnectionProfile } from '../../src/smtp/connection.ts'
import { SmtpServer } from '../../src/smtp/server.ts'
import { TlsContexts, type CertificatePair } from '../../src/smtp/tls-contexts.ts'
import { CERTIFICATE, PRIVATE_KEY } from './certificate.ts'
import { FakeHop } from './fake-hop.ts'
import { Dialog } from './smtp-dialog.ts'
import { NOTHING_KEPT, NOTHING_SIGNED } from './door-context.ts'

export const directory = mkdtempSync(join(tmpdir(), 'postern-server-'))
const pair = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
writeFileSync(pair.cert, CERTIFICATE)
writeFileSync(pair.key, PRIVATE_KEY)

export interface StageOptions {
  readonly tls?: 'starttls' | 'implicit' | 'required'
  /** beside the one of certificate.ts, which is the default */
  readonly certificates?: readonly CertificatePair[]
  readonly proxy?: boolean
  readonly xclient?: (address: string | undefined) => boolean
  readonly limits?: { readonly sessions?: number; readonly sessionsPerNetwork?: number; readonly messageBytes?: number }
  readonly door?: Partial<FrontDoorSettings>
  readonly path?: string
}

const servers: SmtpServer[] = []
after(async () => {
  for (const server of servers) {
    const stopped = server.stop()
    server.abort()
    await stopped
  }
  rmSync(directory, { recursive: true })
})

export async function stage(options: StageOptions = {}) {
  let nowMs = 0
  const logged: (readonly [Record<string, unknown>, string])[] = []
  const keep = (facts: Readonly<Record<string, unknown>>, text: string) => void logged.push([facts, text])
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep }
  const hop = new FakeHop('backend', 'smtp', { offers: new Map() })
  const door: FrontDoorSettings = {
    listener: 'test', hostname: 'mx.example', protocol: 'smtp', mayUse: () => true, routes: outboundRoutes(hop), addReceived: false, maxReceived: 50, inbound: undefined, ...NOTHING_SIGNED,
    spool: { directory: join(directory, 'spool'), memoryBytes: 64 * 1024 }, ...options.door,
  }
  const limits = { messageBytes: 50_000_000, commandLineBytes: 4096, recipients: 100, errors: 20, unknownCommands: 10, junkCommands: 100_000, ...options.limits }
  let ids = 0
  const context = { ...NOTHING_KEPT, log, newId: () => `ID${++ids}`, now: () => nowMs, date: () => new Date(0) }
  const trusted = options.proxy === true
  const profile: ConnectionProfile = {
    listener: 'test',
    options: { hostname: 'mx.example', protocol: 'smtp', newlines: 'normalise', limits, timeouts: { commandMs: 300_000, dataMs: 180_000, handshakeMs: 30_000, sessionMs: 3_600_000 } },
    tls: options.tls === undefined ? undefined : { mode: options.tls, contexts: await TlsContexts.load([pair, ...(options.certificates ?? [])], log) },
    trust: { proxy: () => trusted, xclient: options.xclient ?? (() => false), xforward: () => false },
    makeHandler: (facts) => new FrontDoor(() => door, context, facts),
  }
  const admission = new Admission({ sessions: 100, sessionsPerNetwork: 100, ...options.limits })
  const server = new SmtpServer(profile, { admission, now: () => nowMs, log })
  servers.push(server)
  const bound = await server.listen(options.path === undefined ? { kind: 'tcp', host: '127.0.0.1', port: 0 } : { kind: 'unix', path: options.path })
  const address = bound.kind === 'tcp' ? { port: bound.port } : { path: bound.path }
  return {
    server, hop, logged, address,
    wait: (ms: number) => {
      nowMs += ms
      server.tick()
    },
    messages: () => logged.filter(([, text]) => text === 'message').map(([facts]) => facts),
    open: () => Dialog.open(address),
    raw: () => rawClient(address),
  }
}

/** A bare socket: what it got, and when it is closed. */
export async function rawClient(address: { port: number } | { path: string }) {
  const socket = 'port' in address ? connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true }) : connect({ path: address.path, allowHalfOpen: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  let text = ''
  socket.on('data', (piece: Buffer) => (text += piece.toString('latin1')))
  // A reset is an end like any other here.
  socket.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => {
    socket.once('end', resolve)
    socket.once('close', () => resolve())
  })
  return { socket, ended, text: () => text }
}

/** Polls a condition that comes true by itself, with a bound that only a failure meets. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
