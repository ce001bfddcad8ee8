import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SPF_LIMITS, checkSpf } from '../../../src/auth/spf.ts'
import type { SpfInput, SpfOutcome } from '../../../src/auth/spf.ts'
import type { Resolver } from '../../../src/dns/resolver.ts'
import { reverseName, zoneMap } from '../../support/zone-map.ts'
import type { ZoneData } from '../../support/zone-map.ts'
import { withEachFailure } from './signed-mail.ts'

const CLIENT = { address: '192.0.2.1', helo: 'client.example' }
const check = (zone: ZoneData, input: Partial<SpfInput> = {}): Promise<SpfOutcome> => checkSpf({ ...CLIENT, sender: 'a@example.com', ...input }, zoneMap(zone))

test('the seven results', async () => {
  assert.equal((await check({ 'example.com': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] } })).status, 'pass')
  assert.equal((await check({ 'example.com': { TXT: ['v=spf1 -all'] } })).status, 'fail')
  assert.equal((await check({ 'example.com': { TXT: ['v=spf1 ~all'] } })).status, 'softfail')
  assert.equal((await check({ 'example.com': { TXT: ['v=spf1 ?all'] } })).status, 'neutral')
  assert.deepEqual(await check({ 'example.com': { TXT: ['other'] } }), { status: 'none', domain: 'example.com', scope: 'mailfrom', cause: 'the domain publishes no SPF record, or cannot be a domain' })
  assert.equal((await check({ 'example.com': { TXT: ['v=spf1 nonsense'] } })).status, 'permerror')
  const temperror = await check({ 'example.com': 'timeout' })
  assert.equal(temperror.status, 'temperror')
  assert.match(temperror.cause ?? '', /TXT of example\.com: timeout/)
})

test('the null reverse-path is checked as postmaster of HELO', async () => {
  for (const sender of [null, '']) {
    assert.deepEqual(await check({ 'client.example': { TXT: ['v=spf1 exists:%{l}.ok.example -all'] }, 'postmaster.ok.example': { A: ['127.0.0.2'] } }, { sender }), { status: 'pass', domain: 'client.example', scope: 'helo', record: 'v=spf1 exists:%{l}.ok.example -all' })
  }
  for (const helo of ['', '[192.0.2.1]', 'localhost', 'a\r\nb.example', 'a b.example']) assert.deepEqual([(await check({}, { sender: null, helo })).status], ['none'], helo)
})

test('an internationalized domain is asked for as A-labels; a local part in UTF-8 matches no macro of it (RFC 8616)', async () => {
  const zone = { 'xn--bcher-kva.example': { TXT: ['v=spf1 exists:%{l}.ok.example ip4:192.0.2.1 -all'] } }
  assert.deepEqual([(await check(zone, { sender: 'x@Bücher.example' })).status, (await check(zone, { sender: 'ü@bücher.example' })).status], ['pass', 'pass'])
  assert.equal((await check(zone, { sender: 'ü@bücher.example', address: '192.0.2.9' })).status, 'fail')
  assert.equal((await check(zone, { sender: 'x@bücher.example' })).domain, 'xn--bcher-kva.example')
})

test('an address that is IPv6, mapped, with a zone, or none', async () => {
  const zone = { 'example.com': { TXT: ['v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 ip6:fe80::/10 -all'] } }
  for (const address of ['::ffff:192.0.2.1', '2001:db8::7', 'fe80::1%eth0']) assert.equal((await check(zone, { address })).status, 'pass', address)
  for (const address of ['', 'unix:/run/x', '192.0.2']) assert.deepEqual([(await check(zone, { address })).status, (await check(zone, { address })).cause], ['none', 'the client has no IP address'])
})

test('odd senders never throw and are never asked for as they are', async () => {
  for (const sender of ['@', 'a@', '@.', 'a@..', `a@${'x'.repeat(64)}.example`, `${'a'.repeat(600)}@example.com`, 'a@exa mple.com', 'a@\u0000.example', '\ud800@\ud800.example', 'a@_.', 'a@[192.0.2.1]', 'a@192.0.2.1', 'postmaster']) {
    const { status, domain } = await check({}, { sender })
    assert.equal(status, 'none', sender)
    assert.match(domain, /^[\x21-\x7e]*$/)
  }
  assert.equal((await check({ 'example.com': { TXT: ['v=spf1 -all'] } }, { sender: 'a@Example.COM.' })).status, 'fail')
})

const RICH: ZoneData = {
  'example.com': { TXT: ['v=spf1 a mx include:inc.example exists:%{i}.e.example ptr:other.example redirect=redir.example'], A: ['192.0.2.50'], MX: [[1, 'mx.example.com']] },
  'mx.example.com': { A: ['192.0.2.51'] },
  'inc.example': { TXT: ['v=spf1 a:x.inc.example -all'] },
  'x.inc.example': { A: ['192.0.2.52'] },
  [reverseName('192.0.2.1')]: { PTR: ['h.example'] },
  'h.example': { A: ['192.0.2.1'] },
  'redir.example': { TXT: ['v=spf1 a:y.redir.example -all exp=exp.example'] },
  'y.redir.example': { A: ['192.0.2.53'] },
  'exp.example': { TXT: ['go away'] },
}

test('whichever look-up fails, a fail becomes temperror; only the explanation may be missed', async () => {
  assert.deepEqual([(await check(RICH)).status, (await check(RICH)).explanation], ['fail', 'go away'])
  const asked = await withEachFailure(zoneMap(RICH), (resolver) => checkSpf({ ...CLIENT, sender: 'a@example.com' }, resolver), (outcome, failed) => {
    if (failed.startsWith('exp.example')) assert.deepEqual([outcome.status, outcome.explanation], ['fail', undefined])
    // RFC 7208 §5.5: the name is the client's own choice, and its address SERVFAIL is no answer that could help it.
    else if (failed === 'h.example A, servfail') assert.equal(outcome.status, 'fail')
    else assert.deepEqual([outcome.status, /(?:timeout|servfail) \(number/.test(outcome.cause ?? '')], ['temperror', true], failed)
  })
  assert.equal(asked, 12)
})

test('a pass stands, whatever failed behind it or beside it', async () => {
  const zone = { ...RICH, 'example.com': { TXT: ['v=spf1 ptr:other.example ip4:192.0.2.1 -all'] } }
  await withEachFailure(zoneMap(zone), (resolver) => checkSpf({ ...CLIENT, sender: 'a@example.com' }, resolver), (outcome, failed) => {
    assert.equal(outcome.status, failed.startsWith('example.com TXT') ? 'temperror' : 'pass', failed)
  })
})

test('ten look-ups, two void look-ups, ten names of an MX', async () => {
  const includes = (count: number) => ({ 'example.com': { TXT: [`v=spf1 ${Array.from({ length: count }, (_, i) => `a:h${i}.example`).join(' ')} -all`] }, ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}.example`, { A: ['192.0.2.99'] }])) })
  assert.equal((await check(includes(10))).status, 'fail')
  assert.equal((await check(includes(11))).status, 'permerror')
  assert.equal((await check({ 'example.com': { TXT: ['v=spf1 a:a.example a:b.example -all'] } })).status, 'fail')
  assert.equal((await check({ 'example.com': { TXT: ['v=spf1 a:a.example a:b.example a:c.example -all'] } })).status, 'permerror')
  const exchanges = (count: number) => ({ 'example.com': { TXT: ['v=spf1 mx -all'], MX: Array.from({ length: count }, (_, i) => [i, `m${i}.example`] as const) }, ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}.example`, { A: ['192.0.2.99'] }])) })
  assert.equal((await check(exchanges(10))).status, 'fail')
  assert.equal((await check(exchanges(11))).status, 'permerror')
  assert.equal((await checkSpf({ ...CLIENT, sender: 'a@example.com' }, zoneMap(includes(3)), { ...SPF_LIMITS, maxLookups: 2 })).status, 'permerror')
})

test('a record that includes itself ends', async () => {
  const zone = zoneMap({ 'example.com': { TXT: ['v=spf1 include:example.com -all'] } })
  assert.equal((await checkSpf({ ...CLIENT, sender: 'a@example.com' }, zone)).status, 'permerror')
  assert.equal((await check({ 'example.com': { TXT: ['v=spf1 redirect=example.com'] } })).status, 'permerror')
})

test('a record larger than any honest one is a permerror and is not parsed; a long explanation is left out', async () => {
  const { status, cause } = await check({ 'example.com': { TXT: [`v=spf1 a:x.${'a'.repeat(60_000)}!`] } })
  assert.deepEqual([status, /longer-than-4096-octets/.test(cause ?? '')], ['permerror', true])
  assert.equal((await check({ 'example.com': { TXT: ['v=spf1 -all exp=e.example'] }, 'e.example': { TXT: ['x'.repeat(5000)] } })).explanation, undefined)
})

test('an explanation is cut, and what a client put into it is made printable', async () => {
  const zone = { 'example.com': { TXT: ['v=spf1 -all exp=e.example'] }, 'e.example': { TXT: [`%{h} ${'x'.repeat(300)}`] } }
  const { explanation = '' } = await check(zone, { helo: 'evil\r\n250 ok\u001b[2Jé.example' })
  assert.equal(explanation.length, 200)
  assert.match(explanation, /^[\x20-\x7e]+\.\.\.$/)
})

test('a DNS that never answers ends at the time limit, as temperror', async () => {
  const silent: Resolver = { lookup: () => new Promise(() => undefined) }
  const { status, cause } = await checkSpf({ ...CLIENT, sender: 'a@example.com' }, silent, { ...SPF_LIMITS, timeoutMs: 20 })
  assert.deepEqual([status, cause], ['temperror', 'SPF evaluation time limit exceeded'])
})

test('a resolver with a bug is temperror', async () => {
  assert.equal((await checkSpf({ ...CLIENT, sender: 'a@example.com' }, { lookup: () => { throw new Error('boom') } })).status, 'temperror')
})
