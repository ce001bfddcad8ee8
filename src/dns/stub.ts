/**
 * The stub resolver: asks recursive servers over UDP, and over TCP where an
 * answer is too long (RFC 1034 §5.3.1, RFC 7766). No cache: that is cache.ts.
 *
 * One look-up makes `tries` attempts, or one for each server where those are
 * more, each to the next server in order. An attempt waits `timeoutMs`, TCP
 * and a second query without EDNS included; so a look-up lasts at most
 * `longestMs`, its wait for a place among the look-ups in flight included, and
 * that whatever CNAMEs it has to follow by itself. A server that says that it
 * cannot answer is not asked again by the same look-up; the next one is asked
 * at once.
 *
 * - `servfail`: at least one server answered, none the question; or the zone
 *   itself is broken (a CNAME loop).
 * - `timeout`: no server answered; or nobody was asked because too much is
 *   asked already, or the resolver was closed (`ours`). `serversAnswer` tells a name whose own
 *   servers are dead from a resolver that is: a server that has been silent for
 *   half an attempt is asked for `localhost`, which any resolver answers by
 *   itself (RFC 6761 §6.3).
 *
 * The AD bit is passed on as the servers say it: whoever gives it a meaning has
 * to trust them and the way to them. A look-up never rejects; a server that is
 * no IP address is an Error when the resolver is made.
 */
import { randomInt } from 'node:crypto'
import { isIP } from 'node:net'
import type { Log } from '../observe/log.ts'
import { MAX_NEGATIVE_TTL_SECONDS, readAnswer, type Alias, type Answer } from './answer.ts'
import { SYSTEM_CLOCK, type Clock } from './clock.ts'
import { askOverTcp, askOverUdp, type Exchange, type Exchanged, type ServerAddress } from './exchange.ts'
import { Gate } from './gate.ts'
import { encodeQuery, headOfAnswer, type Question } from './message.ts'
import { normalName } from './name.ts'
import type { Absence, Failure, Lookup, Records, RecordType, Resolver } from './resolver.ts'
import { Servers, type Server } from './servers.ts'

export interface StubSettings {
  readonly servers: readonly ServerAddress[]
  /** of one attempt */
  readonly timeoutMs: number
  readonly tries: number
  /** look-ups at once; 200 */
  readonly maxInFlight?: number
  /** look-ups that wait for a place; 2000 */
  readonly maxWaiting?: number
}

export interface StubContext {
  readonly log: Log
  readonly clock?: Clock
  /** the id of a query, 0 … 65535, that nobody can guess (RFC 5452 §9.2) */
  readonly randomId?: () => number
}

export interface StubResolver extends Resolver {
  /** what a look-up takes at most */
  readonly longestMs: number
  /** Ends what is in flight: those look-ups, and all later ones, answer `timeout`. */
  close(): void
}

type Asked<T extends RecordType> = Question & { readonly type: T; readonly links: number }
type Outcome<T extends RecordType> = Records<T> | Absence | Alias | Failure
type Attempt<T extends RecordType> = Answer<T> | { readonly status: 'lost'; readonly cause: string }

const CLOSED = 'the resolver is closed'

export function createStubResolver(settings: StubSettings, context: StubContext): StubResolver {
  return new Stub(settings, context)
}

class Stub implements StubResolver {
  readonly longestMs: number
  readonly #timeoutMs: number
  readonly #attempts: number
  readonly #servers: Servers
  readonly #clock: Clock
  readonly #log: Log
  readonly #randomId: () => number
  readonly #gate: Gate
  readonly #live = new Set<AbortController>()
  #closed = false

  constructor(settings: StubSettings, context: StubContext) {
    const { servers, timeoutMs, tries } = settings
    for (const { host, port } of servers) {
      if (isIP(host) === 0) throw new Error(`a DNS server has to be an IP address, which ${JSON.stringify(host)} is not`)
      if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`the port of DNS server ${host} is ${port}; it has to be between 1 and 65535`)
    }
    if (servers.length === 0) throw new Error('a resolver needs at least one server')
    this.#timeoutMs = timeoutMs
    this.#attempts = Math.max(tries, servers.length)
    this.longestMs = this.#attempts * timeoutMs
    this.#clock = context.clock ?? SYSTEM_CLOCK
    this.#log = context.log
    this.#randomId = context.randomId ?? (() => randomInt(0x10000))
    this.#servers = new Servers(servers, this.#clock, context.log)
    this.#gate = new Gate({ inFlight: settings.maxInFlight ?? 200, waiting: settings.maxWaiting ?? 2000 }, this.#clock)
  }

  async lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
    const normal = normalName(name)
    if (normal === undefined) return { status: 'nxdomain', ttlSeconds: MAX_NEGATIVE_TTL_SECONDS, authenticated: false }
    const deadlineMs = this.#clock.nowMs() + this.longestMs
    const entry = await this.#gate.enter(deadlineMs)
    if (entry.status === 'out') return { status: 'timeout', cause: `${normal} ${type}: ${entry.cause}`, ours: true }
    try {
      return await this.#followed({ name: normal, type, links: 0 }, deadlineMs)
    } finally {
      this.#gate.leave()
    }
  }

  close(): void {
    this.#closed = true
    this.#gate.close(CLOSED)
    for (const controller of [...this.#live]) controller.abort(CLOSED)
  }

  /** A server gives the whole chain if it can (RFC 1034 §4.3.2); where one does not, the rest is asked for. */
  async #followed<T extends RecordType>(first: Asked<T>, deadlineMs: number): Promise<Lookup<T>> {
    const seen = new Set<string>()
    let asked = first
    let ttlSeconds = Infinity
    let authenticated = true
    for (;;) {
      const answer = await this.#ask(asked, deadlineMs)
      if ('cause' in answer) return { ...answer, cause: `${first.name} ${first.type}: ${answer.cause}` }
      ttlSeconds = Math.min(ttlSeconds, answer.ttlSeconds)
      authenticated &&= answer.authenticated
      if (answer.status !== 'alias') return { ...answer, ttlSeconds, authenticated }
      seen.add(asked.name)
      if (seen.has(answer.target)) return { status: 'servfail', cause: `${first.name} ${first.type}: the CNAME chain is a loop at ${answer.target}` }
      asked = { ...asked, name: answer.target, links: answer.links }
    }
  }

  async #ask<T extends RecordType>(asked: Asked<T>, deadlineMs: number): Promise<Outcome<T>> {
    const order = this.#servers.inOrder()
    const before = new Map(order.map((server) => [server, server.answers]))
    const causes: string[] = []
    let refused = false
    for (let attempt = 0; attempt < this.#attempts; attempt++) {
      const server = order.shift()
      const waitMs = Math.min(this.#timeoutMs, Math.round(deadlineMs - this.#clock.nowMs()))
      if (server === undefined || waitMs <= 0 || this.#closed) break
      const outcome = await this.#attempt(server, asked, waitMs)
      switch (outcome.status) {
        case 'broken': return { status: 'servfail', cause: outcome.cause }
        case 'failed':
        case 'rejected':
          refused = true
          causes.push(`${server.name}: ${outcome.cause}`)
          break
        case 'lost':
          order.push(server)
          causes.push(`${server.name}: ${outcome.cause}`)
          break
        default: return outcome
      }
    }
    const cause = causes.length > 0 ? causes.join('; ') : this.#closed ? CLOSED : `no time was left of ${this.longestMs} ms`
    if (refused) return { status: 'servfail', cause }
    // Who was not asked cannot have been silent.
    if (this.#closed || causes.length === 0) return { status: 'timeout', cause, ours: true }
    return { status: 'timeout', cause, serversAnswer: [...before].some(([server, answers]) => server.answers > answers) }
  }

  async #attempt<T extends RecordType>(server: Server, asked: Asked<T>, waitMs: number): Promise<Attempt<T>> {
    const before = server.answers
    const controller = new AbortController()
    this.#live.add(controller)
    const callOff = this.#clock.after(waitMs, () => controller.abort(`no answer in ${waitMs} ms`))
    const callOffProbe = this.#clock.after(waitMs / 2, () => {
      if (server.answers === before) void this.#probe(server, controller.signal)
    })
    try {
      const outcome = await this.#withAndWithoutEdns(server, asked, controller.signal)
      // One that answers others is well: the name is not.
      if (outcome.status === 'lost' && server.answers === before && !this.#closed) this.#servers.wasSilent(server, outcome.cause)
      return outcome
    } finally {
      callOff()
      callOffProbe()
      this.#live.delete(controller)
    }
  }

  async #withAndWithoutEdns<T extends RecordType>(server: Server, asked: Asked<T>, signal: AbortSignal): Promise<Attempt<T>> {
    if (server.plain) return this.#exchange(server, { ...asked, edns: false }, signal)
    const outcome = await this.#exchange(server, { ...asked, edns: true }, signal)
    if (outcome.status !== 'rejected') return outcome
    const plain = await this.#exchange(server, { ...asked, edns: false }, signal)
    if (plain.status !== 'rejected' && plain.status !== 'failed' && plain.status !== 'lost') server.plain = true
    return plain
  }

  async #exchange<T extends RecordType>(server: Server, asked: Asked<T> & { readonly edns: boolean }, signal: AbortSignal): Promise<Attempt<T>> {
    let exchanged = await this.#send(askOverUdp, server, { asked, signal })
    if (exchanged.status === 'crowded' || (exchanged.status === 'answer' && exchanged.head.truncated)) exchanged = await this.#send(askOverTcp, server, { asked, signal })
    if (exchanged.status === 'crowded') return { status: 'lost', cause: 'too many wrong answers' }
    if (exchanged.status === 'lost') return exchanged
    if (exchanged.head.truncated) return { status: 'failed', cause: 'an answer that is truncated over TCP too' }
    return readAnswer(exchanged.bytes, exchanged.head, asked)
  }

  async #send(over: (exchange: Exchange) => Promise<Exchanged>, server: Server, { asked, signal }: { readonly asked: Question & { readonly edns: boolean }; readonly signal: AbortSignal }): Promise<Exchanged> {
    const query = { ...asked, id: this.#randomId() }
    const exchanged = await over({ server: server.address, query: encodeQuery(query), head: (bytes) => headOfAnswer(bytes, query), signal })
    if (exchanged.status === 'answer') this.#servers.answered(server)
    return exchanged
  }

  /** Whether the server is there at all; one question at a time, and its answer is only counted. */
  async #probe(server: Server, signal: AbortSignal): Promise<void> {
    if (server.probing) return
    server.probing = true
    const exchanged = await this.#send(askOverUdp, server, { asked: { name: 'localhost', type: 'A', edns: false }, signal })
    server.probing = false
    if (exchanged.status === 'answer') this.#log.debug({ server: server.name }, 'DNS server is there, though a question to it goes unanswered')
  }
}
