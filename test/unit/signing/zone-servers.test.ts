import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { askEverywhere, isEverywhere, type ZoneView } from '../../../src/signing/zone-servers.ts'
import { startDnsServer, type DnsServer, type DnsServerOptions } from '../../support/dns-server.ts'
import { zoneMap, type ZoneData } from '../../support/zone-map.ts'
import { key } from './signing-fixture.ts'

const half = { domain: 'a.example', selector: 's1', algorithm: 'rsa-sha256', publicData: key('a').publicData } as const
const NAME = 's1._domainkey.a.example'
const RECORD = { [NAME]: { TXT: [key('a').record] } }
const servers: DnsServer[] = []
after(() => Promise.all(servers.map((server) => server.stop())))

async function serve(data: ZoneData, options: DnsServerOptions = {}): Promise<DnsServer> {
  const server = await startDnsServer(data, { authoritative: true, ...options })
  servers.push(server)
  return server
}

/** @param at which server listens at which address */
async function ask(zone: ZoneData, at: Readonly<Record<string, DnsServer>>): Promise<ZoneView> {
  const serverAt = (address: string) => {
    const server = at[address]
    // Nobody there: port 1 of loopback refuses.
    return server === undefined ? { host: '127.0.0.1', port: 1 } : { host: server.host, port: server.port }
  }
  return askEverywhere(half, { resolver: zoneMap(zone), serverAt, timeoutMs: 2000 })
}

function shown(view: ZoneView): readonly string[] {
  return view.status === 'unknown' ? [view.cause] : view.views.map(({ server, published }) => `${server} ${published.status}`)
}

const PARENT = { 'a.example': { NS: ['ns1.a.example', 'ns2.b.example'] }, 'ns1.a.example': { A: ['192.0.2.1'] }, 'ns2.b.example': { A: ['192.0.2.2'], AAAA: ['2001:db8::2'] } } as const

test('every address of every server of the zone is asked, without recursion', async () => {
  const one = await serve(RECORD)
  const two = await serve({})
  const view = await ask(PARENT, { '192.0.2.1': one, '192.0.2.2': two, '2001:db8::2': one })
  assert.deepEqual(shown(view), ['ns1.a.example (192.0.2.1) matches', 'ns2.b.example (192.0.2.2) missing', 'ns2.b.example (2001:db8::2) matches'])
  assert.equal(isEverywhere(view), false)
  assert.equal(((one.packets[0]?.flags ?? 0) & 0x0100), 0)
  two.set(NAME, { TXT: [key('b').record] })
  assert.equal(shown(await ask(PARENT, { '192.0.2.1': one, '192.0.2.2': two, '2001:db8::2': one }))[1], 'ns2.b.example (192.0.2.2) mismatch')
  two.set(NAME, { TXT: [key('a').record] })
  assert.equal(isEverywhere(await ask(PARENT, { '192.0.2.1': one, '192.0.2.2': two, '2001:db8::2': one })), true)
})

test('a server that does not answer, or has no authority, is not "missing" and not "everywhere"', async () => {
  const one = await serve(RECORD)
  const recursive = await serve(RECORD, { authoritative: false })
  const broken = await serve({ [NAME]: 'servfail' })
  const dead = await ask(PARENT, { '192.0.2.1': one, '192.0.2.2': recursive, '2001:db8::2': broken })
  assert.deepEqual(shown(dead), ['ns1.a.example (192.0.2.1) matches', 'ns2.b.example (192.0.2.2) temperror', 'ns2.b.example (2001:db8::2) temperror'])
  assert.ok(dead.status === 'asked' && dead.views[1]?.published.status === 'temperror')
  assert.match(dead.views[1].published.cause, /without authority/)
  assert.equal(isEverywhere(dead), false)
  const refused = await ask(PARENT, { '192.0.2.1': one })
  assert.deepEqual(shown(refused).slice(1), ['ns2.b.example (192.0.2.2) temperror', 'ns2.b.example (2001:db8::2) temperror'])
})

test('a long record comes over TCP; a server that does not know EDNS is asked without', async () => {
  const long = { ...half, publicData: key('long4096').publicData }
  const one = await serve({ [NAME]: { TXT: [`${key('long4096').record}; n=${'x'.repeat(700)}`] } }, { edns: false })
  const view = await askEverywhere(long, { resolver: zoneMap({ 'a.example': { NS: ['ns1.a.example'] }, 'ns1.a.example': { A: ['192.0.2.1'] } }), serverAt: () => one, timeoutMs: 2000 })
  assert.deepEqual(shown(view), ['ns1.a.example (192.0.2.1) matches'])
  assert.ok(one.queries.some((query) => query.endsWith(' tcp')))
})

test('a record at a provider is asked for at the servers of the provider', async () => {
  const own = await serve({ [NAME]: { CNAME: 'k1.esp.example' } }, { followsAliases: false })
  const theirs = await serve({ 'k1.esp.example': { TXT: [key('a').record] } })
  const late = await serve({})
  const zone: ZoneData = {
    'a.example': { NS: ['ns.a.example'] }, 'ns.a.example': { A: ['192.0.2.1'] },
    [NAME]: { CNAME: 'k1.esp.example' },
    'esp.example': { NS: ['ns1.esp.example', 'ns2.esp.example'] }, 'ns1.esp.example': { A: ['192.0.2.2'] }, 'ns2.esp.example': { A: ['192.0.2.3'] },
    'k1.esp.example': { TXT: [key('a').record] },
  }
  const view = await ask(zone, { '192.0.2.1': own, '192.0.2.2': theirs, '192.0.2.3': late })
  assert.deepEqual(shown(view), ['ns1.esp.example (192.0.2.2) matches', 'ns2.esp.example (192.0.2.3) missing'])
  assert.equal(isEverywhere(view), false)
  // One that holds both zones gives the whole chain; the others of that zone count all the same.
  const both = await serve({ [NAME]: { CNAME: 'k1.esp.example' }, 'k1.esp.example': { TXT: [key('a').record] } })
  assert.deepEqual(shown(await ask(zone, { '192.0.2.1': both, '192.0.2.2': theirs, '192.0.2.3': late })), shown(view))
})

test('aliases that go round come to an end', async () => {
  const own = await serve({ [NAME]: { CNAME: 'x.a.example' }, 'x.a.example': { CNAME: NAME } }, { followsAliases: false })
  const view = await ask({ 'a.example': { NS: ['ns.a.example'] }, 'ns.a.example': { A: ['192.0.2.1'] } }, { '192.0.2.1': own })
  assert.equal(isEverywhere(view), false)
})

test('a zone cut below the domain, and none at all', async () => {
  const one = await serve(RECORD)
  const zone: ZoneData = { ...PARENT, '_domainkey.a.example': { NS: ['ns.keys.example'] }, 'ns.keys.example': { A: ['192.0.2.9'] } }
  assert.deepEqual(shown(await ask(zone, { '192.0.2.9': one })), ['ns.keys.example (192.0.2.9) matches'])
  assert.match(shown(await ask({}, {}))[0] ?? '', /^no zone holds s1\._domainkey\.a\.example/)
  assert.match(shown(await ask({ ...PARENT, '_domainkey.a.example': 'timeout' }, {}))[0] ?? '', /could not be found out/)
  assert.match(shown(await ask({ ...PARENT, 'ns1.a.example': 'servfail' }, {}))[0] ?? '', /addresses of ns1\.a\.example could not be found out/)
})

test('a server without an address is passed over, but somebody has to answer', async () => {
  const one = await serve(RECORD)
  const zone = { 'a.example': { NS: ['ns1.a.example', 'gone.a.example'] }, 'ns1.a.example': { A: ['192.0.2.1'] } }
  const view = await ask(zone, { '192.0.2.1': one })
  assert.deepEqual(shown(view), ['ns1.a.example (192.0.2.1) matches', 'gone.a.example unreachable'])
  assert.equal(isEverywhere(view), true)
  assert.equal(isEverywhere(await ask({ 'a.example': { NS: ['gone.a.example'] } }, {})), false)
})
