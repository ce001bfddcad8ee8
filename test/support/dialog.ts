/**
 * Plays SMTP dialogs: transcripts in text files (see dialog-text.ts), read by
 * anyone who knows SMTP, through `Session` and `FrontDoor` with a fake
 * connection and fake next hops. No sockets; the clock and the decision IDs
 * (ID1, ID2, …) are injected.
 *
 * A dialog is played line by line, byte by byte and with neighbouring C lines
 * in one piece; all at once too, where nothing in it depends on time. One with
 * a `>` line accounts for all that its hops were told. What does not hold is an
 * assertion error that names the line.
 */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import type { NextHop } from '../../src/delivery/next-hop.ts'
import { inboundRoutes, outboundRoutes } from '../../src/delivery/routes.ts'
import type { Log } from '../../src/observe/log.ts'
import type { FrontDoorSettings } from '../../src/front-door.ts'
import { FrontDoor } from '../../src/pipeline.ts'
import { parseDomain } from '../../src/smtp/address.ts'
import type { SessionOptions } from '../../src/smtp/conversation.ts'
import type { Domain } from '../../src/smtp/envelope.ts'
import * as replies from '../../src/smtp/reply-catalogue.ts'
import { Session } from '../../src/smtp/session.ts'
import type { Dialog, Step } from './dialog-text.ts'
import { FakeHop } from './fake-hop.ts'
import { scriptedAuthenticator } from './scripted-authenticator.ts'
import { FakeTransport } from './fake-transport.ts'
import { NOTHING_KEPT, NOTHING_SIGNED } from './door-context.ts'
import { tlsFacts } from './tls-facts.ts'

export type Way = 'lines' | 'bytes' | 'groups' | 'once'

const ALL_EXTENSIONS = '8BITMIME SMTPUTF8 DSN ENHANCEDSTATUSCODES CHUNKING BINARYMIME'

/* --- the stage --- */

function milliseconds(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? []
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit]
  if (factor === undefined) throw new Error(`not a duration: ${text}`)
  return Number(amount) * factor
}

function pairs(text: string | undefined): [string, string][] {
  if (text === undefined || text === '') return []
  return text.split(/[;,] */).map((pair) => {
    const equals = pair.indexOf('=')
    return equals < 0 ? [pair.trim(), ''] : [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]
  })
}

function makeHops(dialog: Dialog, events: string[]): Map<string, FakeHop> {
  const definitions = (dialog.options.get('hop') ?? `backend smtp ${ALL_EXTENSIONS}`).split('; ')
  return new Map(definitions.map((definition) => {
    const [name = '', kind = '', ...offers] = definition.split(' ')
    if (kind !== 'smtp' && kind !== 'lmtp' && kind !== 'maildir') throw new Error(`${dialog.file}:${dialog.line}: hop: NAME smtp|lmtp|maildir KEYWORD…`)
    return [name, new FakeHop(name, kind, { offers: capabilities(offers), events, prefix: definitions.length > 1 ? `${name}: ` : '' })]
  }))
}

function capabilities(offers: readonly string[]): ReadonlyMap<string, string> | undefined {
  if (offers[0] === 'down') return undefined
  return new Map(offers.map((offer) => {
    const [keyword = '', value = ''] = offer.split('=')
    return [keyword, value]
  }))
}

function makeDoor(dialog: Dialog, hops: ReadonlyMap<string, FakeHop>): FrontDoorSettings {
  const { options } = dialog
  const [first] = hops.values()
  if (first === undefined) throw new Error('a dialog has a hop')
  const byDomain = new Map<Domain, NextHop>(pairs(options.get('domains') ?? 'hop.example').map(([name, hop]) => {
    const domain = parseDomain(name)
    const target = hop === '' ? first : hops.get(hop)
    if (domain === null || target === undefined) throw new Error(`${dialog.file}:${dialog.line}: domains: NAME or NAME=HOP`)
    return [domain, target]
  }))
  return {
    listener: 'test',
    hostname: 'mx.example',
    protocol: options.get('protocol') === 'lmtp' ? 'lmtp' : 'smtp',
    mayUse: (address) => options.get('may-use') !== 'no' && options.get('may-use') !== address,
    routes: options.get('role') === 'outbound' ? outboundRoutes(first) : inboundRoutes(byDomain, first),
    addReceived: options.get('received') === 'yes',
    maxReceived: Number(options.get('max-received') ?? 50),
    inbound: undefined, ...NOTHING_SIGNED, authenticator: scriptedAuthenticator(options.get('auth')),
    spool: { directory: tmpdir(), memoryBytes: 1024 * 1024 },
  }
}

function makeOptions(dialog: Dialog): SessionOptions {
  const { options } = dialog
  const trust = (options.get('trust') ?? '').split(/[ ,]+/)
  const tls = options.get('tls') ?? 'none'
  if (tls !== 'none' && tls !== 'offered' && tls !== 'required') throw new Error('tls: none, offered or required')
  const client = options.get('client') ?? '192.0.2.7'
  return {
    hostname: 'mx.example',
    protocol: options.get('protocol') === 'lmtp' ? 'lmtp' : 'smtp',
    tls,
    requireAuthentication: options.get('auth')?.startsWith('required ') === true,
    newlines: options.get('newlines') === 'refuse' ? 'refuse' : 'normalise',
    peer: client === 'unix' ? { address: undefined, port: undefined } : { address: client, port: 4321 },
    trust: { xclient: trust.includes('xclient'), xforward: trust.includes('xforward') },
    limits: {
      messageBytes: 100_000, commandLineBytes: 4096, recipients: 100, errors: 20, unknownCommands: 10, junkCommands: 100,
      ...Object.fromEntries(pairs(options.get('limits')).map(([key, value]) => [key, Number(value)])),
    },
    timeouts: {
      commandMs: 300_000, dataMs: 180_000, handshakeMs: 30_000, sessionMs: 3_600_000,
      ...Object.fromEntries(pairs(options.get('timeouts')).map(([key, value]) => [key, milliseconds(value)])),
    },
  }
}

/** Whatever can go on without the client, the clock or a scripted hop has gone on. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

export class Stage {
  readonly transport = new FakeTransport()
  readonly session: Session
  readonly events: string[] = []
  readonly hops: ReadonlyMap<string, FakeHop>
  readonly logged: Readonly<Record<string, unknown>>[] = []
  readonly errors: unknown[] = []
  nowMs = 0
  /** decision IDs given out: one for each transaction */
  ids = 0

  constructor(dialog: Dialog) {
    this.hops = makeHops(dialog, this.events)
    const door = makeDoor(dialog, this.hops)
    const now = () => this.nowMs
    const context = { ...NOTHING_KEPT, log: this.makeLog(), newId: () => `ID${++this.ids}`, now, date: () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5)) }
    this.session = new Session(
      { transport: this.transport, options: makeOptions(dialog), now, onError: (error) => this.errors.push(error) },
      (facts) => new FrontDoor(() => door, context, facts),
    )
  }

  private makeLog(): Log {
    const keep = (facts: Readonly<Record<string, unknown>>, text: string) => {
      if (text === 'message') this.logged.push(facts)
    }
    return { debug: keep, info: keep, warn: keep, error: keep }
  }

  hop(name: string | undefined): FakeHop {
    const found = name === undefined ? this.hops.values().next().value : this.hops.get(name)
    if (found === undefined) throw new Error(`no hop ${name ?? ''}`)
    return found
  }
}

const DIRECTIVES: Readonly<Record<string, (stage: Stage, argument: string) => void>> = {
  /** time passes; the session is ticked as the server would */
  wait: (stage, argument) => {
    stage.nowMs += milliseconds(argument)
    stage.session.tick()
  },
  /** the server stops */
  stop: ({ session }) => session.stop(),
  /** the server's patience is over */
  abort: ({ session }) => session.close(replies.CLOSING_DOWN),
  /** the handshake that STARTTLS began is done */
  tls: ({ session, transport }) => {
    assert.equal(transport.handshakes, 1, 'no handshake was begun')
    session.secured(tlsFacts())
  },
  /** the client closes its side and goes on reading */
  eof: ({ session }) => session.inputEnded(),
  /** the connection is gone */
  lost: ({ session }) => session.lost(),
  closed: ({ transport }) => assert.ok(transport.ended, 'the session is still open'),
  open: ({ transport }) => assert.ok(!transport.ended, 'the session is closed'),
  /** the hop gives the answers that it held back */
  answer: (stage) => {
    for (const hop of stage.hops.values()) hop.release()
  },
  'client-stops-reading': ({ transport }) => {
    transport.reading = false
  },
  'client-reads': ({ session, transport }) => {
    transport.reading = true
    session.drained()
  },
  offers: (stage, argument) => {
    stage.hop(undefined).offers = capabilities(argument.split(' '))
  },
  /** nothing is said here */
  silence: () => undefined,
}

/* --- the play --- */

export function ways(dialog: Dialog): Way[] {
  const firstClient = dialog.steps.findIndex((step) => step.kind === 'client')
  const timeless = dialog.steps.every((step, index) =>
    step.kind === 'directive' ? step.text === 'closed' : step.kind === 'script' ? index < firstClient : true)
  return timeless ? ['lines', 'bytes', 'groups', 'once'] : ['lines', 'bytes', 'groups']
}

export async function play(dialog: Dialog, way: Way): Promise<void> {
  const stage = new Stage(dialog)
  const performance = new Performance(dialog, stage)
  stage.session.start()
  await settled()
  await begin(dialog, stage)
  const steps = way === 'groups' ? grouped(dialog.steps) : way === 'once' ? atOnce(dialog.steps) : dialog.steps
  for (const step of steps) await performance.step(step, way === 'bytes')
  await settled()
  performance.end()
}

/** What `begin: …` leaves out of the transcript. */
async function begin(dialog: Dialog, stage: Stage): Promise<void> {
  const wanted = dialog.options.get('begin')
  if (wanted === undefined) return
  const hello = dialog.options.get('protocol') === 'lmtp' ? 'LHLO' : wanted === 'HELO' ? 'HELO' : 'EHLO'
  const commands = ['', `${hello} client.example`, 'MAIL FROM:<a@client.example>', 'RCPT TO:<b@hop.example>']
  const last = ['greeting', hello, 'MAIL', 'RCPT'].indexOf(wanted)
  assert.ok(last >= 0, `begin: greeting, ${hello}, MAIL or RCPT`)
  for (const command of commands.slice(1, last + 1)) {
    stage.session.receive(Buffer.from(`${command}\r\n`))
    await settled()
  }
  assert.match(stage.transport.take(), /^(?:2\d\d[ -].*\r\n)+$/, 'the beginning')
  stage.events.length = 0
}

function grouped(steps: readonly Step[]): Step[] {
  const together: Step[] = []
  for (const step of steps) {
    const before = together.at(-1)
    if (step.kind === 'client' && before?.kind === 'client') together[together.length - 1] = { ...before, text: before.text + step.text }
    else together.push(step)
  }
  return together
}

/** All that the client says in one piece, then all that must come of it. */
function atOnce(steps: readonly Step[]): Step[] {
  const said = steps.filter((step) => step.kind === 'client')
  const [first] = said
  if (first === undefined) return [...steps]
  const opening = steps.slice(0, steps.indexOf(first))
  const rest = steps.slice(opening.length).filter((step) => step.kind !== 'client')
  return [...opening, { ...first, text: said.map((step) => step.text).join('') }, ...rest]
}

class Performance {
  private readonly dialog: Dialog
  private readonly stage: Stage
  private before: Step | null = null
  private sawEvents = false

  constructor(dialog: Dialog, stage: Stage) {
    this.dialog = dialog
    this.stage = stage
  }

  async step(step: Step, byBytes: boolean): Promise<void> {
    const { stage } = this
    switch (step.kind) {
      case 'client':
        if (this.before?.kind !== 'client') this.expectSilence(step)
        for (const piece of byBytes ? step.text : [step.text]) {
          stage.session.receive(Buffer.from(piece, 'latin1'))
          await settled()
        }
        break
      case 'server':
        this.expectLine(step)
        break
      case 'script':
        stage.hop(step.hop).script(step.verb, step.answer)
        break
      case 'event':
        this.sawEvents = true
        this.fail(step, () => assert.equal(stage.events.shift() ?? '(nothing)', step.text, 'what the hop was told'))
        break
      case 'log':
        this.expectLog(step)
        break
      case 'directive':
        // Time may pass between a reply and the moment a test looks at it.
        if (!step.text.startsWith('wait')) this.expectSilence(step)
        await this.direct(step)
    }
    this.before = step
  }

  end(): void {
    const last: Step = this.dialog.steps.at(-1) ?? { kind: 'directive', text: '', line: this.dialog.line }
    this.expectSilence(last)
    const { stage } = this
    this.fail(last, () => {
      assert.deepEqual(stage.errors, [], 'the session failed')
      if (this.sawEvents) assert.deepEqual(stage.events, [], 'the hop was told more')
      for (const hop of stage.hops.values()) {
        assert.deepEqual(hop.violations, [], `calls to hop ${hop.name}`)
        assert.equal(hop.unusedScripts, 0, `answers of hop ${hop.name} that nobody asked for`)
      }
      const closes = this.dialog.steps.some((step) => step.kind === 'directive' && (step.text === 'closed' || step.text === 'lost'))
      if (!closes) assert.ok(!stage.transport.ended, 'the session ended')
    })
  }

  private async direct(step: Step): Promise<void> {
    const [name = '', ...argument] = step.text.split(' ')
    const directive = DIRECTIVES[name]
    if (directive === undefined) throw new Error(`${this.dialog.file}:${step.line}: no directive (${name}); allowed are ${Object.keys(DIRECTIVES).join(', ')}`)
    this.fail(step, () => directive(this.stage, argument.join(' ')))
    await settled()
  }

  private expectLine(step: Step): void {
    const { transport } = this.stage
    const said = transport.take()
    this.fail(step, () => assert.equal(said.slice(0, said.indexOf('\n') + 1) || said, step.text, 'what we say'))
    transport.unread(said.slice(step.text.length))
  }

  private expectSilence(step: Step): void {
    this.fail(step, () => assert.equal(this.stage.transport.pending, '', 'nothing more may be said'))
  }

  private expectLog(step: Step): void {
    const facts = this.stage.logged.shift()
    this.fail(step, () => {
      assert.ok(facts, 'no line in the log')
      for (const [key, value] of step.text.split(/, (?=[a-z]+=)/i).map((pair) => /^(\w+)=(.*)$/.exec(pair)?.slice(1) ?? [])) {
        assert.equal(String(facts[key ?? '']), value, `${key} in the log`)
      }
    })
  }

  /** Says which line of which file does not hold. */
  private fail(step: Step, check: () => void): void {
    try {
      check()
    } catch (error) {
      throw new Error(`${this.dialog.file}:${step.line}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
}
