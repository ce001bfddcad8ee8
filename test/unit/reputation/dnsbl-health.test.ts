import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resolver } from '../../../src/dns/resolver.ts'
import type { DnsListHealth, DnsListResult } from '../../../src/reputation/dnsbl.ts'
import type { ZoneData, ZoneEntry } from '../../support/zone-map.ts'
import { HOUR_MS, listBed, MINUTE_MS, WORKING, ZONE, type ListBed } from './dnsbl-fixture.ts'

const POSITIVE = `2.0.0.127.${ZONE}`
const NEGATIVE = `1.0.0.127.${ZONE}`

function health({ lists }: ListBed): DnsListHealth {
  const [one] = lists.health()
  assert.ok(one !== undefined)
  return one
}

async function ask({ lists }: ListBed, address = '192.0.2.1'): Promise<DnsListResult> {
  const [one] = await lists.check(address)
  assert.ok(one !== undefined)
  return one
}

const errors = ({ log }: ListBed): number => log.filter(({ level }) => level === 'error').length

test('before it is proved a zone is not asked, and says so', async () => {
  const bed = listBed(WORKING)
  assert.deepEqual(health(bed), { zone: ZONE, kind: 'block', state: 'unproved' })
  assert.deepEqual(await ask(bed), { zone: ZONE, kind: 'block', most: 3, status: 'error', stage: 'unproved', cause: 'the list has not been proved yet' })
  assert.deepEqual(bed.zone.queries, [])
  await bed.lists.tick()
  assert.deepEqual(bed.zone.queries, [`${POSITIVE} A`, `${NEGATIVE} A`])
  assert.equal(health(bed).state, 'healthy')
  assert.equal((await ask(bed)).status, 'listed')
})

/** What the test addresses may say, and what it makes of the zone. */
const POSITIVES: Readonly<Record<string, readonly [entry: ZoneEntry | undefined, trouble: string | undefined]>> = {
  listed: [{ A: ['127.0.0.2'] }, undefined],
  'listed elsewise': [{ A: ['127.0.0.4', '127.0.0.10'] }, undefined],
  nxdomain: [undefined, 'lists-nothing'],
  nodata: [{ TXT: ['x'] }, 'lists-nothing'],
  refused: [{ A: ['127.255.255.254'] }, 'refused'],
  foreign: [{ A: ['192.0.2.80'] }, 'foreign'],
  servfail: [{ A: 'servfail' }, 'silent'],
  timeout: [{ A: 'timeout' }, 'silent'],
}
const NEGATIVES: typeof POSITIVES = {
  nxdomain: [undefined, undefined],
  nodata: [{ TXT: ['x'] }, undefined],
  listed: [{ A: ['127.0.0.2'] }, 'lists-everything'],
  refused: [{ A: ['127.255.255.255'] }, 'refused'],
  foreign: [{ A: ['192.0.2.80'] }, 'foreign'],
  servfail: [{ A: 'servfail' }, 'silent'],
  timeout: [{ A: 'timeout' }, 'silent'],
}

test('the proof, over all that the two test addresses may answer', async () => {
  for (const [one, [positive, firstTrouble]] of Object.entries(POSITIVES)) for (const [other, [negative, secondTrouble]] of Object.entries(NEGATIVES)) {
    const bed = listBed(WORKING)
    bed.zone.set(POSITIVE, positive)
    bed.zone.set(NEGATIVE, negative)
    await bed.lists.tick()
    const expected = firstTrouble ?? secondTrouble
    const found = health(bed)
    const which = `${one}, ${other}`
    assert.equal(found.state, expected === undefined ? 'healthy' : 'set-aside', which)
    assert.equal(errors(bed), expected === undefined ? 0 : 1, which)
    const result = await ask(bed)
    if (found.state !== 'set-aside') {
      assert.equal(result.status, 'listed', which)
      continue
    }
    assert.equal(found.trouble, expected, which)
    assert.ok(found.why.length > 10 && found.advice.length > 30)
    assert.ok(result.status === 'error')
    assert.equal(result.stage, 'set-aside', which)
    assert.equal(result.cause, `the list is set aside: ${found.why}`)
  }
})

test('a test point that nobody was asked for says nothing of the zone; its proof is still due', async () => {
  for (const unasked of [[POSITIVE], [NEGATIVE], [POSITIVE, NEGATIVE]]) {
    let closed = true
    const around = (inner: Resolver): Resolver => ({
      lookup: (name, type) => (closed && unasked.includes(name) ? Promise.resolve({ status: 'timeout', cause: 'the resolver is closed', ours: true }) : inner.lookup(name, type)),
    })
    const bed = listBed(WORKING, [{}], around)
    await bed.lists.tick()
    assert.equal(health(bed).state, 'unproved', unasked.join(' '))
    assert.deepEqual(bed.log, [])
    closed = false
    await bed.lists.tick()
    assert.equal(health(bed).state, 'healthy')
    closed = true
    bed.pass(HOUR_MS)
    await bed.lists.tick()
    assert.equal(health(bed).state, 'healthy')
    assert.equal(errors(bed), 0)
  }
})

test('a list that our own resolver has no room to prove is told once, and once when it is believed', async () => {
  let full = true
  const around = (inner: Resolver): Resolver => ({ lookup: (name, type) => (full ? Promise.resolve({ status: 'timeout', cause: `${name} ${type}: 200 look-ups are in flight and 2000 wait, which is the most`, ours: true }) : inner.lookup(name, type)) })
  const bed = listBed(WORKING, [{}], around)
  const minutes = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      await bed.lists.tick()
      bed.pass(MINUTE_MS)
    }
  }
  // Once may be a resolver that a reload has just closed.
  await minutes(1)
  assert.deepEqual(bed.log, [])
  await minutes(30)
  assert.deepEqual(bed.log, [{ level: 'warn', facts: { zone: ZONE, cause: `${POSITIVE} A: 200 look-ups are in flight and 2000 wait, which is the most` }, text: 'the DNS list is not asked: our own resolver has had no room for the questions that prove it' }])
  full = false
  await minutes(1)
  assert.deepEqual(bed.log.slice(1).map(({ level, text }) => [level, text]), [['info', 'the DNS list answers as it should, and is believed']])
  // A proof that is due holds for ten minutes more: until then the list is asked.
  full = true
  await minutes(69)
  assert.deepEqual([bed.log.length, health(bed).state], [2, 'healthy'])
  await minutes(20)
  assert.deepEqual(bed.log.slice(2).map(({ level }) => level), ['warn'])
  full = false
  await minutes(1)
  assert.deepEqual(bed.log.slice(3).map(({ level, text }) => [level, text]), [['info', 'the DNS list answers as it should, and is believed']])
})

test('of two test points one that was asked may still tell that the zone lists everything', async () => {
  const around = (inner: Resolver): Resolver => ({ lookup: (name, type) => (name === POSITIVE ? Promise.resolve({ status: 'timeout', cause: 'too much', ours: true }) : inner.lookup(name, type)) })
  const bed = listBed({ ...WORKING, [NEGATIVE]: { A: ['127.0.0.2'] } }, [{}], around)
  await bed.lists.tick()
  const found = health(bed)
  assert.equal(found.state === 'set-aside' && found.trouble, 'lists-everything')
})

test('a zone of a wildcard, of a parked name, of a resolver that rewrites, of a public resolver: nobody is refused', async () => {
  for (const [answer, trouble] of [['127.0.0.2', 'lists-everything'], ['192.0.2.80', 'foreign'], ['127.255.255.254', 'refused']] as const) {
    const bed = listBed({ [`*.${ZONE}`]: { A: [answer] } })
    const [proved] = await bed.lists.prove()
    assert.ok(proved?.state === 'set-aside')
    assert.equal(proved.trouble, trouble)
    assert.equal((await ask(bed, '192.0.2.77')).status, 'error')
    const [logged] = bed.log
    assert.equal(logged?.level, 'error')
    assert.deepEqual(logged.facts, { zone: ZONE, why: proved.why, advice: proved.advice })
  }
  const bed = listBed({ [`*.${ZONE}`]: { A: ['127.255.255.254'] } })
  await bed.lists.tick()
  const state = health(bed)
  assert.match(state.state === 'set-aside' ? state.advice : '', /resolver of your own/)
})

test('a zone for IPv6 only is proved by its own test addresses (RFC 5782 §5)', async () => {
  const rest = `0.0.0.0.0.f.7.f.f.f.f.${'0.'.repeat(20)}${ZONE}`
  const bed = listBed({ [`2.${rest}`]: { A: ['127.0.0.2'] } }, [{ ipv4: false }])
  await bed.lists.tick()
  assert.deepEqual(bed.zone.queries, [`2.${rest} A`, `1.${rest} A`])
  assert.equal(health(bed).state, 'healthy')
  bed.zone.set(`1.${rest}`, { A: ['127.0.0.2'] })
  await bed.lists.prove()
  assert.equal(health(bed).state, 'set-aside')
})

test('each hour it is proved again; between, tick asks nothing', async () => {
  const bed = listBed(WORKING)
  await bed.lists.tick()
  bed.zone.forget()
  bed.pass(HOUR_MS - 1)
  await bed.lists.tick()
  assert.deepEqual(bed.zone.queries, [])
  bed.pass(1)
  bed.zone.set(NEGATIVE, { A: ['127.0.0.2'] })
  await bed.lists.tick()
  assert.equal(bed.zone.queries.length, 2)
  assert.equal(health(bed).state, 'set-aside')
  assert.equal((await ask(bed)).status, 'error')
})

test('a proof that nobody renewed does not count for ever', async () => {
  const bed = listBed(WORKING)
  await bed.lists.tick()
  bed.pass(HOUR_MS + 10 * MINUTE_MS)
  assert.equal((await ask(bed)).status, 'listed')
  bed.pass(1)
  const result = await ask(bed)
  assert.ok(result.status === 'error')
  assert.equal(result.stage, 'unproved')
  await bed.lists.tick()
  assert.equal((await ask(bed)).status, 'listed')
})

test('a clock that is set back costs a proof and no more', async () => {
  const bed = listBed(WORKING)
  await bed.lists.tick()
  bed.pass(-24 * HOUR_MS)
  assert.equal(health(bed).state, 'unproved')
  await bed.lists.tick()
  assert.equal(health(bed).state, 'healthy')
  bed.zone.set(POSITIVE, undefined)
  await bed.lists.prove()
  bed.zone.set(POSITIVE, { A: ['127.0.0.2'] })
  bed.pass(-24 * HOUR_MS)
  await bed.lists.tick()
  assert.equal(health(bed).state, 'healthy')
})

test('set aside, it is tried after 1, 2, 4 … minutes, then hourly, and the log hears of changes only', async () => {
  const bed = listBed({ ...WORKING, [NEGATIVE]: { A: ['127.0.0.2'] } })
  await bed.lists.tick()
  const waits: number[] = []
  for (let minutes = 0; waits.length < 9; minutes = 0) {
    bed.zone.forget()
    while (bed.zone.queries.length === 0) {
      bed.pass(MINUTE_MS)
      minutes++
      await bed.lists.tick()
    }
    waits.push(minutes)
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60])
  assert.equal(bed.log.length, 1)
  const since = health(bed)
  assert.ok(since.state === 'set-aside')
  bed.zone.set(NEGATIVE, undefined)
  bed.zone.set(POSITIVE, undefined)
  await bed.lists.prove()
  assert.equal(errors(bed), 2, 'another trouble is news')
  const still = health(bed)
  assert.ok(still.state === 'set-aside')
  assert.equal(still.since, since.since)
  bed.zone.set(POSITIVE, { A: ['127.0.0.2'] })
  await bed.lists.prove()
  assert.deepEqual(bed.log.map(({ level }) => level), ['error', 'error', 'warn'])
  assert.equal((await ask(bed)).status, 'listed')
})

test('one that comes and goes is tried less and less; an hour of health forgives', async () => {
  const bed = listBed({ ...WORKING, [`9.2.0.192.${ZONE}`]: { A: ['127.255.255.255'] } })
  const waitsAfterFall = async (): Promise<number> => {
    await ask(bed, '192.0.2.9')
    const state = health(bed)
    assert.ok(state.state === 'set-aside')
    bed.pass(state.nextTryAt - state.since)
    await bed.lists.tick()
    assert.equal(health(bed).state, 'healthy')
    return (state.nextTryAt - state.since) / MINUTE_MS
  }
  await bed.lists.tick()
  assert.deepEqual([await waitsAfterFall(), await waitsAfterFall(), await waitsAfterFall()], [1, 2, 4])
  bed.pass(HOUR_MS)
  await bed.lists.tick()
  assert.equal(await waitsAfterFall(), 1)
})

/** As the stub says it of a name whose own servers are dead. */
const othersAnswer = (resolver: Resolver): Resolver => ({
  async lookup(name, type) {
    const found = await resolver.lookup(name, type)
    return found.status === 'timeout' ? { ...found, serversAnswer: true } : found
  },
})

test('look-ups without an answer: five on end set it aside, one answer between them forgives', async () => {
  const dead = (i: number): string => `${i}.2.0.192.${ZONE}`
  const data: ZoneData = { ...WORKING, ...Object.fromEntries([10, 11, 12, 13, 14].map((i) => [dead(i), i % 2 === 0 ? 'timeout' : 'servfail'])) }
  const bed = listBed(data, [{}], othersAnswer)
  await bed.lists.tick()
  for (const i of [10, 11, 12, 13]) assert.equal((await ask(bed, `192.0.2.${i}`)).status, 'error')
  assert.equal((await ask(bed, '192.0.2.50')).status, 'not-listed')
  for (const i of [10, 11, 12, 13]) await ask(bed, `192.0.2.${i}`)
  assert.equal(health(bed).state, 'healthy')
  await ask(bed, '192.0.2.14')
  const state = health(bed)
  assert.ok(state.state === 'set-aside')
  assert.equal(state.trouble, 'silent')
  assert.match(state.why, /^5 look-ups on end got no answer, the last: 14\.2\.0\.192/)
  bed.zone.forget()
  assert.equal((await ask(bed)).status, 'error')
  assert.deepEqual(bed.zone.queries, [], 'a zone set aside costs no time-out')
})

test('where our own servers are silent, no list is to blame; nor where a session has waited long enough', async () => {
  for (const known of [{ serversAnswer: false }, {}, { serversAnswer: true, ours: true }]) {
    let down = false
    const bed = listBed(WORKING, [{}], (resolver): Resolver => ({
      lookup: (name, type) => (down ? Promise.resolve({ status: 'timeout', cause: 'no server answers', ...known }) : resolver.lookup(name, type)),
    }))
    await bed.lists.tick()
    down = true
    for (let i = 0; i < 20; i++) assert.equal((await ask(bed)).status, 'error')
    assert.equal(health(bed).state, 'healthy')
    down = false
    assert.equal((await ask(bed)).status, 'listed')
  }
})

test('a session asks through its own resolver, the proof through that of all', async () => {
  const bed = listBed(WORKING)
  await bed.lists.tick()
  bed.zone.forget()
  const session: Resolver = { lookup: () => Promise.resolve({ status: 'timeout', cause: 'the session waits for no more' }) }
  for (let i = 0; i < 20; i++) assert.deepEqual((await bed.lists.check('192.0.2.1', session)).map(({ status }) => status), ['error'])
  assert.deepEqual(bed.zone.queries, [])
  assert.equal((await ask(bed)).status, 'listed')
})

test('two proofs at once are one', async () => {
  const bed = listBed(WORKING)
  await Promise.all([bed.lists.tick(), bed.lists.tick(), bed.lists.prove()])
  assert.equal(bed.zone.queries.length, 2)
})

test('zones stand and fall by themselves', async () => {
  const bed = listBed({ ...WORKING, '*.dead.example': 'timeout' }, [{}, { zone: 'dead.example' }, { zone: 'gone.example' }])
  assert.deepEqual((await bed.lists.prove()).map(({ zone, state }) => `${zone} ${state}`), ['bl.example healthy', 'dead.example set-aside', 'gone.example set-aside'])
  assert.deepEqual((await bed.lists.check('192.0.2.1')).map(({ status }) => status), ['listed', 'error', 'error'])
})
