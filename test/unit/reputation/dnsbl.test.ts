import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lookup, RecordType, Resolver } from '../../../src/dns/resolver.ts'
import { createDnsLists } from '../../../src/reputation/dnsbl.ts'
import type { DnsListResult, DnsListZone } from '../../../src/reputation/dnsbl.ts'
import type { ZoneData, ZoneEntry } from '../../support/zone-map.ts'
import { listBed, WORKING, ZONE, type ListBed } from './dnsbl-fixture.ts'

async function proved(...given: Parameters<typeof listBed>): Promise<ListBed> {
  const bed = listBed(...given)
  await bed.lists.tick()
  bed.zone.forget()
  return bed
}

async function one(bed: ListBed, address = '192.0.2.1'): Promise<DnsListResult> {
  const [result] = await bed.lists.check(address)
  assert.ok(result !== undefined)
  return result
}

const LISTED = { zone: ZONE, kind: 'block', status: 'listed', codes: ['127.0.0.2'], labels: [], weight: 3 }

test('a listed client, with the list\'s own reason; one that is not', async () => {
  const bed = await proved(WORKING)
  assert.deepEqual(await one(bed), { ...LISTED, reason: 'see https://bl.example/192.0.2.1' })
  assert.deepEqual(await one(bed, '::ffff:192.0.2.1'), { ...LISTED, reason: 'see https://bl.example/192.0.2.1' })
  assert.deepEqual(await one(bed, '192.0.2.3'), { zone: ZONE, kind: 'block', status: 'not-listed' })
  assert.deepEqual(bed.zone.queries.slice(-1), [`3.2.0.192.${ZONE} A`], 'no reason is asked for where nobody is listed')
})

test('IPv6 clients by nibbles; a list without them is not asked', async () => {
  const name = `1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.${ZONE}`
  assert.deepEqual(await one(await proved({ ...WORKING, [name]: { A: ['127.0.0.2'] } }), '2001:db8::1'), LISTED)
  const without = await proved(WORKING, [{ ipv6: false }])
  assert.deepEqual(await one(without, '2001:db8::1'), { zone: ZONE, kind: 'block', status: 'not-asked', why: 'the list has no IPv6 addresses' })
  assert.deepEqual(without.zone.queries, [])
  const only6 = await proved({ [`2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.${ZONE}`]: { A: ['127.0.0.2'] }, [name]: { A: ['127.0.0.2'] } }, [{ ipv4: false }])
  assert.equal((await one(only6, '2001:db8::1')).status, 'listed')
  assert.equal((await one(only6)).status, 'not-asked')
})

test('this machine and a unix socket are on no list, though 127.0.0.2 is on each', async () => {
  const bed = await proved(WORKING)
  for (const address of ['127.0.0.2', '127.0.0.1', '::1', '::ffff:127.0.0.2', '', 'unix']) assert.equal((await one(bed, address)).status, 'not-asked', address)
  assert.deepEqual(bed.zone.queries, [])
  assert.equal((await one(bed, '10.0.0.1')).status, 'not-listed')
})

test('return codes: which count, what they weigh, what they are called', async () => {
  const codes: DnsListZone['codes'] = [{ code: '127.0.0.2', label: 'spam' }, { code: '127.0.0.[4..7]', weight: 5, label: 'exploit' }, { code: '127.0.0.10/31', weight: 1, label: 'policy' }]
  const listing = async (...answers: string[]): Promise<DnsListResult> => one(await proved({ ...WORKING, [`1.2.0.192.${ZONE}`]: { A: answers } }, [{ codes }]))
  assert.deepEqual(await listing('127.0.0.2'), { ...LISTED, labels: ['spam'] })
  assert.deepEqual(await listing('127.0.0.11', '127.0.0.5'), { ...LISTED, codes: ['127.0.0.11', '127.0.0.5'], labels: ['exploit', 'policy'], weight: 5 })
  assert.deepEqual(await listing('127.0.0.10'), { ...LISTED, codes: ['127.0.0.10'], labels: ['policy'], weight: 1 })
  assert.deepEqual(await listing('127.0.0.10', '127.0.0.99'), { ...LISTED, codes: ['127.0.0.10'], labels: ['policy'], weight: 1 })
  assert.equal((await listing('127.0.0.99')).status, 'not-listed')
})

test('an allow list says the same with its kind', async () => {
  const bed = await proved({ [`2.0.0.127.wl.example`]: { A: ['127.0.10.0'] }, '1.2.0.192.wl.example': { A: ['127.0.5.2'] } }, [{ zone: 'wl.example', kind: 'allow', weight: 1, codes: [{ code: '127.0.[0..255].[1..3]', weight: 2 }] }])
  assert.deepEqual(await one(bed), { zone: 'wl.example', kind: 'allow', status: 'listed', codes: ['127.0.5.2'], labels: [], weight: 2 })
})

test('a question without an answer is an error, never a listing nor its absence', async () => {
  for (const fault of ['timeout', 'servfail'] as const) {
    const result = await one(await proved({ ...WORKING, [`1.2.0.192.${ZONE}`]: fault }))
    assert.ok(result.status === 'error')
    assert.equal(result.stage, 'look-up')
    assert.match(result.cause, new RegExp(`^1\\.2\\.0\\.192\\.bl\\.example: ${fault} `))
  }
})

test('answers outside 127.0.0.0/8 and inside 127.255.255.0/24 are errors, with others beside them too', async () => {
  for (const answers of [['192.0.2.53'], ['127.0.0.2', '192.0.2.53'], ['0.0.0.0'], ['127.255.255.254'], ['127.255.255.1', '127.0.0.2'], ['127.255.255.0']]) {
    const bed = await proved({ ...WORKING, [`1.2.0.192.${ZONE}`]: { A: answers } })
    const result = await one(bed)
    assert.ok(result.status === 'error')
    assert.equal(result.stage, 'answer', answers.join(' '))
    assert.equal(bed.lists.health()[0]?.state, 'set-aside')
  }
})

test('a name stands for the zone wherever somebody reads it: the zone may have a key in it', async () => {
  const secret = 'k3y0fac0st0m3r.bl.example'
  const data = { [`2.0.0.127.${secret}`]: { A: ['127.0.0.2'] }, [`1.2.0.192.${secret}`]: { A: ['127.0.0.2'], TXT: [`${'x'.repeat(190)} ${secret}`] }, [`2.2.0.192.${secret}`]: { A: 'servfail' } } satisfies ZoneData
  const bed = await proved(data, [{ zone: secret, name: 'bl' }])
  const { reason, ...listed } = await one(bed) as Extract<DnsListResult, { status: 'listed' }>
  assert.deepEqual(listed, { ...LISTED, zone: 'bl' })
  assert.equal(reason, `${'x'.repeat(190)} bl`)
  const told = JSON.stringify([await one(bed, '192.0.2.2'), await one(bed, '192.0.2.3'), bed.lists.health(), bed.log])
  assert.match(told, /"zone":"bl"/)
  assert.doesNotMatch(told, /k3y0/)
  const broken = await proved({}, [{ zone: secret, name: 'bl' }])
  assert.doesNotMatch(JSON.stringify([await one(broken), broken.lists.health(), broken.log]), /k3y0/)
})

test('a reason is bounded, printable and on one line; it may be missing', async () => {
  const reason = async (TXT: ZoneEntry['TXT']): Promise<string | undefined> => {
    const result = await one(await proved({ ...WORKING, [`1.2.0.192.${ZONE}`]: { A: ['127.0.0.2'], ...(TXT === undefined ? {} : { TXT }) } }))
    assert.ok(result.status === 'listed')
    return result.reason
  }
  assert.equal(await reason(undefined), undefined)
  assert.equal(await reason('timeout'), undefined)
  assert.equal(await reason('servfail'), undefined)
  assert.equal(await reason(['']), undefined)
  assert.equal(await reason([['in two ', 'strings']]), 'in two strings')
  assert.equal(await reason(['b', 'a']), 'a / b')
  assert.equal(await reason(['evil\r\n250 OK\r\nX-Evil: 1\0\x1b[2J\xff']), 'evil 250 OK X-Evil: 1??[2J?')
  assert.equal((await reason(['x'.repeat(60_000)]))?.length, 200)
  assert.ok(((await reason(Array.from({ length: 100 }, (_, i) => `${i} ${'y'.repeat(250)}`)))?.length ?? 0) <= 200)
})

test('all zones are asked, each says its own, and at most so many at once', async () => {
  const names = Array.from({ length: 30 }, (_, i) => `l${i}.example`)
  const data = Object.fromEntries(names.flatMap((name, i): [string, ZoneEntry | 'timeout'][] => [
    [`2.0.0.127.${name}`, { A: ['127.0.0.2'] }],
    [`1.2.0.192.${name}`, i % 3 === 0 ? { A: ['127.0.0.3'] } : i % 3 === 1 ? 'timeout' : { TXT: ['not here'] }],
  ]))
  let inFlight = 0
  let most = 0
  const counting = (resolver: Resolver): Resolver => ({
    async lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
      most = Math.max(most, ++inFlight)
      await new Promise((resolve) => setImmediate(resolve))
      inFlight--
      return resolver.lookup(name, type)
    },
  })
  const bed = await proved(data, names.map((zone) => ({ zone })), counting)
  most = 0
  const results = await bed.lists.check('192.0.2.1')
  assert.deepEqual(results.map(({ zone }) => zone), names)
  assert.deepEqual(results.map(({ status }) => status), names.map((_, i) => ['listed', 'error', 'not-listed'][i % 3]))
  assert.equal(most, 20)
})

test('a zone set aside while its answer was on the way is not believed', async () => {
  let release: (() => void) | undefined
  const held = new Promise<void>((resolve) => void (release = resolve))
  const bed = await proved({ ...WORKING, [`9.2.0.192.${ZONE}`]: { A: ['127.255.255.254'] } }, [{}], (resolver) => ({
    async lookup(name, type) {
      if (name.startsWith('1.2.0.192')) await held
      return resolver.lookup(name, type)
    },
  }))
  const waiting = one(bed)
  assert.equal((await one(bed, '192.0.2.9')).status, 'error')
  release?.()
  const result = await waiting
  assert.ok(result.status === 'error')
  assert.equal(result.stage, 'set-aside')
})

test('no lists, and settings that nobody checked', async () => {
  assert.deepEqual(await listBed({}, []).lists.check('192.0.2.1'), [])
  const context = { resolver: { lookup: () => Promise.reject(new Error('not asked')) }, now: () => 0, log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined } }
  const zone = { kind: 'block', weight: 1, ipv6: false } as const
  assert.throws(() => createDnsLists({ zones: [{ ...zone, zone: 'a..b' }] }, context), /was not checked: "a\.\.b"/)
  assert.throws(() => createDnsLists({ zones: [{ ...zone, zone: 'a.example', codes: [{ code: '8.8.8.8' }] }] }, context), /8\.8\.8\.8: return codes are in/)
  assert.throws(() => createDnsLists({ zones: Array.from({ length: 51 }, () => ({ ...zone, zone: 'a.example' })) }, context), /at most 50/)
  assert.throws(() => createDnsLists({ zones: [{ ...zone, zone: `${'a.'.repeat(95)}example` }] }, context), /at most 189/)
})
