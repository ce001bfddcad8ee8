import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resolver } from '../../../src/dns/resolver.ts'
import { checkSenderDomain } from '../../../src/reputation/sender-domain.ts'
import type { SenderDomainOutcome } from '../../../src/reputation/sender-domain.ts'
import { zoneMap } from '../../support/zone-map.ts'
import type { ZoneData, ZoneEntry } from '../../support/zone-map.ts'

const check = (zone: ZoneData, domain: string | null = 'a.example'): Promise<SenderDomainOutcome> => checkSenderDomain(domain, zoneMap(zone))
const resultOf = async (...given: Parameters<typeof check>): Promise<string> => {
  const outcome = await check(...given)
  return outcome.status === 'pass' ? outcome.by : outcome.status === 'temperror' ? 'temperror' : outcome.result
}

test('senders that have no domain to ask about', async () => {
  const zone = zoneMap({})
  assert.deepEqual(await checkSenderDomain(null, zone), { status: 'none', result: 'null-reverse-path' })
  assert.deepEqual(await checkSenderDomain('', zone), { status: 'none', result: 'no-domain' })
  assert.deepEqual(await checkSenderDomain('[192.0.2.1]', zone), { status: 'none', result: 'literal' })
  assert.deepEqual(zone.queries, [])
})

test('an MX, or an address of its own', async () => {
  assert.deepEqual(await check({ 'a.example': { MX: [[10, 'mx.a.example']] }, 'mx.a.example': { A: ['192.0.2.1'] } }), { status: 'pass', domain: 'a.example', by: 'mx' })
  assert.equal(await resultOf({ 'a.example': { MX: [[10, 'mx.a.example']] }, 'mx.a.example': { AAAA: ['2001:db8::1'] } }), 'mx')
  assert.deepEqual(await check({ 'a.example': { A: ['192.0.2.1'] } }), { status: 'pass', domain: 'a.example', by: 'address' })
  assert.equal(await resultOf({ 'a.example': { AAAA: ['2001:db8::1'] } }), 'address')
  assert.equal(await resultOf({ 'a.example': { CNAME: 'b.example' }, 'b.example': { MX: [[1, 'c.example']] }, 'c.example': { A: ['192.0.2.1'] } }), 'mx')
})

test('the null MX (RFC 7505), alone and beside others', async () => {
  assert.deepEqual(await check({ 'a.example': { MX: [[0, '.']], A: ['192.0.2.1'] } }), { status: 'fail', domain: 'a.example', result: 'null-mx', cause: 'a.example takes no mail: it has a null MX' })
  assert.equal(await resultOf({ 'a.example': { MX: [[0, '.'], [10, 'mx.a.example']] }, 'mx.a.example': { A: ['192.0.2.1'] } }), 'mx')
})

test('nothing to send a bounce to', async () => {
  assert.deepEqual(await check({}), { status: 'fail', domain: 'a.example', result: 'no-such-domain', cause: 'a.example does not exist' })
  assert.deepEqual(await check({ 'a.example': { TXT: ['x'] } }), { status: 'fail', domain: 'a.example', result: 'no-mail-host', cause: 'a.example has neither MX nor A nor AAAA records' })
  assert.deepEqual(await check({ 'a.example': { MX: [[1, 'gone.example'], [2, 'x.example']], A: ['192.0.2.1'] }, 'x.example': { TXT: ['x'] } }), { status: 'fail', domain: 'a.example', result: 'no-mail-host', cause: 'no mail exchange of a.example has an address' })
  assert.equal(await resultOf({ 'a.example': { MX: [[1, '192.0.2.1']] } }), 'no-mail-host')
})

test('loopback, private and unspecified addresses only', async () => {
  for (const entry of [{ A: ['127.0.0.1'] }, { A: ['0.0.0.0'] }, { A: ['10.1.2.3', '192.168.0.1'] }, { AAAA: ['::1'] }, { AAAA: ['::'] }, { AAAA: ['fd00::1'] }, { AAAA: ['::ffff:127.0.0.1'] }, { A: ['169.254.1.1'], AAAA: ['fe80::1'] }] as const satisfies readonly ZoneEntry[]) {
    assert.equal(await resultOf({ 'a.example': entry }), 'unroutable', JSON.stringify(entry))
    assert.equal(await resultOf({ 'a.example': { MX: [[1, 'mx.example'], [2, 'gone.example']] }, 'mx.example': entry }), 'unroutable', JSON.stringify(entry))
  }
  assert.equal(await resultOf({ 'a.example': { MX: [[1, 'localhost'], [2, 'mx.example']] }, 'localhost': { A: ['127.0.0.1'] }, 'mx.example': { A: ['192.0.2.1'] } }), 'mx')
  assert.equal(await resultOf({ 'a.example': { A: ['127.0.0.1', '192.0.2.1'] } }), 'address')
  const outcome = await check({ 'a.example': { A: ['127.0.0.1'] } })
  assert.equal(outcome.status === 'fail' ? outcome.cause : '', 'a.example has the address 127.0.0.1, which nobody outside reaches')
})

const HOSTS = {
  routed: { A: ['192.0.2.1'] },
  private: { A: ['10.0.0.1'] },
  nothing: { TXT: ['x'] },
  nxdomain: undefined,
  timeout: 'timeout',
  servfail: 'servfail',
  half: { A: ['10.0.0.1'], AAAA: 'timeout' },
} as const

test('every combination of what three exchanges come to', async () => {
  const kinds = Object.keys(HOSTS) as (keyof typeof HOSTS)[]
  for (const one of kinds) for (const two of kinds) for (const three of kinds) {
    const zone = zoneMap({ 'a.example': { MX: [[1, 'm1.example'], [2, 'm2.example'], [3, 'm3.example']] } })
    for (const [name, kind] of [['m1.example', one], ['m2.example', two], ['m3.example', three]] as const) zone.set(name, HOSTS[kind])
    const all = new Set<string>([one, two, three])
    const has = (...wanted: string[]): boolean => wanted.some((kind) => all.has(kind))
    const expected = has('routed') ? 'mx' : has('timeout', 'servfail', 'half') ? 'temperror' : has('private') ? 'unroutable' : 'no-mail-host'
    const outcome = await checkSenderDomain('a.example', zone)
    assert.equal(outcome.status === 'pass' ? outcome.by : outcome.status === 'fail' ? outcome.result : outcome.status, expected, [...all].join(' '))
  }
})

test('a failure at the first question, and at the addresses', async () => {
  for (const fault of ['timeout', 'servfail'] as const) {
    const first = await check({ 'a.example': fault })
    assert.ok(first.status === 'temperror')
    assert.match(first.cause, new RegExp(`^MX of a\\.example: ${fault} `))
    assert.equal(await resultOf({ 'a.example': { A: fault } }), 'temperror')
    assert.equal(await resultOf({ 'a.example': { A: fault, AAAA: ['2001:db8::1'] } }), 'address')
    assert.equal(await resultOf({ 'a.example': { A: ['10.0.0.1'], AAAA: fault } }), 'temperror')
    assert.equal(await resultOf({ 'a.example': { MX: fault, A: ['192.0.2.1'] } }), 'temperror')
  }
})

test('a hundred exchanges: the two best first, then eight more, and no others', async () => {
  const MX = Array.from({ length: 100 }, (_, i): [number, string] => [100 - i, `m${100 - i}.example`])
  const good = zoneMap({ 'a.example': { MX }, 'm2.example': { A: ['192.0.2.1'] } })
  assert.equal((await checkSenderDomain('a.example', good)).status, 'pass')
  assert.deepEqual(good.queries, ['a.example MX', 'm1.example A', 'm1.example AAAA', 'm2.example A', 'm2.example AAAA'])
  const bad = zoneMap({ 'a.example': { MX }, 'm11.example': { A: ['192.0.2.1'] } })
  assert.equal((await checkSenderDomain('a.example', bad)).status, 'fail')
  assert.equal(bad.queries.length, 21)
})

test('names in Unicode are asked for as A-labels; what cannot be a name is no domain', async () => {
  const zone = { 'xn--bcher-kva.example': { A: ['192.0.2.1'] } }
  for (const domain of ['bücher.example', 'BÜCHER.example', 'xn--bcher-kva.example', 'XN--Bcher-KVA.example.']) assert.deepEqual(await check(zone, domain), { status: 'pass', domain: 'xn--bcher-kva.example', by: 'address' }, domain)
  const asked = zoneMap({})
  for (const domain of ['.', 'a..b', `${'x'.repeat(64)}.example`, 'a.'.repeat(200), 'a\r\nb', '\u0000', '\ud800']) {
    const outcome = await checkSenderDomain(domain, asked)
    assert.ok(outcome.status === 'fail')
    assert.equal(outcome.result, 'no-such-domain')
    assert.match(outcome.domain, /^[\x20-\x7e]{0,255}$/)
  }
  assert.deepEqual(asked.queries, [])
})

test('a dead exchange is not waited for where another answers for the domain', async () => {
  const zone = zoneMap({ 'a.example': { MX: [[1, 'm1.example'], [2, 'm2.example'], [3, 'dead.example']] }, 'm1.example': { A: ['192.0.2.1'] } })
  const never: Resolver = { lookup: (name, type) => (name === 'dead.example' ? new Promise(() => undefined) : zone.lookup(name, type)) }
  assert.equal((await checkSenderDomain('a.example', never)).status, 'pass')
})

test('where one exchange is known to be reached, nothing is asked of the others', async () => {
  const zone = zoneMap({ 'a.example': { MX: [[1, 'm1.example'], [2, 'm2.example']] }, 'm1.example': 'timeout', 'm2.example': { A: ['192.0.2.1'] }, 'private.example': { A: ['10.0.0.1'], AAAA: ['2001:db8::1'] } })
  const known = new Map<string, string>([['m2.example', '192.0.2.1'], ['private.example', '10.0.0.1'], ['gone.example', '192.0.2.1']])
  const knowing: Resolver = {
    lookup: (name, type) => zone.lookup(name, type),
    known: (name, type) => { const address = type === 'A' ? known.get(name) : undefined; return address === undefined ? undefined : { status: 'records', records: [address] as never, name, ttlSeconds: 1, authenticated: false } },
  }
  assert.deepEqual(await checkSenderDomain('a.example', knowing), { status: 'pass', domain: 'a.example', by: 'mx' })
  assert.deepEqual(zone.queries, ['a.example MX', 'm2.example A'])
  // One that nobody outside reaches, and one that is gone meanwhile, are asked for everything.
  assert.equal((await checkSenderDomain('private.example', knowing)).status, 'pass')
  assert.equal((await checkSenderDomain('gone.example', knowing)).status, 'fail')
  assert.ok(zone.queries.includes('private.example AAAA'))
})
