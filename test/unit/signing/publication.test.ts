import assert from 'node:assert/strict'
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { askPublished, checkPublished, describePublished } from '../../../src/signing/published.ts'
import { SigningKeys } from '../../../src/signing/signing-keys.ts'
import type { SigningSettings } from '../../../src/signing/settings.ts'
import type { SigningDecision } from '../../../src/signing/signing.ts'
import { zoneMap, type ZoneData, type ZoneEntry, type ZoneMap } from '../../support/zone-map.ts'
import { folder, key, keySettings, put, recordingLog, request, ROOT, settings, type Line } from './signing-fixture.ts'

const where = folder()
const file = (name: string): string => put(join(where, `${name}.pem`), key(name).pem)
const NAME = 's1._domainkey.a.example'
const ED_NAME = 'e1._domainkey.a.example'
const RSA = keySettings('a.example', 's1', { key: file('a') })
const ED = keySettings('a.example', 'e1', { key: file('ed') })
/** of the zone map; a second more, since caches round */
const NEGATIVE_TTL_MS = 61_000
const right = { [NAME]: { TXT: [key('a').record] } }

class Bench {
  readonly zone: ZoneMap
  readonly lines: Line[]
  readonly signing: SigningKeys
  now = 0

  constructor(some: Partial<SigningSettings>, data: ZoneData) {
    this.zone = zoneMap(data)
    const { log, lines } = recordingLog()
    this.lines = lines
    const load = SigningKeys.load(settings(some), { resolver: this.zone, log, now: () => this.now, random: () => 0, reader: ROOT })
    if (load.status !== 'loaded') throw new Error(JSON.stringify(load.problems))
    this.signing = load.signing
  }

  async after(ms: number): Promise<void> {
    this.now += ms
    this.signing.tick()
    // The zone map answers at once; what is asked is through after a turn of the loop.
    await new Promise((resolve) => setImmediate(resolve))
  }

  decide(): SigningDecision {
    return this.signing.decide(request('x@a.example'))
  }

  get signers(): string {
    const decision = this.decide()
    return decision.status === 'sign' ? decision.orders.map(({ key: one }) => one.selector).join(' ') : decision.status
  }

  get warnings(): readonly unknown[] {
    return this.lines.filter(({ level }) => level === 'warn').map(({ facts }) => facts['published'] ?? facts['cause'])
  }
}

test('what the DNS says of a key', async () => {
  const half = { domain: 'a.example', selector: 's1', algorithm: 'rsa-sha256', publicData: key('a').publicData } as const
  const ask = async (entry: ZoneData[string] | undefined): Promise<string> => (await askPublished(half, zoneMap(entry === undefined ? {} : { [NAME]: entry }))).status
  assert.equal(await ask(undefined), 'missing')
  assert.equal(await ask({ A: ['192.0.2.1'] }), 'missing')
  assert.equal(await ask({ TXT: [key('a').record] }), 'matches')
  assert.equal(await ask({ TXT: [key('b').record] }), 'mismatch')
  assert.equal(await ask({ TXT: ['v=DKIM1; p='] }), 'revoked')
  assert.equal(await ask({ TXT: [key('a').record, key('a').record] }), 'unusable')
  // Never "missing": the DNS has said nothing.
  assert.equal(await ask('timeout'), 'temperror')
  assert.equal(await ask('servfail'), 'temperror')
  assert.equal(await ask({ CNAME: 'elsewhere.example' }), 'missing')
  const found = await askPublished(half, zoneMap({ [NAME]: { CNAME: 'k.elsewhere.example' }, 'k.elsewhere.example': { TXT: ['v=DKIM1; t=y; p=' + half.publicData] } }))
  assert.deepEqual(found, { status: 'matches', testing: true })
  assert.match(describePublished(half, found), /t=y/)
  assert.match(describePublished(half, { status: 'missing' }), /^s1\._domainkey\.a\.example has no TXT record: publish/)
})

test('many keys are asked for in their order', async () => {
  const bench = new Bench({ keys: [RSA, ED] }, right)
  const found = await checkPublished(bench.signing.keys, bench.zone)
  assert.deepEqual(found.map(({ key: one, published }) => `${one.selector} ${published.status}`), ['s1 matches', 'e1 missing'])
})

test('without require_published a key signs whatever its record says, and the log says so once a change', async () => {
  const bench = new Bench({ keys: [RSA] }, {})
  assert.equal(bench.signers, 's1')
  await bench.after(0)
  await bench.after(120_000)
  assert.equal(bench.signers, 's1')
  assert.deepEqual(bench.warnings, ['missing'])
  bench.zone.set(NAME, { TXT: [key('b').record] })
  await bench.after(120_000)
  await bench.after(120_000)
  assert.deepEqual(bench.warnings, ['missing', 'mismatch'])
  bench.zone.set(NAME, right[NAME])
  await bench.after(120_000)
  await bench.after(3_600_000)
  assert.deepEqual(bench.lines.map(({ level }) => level), ['warn', 'warn', 'info'])
})

test('a right record is asked for every hour, a wrong one every two minutes, a silent DNS every half minute', async () => {
  const bench = new Bench({ keys: [RSA] }, right)
  const asked = async (ms: number): Promise<number> => {
    bench.zone.forget()
    await bench.after(ms)
    return bench.zone.queries.length
  }
  assert.equal(await asked(0), 1)
  assert.equal(await asked(3_599_999), 0)
  bench.zone.set(NAME, 'timeout')
  assert.equal(await asked(1), 1)
  assert.equal(await asked(29_999), 0)
  bench.zone.set(NAME, undefined)
  assert.equal(await asked(1), 1)
  // It was right: the same is asked once more when the answer's own time is over.
  assert.equal(await asked(NEGATIVE_TTL_MS - 1), 0)
  assert.equal(await asked(1), 1)
  assert.equal(await asked(119_999), 0)
  assert.equal(await asked(1), 1)
})

test('require_published: nothing is signed before the record was seen, nor with a wrong one', async () => {
  const bench = new Bench({ keys: [RSA], requirePublished: true }, {})
  assert.deepEqual(bench.decide(), { status: 'defer', why: `signing.require_published: ${NAME} has not been asked for yet` })
  await bench.after(0)
  assert.match(bench.decide().why, /has no TXT record/)
  assert.equal(bench.signers, 'defer')
  bench.zone.set(NAME, right[NAME])
  await bench.after(120_000)
  assert.equal(bench.signers, 's1')
  bench.zone.set(NAME, { TXT: [key('b').record] })
  await bench.after(3_600_000)
  assert.equal(bench.signers, 's1')
  await bench.after(3_600_000)
  assert.equal(bench.signers, 'defer')
  // For the better it counts at once.
  bench.zone.set(NAME, right[NAME])
  await bench.after(120_000)
  assert.equal(bench.signers, 's1')
})

test('require_published: a record that is wrong for a moment holds no mail up, and is no news', async () => {
  const bench = new Bench({ keys: [RSA], requirePublished: true }, right)
  await bench.after(0)
  const moments: readonly ZoneEntry[] = [{ A: ['192.0.2.1'] }, { TXT: [key('a').record, key('b').record], ttl: 0 }, { TXT: ['v=DKIM1; p='] }]
  for (const entry of moments) {
    bench.zone.set(NAME, entry)
    await bench.after(3_600_000)
    assert.equal(bench.signers, 's1')
    bench.zone.set(NAME, right[NAME])
    await bench.after(3_600_000)
    assert.equal(bench.signers, 's1')
  }
  assert.deepEqual(bench.lines.filter(({ level }) => level !== 'debug'), [])
})

test('the second look is not before the answer of the first may have left every cache: 10 seconds at least, an hour at most', async () => {
  const bench = new Bench({ keys: [RSA], requirePublished: true }, right)
  const standsFor = async (ttl: number, ms: number): Promise<void> => {
    bench.zone.set(NAME, right[NAME])
    await bench.after(3_600_000)
    bench.zone.set(NAME, { TXT: [key('b').record], ttl })
    await bench.after(3_600_000)
    bench.zone.forget()
    await bench.after(ms - 1)
    assert.deepEqual([bench.signers, bench.zone.queries.length], ['s1', 0])
    await bench.after(1)
    assert.deepEqual([bench.signers, bench.zone.queries.length], ['defer', 1])
  }
  await standsFor(0, 10_000)
  await standsFor(60, 61_000)
  await standsFor(86_400, 3_600_000)
  assert.deepEqual(bench.warnings, ['mismatch', 'mismatch', 'mismatch'])
})

test('a DNS that is silent at the second look leaves the change open', async () => {
  const bench = new Bench({ keys: [RSA], requirePublished: true }, right)
  await bench.after(0)
  bench.zone.set(NAME, undefined)
  await bench.after(3_600_000)
  bench.zone.set(NAME, 'timeout')
  await bench.after(3_600_000)
  assert.equal(bench.signers, 's1')
  bench.zone.set(NAME, undefined)
  await bench.after(30_000)
  assert.equal(bench.signers, 'defer')
  assert.deepEqual(bench.warnings, ['missing'])
})

test('require_published: a DNS that does not answer changes nothing', async () => {
  const bench = new Bench({ keys: [RSA], requirePublished: true }, { [NAME]: 'servfail' })
  await bench.after(0)
  assert.match(bench.decide().why, /could not be asked for: .*SERVFAIL/)
  bench.zone.set(NAME, right[NAME])
  await bench.after(30_000)
  assert.equal(bench.signers, 's1')
  bench.zone.set(NAME, 'timeout')
  for (let hours = 0; hours < 5; hours++) await bench.after(3_600_000)
  assert.equal(bench.signers, 's1')
  assert.equal(bench.lines.filter(({ level }) => level === 'warn').length, 1)
})

test('require_published: one right key of a domain is enough; mail of others is not held up', async () => {
  const bench = new Bench({ keys: [RSA, ED], requirePublished: true }, right)
  await bench.after(0)
  assert.equal(bench.signers, 's1')
  bench.zone.set(ED_NAME, { TXT: [key('ed').record] })
  await bench.after(120_000)
  assert.equal(bench.signers, 's1 e1')
  assert.equal(bench.signing.decide(request('x@other.example')).status, 'unsigned')
})

test('a key with a wrong record is left out beside a right one, and signs where there is no other', async () => {
  const bench = new Bench({ keys: [RSA, ED] }, right)
  assert.equal(bench.signers, 's1 e1')
  await bench.after(0)
  assert.equal(bench.signers, 's1')
  bench.zone.set(NAME, undefined)
  await bench.after(3_600_000)
  assert.equal(bench.signers, 's1')
  await bench.after(3_600_000)
  assert.equal(bench.signers, 's1 e1')
})

test('two keys of a kind in the list: the first, unless only the other is published', async () => {
  const next = keySettings('a.example', 's2', { key: file('b') })
  const bench = new Bench({ keys: [next, RSA] }, right)
  assert.equal(bench.signers, 's2')
  await bench.after(0)
  assert.equal(bench.signers, 's1')
  bench.zone.set('s2._domainkey.a.example', { TXT: [key('b').record] })
  await bench.after(120_000)
  assert.equal(bench.signers, 's2')
})

test('a rotation in a folder: the old key until the new one is published, and so from the start', async () => {
  const keysFolder = join(where, 'rotation')
  const dated = (name: string, of: string, days: number): void => utimesSync(put(join(keysFolder, name), key(of).pem), days * 86_400, days * 86_400)
  dated('a.example.pem', 'a', 100)
  dated('s2._domainkey.a.example.pem', 'b', 200)
  const bench = new Bench({ directory: keysFolder, selector: 's1' }, right)
  assert.equal(bench.signers, 's1')
  await bench.after(0)
  assert.equal(bench.signers, 's1')
  bench.zone.set('s2._domainkey.a.example', { TXT: [key('b').record] })
  await bench.after(120_000)
  assert.equal(bench.signers, 's2')
  bench.zone.set(NAME, undefined)
  await bench.after(3_600_000)
  assert.equal(bench.signers, 's2')
})

test('a reload keeps what is known of keys that stay', async () => {
  const bench = new Bench({ keys: [RSA], requirePublished: true }, right)
  await bench.signing.firstCheck()
  bench.zone.forget()
  assert.deepEqual(bench.signing.reload(settings({ keys: [RSA, ED], requirePublished: true })), [])
  assert.equal(bench.signers, 's1')
  await bench.signing.firstCheck()
  assert.deepEqual(bench.zone.queries, [`${ED_NAME} TXT`])
})

test('a reload asks at once about a key that is not right, and about no other', async () => {
  const bench = new Bench({ keys: [RSA, ED], requirePublished: true }, right)
  await bench.after(0)
  const asked = (name: string): number => bench.zone.queries.filter((query) => query.startsWith(name)).length
  assert.deepEqual([asked(NAME), asked(ED_NAME)], [1, 1])
  bench.zone.set(ED_NAME, { TXT: [key('ed').record] })
  await bench.after(1000)
  assert.deepEqual([asked(NAME), asked(ED_NAME)], [1, 1])
  assert.deepEqual(bench.signing.reload(settings({ keys: [RSA, ED], requirePublished: true })), [])
  await bench.after(1000)
  assert.deepEqual([asked(NAME), asked(ED_NAME)], [1, 2])
  assert.equal(bench.signers, 's1 e1')
})

test('nothing is asked or told after the end', async () => {
  const bench = new Bench({ keys: [RSA] }, {})
  bench.signing.tick()
  bench.signing.close()
  await bench.after(0)
  await bench.after(3_600_000)
  assert.deepEqual(bench.lines, [])
  assert.equal(bench.zone.queries.length, 1)
  await bench.signing.firstCheck()
})
