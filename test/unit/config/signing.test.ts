/** What a configuration may say of signing, of users who log in, and of hops that we log in to. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { describeError } from '../../../src/config/problem.ts'
import { CERTIFICATE, PRIVATE_KEY } from '../../support/certificate.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { loadFrom, settingsFrom } from '../../support/settings.ts'

const cwd = temporaryDirectory('config-signing')
for (const [name, text] of Object.entries({ 'cert.pem': CERTIFICATE, 'key.pem': PRIVATE_KEY, users: 'anna:{PLAIN}x\n', secret: 'geheim\n', KeyTable: '', SigningTable: '' })) writeFileSync(join(cwd, name), text, { mode: 0o600 })
mkdirSync(join(cwd, 'keys'))
for (const name of ['k1.pem', 'k2.pem', 'keys/example.com.pem']) writeFileSync(join(cwd, name), generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })

const document = (listeners: string, { hops = 'out: { smtp: "127.0.0.1:10025" }', more = '' }: { hops?: string; more?: string } = {}): string =>
  `hostname: mx.example.org\nstate: state\ndomains: []\nlisteners:\n${listeners}\nhops:\n  ${hops}\n${more}`

const TLS = 'tls: { cert: cert.pem, key: key.pem, mode: implicit }'
const submission = (more = '', tls = TLS): string => `  - { name: users, role: submission, listen: "0.0.0.0:465", ${tls}${tls === '' ? '' : ','} next: out, ${more} }`
const outbound = (more = ''): string => `  - { name: sign, role: outbound, listen: "127.0.0.1:10027", next: out, ${more} }`

function problems(text: string): readonly string[] {
  const loaded = loadFrom(text, { cwd })
  return loaded.status === 'invalid' ? loaded.errors.map(describeError) : []
}

function refusedFor(text: string, what: RegExp): void {
  const found = problems(text)
  assert.ok(found.some((line) => what.test(line)), `${String(what)} in ${found.join('\n') || 'nothing'}`)
}

test('a submission listener has users, their limits and what they may send as', () => {
  const settings = settingsFrom(document(submission('users: users, senders: users, rate: { messages: 5/1h }, auth: { dovecot: "unix:auth", failures: 4 }, hide_client: true')), { cwd })
  const [listener] = settings.listeners
  assert.ok(listener?.submission !== undefined)
  const { authentication, sendAs, rate, clientCertificates } = listener.submission
  assert.equal(authentication.users, join(cwd, 'users'))
  assert.deepEqual(authentication.dovecot?.socket, { path: join(cwd, 'auth') })
  assert.deepEqual([authentication.guard.perAddress, authentication.guard.perNetwork, authentication.guard.perAccount], [4, 20, 8])
  assert.equal(authentication.mechanisms, undefined)
  assert.equal(sendAs.senders, join(cwd, 'users'))
  assert.deepEqual(rate, { messages: { most: 5, windowMs: 3_600_000 }, recipients: { most: 1000, windowMs: 3_600_000 } })
  assert.equal(clientCertificates, undefined)
  assert.equal(listener.hideClient, true)
})

test('a submission listener without users, without TLS, or with what is of other roles is refused', () => {
  refusedFor(document(submission()), /nobody could log in/)
  refusedFor(document(submission('users: users', '')), /has no tls: passwords would be sent in clear/)
  refusedFor(document(submission('users: users, clients: [10.0.0.0\\/8]'.replace('\\', ''))), /submission takes mail from users who log in/)
  refusedFor(document(submission('users: users, protocol: lmtp')), /submission is SMTP/)
  refusedFor(document(submission('users: missing')), /there is no file/)
  refusedFor(document(submission('users: users, transparent: true')), /listeners whose role is outbound/)
  refusedFor(document(submission('users: users, auth: { client_certificates: required }')), /no certificate could count/)
  refusedFor(document(submission('users: users, auth: { client_ca: cert.pem }')), /does nothing without client_certificates/)
  refusedFor(document(outbound('users: users')), /listeners whose role is submission/)
  refusedFor(document(outbound('rate: { messages: 5/1h }')), /listeners whose role is submission/)
})

test('client certificates are asked for in two ways', () => {
  const of = (mode: string): unknown => {
    const made = settingsFrom(document(submission(`users: users, auth: { client_certificates: ${mode}, client_ca: cert.pem, certificate_map: users }`)), { cwd }).listeners[0]?.submission
    return [made?.authentication.certificates, made?.clientCertificates]
  }
  assert.deepEqual(of('accepted'), [{ mode: 'instead', map: join(cwd, 'users') }, { ca: join(cwd, 'cert.pem') }])
  assert.deepEqual(of('required'), [{ mode: 'second', map: join(cwd, 'users') }, { ca: join(cwd, 'cert.pem') }])
})

test('a transparent listener needs a plain smtp hop, and takes no key that would do nothing', () => {
  assert.equal(settingsFrom(document(outbound('transparent: true')), { cwd }).listeners[0]?.transparent, true)
  refusedFor(document(outbound('transparent: true, received: false')), /does nothing with transparent/)
  refusedFor(document(outbound(`transparent: true, ${TLS}`)), /does nothing with transparent/)
  refusedFor(document(outbound('transparent: true'), { hops: 'out: { lmtp: "127.0.0.1:24" }' }), /not one of smtp/)
  refusedFor(document(outbound('transparent: true'), { hops: 'out: { smtp: ["127.0.0.1:1", "127.0.0.1:2"] }' }), /several addresses/)
  refusedFor(document(outbound('transparent: true'), { hops: 'out: { smtp: "127.0.0.1:1", xforward: true }' }), /has xforward/)
})

test('signing: keys with what narrows them, a directory, tables', () => {
  const { signing } = settingsFrom(document(outbound(), {
    more: `signing:
  keys:
    - { domain: EXAMPLE.org, selector: S1, key: k1.pem, subdomains: true, senders: ["Anna@Example.com", "@example.net"], list_ids: [News.example.org], users: [Anna], listeners: [sign] }
    - { domain: bücher.example, selector: a.b, key: k2.pem }
  directory: keys
  selector: s2026
  key_table: KeyTable
  signing_table: "refile:SigningTable"
  canonicalization: simple/relaxed
  expire: 14d
  require_published: true
  single_signature: [.old.example]
`,
  }), { cwd })
  assert.deepEqual(signing.keys[0], {
    domain: 'example.org', selector: 's1', key: join(cwd, 'k1.pem'), subdomains: true, senders: ['anna@example.com', '@example.net'], listIds: ['news.example.org'], users: ['anna'], listeners: ['sign'], addressFields: ['from'],
  })
  assert.equal(signing.keys[1]?.domain, 'xn--bcher-kva.example')
  assert.equal(signing.directory, join(cwd, 'keys'))
  assert.ok(signing.tables !== undefined)
  assert.deepEqual(signing.tables.signingTable, { kind: 'refile', path: join(cwd, 'SigningTable') })
  assert.deepEqual(signing.tables.keyTable, { kind: 'file', path: join(cwd, 'KeyTable') })
  assert.deepEqual(signing.canonicalization, { header: 'simple', body: 'relaxed' })
  assert.equal(signing.expireSeconds, 14 * 86_400)
  assert.deepEqual([signing.requirePublished, signing.onError, signing.singleSignature], [true, 'tempfail', ['.old.example']])
})

test('signing: what cannot be meant is refused', () => {
  const signing = (text: string): string => document(outbound(), { more: `signing: ${text}` })
  refusedFor(signing('{ keys: [{ domain: example.org, selector: s }] }'), /has no key/)
  refusedFor(signing('{ keys: [{ domain: example.org, selector: "a b", key: k }] }'), /labels of letters/)
  refusedFor(signing('{ keys: [{ domain: example.org, selector: s, key: a }, { domain: example.org, selector: S, key: b }] }'), /stands twice/)
  refusedFor(signing('{ keys: [{ domain: example.org, selector: s, key: a, listeners: [sing] }] }'), /there is no listener "sing".*sign/)
  refusedFor(signing('{ key_table: KeyTable }'), /stands without signing_table/)
  refusedFor(signing('{ selector: s }'), /does nothing without directory/)
  refusedFor(signing('{ canonicalization: relaxed }'), /relaxed\/relaxed/)
  refusedFor(signing('{ fields: [Received] }'), /not one that changes on the way/)
})

test('signing: the files that it leads to are read, and what is wrong with them is told with its place', () => {
  const signing = (text: string): string => document(outbound(), { more: `signing: ${text}` })
  writeFileSync(join(cwd, 'loose.pem'), generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  chmodSync(join(cwd, 'loose.pem'), 0o644)
  writeFileSync(join(cwd, 'small.pem'), generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  writeFileSync(join(cwd, 'BadTable'), '# comment\nname without-colons\n')
  writeFileSync(join(cwd, 'LeadingTable'), '*@example.org name\n')
  refusedFor(signing('{ keys: [{ domain: example.org, selector: s, key: missing.pem }] }'), /signing\.keys\[0\]\.key: .*missing\.pem/)
  refusedFor(signing('{ keys: [{ domain: example.org, selector: s, key: loose.pem }] }'), /signing\.keys\[0\]\.key: .*loose\.pem/)
  refusedFor(signing('{ keys: [{ domain: example.org, selector: s, key: small.pem }] }'), /signing\.keys\[0\]\.key: .*1024/)
  refusedFor(signing('{ keys: [{ domain: example.org, selector: s, key: users }] }'), /signing\.keys\[0\]\.key: .*users/)
  refusedFor(signing('{ key_table: BadTable, signing_table: "refile:LeadingTable" }'), /BadTable:2/)
  for (const text of problems(signing('{ keys: [{ domain: example.org, selector: s, key: users }] }'))) assert.ok(!text.includes('PLAIN'), 'nothing of a file is shown')
})

const hop = (text: string): string => document(outbound(), { hops: `out: { ${text} }` })

test('a hop that we log in to has TLS that is verified, or is on this machine', () => {
  const made = settingsFrom(hop('smtp: ["a.example:587", "b.example:587"], user: u, password_file: secret, sender_logins: [{ sender: "@Example.org", user: v, password_file: secret, smtp: "c.example:465" }]'), { cwd }).hops.get('out')
  assert.ok(made?.kind === 'smtp')
  assert.deepEqual([made.tls.mode, made.tls.verify], ['required', true])
  assert.deepEqual(made.addresses?.map((one) => (one.kind === 'tcp' ? one.host : '')), ['a.example', 'b.example'])
  assert.deepEqual(made.login, { user: 'u', passwordFile: join(cwd, 'secret') })
  assert.deepEqual(made.senderLogins, [{ sender: '@example.org', user: 'v', passwordFile: join(cwd, 'secret'), addresses: [{ kind: 'tcp', host: 'c.example', port: 465 }] }])
  refusedFor(hop('smtp: "127.0.0.1:587", user: u, password_file: secret, xclient: true'), /XCLIENT ends our login/)
  refusedFor(hop('smtp: "a.example:587", user: u'), /user stands without password_file/)
  refusedFor(hop('smtp: "a.example:587", user: u, password_file: secret, tls: opportunistic'), /others could read the password/)
  refusedFor(hop('smtp: "a.example:587", user: u, password_file: secret, tls: required, tls_verify: false'), /whoever answers would get the password/)
  refusedFor(hop('smtp: "127.0.0.1:587", sender_logins: [{ sender: "@a.example", user: u, password_file: secret, smtp: "c.example:25" }], tls: off'), /others could read the password/)
  assert.deepEqual(problems(hop('smtp: "127.0.0.1:587", user: u, password_file: secret')), [])
})

test('without `tls`, one host elsewhere that we log in to is enough for verified TLS, a sender\'s own host too', () => {
  const elsewhere = 'sender_logins: [{ sender: "@a.example", user: v, password_file: secret, smtp: "c.example:587" }]'
  const here = 'sender_logins: [{ sender: "@a.example", user: v, password_file: secret, smtp: "127.0.0.1:587" }]'
  for (const [text, mode] of [
    [`smtp: "127.0.0.1:25", ${elsewhere}`, 'required'],
    [`smtp: "127.0.0.1:25", user: u, password_file: secret, ${elsewhere}`, 'required'],
    [`smtp: "unix:/run/x", tls_name: x.example, ${elsewhere}`, 'required'],
    ['smtp: ["127.0.0.1:25", "c.example:587"], user: u, password_file: secret', 'required'],
    [`smtp: "c.example:25", ${here}`, 'required'],
    [`smtp: "127.0.0.1:25", ${here}`, 'off'],
    ['smtp: ["127.0.0.1:25", "c.example:25"]', 'opportunistic'],
  ] as const) {
    assert.deepEqual(problems(hop(text)), [], text)
    const made = settingsFrom(hop(text), { cwd }).hops.get('out')
    assert.ok(made?.kind === 'smtp')
    assert.deepEqual([made.tls.mode, made.tls.verify], [mode, mode === 'required'], text)
  }
  refusedFor(hop(`smtp: "127.0.0.1:25", ${elsewhere}, tls_verify: false`), /whoever answers would get the password/)
})
