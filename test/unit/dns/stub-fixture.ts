/** The stub resolver over real sockets, before DNS servers of the test's own, with a clock that the test moves. */
import type { TestContext } from 'node:test'
import type { Lookup, RecordType } from '../../../src/dns/resolver.ts'
import { createStubResolver, type StubResolver, type StubSettings } from '../../../src/dns/stub.ts'
import { startDnsServer, type DnsServer, type DnsServerOptions } from '../../support/dns-server.ts'
import { until } from '../../support/process.ts'
import type { ZoneData } from '../../support/zone-map.ts'
import { ManualClock } from './manual-clock.ts'

export interface Fixture {
  readonly resolver: StubResolver
  readonly clock: ManualClock
  readonly log: string[]
  /** waits for a line of the log */
  readonly logged: (text: string, count?: number) => Promise<void>
  readonly server: DnsServer
  readonly servers: readonly DnsServer[]
}

export const TIMEOUT_MS = 4000

export async function before(t: TestContext, zones: readonly ZoneData[], options: Partial<StubSettings> & { readonly server?: DnsServerOptions; readonly randomId?: () => number } = {}): Promise<Fixture> {
  const servers: DnsServer[] = []
  for (const zone of zones) {
    const server = await startDnsServer(zone, options.server)
    t.after(() => server.stop())
    servers.push(server)
  }
  const clock = new ManualClock()
  const log: string[] = []
  const note = (facts: Readonly<Record<string, unknown>>, text: string): void => void log.push(`${String(facts['server'])} ${text}`)
  const { randomId } = options
  const resolver = createStubResolver(
    { servers: servers.map(({ host, port }) => ({ host, port })), timeoutMs: TIMEOUT_MS, tries: 2, ...options },
    { log: { debug: note, info: note, warn: note, error: note }, clock, ...(randomId === undefined ? {} : { randomId }) },
  )
  t.after(() => resolver.close())
  return {
    resolver, clock, log, servers, server: servers[0]!,
    logged: (text, count = 1) => until(`${count} × "${text}" in the log`, () => log.filter((line) => line.includes(text)).length >= count, { detail: () => log.join('\n') }),
  }
}

export function recordsOf(lookup: Lookup<RecordType>): unknown {
  return lookup.status === 'records' ? lookup.records : lookup
}

export function causeOf(lookup: Lookup<RecordType>): string {
  return 'cause' in lookup ? lookup.cause : `no failure: ${JSON.stringify(lookup)}`
}
