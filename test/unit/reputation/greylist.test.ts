import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGreylist, GREYLIST_DEFAULTS, MemoryGreylist } from '../../../src/reputation/greylist.ts'
import type { GreylistInput, GreylistOutcome, GreylistStore } from '../../../src/reputation/greylist.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const { delayMs, windowMs, rememberMs } = GREYLIST_DEFAULTS

interface Bed {
  readonly store: MemoryGreylist
  readonly try: (input?: Partial<GreylistInput>) => Promise<GreylistOutcome>
  readonly status: (input?: Partial<GreylistInput>) => Promise<string>
  readonly pass: (ms: number) => void
}

const CLIENT: GreylistInput = { address: '192.0.2.1', names: [], senderDomain: 'a.example', recipient: 'user@example.org' }

function bed(maxRecords?: number, around: (store: GreylistStore) => GreylistStore = (store) => store): Bed {
  let now = 1_800_000_000_000
  const store = new MemoryGreylist(() => now, maxRecords)
  // As the public suffix list would have it for the names here.
  const organizationalDomain = (name: string): string | undefined => (name.includes('.') ? name.split('.').slice(-2).join('.') : undefined)
  const greylist = createGreylist(GREYLIST_DEFAULTS, { store: around(store), now: () => now, organizationalDomain })
  const attempt = (input: Partial<GreylistInput> = {}): Promise<GreylistOutcome> => greylist({ ...CLIENT, ...input })
  return { store, try: attempt, status: async (input) => (await attempt(input)).status, pass: (ms) => void (now += ms) }
}

test('who comes back after the delay and within the window has passed, and is known', async () => {
  const it = bed()
  const pool = '192.0.2.0/24'
  assert.deepEqual(await it.try(), { status: 'deferred', first: true, retryAfterMs: delayMs, pool })
  it.pass(MINUTE)
  assert.deepEqual(await it.try(), { status: 'deferred', first: false, retryAfterMs: delayMs - MINUTE, pool })
  it.pass(delayMs - MINUTE - 1)
  assert.deepEqual(await it.try(), { status: 'deferred', first: false, retryAfterMs: 1, pool })
  it.pass(1)
  assert.deepEqual(await it.try(), { status: 'passed', waitedMs: delayMs, pool })
  assert.deepEqual(await it.try(), { status: 'known', pool })
})

test('at the end of the window, and behind it', async () => {
  const at = bed()
  await at.try()
  at.pass(windowMs - 1)
  assert.equal(await at.status(), 'passed')
  const behind = bed()
  await behind.try()
  behind.pass(windowMs)
  assert.deepEqual(await behind.try(), { status: 'deferred', first: true, retryAfterMs: delayMs, pool: '192.0.2.0/24' })
})

test('who has passed for one recipient has passed for all, and for the sender domain only', async () => {
  const it = bed()
  await it.try()
  it.pass(delayMs)
  assert.equal(await it.status(), 'passed')
  assert.equal(await it.status({ recipient: 'other@example.org' }), 'known')
  assert.equal(await it.status({ senderDomain: 'b.example' }), 'deferred')
  assert.equal(await it.status({ senderDomain: 'A.Example' }), 'known')
})

test('a robot that goes through its list of recipients has not come back', async () => {
  const it = bed()
  for (let i = 0; i < 20; i++) {
    assert.equal(await it.status({ recipient: `user${i}@example.org` }), 'deferred', String(i))
    it.pass(delayMs)
  }
  assert.equal(await it.status({ recipient: 'USER19@example.org' }), 'passed')
})

test('pools: the network, or the domain of a name that somebody gave', async () => {
  const pool = async (address: string, names: readonly string[] = []): Promise<string> => {
    const outcome = await bed().try({ address, names })
    assert.ok(outcome.status === 'deferred')
    return outcome.pool
  }
  assert.equal(await pool('192.0.2.99'), '192.0.2.0/24')
  assert.equal(await pool('::ffff:192.0.2.99'), '192.0.2.0/24')
  assert.equal(await pool('2001:db8:1:2:3::4'), '2001:0db8:0001:0002::/64')
  assert.equal(await pool('192.0.2.99', ['mail-1.out.Sender.example']), 'sender.example')
  assert.equal(await pool('192.0.2.99', ['m.z.example', 'm.a.example']), 'a.example')
  assert.equal(await pool('192.0.2.99', ['localhost']), '192.0.2.0/24')
  const it = bed()
  await it.try({ names: ['m1.sender.example'] })
  it.pass(delayMs)
  assert.equal(await it.status({ address: '203.0.113.77', names: ['m2.sender.example'] }), 'passed')
  assert.equal(await it.status({ address: '2001:db8::1', names: ['m3.sender.example'] }), 'known')
  assert.equal(await it.status({ address: '203.0.113.77' }), 'deferred')
})

test('the null reverse-path is a sender domain of its own', async () => {
  const it = bed()
  await it.try({ senderDomain: '' })
  it.pass(delayMs)
  assert.equal(await it.status({ senderDomain: '' }), 'passed')
  assert.equal(await it.status(), 'deferred')
})

test('one that has passed is remembered as long as it comes again, and then forgotten', async () => {
  const it = bed()
  await it.try()
  it.pass(delayMs)
  assert.equal(await it.status(), 'passed')
  for (let days = 0; days < 100; days += 10) {
    it.pass(10 * DAY)
    assert.equal(await it.status(), 'known', String(days))
  }
  it.pass(rememberMs)
  assert.equal(await it.status(), 'deferred')
})

test('a known pool costs no write with each message', async () => {
  let writes = 0
  const it = bed(undefined, (store) => ({ get: (key) => store.get(key), put: (key, record) => (writes++, store.put(key, record)) }))
  await it.try()
  it.pass(delayMs)
  await it.try()
  writes = 0
  for (let i = 0; i < 100; i++) await it.try()
  assert.equal(writes, 0)
  it.pass(5 * DAY)
  for (let i = 0; i < 100; i++) await it.try()
  assert.equal(writes, 1)
})

test('a clock that is set back asks nobody to wait for longer than the delay', async () => {
  const it = bed()
  await it.try()
  it.pass(-DAY)
  assert.deepEqual(await it.try(), { status: 'deferred', first: true, retryAfterMs: delayMs, pool: '192.0.2.0/24' })
  it.pass(delayMs)
  assert.equal(await it.status(), 'passed')
})

test('a store that fails, at each call, however it fails: nobody is asked to come back for that', async () => {
  const failure = new Error('disk\r\nfull')
  const failing = (bad: 'get' | 'put', how: 'throws' | 'rejects', after: number) => (store: GreylistStore): GreylistStore => {
    let calls = 0
    const fail = (): Promise<never> => {
      if (how === 'throws') throw failure
      return Promise.reject(failure)
    }
    const fails = (call: 'get' | 'put'): boolean => call === bad && ++calls > after
    return { get: (key) => (fails('get') ? fail() : store.get(key)), put: (key, record) => (fails('put') ? fail() : store.put(key, record)) }
  }
  const UNAVAILABLE: GreylistOutcome = { status: 'unavailable', cause: 'the greylist cannot be read or written: disk full' }
  for (const how of ['throws', 'rejects'] as const) {
    for (const [call, after] of [['get', 0], ['get', 1], ['put', 0]] as const) assert.deepEqual(await bed(undefined, failing(call, how, after)).try(), UNAVAILABLE, `${call} ${after} ${how}`)
    const later = bed(undefined, failing('put', how, 1))
    assert.equal(await later.status(), 'deferred')
    later.pass(delayMs)
    assert.deepEqual(await later.try(), UNAVAILABLE)
  }
})

test('a store that answers later', async () => {
  const it = bed(undefined, (store) => ({ get: async (key) => store.get(key), put: async (key, record) => store.put(key, record) }))
  assert.equal(await it.status(), 'deferred')
  it.pass(delayMs)
  assert.equal(await it.status(), 'passed')
})

test('records are bounded, in number and in size; no address is nobody', async () => {
  const it = bed(50)
  for (let i = 0; i < 500; i++) await it.try({ recipient: `${i}@example.org` })
  assert.equal(it.store.size, 50)
  assert.equal(await it.status({ address: 'unix' }), 'none')
  const keys: string[] = []
  const long = bed(undefined, (store) => ({ get: (key) => (keys.push(key), store.get(key)), put: (key, record) => store.put(key, record) }))
  await long.try({ senderDomain: 'x'.repeat(10_000), recipient: 'y'.repeat(10_000), names: [`m.${'z'.repeat(10_000)}`] })
  for (const key of keys) assert.ok(key.length <= 850, String(key.length))
})
