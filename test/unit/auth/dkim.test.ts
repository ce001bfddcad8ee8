import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyDkim } from '../../../src/auth/dkim.ts'
import type { DkimOutcome } from '../../../src/auth/dkim.ts'
import type { Resolver } from '../../../src/dns/resolver.ts'
import { zoneMap } from '../../support/zone-map.ts'
import type { ZoneData } from '../../support/zone-map.ts'
import { MESSAGE, NOW, ed25519Key, failingAt, inPieces, rsaKey, signed, withEachFailure } from './signed-mail.ts'
import type { SigningKey } from './signed-mail.ts'

const rsa = rsaKey()
const ed25519 = ed25519Key()
const KEYS: ZoneData = { 's._domainkey.example.com': { TXT: [rsa.record] }, 'e._domainkey.example.com': { TXT: [ed25519.record] } }
const verify = (message: Buffer, zone: ZoneData = KEYS, now = NOW): Promise<DkimOutcome> => verifyDkim(inPieces(message), zoneMap(zone), now)
const text = (message: Buffer, from: string | RegExp, to: string): Buffer => Buffer.from(message.toString('latin1').replace(from, to), 'latin1')

test('what is known of a signature that passes', async () => {
  const message = await signed({ key: rsa, identity: 'list@news.example.com' })
  const outcome = await verify(message)
  const [found] = outcome.signatures
  assert.deepEqual({ ...found, signatureStart: '' }, {
    status: 'pass', domain: 'example.com', selector: 's', algorithm: 'rsa-sha256', bits: 2048, identity: 'list@news.example.com', testing: false, bodyLength: null,
    headerFields: ['message-id', 'subject', 'to', 'from'], signatureStart: '', cause: '',
  })
  assert.equal(/\bb=([^;]*)/.exec(message.toString().replace(/\s/g, ''))?.[1]?.startsWith(found?.signatureStart ?? '?'), true)
  assert.deepEqual([outcome.status, outcome.unexamined, outcome.cause], ['pass', 0, ''])
})

test('Ed25519 passes beside RSA, and i= is @d where there is none', async () => {
  const outcome = await verify(await signed({ key: ed25519, selector: 'e' }, await signed({ key: rsa })))
  assert.deepEqual(outcome.signatures.map(({ status, algorithm, bits, identity }) => [status, algorithm, bits, identity]), [['pass', 'ed25519-sha256', 256, '@example.com'], ['pass', 'rsa-sha256', 2048, '@example.com']])
})

test('nothing signed is none; an empty message too', async () => {
  for (const message of [MESSAGE, Buffer.alloc(0), Buffer.from('\r\n'), Buffer.from('no header')]) assert.deepEqual(await verify(message), { status: 'none', signatures: [], unexamined: 0, cause: '' })
})

test('a changed body or field fails, and says which', async () => {
  const message = await signed({ key: rsa })
  assert.deepEqual((await verify(text(message, 'four', 'five'))).signatures.map(({ status, cause }) => [status, cause]), [['fail', 'body hash did not verify']])
  assert.deepEqual((await verify(text(message, 'Subject: tea', 'Subject: rum'))).signatures.map(({ status, cause }) => [status, cause]), [['fail', 'bad signature']])
})

test('a field added below a signed one of its name is seen', async () => {
  const message = await signed({ key: rsa })
  assert.equal((await verify(text(message, 'Subject: tea\r\n', 'Subject: tea\r\nSubject: rum\r\n'))).status, 'fail')
})

test('the same in pieces of every size', async () => {
  const message = await signed({ key: rsa })
  for (const bytes of [1, 2, 3, 7, 64, 1000]) assert.equal((await verifyDkim(inPieces(message, bytes), zoneMap(KEYS), NOW)).status, 'pass', `${bytes}`)
})

test('a key that cannot be asked for is temperror, whatever the failure; one that is not there is not', async () => {
  const message = await signed({ key: ed25519, selector: 'e' }, await signed({ key: rsa }))
  await withEachFailure(zoneMap(KEYS), (resolver) => verifyDkim(inPieces(message), resolver, NOW), ({ status, signatures }, failed) => {
    assert.equal(status, 'pass')
    assert.deepEqual(signatures.map((one) => one.status), failed.startsWith('e.') ? ['temperror', 'pass'] : ['pass', 'temperror'], failed)
    assert.match(signatures.find((one) => one.status === 'temperror')?.cause ?? '', /TXT of [es]\._domainkey\.example\.com: (?:timeout|servfail)/)
  })
  assert.deepEqual((await verify(message, {})).signatures.map(({ status, cause }) => [status, cause]), [['neutral', 'no key'], ['neutral', 'no key']])
  const broken: Resolver = { lookup: () => { throw new Error('boom') } }
  assert.equal((await verifyDkim(inPieces(message), broken, NOW)).status, 'temperror')
})

test('an internationalized d= that cannot be asked for is temperror under its A-labels', async () => {
  const message = text(await signed({ key: rsa, domain: 'xn--bcher-kva.example' }), 'd=xn--bcher-kva.example', 'd=b\xc3\xbccher.example')
  const outcome = await verifyDkim(inPieces(message), failingAt(zoneMap({}), 0, 'timeout'), NOW)
  assert.deepEqual(outcome.signatures.map(({ status, domain }) => [status, domain]), [['temperror', 'xn--bcher-kva.example']])
})

test('what is in a key record: revoked, short, testing, of another kind, nonsense', async () => {
  const message = await signed({ key: rsa })
  const withRecord = async (...records: string[]) => (await verify(message, { 's._domainkey.example.com': { TXT: records } })).signatures[0]!
  assert.equal((await withRecord('v=DKIM1; p=')).status, 'neutral')
  for (const record of ['', 'v=DKIM2; p=x', 'v=spf1 -all', 'v=DKIM1; k=rsa; p=AAAA', 'v=DKIM1; k=rsa; p=\u0000\u00ff', `v=DKIM1; n=${'x'.repeat(60_000)}`, ed25519.record, 'toString; __proto__=1; constructor=2; p=x']) assert.equal((await withRecord(record)).status, 'neutral', record.slice(0, 40))
  assert.deepEqual([(await withRecord(`${rsa.record}; t=y`)).testing, (await withRecord(`${rsa.record}; t=y`)).status], [true, 'pass'])
  // RFC 6376 §6.1.2: of several records the one that is a key of the wanted kind
  assert.equal((await withRecord('v=spf1 -all', ed25519.record, rsa.record)).status, 'pass')
  const short = rsaKey(1024 - 256)
  assert.deepEqual((await verify(await signed({ key: short }), { 's._domainkey.example.com': { TXT: [short.record] } })).signatures.map(({ status, cause }) => [status, cause]), [['policy', 'weak-key']])
  const edge = rsaKey(1024)
  assert.equal((await verify(await signed({ key: edge }), { 's._domainkey.example.com': { TXT: [edge.record] } })).status, 'pass')
})

test('rsa-sha1 is policy', async () => {
  assert.deepEqual((await verify(await signed({ key: rsa, algorithm: 'rsa-sha1' }))).signatures.map(({ status, cause }) => [status, cause]), [['policy', 'weak algorithm']])
})

test('the time is the one that is given', async () => {
  const message = await signed({ key: rsa, expires: new Date('2026-01-02T00:00:00Z') })
  assert.equal((await verify(message, KEYS, new Date('2026-01-01T23:59:59Z'))).status, 'pass')
  assert.deepEqual((await verify(message, KEYS, new Date('2026-01-02T00:00:01Z'))).signatures.map(({ status, cause }) => [status, cause]), [['neutral', 'expired']])
})

test('l= says how much is signed', async () => {
  const message = Buffer.concat([await signed({ key: rsa, maxBodyLength: 4 }), Buffer.from('and more\r\n')])
  assert.deepEqual((await verify(message)).signatures.map(({ status, bodyLength }) => [status, bodyLength]), [['pass', { signed: 4, total: 20 }]])
})

test('of a hundred signatures ten are looked at, and ten keys asked for', async () => {
  const fields = Array.from({ length: 100 }, (_, i) => `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=e${i}.example; s=s; h=From; l=${i}; bh=AAAA; b=AAAA\r\n`).join('')
  const zone = zoneMap({})
  const outcome = await verifyDkim(inPieces(Buffer.concat([Buffer.from(fields), MESSAGE])), zone, NOW)
  assert.deepEqual([outcome.signatures.length, outcome.unexamined, zone.queries.length], [10, 90, 10])
})

test('the tenth signature counts, the eleventh does not', async () => {
  const junk = (count: number) => Buffer.from('DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=s; h=From; bh=AAAA; b=AAAA\r\n'.repeat(count))
  const message = await signed({ key: rsa })
  assert.equal((await verify(Buffer.concat([junk(9), message]))).status, 'pass')
  assert.equal((await verify(Buffer.concat([junk(10), message]))).status, 'fail')
})

test('the same signature twice is two results and one question', async () => {
  const message = await signed({ key: rsa })
  const field = message.subarray(0, message.length - MESSAGE.length)
  const zone = zoneMap(KEYS)
  const outcome = await verifyDkim(inPieces(Buffer.concat([field, message])), zone, NOW)
  assert.deepEqual([outcome.signatures.map(({ status }) => status), zone.queries.length], [['pass', 'pass'], 1])
})

test('malformed signatures have a result each, and names of strangers are made plain', async () => {
  for (const field of ['', ';', 'v=1', 'v=1; v=1; a=rsa-sha256', 'v=1; a=none; d=x; s=y', 'v=1; a=rsa-sha256; c=x/y; d=x.example; s=s; h=From; bh=A; b=B', 'v=1; a=rsa-sha256; d=\u001b[2J.example; s=a b; h=; bh=A; b=B', 'v=1; a=rsa-sha256; d=x.example; s=s; h=From; i=@; bh=A; b=B', 'toString=1; __proto__=2; constructor=3', 'v=1; a=rsa-sha256; d=x.example; s=s; h=from; t=99999999999999999; x=1; l=-1; bh=A; b=B', `v=1; d=${'x.'.repeat(400)}example`]) {
    const outcome = await verify(Buffer.concat([Buffer.from(`DKIM-Signature: ${field}\r\n`, 'latin1'), MESSAGE]), {})
    assert.deepEqual([outcome.signatures.length, outcome.status], [1, 'neutral'], field)
    assert.match(JSON.stringify(outcome.signatures), /^[\x20-\x7e]*$/)
  }
})

test('fields and messages that are too large are permerror with the reason, and the signatures beside them are looked at', async () => {
  const message = await signed({ key: rsa })
  for (const [field, cause] of [[`v=1; z=${'x'.repeat(17_000)}`, /at most 16384/], [`v=1; h=${'a:'.repeat(600)}`, /500 names/], [`v=1;${' '.repeat(300)}a=b`, /256 octets of white space/]] as const) {
    const outcome = await verify(Buffer.concat([Buffer.from(`DKIM-Signature: ${field}\r\n`), message]))
    assert.deepEqual(outcome.signatures.map(({ status }) => status), ['pass', 'permerror'])
    assert.match(outcome.signatures[1]?.cause ?? '', cause)
  }
  const large = Buffer.concat([Buffer.from(`X: ${'y'.repeat(90)}\r\n`.repeat(100_000)), message])
  assert.deepEqual(await verify(large), { status: 'permerror', signatures: [], unexamined: 0, cause: 'the header section has more than 10000 fields' })
  assert.match((await verify(Buffer.concat([Buffer.from(`X: ${'y'.repeat(1 << 20)}\r\n`), message]))).cause, /header section is larger than 1048576 bytes/)
})

test('a bare CR or LF in the header is not taken for a line end by the verifier alone', async () => {
  assert.match((await verify(text(await signed({ key: rsa }), 'Subject: tea', 'X: y\nSubject: tea'))).cause, /CR or LF/)
})

test('a line of the body may have any length', async () => {
  const message = await signed({ key: rsa }, Buffer.concat([MESSAGE, Buffer.alloc(2_000_000, 0x61)]))
  assert.equal((await verify(message)).status, 'pass')
})

test('a spool that cannot be read is temperror, where there is something to read it for', async () => {
  const spoilt = (bytes: Buffer) => ({ async *chunks() { yield await Promise.resolve(bytes); throw new Error('EIO: i/o error, read') } })
  assert.equal((await verifyDkim(spoilt(MESSAGE), zoneMap({}), NOW)).status, 'none')
  assert.deepEqual(await verifyDkim(spoilt(await signed({ key: rsa })), zoneMap({}), NOW), { status: 'temperror', signatures: [], unexamined: 0, cause: 'the message could not be read: EIO: i/o error, read' })
})

test('the best of several results is that of the message', async () => {
  const key: SigningKey = rsa
  const broken = text(await signed({ key }), 'bh=', 'bh=A')
  assert.equal((await verify(broken)).status, 'fail')
  assert.equal((await verify(broken, { 's._domainkey.example.com': 'timeout' })).status, 'fail')
  const both = await signed({ key, selector: 'dead' }, broken)
  assert.equal((await verify(both, { ...KEYS, 'dead._domainkey.example.com': 'servfail' })).status, 'temperror')
})
