/**
 * What real handshakes tell of a client: channel bindings that both ends see
 * alike, certificates that were asked for. A server of our own driver, clients
 * of Node; certificates are made by openssl.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { Admission } from '../../../src/smtp/admission.ts'
import { certificateHash } from '../../../src/smtp/certificate-hash.ts'
import * as replies from '../../../src/smtp/reply-catalogue.ts'
import { SmtpServer } from '../../../src/smtp/server.ts'
import type { SessionFacts, SessionHandler } from '../../../src/smtp/session-handler.ts'
import { TlsContexts, type ClientCertificates } from '../../../src/smtp/tls-contexts.ts'
import { emailsOf } from '../../../src/smtp/tls-facts.ts'
import { makeAuthority, selfSigned, type Authority, type ClientCertificateFiles } from '../../support/peers/client-certificates.ts'
import { run, temporaryDirectory } from '../../support/process.ts'

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'there is no openssl'
const directory = temporaryDirectory('tls-facts')
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const LIMITS = { messageBytes: 1000, commandLineBytes: 512, recipients: 10, errors: 20, unknownCommands: 10, junkCommands: 100, sessions: 100, sessionsPerNetwork: 100, received: 50 }

let authority: Authority
let anna: ClientCertificateFiles
let stranger: ClientCertificateFiles

async function certificate(name: string, ...options: readonly string[]): Promise<{ cert: string; key: string }> {
  const pair = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
  const made = await run(['openssl', 'req', '-x509', '-nodes', '-days', '2', '-subj', '/CN=test', '-addext', `subjectAltName=DNS:${name}.example`, '-keyout', pair.key, '-out', pair.cert, ...options])
  assert.equal(made.code, 0, made.output)
  return pair
}
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']

before(async () => {
  if (skip !== false) return
  authority = await makeAuthority()
  anna = await authority.issue('anna@example.org')
  stranger = await selfSigned('anna@example.org')
})

interface Met {
  readonly facts: SessionFacts
  readonly socket: TLSSocket
  /** to take it up again; with TLS 1.3 it comes after the handshake */
  readonly ticket: Promise<Buffer>
}

/** A listener with implicit TLS, and what its handler learns of each client. */
async function listener(pairs: readonly { cert: string; key: string }[], clients?: ClientCertificates) {
  const contexts = await TlsContexts.load(pairs, silent, clients)
  let facts: SessionFacts | undefined
  const handler: SessionHandler = {
    connect: () => replies.greeting('mx.example', 'smtp'), hello: () => new Map(), mail: () => Promise.resolve(replies.OK), rcpt: () => Promise.resolve(replies.OK),
    message: () => assert.fail('no message'), reset: () => undefined, closed: () => undefined,
  }
  const none = () => false
  const server = new SmtpServer({
    listener: 'test', options: { hostname: 'mx.example', protocol: 'smtp', newlines: 'normalise', limits: LIMITS, timeouts: { commandMs: 60_000, dataMs: 60_000, handshakeMs: 60_000, sessionMs: 60_000 } },
    tls: { mode: 'implicit', contexts }, trust: { proxy: none, xclient: none, xforward: none }, makeHandler: (of) => {
      facts = of
      return handler
    },
  }, { admission: new Admission(LIMITS), now: () => 0, log: silent })
  const bound = await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 })
  after(() => {
    server.abort()
    return server.stop()
  })
  const meet = async (options: ConnectionOptions = {}): Promise<Met> => {
    const before = facts
    const socket = connectTls({ host: '127.0.0.1', port: bound.kind === 'tcp' ? bound.port : 0, rejectUnauthorized: false, ...options })
    after(() => socket.destroy())
    const ticket = new Promise<Buffer>((resolve) => socket.once('session', resolve))
    // The greeting: the server's side of the handshake is over.
    await new Promise<void>((resolve, reject) => socket.once('data', () => resolve()).once('error', reject))
    assert.ok(facts !== undefined && facts !== before)
    return { facts, socket, ticket }
  }
  return { meet, contexts }
}

const withCertificate = ({ certFile, keyFile }: ClientCertificateFiles): ConnectionOptions => ({ cert: readFileSync(certFile), key: readFileSync(keyFile) })

test('both ends see the same channel (RFC 9266, RFC 5929)', { skip }, async () => {
  const pair = await certificate('own', ...EC, '-sha384')
  const { meet } = await listener([pair])
  const { facts, socket } = await meet()
  const exported = facts.tls?.channelBinding('tls-exporter')
  assert.equal(exported?.length, 32)
  assert.deepEqual(exported, socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)))
  const raw = socket.getPeerX509Certificate()?.raw ?? assert.fail('no certificate')
  assert.deepEqual(facts.tls?.channelBinding('tls-server-end-point'), createHash('sha384').update(raw).digest())
  assert.notDeepEqual((await meet()).facts.tls?.channelBinding('tls-exporter'), exported)
  assert.equal(facts.localAddress, '127.0.0.1')
})

test('TLS 1.2 has no exporter that could be trusted; the certificate is of the name that was asked for', { skip }, async () => {
  const [first, second] = [await certificate('first', ...EC), await certificate('second', ...EC)]
  const { meet } = await listener([first, second])
  const { facts } = await meet({ maxVersion: 'TLSv1.2', servername: 'second.example' })
  assert.equal(facts.tls?.channelBinding('tls-exporter'), undefined)
  const der = new X509Certificate(readFileSync(second.cert)).raw
  assert.deepEqual(facts.tls?.channelBinding('tls-server-end-point'), createHash('sha256').update(der).digest())
})

test('after the connection is gone there is nothing to bind to, and nothing fails', { skip }, async () => {
  const { meet } = await listener([await certificate('gone', ...EC)])
  const { facts, socket } = await meet()
  socket.destroy()
  for (let i = 0; i < 100 && facts.tls?.channelBinding('tls-exporter') !== undefined; i++) await new Promise((resolve) => setTimeout(resolve, 5))
  facts.tls?.channelBinding('tls-server-end-point')
})

test('a listener that does not ask gets no certificate', { skip }, async () => {
  const { meet } = await listener([await certificate('plain', ...EC)])
  assert.equal((await meet(withCertificate(anna))).facts.tls?.clientCertificate, undefined)
})

test('certificates of our own authority, of strangers, and none', { skip }, async () => {
  const { meet } = await listener([await certificate('asks', ...EC), await certificate('asks-too', ...EC)], { ca: authority.certFile })
  assert.equal((await meet()).facts.tls?.clientCertificate, undefined)
  for (const servername of ['', 'asks-too.example']) {
    const known = (await meet({ ...withCertificate(anna), servername })).facts.tls?.clientCertificate
    assert.deepEqual(known, { authorized: true, fingerprint256: anna.fingerprint, subject: 'CN=client', emails: ['anna@example.org'] })
    const unknown = (await meet({ ...withCertificate(stranger), servername })).facts.tls?.clientCertificate
    assert.deepEqual(unknown, { authorized: false, fingerprint256: stranger.fingerprint, subject: 'CN=client', emails: ['anna@example.org'] })
  }
})

test('a session that is taken up again is that of the same certificate', { skip }, async () => {
  const { meet } = await listener([await certificate('again', ...EC)], { ca: authority.certFile })
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const [files, authorized] of [[anna, true], [stranger, false]] as const) {
      const first = await meet({ ...withCertificate(files), maxVersion })
      const session = await first.ticket
      const second = await meet({ ...withCertificate(files), maxVersion, session })
      assert.equal(second.socket.isSessionReused(), true, maxVersion)
      assert.deepEqual([second.facts.tls?.clientCertificate?.authorized, second.facts.tls?.clientCertificate?.fingerprint256], [authorized, files.fingerprint], maxVersion)
    }
  }
})

test('without a list of authorities a certificate is only a key', { skip }, async () => {
  const { meet } = await listener([await certificate('any', ...EC)], { ca: undefined })
  const seen = (await meet(withCertificate(anna))).facts.tls?.clientCertificate
  assert.deepEqual([seen?.authorized, seen?.fingerprint256], [false, anna.fingerprint])
})

test('the list of authorities is read again when it changes; one that is none is refused', { skip }, async () => {
  const ca = join(directory, 'ca.pem')
  copyFileSync(authority.certFile, ca)
  const pair = await certificate('changes', ...EC)
  const { meet, contexts } = await listener([pair], { ca })
  assert.equal((await meet(withCertificate(anna))).facts.tls?.clientCertificate?.authorized, true)
  copyFileSync((await makeAuthority('Another')).certFile, ca)
  await contexts.refresh()
  assert.equal((await meet(withCertificate(anna))).facts.tls?.clientCertificate?.authorized, false)
  writeFileSync(ca, 'not a certificate\n')
  await assert.rejects(TlsContexts.load([pair], silent, { ca }), /ca\.pem is no list of certificates in PEM form/)
})

test('the hash of a certificate is that of its signature', { skip }, async () => {
  const RSA = ['-newkey', 'rsa:2048']
  for (const [name, options, expected] of [
    ['rsa256', [...RSA, '-sha256'], 'sha256'], ['rsa512', [...RSA, '-sha512'], 'sha512'], ['rsa224', [...RSA, '-sha224'], 'sha224'], ['rsa1', [...RSA, '-sha1'], 'sha256'],
    ['pss384', [...RSA, '-sha384', '-sigopt', 'rsa_padding_mode:pss'], 'sha384'], ['ec512', [...EC, '-sha512'], 'sha512'], ['ed', ['-newkey', 'ed25519'], undefined],
  ] as const) {
    const der = new X509Certificate(readFileSync((await certificate(name, ...options)).cert)).raw
    assert.equal(certificateHash(der), expected, name)
    // Whatever is cut off or changed, nothing throws.
    for (let cut = 0; cut < der.length; cut += 7) certificateHash(der.subarray(0, cut))
    for (let at = 0; at < Math.min(der.length, 200); at++) {
      const spoiled = Buffer.from(der)
      spoiled[at] = 0xff
      certificateHash(spoiled)
    }
  }
})

test('addresses of a certificate: no name passes for another', () => {
  for (const [names, expected] of [
    [undefined, []], ['DNS:a.example', []], ['email:a@b', ['a@b']], ['DNS:x, email:a@b, URI:http://x/, email:c@d', ['a@b', 'c@d']],
    ['email:"a\\u002c email:root@b"', []], ['URI:"http://x/\\u002c email:z@z", email:a@b', ['a@b']], ['DirName:"CN=x\\\\\\u002c email:q@q"', []],
  ] as const) assert.deepEqual(emailsOf({ subjectAltName: names }), expected, names)
})
