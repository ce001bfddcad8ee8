import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HopTlsSettings } from '../../../src/config/settings.ts'
import { path, send, stage, until, type Peer } from './scripted-hop.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-tls-'))
after(() => rmSync(directory, { recursive: true }))
const file = (name: string): string => join(directory, name)
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })

/** A certificate for mx.test and 127.0.0.1, signed by our own authority. */
function makeCertificates(): { cert: string, key: string } {
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test authority', '-days', '2')
  openssl('req', ...ec, '-keyout', 'mx.key', '-out', 'mx.csr', '-subj', '/CN=mx.test')
  writeFileSync(file('san'), 'subjectAltName=DNS:mx.test,IP:127.0.0.1\n')
  openssl('x509', '-req', '-in', 'mx.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'mx.pem', '-days', '2', '-extfile', 'san')
  return { cert: readFileSync(file('mx.pem'), 'latin1'), key: readFileSync(file('mx.key'), 'latin1') }
}
const CERTIFICATE = makeCertificates()

function tls(mode: HopTlsSettings['mode'], change: Partial<HopTlsSettings> = {}): { tls: HopTlsSettings } {
  return { tls: { mode, verify: mode !== 'opportunistic', name: undefined, ca: file('ca.pem'), ...change } }
}

/** Offers and does STARTTLS, and then serves under TLS. */
const starttls = (...underTls: string[]) => async (peer: Peer): Promise<void> => {
  await peer.hello('STARTTLS', 'CLEAR')
  assert.equal(await peer.line(), 'STARTTLS')
  peer.say('220 go')
  peer.secure(CERTIFICATE)
  await peer.ehlo(...underTls)
  await peer.serve()
}
const clear = async (peer: Peer): Promise<void> => {
  await peer.hello('STARTTLS', 'CLEAR')
  await peer.serve()
}

test('required: STARTTLS, verified, EHLO again; what was offered in clear is forgotten', async (t) => {
  const s = await stage(t, starttls('DSN', 'REQUIRETLS'), { ...tls('required', { name: 'mx.test' }), connections: 1 })
  assert.deepEqual([...(await s.relay.capabilities())?.keys() ?? []], ['DSN', 'REQUIRETLS'])
  const transaction = s.begin()
  assert.equal((await transaction.mail(path('<a@x>', 'REQUIRETLS'))).status, 250)
  assert.deepEqual(s.hop.peers.map((peer) => peer.serverName), ['mx.test'])
  assert.deepEqual(s.hop.peers[0]?.lines, ['EHLO gw.test', 'STARTTLS', 'EHLO gw.test', 'MAIL FROM:<a@x> REQUIRETLS'])
  transaction.abort()
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 1)
  await s.relay.close()
  assert.deepEqual(s.log.entries, [])
})

test('an address has no SNI, and is checked against the addresses of the certificate', async (t) => {
  const s = await stage(t, starttls(), tls('required'))
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers[0]?.serverName, false)
})

test('implicit: TLS before the greeting', async (t) => {
  for (const greetsLate of [false, true]) {
    const s = await stage(t, async (peer) => {
      peer.secure(CERTIFICATE)
      if (greetsLate) await until(() => peer.serverName !== undefined)
      await peer.hello('REQUIRETLS')
      await peer.serve()
    }, tls('implicit', { name: 'mx.test' }))
    assert.equal((await send(s.begin())).status, 250)
    assert.equal((await s.relay.capabilities())?.has('REQUIRETLS'), true)
    assert.deepEqual(s.log.entries, [])
  }
})

test('a large message under TLS', async (t) => {
  const s = await stage(t, starttls(), tls('required'))
  const text = ('x'.repeat(70) + '\r\n').repeat(20_000)
  assert.equal((await send(s.begin(), text)).status, 250)
  assert.ok(s.hop.peers[0]?.received.includes(text))
})

test('required and not offered: 451 4.7.4, nothing is sent in clear', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('DSN')
    await peer.serve()
  }, tls('required'))
  const reply = await send(s.begin())
  assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 7, 4])
  await s.hop.peers[0]?.closed()
  assert.deepEqual(s.hop.peers.map((peer) => peer.lines), [['EHLO gw.test']])
  assert.equal(s.log.at('warn').length, 1)
})

test('required and the certificate is not good: 451 4.7.5, the reason in the log', async (t) => {
  const cases: readonly (readonly [Partial<HopTlsSettings>, RegExp])[] = [
    [{ name: 'other.test' }, /altnames/i],
    [{ ca: undefined }, /certificate/i],
    [{ ca: file('absent.pem') }, /ENOENT/],
  ]
  for (const [change, reason] of cases) {
    for (const mode of ['required', 'implicit'] as const) {
      const s = await stage(t, mode === 'required' ? starttls() : async (peer) => {
        peer.secure(CERTIFICATE)
        await peer.hello()
        await peer.serve()
      }, tls(mode, change))
      const reply = await send(s.begin())
      assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 7, 5])
      assert.match(String(s.log.at('warn')[0]?.facts['detail']), reason)
      assert.ok(s.hop.peers.every((peer) => !peer.lines.some((line) => line.startsWith('MAIL'))))
    }
  }
})

test('required without a check of the certificate: TLS, and REQUIRETLS is worth nothing', async (t) => {
  const s = await stage(t, starttls('REQUIRETLS'), tls('required', { verify: false, name: 'other.test', ca: undefined }))
  assert.equal((await send(s.begin())).status, 250)
  assert.equal((await s.relay.capabilities())?.has('REQUIRETLS'), false)
})

test('opportunistic: used where offered, with any certificate', async (t) => {
  const s = await stage(t, starttls('REQUIRETLS', 'DSN'), tls('opportunistic', { name: 'other.test' }))
  assert.equal((await send(s.begin())).status, 250)
  assert.deepEqual([...(await s.relay.capabilities())?.keys() ?? []], ['DSN'])
  assert.equal(s.hop.peers.length, 1)
  assert.deepEqual(s.log.entries, [])
})

test('opportunistic and not offered: in clear', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello()
    await peer.serve()
  }, tls('opportunistic'))
  assert.equal((await send(s.begin())).status, 250)
  assert.deepEqual(s.log.entries, [])
})

test('opportunistic and failed: in clear on a new connection, with one warning', async (t) => {
  const failures: readonly ((peer: Peer) => void)[] = [
    (peer) => peer.say('454 4.7.0 not now'),
    (peer) => peer.say('501 5.5.4 no parameters'),
    (peer) => peer.end(),
    (peer) => peer.end('220 go\r\n'.trimEnd()),
    (peer) => {
      peer.say('220 go')
      peer.socket.once('data', () => peer.socket.write('this is no TLS\r\n'))
    },
  ]
  for (const fail of failures) {
    const failing = async (peer: Peer): Promise<void> => {
      await peer.hello('STARTTLS')
      await peer.line()
      fail(peer)
    }
    const s = await stage(t, [failing, clear, failing, clear], tls('opportunistic'))
    const first = s.begin()
    assert.equal((await first.mail(path('<a@x>'))).status, 250)
    assert.equal((await s.begin().mail(path('<b@x>'))).status, 250)
    assert.equal(s.hop.peers.length, 4)
    assert.deepEqual(s.hop.peers[1]?.lines, ['EHLO gw.test', 'MAIL FROM:<a@x>'])
    assert.deepEqual(s.log.entries.map((entry) => [entry.level, entry.facts['hop']]), [['warn', 'next']])
  }
})

test('required and failed: never in clear', async (t) => {
  for (const answer of ['454 4.7.0 not now', '220 go']) {
    const s = await stage(t, async (peer) => {
      await peer.hello('STARTTLS')
      await peer.line()
      peer.end(answer)
    }, tls('required'))
    const reply = await send(s.begin())
    assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 7, 5])
    assert.equal(s.hop.peers.length, 1)
  }
})

test('replies that stand in clear behind the 220 are never taken for replies under TLS', async (t) => {
  for (const mode of ['required', 'opportunistic'] as const) {
    for (const injected of ['250-evil\r\n250 AUTH PLAIN', '250 ok', '25']) {
      const s = await stage(t, async (peer) => {
        await peer.hello('STARTTLS')
        await peer.line()
        peer.socket.write(`220 go\r\n${injected}${injected === '25' ? '' : '\r\n'}`)
      }, tls(mode))
      const reply = await send(s.begin())
      assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 7, 5])
      await s.hop.peers[0]?.closed()
      // No ClientHello went out, and an attack is no reason to go on in clear.
      assert.equal(s.hop.peers[0]?.received, 'EHLO gw.test\r\nSTARTTLS\r\n')
      assert.equal(s.hop.peers.length, 1)
      assert.equal(s.log.at('warn')[0]?.facts['cause'], 'unsolicited')
      assert.equal(await s.relay.capabilities(), undefined)
    }
  }
})

test('replies in clear behind the 220, a moment later, break the handshake', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('STARTTLS')
    await peer.line()
    peer.say('220 go')
    peer.socket.once('data', () => peer.socket.write('250-evil\r\n250 AUTH PLAIN\r\n'))
  }, tls('required'))
  const reply = await send(s.begin())
  assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 7, 5])
  assert.equal(await s.relay.capabilities(), undefined)
})

test('a handshake that does not end', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('STARTTLS')
    await peer.line()
    peer.say('220 go')
    await peer.closed()
  }, tls('required'))
  const answer = send(s.begin())
  await until(() => (s.hop.peers[0]?.unread.length ?? 0) > 0)
  s.clock.advance(60_000)
  const reply = await answer
  assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 7, 5])
  assert.match(String(s.log.at('warn')[0]?.facts['detail']), /timeout/)
})

test('nothing older than TLS 1.2', async (t) => {
  const s = await stage(t, async (peer) => {
    await peer.hello('STARTTLS')
    await peer.line()
    peer.say('220 go')
    peer.secure({ ...CERTIFICATE, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' })
    await peer.line()
  }, tls('required'))
  const reply = await send(s.begin())
  assert.deepEqual([reply.status, reply.subject, reply.detail], [451, 7, 5])
})

test('unsolicited bytes under TLS end an unused connection too', async (t) => {
  const s = await stage(t, starttls(), tls('required'))
  await send(s.begin())
  s.hop.peers[0]?.say('250 2.0.0 surprise')
  await s.hop.peers[0]?.closed()
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 2)
})

test('a connection under TLS that was closed while unused: once more', async (t) => {
  const s = await stage(t, [async (peer) => {
    await peer.hello('STARTTLS')
    await peer.line()
    peer.say('220 go')
    peer.secure(CERTIFICATE)
    await peer.ehlo()
    let mails = 0
    await peer.serve((line) => {
      if (line.startsWith('MAIL') && ++mails === 2) peer.socket.destroy()
      return undefined
    })
  }, starttls()], tls('required'))
  assert.equal((await send(s.begin())).status, 250)
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 2)
})
