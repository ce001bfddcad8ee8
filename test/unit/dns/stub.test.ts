/** The stub resolver and servers that do as they should, or lie. */
import assert from 'node:assert/strict'
import packet from 'dns-packet'
import { describe, test } from 'node:test'
import type { RecordType } from '../../../src/dns/resolver.ts'
import { createStubResolver } from '../../../src/dns/stub.ts'
import { zoneMap } from '../../support/zone-map.ts'
import { before, causeOf, recordsOf, TIMEOUT_MS } from './stub-fixture.ts'

const ZONE = {
  'a.example': { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:DB8::1'], MX: [[10, 'MX.example'], [0, '.']], TXT: ['v=spf1 -all', ['two', 'strings'], 'é\0'], NS: ['ns.example'], ttl: 77 },
  '1.2.0.192.in-addr.arpa': { PTR: ['a.example', 'b_c.example'] },
  'alias.example': { CNAME: 'second.example', ttl: 20 },
  'second.example': { CNAME: 'a.example' },
  'nowhere.example': { CNAME: 'gone.example' },
  'loop.example': { CNAME: 'pool.example' },
  'pool.example': { CNAME: 'loop.example' },
  'long.example': { TXT: ['x'.repeat(3000)] },
  'deep.below.example': { A: ['192.0.2.3'] },
  '*.wild.example': { A: ['127.0.0.2'] },
  'broken.example': 'servfail',
} as const

describe('over the wire, a zone says what it says as a map', () => {
  const asked: readonly (readonly [string, RecordType])[] = [
    ...(['A', 'AAAA', 'MX', 'TXT', 'NS', 'PTR', 'CNAME'] as const).map((type) => ['a.example', type] as const),
    ['A.EXAMPLE.', 'A'], ['1.2.0.192.in-addr.arpa', 'PTR'], ['alias.example', 'A'], ['alias.example', 'PTR'], ['alias.example', 'CNAME'], ['nowhere.example', 'A'], ['long.example', 'TXT'],
    ['below.example', 'A'], ['gone.example', 'A'], ['any.wild.example', 'A'], ['any.wild.example', 'TXT'], ['wild.example', 'A'], ['a..example', 'A'],
  ]
  for (const [name, type] of asked) {
    test(`${name} ${type}`, async (t) => {
      const { resolver } = await before(t, [ZONE])
      const expected = await zoneMap(ZONE).lookup(name, type)
      // For how long a name cannot be one is nobody's business.
      if (name === 'a..example') assert.equal((await resolver.lookup(name, type)).status, expected.status)
      else assert.deepEqual(await resolver.lookup(name, type), expected)
    })
  }

  for (const name of ['loop.example', 'broken.example']) {
    test(`${name}: the status is the same`, async (t) => {
      const { resolver } = await before(t, [ZONE])
      assert.equal((await resolver.lookup(name, 'A')).status, 'servfail')
      assert.equal((await zoneMap(ZONE).lookup(name, 'A')).status, 'servfail')
    })
  }
})

test('over IPv6', async (t) => {
  const { resolver } = await before(t, [ZONE], { server: { host: '::1' } })
  assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.1', '192.0.2.2'])
  assert.equal((await resolver.lookup('long.example', 'TXT')).status, 'records', 'TCP too')
})

test('AD is asked for, and passed on', async (t) => {
  const { resolver, server } = await before(t, [ZONE], { server: { authenticated: true } })
  for (const [name, status] of [['a.example', 'records'], ['gone.example', 'nxdomain'], ['below.example', 'nodata']] as const) {
    const lookup = await resolver.lookup(name, 'A')
    assert.ok('authenticated' in lookup && lookup.authenticated && lookup.status === status)
  }
  assert.ok(server.packets.every(({ flags = 0 }) => (flags & packet.AUTHENTIC_DATA) !== 0 && (flags & packet.RECURSION_DESIRED) !== 0))
})

test('each query has an id that nobody can guess, and a port of its own', async (t) => {
  const ids = [1, 65_535, 0]
  const { resolver, server } = await before(t, [ZONE], { randomId: () => ids.shift() ?? 7 })
  for (const name of ['a.example', 'b.example', 'c.example']) await resolver.lookup(name, 'A')
  assert.deepEqual(server.packets.map(({ id }) => id), [1, 65_535, 0])
  assert.equal(new Set(server.sources).size, 3)
  const own = await before(t, [ZONE])
  for (let i = 0; i < 20; i++) await own.resolver.lookup('a.example', 'A')
  assert.ok(new Set(own.server.packets.map(({ id }) => id)).size > 10)
})

describe('too long for UDP', () => {
  test('it is asked for over TCP', async (t) => {
    const { resolver, server } = await before(t, [ZONE])
    const lookup = await resolver.lookup('long.example', 'TXT')
    assert.ok(lookup.status === 'records')
    assert.equal(lookup.records[0]?.join(''), 'x'.repeat(3000))
    assert.deepEqual(server.queries, ['long.example TXT udp', 'long.example TXT tcp'])
  })

  test('TC in an answer that would have had room, too', async (t) => {
    const { resolver, server } = await before(t, [ZONE])
    server.misbehave('a.example', 'truncate')
    assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.1', '192.0.2.2'])
  })

  test('TC over TCP is no answer', async (t) => {
    const { resolver, server } = await before(t, [ZONE])
    server.misbehave('a.example', 'truncate over TCP too')
    const lookup = await resolver.lookup('a.example', 'A')
    assert.equal(lookup.status, 'servfail')
    assert.match(causeOf(lookup), /truncated over TCP/)
  })

  for (const how of ['half', 'close'] as const) {
    test(`a connection that ends too early (${how}) is no answer; the next attempt gets one`, async (t) => {
      const { resolver, server } = await before(t, [ZONE])
      server.misbehave('long.example', how, { over: 'tcp', times: 1 })
      assert.equal((await resolver.lookup('long.example', 'TXT')).status, 'records')
      assert.deepEqual(server.queries, ['long.example TXT udp', 'long.example TXT tcp', 'long.example TXT udp', 'long.example TXT tcp'])
      server.misbehave('long.example', how, { over: 'tcp' })
      const lookup = await resolver.lookup('long.example', 'TXT')
      assert.ok(lookup.status === 'timeout' && lookup.serversAnswer === true, 'over UDP it was there')
      assert.match(lookup.cause, how === 'half' ? /within its answer/ : /before its answer/)
    })
  }

  test('silence over TCP is waited for as long as over UDP, both together', async (t) => {
    const { resolver, server, clock } = await before(t, [ZONE], { tries: 1 })
    server.misbehave('long.example', 'drop', { over: 'tcp' })
    const lookup = resolver.lookup('long.example', 'TXT')
    await server.asked('long.example', 2)
    clock.advance(TIMEOUT_MS)
    assert.match(causeOf(await lookup), /over TCP: no answer in 4000 ms/)
    assert.equal(clock.pending, 0)
  })

  test('wrong ids and wrong questions over TCP are ignored, and the answer behind them is found', async (t) => {
    const { resolver, server } = await before(t, [ZONE])
    server.misbehave('long.example', 'lies, then the truth', { over: 'tcp' })
    assert.equal((await resolver.lookup('long.example', 'TXT')).status, 'records')
  })
})

describe('lies', () => {
  test('wrong ids, wrong questions, echoes and scraps are waited out', async (t) => {
    const { resolver, server } = await before(t, [ZONE])
    server.misbehave('a.example', 'lies, then the truth')
    assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.1', '192.0.2.2'])
    assert.deepEqual(server.queries, ['a.example A udp'])
  })

  for (const how of ['wrong id', 'wrong question', 'other port'] as const) {
    test(`nothing but lies (${how}) is no answer`, async (t) => {
      const { resolver, server, clock } = await before(t, [ZONE], { tries: 1 })
      server.misbehave('a.example', how)
      const lookup = resolver.lookup('a.example', 'A')
      await server.asked('a.example')
      clock.advance(TIMEOUT_MS)
      assert.equal((await lookup).status, 'timeout')
    })
  }

  test('a flood of wrong ids is not fought over UDP', async (t) => {
    const { resolver, server } = await before(t, [ZONE])
    server.misbehave('a.example', 'flood', { over: 'udp' })
    assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.1', '192.0.2.2'])
    assert.deepEqual(server.queries, ['a.example A udp', 'a.example A tcp'])
    server.misbehave('b.example', 'flood')
    assert.match(causeOf(await resolver.lookup('b.example', 'A')), /everything but the question/)
  })

  test('names in upper case are the same names', async (t) => {
    const { resolver, server } = await before(t, [ZONE])
    server.misbehave('a.example', 'upper case')
    assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.1', '192.0.2.2'])
  })

  test('records that nobody asked for are ignored', async (t) => {
    const { resolver, server } = await before(t, [ZONE])
    server.misbehave('*', 'extra records')
    assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.1', '192.0.2.2'])
    assert.equal((await resolver.lookup('below.example', 'A')).status, 'nodata')
    assert.equal((await resolver.lookup('gone.example', 'A')).status, 'nxdomain')
  })

  test('garbage under the right head is a failure of that server, and the next is asked', async (t) => {
    const { resolver, servers: [first, second] } = await before(t, [ZONE, ZONE])
    for (const how of ['garbage', 'half'] as const) {
      first!.misbehave('a.example', how)
      assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.1', '192.0.2.2'])
    }
    second!.misbehave('a.example', 'garbage')
    const lookup = await resolver.lookup('a.example', 'A')
    assert.equal(lookup.status, 'servfail')
    assert.match(causeOf(lookup), /malformed.*; .*malformed/)
  })
})

describe('chains', () => {
  test('a server that gives a CNAME only is asked for the rest', async (t) => {
    const { resolver, server } = await before(t, [ZONE], { server: { followsAliases: false } })
    assert.deepEqual(await resolver.lookup('alias.example', 'A'), { status: 'records', records: ['192.0.2.1', '192.0.2.2'], name: 'a.example', ttlSeconds: 20, authenticated: false })
    assert.deepEqual(server.queries, ['alias.example A udp', 'second.example A udp', 'a.example A udp'])
    assert.deepEqual(await resolver.lookup('nowhere.example', 'A'), { status: 'nxdomain', ttlSeconds: 60, authenticated: false })
  })

  test('loops and long chains end there too', async (t) => {
    const chain = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`c${i}.example`, { CNAME: `c${i + 1}.example` }]))
    const { resolver, server } = await before(t, [{ ...ZONE, ...chain }], { server: { followsAliases: false } })
    assert.match(causeOf(await resolver.lookup('loop.example', 'A')), /^loop\.example A: the CNAME chain is a loop at loop\.example/)
    assert.match(causeOf(await resolver.lookup('c0.example', 'A')), /more than 8/)
    assert.equal(server.queries.filter((query) => query.startsWith('c')).length, 9)
  })
})

describe('EDNS', () => {
  test('a server that does not know it is asked without, from then on', async (t) => {
    const { resolver, server } = await before(t, [ZONE], { server: { edns: false } })
    assert.equal((await resolver.lookup('a.example', 'A')).status, 'records')
    assert.equal((await resolver.lookup('a.example', 'AAAA')).status, 'records')
    assert.deepEqual(server.packets.map(({ additionals = [] }) => additionals.length), [1, 0, 0])
  })

  test('FORMERR without it, too, is a failure, and says nothing of EDNS', async (t) => {
    const { resolver, server } = await before(t, [ZONE])
    for (const how of ['formerr', 'notimp'] as const) {
      server.misbehave('a.example', how, { times: 2 })
      assert.match(causeOf(await resolver.lookup('a.example', 'A')), new RegExp(how, 'i'))
    }
    await resolver.lookup('b.example', 'A')
    assert.deepEqual(server.packets.map(({ additionals = [] }) => additionals.length), [1, 0, 1, 0, 1])
  })
})

test('servers have to be addresses with ports', () => {
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const make = (...servers: readonly { readonly host: string; readonly port: number }[]) => () => createStubResolver({ servers, timeoutMs: 1, tries: 1 }, { log })
  assert.throws(make(), /at least one server/)
  assert.throws(make({ host: 'dns.example', port: 53 }), /IP address.*dns\.example/)
  assert.throws(make({ host: '127.0.0.1', port: 0 }), /between 1 and 65535/)
  assert.throws(make({ host: '127.0.0.1', port: 65_536 }), /between 1 and 65535/)
})
