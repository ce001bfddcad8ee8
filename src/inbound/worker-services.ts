/**
 * What the judgement stands on in one worker: resolver, lists, rates, allow
 * list, and what is kept in the state directory (decisions, quarantine,
 * greylist, hits). Opened at the start, ticked every second, changed by a
 * reload, closed at the end.
 *
 * `open` throws where the state directory cannot be used: without it a message
 * could not be kept that a policy wants kept.
 */
import type { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { mailauth } from '../auth/mailauth-library.ts'
import { nodeFileSystem } from '../delivery/file-system.ts'
import { cachingResolver, type CachingResolver } from '../dns/cache.ts'
import { openResolver, type ResolverSettings } from '../dns/configured.ts'
import type { StubResolver } from '../dns/stub.ts'
import type { OutgoingMessage } from '../message/message.ts'
import type { Log } from '../observe/log.ts'
import { createDnsLists, type DnsLists, type DnsListZone } from '../reputation/dnsbl.ts'
import { createGreylist, type Greylist, type GreylistSettings } from '../reputation/greylist.ts'
import { organizationalDomain } from '../reputation/organizational-domain.ts'
import { createRates, type Rates, type RateSettings } from '../reputation/rates.ts'
import { DatabaseAllowHits } from '../state/allow-hits.ts'
import { openDatabase } from '../state/database.ts'
import { DecisionStore, PRUNE_ROWS, type DecisionBounds, type StoredDecision } from '../state/decisions.ts'
import { DatabaseGreylist, GREYLIST_PRUNE_ROWS } from '../state/greylist-store.ts'
import type { QuarantineFacts } from '../state/quarantine-entry.ts'
import { QuarantineError } from '../state/quarantine-files.ts'
import { Quarantine, type QuarantineBounds } from '../state/quarantine.ts'
import { DatabaseCounters } from '../state/shared-counters.ts'
import { AllowListFile } from './allow-list-file.ts'
import { BusyCompany, COMPANY_BOUNDS, eventLoop } from './company.ts'
import { Crowd } from './crowd.ts'
import type { InboundServices } from './inbound.ts'

export interface ServiceSettings {
  /** directory */
  readonly state: string
  readonly dns: ResolverSettings & {
    /** answers */
    readonly cacheEntries: number
  }
  readonly dnsLists: readonly DnsListZone[]
  readonly rates: RateSettings
  readonly greylist: GreylistSettings | undefined
  /** file */
  readonly allow: string | undefined
  readonly decisions: DecisionBounds
  readonly quarantine: QuarantineBounds
  /** somebody is judged here at all */
  readonly judges: boolean
  /** users log in here, whose mail is counted */
  readonly serves: boolean
}

/** A writer that holds the database for longer costs the decisions of one second more memory, and no session its time. */
const FLUSH_BUSY_MS = 50
const LISTS_TICKS = 60
/** Decisions can come by the hundred a second, and go some thousand at a time. */
const ROW_TICKS = 60
const PRUNE_TICKS = 600
const TIDY_TICKS = 3600

export class WorkerServices {
  services: InboundServices
  private settings: ServiceSettings
  private readonly log: Log
  private readonly database: DatabaseSync
  private readonly unhurried: DatabaseSync
  private readonly decisions: DecisionStore
  private readonly kept: Quarantine
  private readonly greylistStore: DatabaseGreylist
  private readonly hits: DatabaseAllowHits
  /** shared by all workers */
  readonly counters: DatabaseCounters
  private readonly allowList: AllowListFile
  private readonly crowd = new Crowd()
  private readonly company = new BusyCompany(COMPANY_BOUNDS, eventLoop)
  private stub: StubResolver
  private lists: DnsLists
  private ticks = 0
  private moreGreylist = false
  private moreDecisions = false
  private tidying: Promise<unknown> = Promise.resolve()

  constructor(settings: ServiceSettings, log: Log) {
    const nowMs = (): number => Date.now()
    this.settings = settings
    this.log = log
    this.database = openDatabase(settings.state)
    // What waits in memory may wait for another second: no session is held up for it.
    this.unhurried = openDatabase(settings.state, { busyMs: FLUSH_BUSY_MS })
    this.decisions = new DecisionStore(this.unhurried, log)
    this.kept = new Quarantine(settings.state, settings.quarantine, { database: this.database, files: nodeFileSystem, log, now: nowMs })
    this.greylistStore = new DatabaseGreylist({}, { database: this.unhurried, log, now: nowMs })
    this.hits = new DatabaseAllowHits(this.unhurried, log)
    this.counters = new DatabaseCounters(settings.state, { log, now: nowMs })
    this.allowList = new AllowListFile(settings.allow, { log, now: nowMs })
    this.stub = this.openStub()
    const resolver = this.cached()
    this.lists = this.makeLists(resolver)
    this.services = this.make(resolver)
  }

  /** Never rejects: `failed` has its cause in the log. */
  readonly quarantine = async (facts: QuarantineFacts, message: OutgoingMessage): Promise<'kept' | 'no-room' | 'failed'> => {
    try {
      const outcome = await this.kept.keep(facts, message)
      if (outcome.status === 'kept') return 'kept'
      this.log.error({ id: facts.id, bytes: outcome.bytes, maxBytes: outcome.maxBytes }, 'the quarantine is full: release or delete messages, or raise quarantine.max_size')
      return 'no-room'
    } catch (error) {
      const code = error instanceof QuarantineError ? error.code : undefined
      this.log.error({ id: facts.id, code, cause: error instanceof Error ? error.message : String(error) }, 'a message could not be kept in the quarantine')
      return code === 'ENOSPC' || code === 'EDQUOT' ? 'no-room' : 'failed'
    }
  }

  readonly remember = (decision: StoredDecision): void => this.decisions.add(decision)

  /** To be called once a second. */
  tick(): void {
    const tick = this.ticks++
    this.decisions.flush()
    this.greylistStore.flush()
    this.hits.flush()
    if (this.moreDecisions || tick % ROW_TICKS === ROW_TICKS - 1) this.pruneDecisions()
    const { judges, serves } = this.settings
    if (judges || serves) this.counters.exchange()
    if (!judges) return
    // It reads some hundred files: never in the middle of the first session, if it can be helped.
    if (tick === 0) mailauth()
    this.allowList.refresh()
    if (tick % LISTS_TICKS === 0) void this.lists.tick()
    if (this.moreGreylist || tick % ROW_TICKS === ROW_TICKS - 1) this.pruneGreylist()
    if (tick % PRUNE_TICKS === PRUNE_TICKS - 1) this.tidying = this.kept.expire(Date.now())
    if (tick % TIDY_TICKS === 0) this.tidying = this.kept.tidy(Date.now())
  }

  reload(settings: ServiceSettings): void {
    const old = this.settings
    this.settings = settings
    this.kept.bounds = settings.quarantine
    this.allowList.file = settings.allow
    this.allowList.refresh()
    const sameDns = isDeepStrictEqual(old.dns, settings.dns)
    const resolver = sameDns ? this.services.resolver : this.reopened()
    // Lists that were proved stay proved.
    if (!sameDns || !isDeepStrictEqual(old.dnsLists, settings.dnsLists)) {
      this.lists = this.makeLists(resolver)
      void this.lists.tick()
    }
    this.services = this.make(resolver)
  }

  async close(): Promise<void> {
    await this.tidying
    this.stub.close()
    this.counters.close()
    this.decisions.flush()
    this.greylistStore.flush()
    this.hits.flush()
    this.unhurried.close()
    this.database.close()
  }

  private make(resolver: CachingResolver): InboundServices {
    const { settings } = this
    const rates: Rates = createRates(settings.rates, this.counters)
    const greylist: Greylist | undefined = settings.greylist === undefined ? undefined : createGreylist(settings.greylist, { store: this.greylistStore, now: () => Date.now(), organizationalDomain })
    return {
      resolver, rates, greylist,
      crowd: this.crowd,
      company: this.company,
      lists: this.lists,
      allowList: () => this.allowList.current,
      allowHits: this.hits,
      wait: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
      now: () => performance.now(),
      date: () => new Date(),
    }
  }

  private makeLists(resolver: CachingResolver): DnsLists {
    return createDnsLists({ zones: this.settings.dnsLists }, { resolver, now: () => Date.now(), log: this.log })
  }

  private reopened(): CachingResolver {
    this.stub.close()
    this.stub = this.openStub()
    return this.cached()
  }

  private cached(): CachingResolver {
    return cachingResolver(this.stub, { maxEntries: this.settings.dns.cacheEntries, now: () => performance.now() })
  }

  private openStub(): StubResolver {
    return openResolver(this.settings.dns, this.log)
  }

  /** What is left over goes with the next tick: otherwise a busy gateway would keep more than it may. */
  private pruneDecisions(): void {
    this.moreDecisions = false
    try {
      this.moreDecisions = this.decisions.prune(this.settings.decisions, Date.now()) >= PRUNE_ROWS
    } catch (error) {
      this.log.warn({ cause: error instanceof Error ? error.message : String(error) }, 'old decisions could not be removed')
    }
  }

  private pruneGreylist(): void {
    this.moreGreylist = false
    try {
      this.moreGreylist = this.greylistStore.prune() >= GREYLIST_PRUNE_ROWS
    } catch (error) {
      this.log.warn({ cause: error instanceof Error ? error.message : String(error) }, 'old entries of the greylist could not be removed')
    }
  }
}
