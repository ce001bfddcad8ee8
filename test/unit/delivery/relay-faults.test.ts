import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { createRelayHop } from '../../../src/delivery/relay.ts'
import type { Reply } from '../../../src/smtp/reply.ts'
import { CLIENT, FakeClock, RecordedLog, message, path, relaySettings, send, stage, until, type Peer, type Script } from './scripted-hop.ts'

const codes = (reply: Reply | undefined) => [reply?.status, reply?.subject, reply?.detail]
const UNREACHABLE = [451, 4, 1]
const LOST = [451, 4, 2]
const NONSENSE = [451, 5, 0]
const REFUSES = [451, 3, 2]

test('replies that make no sense where they stand: 451, the connection closed, hop and reply in the log', async (t) => {
  const cases: readonly (readonly [at: string, reply: string])[] = [
    ['MAIL', '220 hello'], ['MAIL', '251 ok'], ['MAIL', '354 go'], ['MAIL', '221 bye'],
    ['RCPT', '252 maybe'], ['RCPT', '354 go'], ['RCPT', '220 what'],
    ['DATA', '250 ok'], ['DATA', '334 go'], ['.', '354 more'], ['.', '251 ok'], ['.', '221 bye'],
  ]
  for (const [at, reply] of cases) {
    const s = await stage(t, async (peer) => {
      await peer.hello()
      await peer.serve((line) => line.startsWith(at) ? reply : undefined)
    })
    assert.deepEqual(codes(await send(s.begin())), NONSENSE, `${reply} to ${at}`)
    await s.hop.peers[0]?.closed()
    const [entry] = s.log.at('warn')
    assert.equal(s.log.entries.length, 1)
    assert.deepEqual([entry?.facts['hop'], entry?.facts['id'], entry?.facts['cause'], entry?.facts['detail']], ['next', 'ID1', 'nonsense', reply])
  }
})

test('bytes that are no reply: 451 and the connection closed, at every stage', async (t) => {
  for (const at of ['MAIL', 'RCPT', 'DATA', '.']) {
    for (const bytes of ['hello', '250-a\r\n550 b', '250 a\nb', '']) {
      const s = await stage(t, async (peer) => {
        await peer.hello()
        await peer.serve((line) => line.startsWith(at) ? bytes : undefined)
      })
      assert.deepEqual(codes(await send(s.begin())), NONSENSE)
      await s.hop.peers[0]?.closed()
      assert.equal(s.log.at('warn')[0]?.facts['cause'], 'malformed')
    }
  }
})

test('421 goes on as 451 with its text, and the connection is closed', async (t) => {
  for (const at of ['MAIL', 'RCPT', 'DATA', '.']) {
    const s = await stage(t, async (peer) => {
      await peer.hello()
      await peer.serve((line) => line.startsWith(at) ? '421-4.3.2 going down\r\n421 4.3.2 come back' : undefined)
    })
    assert.deepEqual(await send(s.begin()), { status: 451, text: ['4.3.2 going down', '4.3.2 come back'] })
    await s.hop.peers[0]?.closed()
    assert.equal(s.log.at('warn').length, 1)
  }
})

test('a hop that closes: 451 4.4.2, at every stage', async (t) => {
  for (const at of ['RCPT', 'DATA', 'text']) {
    for (const end of [(peer: Peer) => peer.end(), (peer: Peer) => peer.reset(), (peer: Peer) => peer.end('250-half a rep')]) {
      const s = await stage(t, async (peer) => {
        await peer.hello()
        for (let line = await peer.line(); !line.startsWith(at); line = await peer.line()) peer.say(line === 'DATA' ? '354 go' : '250 ok')
        end(peer)
      })
      const transaction = s.begin()
      await transaction.mail(path('<a@x>'))
      let reply = await transaction.rcpt(path('<b@x>'))
      if (reply.status === 250) reply = (await transaction.data(message('text\r\n')))[0] ?? reply
      assert.deepEqual(codes(reply), LOST)
      assert.equal(s.log.at('warn').length, 1)
      assert.deepEqual(codes((await transaction.data(message('x')))[0]), LOST)
      assert.equal(s.log.at('warn').length, 1)
    }
  }
})

test('a hop that refuses in its greeting: 451, its own word only in the log', async (t) => {
  for (const greeting of ['554 5.7.1 go away', '421 4.3.2 busy', '450 later']) {
    const s = await stage(t, (peer) => peer.say(greeting))
    assert.deepEqual(codes(await send(s.begin())), REFUSES)
    await s.hop.peers[0]?.closed()
    assert.equal(s.log.at('warn')[0]?.facts['detail'], greeting)
    assert.equal(s.log.at('warn')[0]?.facts['stage'], 'greeting')
  }
})

test('greetings and EHLO replies that are none', async (t) => {
  const cases: readonly (readonly [Script, readonly number[], string])[] = [
    [(peer) => peer.say('250 hello'), NONSENSE, 'greeting'],
    [(peer) => peer.say('SSH-2.0-OpenSSH_9.2'), NONSENSE, 'greeting'],
    [(peer) => peer.end(), LOST, 'greeting'],
    [async (peer) => {
      peer.say('220 mx')
      await peer.line()
      peer.say('354 go')
    }, NONSENSE, 'EHLO'],
    [async (peer) => {
      peer.say('220 mx')
      await peer.line()
      peer.say('550 no')
      await peer.line()
      peer.say('550 no')
    }, REFUSES, 'HELO'],
    [async (peer) => {
      peer.say('220 mx')
      await peer.line()
      peer.say('250-mx\r\n250 DSN\r\n250 for the MAIL to come')
    }, NONSENSE, 'EHLO'],
    [(peer) => peer.say('220 mx\r\n250 for the EHLO to come'), NONSENSE, 'EHLO'],
  ]
  for (const [script, expected, stageName] of cases) {
    const s = await stage(t, script)
    const reply = await send(s.begin())
    assert.deepEqual(codes(reply), expected)
    assert.equal(s.log.at('warn').length, 1)
    assert.equal(s.log.at('warn')[0]?.facts['stage'], stageName)
  }
})

test('a hop that knows HELO only', async (t) => {
  const s = await stage(t, async (peer) => {
    peer.say('220 mx')
    await peer.line()
    peer.say('502 5.5.1 what?')
    assert.equal(await peer.line(), 'HELO gw.test')
    peer.say('250 mx')
    await peer.serve()
  })
  assert.equal((await send(s.begin())).status, 250)
  assert.equal((await s.relay.capabilities())?.size, 0)
})

test('time-outs of every stage: 451 4.4.2, cause timeout', async (t) => {
  // How many replies the hop gives before it falls silent, and how long it is then waited for.
  const cases = [[0, 60_000], [1, 60_000], [2, 61_000], [3, 62_000], [4, 63_000], [5, 65_000]] as const
  for (const [replies, waitMs] of cases) {
    const s = await stage(t, async (peer) => {
      const all = ['220 mx', '250 mx', '250 ok', '250 ok', '354 go']
      for (const [i, reply] of all.slice(0, replies).entries()) {
        if (i > 0) await peer.line()
        peer.say(reply)
      }
      await peer.closed()
    })
    const answer = send(s.begin())
    await until(() => (s.hop.peers[0]?.received.match(/\n/g)?.length ?? 0) >= [0, 1, 2, 3, 4, 8][replies]! && s.hop.peers.length > 0)
    s.clock.advance(waitMs - 1)
    assert.deepEqual(s.log.entries, [])
    s.clock.advance(1)
    assert.deepEqual(codes(await answer), LOST, `after ${replies} replies`)
    assert.equal(s.log.at('warn')[0]?.facts['cause'], 'timeout')
  }
})

test('no connection in time', async () => {
  const [clock, log] = [new FakeClock(), new RecordedLog()]
  const never = new Socket()
  Object.defineProperty(never, 'connecting', { get: () => !never.destroyed, set: () => undefined })
  const relay = createRelayHop(relaySettings({ kind: 'tcp', host: '192.0.2.1', port: 25 }), { hostname: 'gw.test', log, clock, connect: () => never })
  const answer = relay.begin(CLIENT).mail(path('<a@x>'))
  await until(() => never.listenerCount('connect') > 0)
  clock.advance(30_000)
  assert.deepEqual(codes(await answer), UNREACHABLE)
  assert.deepEqual([log.at('warn')[0]?.facts['cause'], log.at('warn')[0]?.facts['stage']], ['timeout', 'connect'])
  await relay.close()
})

test('a unix socket that is not there', async () => {
  const log = new RecordedLog()
  const relay = createRelayHop(relaySettings({ kind: 'unix', path: '/nonexistent/lmtp' }, { kind: 'lmtp' }), { hostname: 'gw.test', log, clock: new FakeClock() })
  assert.deepEqual(codes(await relay.begin(CLIENT).mail(path('<a@x>'))), UNREACHABLE)
  assert.equal(log.at('warn')[0]?.facts['peer'], 'unix:/nonexistent/lmtp')
})

test('an address that cannot even be tried', async () => {
  const log = new RecordedLog()
  const connect = () => {
    throw new RangeError('port out of range')
  }
  const relay = createRelayHop(relaySettings({ kind: 'tcp', host: '127.0.0.1', port: 99_999 }), { hostname: 'gw.test', log, clock: new FakeClock(), connect })
  assert.deepEqual(codes(await relay.begin(CLIENT).mail(path('<a@x>'))), UNREACHABLE)
  assert.match(String(log.at('warn')[0]?.facts['detail']), /out of range/)
  await relay.close()
})

test('what the hop says of us, not of the client, is no reason to return the mail', async (t) => {
  const cases: readonly (readonly [at: string, reply: string, passes: boolean])[] = [
    ['MAIL', '530 5.7.0 Must issue a STARTTLS command first', false], ['MAIL', '530 5.7.1 Authentication required', false],
    ['MAIL', '538 encryption', false], ['MAIL', '503 5.5.1 EHLO first', false], ['MAIL', '502 what', false],
    ['RCPT', '503 5.5.1 MAIL first', false], ['RCPT', '530 5.7.1 Authentication required', false], ['DATA', '503 5.5.1 RCPT first', false], ['DATA', '502 no', false],
    ['MAIL', '550 5.7.1 you are not liked', true], ['MAIL', '501 5.1.7 bad address', true], ['MAIL', '500 5.3.0 Error: command failed', true], ['RCPT', '500 5.5.2 line too long', true], ['RCPT', '550 no', true], ['.', '503 odd', true],
    ['RCPT', '534 5.7.9 too weak', false], ['RCPT', '535 5.7.8 no', false], ['DATA', '530 5.7.0 log in', false], ['MAIL', '550 5.7.57 Client not authenticated', false],
    ['.', '530 5.7.57 Client not authenticated to send mail', false], ['.', '530 5.7.0 log in', false], ['.', '534 5.7.9 weak', false], ['.', '535 5.7.8 no', false], ['.', '538 5.7.11 no', false],
    ['.', '550 5.7.57 Client not authenticated', false],
    // A policy on messages uses the code too, and an older hop any.
    ['.', '554 5.7.9 Message not accepted for policy reasons', true], ['.', '550 5.7.1 Client was not authenticated', true], ['.', '550 5.7.570 x', true], ['.', '502 odd', true],
  ]
  for (const [at, reply, passes] of cases) {
    const s = await stage(t, async (peer) => {
      await peer.hello()
      await peer.serve((line) => line.startsWith(at) ? reply : undefined)
    })
    const answer = await send(s.begin())
    if (passes) assert.equal(answer.status, Number(reply.slice(0, 3)))
    else assert.deepEqual(codes(answer), REFUSES, `${reply} to ${at}`)
    assert.deepEqual(s.log.at('warn').map((one) => one.facts['detail']), passes ? [] : [reply])
  }
})
