/** Certificates, keys and authorities that a configuration names. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { describeError } from '../../../src/config/problem.ts'
import { CERTIFICATE, PRIVATE_KEY } from '../../support/certificate.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { loadFrom } from '../../support/settings.ts'
import type { TestGround } from '../../support/settings.ts'

const directory = temporaryDirectory('config')
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const file = (name: string, content: string, mode = 0o600): string => {
  writeFileSync(join(directory, name), content)
  chmodSync(join(directory, name), mode)
  return name
}

file('cert.pem', CERTIFICATE, 0o644)
file('key.pem', PRIVATE_KEY)
file('both.pem', CERTIFICATE + PRIVATE_KEY)
file('open.pem', PRIVATE_KEY, 0o644)
file('group.pem', PRIVATE_KEY, 0o640)
file('other.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
file('locked.pem', privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }).toString())
file('locked-old.pem', privateKey.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }).toString())
file('text.pem', 'hello\n')
file('empty.pem', '')
file('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
file('large.pem', 'x'.repeat(1024 * 1024 + 1))
mkdirSync(join(directory, 'folder'))

function outcome(tls: string, machine: TestGround['machine'] = {}, hop = '{ smtp: "10.0.0.1:25" }'): { errors: readonly string[]; warnings: readonly string[] } {
  const loaded = loadFrom(`listeners: [{ name: a, role: inbound, listen: "127.0.0.1:2525", next: b, tls: ${tls} }]\nhops: { b: ${hop} }\ndomains: [example.org]\n`, { cwd: directory, machine })
  if (loaded.status === 'unreadable') throw new Error(loaded.cause)
  return { errors: loaded.status === 'invalid' ? loaded.errors.map(describeError) : [], warnings: loaded.warnings }
}

const one = (tls: string, expected: RegExp): void => {
  const { errors } = outcome(tls)
  assert.equal(errors.length, 1, errors.join('\n'))
  assert.match(errors[0] ?? '', expected)
}

test('a certificate with its key', () => {
  assert.deepEqual(outcome('{ cert: cert.pem, key: key.pem }'), { errors: [], warnings: [] })
  assert.deepEqual(outcome('{ cert: both.pem, key: both.pem, mode: implicit, more: [{ cert: cert.pem, key: group.pem }] }'), { errors: [], warnings: [] })
  assert.deepEqual(outcome('{}'), { errors: [], warnings: [] })
})

test('both are needed', () => {
  one('{ cert: cert.pem }', /listeners\[0\]\.tls: tls has no key/)
  one('{ key: key.pem }', /listeners\[0\]\.tls: tls has no cert/)
  assert.equal(outcome('{ mode: implicit }').errors.length, 2)
  assert.equal(outcome('{ more: [{ cert: cert.pem, key: key.pem }] }').errors.length, 2)
})

test('files that are not there, are no files, or are too large', () => {
  one('{ cert: none.pem, key: key.pem }', /test\.yaml:1:\d+: listeners\[0\]\.tls\.cert: there is no file ".*none\.pem"; allowed: a PEM file that can be read/)
  one('{ cert: cert.pem, key: folder }', /tls\.key: ".*folder" is not a file/)
  one('{ cert: large.pem, key: key.pem }', /tls\.cert: ".*large\.pem" is larger than/)
  assert.equal(outcome('{ cert: none.pem, key: none.pem }').errors.length, 2)
})

test('files that hold something else', () => {
  for (const name of ['text.pem', 'empty.pem', 'broken.pem', 'key.pem']) one(`{ cert: ${name}, key: key.pem }`, /tls\.cert: ".*" holds no certificate that can be read/)
  for (const name of ['text.pem', 'empty.pem', 'cert.pem']) one(`{ cert: cert.pem, key: ${name} }`, /tls\.key: ".*" holds no private key that can be read/)
})

test('a key with a passphrase, and the key of another certificate', () => {
  one('{ cert: cert.pem, key: locked.pem }', /tls\.key: the key in ".*" has a passphrase/)
  one('{ cert: cert.pem, key: locked-old.pem }', /tls\.key: the key in ".*" has a passphrase/)
  one('{ cert: cert.pem, key: other.pem }', /tls\.key: the key in ".*other\.pem" does not belong to the certificate in ".*cert\.pem"/)
  one('{ cert: cert.pem, key: key.pem, more: [{ cert: cert.pem, key: key.pem }, { cert: cert.pem, key: other.pem }] }', /listeners\[0\]\.tls\.more\[1\]\.key: the key in .* does not belong/)
})

test('a key that everybody can read is warned of', () => {
  const { errors, warnings } = outcome('{ cert: cert.pem, key: open.pem }')
  assert.deepEqual(errors, [])
  assert.match(warnings.join('\n'), /tls\.key: every user can read the key in ".*open\.pem"/)
})

test('a certificate that has ended, or has not begun, is warned of', () => {
  assert.match(outcome('{ cert: cert.pem, key: key.pem }', { nowMs: () => Date.UTC(2127, 0) }).warnings.join('\n'), /the certificate in .* ended on .* 2120/)
  assert.match(outcome('{ cert: cert.pem, key: key.pem }', { nowMs: () => Date.UTC(2019, 0) }).warnings.join('\n'), /the certificate in .* begins on .* 2020/)
})

test('authorities of a hop', () => {
  const hop = (ca: string): readonly string[] => outcome('{}', {}, `{ smtp: "mail.example:25", tls: required, tls_ca: ${ca} }`).errors
  assert.deepEqual(hop('cert.pem'), [])
  assert.match(hop('none.pem').join('\n'), /hops\.b\.tls_ca: there is no file/)
  assert.match(hop('text.pem').join('\n'), /hops\.b\.tls_ca: ".*" holds no certificate/)
  assert.match(hop('broken.pem').join('\n'), /hops\.b\.tls_ca: ".*" holds a certificate that cannot be read/)
})
