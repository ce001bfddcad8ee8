import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { problemOf, readKeyFile, thisReader } from '../../../src/signing/key-file.ts'
import { readBareKey, readPrivateKey } from '../../../src/signing/private-key.ts'
import { folder, key, pemOf, put } from './signing-fixture.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

test('RSA in PKCS#8 and PKCS#1, Ed25519 in PKCS#8 and as a seed are read, and come to the same key', () => {
  const eight = readPrivateKey(pemOf(rsa))
  const one = readPrivateKey(pemOf(rsa, 'pkcs1'))
  assert.ok(eight.status === 'read' && one.status === 'read')
  assert.deepEqual([eight.key.algorithm, eight.key.bits], ['rsa-sha256', 2048])
  assert.equal(one.key.publicData, eight.key.publicData)
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = readPrivateKey(pemOf(privateKey))
  const seed = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32).toString('base64')
  const bare = readPrivateKey(`${seed}\n`)
  assert.ok(pem.status === 'read' && bare.status === 'read')
  assert.equal(pem.key.algorithm, 'ed25519-sha256')
  assert.equal(bare.key.publicData, pem.key.publicData)
  assert.equal(Buffer.from(pem.key.publicData, 'base64').length, 32)
})

test('what stands before the key in its file does no harm', () => {
  const { publicKey } = generateKeyPairSync('ed25519')
  const reading = readPrivateKey(`a remark\n${publicKey.export({ type: 'spki', format: 'pem' }).toString()}\n${pemOf(rsa)}`)
  assert.equal(reading.status, 'read')
})

const REFUSED: readonly [string, () => string, RegExp][] = [
  ['a passphrase', () => rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString(), /has a passphrase/],
  ['a passphrase in the old form', () => rsa.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString(), /has a passphrase/],
  ['1024 bits', () => key('weak1024').pem, /1024 bits.*too weak to sign/],
  ['512 bits', () => key('weak512').pem, /512 bits.*must not accept/],
  ['a curve of TLS', () => pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey), /of the kind ec/],
  ['a public key', () => generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(), /no private key, but public key/],
  ['text', () => 'nothing at all', /no PEM key/],
  ['nothing', () => '', /no PEM key/],
  ['a broken key', () => '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n', /cannot be read/],
  ['a key of OpenSSH', () => '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n', /OpenSSH/],
]
for (const [name, text, expected] of REFUSED) {
  test(`refused: ${name}`, () => {
    const body = text()
    const reading = readPrivateKey(body)
    assert.ok(reading.status === 'refused')
    assert.match(reading.problem, expected)
    assert.match(reading.allowed, /2048 to 4096 bits or an Ed25519/)
    const secrets = body.split('\n').filter((line) => line.length > 30 && !line.startsWith('-'))
    for (const line of secrets) assert.ok(!JSON.stringify(reading).includes(line))
  })
}

test('a key in base64 without armour, as a key table may hold it', () => {
  assert.equal(readBareKey(rsa.export({ type: 'pkcs1', format: 'der' }).toString('base64')).status, 'read')
  assert.equal(readBareKey(rsa.export({ type: 'pkcs8', format: 'der' }).toString('base64')).status, 'read')
  assert.equal(readBareKey('etc/key.pem').status, 'refused')
})

const US = { uid: 1000, gids: [1000, 50] }
const ROOT = { uid: 0, gids: [0] }
const file = (mode: number, uid: number, gid: number) => ({ isFile: () => true, mode: 0o100000 | mode, uid, gid, size: 100 })

test('who may read a key file besides us', () => {
  const cases: readonly [ReturnType<typeof file>, typeof US, RegExp | undefined][] = [
    [file(0o600, 1000, 1000), US, undefined],
    [file(0o400, 1000, 1000), US, undefined],
    [file(0o600, 0, 0), US, undefined],
    [file(0o640, 0, 50), US, undefined],
    [file(0o440, 0, 1000), US, undefined],
    [file(0o640, 0, 51), US, /read by its group \(mode 0640, group 51\)/],
    [file(0o640, 1000, 1000), US, /read by its group/],
    [file(0o660, 0, 50), US, /changed by its group/],
    [file(0o620, 0, 50), US, /changed by its group/],
    [file(0o604, 0, 0), US, /every user/],
    [file(0o644, 1000, 1000), US, /every user of the machine \(mode 0644\)/],
    [file(0o602, 1000, 1000), US, /every user/],
    [file(0o600, 1001, 1000), US, /belongs to user 1001/],
    // root checks for a gateway that is not root
    [file(0o600, 1000, 1000), ROOT, undefined],
    [file(0o640, 0, 50), ROOT, undefined],
    [file(0o640, 1000, 50), ROOT, /read by its group/],
    [file(0o644, 0, 0), ROOT, /every user/],
  ]
  for (const [stats, reader, expected] of cases) {
    const problem = problemOf(stats, reader)
    if (expected === undefined) assert.equal(problem, undefined, `${(stats.mode & 0o777).toString(8)} ${stats.uid}:${stats.gid}`)
    else assert.match(problem ?? '', expected)
  }
})

test('the file itself: read, too open, missing, a folder, a link to it', () => {
  const where = folder()
  const good = put(join(where, 'good.pem'), key('a').pem)
  assert.equal(readKeyFile(good, thisReader()).status, 'read')
  symlinkSync(good, join(where, 'link.pem'))
  assert.equal(readKeyFile(join(where, 'link.pem'), thisReader()).status, 'read')
  const problems = [put(join(where, 'open.pem'), key('a').pem, 0o644), join(where, 'none.pem'), where, put(join(where, 'big.pem'), 'x'.repeat(70_000))].map((path) => {
    const reading = readKeyFile(path, thisReader())
    return reading.status === 'refused' ? reading.problem : 'read'
  })
  assert.deepEqual(problems.map((text) => text.replace(/ \(.*/, '')), ['is open to every user of the machine', 'is not there', 'is no file', 'has 70000 bytes, which no key has'])
  mkdirSync(join(where, 'sub'))
})
