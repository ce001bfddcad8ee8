/**
 * A session in which clients are judged, without sockets: settings out of YAML
 * as a user's are, a DNS zone as a map, a hop that remembers what it got.
 *
 *     const stage = await judged({ policy: 'preset: standard', zone: { … } })
 *     assert.match(await stage.greeting(), /^220/)
 *     assert.match(await stage.say('EHLO client.example'), /^250/)
 */
import { tmpdir } from 'node:os'
import { inboundRoutes } from '../../src/delivery/routes.ts'
import { cachingResolver } from '../../src/dns/cache.ts'
import { ALONE, type Company } from '../../src/inbound/company.ts'
import { Crowd } from '../../src/inbound/crowd.ts'
import type { Inbound } from '../../src/inbound/inbound.ts'
import { inboundSettings } from '../../src/inbound-settings.ts'
import type { FrontDoorContext, FrontDoorSettings } from '../../src/front-door.ts'
import { FrontDoor } from '../../src/pipeline.ts'
import { createAllowList, MemoryAllowHits, type AllowEntry } from '../../src/reputation/allow-list.ts'
import { createDnsLists } from '../../src/reputation/dnsbl.ts'
import { createGreylist, MemoryGreylist } from '../../src/reputation/greylist.ts'
import { organizationalDomain } from '../../src/reputation/organizational-domain.ts'
import { MemoryCounters } from '../../src/reputation/rates-counters.ts'
import { createRates } from '../../src/reputation/rates.ts'
import type { Log } from '../../src/observe/log.ts'
import type { Domain } from '../../src/smtp/envelope.ts'
import type { SessionOptions } from '../../src/smtp/conversation.ts'
import { Session } from '../../src/smtp/session.ts'
import type { StoredDecision } from '../../src/state/decisions.ts'
import type { Scoring } from '../../src/inbound/scoring.ts'
import type { QuarantineFacts } from '../../src/state/quarantine-entry.ts'
import { NOTHING_SIGNED } from './door-context.ts'
import { FakeHop } from './fake-hop.ts'
import { FakeTransport } from './fake-transport.ts'
import { settingsFrom } from './settings.ts'
import { zoneMap, type ZoneData, type ZoneMap } from './zone-map.ts'

export interface JudgedOptions {
  /** the mapping under `policy`, in YAML's flow style without its braces */
  readonly policy?: string
  /** in YAML's flow style */
  readonly domains?: string
  readonly zone: ZoneData
  /** the client's address; 192.0.2.7 */
  readonly client?: string | undefined
  readonly protocol?: 'smtp' | 'lmtp'
  readonly allow?: readonly AllowEntry[]
  /** what the quarantine answers */
  readonly quarantine?: 'kept' | 'no-room' | 'failed'
  /** makes what is counted, remembered and known common to several sessions */
  readonly before?: Common
  /** what has a say in the score of content; nobody */
  readonly scoring?: Scoring
  /** whom messages wait for; nobody */
  readonly company?: Company
  /** look-ups at once of one network */
  readonly crowd?: number
}

export interface Common {
  readonly clock: { nowMs: number }
  readonly zone: ZoneMap
  readonly shared: { readonly counters: MemoryCounters; readonly greylist: MemoryGreylist; readonly hits: MemoryAllowHits; readonly crowd: Crowd }
}

export type Judged = Awaited<ReturnType<typeof judged>>

const PATIENCE = 2000

export async function judged(options: JudgedOptions) {
  const settings = settingsFrom(`hostname: mx.example
domains: ${options.domains ?? '[hop.example]'}
policy: { exempt: [unix], ${options.policy ?? 'preset: standard'} }
listeners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }]
hops: { backend: { smtp: "192.0.2.1:25" } }
`, { cwd: '/' })
  const logged: { readonly facts: Readonly<Record<string, unknown>>; readonly text: string }[] = []
  const keepLog = (facts: Readonly<Record<string, unknown>>, text: string) => void logged.push({ facts, text })
  const log: Log = { debug: keepLog, info: keepLog, warn: keepLog, error: keepLog }
  const clock: Common['clock'] = options.before?.clock ?? { nowMs: Date.UTC(2026, 10, 21) }
  const now = () => clock.nowMs
  const zone = options.before?.zone ?? zoneMap(options.zone)
  const resolver = cachingResolver(zone, { maxEntries: 1000, now })
  const lists = createDnsLists({ zones: settings.policy.dnsLists }, { resolver, now, log })
  await lists.tick()
  const shared: Common['shared'] = options.before?.shared ?? { counters: new MemoryCounters({ now }), greylist: new MemoryGreylist(now), hits: new MemoryAllowHits(), crowd: new Crowd(options.crowd) }
  const waits: { readonly ms: number; readonly end: () => void }[] = []
  const { policy } = settings
  const inbound: Inbound = {
    settings: inboundSettings(settings),
    scoring: options.scoring,
    services: {
      resolver, lists, now,
      crowd: shared.crowd,
      company: options.company ?? ALONE,
      rates: createRates(policy.rates, shared.counters),
      greylist: policy.greylist === undefined ? undefined : createGreylist(policy.greylist, { store: shared.greylist, now, organizationalDomain }),
      allowList: () => createAllowList(options.allow ?? [], now),
      allowHits: shared.hits,
      wait: (ms) => new Promise((end) => void waits.push({ ms, end })),
      date: () => new Date(clock.nowMs),
    },
  }
  const hop = new FakeHop('backend', 'smtp', { offers: new Map() })
  const protocol = options.protocol ?? 'smtp'
  const door: FrontDoorSettings = {
    listener: 'in', hostname: settings.hostname, protocol, mayUse: () => true, routes: inboundRoutes(new Map([...settings.domains.keys()].map((domain: Domain) => [domain, hop])), hop),
    addReceived: false, maxReceived: 50, spool: { directory: tmpdir(), memoryBytes: 1024 * 1024 }, inbound, ...NOTHING_SIGNED,
  }
  const remembered: StoredDecision[] = []
  const kept: { readonly facts: QuarantineFacts; readonly text: string }[] = []
  let ids = 0
  const context: FrontDoorContext = {
    log, now, newId: () => `ID${++ids}`, date: () => new Date(clock.nowMs),
    remember: (decision) => void remembered.push(decision),
    corresponded: () => undefined,
    async quarantine(facts, { prefix, body }) {
      const pieces = [prefix]
      for await (const piece of body.chunks()) pieces.push(piece)
      kept.push({ facts, text: Buffer.concat(pieces).toString('latin1') })
      return options.quarantine ?? 'kept'
    },
  }
  const transport = new FakeTransport()
  const errors: unknown[] = []
  const client = 'client' in options ? options.client : '192.0.2.7'
  const sessionOptions: SessionOptions = {
    hostname: settings.hostname, protocol, tls: 'none', newlines: 'normalise', peer: { address: client, port: client === undefined ? undefined : 4321 }, trust: { xclient: true, xforward: false },
    limits: settings.limits, timeouts: settings.timeouts,
  }
  const session = new Session({ transport, options: sessionOptions, now, onError: (error) => errors.push(error) }, (facts) => new FrontDoor(() => door, context, facts))
  /** What is said next; fails where nothing comes though everything has gone on. */
  const heard = async (): Promise<string> => {
    for (let turn = 0; turn < PATIENCE; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      const text = transport.take()
      if (text !== '') return text
    }
    throw new Error(`nothing was said; errors: ${errors.map(String).join('; ')}`)
  }
  const say = (text: string): Promise<string> => {
    session.receive(Buffer.from(`${text}\r\n`, 'latin1'))
    return heard()
  }
  return {
    settings, inbound, session, transport, hop, zone, clock, shared, logged, remembered, kept, waits, errors, say, heard,
    greeting(): Promise<string> {
      session.start()
      return heard()
    },
    /** EHLO, MAIL and one RCPT; the reply to RCPT */
    async envelope(from = 'anna@sender.example', { to = 'b@hop.example', helo = 'mail.sender.example' } = {}): Promise<string> {
      await say(`${protocol === 'lmtp' ? 'LHLO' : 'EHLO'} ${helo}`)
      await say(`MAIL FROM:<${from}>`)
      return say(`RCPT TO:<${to}>`)
    },
    /** the message after an envelope; the final reply */
    async message(lines: readonly string[]): Promise<string> {
      await say('DATA')
      return say([...lines, '.'].join('\r\n'))
    },
    /** as the hop got it */
    delivered: () => hop.messages.map((bytes) => bytes.toString('latin1')),
  }
}
