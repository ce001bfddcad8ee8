/** The hop on this machine wants a password: what it hears of us, and what its refusals cost. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import type { HopTlsSettings, SocketAddress } from '../../../src/config/settings.ts'
import { createRelayHop } from '../../../src/delivery/relay.ts'
import { connectTo } from '../../../src/delivery/relay-socket.ts'
import { CERTIFICATE, CERTIFICATE_NAME, PRIVATE_KEY } from '../../support/certificate.ts'
import { CLIENT, FakeClock, path, RecordedLog, relaySettings, ScriptedHop, send, stage, until, type Peer, type Script, type Stage } from './scripted-hop.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-login-'))
after(() => rmSync(directory, { recursive: true }))

const b64 = (text: string) => Buffer.from(text).toString('base64')
const plain = (user: string, password: string) => `AUTH PLAIN ${b64(`\0${user}\0${password}`)}`

let files = 0
function passwordFile(content: string): string {
  const file = join(directory, `${++files}.pw`)
  writeFileSync(file, content)
  chmodSync(file, 0o600)
  return file
}

/** Answers AUTH PLAIN by the line, and then serves. */
const server = (answer: (line: string) => string, auth = 'AUTH PLAIN'): Script => async (peer: Peer) => {
  await peer.hello(auth)
  await peer.serve((line) => (line.startsWith('AUTH') ? answer(line) : undefined))
}
const accepts = server((line) => (line === plain('anna', 'secret') ? '235 2.7.0 welcome' : '535 5.7.8 wrong'))

function linesOf(s: Stage): string[][] {
  return s.hop.peers.map((peer) => peer.lines)
}

test('we log in once for a connection, and say AUTH=<> for whom we do not know', async (t) => {
  const s = await stage(t, accepts, { login: { user: 'anna', passwordFile: passwordFile('secret\n') } })
  assert.equal((await send(s.begin())).status, 250)
  assert.equal((await send(s.begin())).status, 250)
  const mail = ['MAIL FROM:<from@x.test> AUTH=<>', 'RCPT TO:<to@y.test>', 'DATA']
  assert.deepEqual(linesOf(s), [['EHLO gw.test', plain('anna', 'secret'), ...mail, ...mail]])
})

const SECRET = 'Tr0ub4dor-and-more'
const echoes: readonly (readonly [what: string, auth: string, answer: (line: string) => string, cause: RegExp])[] = [
  ['refuses AUTH', 'AUTH PLAIN', (line) => `500 5.5.1 Command unrecognized: "${line}"`, /500 5\.5\.1 Command unrecognized: "AUTH PLAIN \[hidden\]"/],
  ['refuses AUTH, in lines, cut', 'AUTH PLAIN', (line) => `535-5.7.8 ${line.slice(0, 24)}\r\n535 5.7.8 ${line.slice(24)}`, /535 5\.7\.8 AUTH PLAIN \[hidden\] \/ 5\.7\.8 \[hidden\]/],
  ['refuses the password', 'AUTH LOGIN', (line) => (line === 'AUTH LOGIN' ? `334 ${b64('Username:')}` : line === b64('anna') ? `334 ${b64('Password:')}` : `500 unrecognized: "${line}"`), /500 unrecognized: "\[hidden\]"/],
  ['puts us off', 'AUTH PLAIN', (line) => `454 4.7.0 not now: ${line}, ${SECRET}`, /454 4\.7\.0 not now: AUTH PLAIN \[hidden\], \[hidden\]/],
  ['says what is no answer', 'AUTH PLAIN', (line) => `250 ok ${line}`, /250 ok AUTH PLAIN \[hidden\]/],
  ['asks in two lines', 'AUTH PLAIN', (line) => `334-${line}\r\n334 ${line}`, /334 AUTH PLAIN \[hidden\] \/ AUTH PLAIN \[hidden\]/],
  ['says more than was asked', 'AUTH PLAIN', (line) => `235 ok\r\n500 unknown ${line}`, /500 unknown AUTH PLAIN \[hidden\]/],
  ['says nonsense', 'AUTH PLAIN', (line) => `unknown: ${line}`, /AUTH PLAIN \[hidden\]/],
]
for (const [what, auth, answer, cause] of echoes) {
  test(`a hop that repeats our line as it ${what}: the log does not`, async (t) => {
    const s = await stage(t, async (peer) => {
      await peer.hello(auth)
      await peer.serve((line) => (/^(?:EHLO|MAIL|QUIT)/.test(line) ? undefined : answer(line)))
    }, { login: { user: 'anna', passwordFile: passwordFile(SECRET) } })
    assert.equal((await send(s.begin())).status, 451)
    const text = s.log.entries.flatMap(({ facts }) => [facts['reply'], facts['detail']]).join(' ')
    assert.match(text, cause)
    for (const secret of [SECRET, b64(SECRET), b64(`\0anna\0${SECRET}`)]) {
      for (let at = 0; at + 8 <= secret.length; at++) assert.ok(!text.includes(secret.slice(at, at + 8)), `${text} has ${secret.slice(at, at + 8)}`)
    }
  })
}

test('a hop that repeats it after the login: neither the client hears it nor the log', async (t) => {
  const s = await stage(t, server((line) => (line.startsWith('AUTH') ? '235 ok' : '250 ok')), { login: { user: 'anna', passwordFile: passwordFile(SECRET) } })
  const transaction = s.begin()
  assert.equal((await transaction.mail(path('<a@x.test>'))).status, 250)
  const peer = s.hop.peers[0]
  peer?.say(`500 unknown: ${plain('anna', SECRET)}`)
  await until(() => s.log.entries.length > 0 || peer?.socket.destroyed === true)
  const reply = await transaction.rcpt(path('<b@x.test>'))
  const all = JSON.stringify([reply, s.log.entries])
  assert.match(all, /unknown: AUTH PLAIN \[hidden\]/)
  assert.ok(!all.includes(b64(`\0anna\0${SECRET}`)))
})

test('what a client is vouched for passes', async (t) => {
  const s = await stage(t, accepts, { login: { user: 'anna', passwordFile: passwordFile('secret') } })
  assert.equal((await s.begin().mail(path('<a@x.test>', 'AUTH=b+40x.test', 'SIZE=3'))).status, 250)
  assert.equal(linesOf(s)[0]?.[2], 'MAIL FROM:<a@x.test> AUTH=b+40x.test')
})

test('without a login nothing is said of AUTH, whatever the client said', async (t) => {
  const s = await stage(t, accepts)
  assert.equal((await s.begin().mail(path('<a@x.test>', 'AUTH=b@x.test'))).status, 250)
  assert.deepEqual(linesOf(s), [['EHLO gw.test', 'MAIL FROM:<a@x.test>']])
})

test('a wrong password: 4xx for the client, one error in the log, and a pause that grows', async (t) => {
  const s = await stage(t, accepts, { login: { user: 'anna', passwordFile: passwordFile('hunter2') } })
  const wrong = async () => {
    const reply = await send(s.begin())
    assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 7, 0])
  }
  for (let i = 0; i < 5; i++) await wrong()
  assert.equal(s.hop.peers.length, 1, 'one guess')
  const [error, ...more] = s.log.at('error')
  assert.equal(more.length, 0)
  assert.match(error?.text ?? '', /refuses our login: correct user and password_file, then reload/)
  assert.deepEqual({ ...error?.facts, peer: '' }, { hop: 'next', peer: '', stage: 'AUTH', user: 'anna', mechanism: 'PLAIN', reply: '535 5.7.8 wrong', pausedMs: 60_000 })
  assert.ok(!JSON.stringify(s.log.entries).includes('hunter2') && !JSON.stringify(s.log.entries).includes(b64('\0anna\0hunter2')))

  s.clock.advance(59_999)
  await wrong()
  assert.equal(s.hop.peers.length, 1)
  s.clock.advance(1)
  await wrong()
  assert.equal(s.hop.peers.length, 2)
  s.clock.advance(119_999)
  await wrong()
  assert.equal(s.hop.peers.length, 2)
})

test('until the hop has let us in, one connection at a time tries, and the others share what it hears', async (t) => {
  let guesses = 0
  const answers: (() => void)[] = []
  const s = await stage(t, async (peer) => {
    await peer.hello('AUTH PLAIN')
    await peer.line()
    guesses++
    await new Promise<void>((resolve) => answers.push(resolve))
    peer.say(guesses === 1 ? '535 5.7.8 wrong' : '235 welcome')
    await peer.serve((line) => (line.startsWith('AUTH') ? '235 welcome' : undefined))
  }, { login: { user: 'anna', passwordFile: passwordFile('secret') } })
  const round = async (): Promise<number[]> => {
    const sent = [1, 2, 3, 4].map(() => send(s.begin()))
    await until(() => answers.length > 0)
    assert.equal(answers.length, 1)
    const all = Promise.all(sent)
    let done = false
    void all.then(() => (done = true))
    await until(() => {
      for (const answer of answers.splice(0)) answer()
      return done
    })
    return (await all).map(({ status }) => status)
  }
  assert.deepEqual(await round(), [451, 451, 451, 451])
  assert.equal(guesses, 1)
  s.clock.advance(60_000)
  assert.deepEqual(await round(), [250, 250, 250, 250])
})

test('a server that has no secret for the better mechanism hears one guess more, once', async (t) => {
  const mechanisms: string[] = []
  const s = await stage(t, async (peer) => {
    await peer.hello('AUTH PLAIN CRAM-MD5')
    await peer.serve((line) => {
      if (line === 'AUTH CRAM-MD5') return `334 ${b64('<1@mx.test>')}`
      if (!/^(?:AUTH|[A-Za-z0-9+/=]{20,}$)/.test(line)) return undefined
      mechanisms.push(line.startsWith('AUTH') ? 'PLAIN' : 'CRAM-MD5')
      return '535 5.7.8 no'
    })
  }, { login: { user: 'anna', passwordFile: passwordFile('secret') } })
  for (const pauseMs of [60_000, 120_000, 240_000]) {
    assert.equal((await send(s.begin())).status, 451)
    s.clock.advance(pauseMs)
  }
  assert.deepEqual(mechanisms, ['CRAM-MD5', 'PLAIN', 'PLAIN', 'PLAIN'])
})

test('a reload with the right password ends the pause', async (t) => {
  const file = passwordFile('hunter2')
  const s = await stage(t, accepts, { login: { user: 'anna', passwordFile: file } })
  assert.equal((await send(s.begin())).status, 451)
  writeFileSync(file, 'secret\n')
  assert.equal((await send(s.begin())).status, 451)
  await s.relay.reload()
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 2)
})

test('a file that others may read is not used, and no connection is made', async (t) => {
  const file = passwordFile('secret')
  chmodSync(file, 0o644)
  const s = await stage(t, accepts, { login: { user: 'anna', passwordFile: file } })
  for (let i = 0; i < 3; i++) assert.equal((await send(s.begin())).status, 451)
  assert.equal(s.hop.peers.length, 0)
  const [error, ...more] = s.log.at('error')
  assert.equal(more.length, 0)
  assert.match(String(error?.facts['detail']), /permissions 0644 are too open/)
  assert.equal(error?.facts['file'], file)
  chmodSync(file, 0o600)
  s.clock.advance(5000)
  assert.equal((await send(s.begin())).status, 250)
})

test('a hop that puts us off is asked again soon, and is no error of ours', async (t) => {
  let times = 0
  const s = await stage(t, server(() => (++times === 1 ? '454 4.7.0 later' : '235 welcome')), { login: { user: 'anna', passwordFile: passwordFile('secret') } })
  assert.equal((await send(s.begin())).status, 451)
  assert.equal((await send(s.begin())).status, 451)
  s.clock.advance(5000)
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 2)
  assert.deepEqual([s.log.at('error').length, s.log.at('warn').length], [0, 1])
})

test('a hop that offers no way to log in is not used without', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('AUTH GSSAPI')
    await peer.serve()
  }, { login: { user: 'anna', passwordFile: passwordFile('secret') } })
  assert.equal((await send(s.begin())).status, 451)
  assert.equal(s.log.at('error')[0]?.facts['offered'], 'GSSAPI')
  assert.ok(!linesOf(s).flat().some((line) => line.startsWith('MAIL')))
})

test('a hop that closes at the login, or stays silent', async (t) => {
  const s = await stage(t, [async (peer) => {
    await peer.hello('AUTH PLAIN')
    await peer.line()
    peer.end()
  }, async (peer) => {
    await peer.hello('AUTH PLAIN')
    await peer.line()
    s.clock.advance(60_000)
  }], { login: { user: 'anna', passwordFile: passwordFile('secret') } })
  assert.equal((await send(s.begin())).status, 451)
  s.clock.advance(5000)
  assert.equal((await send(s.begin())).status, 451)
  assert.deepEqual(s.log.at('warn').map(({ facts }) => facts['cause']), ['closed', 'timeout'])
})

test('something unasked behind the 235 ends the connection', async (t) => {
  const s = await stage(t, server(() => '235 welcome\r\n250 and more'), { login: { user: 'anna', passwordFile: passwordFile('secret') } })
  const reply = await send(s.begin())
  assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 5, 0])
})

for (const [reply, passes] of [
  ['530 5.7.0 Authentication required', false], ['535 5.7.8 no', false], ['534 5.7.9 weak', false], ['538 5.7.11 TLS', false], ['525 5.7.13 disabled', false], ['550 5.7.8 bad credentials', false], ['554 5.7.9 x', false],
  ['550 5.7.1 you may not send as this', true], ['553 5.7.80 x', true], ['524 5.2.4 Mailing list expansion problem', true], ['550 5.1.1 no such user', true], ['450 5.7.8 x', true],
] as const) {
  test(`${reply}: ${passes ? 'is the client\'s to hear' : 'is about us'}`, async (t) => {
    const s = await stage(t, async (peer) => {
      await peer.hello()
      await peer.serve((line) => (line.startsWith('MAIL') ? reply : undefined))
    })
    const got = await s.begin().mail(path('<a@x.test>'))
    assert.equal(got.status, passes ? Number(reply.slice(0, 3)) : 451)
  })
}

/** A hop that seems to be far away: what goes there goes over networks of others. */
async function far(t: TestContext, script: Script, tls: HopTlsSettings) {
  const hop = new ScriptedHop([script])
  const address = await hop.listen('tcp')
  t.after(() => hop.stop())
  const log = new RecordedLog()
  const connect = (to: SocketAddress) => Object.defineProperty(connectTo(to), 'remoteAddress', { value: '198.51.100.9' })
  const relay = createRelayHop(relaySettings(address, { tls, login: { user: 'anna', passwordFile: passwordFile('secret') } }), { hostname: 'gw.test', log, clock: new FakeClock(), connect })
  const reply = await send(relay.begin(CLIENT))
  return { reply, log, lines: hop.peers.flatMap((peer) => peer.lines) }
}

const tlsWith = (mode: HopTlsSettings['mode'], verify: boolean, ca?: string): HopTlsSettings => ({ mode, verify, name: CERTIFICATE_NAME, ca })
const underTls = (auth: string): Script => async (peer) => {
  await peer.hello('STARTTLS', 'AUTH PLAIN')
  await peer.line()
  peer.say('220 go')
  peer.secure({ cert: CERTIFICATE, key: PRIVATE_KEY })
  await peer.ehlo(auth)
  await peer.serve((line) => (line.startsWith('AUTH') ? '235 welcome' : undefined))
}

for (const [what, script, tls] of [
  ['in clear', server(() => '235 welcome', 'AUTH PLAIN LOGIN CRAM-MD5'), tlsWith('off', false)],
  ['in clear, though SCRAM would not show it: mail would follow', server(() => '235 welcome', 'AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS PLAIN'), tlsWith('off', false)],
  ['by SCRAM under TLS that nobody verified', underTls('AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS'), tlsWith('opportunistic', false)],
  ['in clear, where TLS was only hoped for', server(() => '235 welcome'), tlsWith('opportunistic', false)],
  ['under TLS that nobody verified', underTls('AUTH PLAIN LOGIN CRAM-MD5'), tlsWith('opportunistic', false)],
  ['under TLS that was to be taken unverified', underTls('AUTH PLAIN'), tlsWith('required', false)],
] as const) {
  test(`to a far hop, the password never goes ${what}`, async (t) => {
    const { reply, log, lines } = await far(t, script, tls)
    assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 7, 0])
    assert.ok(!lines.some((line) => /^(?:AUTH|MAIL)/.test(line)), lines.join())
    assert.match(String(log.at('error')[0]?.facts['advice']), /only under TLS with a certificate that was verified/)
  })
}

test('to a far hop, the password goes under TLS whose certificate was verified', async (t) => {
  const ca = join(directory, 'ca.pem')
  writeFileSync(ca, CERTIFICATE)
  const { reply, lines } = await far(t, underTls('AUTH PLAIN'), tlsWith('required', true, ca))
  assert.equal(reply.status, 250)
  assert.ok(lines.includes(plain('anna', 'secret')))
})
