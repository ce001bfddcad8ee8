/** `redis` in the configuration, and what is kept there. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CERTIFICATE } from '../../support/certificate.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { loadFrom, settingsFrom } from '../../support/settings.ts'

const REST = `domains: [example.org]
listeners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }]
hops: { backend: { smtp: "192.0.2.1:25" } }
`
const cwd = temporaryDirectory('config-redis')
writeFileSync(join(cwd, 'pw'), 'secret\n', { mode: 0o600 })
writeFileSync(join(cwd, 'ca.pem'), CERTIFICATE)
const USED = 'spam: { bayes: { store: redis } }'

const storeOf = (text: string) => settingsFrom(`${text}\n${REST}`, { cwd }).spam.bayes.store

test('a server on this machine, and one elsewhere with all that it wants', () => {
  assert.deepEqual(storeOf(`${USED}\nredis: { database: 2 }`), { kind: 'redis', redis: { address: { kind: 'tcp', host: '127.0.0.1', port: 6379 }, tls: undefined, login: undefined, database: 2, prefix: 'postern' } })
  assert.deepEqual(storeOf(`${USED}\nredis: { address: "redis.example.org:6380", tls: yes, ca: ca.pem, username: gateway, password_file: pw, prefix: "mail:one" }`), {
    kind: 'redis', redis: { address: { kind: 'tcp', host: 'redis.example.org', port: 6380 }, tls: { ca: join(cwd, 'ca.pem') }, login: { username: 'gateway', passwordFile: join(cwd, 'pw') }, database: 0, prefix: 'mail:one' },
  })
  const unix = storeOf(`${USED}\nredis: { address: "unix:redis.sock" }`)
  assert.deepEqual(unix.kind === 'redis' && unix.redis.address, { kind: 'unix', path: join(cwd, 'redis.sock') })
})

test('what is wrong is told with key and what is allowed', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [USED, 'spam.bayes.store', /there is no section redis/],
    ['spam: { bayes: { store: file } }', 'spam.bayes.store', /file/],
    [`${USED}\nredis: { address: "redis.example.org" }`, 'redis.address', /has no port/],
    [`${USED}\nredis: { address: "0.0.0.0:6379" }`, 'redis.address', /no address to connect to/],
    [`${USED}\nredis: { address: "unix:/${'x'.repeat(200)}" }`, 'redis.address', /at most 107 bytes/],
    [`${USED}\nredis: { address: "unix:/r.sock", tls: yes }`, 'redis.tls', /unix socket/],
    [`${USED}\nredis: { username: anna }`, 'redis.username', /without password_file/],
    [`${USED}\nredis: { password_file: missing }`, 'redis.password_file', /there is no file/],
    [`${USED}\nredis: { ca: ca.pem }`, 'redis.ca', /does nothing without tls/],
    [`${USED}\nredis: { tls: yes, ca: pw }`, 'redis.ca', /no certificate/],
    [`${USED}\nredis: { prefix: "a*" }`, 'redis.prefix', /found/],
    [`${USED}\nredis: { prefix: "{a}" }`, 'redis.prefix', /found/],
    [`${USED}\nredis: { database: -1 }`, 'redis.database', /out of range/],
  ]
  for (const [text, key, problem] of cases) {
    const loaded = loadFrom(`${text}\n${REST}`, { cwd })
    assert.equal(loaded.status, 'invalid', text)
    assert.deepEqual(loaded.errors.map((one) => one.key), [key], text)
    assert.match(loaded.errors[0]?.problem ?? '', problem, text)
  }
})

test('a password in clear to another machine is warned of, and a section that nothing uses', () => {
  const warnings = (text: string): readonly string[] => {
    const loaded = loadFrom(`${text}\n${REST}`, { cwd })
    assert.equal(loaded.status, 'ok')
    return loaded.warnings
  }
  assert.match(warnings(`${USED}\nredis: { address: "192.0.2.9:6379", password_file: pw }`).join(), /redis\.tls.*the password goes to 192\.0\.2\.9:6379 in clear/)
  assert.match(warnings('redis: { database: 1 }').join(), /redis: nothing is kept there/)
  for (const fine of ['redis: { address: "192.0.2.9:6379", password_file: pw, tls: yes }', 'redis: { address: "192.0.2.9:6379" }', 'redis: { password_file: pw }']) assert.deepEqual(warnings(`${USED}\n${fine}`), [], fine)
})
