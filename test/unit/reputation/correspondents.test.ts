/** Who is a known correspondent, and by what nobody becomes one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CORRESPONDENT_DEFAULTS, createCorrespondents, whyNoCorrespondence, type CorrespondentRecord, type CorrespondentSettings, type Correspondents, type CorrespondentStore } from '../../../src/reputation/correspondents.ts'

const NOW = 1_800_000_000_000
const DAY = 86_400_000

interface Bed {
  readonly known: (identity: string | undefined, ...recipients: string[]) => string
  readonly wrote: (sender: string, ...recipients: string[]) => string
  readonly all: Correspondents
  readonly pairs: ReadonlyMap<string, CorrespondentRecord>
  readonly clock: { now: number }
}

function bed(change: Partial<CorrespondentSettings> = {}): Bed {
  const pairs = new Map<string, CorrespondentRecord>()
  const clock = { now: NOW }
  const store: CorrespondentStore = { get: (pair) => pairs.get(pair), add: (pair, at) => void pairs.set(pair, { messages: (pairs.get(pair)?.messages ?? 0) + 1, lastAt: at }) }
  const all = createCorrespondents({ ...CORRESPONDENT_DEFAULTS, ...change }, { store, now: () => clock.now })
  return { all, pairs, clock, known: (identity, ...recipients) => all.known({ identity, recipients }).status, wrote: (sender, ...recipients) => all.record({ sender, recipients }).status }
}

test('whom a user wrote to is known to that user, in whatever spelling, until he is forgotten', () => {
  const { known, wrote, clock, pairs } = bed()
  assert.equal(wrote('Alice@Ours.example', 'Bob@B\u00dcCHER.example', 'bob@xn--bcher-kva.example', 'not an address'), 'recorded')
  assert.deepEqual([...pairs.keys()], ['alice@ours.example bob@xn--bcher-kva.example'])
  assert.equal(known('bob@b\u00fccher.example', 'alice+shop@ours.example'), 'known')
  assert.equal(known('bob@xn--bcher-kva.example', 'ALICE@ours.example'), 'known')
  for (const [identity, recipient] of [['rob@xn--bcher-kva.example', 'alice@ours.example'], ['bob@xn--bcher-kva.example', 'carol@ours.example'], ['alice@ours.example', 'bob@xn--bcher-kva.example']] as const) assert.equal(known(identity, recipient), 'unknown')
  clock.now += 180 * DAY - 1
  assert.equal(known('bob@xn--bcher-kva.example', 'alice@ours.example'), 'known')
  clock.now += 1
  assert.equal(known('bob@xn--bcher-kva.example', 'alice@ours.example'), 'unknown')
  wrote('alice@ours.example', 'bob@xn--bcher-kva.example')
  assert.equal(known('bob@xn--bcher-kva.example', 'alice@ours.example'), 'known')
})

test('without an authenticated author nobody is known, whatever From says', () => {
  const { known, wrote } = bed()
  wrote('alice@ours.example', 'bob@theirs.example')
  assert.equal(known(undefined, 'alice@ours.example'), 'unknown')
  assert.equal(known('', 'alice@ours.example'), 'unknown')
})

test('one answer of one user is no credit with the others', () => {
  const { known, wrote } = bed()
  wrote('alice@ours.example', 'spammer@theirs.example')
  assert.equal(known('spammer@theirs.example', 'alice@ours.example', 'carol@ours.example'), 'unknown')
  wrote('carol@ours.example', 'spammer@theirs.example')
  assert.equal(known('spammer@theirs.example', 'alice@ours.example', 'carol@ours.example'), 'known')
  assert.equal(known('spammer@theirs.example'), 'unknown')
  assert.equal(known('spammer@theirs.example', ...Array.from({ length: 51 }, () => 'alice@ours.example')), 'unknown')
})

test('by domain, from so many messages on', () => {
  const { known, wrote } = bed({ scope: 'domain', minMessages: 2 })
  wrote('alice@ours.example', 'bob@theirs.example')
  assert.equal(known('bob@theirs.example', 'carol@ours.example'), 'unknown')
  wrote('dave@ours.example', 'bob@theirs.example')
  assert.equal(known('bob@theirs.example', 'carol@ours.example', 'alice@ours.example'), 'known')
  assert.equal(known('bob@theirs.example', 'carol@ours.example', 'x@other.example'), 'unknown')
})

test('machines, lists, reports, circulars and farewells make no correspondents', () => {
  const sent = { sender: 'alice@ours.example', recipients: ['bob@theirs.example'] }
  const why = (fields: Readonly<Record<string, string>>): string | undefined => whyNoCorrespondence({ ...sent, field: (name) => fields[name] })
  for (const fields of [
    { 'auto-submitted': 'auto-replied' }, { 'auto-submitted': ' Auto-Generated; owner-email="a@b.example"' }, { precedence: 'Bulk' }, { precedence: 'list' }, { 'list-id': '<x.ours.example>' },
    { 'list-unsubscribe': '<mailto:u@ours.example>' }, { 'x-autoreply': 'yes' }, { 'content-type': 'multipart/report; report-type=delivery-status' },
    { subject: 'unsubscribe' }, { subject: 'Re: UNSUBSCRIBE me.' }, { subject: 'Please remove me from list'.replace(' from', '') }, { subject: 'Abmelden' }, { subject: 'D\u00e9sabonner' }, { subject: ' opt-out ' }, { subject: 'STOP!' },
  ]) assert.ok(why(fields) !== undefined, JSON.stringify(fields))
  for (const fields of [{}, { 'auto-submitted': 'no' }, { 'auto-submitted': 'No (really)' }, { precedence: 'normal' }, { subject: 'How do I unsubscribe?' }, { subject: 'Stop the presses' }, { subject: 'Remove the old server' }, { subject: '' }, { 'content-type': 'multipart/mixed' }]) assert.equal(why(fields), undefined, JSON.stringify(fields))
  const { all, pairs } = bed()
  assert.equal(all.record({ ...sent, sender: '' }).status, 'none')
  assert.equal(all.record({ ...sent, field: (name) => (name === 'auto-submitted' ? 'auto-replied' : undefined) }).status, 'none')
  assert.equal(all.record({ ...sent, recipients: Array.from({ length: 51 }, (_, i) => `u${i}@theirs.example`) }).status, 'none')
  for (const address of ['unsubscribe@l.example', 'news-unsubscribe@l.example', 'unsub+7af3@l.example', 'list-leave@l.example', 'optout@l.example', 'abuse@l.example']) assert.equal(all.record({ ...sent, recipients: [address] }).status, 'none', address)
  assert.equal(pairs.size, 0)
  assert.equal(all.record({ ...sent, recipients: ['cleaver@l.example', 'unsubscribe@l.example'] }).status, 'recorded')
  assert.equal(pairs.size, 1)
})

test('a store that fails costs the credit and nothing else', () => {
  const fail = (): never => {
    throw new Error('disk I/O error')
  }
  const all = createCorrespondents(CORRESPONDENT_DEFAULTS, { store: { get: fail, add: fail }, now: () => NOW })
  assert.deepEqual(all.known({ identity: 'bob@theirs.example', recipients: ['alice@ours.example'] }), { status: 'temperror', cause: 'correspondents cannot be read: disk I/O error' })
  assert.deepEqual(all.record({ sender: 'alice@ours.example', recipients: ['bob@theirs.example'] }), { status: 'temperror', cause: 'correspondents cannot be remembered: disk I/O error' })
})
