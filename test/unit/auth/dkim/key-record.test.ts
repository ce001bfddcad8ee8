/** Key records by RFC 6376 §3.6.1, RFC 8301 and RFC 8463: what makes a key, and what each other record is called. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { chooseRecord, readKeyRecord } from '../../../../src/auth/dkim/key-record.ts'
import { askingOnce, keyOf } from '../../../../src/auth/dkim/key-source.ts'
import type { Resolver } from '../../../../src/dns/resolver.ts'
import { zoneMap } from '../../../support/zone-map.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
const ed25519 = generateKeyPairSync('ed25519').publicKey
const p = rsa.export({ type: 'spki', format: 'der' }).toString('base64')
const edBytes = ed25519.export({ type: 'spki', format: 'der' }).subarray(-32)
const said = (record: string): string => {
  const key = readKeyRecord(record)
  return key.status === 'key' ? `${key.type} ${key.bits}${key.testing ? ' testing' : ''}${key.strict ? ' strict' : ''}` : `${key.status}: ${key.cause}`
}

test('keys: with and without what may be left out', () => {
  const same = [`p=${p}`, `v=DKIM1; p=${p}`, `v=DKIM1;k=RSA;p=${p};`, `k=rsa; p=${p}; v2=x`, `v=DKIM1; h=sha1:sha256; s=email; n=a note; p=${p}`, `v=DKIM1; s=tlsrpt : *; p=${p}`, `v=DKIM1; g=*; t=; p=${p.replace(/.{60}/g, '$& \t')}`, `p=${p.replace(/=+$/, '')}`]
  for (const record of same) assert.equal(said(record), 'rsa 1024', record)
  assert.deepEqual([said(`p=${p}; t=y`), said(`p=${p}; t=s`), said(`p=${p}; t=x : S:y`), said(`v=DKIM1; k=ed25519; p=${edBytes.toString('base64')}`)], ['rsa 1024 testing', 'rsa 1024 strict', 'rsa 1024 testing strict', 'ed25519 256'])
  assert.equal(said(`p=${rsa.export({ type: 'pkcs1', format: 'der' }).toString('base64')}`), 'rsa 1024', 'the RSAPublicKey that RFC 6376 names')
})

test('what is no key, and why', () => {
  const cases: readonly (readonly [record: string, outcome: string])[] = [
    ['', 'neutral: invalid public key'], ['v=spf1 -all', 'neutral: unknown key version'], [`v=DKIM2; p=${p}`, 'neutral: unknown key version'], [`v=dkim1; p=${p}`, 'neutral: unknown key version'], [`p=${p}; v=DKIM1`, 'neutral: unknown key version'],
    [`v=DKIM1:p=${p}`, 'neutral: unknown key version'], [`k=rsa; k=rsa; p=${p}`, 'neutral: invalid public key'], [`k=rsa; x; p=${p}`, 'neutral: invalid public key'],
    ['v=DKIM1; p=', 'neutral: key revoked'], ['v=DKIM1; p= ', 'neutral: key revoked'], ['v=DKIM1; k=rsa', 'neutral: invalid public key'], [`v=DKIM1; k=dsa; p=${p}`, 'neutral: unknown key type'],
    [`h=sha1; p=${p}`, 'neutral: inappropriate hash algorithm'], [`h=; p=${p}`, 'neutral: inappropriate hash algorithm'], [`s=tlsrpt; p=${p}`, 'neutral: key not for email'],
    ['p=AAAA', 'neutral: invalid public key'], [`p=${p.slice(0, -30)}`, 'neutral: invalid public key'], [`p=${p.slice(0, 20)}!${p.slice(20)}`, 'neutral: invalid public key'],
    [`k=ed25519; p=${p}`, 'neutral: invalid public key'], [`p=${edBytes.toString('base64')}`, 'neutral: invalid public key'], [`k=ed25519; p=${ed25519.export({ type: 'spki', format: 'der' }).toString('base64')}`, 'neutral: invalid public key'],
    [`p=${ed25519.export({ type: 'spki', format: 'der' }).toString('base64')}`, 'neutral: invalid public key'], [`p=${generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`, 'neutral: invalid public key'],
    [`n=${'x'.repeat(20_000)}; p=${p}`, 'neutral: invalid public key'],
  ]
  for (const [record, outcome] of cases) assert.equal(said(record), outcome, record.slice(0, 60))
})

/** DER of an RSAPublicKey of any numbers. */
function rsaRecord(modulusBits: number, exponent: Buffer): string {
  const length = (bytes: number) => Buffer.from(bytes < 0x80 ? [bytes] : bytes < 0x100 ? [0x81, bytes] : [0x82, bytes >> 8, bytes & 0xff])
  const integer = (bytes: Buffer) => Buffer.concat([Buffer.from([2]), length(bytes.length + 1), Buffer.from([0]), bytes])
  const modulus = Buffer.alloc(modulusBits / 8, 0xff)
  const body = Buffer.concat([integer(modulus), integer(exponent)])
  return `p=${Buffer.concat([Buffer.from([0x30]), length(body.length), body]).toString('base64')}`
}

test('keys that are too weak, and keys that would keep a verifier busy', () => {
  const usual = Buffer.from([1, 0, 1])
  assert.deepEqual([rsaRecord(1016, usual), rsaRecord(1024, usual), rsaRecord(4096, usual), rsaRecord(8192, usual), rsaRecord(8200, usual), rsaRecord(65_536, usual), rsaRecord(2048, Buffer.alloc(200, 0xff))].map(said), [
    'policy: weak-key', 'rsa 1024', 'rsa 4096', 'rsa 8192', 'policy: a key of 8200 bits, at most 8192 are verified with', 'policy: a key of 65536 bits, at most 8192 are verified with', 'policy: a public exponent of more than 33 bits',
  ])
})

test('a record is read once while its text is the same, up to a thousand, and none that is long', () => {
  const one = readKeyRecord(`p=${p}; n=once`)
  assert.equal(readKeyRecord(`p=${p}; n=once`), one)
  const long = `p=${p}; n=${'x'.repeat(2000)}`
  assert.notEqual(readKeyRecord(long), readKeyRecord(long))
  for (let i = 0; i < 1000; i++) readKeyRecord(`n=${i}`)
  assert.notEqual(readKeyRecord(`p=${p}; n=once`), one)
})

test('of several records the first that is a key of the wanted type, else the first key, else the first', () => {
  const [a, b, c] = ['v=spf1 -all', 'k=ed25519; p=x', 'v=DKIM1; p=y']
  assert.deepEqual([chooseRecord([a, b, c], 'rsa'), chooseRecord([a, b, c], 'ed25519'), chooseRecord([a, b], 'rsa'), chooseRecord([a], 'rsa'), chooseRecord([a, 'x'], 'rsa'), chooseRecord([], 'rsa')], [c, b, b, a, a, ''])
})

test('keys by the DNS: no record, no answer, another type, strings that are joined', async () => {
  const signature = (selector: string, keyType: 'rsa' | 'ed25519' = 'rsa') => ({ selector, domain: 'example.com', keyType })
  const record = `v=DKIM1; p=${p}`
  const zone = zoneMap({ 's._domainkey.example.com': { TXT: [[record.slice(0, 100), record.slice(100)]] }, 'dead._domainkey.example.com': 'timeout', 'a._domainkey.example.com': { A: ['192.0.2.1'] } })
  const key = await keyOf(signature('s'), zone)
  assert.equal(key.status === 'key' && key.bits, 1024)
  assert.deepEqual(await keyOf(signature('s', 'ed25519'), zone), { status: 'neutral', cause: 'inappropriate key algorithm' })
  for (const selector of ['none', 'a']) assert.deepEqual(await keyOf(signature(selector), zone), { status: 'neutral', cause: 'no key' })
  const dead = await keyOf(signature('dead'), zone)
  assert.match(dead.status === 'temperror' ? dead.cause : dead.status, /^TXT of dead\._domainkey\.example\.com: timeout \(/)
})

test('each question is asked once, and a resolver that throws has failed', async () => {
  const zone = zoneMap({ 'a.example': { TXT: ['x'] } })
  const once = askingOnce(zone)
  const [one, other] = await Promise.all([once.lookup('a.example', 'TXT'), once.lookup('A.example', 'TXT')])
  assert.equal(one, other)
  await once.lookup('a.example', 'A')
  assert.deepEqual(zone.queries, ['a.example TXT', 'a.example A'])
  for (const lookup of [() => { throw new Error('boom') }, () => Promise.reject(new Error('boom'))] as Resolver['lookup'][]) {
    assert.deepEqual(await askingOnce({ lookup }).lookup('a.example', 'TXT'), { status: 'servfail', cause: 'the resolver threw: Error: boom' })
  }
})
