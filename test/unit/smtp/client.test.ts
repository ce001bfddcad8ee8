import { test } from 'node:test'
import assert from 'node:assert/strict'
import { greet, type Introduction } from '../../../src/smtp/client.ts'
import { Loss, type Answer } from '../../../src/smtp/client-connection.ts'

type Step = [command: string, answer: Answer]

const ok: Answer = { status: 250, text: 'ok' }
const welcome: Answer = { status: 220, text: 'mx ESMTP' }
const ehlo = (...keywords: string[]): Answer => ({ status: 250, text: ['mx', ...keywords] })

/** Plays the steps; says what became of it, and whether all steps were needed. */
async function play(greeting: Answer, steps: readonly Step[], change: Partial<Introduction> & { lost?: Loss } = {}) {
  const left = [...steps]
  let secured = 0
  const channel = {
    loss: undefined as Loss | undefined,
    command(line: string): Promise<Answer> {
      const step = left.shift()
      assert.equal(line, `${step?.[0] ?? 'nothing more'}\r\n`)
      if (line === 'STARTTLS\r\n') channel.loss = change.lost
      return Promise.resolve(step?.[1] ?? ok)
    },
  }
  const hello = await greet(channel, Promise.resolve(greeting), {
    protocol: 'smtp', hostname: 'gw.example', timeoutMs: 1, starttls: 'never',
    secure: () => {
      secured++
      return Promise.resolve(undefined)
    },
    ...change,
  })
  assert.deepEqual(left, [])
  return { hello, secured }
}

test('EHLO: the capabilities are learned', async () => {
  const { hello } = await play(welcome, [['EHLO gw.example', ehlo('SIZE 10', 'DSN', 'STARTTLS')]])
  assert.deepEqual(hello.status === 'ready' && [...hello.capabilities], [['SIZE', '10'], ['DSN', ''], ['STARTTLS', '']])
})

test('EHLO with one line: nothing is offered', async () => {
  const { hello } = await play(welcome, [['EHLO gw.example', { status: 250, text: 'DSN' }]])
  assert.ok(hello.status === 'ready' && hello.capabilities.size === 0)
})

test('a server that does not know EHLO gets HELO', async () => {
  for (const status of [500, 502, 504, 550]) {
    const { hello } = await play(welcome, [['EHLO gw.example', { status, text: 'what?' }], ['HELO gw.example', ok]])
    assert.ok(hello.status === 'ready' && hello.capabilities.size === 0)
  }
})

test('a 4xx to EHLO is a refusal', async () => {
  const { hello } = await play(welcome, [['EHLO gw.example', { status: 450, text: 'later' }]])
  assert.deepEqual(hello, { status: 'refused', stage: 'EHLO', reply: { status: 450, text: 'later' } })
})

test('LMTP says LHLO and knows no other', async () => {
  const good = await play(welcome, [['LHLO gw.example', ehlo('PIPELINING')]], { protocol: 'lmtp' })
  assert.equal(good.hello.status, 'ready')
  const bad = await play(welcome, [['LHLO gw.example', { status: 500, text: 'SMTP only' }]], { protocol: 'lmtp' })
  assert.equal(bad.hello.status, 'refused')
})

test('greetings that are none', async () => {
  for (const status of [421, 450, 554]) assert.deepEqual((await play({ status, text: 'no' }, [])).hello, { status: 'refused', stage: 'greeting', reply: { status, text: 'no' } })
  for (const status of [250, 354, 221]) assert.equal((await play({ status, text: 'no' }, [])).hello.status, 'nonsense')
  assert.equal((await play(new Loss('timeout', ''), [])).hello.status, 'lost')
  assert.equal((await play(welcome, [['EHLO gw.example', { status: 220, text: 'x' }]])).hello.status, 'nonsense')
})

test('STARTTLS: EHLO again, and what was learned in clear is forgotten', async () => {
  const { hello, secured } = await play(welcome, [['EHLO gw.example', ehlo('STARTTLS', 'CHUNKING')], ['STARTTLS', welcome], ['EHLO gw.example', ehlo('DSN')]], { starttls: 'if-offered' })
  assert.equal(secured, 1)
  assert.deepEqual(hello.status === 'ready' && [...hello.capabilities.keys()], ['DSN'])
})

test('STARTTLS not offered', async () => {
  const clear = await play(welcome, [['EHLO gw.example', ehlo()]], { starttls: 'if-offered' })
  assert.equal(clear.hello.status, 'ready')
  assert.equal(clear.secured, 0)
  assert.equal((await play(welcome, [['EHLO gw.example', ehlo()]], { starttls: 'always' })).hello.status, 'tls-not-offered')
})

test('STARTTLS refused, closed or failed', async () => {
  const before: Step = ['EHLO gw.example', ehlo('STARTTLS')]
  for (const answer of [{ status: 454, text: '' }, { status: 501, text: '' }, new Loss('closed', '')]) {
    assert.equal((await play(welcome, [before, ['STARTTLS', answer]], { starttls: 'always' })).hello.status, 'tls-failed')
  }
  const failed = await play(welcome, [before, ['STARTTLS', welcome]], { starttls: 'always', secure: () => Promise.resolve(new Loss('tls', 'bad certificate')) })
  assert.deepEqual(failed.hello, { status: 'tls-failed', detail: 'tls: bad certificate' })
  assert.equal((await play(welcome, [before, ['STARTTLS', ok]], { starttls: 'always' })).hello.status, 'nonsense')
})

test('STARTTLS with something behind the 220: no TLS is started and it is no mere failure of TLS', async () => {
  const lost = new Loss('unsolicited', '250 evil')
  const { hello, secured } = await play(welcome, [['EHLO gw.example', ehlo('STARTTLS')], ['STARTTLS', welcome]], { starttls: 'if-offered', lost })
  assert.deepEqual(hello, { status: 'lost', stage: 'STARTTLS', loss: lost })
  assert.equal(secured, 0)
})
