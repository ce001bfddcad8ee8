/** What a transcript cannot say of AUTH: faults of the exchange, clients that go away, who is told what. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Authentication, SaslExchange, SaslStep } from '../../../src/smtp/authentication.ts'
import { decodeBase64 } from '../../../src/smtp/base64.ts'
import type { SessionOptions } from '../../../src/smtp/conversation.ts'
import { formatReply } from '../../../src/smtp/reply.ts'
import * as replies from '../../../src/smtp/reply-catalogue.ts'
import { Session } from '../../../src/smtp/session.ts'
import type { SessionFacts, SessionHandler } from '../../../src/smtp/session-handler.ts'
import { SessionInput } from '../../../src/smtp/session-input.ts'
import { FakeTransport } from '../../support/fake-transport.ts'
import { tlsFacts } from '../../support/tls-facts.ts'

const OPTIONS: SessionOptions = {
  hostname: 'mx.example', protocol: 'smtp', tls: 'offered', newlines: 'normalise', peer: { address: '192.0.2.7', port: 4321, localAddress: '192.0.2.1' }, trust: { xclient: true, xforward: false },
  limits: { messageBytes: 10_000, commandLineBytes: 512, recipients: 10, errors: 20, unknownCommands: 10, junkCommands: 1000 },
  timeouts: { commandMs: 300_000, dataMs: 180_000, handshakeMs: 30_000, sessionMs: 3_600_000 },
}
const settled = () => new Promise((resolve) => setImmediate(resolve))
const ANNA: Authentication = { login: 'anna@example.org', mechanism: 'X' }
const IN: SaslStep = { status: 'authenticated', authentication: ANNA }

class Exchange implements SaslExchange {
  readonly heard: (string | null)[] = []
  aborts = 0
  step: (response: Buffer | null) => Promise<SaslStep>

  constructor(step: (response: Buffer | null) => Promise<SaslStep> | SaslStep) {
    this.step = async (response) => {
      this.heard.push(response?.toString('latin1') ?? null)
      return step(response)
    }
  }

  abort(): void {
    this.aborts++
  }
}

async function stage(exchange: SaslExchange, change: Partial<SessionHandler> = {}) {
  const transport = new FakeTransport()
  const errors: unknown[] = []
  const told: unknown[] = []
  let facts: SessionFacts | undefined
  const session = new Session({ transport, options: OPTIONS, now: () => 0, onError: (error) => errors.push(error) }, (of) => {
    facts = of
    return {
      connect: () => replies.greeting('mx.example', 'smtp'), hello: () => new Map(), mail: () => Promise.resolve(replies.OK), rcpt: () => Promise.resolve(replies.OK),
      message: () => assert.fail('no message'), reset: () => undefined, closed: () => undefined,
      mechanisms: () => ['X'], authenticate: () => exchange, authenticated: (by) => told.push([by, facts?.authentication]), ...change,
    }
  })
  const say = async (text: string) => {
    session.receive(Buffer.from(text, 'latin1'))
    await settled()
    return transport.take()
  }
  session.start()
  await say('EHLO a\r\n')
  return { session, transport, errors, told, say, facts: () => facts as SessionFacts }
}

test('the exchange hears bytes, and its challenges are base64', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
  const exchange = new Exchange((response) => (response === null ? { status: 'challenge', data: bytes } : IN))
  const { say, told, facts } = await stage(exchange)
  assert.equal(await say('AUTH X\r\n'), `334 ${bytes.toString('base64')}\r\n`)
  assert.equal(await say(`${bytes.toString('base64')}\r\n`), '235 2.7.0 Authentication succeeded\r\n')
  assert.deepEqual(exchange.heard, [null, bytes.toString('latin1')])
  assert.deepEqual(told, [[ANNA, ANNA]], 'it is in the facts when the handler is told')
  assert.equal(facts().authentication, ANNA)
  assert.equal(facts().localAddress, '192.0.2.1')
  assert.equal(exchange.aborts, 0)
})

test('who has logged in is forgotten at STARTTLS and XCLIENT, and TLS then is the peer\'s', async () => {
  const login = async () => {
    const s = await stage(new Exchange(() => IN))
    await s.say('AUTH X\r\n')
    assert.equal(s.facts().authentication, ANNA)
    return s
  }
  const certificate = { authorized: true, fingerprint256: 'AA', subject: 'CN=proxy', emails: [] }
  const one = await login()
  await one.say('STARTTLS\r\n')
  one.session.secured(tlsFacts({ clientCertificate: certificate, channelBinding: () => Buffer.from('x') }))
  assert.equal(one.facts().authentication, undefined)
  assert.equal(one.facts().tls?.clientCertificate, certificate)
  await one.say('EHLO a\r\nAUTH X\r\nXCLIENT LOGIN=root DESTADDR=192.0.2.99\r\n')
  assert.deepEqual([one.facts().authentication, one.facts().login, one.facts().localAddress], [undefined, 'root', '192.0.2.99'])
  assert.deepEqual([one.facts().tls?.clientCertificate, one.facts().tls?.channelBinding('tls-exporter')], [undefined, undefined])
  // A hello and a RSET are no reason to forget.
  const two = await login()
  await two.say('RSET\r\nHELO b\r\nEHLO c\r\n')
  assert.equal(two.facts().authentication, ANNA)
})

for (const [what, end] of [
  ['goes away', ({ session }) => session.lost()], ['is told to go', ({ session }) => session.close(replies.CLOSING_DOWN)], ['cancels', ({ say }) => say('*\r\n')],
  ['says what is no base64', ({ say }) => say('?\r\n')], ['says too much', ({ say }) => say('A'.repeat(12_287) + '\r\n')], ['ends a line badly', ({ say }) => say('AAAA\n')],
  ['is stopped', ({ session }) => session.stop()],
] as const satisfies readonly (readonly [string, (s: Awaited<ReturnType<typeof stage>>) => unknown])[]) {
  test(`a client that ${what}: the exchange is told, once`, async () => {
    const exchange = new Exchange(() => ({ status: 'challenge', data: Buffer.alloc(0) }))
    const s = await stage(exchange)
    await s.say('AUTH X\r\n')
    await end(s)
    s.session.lost()
    assert.equal(exchange.aborts, 1)
    assert.deepEqual(s.errors, [])
  })
}

test('a client that goes away while its password is checked is not logged in', async () => {
  let answer: (step: SaslStep) => void = () => undefined
  const exchange = new Exchange(() => new Promise((resolve) => (answer = resolve)))
  const { say, session, told, facts, transport } = await stage(exchange)
  await say('AUTH X AAAA\r\nMAIL FROM:<a@b.example>\r\n')
  session.lost()
  assert.equal(exchange.aborts, 1)
  answer(IN)
  await settled()
  assert.deepEqual([told, facts().authentication, transport.take()], [[], undefined, ''])
})

test('a client that has said all it wants to say still hears the outcome', async () => {
  const { say, session, transport } = await stage(new Exchange(() => IN))
  session.inputEnded()
  assert.equal(await say('AUTH X AAAA\r\n'), '')
  assert.ok(transport.ended)
  let answer: (step: SaslStep) => void = () => undefined
  const late = await stage(new Exchange(() => new Promise((resolve) => (answer = resolve))))
  await late.say('AUTH X AAAA\r\n')
  late.session.inputEnded()
  answer(IN)
  await settled()
  assert.equal(late.transport.take(), '235 2.7.0 Authentication succeeded\r\n')
  assert.ok(late.transport.ended)
})

const CLOSING = formatReply({ ...replies.INTERNAL, status: 421 })
for (const [what, exchange] of [
  ['rejects', new Exchange(() => Promise.reject(new Error('bug')))],
  ['refuses with success', new Exchange(() => ({ status: 'refused', reply: { status: 250, text: 'well' } }))],
  ['refuses with a challenge', new Exchange(() => ({ status: 'refused', reply: { status: 334, text: '' } }))],
] as const) {
  test(`an exchange that ${what} is a bug: 421, and nobody is logged in`, async () => {
    const { say, errors, facts, transport } = await stage(exchange)
    assert.equal(await say('AUTH X AAAA\r\n'), CLOSING)
    assert.ok(transport.ended)
    assert.deepEqual([errors.length, facts().authentication], [1, undefined])
  })
}

test('an exchange without end', async () => {
  const { say, errors } = await stage(new Exchange(() => ({ status: 'challenge', data: Buffer.alloc(0) })))
  const said = await say('AUTH X\r\n' + 'AAAA\r\n'.repeat(30))
  assert.equal(said, '334 \r\n'.repeat(20) + CLOSING)
  assert.equal(errors.length, 1)
})

test('mechanisms are asked for anew: what is offered no more cannot be begun', async () => {
  let mechanisms: string[] = ['X']
  const { say } = await stage(new Exchange(() => IN), { mechanisms: () => mechanisms })
  mechanisms = ['Y']
  assert.match(await say('AUTH X AAAA\r\n'), /^504 /)
  mechanisms = []
  assert.match(await say('AUTH X AAAA\r\n'), /^500 5\.5\.1 /)
})

test('base64: whole groups of the alphabet, padded at the end', () => {
  for (const text of ['', 'AA==', 'AAA=', 'AAAA', 'AAAAAA==', '+/+/', 'AB==']) assert.deepEqual(decodeBase64(text), Buffer.from(text, 'base64'), text)
  for (const text of ['A', 'AA', 'AAA', 'AA=', 'A===', '====', '=', 'AA==AA==', 'AAAA=', 'AA-_', 'AA A', ' AAAA', 'AAAA\n', 'AAA\0', 'ÄAAA']) assert.equal(decodeBase64(text), undefined, text)
})

test('lines are the same however they come', () => {
  const text = 'one\r\n\r\ntoo long a line\r\nbare\nx\r\n'
  const expected = [{ status: 'line', text: 'one' }, { status: 'line', text: '' }, { status: 'too-long', whole: true }, { status: 'bare' }, { status: 'line', text: 'x' }]
  for (let cut = 0; cut <= text.length; cut++) {
    const input = new SessionInput()
    const lines: unknown[] = []
    let skipping = false
    for (const piece of [text.slice(0, cut), text.slice(cut)]) {
      input.append(Buffer.from(piece))
      while (input.waiting > 0) {
        if (skipping) {
          skipping = !input.skipLine()
          continue
        }
        const line = input.takeLine(8)
        if (line === undefined) break
        lines.push(line.status === 'too-long' ? { status: 'too-long', whole: true } : line)
        skipping = line.status === 'too-long' && !line.whole
      }
      input.tidy()
    }
    assert.deepEqual(lines, expected, String(cut))
  }
})
