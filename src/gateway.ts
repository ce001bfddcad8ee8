/**
 * The composition root: settings in, {start, reload, stop} out. Only this file
 * sees the whole configuration; everyone else is handed a slice.
 */
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { networkMatcher } from './config/networks.ts'
import type { HopSettings, ListenerSettings, Settings, SocketAddress } from './config/settings.ts'
import { createMaildirHop, type LocalHop } from './delivery/local.ts'
import type { NextHop } from './delivery/next-hop.ts'
import { createRelayHop } from './delivery/relay.ts'
import { inboundRoutes, outboundRoutes, type Routes } from './delivery/routes.ts'
import { WorkerServices, type ServiceSettings } from './inbound/worker-services.ts'
import type { Inbound } from './inbound/inbound.ts'
import type { OutgoingContext } from './outbound/outgoing-context.ts'
import { OutgoingServices } from './outbound/outgoing-services.ts'
import { createDecisionIds } from './observe/decision-id.ts'
import type { Log } from './observe/log.ts'
import { scoringSettings } from './scoring-settings.ts'
import { PatientRules } from './scoring/patient-rules.ts'
import { RuleReader } from './scoring/rule-reader.ts'
import type { RuleSource } from './scoring/rule-source.ts'
import { ScoringServices } from './scoring/scoring-services.ts'
import { openListening, type Listening, type OpenServer, type Prepared } from './listening.ts'
import { inboundSettings } from './inbound-settings.ts'
import type { FrontDoorContext, FrontDoorSettings } from './front-door.ts'
import { Admission } from './smtp/admission.ts'
import type { Domain } from './smtp/envelope.ts'
import { TlsContexts } from './smtp/tls-contexts.ts'

export interface Gateway {
  /** Opens every listener; rejects, with nothing left open, if one cannot be bound. */
  start(): Promise<void>
  /** New transactions use the new settings. Rejects, and keeps the old, if they cannot be put in place. */
  reload(settings: Settings): Promise<void>
  /** Stops accepting, lets sessions finish up to `timeouts.stopMs`, closes the rest. */
  stop(): Promise<void>
  /** listener name → bound addresses (ports resolved where the configuration says 0) */
  addresses(): ReadonlyMap<string, readonly SocketAddress[]>
}

export interface GatewayContext {
  readonly log: Log
  /** where another process reads the rules */
  readonly rules?: RuleSource
}

export function createGateway(settings: Settings, context: GatewayContext): Gateway {
  return new PosternGateway(settings, context)
}

const TICK_MS = 1000
const CERTIFICATE_TICKS = 10
/** A message up to this size is held in memory while it passes; larger ones go through a temporary file. */
const SPOOL_MEMORY_BYTES = 256 * 1024

interface Hop {
  readonly hop: NextHop | LocalHop
  /** all that it was made from */
  readonly made: unknown
}

class PosternGateway implements Gateway {
  private settings: Settings
  private readonly log: Log
  private readonly rules: RuleSource | undefined
  private readonly admission: Admission
  private readonly doorContext: FrontDoorContext
  /** from the start on */
  private opened: WorkerServices | undefined
  private leaving: OutgoingServices | undefined
  /** where somebody is judged, or logs in and so makes correspondents */
  private content: ScoringServices | undefined
  private hops = new Map<string, Hop>()
  private listening = new Map<string, Listening>()
  /** listeners that a reload took away, until their last session has ended */
  private readonly retiring = new Set<OpenServer>()
  /** hops that a reload took away, until their last transaction has ended */
  private readonly closing = new Set<Promise<void>>()
  /** start, reload and stop take turns */
  private turn: Promise<unknown> = Promise.resolve()
  private stopped = false
  private tls: readonly TlsContexts[] = []
  private ticker: NodeJS.Timeout | undefined
  private ticks = 0

  constructor(settings: Settings, { log, rules }: GatewayContext) {
    this.settings = settings
    this.log = log
    this.rules = rules
    this.admission = new Admission(settings.limits)
    this.doorContext = {
      log, newId: createDecisionIds(), now: () => performance.now(), date: () => new Date(),
      // A session that outlives the stop keeps its message with the client.
      quarantine: (facts, message) => this.opened?.quarantine(facts, message) ?? Promise.resolve('failed'), remember: (decision) => this.opened?.remember(decision),
      corresponded: (message) => void this.content?.correspondents.record(message),
    }
  }

  async start(): Promise<void> {
    await this.inTurn(async () => {
      this.opened = new WorkerServices(serviceSettings(this.settings), this.log)
      try {
        await this.openScoring(this.settings)
        this.leaving = await OutgoingServices.open(this.settings, this.outgoingContext())
        await this.place(this.settings)
      } catch (error) {
        await this.closeServices()
        throw error
      }
    })
    this.judging.tick()
    this.outgoing.tick()
    this.ticker = setInterval(() => this.tick(), TICK_MS)
    this.ticker.unref()
  }

  private get judging(): WorkerServices {
    if (this.opened === undefined) throw new Error('the gateway was not started')
    return this.opened
  }

  private get outgoing(): OutgoingServices {
    if (this.leaving === undefined) throw new Error('the gateway was not started')
    return this.leaving
  }

  private outgoingContext(): OutgoingContext {
    return {
      // A reload may replace the resolver.
      resolver: { lookup: (name, type) => this.judging.services.resolver.lookup(name, type) },
      counters: this.judging.counters, log: this.log, now: this.doorContext.now,
    }
  }

  private async closeServices(): Promise<void> {
    const { leaving, content, opened } = this
    this.leaving = undefined
    this.content = undefined
    this.opened = undefined
    // Whatever one makes of its end, the others come to theirs.
    for (const services of [leaving, content, opened]) {
      try {
        await services?.close()
      } catch (error) {
        this.log.error({ err: error }, 'a part of the gateway did not close as it should')
      }
    }
  }

  /** Rules that cannot be used are in the log; the others are used. What is already open changes when the result is called. */
  private async openScoring(settings: Settings): Promise<() => void> {
    if (this.content !== undefined) return this.content.prepare(scoringSettings(settings))
    const { judges, serves } = serviceSettings(settings)
    if (judges || serves) this.content = new ScoringServices(scoringSettings(settings), { ...this.outgoingContext(), rules: this.rules ?? new PatientRules({ log: this.log, reader: new RuleReader({ log: this.log }) }) })
    return () => undefined
  }

  reload(settings: Settings): Promise<void> {
    return this.inTurn(async () => {
      const before = new Set([...this.hops.values()].map(({ hop }) => hop))
      await this.place(settings)
      // What is wrong with users and aliases is in the log, and the last good ones stay.
      for (const { hop } of this.hops.values()) if (before.has(hop) && 'reload' in hop) await hop.reload()
    })
  }

  stop(): Promise<void> {
    return this.inTurn(() => this.end())
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.turn.then(work)
    // Whoever asked hears of a failure; the next in turn need not.
    this.turn = mine.catch(() => undefined)
    return mine
  }

  private async end(): Promise<void> {
    this.stopped = true
    const servers = this.servers()
    const ended = Promise.all(servers.map((server) => server.stop()))
    const closed = ended.then(() => Promise.all([...[...this.hops.values()].map(({ hop }) => hop.close()), ...this.closing]))
    if (!(await settledWithin(closed, this.settings.timeouts.stopMs))) {
      const sessions = servers.reduce((sum, server) => sum + server.sessions, 0)
      this.log.warn({ sessions, waitedMs: this.settings.timeouts.stopMs }, 'sessions still run, closing them')
      for (const server of servers) server.abort()
      await settledWithin(closed, TICK_MS)
    }
    clearInterval(this.ticker)
    await this.closeServices()
    this.listening.clear()
    this.hops.clear()
  }

  private servers(): OpenServer[] {
    return [...[...this.listening.values()].map((l) => l.server), ...this.retiring]
  }

  addresses(): ReadonlyMap<string, readonly SocketAddress[]> {
    const found = new Map<string, SocketAddress[]>()
    for (const { listener, address } of this.listening.values()) found.set(listener, [...(found.get(listener) ?? []), address])
    return found
  }

  private tick(): void {
    this.opened?.tick()
    this.leaving?.tick()
    this.content?.tick()
    for (const server of this.servers()) server.tick()
    if (++this.ticks % CERTIFICATE_TICKS === 0) for (const contexts of this.tls) void contexts.refresh()
  }

  /* --- putting settings in place --- */

  /** Everything that can fail comes first; then the switch is made at once. */
  private async place(settings: Settings): Promise<void> {
    if (this.stopped) throw new Error('the gateway has stopped')
    const hops = this.makeHops(settings)
    const opened: Listening[] = []
    let prepared: Prepared[]
    let adoptScoring = (): void => undefined
    const listening = new Map<string, Listening>()
    try {
      prepared = (await Promise.all(settings.listeners.map((l) => this.prepare(l, settings, hops)))).flat()
      for (const one of prepared) {
        const key = keyOf(one.listener.name, one.address)
        const old = this.listening.get(key)
        if (old?.fits(one) === false) throw new Error(`listener ${one.listener.name}: transparent cannot change while it is open; restart`)
        const now = old ?? (await openListening(one, settings, { admission: this.admission, log: this.log, door: this.doorContext }))
        if (old === undefined) opened.push(now)
        listening.set(key, now)
      }
      // Last of what can fail: what it reads holds from here on.
      if (settings !== this.settings) [adoptScoring] = await Promise.all([this.openScoring(settings), this.outgoing.reload(settings)])
    } catch (error) {
      this.content?.refuse()
      for (const { server } of opened) void server.stop()
      for (const [name, { hop }] of hops) if (this.hops.get(name)?.hop !== hop) void hop.close()
      throw error
    }
    this.switch(settings, { hops, listening, prepared, adoptScoring })
  }

  private switch(settings: Settings, next: { hops: Map<string, Hop>; listening: Map<string, Listening>; prepared: readonly Prepared[]; adoptScoring: () => void }): void {
    for (const one of next.prepared) {
      const place = next.listening.get(keyOf(one.listener.name, one.address))
      if (place === undefined) throw new Error('a prepared listener is open')
      place.adopt(one, settings)
    }
    const gone = [...this.listening].filter(([key]) => !next.listening.has(key))
    const oldHops = [...this.hops].filter(([name, { hop }]) => next.hops.get(name)?.hop !== hop)
    if (settings !== this.settings) this.judging.reload(serviceSettings(settings))
    // After the resolver, by which its lists are proved.
    next.adoptScoring()
    this.settings = settings
    this.admission.limits = settings.limits
    this.hops = next.hops
    this.listening = next.listening
    this.tls = next.prepared.flatMap((one) => one.tls ?? [])
    for (const [, { server }] of gone) this.retire(server)
    for (const [, { hop }] of oldHops) {
      const closed: Promise<void> = hop.close().finally(() => this.closing.delete(closed))
      this.closing.add(closed)
    }
  }

  private retire(server: OpenServer): void {
    this.retiring.add(server)
    void server.stop().then(() => this.retiring.delete(server))
  }

  /** Hops whose settings did not change are kept, with their connections. */
  private makeHops(settings: Settings): Map<string, Hop> {
    const hops = new Map<string, Hop>()
    for (const [name, hop] of settings.hops) {
      const made = { hop, hostname: settings.hostname, local: hop.kind === 'maildir' ? localContext(hop, settings) : undefined }
      const old = this.hops.get(name)
      hops.set(name, old !== undefined && isDeepStrictEqual(old.made, made) ? old : { hop: this.makeHop(hop, settings), made })
    }
    return hops
  }

  private makeHop(hop: HopSettings, settings: Settings): Hop['hop'] {
    const context = { hostname: settings.hostname, log: this.log }
    if (hop.kind === 'maildir') return createMaildirHop(hop, { ...context, ...localContext(hop, settings) })
    return createRelayHop(hop, context)
  }

  private async prepare(listener: ListenerSettings, settings: Settings, hops: ReadonlyMap<string, Hop>): Promise<Prepared[]> {
    const tls = listener.tls === undefined ? undefined : await TlsContexts.load(listener.tls.certificates, this.log, listener.submission?.clientCertificates)
    const door: FrontDoorSettings = {
      listener: listener.name,
      hostname: settings.hostname,
      protocol: listener.protocol,
      mayUse: listener.role === 'outbound' ? networkMatcher(listener.clients) : () => true,
      routes: routesOf(listener, settings, hops),
      addReceived: listener.received,
      maxReceived: settings.limits.received,
      inbound: listener.role === 'inbound' ? this.inbound(settings) : undefined,
      outbound: listener.role === 'inbound' ? undefined : this.outgoing.outbound(listener, settings),
      authenticator: listener.role === 'submission' ? this.outgoing.authenticator(listener.name) : undefined,
      hideClient: listener.hideClient,
      spool: { directory: join(settings.state, 'tmp'), memoryBytes: SPOOL_MEMORY_BYTES },
    }
    const transparent = listener.transparent ? this.outgoing.passing(settings) : undefined
    return listener.listen.map((address) => ({ listener, address, door, tls, transparent }))
  }

  /** The services are read at each use: a reload may have replaced them. */
  private inbound(settings: Settings): Inbound {
    const judging = (): WorkerServices => this.judging
    const content = (): ScoringServices | undefined => this.content
    return {
      settings: inboundSettings(settings),
      get services() {
        return judging().services
      },
      get scoring() {
        return content()?.scoring
      },
    }
  }
}

/** An outbound listener's clients may write to any domain; where that leads to Maildirs, they take it. */
function localContext(hop: HopSettings, { domains, listeners }: Settings): { readonly domains: ReadonlySet<Domain>; readonly anyDomain: boolean } {
  return { domains: new Set(domains.keys()), anyDomain: listeners.some(({ role, next }) => role !== 'inbound' && next === hop.name) }
}

function serviceSettings({ state, dns, policy, decisions, quarantine, listeners }: Settings): ServiceSettings {
  const { dnsLists, rates, greylist, allow } = policy
  return { state, dns, dnsLists, rates, greylist, allow, decisions, quarantine, judges: listeners.some(({ role }) => role === 'inbound'), serves: listeners.some(({ role }) => role === 'submission') }
}

function routesOf(listener: ListenerSettings, settings: Settings, hops: ReadonlyMap<string, Hop>): Routes {
  const hopNamed = (name: string): NextHop => {
    const found = hops.get(name)
    if (found === undefined) throw new Error(`listener ${listener.name}: there is no hop named ${name}`)
    return found.hop
  }
  const fallback = hopNamed(listener.next)
  if (listener.role !== 'inbound') return outboundRoutes(fallback)
  return inboundRoutes(new Map([...settings.domains].map(([domain, { next }]) => [domain, next === undefined ? fallback : hopNamed(next)])), fallback)
}

/** A listening socket stays open over a reload, even under a new listener name. */
function keyOf(listener: string, address: SocketAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.port === 0 ? `${listener} ${address.host}:0` : `${address.host}:${address.port}`
}

/** False where `work` did not end in time. */
async function settledWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs)
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
