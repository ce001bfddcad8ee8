import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resolver } from '../../../src/dns/resolver.ts'
import { checkHelo } from '../../../src/reputation/helo.ts'
import type { HeloInput, HeloOutcome } from '../../../src/reputation/helo.ts'
import { zoneMap } from '../../support/zone-map.ts'
import type { ZoneData, ZoneEntry } from '../../support/zone-map.ts'

const US = { hostname: 'mx.example.org', domains: ['example.org', 'Example.COM'], ownAddresses: ['198.51.100.25', '2001:db8:25::1'] }
const check = (name: string | null, input: Partial<HeloInput> = {}, zone: ZoneData = {}): Promise<HeloOutcome> => checkHelo({ ...US, address: '192.0.2.1', name, ...input }, zoneMap(zone))
const resultOf = async (...given: Parameters<typeof check>): Promise<string> => {
  const outcome = await check(...given)
  return outcome.status === 'fail' ? outcome.result : outcome.status === 'pass' ? `pass ${outcome.confirmed}` : outcome.status
}

test('syntax: nothing, nonsense, an address without brackets', async () => {
  for (const name of [null, '']) assert.equal(await resultOf(name), 'missing')
  for (const name of ['-a.example', 'a-.example', 'a..example', '.a.example', 'a.example.', 'a b.example', 'a;b', '"quoted"', '[192.0.2.1', '[x]', '[IPv6:192.0.2.1]', '[2001:db8::1]', '[]', '<a@b.example>', `${'x'.repeat(64)}.example`, 'a.'.repeat(140), 'a\r\nb.example', '\x00', '\xff\xfe']) assert.equal(await resultOf(name), 'malformed', JSON.stringify(name))
  for (const name of ['192.0.2.1', '203.0.113.9', '2001:db8::1']) assert.equal(await resultOf(name), 'bare-address', name)
})

test('what is shown of a name is printable and bounded', async () => {
  const outcome = await check(`a\r\n250 \x1b[2J\x00${'x'.repeat(5000)}`)
  assert.ok(outcome.status === 'fail')
  assert.match(outcome.name, /^[\x20-\x7e]{1,255}$/)
  assert.match(outcome.cause, /^[\x20-\x7e]{1,300}$/)
})

test('address literals: the client\'s, and others\'', async () => {
  assert.deepEqual(await check('[192.0.2.1]'), { status: 'pass', name: '[192.0.2.1]', form: 'literal', confirmed: 'yes' })
  assert.equal(await resultOf('[192.0.2.1]', { address: '::ffff:192.0.2.1' }), 'pass yes')
  assert.equal(await resultOf('[IPv6:2001:DB8::0:7]', { address: '2001:db8::7' }), 'pass yes')
  assert.equal(await resultOf('[IPv6:::ffff:192.0.2.1]'), 'pass yes')
  for (const name of ['[192.0.2.2]', '[IPv6:2001:db8::7]']) assert.equal(await resultOf(name), 'foreign-literal', name)
  assert.equal(await resultOf('[192.0.2.2]', { address: undefined }), 'pass no')
})

test('our own names and addresses, said by a stranger', async () => {
  for (const name of ['mx.example.org', 'MX.Example.Org', 'example.org', 'example.com']) assert.equal(await resultOf(name), 'own-name', name)
  for (const name of ['[198.51.100.25]', '198.51.100.25', '[IPv6:2001:db8:25::1]', '[127.0.0.1]', '[IPv6:::1]', '127.0.0.1']) assert.equal(await resultOf(name), 'own-address', name)
  const zone = { 'mail.example.org': { A: ['192.0.2.1'] }, 'notexample.org': { A: ['192.0.2.9'] } }
  assert.equal(await resultOf('mail.example.org', {}, zone), 'pass yes')
  assert.equal(await resultOf('notexample.org', {}, zone), 'pass no')
})

test('our own names and addresses, said by ourselves', async () => {
  const zone = { 'mx.example.org': { A: ['198.51.100.25'] } }
  for (const address of ['127.0.0.1', '::1', '198.51.100.25', '2001:db8:25::1', '::ffff:198.51.100.25', undefined]) {
    assert.match(await resultOf('mx.example.org', { address }, zone), /^pass/, address)
    assert.match(await resultOf('[198.51.100.25]', { address }), /^pass/, address)
    assert.match(await resultOf('[127.0.0.1]', { address }), /^pass/, address)
  }
  assert.equal(await resultOf('[192.0.2.77]', { address: '127.0.0.1' }), 'foreign-literal')
})

test('a single label is no name of a host on the Internet', async () => {
  for (const name of ['localhost', 'DESKTOP-1234', 'ylmf-pc', 'com']) assert.equal(await resultOf(name, {}, { localhost: { A: ['127.0.0.1'] } }), 'single-label', name)
})

test('a name in Unicode is asked for as A-labels, one with an underscore as it is', async () => {
  const zone = { 'xn--bcher-kva.example': { A: ['192.0.2.1'] }, 'my_host.example': { A: ['192.0.2.1'] } }
  assert.equal(await resultOf(Buffer.from('bücher.example').toString('latin1'), {}, zone), 'pass yes')
  assert.equal(await resultOf('my_host.example', {}, zone), 'pass yes')
})

const FAULTS = ['timeout', 'servfail'] as const
/** What each look-up may say. */
const FOUR: readonly ZoneEntry['A'][] = [['192.0.2.1'], ['192.0.2.9'], undefined, ...FAULTS]
const SIX: readonly ZoneEntry['AAAA'][] = [['2001:db8::7'], ['2001:db8::9'], undefined, ...FAULTS]
const EXCHANGES: readonly ZoneEntry['MX'][] = [[[10, 'mx.a.example']], [[0, '.']], undefined, ...FAULTS]

test('every combination of the three look-ups, for both families', async () => {
  let combinations = 0
  for (const address of ['192.0.2.1', '2001:db8::7']) for (const A of FOUR) for (const AAAA of SIX) for (const MX of EXCHANGES) {
    const entry: ZoneEntry = { TXT: ['exists'], ...(A === undefined ? {} : { A }), ...(AAAA === undefined ? {} : { AAAA }), ...(MX === undefined ? {} : { MX }) }
    const outcome = await check('a.example', { address }, { 'a.example': entry })
    const own = address === '192.0.2.1' ? { records: A, mine: FOUR[0] } : { records: AAAA, mine: SIX[0] }
    const hasAddress = Array.isArray(A) || Array.isArray(AAAA)
    const failed = [A, AAAA, MX].some((one) => typeof one === 'string')
    const expected = hasAddress || MX === EXCHANGES[0] ? 'pass' : failed ? 'temperror' : 'fail'
    const which = JSON.stringify({ address, A, AAAA, MX })
    assert.equal(outcome.status, expected, which)
    if (outcome.status === 'pass') assert.equal(outcome.confirmed, own.records === own.mine ? 'yes' : typeof own.records === 'string' ? 'temperror' : 'no', which)
    if (outcome.status === 'fail') assert.equal(outcome.cause, 'a.example has neither A nor AAAA nor MX records')
    if (outcome.status === 'temperror') assert.match(outcome.cause, /^(?:A|AAAA|MX) of a\.example: (?:timeout|servfail) \(/)
    combinations++
  }
  assert.equal(combinations, 250)
})

test('a name that is known to lead to the client is asked for nothing else; any other for all', async () => {
  const zone = zoneMap({ 'a.example': { A: ['192.0.2.1'], AAAA: ['2001:db8::7'] } })
  const knowing = (records: readonly string[]): Resolver => ({ lookup: (name, type) => zone.lookup(name, type), known: (name, type) => (type === 'A' ? { status: 'records', records: records as never, name, ttlSeconds: 1, authenticated: false } : undefined) })
  for (const [known, address, confirmed, queries] of [
    [['192.0.2.1'], '192.0.2.1', 'yes', ['a.example A']],
    [['192.0.2.1'], '192.0.2.9', 'no', ['a.example A', 'a.example AAAA']],
    [['192.0.2.1'], '2001:db8::7', 'yes', ['a.example A', 'a.example AAAA']],
    // What was known is not so any more.
    [['192.0.2.9'], '192.0.2.9', 'no', ['a.example A', 'a.example A', 'a.example AAAA']],
  ] as const) {
    zone.forget()
    assert.deepEqual(await checkHelo({ ...US, address, name: 'a.example' }, knowing(known)), { status: 'pass', name: 'a.example', form: 'name', confirmed }, address)
    assert.deepEqual(zone.queries, queries, address)
  }
})

test('a name that does not exist is not asked for an MX', async () => {
  const zone = zoneMap({})
  const outcome = await checkHelo({ ...US, address: '192.0.2.1', name: 'gone.example' }, zone)
  assert.ok(outcome.status === 'fail')
  assert.deepEqual([outcome.result, outcome.cause, zone.queries], ['unresolvable', 'gone.example does not exist', ['gone.example A', 'gone.example AAAA']])
})
