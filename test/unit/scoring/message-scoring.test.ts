/** The score of one message where something is slow, full, unreadable or broken: every other check has its say, and nothing rejects. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScoringSubject } from '../../../src/inbound/scoring.ts'
import type { StoredMessage } from '../../../src/message/message.ts'
import { Room } from '../../../src/scoring/room.ts'
import type { ScoringParts } from '../../../src/scoring/message-scoring.ts'
import type { EngineReport, Engines } from '../../../src/spam/engines/create-engines.ts'
import type { Correspondents } from '../../../src/reputation/correspondents.ts'
import type { UriLists } from '../../../src/reputation/uri-lists.ts'
import type { SessionFacts } from '../../../src/smtp/session-handler.ts'
import { scoringStage } from '../../support/scoring-stage.ts'
import { heldMessage } from '../../support/stored-message.ts'
import { zoneMap } from '../../support/zone-map.ts'
import { ManualClock } from '../dns/manual-clock.ts'
import { taught } from '../spam/bayes/bayes-fixture.ts'

const LETTER = 'From: a@b.example\r\nSubject: x\r\n\r\na special offer\r\n'
const SESSION: SessionFacts = { address: '192.0.2.1', port: 1, spokeEarly: false, name: undefined, login: undefined, helo: 'client.example', protocol: 'ESMTP', tls: undefined, forwarded: new Map() }
const VERDICT = { action: 'accept', by: undefined, reply: undefined, warnings: [], score: 0, tagged: false, effects: [] } as const
const THRESHOLDS = { tag: 5, quarantine: undefined, reject: 15 }
const VIRUS: EngineReport = { engine: 'clamav', kind: 'clamav', outcome: { status: 'virus', name: 'Eicar' }, contribution: undefined, down: 'flow', tooBig: 'flow', least: -5, tookMs: 1 }

function subject(body: StoredMessage = heldMessage([Buffer.from(LETTER)])): ScoringSubject {
  return { id: 'x', body, received: Buffer.alloc(0), session: SESSION, known: { address: '192.0.2.1', recipients: ['b@hop.example'], sender: 'a@b.example' }, ground: { resolver: zoneMap({}), now: () => 0 }, credit: 3, wants: () => true }
}

const broken = (): StoredMessage => ({ ...heldMessage([Buffer.from(LETTER)]), memory: null, chunks: () => { throw new Error('EIO: i/o error, read') } })

const words = ({ outcomes }: { readonly outcomes: readonly { readonly check: string; readonly status: string }[] }): readonly string[] => outcomes.map(({ check, status }) => `${check} ${status}`)

/** A scanner that answers when it is told to. */
function slowEngines(): { readonly engines: Engines; readonly answers: (() => void)[] } {
  const answers: (() => void)[] = []
  const scan = (): Promise<readonly EngineReport[]> => new Promise((resolve) => answers.push(() => resolve([VIRUS])))
  const engines = [{ name: 'clamav', scan: () => Promise.reject(new Error('asked alone')), ping: () => Promise.resolve(undefined), health: () => { throw new Error('not asked') }, close: () => undefined }]
  return { engines: { engines, scan, health: () => [], close: () => undefined }, answers }
}

function room(bytes: number, waiting = 10) {
  const clock = new ManualClock()
  return { room: new Room({ bytes, waiting, patienceMs: 1000 }, clock), clock }
}

test('it is read when its company goes on, and those that go on together are read before the rules are asked', async () => {
  const steps: string[] = []
  let goOn = (): void => undefined
  const gate = new Promise<void>((resolve) => { goOn = resolve })
  const told = (body: StoredMessage): StoredMessage => ({ ...body, get memory() { return steps.push('read'), body.memory } })
  const rules = (): Promise<never> => (steps.push('rules'), Promise.reject(new Error('none')))
  const { scoring } = scoringStage({ rules, company: { join: () => gate } })
  const both = [1, 2].map(() => scoring.score(subject(told(heldMessage([Buffer.from(LETTER)])))))
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  assert.equal(steps.length, 0)
  goOn()
  await Promise.all(both)
  assert.deepEqual(steps.filter((step, i) => step !== steps[i - 1]), ['read', 'rules'])
})

test('who has waited for lists waits for company once more', async () => {
  const steps: string[] = []
  const company = { join: () => (steps.push('company'), Promise.resolve()) }
  const lists = { check: () => (steps.push('lists'), Promise.resolve([])), tick: () => Promise.resolve(), prove: () => Promise.resolve([]), health: () => [{ zone: 'a.example', kind: 'domain', state: 'unproved' }], shown: (text) => text } satisfies UriLists
  const rules = (): Promise<never> => (steps.push('rules'), Promise.reject(new Error('none')))
  await scoringStage({ rules, company, lists }).scoring.score(subject())
  assert.deepEqual(steps, ['company', 'lists', 'company', 'rules'])
})

test('what lists were asked is remembered with the names that stand for them', async () => {
  const lists = {
    async check(_subject, resolver) {
      await resolver?.lookup('a.key.example', 'A')
      return []
    },
    tick: () => Promise.resolve(), prove: () => Promise.resolve([]), health: () => [{ zone: 'list', kind: 'domain', state: 'unproved' }], shown: (text) => text.replace('key.example', 'list'),
  } satisfies UriLists
  const { traces } = await scoringStage({ lists }).scoring.score(subject())
  assert.deepEqual(traces.find(({ check }) => check === 'uri_list')?.dns.map(({ question }) => question), ['A a.list'])
})

test('who has waited for rules that were still being read waits for company once more', async () => {
  const joined = async (rulesAreThere: boolean): Promise<number> => {
    let times = 0
    const company = { join: () => (times++, Promise.resolve()) }
    await scoringStage({ rulesAreThere: () => rulesAreThere, company }).scoring.score(subject())
    return times
  }
  assert.deepEqual([await joined(true), await joined(false)], [1, 2])
})

test('while an engine is waited for, nothing is held: other messages are read meanwhile', async () => {
  const { engines, answers } = slowEngines()
  const parts = room(4 * LETTER.length)
  const { scoring } = scoringStage({ engines, room: parts.room })
  const slow = Array.from({ length: 5 }, () => scoring.score(subject()))
  const quick = await scoringStage({ room: parts.room }).scoring.score(subject())
  assert.deepEqual(words(quick), ['content fail', 'bayes none'])
  for (const answer of answers) answer()
  for (const one of slow) assert.deepEqual(words(await one), ['content fail', 'bayes none', 'virus fail'])
})

test('where there is no room for long, its content is not read, and the scanner has its say', async () => {
  const { room: full, clock } = room(10)
  const entered = await full.enter(10)
  const scored = scoringStage({ room: full, reports: [VIRUS] }).scoring.score(subject())
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  clock.advance(1000)
  const { outcomes, traces } = await scored
  assert.deepEqual(words({ outcomes }), ['content temperror', 'virus fail'])
  assert.deepEqual([outcomes[0]?.flows, traces[0]?.check, traces[0]?.detail], [true, 'content', 'no room to read it came free in 1000 ms'])
  assert.ok(entered.status === 'in')
})

test('a message that cannot be read for scoring is searched for viruses all the same', async () => {
  const stage = scoringStage({ reports: [VIRUS] })
  const { outcomes, traces } = await stage.scoring.score(subject(broken()))
  assert.equal(stage.scanned.length, 1)
  assert.deepEqual(words({ outcomes }), ['content temperror', 'virus fail'])
  assert.deepEqual(traces.map(({ check, result }) => [check, result]), [['content', 'temperror'], ['clamav', 'virus']])
})

test('what would have spoken for a message that was not read is no reason to refuse it for good', async () => {
  const correspondents = { record: () => ({ status: 'none', why: '' }) as const, known: () => ({ status: 'known' }) as const }
  const { outcomes } = await scoringStage({ correspondents }).scoring.score(subject(broken()))
  assert.deepEqual(outcomes.map(({ check, status, weight }) => [check, status, weight]), [['content', 'temperror', 0], ['correspondent', 'temperror', -3]])
})

test('a check that throws is a temperror of its own, and the others count', async () => {
  const thrower = (): never => { throw new Error('it is broken') }
  const correspondents = { record: () => ({ status: 'none', why: '' }) as const, known: thrower }
  const lists = { check: () => Promise.reject(new Error('it is broken')), tick: () => Promise.resolve(), prove: () => Promise.resolve([]), health: () => [{ zone: 'a.example', kind: 'domain', state: 'unproved' }], shown: (text) => text } satisfies UriLists
  const cases: readonly (readonly [Partial<ScoringParts>, string])[] = [
    [{ trained: thrower }, 'content fail, bayes temperror'],
    [{ rules: () => Promise.reject(new Error('it is broken')) }, 'content temperror, bayes none'],
    [{ history: { of: thrower, count: () => undefined } }, 'content fail, bayes none'],
    [{ correspondents }, 'content fail, bayes none, correspondent temperror'],
    [{ lists }, 'content fail, bayes none, uri_list temperror'],
  ]
  for (const [parts, expected] of cases) {
    const scored = await scoringStage(parts).scoring.score(subject())
    assert.equal(words(scored).join(', '), expected)
    const failed = scored.outcomes.find(({ status }) => status === 'temperror')
    if (failed !== undefined && failed.check !== 'correspondent') assert.equal(scored.traces.find(({ check }) => check === failed.check)?.detail, 'it is broken')
  }
})

test('a verdict says what the message was learned as', async () => {
  for (const as of ['spam', undefined] as const) assert.equal((await scoringStage({ learn: () => as }).scoring.score(subject())).conclude(VERDICT, THRESHOLDS), as)
})

test('what a verdict teaches may fail: the message has been judged, and the log tells', async () => {
  const told: string[] = []
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (_: unknown, text: string) => void told.push(text) }
  const history = { of: () => ({ status: 'none' }) as const, count: () => { throw new Error('disk') } }
  const scored = await scoringStage({ history, log }).scoring.score(subject())
  scored.conclude(VERDICT, THRESHOLDS)
  assert.deepEqual(told, ['what a verdict teaches was not kept'])
})

test('mail of a list is no letter to the one who reads it: a correspondent gives it no credit', async () => {
  const asked: (string | undefined)[] = []
  const correspondents: Correspondents = { record: () => ({ status: 'none', why: '' }), known: ({ identity }) => (asked.push(identity), { status: identity === undefined ? 'unknown' : 'known' }) }
  const from = (head: string): ScoringSubject => {
    const about = subject(heldMessage([Buffer.from(head + LETTER)]))
    return { ...about, known: { ...about.known, spf: { status: 'pass', domain: 'b.example', scope: 'mailfrom' } } }
  }
  const { scoring } = scoringStage({ correspondents })
  const found = async (head: string) => (await scoring.score(from(head))).outcomes.find(({ check }) => check === 'correspondent')?.result
  assert.deepEqual([await found(''), await found('List-Id: <talk.lists.example>\r\n')], ['known', 'unknown'])
  assert.deepEqual(asked, ['a@b.example', undefined])
})

test('a large message takes no more room than it can use: others are read beside it', async () => {
  const megabyte = 1024 * 1024
  const { room: place } = room(10 * megabyte)
  const { scoring } = scoringStage({ room: place })
  const large = (): StoredMessage => ({ ...heldMessage([Buffer.from(LETTER)]), size: 100 * megabyte, memory: null, chunks: () => held() })
  let release: () => void = () => undefined
  const open = new Promise<void>((resolve) => (release = resolve))
  async function* held(): AsyncGenerator<Buffer> {
    yield Buffer.from(LETTER)
    await open
  }
  const slow = scoring.score(subject(large()))
  const quick = await scoring.score(subject())
  assert.deepEqual(words(quick), ['content fail', 'bayes none'])
  release()
  assert.deepEqual(words(await slow), ['content fail', 'bayes none'])
})

test('a message has no Received of ours yet: the first that it has tells where it comes from', async () => {
  const relayed = `Received: from sender.example by relay.example with SMTP; Sat, 21 Nov 2026 10:00:00 +0000\r\n${LETTER}`
  const model = taught({ ham: [relayed], spam: [LETTER] }, 200)
  const telling = async (letter: string) => (await scoringStage({ trained: () => model, named: true }).scoring.score(subject(heldMessage([Buffer.from(letter)])))).telling
  const hops = async (letter: string) => (await telling(letter)).filter(({ name }) => name.startsWith('received:hops')).map(({ name, probability }) => [name, probability > 0.5])
  assert.deepEqual([await hops(relayed), await hops(LETTER)], [[['received:hops 1', false]], [['received:hops 0', true]]])
})
