/**
 * Engines that take connections, and answer pings where the case says so, but
 * have no whole answer for any message: each is set aside, mail goes on at full
 * speed, and the log says so once.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineAddress, EngineSettings } from '../../../../src/spam/engines/settings.ts'
import { until } from '../../../support/process.ts'
import { clamav, engineFor, engineMessage, ground, HAM, rspamd, spamassassin } from '../../../support/spam-engines.ts'
import { fakeEngine, type FakeConnection } from './fake-engine.ts'

type Common = Pick<EngineSettings, 'timeoutMs' | 'breaker'> & { readonly address: EngineAddress }

interface Protocol {
  readonly settings: (common: Common) => EngineSettings
  readonly isPing: (received: string) => boolean
  readonly pong: string
  /** whether all of a message is there */
  readonly whole: (received: string) => boolean
  readonly answer: string
}

const JSON_ANSWER = '{"score": 1, "required_score": 15, "action": "no action", "symbols": {}}'
const http = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
// What our short message and the letter end with.
const ended = (received: string): boolean => /(?:in time\.|Anna)\r\n$/.test(received)

const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  rspamd: { settings: rspamd, isPing: (received) => /^GET \/ping[^]*\r\n\r\n$/.test(received), pong: http('pong\r\n'), whole: ended, answer: http(JSON_ANSWER) },
  spamd: { settings: spamassassin, isPing: (received) => received.startsWith('PING '), pong: 'SPAMD/1.5 0 PONG\r\n', whole: ended, answer: 'SPAMD/1.1 0 EX_OK\r\nContent-length: 2\r\nSpam: False ; 1.0 / 5.0\r\n\r\n\r\n' },
  clamd: { settings: clamav, isPing: (received) => received === 'zPING\0', pong: 'PONG\0', whole: (received) => received.endsWith('\0\0\0\0'), answer: 'stream: OK\0' },
}

/** What happens instead of an answer. */
const FAULTS: Readonly<Record<string, (connection: FakeConnection, protocol: Protocol) => void | Promise<void>>> = {
  'answers pings and no message': () => undefined,
  'answers half, and then nothing': ({ say }, { answer }) => say(answer.slice(0, -1)),
  'drips its answer': ({ socket }, { answer }) => {
    let sent = 0
    const drip = setInterval(() => {
      if (sent < 5) socket.write(answer.slice(sent, ++sent))
    }, 20)
    socket.on('close', () => clearInterval(drip))
  },
  'closes in the middle': async ({ socket, say }, { answer }) => {
    await say(answer.slice(0, -1))
    socket.end()
  },
  'speaks of something else': async ({ socket, say }) => {
    await say('220 mx.example.org ESMTP\r\n\r\n\0')
    socket.end()
  },
}

for (const [kind, protocol] of Object.entries(PROTOCOLS)) {
  for (const [fault, befall] of Object.entries(FAULTS)) {
    test(`${kind} that ${fault}`, async (t) => {
      let healed = false
      const fake = await fakeEngine(t, async (connection) => {
        let received = ''
        await connection.until((so) => {
          received = so
          return protocol.isPing(so) || protocol.whole(so)
        })
        if (protocol.isPing(received)) await connection.say(protocol.pong)
        else if (healed) await connection.say(protocol.answer)
        else await befall(connection, protocol)
      })
      const context = ground()
      const engine = engineFor(t, protocol.settings({ address: fake.address, timeoutMs: 150, breaker: { failures: 3, firstPauseMs: 60_000, mostPauseMs: 600_000 } }), context)
      const scans = await Promise.all(Array.from({ length: 3 }, () => engine.scan(engineMessage(HAM))))
      assert.deepEqual(scans.map(({ status }) => status), ['temperror', 'temperror', 'temperror'])
      await until('it is set aside', () => engine.health().breaker === 'open')
      const asked = fake.connections.length
      for (let i = 0; i < 50; i++) {
        const aside = await engine.scan(engineMessage(HAM))
        assert.ok(aside.status === 'temperror' && aside.cause.startsWith('set aside since'), JSON.stringify(aside))
      }
      assert.equal(fake.connections.length, asked)
      // One message is the try, and nobody else waits for it.
      context.advance(60_000)
      const [trial, meanwhile] = await Promise.all([engine.scan(engineMessage(HAM)), engine.scan(engineMessage(HAM))])
      assert.deepEqual([trial.status, meanwhile.status === 'temperror' && / it is being tried$/.test(meanwhile.cause)], ['temperror', true])
      await until('the try has failed', () => engine.health().failures === 4)
      healed = true
      context.advance(120_000)
      assert.notEqual((await engine.scan(engineMessage(HAM))).status, 'temperror')
      assert.deepEqual(context.logged.map(({ level, text }) => [level, text]), [
        ['warn', 'a spam engine is set aside, and mail goes on without it'], ['info', 'a spam engine answers again'],
      ])
    })
  }
}
