import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { compareRecord, formatRecord, recordFlags, recordStrings, recordText } from '../../../src/signing/key-record.ts'
import { key } from './signing-fixture.ts'

const rsa = { algorithm: 'rsa-sha256', publicData: key('a').publicData } as const
const ed = { algorithm: 'ed25519-sha256', publicData: key('ed').publicData } as const

test('a record is what receivers look for, and compares with its own key', () => {
  assert.equal(recordText(rsa), `v=DKIM1; k=rsa; p=${rsa.publicData}`)
  assert.equal(compareRecord(recordText(rsa), rsa).status, 'matches')
  assert.equal(compareRecord(recordText(ed), ed).status, 'matches')
})

test('a zone file gets strings of at most 255 octets that join to the text', () => {
  const text = recordText(rsa)
  const zone = formatRecord({ domain: 'example.org', selector: 's1' }, text, 'zone')
  assert.match(zone, /^s1\._domainkey\.example\.org\. IN TXT \(\n {4}"v=DKIM1; /)
  const strings = [...zone.matchAll(/"([^"]*)"/g)].map(([, one = '']) => one)
  assert.equal(strings.join(''), text)
  assert.ok(strings.length > 1 && strings.every((one) => one.length <= 255))
  assert.deepEqual(strings, recordStrings(text))
  assert.equal(formatRecord({ domain: 'example.org', selector: 'e' }, recordText(ed), 'zone'), `e._domainkey.example.org. IN TXT "${recordText(ed)}"\n`)
})

test('a registrar\'s page gets one string without quotes', () => {
  const web = formatRecord({ domain: 'example.org', selector: 's1' }, recordText(rsa), 'web')
  assert.ok(web.includes(`value: ${recordText(rsa)}\n`))
  assert.ok(!web.includes('"'))
  assert.equal(formatRecord({ domain: 'example.org', selector: 's1' }, recordText(rsa), 'raw'), `${recordText(rsa)}\n`)
})

const pkcs1 = createPublicKey({ key: Buffer.from(rsa.publicData, 'base64'), format: 'der', type: 'spki' }).export({ format: 'der', type: 'pkcs1' }).toString('base64')

const CASES: readonly [string, string, typeof rsa | typeof ed, string, RegExp?][] = [
  ['no k= is RSA', `v=DKIM1; p=${rsa.publicData}`, rsa, 'matches'],
  ['no v=', `p=${rsa.publicData}`, rsa, 'matches'],
  ['RSAPublicKey, as the RFC\'s words have it', `v=DKIM1; p=${pkcs1}`, rsa, 'matches'],
  ['blanks in p=', `v=DKIM1; k=rsa; p=${rsa.publicData.replace(/(.{60})/g, '$1 ')};`, rsa, 'matches'],
  ['h= and s= that fit', `v=DKIM1; h=sha1:sha256; s=email; p=${rsa.publicData}`, rsa, 'matches'],
  ['s=*', `v=DKIM1; s=*; t=s; p=${rsa.publicData}`, rsa, 'matches'],
  ['another key', `v=DKIM1; p=${key('b').publicData}`, rsa, 'mismatch'],
  ['another Ed25519 key', `v=DKIM1; k=ed25519; p=${key('ed-other').publicData}`, ed, 'mismatch'],
  ['an empty p=', 'v=DKIM1; p=', rsa, 'revoked'],
  ['no p=', 'v=DKIM1; k=rsa', rsa, 'unusable', /no p=/],
  ['another version', `v=DKIM2; p=${rsa.publicData}`, rsa, 'unusable', /v=DKIM2/],
  ['v= at the end', `p=${rsa.publicData}; v=DKIM1`, rsa, 'unusable', /in front/],
  ['another kind of key', `v=DKIM1; k=ed25519; p=${ed.publicData}`, rsa, 'unusable', /k=ed25519, and the key is rsa/],
  ['RSA where Ed25519 signs', `v=DKIM1; k=rsa; p=${rsa.publicData}`, ed, 'unusable', /k=rsa/],
  ['only sha1', `v=DKIM1; h=sha1; p=${rsa.publicData}`, rsa, 'unusable', /h=sha1/],
  ['another service', `v=DKIM1; s=tlsrpt; p=${rsa.publicData}`, rsa, 'unusable', /s=tlsrpt/],
  ['a tag twice', `v=DKIM1; p=${rsa.publicData}; p=`, rsa, 'unusable', /no list of tags/],
  ['SPF', 'v=spf1 -all', rsa, 'unusable', /v=spf1 -all/],
  ['half a key', `v=DKIM1; p=${rsa.publicData.slice(0, 200)}`, rsa, 'unusable', /no public key: it may be cut off/],
  ['no base64', 'v=DKIM1; p=@@@', rsa, 'unusable', /no base64/],
  ['Ed25519 in the form of RSA\'s', `v=DKIM1; k=ed25519; p=${Buffer.concat([Buffer.alloc(12), Buffer.from(ed.publicData, 'base64')]).toString('base64')}`, ed, 'unusable', /44 bytes/],
  ['control characters are not passed on', 'v=\x1b[31m; p=x', rsa, 'unusable', /v=\?\[31m/],
]
for (const [name, text, half, status, why] of CASES) {
  test(`a record compared: ${name}`, () => {
    const compared = compareRecord(text, half)
    assert.equal(compared.status, status)
    if (why !== undefined) assert.match(compared.status === 'unusable' ? compared.why : '', why)
  })
}

test('the flags of a record', () => {
  assert.deepEqual(recordFlags('v=DKIM1; t=y:s; p='), ['y', 's'])
  assert.deepEqual(recordFlags('v=DKIM1; p='), [])
})
