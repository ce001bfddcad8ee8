/** What a transcript cannot say: faults of the handler, back pressure, the bounds of memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatReply, type Reply } from '../../../src/smtp/reply.ts'
import * as replies from '../../../src/smtp/reply-catalogue.ts'
import { Session } from '../../../src/smtp/session.ts'
import type { SessionOptions } from '../../../src/smtp/conversation.ts'
import type { MessageSink, SessionFacts, SessionHandler } from '../../../src/smtp/session-handler.ts'
import { FakeTransport } from '../../support/fake-transport.ts'
import { tlsFacts } from '../../support/tls-facts.ts'

const OPTIONS: SessionOptions = {
  hostname: 'mx.example', protocol: 'smtp', tls: 'none', newlines: 'normalise',
  peer: { address: '192.0.2.7', port: 4321 }, trust: { xclient: true, xforward: false },
  limits: { messageBytes: 10_000_000, commandLineBytes: 4096, recipients: 1000, errors: 20, unknownCommands: 10, junkCommands: 100_000 },
  timeouts: { commandMs: 300_000, dataMs: 180_000, handshakeMs: 30_000, sessionMs: 3_600_000 },
}
const FINE: Reply = { status: 250, text: 'fine' }
const settled = () => new Promise((resolve) => setImmediate(resolve))

class Handler implements SessionHandler {
  readonly written: Buffer[] = []
  aborted = 0
  closes = 0
  /** set to make `write` ask for patience */
  patience: (() => Promise<void>) | undefined

  connect(): Reply | Promise<Reply> {
    return replies.greeting('mx.example', 'smtp')
  }

  hello(): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>> {
    return new Map()
  }

  mail(): Promise<Reply> {
    return Promise.resolve(FINE)
  }

  rcpt(): Promise<Reply> {
    return Promise.resolve(FINE)
  }

  message(): MessageSink {
    return {
      write: (piece) => {
        this.written.push(Buffer.from(piece))
        return this.patience?.()
      },
      end: () => Promise.resolve([FINE]),
      refuse: (reason) => [reason],
      abort: () => {
        this.aborted++
      },
    }
  }

  reset(): void {
    // nothing is kept
  }

  closed(): void {
    this.closes++
  }
}

function stage(handler: SessionHandler = new Handler()) {
  const transport = new FakeTransport()
  const errors: unknown[] = []
  let facts: SessionFacts | undefined
  let nowMs = 0
  const session = new Session({ transport, options: OPTIONS, now: () => nowMs, onError: (error) => errors.push(error) }, (of) => {
    facts = of
    return handler
  })
  const say = async (text: string) => {
    session.receive(Buffer.from(text, 'latin1'))
    await settled()
    return transport.take()
  }
  return { transport, session, errors, say, facts: () => facts as SessionFacts, wait: (ms: number) => (nowMs += ms) }
}

const CLOSING = formatReply({ ...replies.INTERNAL, status: 421 })

for (const [what, fault] of [
  ['connect', { connect: () => { throw new Error('bug') } }],
  ['connect, later', { connect: () => Promise.reject(new Error('bug')) }],
] as const) {
  test(`a fault in ${what} ends the session with 421`, async () => {
    const { session, transport, errors } = stage(Object.assign(new Handler(), fault))
    session.start()
    await settled()
    assert.equal(transport.take(), CLOSING)
    assert.ok(transport.ended)
    assert.equal(errors.length, 1)
  })
}

const bug = () => { throw new Error('bug') }
const later = () => Promise.reject(new Error('bug'))
const FAULTS: readonly (readonly [name: string, fault: Partial<SessionHandler>])[] = [
  ['hello', { hello: bug }], ['hello, later', { hello: later }],
  ['mail', { mail: bug }], ['mail, later', { mail: later }],
  ['rcpt', { rcpt: bug }], ['rcpt, later', { rcpt: later }],
  ['message', { message: bug }],
  ['write', { message: () => ({ write: bug, end: later, refuse: bug, abort: () => undefined }) }],
  ['end', { message: () => ({ write: () => undefined, end: bug, refuse: bug, abort: () => undefined }) }],
  ['end, later', { message: () => ({ write: () => undefined, end: later, refuse: bug, abort: () => undefined }) }],
]

for (const [name, fault] of FAULTS) {
  test(`a fault in ${name} ends the session with 421, and the process lives`, async () => {
    const { session, transport, errors, say } = stage(Object.assign(new Handler(), fault))
    session.start()
    const said = await say('EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nx\r\n.\r\nNOOP\r\n')
    assert.ok(said.endsWith(CLOSING), said)
    assert.ok(!said.includes('250 2.0.0 OK'), 'nothing behind the fault is obeyed')
    assert.ok(transport.ended)
    assert.equal(errors.length, 1)
    // A session that is over stays over.
    session.tick()
    session.receive(Buffer.from('NOOP\r\n'))
    session.lost()
    session.stop()
    assert.equal(transport.pending, '')
  })
}

test('a session that lasts too long ends, however busy its client is', async () => {
  let nowMs = 0
  const handler = new Handler()
  const waiting: ((reply: Reply) => void)[] = []
  handler.mail = () => new Promise((resolve) => waiting.push(resolve))
  const transport = new FakeTransport()
  const session = new Session({ transport, options: OPTIONS, now: () => nowMs, onError: (error) => assert.fail(String(error)) }, () => handler)
  session.start()
  session.receive(Buffer.from('EHLO a\r\nMAIL FROM:<a@b.example>\r\nRSET\r\n'))
  nowMs = OPTIONS.timeouts.sessionMs
  session.tick()
  assert.equal(transport.ended, false)
  waiting[0]?.(FINE)
  await settled()
  assert.ok(transport.pending.endsWith(formatReply(replies.SESSION_TOO_LONG)), transport.pending)
  assert.ok(transport.ended)
})

test('a session that waits reads at most 64 KB and one piece ahead, then lets the client wait', async () => {
  const handler = new Handler()
  let go: () => void = () => undefined
  handler.rcpt = () => new Promise((resolve) => (go = () => resolve(FINE)))
  const { session, transport, say } = stage(handler)
  session.start()
  await say('EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n')
  const piece = Buffer.from('NOOP\r\n'.repeat(2000))
  let given = 0
  while (!transport.paused) {
    session.receive(piece)
    given += piece.length
    assert.ok(given <= 64 * 1024 + piece.length, 'the client is not held back')
  }
  go()
  await settled()
  assert.ok(!transport.paused)
  const said = transport.take()
  assert.equal(said.split('250 2.0.0 OK\r\n').length - 1, given / 6)
})

test('a message waits for a slow sink, byte for byte', async () => {
  const handler = new Handler()
  const waiting: (() => void)[] = []
  handler.patience = () => new Promise((resolve) => waiting.push(resolve))
  const { session, transport, say } = stage(handler)
  session.start()
  await say('EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n')
  const line = 'x'.repeat(998) + '\r\n'
  for (let i = 0; i < 200; i++) {
    session.receive(Buffer.from(line))
    if (transport.paused) waiting.shift()?.()
    await settled()
  }
  session.receive(Buffer.from('.\r\n'))
  for (let i = 0; i < 500 && transport.pending === ''; i++) {
    waiting.shift()?.()
    await settled()
  }
  assert.equal(transport.take(), '250 fine\r\n')
  assert.equal(Buffer.concat(handler.written).toString(), line.repeat(200))
})

test('replies to a client that does not read are bounded', async () => {
  const { session, transport, say } = stage()
  session.start()
  await say('EHLO a\r\n')
  transport.reading = false
  const piece = Buffer.from('HELP\r\n'.repeat(1000))
  for (let i = 0; i < 100 && !transport.paused; i++) session.receive(piece)
  assert.ok(transport.paused, 'the client is not held back')
  assert.ok(transport.pending.length < 20_000, `${transport.pending.length} characters wait`)
})

test('many small pieces of one long line cost one line', async () => {
  const { session, transport } = stage()
  session.start()
  transport.take()
  for (let i = 0; i < 10_000; i++) session.receive(Buffer.from('xxxxxxxxxx'))
  session.receive(Buffer.from('\r\nNOOP\r\n'))
  await settled()
  assert.equal(transport.take(), formatReply(replies.LINE_TOO_LONG) + formatReply(replies.OK))
})

test('the time-out of a client that stops in the middle of a flood of replies', async () => {
  const { session, transport, say, wait } = stage()
  session.start()
  await say('EHLO a\r\n')
  transport.reading = false
  session.receive(Buffer.from('HELP\r\n'.repeat(1000)))
  wait(300_000)
  session.tick()
  assert.ok(transport.ended)
})

test('the facts of the session follow what was said', async () => {
  const { session, say, facts } = stage()
  session.start()
  assert.deepEqual([facts().address, facts().helo, facts().protocol, facts().tls], ['192.0.2.7', undefined, 'SMTP', undefined])
  await say('EHLO one.example\r\n')
  assert.deepEqual([facts().helo, facts().protocol], ['one.example', 'ESMTP'])
  await say('XCLIENT ADDR=198.51.100.9 PORT=7 NAME=n.example LOGIN=u\r\n')
  assert.deepEqual([facts().address, facts().port, facts().name, facts().login, facts().helo], ['198.51.100.9', 7, 'n.example', 'u', undefined])
  await say('HELO two.example\r\n')
  assert.deepEqual([facts().helo, facts().protocol], ['two.example', 'SMTP'])
  session.secured(tlsFacts())
  assert.deepEqual([facts().helo, facts().tls?.version], [undefined, 'TLSv1.3'])
})
