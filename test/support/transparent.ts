/**
 * A transparent session without sockets: between a client whose bytes a test
 * gives and a relay that answers by itself, line by line. The relay can be
 * strict about line ends, or as lax as the laxest servers are.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { createSpool } from '../../src/message/spool.ts'
import type { StoredMessage } from '../../src/message/message.ts'
import type { MakePassingMessage, PassingEnvelope, PassingVerdict } from '../../src/transparent/passing-message.ts'
import type { MessageEnd, TransparentOptions, TransparentPorts } from '../../src/transparent/session-ports.ts'
import { TransparentSession } from '../../src/transparent/session.ts'

export interface RelayScript {
  /** by verb, what is answered instead of the usual; '' : nothing at all */
  readonly replies?: Readonly<Record<string, string>>
  /** takes CR, LF and CR LF for line ends everywhere, and leaves NUL out */
  readonly lax?: boolean
}

const USUAL: Readonly<Record<string, string>> = {
  '': '220 relay.example ESMTP\r\n',
  EHLO: '250-relay.example\r\n250-PIPELINING\r\n250-STARTTLS\r\n250-SIZE 1000\r\n250-CHUNKING\r\n250 BINARYMIME\r\n',
  DATA: '354 go on\r\n', QUIT: '221 bye\r\n', '.': '250 2.0.0 taken\r\n',
}

/** Understands commands and DATA, and keeps what it was told. */
export class ScriptedRelay {
  readonly commands: string[] = []
  readonly messages: string[] = []
  private readonly script: RelayScript
  private input = ''
  private inData = false
  private lines: string[] = []

  constructor(script: RelayScript) {
    this.script = script
  }

  reply(verb: string): string {
    return this.script.replies?.[verb] ?? USUAL[verb] ?? '250 ok\r\n'
  }

  /** Takes bytes; returns its replies. */
  feed(bytes: string): string {
    this.input += this.script.lax === true ? bytes.replaceAll('\0', '') : bytes
    let said = ''
    for (let line = this.line(); line !== undefined; line = this.line()) said += this.take(line)
    return said
  }

  private line(): string | undefined {
    const end = this.script.lax === true ? /\r\n|\n|\r(?!$)/.exec(this.input) : /\r\n/.exec(this.input)
    if (end === null) return undefined
    const line = this.input.slice(0, end.index)
    this.input = this.input.slice(end.index + end[0].length)
    return line
  }

  private take(line: string): string {
    if (!this.inData) {
      const verb = line.split(' ')[0]?.toUpperCase() ?? ''
      this.commands.push(line)
      const reply = this.reply(verb)
      this.inData = reply.startsWith('354')
      this.lines = []
      return reply
    }
    if (line !== '.') {
      this.lines.push(line.startsWith('.') ? line.slice(1) : line)
      return ''
    }
    this.inData = false
    this.messages.push(this.lines.map((one) => `${one}\r\n`).join(''))
    return this.reply('.')
  }
}

export interface Played {
  readonly toClient: string
  readonly commands: readonly string[]
  readonly messages: readonly string[]
  readonly ends: readonly MessageEnd[]
  readonly errors: readonly string[]
  readonly envelopes: readonly PassingEnvelope[]
  /** `end`: closed behind the last reply */
  readonly client: 'open' | 'ended'
  readonly relay: 'open' | 'ended' | 'dropped'
}

export interface PlayOptions extends RelayScript {
  readonly options?: Partial<TransparentOptions>
  /** what is done to messages; default: a field on top */
  readonly verdict?: (body: StoredMessage, envelope: PassingEnvelope) => PassingVerdict | Promise<PassingVerdict>
}

export class Stage implements TransparentPorts {
  readonly session: TransparentSession
  readonly relay: ScriptedRelay
  readonly envelopes: PassingEnvelope[] = []
  readonly ends: MessageEnd[] = []
  readonly errors: string[] = []
  toClientText = ''
  toRelayText = ''
  clientState: Played['client'] = 'open'
  relayState: Played['relay'] = 'open'
  readonly reading = { client: true, relay: true }
  now = 0
  /** what the other side's buffers say */
  full = { client: false, relay: false }
  private pending = ''

  constructor(play: PlayOptions = {}) {
    this.relay = new ScriptedRelay(play)
    this.session = new TransparentSession(this, {
      newlines: 'pass', maxMessageBytes: 1_000_000, maxLineBytes: 2000, timeouts: { clientMs: 1000, relayMs: 2000 },
      makeMessage: this.makeMessage(play), now: () => this.now, onEnd: (end) => this.ends.push(end), onError: (error) => this.errors.push(error instanceof Error ? error.message : String(error)),
      ...play.options,
    })
  }

  private makeMessage({ verdict = (body) => ({ status: 'send', prefix: Buffer.from('X-Passed: yes\r\n'), body }) }: PlayOptions): MakePassingMessage {
    return (envelope) => {
      this.envelopes.push(envelope)
      const spool = createSpool({ directory: '/nonexistent', memoryBytes: 1_000_000 })
      return { append: (piece) => spool.append(Buffer.from(piece)), finish: async () => verdict(await spool.finish(), envelope), discard: () => spool.discard() }
    }
  }

  /** The relay is connected and says its banner. */
  async greet(): Promise<void> {
    this.session.fromRelay(Buffer.from(this.relay.reply('')))
    await this.settled()
  }

  async client(bytes: string): Promise<void> {
    this.session.fromClient(Buffer.from(bytes, 'latin1'))
    await this.settled()
  }

  /** Until nobody has anything to say. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await turn()
      if (this.pending === '') continue
      const said = this.pending
      this.pending = ''
      quiet = -1
      this.session.fromRelay(Buffer.from(said, 'latin1'))
    }
  }

  played(): Played {
    const { toClientText, relay: { commands, messages }, ends, errors, envelopes, clientState, relayState } = this
    return { toClient: toClientText, commands, messages, ends, errors, envelopes, client: clientState, relay: relayState }
  }

  /* --- TransparentPorts --- */

  toClient(text: string): boolean {
    if (this.clientState === 'open') this.toClientText += text
    return !this.full.client
  }

  toRelay(bytes: Buffer | string): boolean {
    if (this.relayState !== 'open') return true
    const text = typeof bytes === 'string' ? bytes : bytes.toString('latin1')
    this.toRelayText += text
    this.pending += this.relay.feed(text)
    return !this.full.relay
  }

  readClient(wanted: boolean): void {
    this.reading.client = wanted
  }

  readRelay(wanted: boolean): void {
    this.reading.relay = wanted
  }

  endClient(): void {
    this.clientState = 'ended'
  }

  endRelay(): void {
    if (this.relayState === 'open') this.relayState = 'ended'
  }

  dropRelay(): void {
    if (this.relayState === 'open') this.relayState = 'dropped'
  }
}

/** A whole session: the client's bytes in the pieces that are given. */
export async function playPieces(pieces: readonly string[], play: PlayOptions = {}): Promise<Played> {
  const stage = new Stage(play)
  await stage.greet()
  for (const piece of pieces) await stage.client(piece)
  return stage.played()
}
