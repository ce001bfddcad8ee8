/** Verifying what our own signer made, and what happens to it on its way; how much is read, asked and when. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { BodyHashes } from '../../../../src/auth/dkim/body-hash.ts'
import { canonicalField, canonicalSignature, fieldsByName } from '../../../../src/auth/dkim/canonical-header.ts'
import { MessageSigner } from '../../../../src/auth/dkim/message-signer.ts'
import { checkSignature } from '../../../../src/auth/dkim/signature-check.ts'
import type { SigningOrder } from '../../../../src/auth/dkim/signing-order.ts'
import { verifyDkim } from '../../../../src/auth/dkim.ts'
import type { DkimSignature } from '../../../../src/auth/dkim.ts'
import type { Resolver } from '../../../../src/dns/resolver.ts'
import { zoneMap } from '../../../support/zone-map.ts'
import { signed as signedByMailauth } from '../signed-mail.ts'

const pair = generateKeyPairSync('ed25519')
const PEM = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const RECORD = `v=DKIM1; k=ed25519; p=${pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')}`
const NAME = 's._domainkey.example.com'
const NOW = new Date('2026-03-01T00:00:00Z')
const ORDER: SigningOrder = {
  key: { domain: 'example.com', selector: 's', algorithm: 'ed25519-sha256', privateKey: pair.privateKey }, canonicalization: { header: 'relaxed', body: 'relaxed' }, identity: undefined,
  signedFields: ['from', 'to', 'subject'], oversignedFields: ['from'], lifetimeSeconds: undefined,
}
const MESSAGE = 'From: Ada <ada@example.com>\r\nTo: bob@example.net\r\nSubject: two words\r\n\r\nAt four.\r\n'

async function signMessage(message: string, changes: Partial<SigningOrder> = {}): Promise<string> {
  const signer = new MessageSigner(() => [{ ...ORDER, ...changes }])
  signer.write(Buffer.from(message, 'latin1'))
  const outcome = await signer.finish({ above: [], now: NOW })
  assert.ok(outcome.status === 'signed', JSON.stringify(outcome))
  return outcome.fields.toString('latin1') + message
}

async function check(message: string, record = RECORD, now = NOW): Promise<DkimSignature> {
  const { signatures: [only, ...others] } = await verifyDkim({ memory: [Buffer.from(message, 'latin1')], chunks: () => { throw new Error('the message is in memory') } }, zoneMap({ [NAME]: { TXT: [record] } }), now)
  assert.deepEqual(others, [])
  assert.ok(only !== undefined)
  return only
}
const said = async (...input: Parameters<typeof check>): Promise<string> => { const { status, cause } = await check(...input); return cause === '' ? status : `${status}: ${cause}` }

test('the key says testing, and that i= is not to lie under d=', async () => {
  const message = await signMessage(MESSAGE, { identity: 'ada@news.example.com' })
  const { status, testing, identity } = await check(message, `${RECORD}; t=y`)
  assert.deepEqual([status, testing, identity], ['pass', true, 'ada@news.example.com'])
  assert.equal(await said(message, `${RECORD}; t=s`), 'neutral: domain mismatch')
  assert.equal(await said(await signMessage(MESSAGE, { identity: '@example.com' }), `${RECORD}; t=s`), 'pass')
})

test('it expires by the time that is given; one from the future passes', async () => {
  const message = await signMessage(MESSAGE, { lifetimeSeconds: 60 })
  assert.deepEqual([await said(message, RECORD, new Date(NOW.getTime() + 60_000)), await said(message, RECORD, new Date(NOW.getTime() + 61_000)), await said(message, RECORD, new Date(0))], ['pass', 'neutral: expired', 'pass'])
})

test('a bad signature is fail though it has expired as well', async () => {
  const message = (await signMessage(MESSAGE, { lifetimeSeconds: 60 })).replace('two words', 'two Words')
  assert.equal(await said(message, RECORD, new Date(NOW.getTime() + 3_600_000)), 'fail: bad signature')
})

test('l=: what stands behind it is not signed, and a body that is shorter is no body of it', async () => {
  const message = (await signedByMailauth({ key: { pem: PEM, record: RECORD }, maxBodyLength: 8 }, Buffer.from(MESSAGE, 'latin1'))).toString('latin1')
  const more = await check(`${message}and more\r\n`)
  assert.deepEqual([more.status, more.bodyLength], ['pass', { signed: 8, total: 20 }])
  const less = await check(message.replace('At four.\r\n', 'At\r\n'))
  assert.deepEqual([less.status, less.cause, less.bodyLength], ['fail', 'the body has 4 octets, l= says 8', { signed: 4, total: 4 }])
})

test('a line that is no field belongs to the field above it', async () => {
  const message = await signMessage(MESSAGE)
  for (const line of ['garbage\r\n', 'not a field: x\r\n', '\xa0more\r\n']) {
    assert.equal(await said(message.replace('To: bob', `${line}To: bob`)), 'fail: bad signature', line)
    assert.equal(await said(message.replace('\r\n\r\n', `\r\n${line}\r\n`)), 'fail: bad signature', line)
    assert.equal(await said(message.replace('From: Ada', `X: y\r\n${line}From: Ada`)), 'pass', `${line} below a field that is not signed`)
  }
  assert.equal(await said(message.replace('two words', 'two\r\nwords')), 'fail: bad signature', 'no new line in a value')
  assert.equal(await said(message.replace('two words', 'two wor\r\nds')), 'fail: bad signature', 'nor in a word')
  assert.equal(await said(message.replace('two words', 'two\r\n words')), 'pass', 'but a fold')
})

test('changes that relaxed allows, and simple does not', async () => {
  const changes = [['Subject: two', 'SUBJECT : \t two'], ['At four.', 'At \t four.  '], ['four.\r\n', 'four.\r\n\r\n \r\n']] as const
  const [relaxed, simple] = [await signMessage(MESSAGE), await signMessage(MESSAGE, { canonicalization: { header: 'simple', body: 'simple' } })]
  for (const [from, to] of changes) {
    assert.equal(await said(relaxed.replace(from, to)), 'pass')
    assert.match(await said(simple.replace(from, to)), /^fail/)
  }
  assert.equal(await said(simple.replace('four.\r\n', 'four.\r\n\r\n\r\n')), 'pass')
})

test('the field of the signature is signed with its own folds; the signature itself may be folded anew', async () => {
  for (const header of ['simple', 'relaxed'] as const) {
    const message = await signMessage(MESSAGE, { canonicalization: { header, body: 'simple' } })
    assert.equal(await said(message.replace(/\r\n\tb=(.{20})/, '\r\n\tb=$1\r\n \t ')), 'pass')
    assert.equal(await said(message.replace('; s=s;', ';\r\n\ts=s;')), header === 'simple' ? 'fail: bad signature' : 'pass')
    assert.equal(await said(message.replace('; s=s;', '; s=s; y=z;')), 'fail: bad signature')
  }
})

test('keys are asked for when the header section is whole, and no more than are needed', async () => {
  const message = Buffer.from(await signMessage(MESSAGE), 'latin1')
  const bodyStart = message.indexOf('\r\n\r\n') + 4
  const events: string[] = []
  const zone = zoneMap({ [NAME]: { TXT: [RECORD] } })
  const resolver: Resolver = { lookup(name, type) { events.push(name); return zone.lookup(name, type) } }
  const body = { async *chunks() {
    for (const piece of [message.subarray(0, bodyStart - 1), message.subarray(bodyStart - 1, bodyStart), message.subarray(bodyStart)]) {
      yield await Promise.resolve(piece)
      events.push(`${piece.length} bytes`)
    }
  } }
  assert.equal((await verifyDkim(body, resolver, NOW)).status, 'pass')
  assert.deepEqual(events, [`${bodyStart - 1} bytes`, NAME, '1 bytes', `${message.length - bodyStart} bytes`])
  // rsa-sha1 is not looked at any further, nor is what breaks a rule.
  for (const value of ['v=1; a=rsa-sha1; d=example.com; s=s; h=from; bh=AAAA; b=AAAA', 'v=1; a=rsa-sha256; d=example.com; s=s; h=to; bh=AAAA; b=AAAA']) {
    const unasked = zoneMap({})
    await verifyDkim({ memory: [Buffer.from(`DKIM-Signature: ${value}\r\n${MESSAGE}`)], chunks: () => body.chunks() }, unasked, NOW)
    assert.deepEqual(unasked.queries, [])
  }
})

test('where nothing is to be verified the body is not read, and the file is closed', async () => {
  let read = 0
  let closed = false
  const message = (header: string) => ({ async *chunks() {
    try {
      for (const piece of [header, 'x'.repeat(100), 'y'.repeat(100)]) {
        read++
        yield await Promise.resolve(Buffer.from(piece))
      }
    } finally {
      closed = true
    }
  } })
  for (const header of [MESSAGE, `DKIM-Signature: v=2\r\n${MESSAGE}`, `A: b\nC: d\r\n\r\n`]) {
    read = 0
    closed = false
    await verifyDkim(message(header), zoneMap({}), NOW)
    assert.deepEqual([read, closed], [1, true], header)
  }
})

test('signatures with other canonicalisations and lengths are verified in the same pass', async () => {
  let message = MESSAGE
  for (const body of ['simple', 'relaxed'] as const) for (const header of ['simple', 'relaxed'] as const) message = await signMessage(message, { canonicalization: { header, body } })
  const limited = await signedByMailauth({ key: { pem: PEM, record: RECORD }, maxBodyLength: 3 }, Buffer.from(message, 'latin1'))
  const { signatures } = await verifyDkim({ memory: [limited], chunks: () => { throw new Error('the message is in memory') } }, zoneMap({ [NAME]: { TXT: [RECORD] } }), NOW)
  assert.deepEqual(signatures.map(({ status }) => status), ['pass', 'pass', 'pass', 'pass', 'pass'])
})

test('an ARC-Message-Signature that does not say how it was made passes in either form', async () => {
  const start = 'ARC-Message-Signature: i=1; a=ed25519-sha256; d=example.com; s=s;  h=from; bh='
  for (const form of ['simple', 'relaxed', 'neither'] as const) {
    const hashes = new BodyHashes()
    const field = { key: 'arc-message-signature', text: `${start}${createHash('sha256').update(form === 'relaxed' ? '' : '\r\n').digest('base64')}; b=` }
    const from = { key: 'from', text: 'From:  a\r\n' }
    const data = form === 'relaxed' ? canonicalField('relaxed', from) + canonicalSignature('relaxed', field) : from.text + field.text
    const value = sign(null, createHash('sha256').update(form === 'neither' ? 'x' : data).digest(), pair.privateKey).toString('base64')
    const check = checkSignature({ ...field, text: `${field.text}${value}\r\n` }, 'arc', { resolver: zoneMap({ [NAME]: { TXT: [RECORD] } }), now: NOW, hashes, fields: fieldsByName([from]) })
    hashes.end()
    const { status, cause } = await check.verdict()
    assert.deepEqual([status, cause], form === 'neither' ? ['fail', 'bad signature'] : ['pass', ''], form)
  }
})

test('many names and many fields take time in their sum, not in their product', async () => {
  const names = Array.from({ length: 490 }, (_, i) => `x${i % 7}`).join(':')
  const field = `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s; h=from:${names}; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=${'A'.repeat(86)}==\r\n`
  const message = `${field.repeat(10)}From: a\r\n${Array.from({ length: 9900 }, (_, i) => `X${i % 7}: y\r\n`).join('')}\r\n`
  const began = process.cpuUsage().user
  const { signatures } = await verifyDkim({ memory: [Buffer.from(message)], chunks: () => { throw new Error('the message is in memory') } }, zoneMap({ [NAME]: { TXT: [RECORD] } }), NOW)
  assert.deepEqual(new Set(signatures.map(({ cause }) => cause)), new Set(['bad signature']))
  assert.ok(process.cpuUsage().user - began < 2_000_000)
})
