/**
 * A client of Dovecot's auth service: one connection, on which the requests of
 * all sessions go side by side (dovecot-wire.ts has the words).
 *
 * The connection is made when it is needed and stays. Where it cannot be made,
 * is lost, or an answer takes longer than is allowed, what is asked ends as
 * `unavailable`; after a failure the next try waits, twice as long each time,
 * and what is asked meanwhile is `unavailable` at once. Nothing rejects, and
 * without a request under way no timer runs.
 */
import { connect, type Socket } from 'node:net'
import { DovecotLines, formatAuth, formatCancel, formatContinue, formatHandshake, MAJOR_VERSION, parseDovecotLine, type DovecotFields, type DovecotLine, type DovecotRequest } from './dovecot-wire.ts'
import type { DovecotSettings } from './settings.ts'

export interface DovecotMechanism {
  readonly name: string
  /** `plaintext`, `anonymous`, `private`, … */
  readonly flags: ReadonlySet<string>
}

export type DovecotAnswer =
  | { readonly status: 'challenge'; readonly data: Buffer }
  | { readonly status: 'ok'; readonly fields: DovecotFields }
  | { readonly status: 'failed'; readonly fields: DovecotFields }
  | { readonly status: 'unavailable'; readonly cause: string }

export interface DovecotExchange {
  answer(response: Buffer): Promise<DovecotAnswer>
  cancel(): void
}

export interface DovecotClient {
  /** What the server has listed when it was last connected; undefined: never was. */
  mechanisms(): readonly DovecotMechanism[] | undefined
  /** Connects, if it is not; a sentence where that fails. */
  ready(): Promise<string | undefined>
  begin(request: Omit<DovecotRequest, 'id'>): Promise<{ readonly first: DovecotAnswer; readonly exchange: DovecotExchange }>
  close(): void
}

export interface DovecotContext {
  readonly monotonicMs: () => number
  /** a number of 31 bits, the client's name for the server; new with each connection */
  readonly clientId: () => number
  readonly onTrouble: (cause: string) => void
}

const FIRST_BACKOFF_MS = 500
const MAX_BACKOFF_MS = 30_000
const MAX_UNDER_WAY = 1000
const MAX_MECHANISMS = 64
const LAST_ID = 0x7fff_ffff

interface Link {
  readonly socket: Socket
  readonly pending: Map<number, (answer: DovecotAnswer) => void>
  readonly lines: DovecotLines
  readonly mechanisms: DovecotMechanism[]
  readonly settleReady: (trouble: string | undefined) => void
  version: boolean
  ready: boolean
}

export function createDovecotClient(settings: DovecotSettings, context: DovecotContext): DovecotClient {
  return new Client(settings, context)
}

class Client implements DovecotClient {
  readonly #settings: DovecotSettings
  readonly #context: DovecotContext
  #link: Link | undefined
  #connecting: Promise<string | undefined> | undefined
  #known: readonly DovecotMechanism[] | undefined
  #lastId = 0
  #failures = 0
  #notBeforeMs = -Infinity
  #lastTrouble = ''
  #closed = false

  constructor(settings: DovecotSettings, context: DovecotContext) {
    this.#settings = settings
    this.#context = context
  }

  mechanisms(): readonly DovecotMechanism[] | undefined {
    return this.#known
  }

  async ready(): Promise<string | undefined> {
    if (this.#closed) return 'closed'
    if (this.#link?.ready === true) return undefined
    if (this.#connecting !== undefined) return await this.#connecting
    if (this.#context.monotonicMs() < this.#notBeforeMs) return this.#lastTrouble
    this.#connecting = this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return await this.#connecting
  }

  async begin(request: Omit<DovecotRequest, 'id'>): Promise<{ first: DovecotAnswer; exchange: DovecotExchange }> {
    const none: DovecotExchange = { answer: () => Promise.resolve(unavailable('the exchange is over')), cancel: () => undefined }
    const trouble = await this.ready()
    const link = this.#link
    if (trouble !== undefined || link === undefined) return { first: unavailable(trouble ?? 'not connected'), exchange: none }
    if (link.pending.size >= MAX_UNDER_WAY) return { first: unavailable(`more than ${MAX_UNDER_WAY} logins are under way`), exchange: none }
    const id = this.#nextId(link)
    const first = await this.#ask(link, id, formatAuth({ id, ...request }))
    let open = first.status === 'challenge'
    return {
      first,
      exchange: {
        answer: async (response) => {
          if (!open) return unavailable('the exchange is over')
          const answer = await this.#ask(link, id, formatContinue(id, response))
          open = answer.status === 'challenge'
          return answer
        },
        cancel: () => {
          if (open && this.#link === link) link.socket.write(formatCancel(id))
          open = false
        },
      },
    }
  }

  close(): void {
    this.#closed = true
    const link = this.#link
    if (link !== undefined) this.#lose(link, 'closed')
  }

  #nextId(link: Link): number {
    do this.#lastId = this.#lastId >= LAST_ID ? 1 : this.#lastId + 1
    while (link.pending.has(this.#lastId))
    return this.#lastId
  }

  #ask(link: Link, id: number, line: string): Promise<DovecotAnswer> {
    return new Promise((resolve) => {
      if (this.#link !== link) {
        resolve(unavailable('the connection was lost'))
        return
      }
      const timer = setTimeout(() => {
        link.pending.delete(id)
        // One that answers nobody any more is left; one that is slow for this one only is not.
        if (link.pending.size === 0) this.#lose(link, 'no answer in time')
        else link.socket.write(formatCancel(id))
        resolve(unavailable(`no answer in ${this.#settings.timeoutMs} ms`))
      }, this.#settings.timeoutMs)
      link.pending.set(id, (answer) => {
        clearTimeout(timer)
        link.pending.delete(id)
        resolve(answer)
      })
      link.socket.write(line)
    })
  }

  #connect(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const { socket: place, timeoutMs } = this.#settings
      const socket = connect('path' in place ? { path: place.path } : { host: place.host, port: place.port })
      const timer = setTimeout(() => this.#lose(link, `no greeting in ${timeoutMs} ms`), timeoutMs)
      const link: Link = {
        socket, pending: new Map(), lines: new DovecotLines(), mechanisms: [], version: false, ready: false,
        settleReady: (trouble) => {
          clearTimeout(timer)
          resolve(trouble)
        },
      }
      this.#link = link
      socket.on('connect', () => socket.write(formatHandshake(this.#context.clientId())))
      socket.on('data', (bytes: Buffer) => this.#receive(link, bytes))
      socket.on('error', (error) => this.#lose(link, error.message))
      socket.on('close', () => this.#lose(link, 'the server has closed the connection'))
      // Sessions keep the process alive, not their source of passwords.
      socket.unref()
    })
  }

  #receive(link: Link, bytes: Buffer): void {
    const lines = link.lines.push(bytes)
    if (lines === 'too long') return this.#lose(link, 'a line of the server is too long')
    for (const line of lines) {
      if (this.#link !== link) return
      const parsed = parseDovecotLine(line)
      const wrong = link.ready ? answered(link, parsed) : this.#greeted(link, parsed)
      if (wrong !== undefined) return this.#lose(link, wrong)
    }
  }

  #greeted(link: Link, line: DovecotLine): string | undefined {
    switch (line.word) {
      case 'version':
        link.version = true
        return line.major === MAJOR_VERSION ? undefined : `the server speaks version ${line.major} of the protocol; known here: ${MAJOR_VERSION}`
      case 'mechanism':
        if (link.mechanisms.length < MAX_MECHANISMS) link.mechanisms.push({ name: line.name, flags: line.flags })
        return undefined
      case 'done':
        if (!link.version) return 'the server has not said its version'
        link.ready = true
        this.#known = link.mechanisms
        this.#failures = 0
        this.#lastTrouble = ''
        link.settleReady(undefined)
        return undefined
      case 'malformed': return line.why
      default: return undefined
    }
  }

  /** The connection is over, however that came. */
  #lose(link: Link, cause: string): void {
    if (this.#link !== link) return
    this.#link = undefined
    link.socket.destroy()
    if (!this.#closed && cause !== this.#lastTrouble) this.#context.onTrouble(cause)
    if (!link.ready) {
      this.#lastTrouble = cause
      this.#notBeforeMs = this.#context.monotonicMs() + Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(this.#failures++, 10))
    }
    link.settleReady(cause)
    for (const settle of [...link.pending.values()]) settle(unavailable(cause))
  }
}

function answered(link: Link, line: DovecotLine): string | undefined {
  switch (line.word) {
    case 'continue':
      link.pending.get(line.id)?.({ status: 'challenge', data: line.data })
      return undefined
    case 'ok':
    case 'fail':
      link.pending.get(line.id)?.({ status: line.word === 'ok' ? 'ok' : 'failed', fields: line.fields })
      return undefined
    case 'malformed': return line.why
    case 'version':
    case 'mechanism':
    case 'done':
    case 'other': return undefined
  }
}

function unavailable(cause: string): DovecotAnswer {
  return { status: 'unavailable', cause }
}
