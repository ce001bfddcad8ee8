/** `postern why`, on decisions that a judged session has left behind. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import { runWhy, type WhyIo } from '../../../src/cli/why.ts'
import type { WhyRequest } from '../../../src/cli/why-command.ts'
import type { Scoring } from '../../../src/inbound/scoring.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { DecisionStore, type StoredDecision } from '../../../src/state/decisions.ts'
import { GOOD, LETTER, LIST, listed } from '../../support/judged-zone.ts'
import { judged, type JudgedOptions } from '../../support/judged.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { TEST_MACHINE } from '../../support/settings.ts'

const NOW = Date.UTC(2026, 10, 21)
const ESCAPE = '\x1b[2J\x9b1m\u202e'

function desk(t: TestContext, decisions: readonly StoredDecision[] = []) {
  const cwd = temporaryDirectory('why')
  writeFileSync(join(cwd, 'postern.yaml'), `hostname: mx.test.example\nstate: ${cwd}/state\nlisteners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }]\nhops: { backend: { smtp: "192.0.2.1:25" } }\ndomains: [b.example]\n`)
  const database = openDatabase(join(cwd, 'state'))
  t.after(() => database.close())
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (facts: unknown) => assert.fail(JSON.stringify(facts)) }
  const store = new DecisionStore(database, quiet)
  for (const decision of decisions) store.add(decision)
  store.flush()
  return { cwd, call: (request: Partial<WhyRequest>, change: Partial<WhyIo> = {}) => call(cwd, request, change) }
}

function call(cwd: string, request: Partial<WhyRequest>, change: Partial<WhyIo> = {}): { code: number; out: string; err: string } {
  const written = { out: '', err: '' }
  const io: WhyIo = {
    cwd, environment: {}, machine: TEST_MACHINE, searchPath: ['postern.yaml'], terminal: false, now: () => NOW,
    out: (text) => void (written.out += text), err: (text) => void (written.err += text), ...change,
  }
  try {
    return { code: runWhy({ id: undefined, ...request }, io), ...written }
  } catch (error) {
    if (!(error instanceof ExitError)) throw error
    return { code: error.exitCode, out: written.out, err: error.message }
  }
}

/** What a session of this client leaves behind. */
async function decisionsOf(options: JudgedOptions, { letter = LETTER, from = 'anna@sender.example', id = 'ABCD234567' } = {}): Promise<StoredDecision[]> {
  const stage = await judged(options)
  await stage.greeting()
  if (stage.remembered.length === 0 && /^250/.test(await stage.envelope(from))) await stage.message(letter)
  return stage.remembered.map((one) => ({ ...one, id, record: { ...one.record, transaction: { ...(one.record['transaction'] as object), id } } }))
}

test('a message that was learned without being told: as what', async (t) => {
  const scoring: Scoring = { score: () => Promise.resolve({ outcomes: [], traces: [], telling: [], conclude: () => 'ham' }) }
  const decisions = await decisionsOf({ zone: GOOD, scoring })
  assert.equal((decisions[0]?.record['transaction'] as Record<string, unknown> | undefined)?.['learned'], 'ham')
  const { call: ask } = desk(t, decisions)
  assert.match(ask({ id: 'ABCD234567' }).out, /\nlearned {4}as ham, without being told \(auto_learn\)\n/)
  const untaught = desk(t, await decisionsOf({ zone: GOOD }))
  assert.doesNotMatch(untaught.call({ id: 'ABCD234567' }).out, /learned/)
})

const BANK = { ...GOOD, 'bank.example': { MX: [[10, 'mx.bank.example']] }, '_dmarc.bank.example': { TXT: ['v=DMARC1; p=reject'] } } as const
const FORGED = ['From: Bank <service@bank.example>', ...LETTER.slice(1)]

test('a refused message: what became of it, who it was, the checks with their DNS, what counted, what would have changed it', async (t) => {
  const { call: ask } = desk(t, await decisionsOf({ zone: BANK }, { letter: FORGED }))
  const { code, out, err } = ask({ id: 'ABCD234567' })
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^ABCD234567 {2}refused, by dmarc\n {2}550 5\.7\.\d+ [^\n]*\(ID1\)\n\nwhen {7}2026-11-21 00:00:00\.000Z, took [\d.]+ ms\nlistener {3}in\n/)
  assert.match(out, /\nclient {5}192\.0\.2\.7, HELO mail\.sender\.example\n/)
  assert.match(out, /\nfrom {7}anna@sender\.example\nto {9}b@hop\.example\nsize {7}\d+ B\n/)
  assert.match(out, /\nhop {8}backend\n/)
  assert.match(out, /\nChecks\n(?:.*\n)* {2}iprev {10}pass {9}mail\.sender\.example\n {6}PTR 7\.2\.0\.192\.in-addr\.arpa → mail\.sender\.example {2}0 ms\n {6}A mail\.sender\.example → 192\.0\.2\.7 {2}0 ms\n/)
  assert.match(out, /\n {2}dmarc {10}fail {9}bank\.example; v=DMARC1; p=reject.*\n {6}TXT _dmarc\.bank\.example → v=DMARC1; p=reject {2}0 ms\n/)
  assert.match(out, /\nWhat counted\n {2}dmarc {18}reject {9}fail {2}\(policy: honour\)\n {2}score {15}0 {2}\(tag from 5, reject from 15\)\n/)
  assert.match(out, /\nWhat would have changed it\n {2}If DMARC had passed, it would have been accepted\.\n/)
  assert.doesNotMatch(out, /Excused|shadow/)
})

test('mail of a client that is exempt: nothing was checked, and why', async (t) => {
  const [one] = await decisionsOf({ zone: GOOD })
  assert.ok(one !== undefined)
  const { call: ask } = desk(t, [{ ...one, record: { ...one.record, verdict: undefined, checks: [] } }])
  assert.match(ask({ id: 'ABCD234567' }).out, /^ABCD234567 {2}accepted, nothing was checked {2}\(clients in policy\.exempt are not checked/)
  assert.doesNotMatch(desk(t, [one]).call({ id: 'ABCD234567' }).out, /policy\.exempt/)
  // There is no verdict where the client went away before it, either.
  const abandoned = { ...(one.record['transaction'] as object), verdict: 'abandoned' }
  assert.doesNotMatch(desk(t, [{ ...one, record: { ...one.record, transaction: abandoned, verdict: undefined, checks: [] } }]).call({ id: 'ABCD234567' }).out, /policy\.exempt/)
})

test('it is found in any case, pasted with its brackets, and by its beginning where that is enough', async (t) => {
  const [one] = await decisionsOf({ zone: {} })
  assert.ok(one !== undefined)
  const { call: ask } = desk(t, [one, { ...one, id: 'ABCE234567' }])
  for (const id of ['abcd234567', '(ABCD234567)', ' abcd ', 'ABCD']) assert.match(ask({ id }).out, /^ABCD234567 /, id)
  assert.deepEqual(ask({ id: 'abc' }), { code: 66, out: '', err: 'there is no decision abc; the beginning of an ID has at least 4 characters' })
  assert.deepEqual(ask({ id: 'ABCX' }), { code: 66, out: '', err: 'there is no decision ABCX; decisions.max_age and decisions.max_count say how long they are kept' })
  const { call: several } = desk(t, [one, { ...one, id: 'ABCDX' }])
  assert.deepEqual(several({ id: 'abcd' }), { code: 64, out: '', err: 'abcd is the beginning of several: ABCD234567, ABCDX' })
  assert.match(several({ id: 'ABCDX' }).out, /^ABCD234567 /)
})

test('wrong usage', (t) => {
  const { call: ask } = desk(t)
  assert.equal(ask({}).code, 64)
  assert.match(ask({}).err, /which decision\?/)
  const strange = ask({ id: `A'B${ESCAPE}` })
  assert.equal(strange.code, 64)
  assert.match(strange.err, /allowed: letters and digits$/)
  assert.doesNotMatch(strange.err, /[\x00-\x1f\x7f-\x9f\u202e]/)
  assert.equal(ask({ id: 'ABCD', diff: true }).code, 64)
  assert.match(ask({ diff: true, since: '1x' }).err, /^--since: found "1x"; allowed: a duration/)
  assert.match(ask({ diff: true, limit: '0' }).err, /^--limit: .*allowed: an integer from 1/)
})

test('without a database there is nothing to read, and none is made; without a configuration the same', () => {
  const cwd = temporaryDirectory('why')
  writeFileSync(join(cwd, 'postern.yaml'), 'listeners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }]\nhops: { backend: { smtp: "192.0.2.1:25" } }\ndomains: [b.example]\nhostname: mx.test.example\nstate: ./state\n')
  for (const request of [{ id: 'ABCD' }, { diff: true }]) {
    const { code, err } = call(cwd, request)
    assert.equal(code, 66)
    assert.match(err, /there are no decisions in .*state: .*postern\.db does not exist/)
  }
  const { code, err } = call(cwd, { id: 'ABCD', config: 'other.yaml' })
  assert.equal(code, 66)
  assert.match(err, /other\.yaml: there is no such file\n$/)
})

test('--json: as it is stored, with nothing a terminal would obey; people get it escaped, in colour where they can see it', async (t) => {
  const [one] = await decisionsOf({ zone: {} })
  assert.ok(one !== undefined)
  const transaction = { ...(one.record['transaction'] as object), helo: `x${ESCAPE}`, reply: `550 ${ESCAPE}\r\nforged line` }
  const { call: ask } = desk(t, [{ ...one, record: { ...one.record, transaction } }])
  const { code, out } = ask({ id: 'ABCD', json: true })
  assert.equal(code, 0)
  assert.doesNotMatch(out.slice(0, -1), /[\x00-\x1f\x7f-\x9f\u202e]/)
  const parsed = JSON.parse(out) as Record<string, unknown>
  assert.deepEqual(parsed, JSON.parse(JSON.stringify({ id: 'ABCD234567', at: '2026-11-21T00:00:00.000Z', action: 'disconnect', ...one.record, transaction })))
  const text = ask({ id: 'ABCD' }).out
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\x00-\x1f\x7f-\x9f\u202e]/)
  assert.match(text, /HELO x\\x1b\[2J\\x9b1m\\u202e\n/)
  assert.match(text, /\n {2}550 .*\\r\\nforged line\n/)
  const coloured = ask({ id: 'ABCD' }, { terminal: true }).out
  assert.match(coloured, /^\x1b\[1mABCD234567\x1b\[0m {2}\x1b\[31mrefused at the greeting\x1b\[0m, by rdns/)
  assert.equal(coloured.replace(/\x1b\[\d+m/g, ''), text)
  assert.equal(ask({ id: 'ABCD' }, { terminal: true, environment: { NO_COLOR: '1' } }).out, text)
})

test('what was excused, with the reason; warnings and their points', async (t) => {
  const zone = { ...GOOD, ...LIST, [listed('bl.example')]: { A: ['127.0.0.2'] } }
  const policy = 'preset: standard, early_talker: note, spam: { tag: 2 }, dnsbl: { lists: [{ zone: bl.example, weight: 2.5 }] }, helo: reject, exceptions: [{ checks: [helo], when: { spf: pass }, reason: their relay has no name }]'
  const stage = await judged({ zone, policy })
  await stage.greeting()
  await stage.envelope('anna@sender.example', { helo: 'localhost' })
  await stage.message(LETTER)
  const [decision] = stage.remembered
  assert.ok(decision !== undefined)
  const { call: ask } = desk(t, [decision])
  const { out } = ask({ id: 'ID1' })
  assert.match(out, /^ID1 {2}accepted, tagged as spam\n {2}250 /)
  assert.match(out, /\n {2}dnsbl {12}\+2\.5 {2}warning {8}listed at bl\.example {2}\(policy: warn\)\n/)
  assert.match(out, /\nExcused\n {2}helo \S+ \(policy: reject\): their relay has no name\n/)
  assert.match(out, /score {13}2\.5 {2}\(tag from 2, reject from 15\)/)
})

test('one that was too long, and one of another form, say so', (t) => {
  const { call: ask } = desk(t, [{ id: 'LONG', at: NOW, action: 'accept', record: { tooLong: 300_000 } }, { id: 'OTHER', at: NOW, action: 'accept', record: { verdict: 'x' } }])
  assert.deepEqual(ask({ id: 'LONG' }), { code: 65, out: '', err: 'decision LONG of 2026-11-21T00:00:00.000Z was too long to be stored' })
  assert.equal(ask({ id: 'OTHER' }).code, 65)
  assert.deepEqual(JSON.parse(ask({ id: 'OTHER', json: true }).out), { id: 'OTHER', at: '2026-11-21T00:00:00.000Z', action: 'accept', verdict: 'x' })
})

test('--diff: where the shadow policy disagrees, newest first, bounded, and how often', async (t) => {
  const path = join(temporaryDirectory('shadow'), 'shadow.yaml')
  writeFileSync(path, 'policy: { preset: strict }\n')
  const policy = `preset: observe, shadow: ${path}`
  const zone = { ...GOOD, 'sender.example': { TXT: ['v=spf1 -all'], MX: [[10, 'mail.sender.example']] } } as const
  const [spf] = await decisionsOf({ zone, policy })
  const [dmarc] = await decisionsOf({ zone: BANK, policy }, { letter: FORGED })
  const [agreed] = await decisionsOf({ zone: GOOD, policy })
  assert.ok(spf !== undefined && dmarc !== undefined && agreed !== undefined)
  const old = 3 * 86_400_000
  const all = [
    { ...spf, id: 'AAAA1', at: NOW - 5000 }, { ...agreed, id: 'AAAA2', at: NOW - 4000 }, { ...dmarc, id: 'AAAA3', at: NOW - 3000 },
    { ...spf, id: 'AAAA4', at: NOW - 2000 }, { ...spf, id: 'AAAA5', at: NOW - old },
  ]
  const { call: ask } = desk(t, all)
  const { code, out } = ask({ diff: true })
  assert.equal(code, 0)
  assert.equal(out, [
    'AAAA4       2026-11-20T23:59:58Z  accept → reject, by spf               192.0.2.7  anna@sender.example → b@hop.example',
    'AAAA3       2026-11-20T23:59:57Z  accept → reject, by dmarc             192.0.2.7  anna@sender.example → b@hop.example',
    'AAAA1       2026-11-20T23:59:55Z  accept → reject, by spf               192.0.2.7  anna@sender.example → b@hop.example',
    '', 'In 3 of 4 decisions the shadow policy disagrees', '        2  accept → reject, by spf', '        1  accept → reject, by dmarc', '',
  ].join('\n'))
  assert.match(ask({ diff: true, limit: '1' }).out, /^AAAA4 .*\n… and 2 more: --limit shows them\n\nIn 3 of 4 /)
  assert.match(ask({ diff: true, since: '5d' }).out, /In 4 of 5 decisions/)
  assert.match(ask({ diff: true, since: '1s' }).out, /^In 0 of 0 decisions the shadow policy disagrees\n {2}nothing would have changed\n$/)
  const lines = ask({ diff: true, json: true, limit: '2' }).out.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(lines.map(({ id }) => id), ['AAAA4', 'AAAA3', undefined])
  assert.deepEqual(lines[2], { summary: {
    since: '2026-11-20T00:00:00.000Z', decisions: 4, disagree: 3, cut: false,
    counts: [{ live: 'accept', shadow: 'reject', by: 'spf', count: 2 }, { live: 'accept', shadow: 'reject', by: 'dmarc', count: 1 }],
  } })
  const shown = ask({ id: 'AAAA4' }).out
  assert.match(shown, /\nThe shadow policy\n {2}would have said: reject by spf, score 0\n {2}spf {20}reject {9}fail /)
})
