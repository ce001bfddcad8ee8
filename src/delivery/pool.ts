/**
 * The connections to one next hop: so many at once, reused between
 * transactions, closed when old or unused. Whoever has acquired a connection
 * is its only user until it is released.
 *
 * A transaction whose client takes its time holds a connection that others may
 * need: where somebody waits, the one that has rested longest gives its own up.
 *
 * Nothing of a transaction stays behind: a connection comes back into the pool
 * only when nothing is awaited on it and nothing is half read. A connection
 * that gets bytes while it is unused closes itself (see ClientConnection).
 *
 * `acquire` never rejects; a refusal carries the reply for the client.
 */
import type { Log } from '../observe/log.ts'
import type { ClientConnection, Loss } from '../smtp/client-connection.ts'
import { HOP_BUSY, HOP_CLOSING } from '../smtp/reply-catalogue-hop.ts'
import { isClosing } from './relay-answers.ts'
import type { Refusal, RelayConnection } from './relay-connect.ts'

export interface PoolOptions {
  readonly name: string
  readonly log: Log
  readonly now: () => number
  readonly connections: number
  readonly idleMs: number
  readonly maxAgeMs: number
  /** how long a transaction waits for a connection */
  readonly waitMs: number
  open(watch: (channel: ClientConnection) => void): Promise<RelayConnection | Refusal>
}

/** any: from the pool where there is one; fresh: newly made. */
export type Choice = 'any' | 'fresh'

interface Waiter {
  readonly choice: Choice
  readonly deadline: number
  readonly resolve: (got: RelayConnection | Refusal) => void
}

/** A transaction that rests this long may lose its connection to one that waits. */
const RESTED_MS = 1000
/** Postfix slows down after 10 errors and closes after 20, whichever of our clients made them. */
const MAX_REFUSALS = 5
/** RFC 5321 §4.1.1.10 wants the reply to QUIT awaited; nothing depends on it. */
const QUIT_MS = 5000

export class Pool {
  #options: PoolOptions
  /** Unused, the one used last at the end. */
  #idle: RelayConnection[] = []
  /** Connections being made, in use and unused. */
  #size = 0
  /** Every socket that is not closed yet, those that say QUIT too. */
  #channels = new Set<ClientConnection>()
  #waiters: Waiter[] = []
  /** In use, by transactions that told `rest`. */
  #resting = new Set<RelayConnection>()
  #closing = false
  #onEmpty: (() => void)[] = []

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Whether `acquire` would not have to wait for another to finish. */
  get hasRoom(): boolean {
    return this.#size < this.#options.connections || this.#idle.length > 0
  }

  acquire(choice: Choice): Promise<RelayConnection | Refusal> {
    if (this.#closing) return Promise.resolve({ refusal: HOP_CLOSING })
    if (choice === 'any') {
      const idle = this.#takeIdle()
      if (idle) return Promise.resolve(idle)
    } else if (this.#size >= this.#options.connections) {
      const oldest = this.#idle.shift()
      if (oldest) this.#retire(oldest)
    }
    if (this.#size < this.#options.connections) return this.#open()
    return new Promise((resolve) => {
      this.#waiters.push({ choice, deadline: this.#options.now() + this.#options.waitMs, resolve })
      this.#reclaim()
    })
  }

  /** The transaction on this connection waits for its client. @param giveUp makes it release the connection */
  rest(connection: RelayConnection, giveUp: () => void): void {
    connection.restingSince = this.#options.now()
    connection.giveUp = giveUp
    this.#resting.add(connection)
  }

  /** It goes on. */
  resume(connection: RelayConnection): void {
    connection.restingSince = undefined
    connection.giveUp = undefined
    this.#resting.delete(connection)
  }

  /** Gives a connection back, whatever became of it. */
  release(connection: RelayConnection): void {
    const { channel } = connection
    this.resume(connection)
    if (!channel.quiet) {
      channel.drop('not at rest after its transaction')
      this.#size--
      this.#serve()
    } else if (connection.personal || connection.refusals >= MAX_REFUSALS || this.#aged(connection) || (this.#closing && this.#waiters.length === 0)) {
      this.#retire(connection)
      this.#serve()
    } else {
      this.#handOver(connection)
    }
  }

  /** Ends what is overdue: replies, waits, unused and old connections. */
  tick(): void {
    const now = this.#options.now()
    for (const channel of this.#channels) channel.tick(now)
    const unused = this.#idle
    if (unused.some((connection) => this.#expired(connection, now))) {
      this.#idle = unused.filter((connection) => !this.#expired(connection, now))
      for (const connection of unused) if (this.#expired(connection, now)) this.#retire(connection)
    }
    this.#reclaim()
    // All wait equally long, so the first is due first.
    for (let first = this.#waiters[0]; first && first.deadline <= now; first = this.#waiters[0]) {
      this.#waiters.shift()
      this.#options.log.warn({ hop: this.#options.name, connections: this.#options.connections }, 'every connection to the next hop is in use')
      first.resolve({ refusal: HOP_BUSY })
    }
    this.#checkEmpty()
  }

  /** Refuses new users; resolves when the present ones have released and every socket is closed. */
  close(): Promise<void> {
    this.#closing = true
    const unused = this.#idle
    this.#idle = []
    for (const connection of unused) this.#retire(connection)
    return new Promise((resolve) => {
      this.#onEmpty.push(resolve)
      this.#checkEmpty()
    })
  }

  async #open(): Promise<RelayConnection | Refusal> {
    this.#size++
    const got = await this.#options.open((channel) => this.#watch(channel))
    if ('refusal' in got) {
      this.#size--
      this.#serve()
    } else {
      got.channel.onLoss = (loss) => this.#lost(got, loss)
    }
    return got
  }

  /** For each who waits, one connection of a transaction that has rested long enough; the longest first. */
  #reclaim(): void {
    let wanted = this.#waiters.length
    if (wanted === 0) return
    const since = this.#options.now() - RESTED_MS
    // In the order of `rest`, so the longest come first.
    for (const { restingSince, giveUp } of this.#resting) {
      if (wanted === 0 || giveUp === undefined || restingSince === undefined || restingSince > since) return
      wanted--
      giveUp()
    }
  }

  #watch(channel: ClientConnection): void {
    this.#channels.add(channel)
    void channel.closed.then(() => {
      this.#channels.delete(channel)
      this.#checkEmpty()
    })
  }

  #takeIdle(): RelayConnection | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (!this.#aged(connection)) return connection
      this.#retire(connection)
    }
    return undefined
  }

  #handOver(connection: RelayConnection): void {
    connection.idleSince = this.#options.now()
    const waiter = this.#waiters[0]
    if (!waiter) {
      this.#idle.push(connection)
    } else if (waiter.choice === 'any') {
      this.#waiters.shift()
      waiter.resolve(connection)
    } else {
      this.#retire(connection)
      this.#serve()
    }
  }

  /** Makes connections for those who wait, as far as there is room. */
  #serve(): void {
    while (this.#waiters.length > 0 && this.#size < this.#options.connections) {
      const waiter = this.#waiters.shift()
      if (waiter) void this.#open().then(waiter.resolve)
    }
    this.#checkEmpty()
  }

  /** An unused connection ended by itself; one in use is told by its answers. */
  #lost(connection: RelayConnection, loss: Loss): void {
    const at = this.#idle.indexOf(connection)
    if (at < 0) return
    this.#idle.splice(at, 1)
    this.#size--
    const facts = { hop: this.#options.name, cause: loss.cause, detail: loss.detail }
    if (isClosing(loss)) this.#options.log.debug(facts, 'next hop closed an unused connection')
    else this.#options.log.warn(facts, 'next hop sent something unasked, connection closed')
    this.#serve()
  }

  /** Says QUIT; the connection no longer counts. */
  #retire(connection: RelayConnection): void {
    const { channel } = connection
    this.#size--
    // A hop that is slow at QUIT is not given more sockets for it.
    if (this.#channels.size > 2 * this.#options.connections) return channel.drop('too many connections that wait for the reply to QUIT')
    void channel.command('QUIT\r\n', QUIT_MS).then(() => channel.drop('closed after QUIT'))
  }

  #aged(connection: RelayConnection): boolean {
    return this.#options.now() - connection.bornAt >= this.#options.maxAgeMs
  }

  #expired(connection: RelayConnection, now: number): boolean {
    return this.#aged(connection) || now - (connection.idleSince ?? now) >= this.#options.idleMs
  }

  #checkEmpty(): void {
    if (!this.#closing || this.#size > 0 || this.#channels.size > 0 || this.#waiters.length > 0) return
    const resolves = this.#onEmpty
    this.#onEmpty = []
    for (const resolve of resolves) resolve()
  }
}
