/** The listening sockets of one daemon and their clock. */
import { Admission } from '../smtp/admission.ts'
import type { ListenAddress } from '../smtp/listen.ts'
import { TransparentServer } from '../transparent/server.ts'
import type { TransparentProfile } from '../transparent/connection.ts'
import type { ProxyLog } from './proxy-log.ts'
import type { ProxyService } from './service.ts'
import type { CommonSettings } from './settings.ts'

export interface ListenerParts {
  readonly service: ProxyService
  readonly log: ProxyLog
  readonly maxMessageBytes: number
}

const TICK_MS = 1000
const MAX_LINE_BYTES = 16 * 1024
/** DKIMproxy's for the connect; those of a session are longer than any relay's own (RFC 5321 §4.5.3.2). */
const TIMEOUTS = { connectMs: 300_000, clientMs: 20 * 60_000, relayMs: 20 * 60_000 }
/** Clients above `max_servers`, which wait as they do in DKIMproxy's backlog. */
const MAX_WAITING = 500
/** An address that this machine has not, or IPv6 where there is none. */
const NO_SUCH_FAMILY = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])

export class ProxyListener {
  private readonly settings: CommonSettings
  private readonly servers: TransparentServer[] = []
  private readonly makeServer: () => TransparentServer
  private ticker: NodeJS.Timeout | undefined

  constructor(settings: CommonSettings, { service, log, maxMessageBytes }: ListenerParts) {
    this.settings = settings
    const { relay, maxSessions, access, program, trace } = settings
    const profile: TransparentProfile = {
      listener: program,
      relay: { kind: 'tcp', host: relay.host, port: relay.port },
      newlines: 'pass', maxMessageBytes, maxLineBytes: MAX_LINE_BYTES, timeouts: TIMEOUTS,
      mayUse: access,
      makeMessage: () => service.message(),
      onMessage: ({ sender, recipients, size, reply }, { address }) => log.log.info({ client: address, from: sender ?? '', rcpts: recipients.length, size, reply }, 'message'),
      ...(trace ? { trace: (side, text) => log.line(0, `${side === 'client' ? '<' : '>'} ${text}`) } : {}),
    }
    const admission = new Admission({ sessions: maxSessions, sessionsPerNetwork: maxSessions })
    this.makeServer = () => new TransparentServer(profile, { admission, waiting: MAX_WAITING, now: () => performance.now(), log: log.log })
  }

  /** Rejects where it cannot listen. */
  async open(): Promise<readonly ListenAddress[]> {
    const { host, port } = this.settings.listen
    const addresses = [await this.listen(host === '*' ? '0.0.0.0' : host, port)]
    if (host === '*') {
      try {
        addresses.push(await this.listen('::', port))
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && NO_SUCH_FAMILY.has(String(error.code)))) throw error
      }
    }
    this.ticker = setInterval(() => {
      for (const server of this.servers) server.tick()
    }, TICK_MS)
    return addresses
  }

  private async listen(host: string, port: number): Promise<ListenAddress> {
    const server = this.makeServer()
    const address = await server.listen({ kind: 'tcp', host, port })
    this.servers.push(server)
    return address
  }

  /** Sessions finish, or are ended after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    const ended = Promise.all(this.servers.map((server) => server.stop()))
    const timer = setTimeout(() => {
      for (const server of this.servers) server.abort()
    }, timeoutMs)
    await ended
    clearTimeout(timer)
    clearInterval(this.ticker)
  }
}
