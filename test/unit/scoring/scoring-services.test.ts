/** What scoring stands on in a worker, over its life: rules that cannot be read once, a reload while messages are under way, an end beside a busy database. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { Resolver } from '../../../src/dns/resolver.ts'
import type { ScoringSubject } from '../../../src/inbound/scoring.ts'
import type { StoredMessage } from '../../../src/message/message.ts'
import { packRules, type PackedRules } from '../../../src/scoring/packed-rules.ts'
import { PatientRules } from '../../../src/scoring/patient-rules.ts'
import { RuleReader } from '../../../src/scoring/rule-reader.ts'
import type { RuleSource } from '../../../src/scoring/rule-source.ts'
import { ScoringServices, type ScoringSettings } from '../../../src/scoring/scoring-services.ts'
import { URI_LIST_DEFAULTS } from '../../../src/reputation/uri-settings.ts'
import type { Rule } from '../../../src/spam/rules/rule.ts'
import { until } from '../../support/process.ts'
import { clamav, ground } from '../../support/spam-engines.ts'
import { heldMessage } from '../../support/stored-message.ts'
import { zoneMap } from '../../support/zone-map.ts'
import { fakeEngine, type TestEnd } from '../spam/engines/fake-engine.ts'

const LETTER = 'From: a@b.example\r\nSubject: x\r\n\r\nhello\r\n'

function stage(t: TestEnd, { engines = [], judges = false, resolver = zoneMap({}), zones = [], source }: { readonly engines?: ScoringSettings['engines']; readonly judges?: boolean; readonly resolver?: Resolver; readonly zones?: ScoringSettings['uriLists']['zones']; readonly source?: (own: RuleSource) => RuleSource } = {}) {
  const state = mkdtempSync(join(tmpdir(), 'postern-scoring-'))
  const { log, logged } = ground()
  const settings: ScoringSettings = {
    state, hostname: 'gw.example', domains: ['hop.example'], judges, dns: { servers: undefined, timeoutMs: undefined, tries: undefined }, rules: { shipped: false, paths: [], scores: new Map(), spamassassin: [] },
    bayes: { store: { kind: 'embedded' }, minMessages: 200, maxTokens: 100_000, expireMs: 1e10, learn: [], autoLearn: undefined },
    uriLists: { ...URI_LIST_DEFAULTS, zones }, correspondents: { rememberMs: 1e10 }, senders: { rememberMs: 1e10 }, engines,
  }
  const own = new PatientRules({ log, reader: new RuleReader({ log }) })
  const services = new ScoringServices(settings, { log, resolver, rules: source?.(own) ?? own })
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    await services.close()
  }
  t.after(async () => {
    await close()
    rmSync(state, { recursive: true })
  })
  const reload = async (changed: ScoringSettings): Promise<void> => (await services.prepare(changed))()
  return { services, settings, state, logged, reload, close }
}

function subject(body: StoredMessage = heldMessage([Buffer.from(LETTER)])): ScoringSubject {
  return {
    id: 'x', body, received: Buffer.alloc(0), known: { address: '192.0.2.1', recipients: ['b@hop.example'], sender: 'a@b.example' }, ground: { resolver: zoneMap({}), now: () => 0 }, credit: 3, wants: (check) => check !== 'correspondent',
    session: { address: '192.0.2.1', port: 1, spokeEarly: false, name: undefined, login: undefined, helo: 'client.example', protocol: 'ESMTP', tls: undefined, forwarded: new Map() },
  }
}

const words = ({ outcomes }: { readonly outcomes: readonly { readonly check: string; readonly status: string }[] }): readonly string[] => outcomes.map(({ check, status }) => `${check} ${status}`)

const LATE: Rule = { id: 'LATE', score: 3, why: 'It came later', when: { kind: 'present', in: { kind: 'subject' } } }
const packed = (...rules: readonly Rule[]): PackedRules => packRules({ rules, problems: [], notes: [] })

for (const judges of [false, true]) {
  test(`rules that could not be read are read again for the next message (${judges ? 'a worker that judges' : 'one that does not yet'})`, async (t) => {
    let readings = 0
    const source = (own: RuleSource): RuleSource => ({
      underWay: judges, onLate: () => undefined, settle: () => undefined,
      read: (settings) => (readings++ === 0 ? Promise.reject(new Error('EMFILE: too many open files')) : own.read(settings)),
      close: () => own.close(),
    })
    const { services, logged } = stage(t, { judges, source })
    if (!judges) {
      const first = await services.scoring.score(subject())
      assert.deepEqual(words(first), ['content temperror', 'bayes none'])
      assert.equal(first.traces.find(({ check }) => check === 'content')?.detail, 'EMFILE: too many open files')
    }
    assert.deepEqual(words(await services.scoring.score(subject())), ['content none', 'bayes none'])
    assert.equal(readings, 2)
    assert.equal(logged.filter(({ level, text }) => level === 'error' && text === 'rules could not be read').length, 1)
  })
}

test('rules that cannot be read for long are not read again all the time', async (t) => {
  let readings = 0
  const source = (own: RuleSource): RuleSource => ({ underWay: false, onLate: () => undefined, settle: () => undefined, read: () => (readings++, Promise.reject(new Error('EACCES'))), close: () => own.close() })
  const { services, logged } = stage(t, { judges: true, source })
  const at: number[] = []
  for (let second = 0; second < 300; second++) {
    const before = readings
    services.tick()
    await setImmediate()
    if (readings > before) at.push(second)
  }
  assert.deepEqual(at, [0, 1, 2, 4, 8, 16, 32, 64, 124, 184, 244])
  // A message meanwhile hears what is known.
  for (let messages = 0; messages < 3; messages++) assert.equal((await services.scoring.score(subject())).traces.find(({ check }) => check === 'content')?.detail, 'EACCES')
  assert.equal(readings, at.length)
  // The log hears of it once a reading, not once a message.
  assert.deepEqual(logged.map(({ text }) => text), at.map(() => 'rules could not be read'))
})

test('a reload whose rules cannot be read changes nothing', async (t) => {
  let fails = false
  const source = (own: RuleSource): RuleSource => ({ underWay: false, onLate: () => undefined, settle: () => undefined, read: (settings) => (fails ? Promise.reject(new Error('EIO')) : own.read(settings)), close: () => own.close() })
  const { services, settings, reload } = stage(t, { source })
  await services.scoring.score(subject())
  const { scoring } = services
  fails = true
  await assert.rejects(reload({ ...settings, engines: [clamav({})] }), /EIO/)
  assert.equal(services.scoring, scoring)
  fails = false
  await reload(settings)
  assert.deepEqual(words(await services.scoring.score(subject())), ['content none', 'bayes none'])
})

test('where no rules were read yet a reload does not fail by them, and they are not read twice at once', async (t) => {
  let readings = 0
  let fail = (): void => undefined
  const first = new Promise<never>((_, reject) => {
    fail = () => reject(new Error('EIO'))
  })
  const source = (own: RuleSource): RuleSource => ({
    underWay: true, onLate: () => undefined, settle: () => undefined, close: () => own.close(),
    read: (settings) => [() => first, () => Promise.reject(new Error('EMFILE'))][readings++]?.() ?? own.read(settings),
  })
  const { services, settings, reload } = stage(t, { judges: true, source })
  const { scoring } = services
  const reloaded = reload(settings)
  await setImmediate()
  assert.equal(readings, 1)
  fail()
  await reloaded
  assert.notEqual(services.scoring, scoring)
  assert.deepEqual(words(await services.scoring.score(subject())), ['content temperror', 'bayes none'])
  assert.deepEqual(words(await services.scoring.score(subject())), ['content none', 'bayes none'])
  assert.equal(readings, 3)
})

test('a reading that fails at a reload leaves those in use, and the rest of the configuration is taken up', async (t) => {
  const said: (PackedRules | undefined)[] = []
  const source = (own: RuleSource): RuleSource => ({
    underWay: false, onLate: () => undefined, settle: () => undefined, close: () => own.close(),
    read: (settings, inUse) => {
      said.push(inUse)
      return inUse === undefined ? own.read(settings) : Promise.resolve(inUse)
    },
  })
  const { services, settings, logged, reload } = stage(t, { source })
  await services.scoring.score(subject())
  const { scoring } = services
  await reload({ ...settings, engines: [] })
  await reload(settings)
  assert.notEqual(services.scoring, scoring)
  assert.deepEqual(said.map((inUse) => inUse === undefined), [true, false, false])
  assert.equal(said[1], said[2])
  assert.deepEqual(words(await services.scoring.score(subject())), ['content none', 'bayes none'])
  // They were taken up once.
  assert.equal(logged.filter(({ text }) => text === 'rules read').length, 1)
})

test('rules that can be had only later are asked from the next message on, and a reload takes their place', async (t) => {
  const late: ((rules: PackedRules) => Promise<void>)[] = []
  const settled: boolean[] = []
  const source = (own: RuleSource): RuleSource => ({ underWay: false, read: (settings, inUse) => own.read(settings, inUse), onLate: (take) => void late.push(take), settle: (kept) => void settled.push(kept), close: () => own.close() })
  const { services, settings, logged, reload } = stage(t, { source })
  assert.deepEqual(words(await services.scoring.score(subject())), ['content none', 'bayes none'])
  await late[0]?.(packed(LATE))
  const scored = await services.scoring.score(subject())
  assert.deepEqual(words(scored), ['content fail', 'bayes none'])
  assert.deepEqual(logged.filter(({ text }) => text === 'rules read').map(({ facts }) => facts['rules']), [0, 1])
  assert.deepEqual(settled, [true])
  await services.prepare(settings)
  services.refuse()
  assert.deepEqual(words(await services.scoring.score(subject())), ['content fail', 'bayes none'])
  assert.deepEqual(settled, [true, false])
  await reload(settings)
  assert.deepEqual(settled, [true, false, true])
  assert.deepEqual(words(await services.scoring.score(subject())), ['content none', 'bayes none'])
})

test('rules that come late while a reload reads others do not replace those of the reload', async (t) => {
  let take = (rules: PackedRules): Promise<void> => Promise.reject(new Error(`nobody takes ${rules.pieces.length} pieces`))
  const source = (own: RuleSource): RuleSource => ({ underWay: false, read: () => Promise.resolve(packed()), onLate: (taker) => void (take = taker), settle: () => undefined, close: () => own.close() })
  const { services, settings } = stage(t, { source })
  await services.scoring.score(subject())
  const adopt = await services.prepare(settings)
  const taken = take(packed(LATE))
  // While those that come late are made ready.
  adopt()
  await taken
  assert.deepEqual(words(await services.scoring.score(subject())), ['content none', 'bayes none'])
})

test('rules that came late while a reload found that those in use stay are those in use', async (t) => {
  let take = (rules: PackedRules): Promise<void> => Promise.reject(new Error(`nobody takes ${rules.pieces.length} pieces`))
  const read = Promise.withResolvers<undefined>()
  const source = (own: RuleSource): RuleSource => ({
    underWay: false, onLate: (taker) => void (take = taker), settle: () => undefined, close: () => own.close(),
    read: async (_, inUse) => {
      if (inUse !== undefined) await read.promise
      return inUse ?? packed()
    },
  })
  const { services, settings, reload } = stage(t, { source })
  await services.scoring.score(subject())
  const reloaded = reload(settings)
  await take(packed(LATE))
  read.resolve(undefined)
  await reloaded
  assert.deepEqual(words(await services.scoring.score(subject())), ['content fail', 'bayes none'])
})

test('engines that a reload has replaced are closed when the last message that was there before has its answer', async (t) => {
  const answer = Promise.withResolvers<undefined>()
  const fake = await fakeEngine(t, async ({ until, say }) => {
    await until((received) => received.endsWith('\0\0\0\0'))
    await answer.promise
    await say('stream: Evil-1 FOUND\0')
  })
  const engines = [clamav({ address: fake.address })]
  const { services, settings, reload } = stage(t, { engines })
  // A file that takes its time: nothing of it has been asked for when the configuration changes.
  const reading = Promise.withResolvers<undefined>()
  const held = heldMessage([Buffer.from(LETTER)])
  const slow: StoredMessage = { size: held.size, memory: null, discard: () => undefined, async *chunks() {
    await reading.promise
    yield* held.chunks()
  } }
  const scored = services.scoring.score(subject(slow))
  await reload({ ...settings, engines: [clamav({ address: fake.address, name: 'other' })] })
  services.tick()
  reading.resolve(undefined)
  answer.resolve(undefined)
  assert.deepEqual(words(await scored), ['content none', 'bayes none', 'virus fail'])
  services.tick()
  const after = await services.scoring.score(subject())
  assert.deepEqual(after.traces.map(({ check, result }) => [check, result]).at(-1), ['other', 'virus'])
})

const WRITER = `
const { parentPort, workerData } = require('node:worker_threads')
const database = new (require('node:sqlite').DatabaseSync)(workerData)
database.exec('BEGIN IMMEDIATE')
parentPort.postMessage('writing')
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
database.exec('ROLLBACK')
database.close()
`

test('a database that another worker writes to does not keep what was gathered from being written at the end', async (t) => {
  const { services, state, logged, close } = stage(t)
  services.correspondents.record({ sender: 'u@hop.example', recipients: ['p@partner.example'] })
  // Longer than a flush in between waits for it, and shorter than the last one.
  const other = new Worker(WRITER, { eval: true, workerData: join(state, 'postern.db') })
  await once(other, 'message')
  await close()
  await once(other, 'exit')
  const after = new DatabaseSync(join(state, 'postern.db'))
  assert.equal(Number(after.prepare('SELECT count(*) AS n FROM correspondents').get()?.['n']), 1)
  after.close()
  assert.deepEqual(logged.filter(({ level }) => level === 'error'), [])
})

test('where one part of it cannot close, the others do', async (t) => {
  const source = (own: RuleSource): RuleSource => ({
    underWay: false, onLate: () => undefined, settle: () => undefined, read: (settings) => own.read(settings),
    close() {
      own.close()
      throw new Error('it is stuck')
    },
  })
  const { services, state, logged, close } = stage(t, { source })
  services.correspondents.record({ sender: 'u@hop.example', recipients: ['p@partner.example'] })
  await close()
  const other = new DatabaseSync(join(state, 'postern.db'))
  assert.equal(Number(other.prepare('SELECT count(*) AS n FROM correspondents').get()?.['n']), 1)
  other.close()
  assert.deepEqual(logged.filter(({ level }) => level === 'error').map(({ facts }) => facts['part']), ['rules'])
})

test('no list is asked for our own domains, also after they have changed', async (t) => {
  const zone = zoneMap({ 'test.bl.example': { A: ['127.0.0.2'] }, 'hop.example.bl.example': { A: ['127.0.0.2'] }, 'other.example.bl.example': { A: ['127.0.0.2'] } })
  const { services, settings, reload } = stage(t, { resolver: zone, zones: [{ zone: 'bl.example', kind: 'domain', weight: 3 }] })
  const listed = async (): Promise<string> => {
    await until('the list is believed', () => zone.queries.includes('invalid.bl.example A'))
    zone.forget()
    const letter = 'From: a@b.example\r\n\r\nhttp://www.hop.example/ and http://other.example/\r\n'
    const about = subject(heldMessage([Buffer.from(letter)]))
    const { traces } = await services.scoring.score({ ...about, ground: { ...about.ground, resolver: zone } })
    assert.equal(traces.find(({ check }) => check === 'uri_list')?.result, 'listed')
    return zone.queries.join(', ')
  }
  services.tick()
  assert.equal(await listed(), 'other.example.bl.example A')
  await reload({ ...settings, domains: ['other.example'] })
  assert.equal(await listed(), 'hop.example.bl.example A')
})
