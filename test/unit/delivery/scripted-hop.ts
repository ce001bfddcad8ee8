/**
 * A next hop that follows a script, a clock that stands still until told, and
 * a relay between them: what the tests of the relay are played on.
 *
 * A script is an async function for one connection; several are used one after
 * the other, the last for all further connections. An error in a script (a
 * failed assertion) makes `stop` reject; that the relay closes the connection
 * while a script reads is no error.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { TLSSocket, createSecureContext, type SecureContextOptions } from 'node:tls'
import type { HopTlsSettings, RelaySettings, SocketAddress } from '../../../src/config/settings.ts'
import type { ClientFacts, Transaction } from '../../../src/delivery/next-hop.ts'
import { createRelayHop, type RelayNextHop } from '../../../src/delivery/relay.ts'
import type { Clock } from '../../../src/delivery/relay-clock.ts'
import type { OutgoingMessage } from '../../../src/message/message.ts'
import type { EnvelopePath } from '../../../src/smtp/envelope.ts'
import type { Log } from '../../../src/observe/log.ts'
import type { Reply } from '../../../src/smtp/reply.ts'

class PeerClosed extends Error {}

/** The hop's side of one connection. */
export class Peer {
  /** command lines received, without CRLF */
  readonly lines: string[] = []
  /** everything received, binary */
  received = ''
  #socket: Socket
  #at = 0
  #ended = false
  #wakers: (() => void)[] = []

  constructor(socket: Socket) {
    this.#socket = socket
    this.#listen()
  }

  /** What is read and not yet used. */
  get unread(): string {
    return this.received.slice(this.#at)
  }

  get socket(): Socket {
    return this.#socket
  }

  say(text: string): void {
    this.#socket.write(text + '\r\n', 'latin1')
  }

  /** Each byte in a write of its own. */
  async sayByByte(text: string): Promise<void> {
    for (const byte of Buffer.from(text + '\r\n', 'latin1')) await new Promise<void>((resolve) => this.#socket.write(Buffer.of(byte), () => setImmediate(resolve)))
  }

  async line(): Promise<string> {
    const line = (await this.through('\r\n')).slice(0, -2)
    this.lines.push(line)
    return line
  }

  /** Reads up to and with the mark. */
  async through(mark: string): Promise<string> {
    for (;;) {
      const found = this.received.indexOf(mark, this.#at)
      if (found >= 0) return this.#take(found + mark.length - this.#at)
      await this.#more()
    }
  }

  /** Reads up to and with the mark, keeping nothing of it: for what is too long for a string. */
  async skipThrough(mark: string): Promise<void> {
    for (;;) {
      const found = this.received.indexOf(mark, this.#at)
      this.received = found >= 0 ? this.received.slice(found + mark.length) : this.unread.slice(-mark.length)
      this.#at = 0
      if (found >= 0) return
      await this.#more()
    }
  }

  async bytes(count: number): Promise<string> {
    while (this.received.length - this.#at < count) await this.#more()
    return this.#take(count)
  }

  /** Greeting and the answer to EHLO or LHLO; returns that line. */
  async hello(...extensions: readonly string[]): Promise<string> {
    this.say('220 mx.test ESMTP')
    return this.ehlo(...extensions)
  }

  async ehlo(...extensions: readonly string[]): Promise<string> {
    const line = await this.line()
    const all = ['mx.test', ...extensions]
    this.say(all.map((one, i) => `250${i === all.length - 1 ? ' ' : '-'}${one}`).join('\r\n'))
    return line
  }

  /** Goes on as an ordinary server until the connection ends; `answer` may have another word. */
  async serve(answer: (line: string) => string | undefined = () => undefined): Promise<void> {
    for (;;) {
      const line = await this.line()
      const other = answer(line)
      const verb = line.split(/[ :]/)[0] ?? ''
      if (verb === 'BDAT') await this.bytes(Number(line.split(' ')[1]))
      if (other !== undefined) this.say(other)
      else if (verb === 'DATA') this.say('354 go on')
      else if (verb === 'QUIT') this.say('221 bye')
      else this.say(`250 2.0.0 ok ${verb}`)
      if (verb === 'DATA' && other === undefined) {
        await this.through('\r\n.\r\n')
        this.say(answer('.') ?? '250 2.0.0 taken')
      }
    }
  }

  /** TLS from here on. */
  secure(options: SecureContextOptions): void {
    const plain = this.#socket.removeAllListeners('data').removeAllListeners('end')
    this.#socket = new TLSSocket(plain, { isServer: true, secureContext: createSecureContext(options) })
    this.#listen()
  }

  /** What the relay asked for by SNI; false where it did not. */
  get serverName(): unknown {
    return 'servername' in this.#socket ? this.#socket.servername : undefined
  }

  end(text?: string): void {
    this.#socket.end(text === undefined ? '' : text + '\r\n', 'latin1')
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** Resolves when the relay has closed its side. */
  async closed(): Promise<void> {
    while (!this.#ended) await this.#news()
  }

  #listen(): void {
    this.#socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1')
      this.#wake()
    })
    for (const event of ['end', 'close', 'error']) {
      this.#socket.on(event, () => {
        this.#ended = true
        this.#wake()
      })
    }
  }

  #take(count: number): string {
    this.#at += count
    return this.received.slice(this.#at - count, this.#at)
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new PeerClosed('closed by the relay')
    await this.#news()
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve))
  }

  #wake(): void {
    const wakers = this.#wakers
    this.#wakers = []
    for (const wake of wakers) wake()
  }
}

export type Script = (peer: Peer) => Promise<void> | void

export class ScriptedHop {
  readonly peers: Peer[] = []
  #server: Server
  #sockets = new Set<Socket>()
  #errors: unknown[] = []
  #directory: string | undefined

  constructor(scripts: readonly Script[]) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      const peer = new Peer(socket)
      const script = scripts[Math.min(this.peers.length, scripts.length - 1)]
      this.peers.push(peer)
      void this.#run(peer, script)
    })
  }

  async #run(peer: Peer, script: Script | undefined): Promise<void> {
    try {
      await script?.(peer)
    } catch (error) {
      if (!(error instanceof PeerClosed)) this.#errors.push(error)
    }
    // A script that has said all leaves the rest to the relay.
    await peer.closed()
    peer.socket.end()
  }

  async listen(kind: 'tcp' | 'unix'): Promise<SocketAddress> {
    if (kind === 'unix') {
      this.#directory = mkdtempSync(join(tmpdir(), 'postern-hop-'))
      const path = join(this.#directory, 'lmtp')
      await new Promise<void>((resolve) => this.#server.listen(path, resolve))
      return { kind, path }
    }
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no address')
    return { kind, host: '127.0.0.1', port: address.port }
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true })
    if (this.#errors.length > 0) throw this.#errors[0]
  }
}

export class FakeClock implements Clock {
  #now = 1_000_000
  #runs = new Set<() => void>()

  now(): number {
    return this.#now
  }

  every(_intervalMs: number, run: () => void): () => void {
    this.#runs.add(run)
    return () => this.#runs.delete(run)
  }

  get running(): boolean {
    return this.#runs.size > 0
  }

  advance(ms: number): void {
    this.#now += ms
    for (const run of this.#runs) run()
  }
}

export interface LogEntry {
  readonly level: string
  readonly text: string
  readonly facts: Readonly<Record<string, unknown>>
}

export class RecordedLog implements Log {
  readonly entries: LogEntry[] = []
  debug(facts: LogEntry['facts'], text: string): void { this.entries.push({ level: 'debug', text, facts }) }
  info(facts: LogEntry['facts'], text: string): void { this.entries.push({ level: 'info', text, facts }) }
  warn(facts: LogEntry['facts'], text: string): void { this.entries.push({ level: 'warn', text, facts }) }
  error(facts: LogEntry['facts'], text: string): void { this.entries.push({ level: 'error', text, facts }) }

  at(level: string): readonly LogEntry[] {
    return this.entries.filter((entry) => entry.level === level)
  }
}

export const TIMEOUTS = { connectMs: 30_000, greetingMs: 60_000, mailMs: 61_000, rcptMs: 62_000, dataMs: 63_000, blockMs: 64_000, finalMs: 65_000 }
export const NO_TLS: HopTlsSettings = { mode: 'off', verify: false, name: undefined, ca: undefined }

export function relaySettings(address: SocketAddress, change: Partial<RelaySettings> = {}): RelaySettings {
  return {
    kind: 'smtp', name: 'next', address, tls: NO_TLS, xforward: false, xclient: false,
    connections: 10, idleMs: 60_000, maxAgeMs: 300_000, timeouts: TIMEOUTS, ...change,
  }
}

export interface Stage {
  readonly relay: RelayNextHop
  readonly hop: ScriptedHop
  readonly clock: FakeClock
  readonly log: RecordedLog
  begin(change?: Partial<ClientFacts>): Transaction
}

/** A relay to a scripted hop; both are stopped when the test ends. */
export async function stage(t: TestContext, scripts: Script | readonly Script[], change: Partial<RelaySettings> & { unix?: boolean } = {}): Promise<Stage> {
  const { unix, ...settings } = change
  const hop = new ScriptedHop(typeof scripts === 'function' ? [scripts] : scripts)
  const address = await hop.listen(unix ? 'unix' : 'tcp')
  const [clock, log] = [new FakeClock(), new RecordedLog()]
  const relay = createRelayHop(relaySettings(address, settings), { hostname: 'gw.test', log, clock })
  t.after(() => hop.stop())
  return { relay, hop, clock, log, begin: (facts) => relay.begin({ ...CLIENT, ...facts }) }
}

export const CLIENT: ClientFacts = {
  address: '192.0.2.7', port: 4711, name: 'client.example', helo: 'helo.example', protocol: 'ESMTP', login: undefined, source: 'REMOTE', ident: 'ID1',
}

export function path(wire: string, ...parameters: readonly string[]): EnvelopePath {
  return {
    path: { wire, mailbox: null },
    parameters: parameters.map((one) => {
      const at = one.indexOf('=')
      return at < 0 ? { keyword: one, value: null } : { keyword: one.slice(0, at), value: one.slice(at + 1) }
    }),
  }
}

export function message(text: string, change: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const memory = [Buffer.from(text, 'latin1')]
  return {
    prefix: Buffer.alloc(0), chunked: false, binary: false,
    body: {
      size: memory[0]?.length ?? 0, memory,
      async *chunks() {
        for (const piece of memory) yield await Promise.resolve(piece)
      },
      discard: () => undefined,
    },
    ...change,
  }
}

/** A message that is not in memory; `chunks` makes its pieces. */
export function storedMessage(size: number, chunks: () => AsyncIterable<Buffer>, change: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return { prefix: Buffer.alloc(0), chunked: false, binary: false, body: { size, memory: null, chunks, discard: () => undefined }, ...change }
}

/** Waits for something that needs only the event loop to turn. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 5000) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** A whole transaction: MAIL, one RCPT, the message. */
export async function send(transaction: Transaction, text = 'a: b\r\n\r\nc\r\n'): Promise<Reply> {
  const mail = await transaction.mail(path('<from@x.test>'))
  if (mail.status !== 250) return mail
  const rcpt = await transaction.rcpt(path('<to@y.test>'))
  if (rcpt.status !== 250) return rcpt
  const [final] = await transaction.data(message(text))
  if (!final) throw new Error('no final reply')
  return final
}
