/**
 * A DNS server on loopback, UDP and TCP on one port, that answers from a zone
 * map (see zone-map.ts for how it is written) and fails on demand:
 *
 *     const server = await startDnsServer({ 'a.example': { A: ['192.0.2.1'] } })
 *     server.misbehave('a.example', 'drop', { times: 1 })    // then as usual again
 *     server.misbehave('a.example', 'hold'); …; server.release()
 *     await server.die(); await server.comeBack()            // same port
 *     await server.stop()
 *
 * Names in the map that are 'timeout' are not answered, 'servfail' ones with
 * SERVFAIL. A chain of CNAMEs is followed and given whole; one that loops is
 * given as far as it was followed. Like any server it truncates what does not
 * fit (RFC 2181 §9), sets AD where the query asks for it and the zone is
 * `authenticated`, and puts an SOA beside "is not there".
 *
 * A resolver that has waited long asks for `localhost` (see src/dns/stub.ts);
 * `queries` has that too, so an assertion is best made on the name it is about.
 */
import packet, { type Answer, type DecodedPacket, type Packet } from 'dns-packet'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server as TcpServer, type Socket } from 'node:net'
import type { RecordType } from '../../src/dns/resolver.ts'
import { framed, PASS_BACK, type Misbehaviour, type Transport } from './dns-misbehaviour.ts'
import { freePort } from './ports.ts'
import { Zone, type Fault, type ZoneData, type ZoneEntry } from './zone-map.ts'

export type { Misbehaviour }

export interface DnsServerOptions {
  /** 127.0.0.1, or ::1 */
  readonly host?: string
  readonly ttlSeconds?: number
  /** minimum and own time to live of the SOA */
  readonly negativeTtlSeconds?: number
  readonly authenticated?: boolean
  /** the AA bit of each answer: a server of the zone, which does no recursion */
  readonly authoritative?: boolean
  /** false: FORMERR to each query with an OPT record, as servers did before EDNS */
  readonly edns?: boolean
  /** false: a CNAME is given without what it leads to */
  readonly followsAliases?: boolean
}

export interface DnsServer {
  readonly host: string
  readonly port: number
  /** what was asked, in order, as `name TYPE udp` or `name TYPE tcp` */
  readonly queries: readonly string[]
  /** the queries as they were read */
  readonly packets: readonly DecodedPacket[]
  /** the ports that they came from over UDP */
  readonly sources: readonly number[]
  /** puts a name in, or in the place of what was there; undefined takes it away */
  set(name: string, entry: ZoneEntry | Fault | undefined): void
  /** What queries for the name ('*': any) get, `times` times or for good; undefined: what the zone says. */
  misbehave(name: string, how: Misbehaviour | undefined, when?: { readonly over?: Transport; readonly times?: number }): void
  /** answers what is held, for the name or for all; how many those were */
  release(name?: string): number
  /** resolves when so many queries have come for the name since the start */
  asked(name: string, count?: number): Promise<void>
  /** nobody listens any more; what was held is lost */
  die(): Promise<void>
  comeBack(): Promise<void>
  stop(): Promise<void>
}

const MAX_CHAIN = 12
const CODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const

interface Plan {
  readonly name: string
  readonly how: Misbehaviour
  readonly over: Transport | undefined
  left: number
}

/** One query, and the way back to who asked it. */
interface Asked {
  readonly query: DecodedPacket
  readonly name: string
  readonly over: Transport
  /** a message as it stands on the wire, without its length */
  readonly reply: (message: Buffer) => void
  /** from another port; over TCP there is none */
  readonly replyElsewhere: (message: Buffer) => void
  /** ends the connection, after these bytes; over UDP there is none */
  readonly cut: (bytes: Buffer) => void
}

export async function startDnsServer(data: ZoneData, options: DnsServerOptions = {}): Promise<DnsServer> {
  const server = new LoopbackDnsServer(data, options, await freePort())
  await server.comeBack()
  return server
}

class LoopbackDnsServer implements DnsServer {
  readonly host: string
  readonly port: number
  readonly queries: string[] = []
  readonly packets: DecodedPacket[] = []
  readonly sources: number[] = []
  readonly #options: DnsServerOptions
  readonly #zone: Zone
  #plans: Plan[] = []
  #held: { readonly name: string; readonly answer: () => void }[] = []
  #watchers: { readonly name: string; readonly count: number; readonly met: () => void }[] = []
  #udp: UdpSocket | undefined
  #tcp: TcpServer | undefined
  readonly #connections = new Set<Socket>()

  constructor(data: ZoneData, options: DnsServerOptions, port: number) {
    this.host = options.host ?? '127.0.0.1'
    this.port = port
    this.#options = options
    this.#zone = new Zone(data, options.ttlSeconds)
  }

  set(name: string, entry: ZoneEntry | Fault | undefined): void {
    this.#zone.set(name, entry)
  }

  misbehave(name: string, how: Misbehaviour | undefined, when: { readonly over?: Transport; readonly times?: number } = {}): void {
    this.#plans = this.#plans.filter((plan) => plan.name !== name || (when.over !== undefined && plan.over !== when.over))
    if (how !== undefined) this.#plans.push({ name, how, over: when.over, left: when.times ?? Infinity })
  }

  release(name?: string): number {
    const due = this.#held.filter((held) => name === undefined || held.name === name)
    this.#held = this.#held.filter((held) => !due.includes(held))
    for (const { answer } of due) answer()
    return due.length
  }

  asked(name: string, count = 1): Promise<void> {
    if (this.#countOf(name) >= count) return Promise.resolve()
    return new Promise((met) => this.#watchers.push({ name, count, met }))
  }

  async comeBack(): Promise<void> {
    const family = this.host.includes(':') ? 'udp6' : 'udp4'
    const udp = createSocket(family)
    udp.on('message', (bytes, { address, port }) => {
      this.sources.push(port)
      this.#receive(bytes, {
        over: 'udp',
        reply: (message) => udp.send(message, port, address),
        replyElsewhere: (message) => {
          const other = createSocket(family)
          other.send(message, port, address, () => other.close())
        },
        cut: () => undefined,
      })
    })
    const tcp = createServer((socket) => this.#serve(socket))
    this.#udp = udp
    this.#tcp = tcp
    await new Promise<void>((resolve, reject) => udp.once('error', reject).bind(this.port, this.host, resolve))
    await new Promise<void>((resolve, reject) => tcp.once('error', reject).listen(this.port, this.host, resolve))
  }

  async die(): Promise<void> {
    const { host, port } = this
    this.#held = []
    for (const socket of this.#connections) socket.destroy()
    const udp = this.#udp
    const tcp = this.#tcp
    this.#udp = undefined
    this.#tcp = undefined
    if (!udp || !tcp) throw new Error(`the DNS server at ${host} port ${port} does not run`)
    await new Promise<void>((resolve) => udp.close(resolve))
    await new Promise<void>((resolve) => tcp.close(() => resolve()))
  }

  async stop(): Promise<void> {
    if (this.#udp) await this.die()
  }

  #serve(socket: Socket): void {
    this.#connections.add(socket)
    socket.on('close', () => this.#connections.delete(socket))
    // A client that goes away in the middle is no fault of this server's.
    socket.on('error', () => undefined)
    let pending = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0)
        const reply = (message: Buffer): void => void socket.write(framed(message))
        this.#receive(pending.subarray(2, end), { over: 'tcp', reply, replyElsewhere: reply, cut: (bytes) => void socket.end(bytes) })
        pending = pending.subarray(end)
      }
    })
  }

  #receive(bytes: Buffer, way: Omit<Asked, 'query' | 'name'>): void {
    const query = packet.decode(bytes)
    const [question] = query.questions ?? []
    if (question === undefined) return
    const name = question.name.toLowerCase()
    this.packets.push(query)
    this.queries.push(`${name} ${question.type} ${way.over}`)
    this.#handle({ ...way, query, name })
    const met = this.#watchers.filter((watcher) => this.#countOf(watcher.name) >= watcher.count)
    this.#watchers = this.#watchers.filter((watcher) => !met.includes(watcher))
    for (const watcher of met) watcher.met()
  }

  #countOf(name: string): number {
    return this.queries.filter((query) => query.startsWith(`${name} `)).length
  }

  #handle(asked: Asked): void {
    const plan = this.#plans.find(({ name, over, left }) => (name === asked.name || name === '*') && (over ?? asked.over) === asked.over && left > 0)
    const answer = this.#answer(asked)
    if (plan === undefined) {
      if (answer) asked.reply(answer)
      return
    }
    plan.left--
    if (plan.how === 'hold') this.#held.push({ name: asked.name, answer: () => answer && asked.reply(answer) })
    else PASS_BACK[plan.how]({ ...asked, answer: answer ?? this.#encode(asked, 'SERVFAIL', { answers: [] }), failure: (code) => this.#encode(asked, code, { answers: [] }) })
  }

  /** What the zone says; undefined where it says nothing at all. */
  #answer(asked: Asked): Buffer | undefined {
    const { questions: [question] = [], additionals = [] } = asked.query
    if (question === undefined) return undefined
    if (this.#options.edns === false && additionals.some(({ type }) => type === 'OPT')) return this.#encode(asked, 'FORMERR', { answers: [] })
    const type = question.type as RecordType
    const answers: Answer[] = []
    let name = asked.name
    for (let links = 0; links <= MAX_CHAIN; links++) {
      const found = this.#zone.find(name, type)
      switch (found.status) {
        case 'timeout': return undefined
        case 'servfail': return this.#encode(asked, 'SERVFAIL', { answers: [] })
        case 'nxdomain': return this.#encode(asked, 'NXDOMAIN', { answers })
        case 'nodata': return this.#encode(asked, 'NOERROR', { answers })
        case 'records':
          for (const record of found.records) answers.push({ name, type, class: 'IN', ttl: found.ttlSeconds, data: wireData(record) } as Answer)
          return this.#encode(asked, 'NOERROR', { answers })
        case 'cname':
          answers.push({ name, type: 'CNAME', class: 'IN', ttl: found.ttlSeconds, data: found.target })
          if (this.#options.followsAliases === false) return this.#encode(asked, 'NOERROR', { answers, partial: true })
          name = found.target
      }
    }
    return this.#encode(asked, 'NOERROR', { answers })
  }

  #encode(asked: Asked, code: keyof typeof CODES, { answers, partial = false }: { readonly answers: readonly Answer[]; readonly partial?: boolean }): Buffer {
    const { query, over } = asked
    const wantsAd = ((query.flags ?? 0) & packet.AUTHENTIC_DATA) !== 0
    const opt = (query.additionals ?? []).find((record) => record.type === 'OPT')
    const flags = (this.#options.authoritative === true ? packet.AUTHORITATIVE_ANSWER : packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE) | (wantsAd && this.#options.authenticated === true ? packet.AUTHENTIC_DATA : 0) | CODES[code]
    const negative = !partial && (code === 'NXDOMAIN' || code === 'NOERROR') && !answers.some(({ type }) => type === query.questions?.[0]?.type)
    const message: Packet = {
      type: 'response',
      id: query.id ?? 0,
      flags,
      questions: query.questions ?? [],
      answers: [...answers],
      authorities: negative ? [this.#soa()] : [],
      additionals: opt && code !== 'FORMERR' ? [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }] : [],
    }
    const bytes = packet.encode(message)
    const room = over === 'tcp' ? 65_535 : (opt?.udpPayloadSize ?? 512)
    return bytes.length <= room ? bytes : packet.encode({ ...message, flags: flags | packet.TRUNCATED_RESPONSE, answers: [], authorities: [] })
  }

  #soa(): Answer {
    const { negativeTtlSeconds = 60 } = this.#options
    return { name: '.', type: 'SOA', class: 'IN', ttl: negativeTtlSeconds, data: { mname: 'ns.test', rname: 'root.test', serial: 1, refresh: 3600, retry: 600, expire: 86_400, minimum: negativeTtlSeconds } }
  }
}

function wireData(record: unknown): unknown {
  // The strings of a TXT record are bytes.
  if (Array.isArray(record)) return record.map((text) => Buffer.from(String(text), 'latin1'))
  if (typeof record === 'object' && record !== null && 'exchange' in record && record.exchange === '') return { ...record, exchange: '.' }
  return record
}
