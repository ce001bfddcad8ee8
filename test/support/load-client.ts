/**
 * A load of uniquely numbered messages over several sessions at once, which
 * remembers what it was told of each. It behaves as a mail server does: what
 * was not answered 250 is sent again, after a 4xx as after a lost connection,
 * until it was. A 5xx ends it: nothing that it sends deserves one.
 *
 * The promise under test: what was answered 250 is there; what is there more
 * often than once was answered with nothing or a 4xx that many times.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Dialog } from './smtp-dialog.ts'
import type { Address } from './process.ts'

export interface LoadOptions {
  readonly address: Address
  readonly sessions: number
  readonly to: string
  /** sent first on each connection: a PROXY header */
  readonly prelude?: string
  /** messages a session sends before it quits and connects again */
  readonly perSession?: number
  /** size of the body of message n, in bytes, about */
  readonly size?: (n: number) => number
  /** between 0 and 1 */
  readonly random: () => number
}

export interface Fate {
  /** answered 250; at most once, for then it is not sent again */
  accepted: boolean
  /** attempts that ended in a 4xx */
  deferred: number
  /** attempts that ended without an answer to the message */
  unanswered: number
}

export class LoadClient {
  readonly fates = new Map<number, Fate>()
  /** what no mail server should be told, and other surprises */
  readonly faults: string[] = []
  readonly #options: LoadOptions
  readonly #again: number[] = []
  #next = 1
  #stopping = false
  #abandoned = false
  #sessions: Promise<void>[] = []

  constructor(options: LoadOptions) {
    this.#options = options
  }

  start(): void {
    for (let i = 0; i < this.#options.sessions; i++) this.#sessions.push(this.#session())
  }

  get accepted(): number {
    let count = 0
    for (const fate of this.fates.values()) if (fate.accepted) count++
    return count
  }

  /** No new messages; resolves when each that was begun was answered 250. */
  async finish(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#sessions)
  }

  /** Stops where it stands. */
  async abandon(): Promise<void> {
    this.#abandoned = true
    await this.finish()
  }

  async #session(): Promise<void> {
    while (this.#hasWork()) {
      let dialog: Dialog
      try {
        dialog = await Dialog.open(this.#options.address)
      } catch {
        // Nobody listens at this moment: what a server that was killed looks like.
        await delay(20)
        continue
      }
      try {
        if (this.#options.prelude !== undefined) await dialog.send(this.#options.prelude)
        await this.#converse(dialog)
      } finally {
        dialog.close()
      }
    }
  }

  #hasWork(): boolean {
    if (this.#abandoned || this.faults.length > 0) return false
    return !this.#stopping || this.#again.length > 0
  }

  async #converse(dialog: Dialog): Promise<void> {
    if ((await dialog.reply()).status !== 220) return delay(20)
    if ((await dialog.command('EHLO load.example')).status !== 250) return
    for (let i = 0; i < (this.#options.perSession ?? 20) && this.#hasWork(); i++) {
      const number = this.#again.shift() ?? this.#next++
      const fate = this.fates.get(number) ?? { accepted: false, deferred: 0, unanswered: 0 }
      this.fates.set(number, fate)
      if (!(await this.#send(dialog, number, fate))) return
    }
    await dialog.command('QUIT')
  }

  /** True where the session can go on. */
  async #send(dialog: Dialog, number: number, fate: Fate): Promise<boolean> {
    const chunked = this.#options.random() < 0.3
    const reply = await dialog.message({ to: this.#options.to, data: numbered(number, this.#options.size?.(number) ?? 1000), chunked })
    if (reply.status === 250) {
      fate.accepted = true
      return true
    }
    this.#again.push(number)
    if (reply.status === 0) fate.unanswered++
    else if (reply.status >= 400 && reply.status < 500) fate.deferred++
    else this.faults.push(`message ${number} was answered ${reply.text}`)
    await delay(10)
    return false
  }
}

const LINE = 'All work and no play makes a dull day for the mail server of this house.\r\n'

export function numbered(number: number, size: number): Buffer {
  const head = `Subject: number ${number}\r\nX-Number: ${number}\r\n\r\n`
  return Buffer.from(`${head}${LINE.repeat(Math.ceil(size / LINE.length))}.\r\n..\r\nend of ${number}\r\n`, 'latin1')
}

/** The number of a message that arrived, or null where it is not whole. */
export function numberOf(data: Buffer): number | null {
  const text = data.toString('latin1')
  const number = /^X-Number: (\d+)\r?$/m.exec(text)?.[1]
  return number !== undefined && new RegExp(`\\n\\.\\r?\\n\\.\\.\\r?\\nend of ${number}\\r?\\n$`).test(text) ? Number(number) : null
}

/** What arrived, by number; bodies are not kept. */
export class Arrivals {
  readonly copies = new Map<number, number>()
  /** the beginning of each message that was not whole */
  readonly broken: string[] = []

  add(data: Buffer): void {
    const number = numberOf(data)
    if (number === null) this.broken.push(`${data.length} bytes: ${data.toString('latin1').slice(0, 300)}`)
    else this.copies.set(number, (this.copies.get(number) ?? 0) + 1)
  }

  get twice(): number {
    return [...this.copies.values()].filter((count) => count > 1).length
  }
}

/** Every breach of the promise, in words; empty where it was kept. */
export function breaches(load: LoadClient, arrivals: Arrivals): string[] {
  const found = [...load.faults, ...arrivals.broken.map((text) => `a message arrived that is not whole: ${text}`)]
  for (const [number, fate] of load.fates) {
    const count = arrivals.copies.get(number) ?? 0
    const told = `${fate.deferred} times 4xx, ${fate.unanswered} times nothing`
    if (fate.accepted && count === 0) found.push(`message ${number} was answered 250 and is not there (${told})`)
    // An attempt that was accepted adds one copy; each other attempt at most one.
    const most = (fate.accepted ? 1 : 0) + fate.deferred + fate.unanswered
    if (count > most) found.push(`message ${number} is there ${count} times (${told})`)
  }
  for (const number of arrivals.copies.keys()) if (!load.fates.has(number)) found.push(`message ${number} was never sent`)
  return found
}

/** A small seeded generator, so that a run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
