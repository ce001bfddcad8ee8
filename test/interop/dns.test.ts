/**
 * The resolver before a real recursive resolver, Unbound: its messages are
 * compressed, truncated and cut as real ones are; zones behind it are dead,
 * refused or dropped, and it goes away and comes back.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { cachingResolver } from '../../src/dns/cache.ts'
import type { Lookup, RecordType } from '../../src/dns/resolver.ts'
import { sessionResolver } from '../../src/dns/session.ts'
import { createStubResolver, type StubResolver } from '../../src/dns/stub.ts'
import { startDnsServer, type DnsServer } from '../support/dns-server.ts'
import { missing } from '../support/peers/programs.ts'
import { startUnbound, type Unbound } from '../support/peers/unbound.ts'

const LONG = 'v=DKIM1; p=' + 'A'.repeat(2000)
const inPieces = (text: string): string => (text.match(/.{1,255}/g) ?? []).map((piece) => `"${piece}"`).join(' ')

const ZONE = [
  '$ORIGIN zone.example.',
  '$TTL 300',
  '@ SOA ns root 1 3600 600 86400 45',
  '@ NS ns',
  'ns A 192.0.2.53',
  'mail A 192.0.2.1',
  'mail A 192.0.2.2',
  'mail AAAA 2001:db8::25',
  '@ MX 10 mail',
  '@ MX 20 Mail2.Zone.Example.',
  'null MX 0 .',
  '@ TXT "v=spf1 mx -all"',
  `key._domainkey TXT ${inPieces(LONG)}`,
  ...Array.from({ length: 90 }, (_, i) => `many A 10.0.0.${i + 1}`),
  'alias 60 CNAME second',
  'second 120 CNAME mail',
  'nowhere CNAME gone',
  'ring CNAME rang',
  'rang CNAME ring',
  'a.deep A 192.0.2.3',
  '*.list A 127.0.0.2',
  'odd MX 10 bad\\032name',
  'odd MX 20 mail',
]

const LOCAL = [
  'ok.local.example. 300 IN A 192.0.2.80',
  '1.2.0.192.in-addr.arpa. 300 IN PTR mail.zone.example.',
  // One label with a dot in it, a blank in a label, and a good one.
  '2.2.0.192.in-addr.arpa. 300 IN PTR mail\\.bank.example.',
  '2.2.0.192.in-addr.arpa. 300 IN PTR a\\032b.example.',
  '2.2.0.192.in-addr.arpa. 300 IN PTR good.example.',
  '3.2.0.192.in-addr.arpa. 300 IN PTR mail\\.bank.example.',
]

const TIMEOUT_MS = 1000
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

describe('before Unbound', { skip: missing('unbound') }, () => {
  let unbound: Unbound
  let upstream: DnsServer
  let resolver: StubResolver

  before(async () => {
    upstream = await startDnsServer({ 'up.example': { A: ['192.0.2.99'], ttl: 30 }, 'alias.up.example': { CNAME: 'up.example' }, 'broken.up.example': 'servfail', '*.dead.up.example': 'timeout' })
    unbound = await startUnbound({ origin: 'zone.example', zone: ZONE, local: LOCAL, treat: { 'refused.example': 'refuse', 'dropped.example': 'deny', 'gone.example': 'always_nxdomain' }, forward: { 'up.example': upstream } })
    resolver = createStubResolver({ servers: [unbound], timeoutMs: TIMEOUT_MS, tries: 1 }, { log })
  })
  after(async () => {
    resolver.close()
    await unbound.stop()
    await upstream.stop()
  })

  const records = async (name: string, type: RecordType): Promise<unknown> => {
    const lookup: Lookup<RecordType> = await resolver.lookup(name, type)
    return lookup.status === 'records' ? lookup.records : lookup
  }

  test('records of every type', async () => {
    assert.deepEqual(new Set(await records('mail.zone.example', 'A') as string[]), new Set(['192.0.2.1', '192.0.2.2']))
    assert.deepEqual(await records('MAIL.Zone.Example.', 'AAAA'), ['2001:db8::25'])
    assert.deepEqual(new Set((await records('zone.example', 'MX') as { preference: number; exchange: string }[]).map(({ preference, exchange }) => `${preference} ${exchange}`)), new Set(['10 mail.zone.example', '20 mail2.zone.example']))
    assert.deepEqual(await records('null.zone.example', 'MX'), [{ preference: 0, exchange: '' }])
    assert.deepEqual(await records('zone.example', 'TXT'), [['v=spf1 mx -all']])
    assert.deepEqual(await records('zone.example', 'NS'), ['ns.zone.example'])
    assert.deepEqual(await records('1.2.0.192.in-addr.arpa', 'PTR'), ['mail.zone.example'])
    assert.deepEqual(await records('any.list.zone.example', 'A'), ['127.0.0.2'])
    assert.deepEqual(await records('alias.zone.example', 'CNAME'), ['second.zone.example'])
  })

  test('what does not fit comes over TCP', async () => {
    assert.equal((await records('key._domainkey.zone.example', 'TXT') as string[][])[0]?.join(''), LONG)
    assert.equal((await records('many.zone.example', 'A') as string[]).length, 90)
  })

  test('chains, with their smallest time to live', async () => {
    const lookup = await resolver.lookup('alias.zone.example', 'A')
    assert.ok(lookup.status === 'records')
    assert.deepEqual([lookup.name, lookup.ttlSeconds, lookup.records.length], ['mail.zone.example', 60, 2])
    assert.equal((await resolver.lookup('nowhere.zone.example', 'A')).status, 'nxdomain')
    assert.equal((await resolver.lookup('ring.zone.example', 'A')).status, 'servfail')
    assert.deepEqual(await records('alias.up.example', 'A'), ['192.0.2.99'])
  })

  test('absence, for as long as the SOA says', async () => {
    assert.deepEqual(await resolver.lookup('none.zone.example', 'A'), { status: 'nxdomain', ttlSeconds: 45, authenticated: false })
    assert.deepEqual(await resolver.lookup('mail.zone.example', 'MX'), { status: 'nodata', ttlSeconds: 45, authenticated: false })
    assert.deepEqual(await resolver.lookup('deep.zone.example', 'A'), { status: 'nodata', ttlSeconds: 45, authenticated: false })
    assert.equal((await resolver.lookup('gone.example', 'A')).status, 'nxdomain')
  })

  test('hosts with names that are none are never taken for others', async () => {
    assert.deepEqual(await records('2.2.0.192.in-addr.arpa', 'PTR'), ['good.example'])
    assert.equal((await resolver.lookup('3.2.0.192.in-addr.arpa', 'PTR')).status, 'nodata')
    assert.deepEqual(await records('odd.zone.example', 'MX'), [{ preference: 20, exchange: 'mail.zone.example' }])
  })

  test('refused, failed and dropped', async () => {
    const refused = await resolver.lookup('refused.example', 'A')
    assert.ok(refused.status === 'servfail' && refused.cause.endsWith('REFUSED'), JSON.stringify(refused))
    assert.equal((await resolver.lookup('broken.up.example', 'A')).status, 'servfail')
    const dropped = await resolver.lookup('dropped.example', 'A')
    assert.ok(dropped.status === 'timeout' && dropped.serversAnswer === true, `localhost is answered: ${JSON.stringify(dropped)}`)
  })

  test('a dead zone behind it costs a session the wait for that zone, and nothing else', async () => {
    const now = (): number => performance.now()
    const session = sessionResolver(cachingResolver(resolver, { maxEntries: 100, now }), { now })
    const dead = await session.lookup('x.dead.up.example', 'TXT')
    assert.ok(dead.status === 'timeout' && dead.serversAnswer === true, JSON.stringify(dead))
    for (const [name, type] of [['zone.example', 'TXT'], ['mail.zone.example', 'A'], ['ok.local.example', 'A']] as const) assert.equal((await session.lookup(name, type)).status, 'records', name)
  })

  test('the cache counts down with it', async () => {
    let now = 0
    const cache = cachingResolver(resolver, { maxEntries: 100, now: () => now })
    const ttl = async (): Promise<number> => {
      const lookup = await cache.lookup('ok.local.example', 'A')
      assert.ok(lookup.status === 'records')
      return lookup.ttlSeconds
    }
    assert.equal(await ttl(), 300)
    now = 299_000
    assert.equal(await ttl(), 1)
    now = 300_000
    assert.equal(await ttl(), 300)
  })

  test('gone, it costs no time; back, it is asked again', async () => {
    await unbound.stop()
    const lookup = await resolver.lookup('mail.zone.example', 'A')
    assert.ok(lookup.status === 'timeout' && lookup.cause.includes('nobody listens there'), JSON.stringify(lookup))
    await unbound.restart()
    assert.equal((await resolver.lookup('mail.zone.example', 'A')).status, 'records')
  })
})
