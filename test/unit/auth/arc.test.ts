import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyArc } from '../../../src/auth/arc.ts'
import type { ArcOutcome } from '../../../src/auth/arc.ts'
import { verifyMessage } from '../../../src/auth/message-authentication.ts'
import { readHeaderSection } from '../../../src/message/header-section.ts'
import { heldMessage } from '../../support/stored-message.ts'
import { zoneMap } from '../../support/zone-map.ts'
import type { ZoneData } from '../../support/zone-map.ts'
import { MESSAGE, NOW, ed25519Key, inPieces, rsaKey, sealed, signed, withEachFailure } from './signed-mail.ts'

const list = rsaKey()
const forwarder = ed25519Key()
const author = rsaKey()
const KEYS: ZoneData = { 'arc._domainkey.list.example': { TXT: [list.record] }, 'arc._domainkey.forward.example': { TXT: [forwarder.record] }, 's._domainkey.example.com': { TXT: [author.record] } }
const verify = (message: Buffer, zone: ZoneData = KEYS): Promise<ArcOutcome> => verifyArc(inPieces(message), zoneMap(zone), NOW)
const text = (message: Buffer, from: string | RegExp, to: string): Buffer => Buffer.from(message.toString('latin1').replace(from, to), 'latin1')

const first = await sealed(await signed({ key: author }), { key: list, domain: 'list.example', results: 'mx.list.example 1; spf=pass smtp.mailfrom=ada@example.com; dkim=pass (2048 bits) header.d=example.com header.s=s; dkim=fail header.d=other.example; dmarc=pass header.from=example.com' })
const chain = await sealed(first, { key: forwarder, domain: 'forward.example', cv: 'pass', results: 'mx.forward.example; arc=pass; dmarc=fail header.from=example.com' })

test('a chain that passes: its sealers, newest first, and what each hop claims', async () => {
  const outcome = await verify(chain)
  assert.deepEqual([outcome.status, outcome.instance, outcome.sealers, outcome.cause], ['pass', 2, ['forward.example', 'list.example'], ''])
  assert.deepEqual(outcome.hops.map(({ instance, sealer, selector, authservId }) => [instance, sealer, selector, authservId]), [[2, 'forward.example', 'arc', 'mx.forward.example'], [1, 'list.example', 'arc', 'mx.list.example']])
  assert.deepEqual(outcome.hops[1]?.results, [
    { method: 'spf', result: 'pass', properties: { 'smtp.mailfrom': 'ada@example.com' } },
    { method: 'dkim', result: 'pass', properties: { 'header.d': 'example.com', 'header.s': 's' } },
    { method: 'dkim', result: 'fail', properties: { 'header.d': 'other.example' } },
    { method: 'dmarc', result: 'pass', properties: { 'header.from': 'example.com' } },
  ])
  assert.equal(outcome.hops[0]?.text, 'mx.forward.example; arc=pass; dmarc=fail header.from=example.com')
})

test('no set is none', async () => {
  for (const message of [MESSAGE, Buffer.alloc(0), await signed({ key: author })]) assert.deepEqual(await verify(message), { status: 'none', instance: 0, sealers: [], hops: [], cause: '' })
})

test('whichever key cannot be asked for, the chain is temperror, not fail', async () => {
  const asked = await withEachFailure(zoneMap(KEYS), (resolver) => verifyArc(inPieces(chain), resolver, NOW), ({ status, sealers, cause }, failed) => {
    assert.deepEqual([status, sealers], failed.startsWith('s._domainkey') ? ['pass', ['forward.example', 'list.example']] : ['temperror', []], failed)
    if (status === 'temperror') assert.match(cause, /TXT of arc\._domainkey/)
  })
  assert.equal(asked, 3)
})

test('what is wrong for good is fail, also where a key cannot be asked for', async () => {
  const silent: ZoneData = { 'arc._domainkey.list.example': 'timeout', 'arc._domainkey.forward.example': 'servfail' }
  for (const zone of [KEYS, silent]) {
    for (const [what, message] of Object.entries({ body: text(chain, 'four', 'five'), gap: text(chain, /ARC-Seal: i=1;/, 'X-Seal: i=1;'), cv: text(chain, 'cv=pass', 'cv=fail'), none: text(chain, 'cv=none', 'cv=pass'), instance: text(chain, 'ARC-Seal: i=2;', 'ARC-Seal: i=3;'), twice: text(chain, /(ARC-Authentication-Results: i=2;)/, '$1 x; y=z\r\n$1') })) {
      const outcome = await verify(message, zone)
      assert.deepEqual([outcome.status, outcome.hops, outcome.cause === ''], ['fail', [], false], what)
    }
  }
  assert.equal((await verify(text(chain, 'Subject: tea', 'Subject: rum'))).status, 'fail')
  assert.equal((await verify(text(chain, 'spf=pass smtp', 'spf=fail smtp'))).status, 'fail')
  assert.equal((await verify(chain, {})).status, 'fail')
  const short = rsaKey(512 + 256)
  assert.deepEqual([(await verify(await sealed(MESSAGE, { key: short, domain: 'list.example' }), { 'arc._domainkey.list.example': { TXT: [short.record] } })).status], ['fail'])
})

test('fifty sets at most, fields that are bounded, nonsense that does not throw', async () => {
  const field = (n: number, value: string) => Buffer.concat([Buffer.from(`ARC-Seal: ${value}\r\n`.repeat(n), 'latin1'), MESSAGE])
  assert.deepEqual([(await verify(field(151, 'i=1'))).cause], ['more than 50 ARC sets'])
  assert.match((await verify(field(1, `i=1; x=${'y'.repeat(17_000)}`))).cause, /at most 16384/)
  for (const value of ['', ';', 'i=', 'i=0', 'i=51', 'i=1e1', 'i=1; i=1', 'i=1; cv=none', '__proto__=1', 'i=\u001b[2J', 'i=1; a=rsa-sha256; cv=none; d=x; s=y; b=z']) {
    const outcome = await verify(field(1, value))
    assert.deepEqual([outcome.status, /^[\x20-\x7e]+$/.test(outcome.cause)], ['fail', true], value)
  }
})

test('what a trusted sealer writes is read as data', async () => {
  const results = 'mx.list.example; spf=pass (a (nested) comment) smtp.mailfrom="a b"@example.com; __proto__=pass x.y=z; dkim=PASS header.d=Example.com; toString=pass; dmarc=pass header.from=example.com header.from.x=1'
  const outcome = await verify(await sealed(MESSAGE, { key: list, domain: 'List.example', results }), KEYS)
  assert.equal(outcome.status, 'pass', outcome.cause)
  assert.deepEqual(outcome.hops[0]?.results.map(({ method, result }) => [method, result]), [['spf', 'pass'], ['dkim', 'pass'], ['tostring', 'pass'], ['dmarc', 'pass']])
  assert.equal(outcome.hops[0].sealer, 'list.example')
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})

test('one pass over the message gives both results, and asks for each key once', async () => {
  const zone = zoneMap(KEYS)
  let reads = 0
  const once = { chunks() { reads += 1; return inPieces(chain).chunks() } }
  const { dkim, arc } = await verifyMessage(once, zone, NOW)
  assert.deepEqual([dkim.status, arc.status, reads, [...zone.queries].sort()], ['pass', 'pass', 1, ['arc._domainkey.forward.example TXT', 'arc._domainkey.list.example TXT', 's._domainkey.example.com TXT']])
  assert.deepEqual(await verify(chain), arc)
})

test('a header section that was read already gives the same, and the body is read from where it begins', async () => {
  for (const [name, message] of [
    ['a chain', chain], ['a line that is no field', text(chain, /^Subject:/m, 'no field\r\nSubject:')], ['another body', text(chain, /\r\n\r\n/, '\r\n\r\nmore\r\n')], ['a bare LF', text(chain, /^Subject:/m, 'X: a\nSubject:')],
    ['no body', Buffer.from('From: a@example.com\r\n')], ['nothing', Buffer.alloc(0)],
  ] as const) for (const size of [7, 100_000]) {
    const memory = Array.from({ length: Math.ceil(message.length / size) }, (_, i) => message.subarray(i * size, (i + 1) * size))
    const again = heldMessage(memory)
    const section = await readHeaderSection(again)
    assert.deepEqual(await verifyMessage({ memory, chunks: () => again.chunks(), section }, zoneMap(KEYS), NOW), await verifyMessage(again, zoneMap(KEYS), NOW), name)
  }
})

test('a message that cannot be read is temperror, one that is refused is fail', async () => {
  assert.equal((await verifyArc({ async *chunks() { yield await Promise.reject<Buffer>(new Error('EIO')) } }, zoneMap({}), NOW)).status, 'temperror')
  assert.equal((await verify(Buffer.from('a: b\nc: d\r\n\r\n'))).status, 'fail')
})
