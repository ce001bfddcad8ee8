/**
 * A client may take minutes over its message, and a hop waits only so long for
 * DATA. What the hop gave up by then is not lost for the client.
 */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import type { Reply } from '../../../src/smtp/reply.ts'
import { message, path, stage, until, type Peer, type Script, type Stage } from './scripted-hop.ts'

const LOST = [451, 4, 2]
const codes = (reply: Reply | undefined) => [reply?.status, reply?.subject, reply?.detail]

const ENVELOPE = ['EHLO gw.test', 'MAIL FROM:<a@x>', 'RCPT TO:<b@x>', 'RCPT TO:<d@x>']

/** Takes the envelope (c@x excepted) and then does `end`. */
const gone = (end: (peer: Peer) => void, ...extensions: readonly string[]): Script => async (peer) => {
  await peer.hello(...extensions)
  for (let line = ''; line !== 'RCPT TO:<d@x>';) {
    line = await peer.line()
    peer.say(line === 'RCPT TO:<c@x>' ? '550 no c' : '250 ok')
  }
  end(peer)
}

const takes = (answer?: (line: string) => string | undefined, ...extensions: readonly string[]): Script => async (peer) => {
  await peer.hello(...extensions)
  await peer.serve(answer)
}

async function envelope(s: Stage): Promise<(text: string, change?: Parameters<typeof message>[1]) => Promise<readonly Reply[]>> {
  const transaction = s.begin()
  assert.equal((await transaction.mail(path('<a@x>'))).status, 250)
  for (const [wire, status] of [['<b@x>', 250], ['<c@x>', 550], ['<d@x>', 250]] as const) assert.equal((await transaction.rcpt(path(wire))).status, status)
  return (text, change) => transaction.data(message(text, change))
}

const ENDS: readonly (readonly [string, (peer: Peer) => void])[] = [
  ['closed', (peer) => peer.end()],
  ['reset', (peer) => peer.reset()],
  ['421 and closed', (peer) => peer.end('421 4.4.2 timeout exceeded')],
]

for (const [name, end] of ENDS) {
  test(`a hop that left while the client was sending (${name}): envelope and message go over a new connection`, async (t) => {
    const s = await stage(t, [gone(end), takes()])
    const data = await envelope(s)
    await s.hop.peers[0]?.closed()
    assert.deepEqual((await data('late\r\n')).map((one) => one.status), [250])
    assert.deepEqual(s.hop.peers[1]?.lines, [...ENVELOPE, 'DATA'])
    assert.match(s.hop.peers[1].received, /late\r\n\.\r\n/)
    assert.equal(s.log.at('warn').length, 0)
    assert.deepEqual([s.log.at('info').length, s.log.at('info')[0]?.facts['hop']], [1, 'next'])
  })
}

test('a hop that says 421 to DATA, or closes at it', async (t) => {
  const closing: Script = async (peer) => {
    await peer.hello()
    await peer.serve((line) => line === 'DATA' ? '421 4.4.2 timeout exceeded' : line === 'RCPT TO:<c@x>' ? '550 no' : undefined)
  }
  const s = await stage(t, [closing, takes()])
  assert.deepEqual((await (await envelope(s))('late\r\n')).map((one) => one.status), [250])
})

test('by BDAT too, and where the new connection has no CHUNKING by DATA', async (t) => {
  for (const [extensions, verb] of [[['CHUNKING'], 'BDAT 6 LAST'], [[], 'DATA']] as const) {
    const s = await stage(t, [gone((peer) => peer.end(), 'CHUNKING'), takes(undefined, ...extensions)])
    const data = await envelope(s)
    await s.hop.peers[0]?.closed()
    assert.deepEqual((await data('late\r\n', { chunked: true })).map((one) => one.status), [250])
    assert.deepEqual(s.hop.peers[1]?.lines, [...ENVELOPE, verb])
  }
})

test('a binary message whose new connection has no CHUNKING is refused for now, not changed', async (t) => {
  const s = await stage(t, [gone((peer) => peer.end(), 'CHUNKING', 'BINARYMIME'), takes()])
  const data = await envelope(s)
  await s.hop.peers[0]?.closed()
  assert.deepEqual((await data('late', { chunked: true, binary: true })).map(codes), [[451, 3, 3]])
  assert.equal(s.hop.peers[1]?.lines.some((line) => /^(BDAT|DATA)/.test(line)), false)
})

test('a recipient, or the sender, that the hop does not take again: 451 for all, and nothing is sent', async (t) => {
  for (const refused of ['RCPT TO:<d@x>', 'MAIL FROM:<a@x>']) {
    const s = await stage(t, [gone((peer) => peer.end()), takes((line) => line === refused ? '550 5.1.1 gone' : undefined)])
    const data = await envelope(s)
    await s.hop.peers[0]?.closed()
    assert.deepEqual((await data('late\r\n')).map(codes), [LOST])
    assert.equal(s.hop.peers[1]?.lines.includes('DATA'), false)
    await until(() => s.hop.peers[1]?.lines.at(-1) === 'RSET')
    assert.equal(s.log.at('warn').length, 1)
    assert.match(String(s.log.at('warn')[0]?.facts['detail']), /5\.1\.1 gone/)
  }
})

test('LMTP: one reply for each recipient, on the new connection', async (t) => {
  const lmtp: Script = async (peer) => {
    await peer.hello()
    for (let line = await peer.line(); line !== 'DATA'; line = await peer.line()) peer.say('250 ok')
    peer.say('354 go')
    await peer.through('\r\n.\r\n')
    peer.say('250 one\r\n452 two')
    await peer.serve()
  }
  const s = await stage(t, [gone((peer) => peer.end()), lmtp], { kind: 'lmtp' })
  const data = await envelope(s)
  await s.hop.peers[0]?.closed()
  assert.deepEqual((await data('late\r\n')).map((one) => one.status), [250, 452])
})

test('once, and not twice; and a hop that is down is 451', async (t) => {
  const s = await stage(t, [gone((peer) => peer.end()), gone((peer) => peer.end()), takes()])
  const data = await envelope(s)
  await s.hop.peers[0]?.closed()
  assert.deepEqual((await data('late\r\n')).map(codes), [LOST])
  assert.equal(s.hop.peers.length, 2)
})

test('a hop that was sent a part of the message is not asked again: it may have it', async (t) => {
  const s = await stage(t, [async (peer) => {
    await peer.hello()
    for (let line = await peer.line(); line !== 'DATA'; line = await peer.line()) peer.say(line === 'RCPT TO:<c@x>' ? '550 no' : '250 ok')
    peer.say('354 go')
    await peer.through('late')
    peer.end()
  }, takes()])
  assert.deepEqual((await (await envelope(s))('late\r\n')).map(codes), [LOST])
  assert.equal(s.hop.peers.length, 1)
})

test('aborted while the envelope goes over the new connection', async (t) => {
  let asked: () => void = () => undefined
  const second = new Promise<void>((resolve) => asked = resolve)
  const s = await stage(t, [gone((peer) => peer.end()), async (peer) => {
    await peer.hello()
    await peer.line()
    asked()
    await peer.closed()
  }])
  const transaction = s.begin()
  await transaction.mail(path('<a@x>'))
  await transaction.rcpt(path('<d@x>'))
  await s.hop.peers[0]?.closed()
  const answer = transaction.data(message('late\r\n'))
  await second
  transaction.abort()
  assert.deepEqual((await answer).map(codes), [LOST])
  await s.relay.close()
})
