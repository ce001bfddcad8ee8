/** Lists of links over the wire: the stub resolver and its cache, and a DNS server whose zones list, unlist, refuse and die. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { cachingResolver } from '../../../src/dns/cache.ts'
import { hashLabel } from '../../../src/reputation/uri-hash.ts'
import { createUriLists, type UriListOutcome, type UriLists } from '../../../src/reputation/uri-lists.ts'
import type { UriListZone } from '../../../src/reputation/uri-settings.ts'
import type { DnsServer } from '../../support/dns-server.ts'
import { RecordedLog } from '../delivery/scripted-hop.ts'
import { before } from '../dns/stub-fixture.ts'
import { linkTo } from './uri-fixture.ts'

const EMAIL = { algorithm: 'sha256', encoding: 'base32' } as const
const ZONES: readonly UriListZone[] = [
  { zone: 'multi.lists.example', kind: 'domain', weight: 3, test: { listed: 'test.lists.example' }, codes: [{ code: '&0.0.0.8', weight: 6, label: 'phishing' }, { code: '&0.0.0.64', label: 'abuse' }] },
  { zone: 'multi.lists.example', name: 'multi-addresses', kind: 'address', weight: 2 },
  { zone: '_email.k3y.hbl.example', name: 'hbl-email', kind: 'hash', of: 'email', ...EMAIL, weight: 5, test: { listed: 'user@hbltest.com' } },
]
const DATA = {
  'test.lists.example.multi.lists.example': { A: ['127.0.0.254'] },
  '2.0.0.127.multi.lists.example': { A: ['127.0.0.254'] },
  'badshop.com.multi.lists.example': { A: ['127.0.0.72'], ttl: 180 },
  '9.2.0.192.multi.lists.example': { A: ['127.0.0.64'] },
  [`${hashLabel('user@hbltest.com', EMAIL)}._email.k3y.hbl.example`]: { A: ['127.0.3.2'] },
  [`${hashLabel('fraud@gmail.com', EMAIL)}._email.k3y.hbl.example`]: { A: ['127.0.3.2'] },
}
const SUBJECT = { links: [linkTo('https://www.badshop.com/'), linkTo('http://192.0.2.9/x'), linkTo('https://fine.example/')], addresses: ['F.Raud+1@gmail.com'] }

interface Bed {
  readonly server: DnsServer
  readonly lists: UriLists
  readonly check: () => Promise<readonly UriListOutcome[]>
  readonly pass: (ms: number) => void
}

async function bed(t: TestContext): Promise<Bed> {
  const { resolver, server } = await before(t, [DATA], { server: { negativeTtlSeconds: 60 }, tries: 1 })
  let now = 1_800_000_000_000
  const cached = cachingResolver(resolver, { maxEntries: 1000, now: () => now })
  const lists = createUriLists({ zones: ZONES }, { resolver: cached, now: () => now, log: new RecordedLog() })
  return { server, lists, check: () => lists.check(SUBJECT), pass: (ms) => void (now += ms) }
}

const states = (outcomes: readonly { readonly status: string }[]): readonly string[] => outcomes.map(({ status }) => status)

test('listed, unlisted, and listed anew, each as long as the zone says', async (t) => {
  const { server, lists, check, pass } = await bed(t)
  assert.deepEqual((await lists.prove()).map(({ zone, state }) => [zone, state]), [['multi.lists.example', 'healthy'], ['multi-addresses', 'healthy'], ['hbl-email', 'healthy']])
  const [names, addresses, hashes] = await check()
  assert.ok(names?.status === 'listed' && addresses?.status === 'listed' && hashes?.status === 'listed')
  assert.deepEqual(names.listings, [{ item: 'badshop.com', codes: ['127.0.0.72'], labels: ['phishing', 'abuse'], weight: 6 }])
  assert.deepEqual([addresses.listings[0]?.item, hashes.listings[0]?.item], ['192.0.2.9', 'fraud@gmail.com'])
  const questions = server.queries.length
  await check()
  assert.equal(server.queries.length, questions, 'what is cached is not asked for again')
  server.set('badshop.com.multi.lists.example', undefined)
  assert.deepEqual(states(await check()), ['listed', 'listed', 'listed'])
  pass(181_000)
  assert.deepEqual(states(await check()), ['not-listed', 'listed', 'listed'])
  server.set('badshop.com.multi.lists.example', { A: ['127.0.0.64'] })
  pass(61_000)
  const [again] = await check()
  assert.ok(again?.status === 'listed')
  assert.deepEqual([again.labels, again.weight], [['abuse'], 3])
})

test('a list that refuses from one moment on, or that has no answer, lists nobody; and it comes back', async (t) => {
  const { server, lists, check, pass } = await bed(t)
  await lists.tick()
  server.set('badshop.com.multi.lists.example', { A: ['127.0.0.1'] })
  assert.deepEqual(states(await check()), ['error', 'listed', 'listed'], 'each kind of a zone has an interlock of its own')
  assert.equal(lists.health()[0]?.state, 'set-aside')
  server.set('badshop.com.multi.lists.example', { A: ['127.0.0.8'] })
  server.misbehave('*', 'servfail')
  pass(301_000)
  const failed = await check()
  assert.deepEqual(states(failed), ['error', 'error', 'error'])
  assert.doesNotMatch(JSON.stringify(failed), /k3y/)
  await lists.tick()
  server.misbehave('*', undefined)
  pass(3_600_000)
  await lists.tick()
  assert.deepEqual(states(await check()), ['listed', 'listed', 'listed'])
})
