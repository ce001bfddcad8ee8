/** The quarantine on the real disk: what is kept, found, held, struck off, removed by age, refused by size, and mended. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DATABASE_FILE } from '../../../src/state/database.ts'
import { decodeEntry, encodeEntry, readablePath, type QuarantineEntry } from '../../../src/state/quarantine-entry.ts'
import { HOLD_MS } from '../../../src/state/quarantine-index.ts'
import type { Hold, Quarantine } from '../../../src/state/quarantine.ts'
import { envelopePath, facts, HOUR, NOW, outgoing, quarantineOn, textOf, WHOLE } from './quarantine-fixture.ts'

const kept = async (quarantine: Quarantine, ...ids: readonly string[]): Promise<void> => {
  for (const [index, id] of ids.entries()) assert.deepEqual(await quarantine.keep(facts(id, { at: NOW + index }), outgoing()), { status: 'kept' })
}
const ids = (entries: readonly QuarantineEntry[]): readonly string[] => entries.map(({ id }) => id)
const files = (state: string): readonly string[] => readdirSync(join(state, 'quarantine')).sort()
const addresses = (entry: QuarantineEntry): readonly string[] => entry.recipients.map(readablePath)

async function held(quarantine: Quarantine, id: string): Promise<Hold> {
  const outcome = await quarantine.hold(id)
  assert.ok(outcome.status === 'held', outcome.status)
  return outcome.hold
}

test('a message comes back byte for byte, with all that is needed to send it on', async (t) => {
  const { quarantine, state } = quarantineOn(t)
  const origin = { address: '2001:db8::1', port: undefined, name: 'o.example', helo: undefined, protocol: 'SMTP' as const, login: 'ann', source: 'LOCAL' as const, ident: 'X1' }
  const told = facts('AB23', { client: { ...facts('AB23').client, origin }, score: undefined })
  assert.deepEqual(await quarantine.keep(told, outgoing(undefined, { chunked: true, binary: true, pieces: 3 })), { status: 'kept' })
  const found = await quarantine.find('AB23')
  assert.deepEqual(found, { status: 'found', entry: { ...told, delivered: [], size: WHOLE.length, chunked: true, binary: true } })
  assert.ok(found.status === 'found')
  const message = await quarantine.read(found.entry)
  assert.equal(message.size, WHOLE.length)
  assert.equal(await textOf(message), WHOLE)
  assert.equal(await textOf(message), WHOLE)
  message.discard()
  message.discard()
  assert.equal(readFileSync(join(state, 'quarantine/AB23.eml'), 'latin1'), WHOLE)
})

test('a large message is never held whole, and its size is right', async (t) => {
  const { quarantine } = quarantineOn(t, { bounds: { maxBytes: 100_000_000 } })
  const size = 20_000_000
  const piece = Buffer.alloc(50_000, 'x')
  const body = { size, memory: null, discard: () => undefined, async *chunks() { for (let i = 0; i < size / piece.length; i++) yield await Promise.resolve(piece) } }
  await quarantine.keep(facts('BIG'), { prefix: Buffer.from('A: b\r\n'), body, chunked: false, binary: false })
  const found = await quarantine.find('BIG')
  assert.ok(found.status === 'found')
  const message = await quarantine.read(found.entry)
  let read = 0
  let longest = 0
  for await (const one of message.chunks()) {
    read += one.length
    longest = Math.max(longest, one.length)
  }
  message.discard()
  assert.deepEqual({ read, longest: longest <= 64 * 1024 }, { read: size + 6, longest: true })
})

test('nobody else can read what is kept', async (t) => {
  const { quarantine, state } = quarantineOn(t)
  await kept(quarantine, 'AB23')
  assert.equal(statSync(join(state, 'quarantine')).mode & 0o777, 0o700)
  for (const name of files(state)) assert.equal(statSync(join(state, 'quarantine', name)).mode & 0o777, 0o600)
})

test('an ID that could be a path is no ID; one that is taken is not overwritten', async (t) => {
  const { quarantine, state } = quarantineOn(t)
  for (const id of ['', '../x', 'a/b', 'AB.CD', 'A'.repeat(33)]) await assert.rejects(quarantine.keep(facts(id), outgoing()), /not an ID/)
  for (const id of ['../x', 'A'.repeat(33), '']) {
    assert.deepEqual(await quarantine.find(id), { status: 'none' })
    assert.deepEqual(await quarantine.hold(id), { status: 'none' })
    assert.deepEqual(await quarantine.remove(id), { status: 'none' })
  }
  await kept(quarantine, 'AB23')
  await assert.rejects(quarantine.keep(facts('AB23'), outgoing('other\r\n')), /AB23 is in the quarantine already/)
  assert.equal(readFileSync(join(state, 'quarantine/AB23.eml'), 'latin1'), WHOLE)
})

test('found by ID or its beginning, in any case', async (t) => {
  const { quarantine } = quarantineOn(t)
  await kept(quarantine, 'AB23', 'AB24', 'AB2', 'CD99')
  const find = async (text: string): Promise<unknown> => {
    const found = await quarantine.find(text)
    return found.status === 'found' ? found.entry.id : found.status === 'ambiguous' ? found.ids : 'none'
  }
  assert.equal(await find('ab23'), 'AB23')
  assert.equal(await find('c'), 'CD99')
  assert.equal(await find('AB2'), 'AB2')
  assert.deepEqual(await find('AB'), ['AB2', 'AB23', 'AB24'])
  assert.equal(await find('AB25'), 'none')
  assert.equal(await find('%'), 'none')
})

test('listed newest first, by sender, recipient and time', async (t) => {
  const { quarantine } = quarantineOn(t)
  await kept(quarantine, 'AAAA', 'BBBB')
  await quarantine.keep(facts('CCCC', { at: NOW + 10, sender: { path: { wire: '<>', mailbox: null }, parameters: [] }, recipients: [envelopePath('ZOE@c.example')] }), outgoing())
  assert.deepEqual(ids(quarantine.list({}, 10)), ['CCCC', 'BBBB', 'AAAA'])
  assert.deepEqual(ids(quarantine.list({}, 2)), ['CCCC', 'BBBB'])
  assert.deepEqual(ids(quarantine.list({ sender: 'Ann@A.example' }, 10)), ['BBBB', 'AAAA'])
  assert.deepEqual(ids(quarantine.list({ sender: '<>' }, 10)), ['CCCC'])
  assert.deepEqual(ids(quarantine.list({ recipient: 'zoe@' }, 10)), ['CCCC'])
  assert.deepEqual(ids(quarantine.list({ recipient: 'KÄTHE' }, 10)), ['BBBB', 'AAAA'])
  assert.deepEqual(ids(quarantine.list({ recipient: '%' }, 10)), [])
  assert.deepEqual(ids(quarantine.list({ since: NOW + 1 }, 10)), ['CCCC', 'BBBB'])
  assert.deepEqual(ids(quarantine.list({ since: NOW + 1, recipient: 'bob@b.example' }, 10)), ['BBBB'])
})

test('a full quarantine takes no more, and gives up nothing for it', async (t) => {
  const { quarantine, state } = quarantineOn(t)
  await kept(quarantine, 'AAAA')
  const one = quarantine.bytes()
  quarantine.bounds = { ...quarantine.bounds, maxBytes: one * 2 }
  await kept(quarantine, 'BBBB')
  assert.deepEqual(await quarantine.keep(facts('CCCC'), outgoing()), { status: 'full', bytes: one * 2, maxBytes: one * 2 })
  assert.deepEqual(files(state), ['AAAA.eml', 'AAAA.json', 'BBBB.eml', 'BBBB.json'])
  assert.deepEqual(await quarantine.remove('AAAA'), { status: 'removed' })
  await kept(quarantine, 'DDDD')
  assert.deepEqual(ids(quarantine.list({}, 10)).toSorted(), ['BBBB', 'DDDD'])
})

test('many at once: never more than there is room for, and what was refused leaves nothing', async (t) => {
  const { quarantine, state } = quarantineOn(t)
  await kept(quarantine, 'AAAA')
  const one = quarantine.bytes()
  quarantine.bounds = { ...quarantine.bounds, maxBytes: one * 5 }
  const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => quarantine.keep(facts(`B${String(100 + i)}`.padEnd(4, 'X')), outgoing())))
  assert.equal(outcomes.filter(({ status }) => status === 'kept').length, 4)
  assert.equal(quarantine.bytes(), one * 5)
  assert.equal(files(state).length, 10)
})

/** Time goes on, and somebody looks as often as a worker does; what was removed. */
async function passes({ quarantine, clock }: { readonly quarantine: Quarantine; readonly clock: { now: number } }, ms: number): Promise<number> {
  let removed = 0
  for (const end = clock.now + ms; clock.now < end;) {
    clock.now = Math.min(end, clock.now + HOUR / 6)
    removed += await quarantine.expire(clock.now)
  }
  return removed
}

test('age removes, the oldest first, and the log names each; room that is made so is used at once', async (t) => {
  const ground = quarantineOn(t)
  const { quarantine, state, log, clock } = ground
  await kept(quarantine, 'AAAA')
  clock.now += 1
  await kept(quarantine, 'BBBB')
  assert.equal(await passes(ground, 24 * HOUR - 1), 0)
  assert.equal(await passes(ground, 1), 1)
  assert.deepEqual(files(state), ['BBBB.eml', 'BBBB.json'])
  assert.deepEqual(log.at('warn'), [{
    level: 'warn', text: 'removed from the quarantine: too old',
    facts: { id: 'AAAA', from: 'ann@a.example', rcpts: ['bob@b.example', 'käthe@b.example'], keptMs: 24 * HOUR + 1 },
  }])
  quarantine.bounds = { ...quarantine.bounds, maxBytes: quarantine.bytes() }
  assert.equal((await quarantine.keep(facts('CCCC'), outgoing())).status, 'full')
  clock.now += HOUR / 6
  assert.equal((await quarantine.keep(facts('CCCC', { at: clock.now }), outgoing())).status, 'kept')
  assert.deepEqual(ids(quarantine.list({}, 10)), ['CCCC'])
})

test('a clock that is wrong removes nothing early, whether it is ahead or was behind when a message came', async (t) => {
  const ground = quarantineOn(t)
  const { quarantine, clock } = ground
  await kept(quarantine, 'AAAA')
  clock.now += 400 * 24 * HOUR
  assert.equal(await passes(ground, 23 * HOUR), 0)
  clock.now = HOUR
  assert.equal((await quarantine.keep(facts('BBBB', { at: clock.now }), outgoing())).status, 'kept')
  clock.now = NOW
  assert.equal(await passes(ground, HOUR), 1)
  assert.deepEqual(ids(quarantine.list({}, 10)), ['BBBB'])
  assert.equal(await passes(ground, 23 * HOUR + 1), 1)
})

test('a machine that was off, and begins with a clock of long ago each time, removes what was there for as long while it ran', async (t) => {
  const ground = quarantineOn(t)
  await kept(ground.quarantine, 'AAAA')
  let removed = 0
  for (let day = 1; day <= 4; day++) {
    ground.clock.now = 0
    removed += await passes(ground, HOUR / 6)
    ground.clock.now = NOW + day * 24 * HOUR
    removed += await passes(ground, 6 * HOUR)
    assert.equal(removed, day < 4 ? 0 : 1, String(day))
  }
})

test('expiring goes in steps, and leaves alone what somebody holds', async (t) => {
  const ground = quarantineOn(t)
  const { quarantine, clock } = ground
  await kept(quarantine, ...Array.from({ length: 250 }, (_, i) => `A${String(i).padStart(4, '0')}`))
  assert.equal(await passes(ground, 24 * HOUR), 0)
  clock.now += 1
  const hold = await held(quarantine, 'A0000')
  assert.equal(await quarantine.expire(clock.now), 199)
  assert.equal(await quarantine.expire(clock.now), 50)
  assert.deepEqual(ids(quarantine.list({}, 300)), ['A0000'])
  hold.end()
  assert.equal(await quarantine.expire(clock.now), 1)
})

test('trouble while expiring is told, and nothing is forgotten by it', async (t) => {
  const ground = quarantineOn(t)
  const { quarantine, database, log, clock } = ground
  await kept(quarantine, 'AAAA')
  await passes(ground, 24 * HOUR)
  clock.now += 1
  database.exec(`CREATE TRIGGER no BEFORE DELETE ON quarantine BEGIN SELECT raise(ABORT, 'made up for the test'); END`)
  assert.equal(await quarantine.expire(clock.now), 0)
  assert.deepEqual(log.at('error').map(({ facts: told }) => told), [{ cause: 'made up for the test' }])
  database.exec('DROP TRIGGER no')
  // Its hold was given back.
  assert.equal(await quarantine.expire(clock.now), 1)
  database.exec('DROP TABLE quarantine')
  assert.equal(await quarantine.expire(NOW), 0)
  await quarantine.tidy(NOW)
  assert.equal(log.at('error').length, 3)
})

test('one holds an entry, the others are told until when; who dies with it does not keep it', async (t) => {
  const ground = quarantineOn(t)
  const other = quarantineOn(t, { state: ground.state, clock: ground.clock })
  await kept(ground.quarantine, 'AAAA')
  const hold = await held(ground.quarantine, 'AAAA')
  assert.equal(hold.abandoned, false)
  assert.deepEqual(await other.quarantine.hold('AAAA'), { status: 'busy', untilMs: NOW + HOLD_MS })
  assert.deepEqual(await other.quarantine.remove('AAAA'), { status: 'busy', untilMs: NOW + HOLD_MS })
  ground.clock.now += HOLD_MS - 1
  assert.equal(hold.renew(), true)
  ground.clock.now += HOLD_MS - 1
  assert.equal((await other.quarantine.hold('AAAA')).status, 'busy')
  ground.clock.now += 1
  const taken = await held(other.quarantine, 'AAAA')
  assert.equal(taken.abandoned, true)
  assert.equal(hold.renew(), false)
  // What the first says now is too late and changes nothing.
  hold.end()
  assert.equal(taken.renew(), true)
  taken.end()
  taken.end()
  assert.equal(taken.renew(), false)
  assert.equal((await held(ground.quarantine, 'AAAA')).abandoned, false)
})

test('who waited for the database looks with a clock that is behind, and takes no hold that was given meanwhile', async (t) => {
  const ground = quarantineOn(t)
  await kept(ground.quarantine, 'AAAA')
  const late = quarantineOn(t, { state: ground.state, clock: { now: ground.clock.now - 5000 } })
  await held(ground.quarantine, 'AAAA')
  assert.equal((await late.quarantine.hold('AAAA')).status, 'busy')
})

test('a hold does not last for ever because a clock was set back', async (t) => {
  const { quarantine, clock } = quarantineOn(t)
  await kept(quarantine, 'AAAA')
  await held(quarantine, 'AAAA')
  clock.now -= 24 * HOUR
  assert.equal((await quarantine.hold('AAAA')).status, 'held')
})

test('who was struck off is struck off for everybody', async (t) => {
  const ground = quarantineOn(t)
  await kept(ground.quarantine, 'AAAA')
  const hold = await held(ground.quarantine, 'AAAA')
  const [bob] = hold.entry.recipients
  await hold.strike([bob!])
  assert.deepEqual(addresses(hold.entry), ['Käthe@b.example'])
  hold.end()
  const other = quarantineOn(t, { state: ground.state })
  const [entry] = other.quarantine.list({}, 10)
  assert.deepEqual(addresses(entry!), ['Käthe@b.example'])
  assert.deepEqual(entry!.delivered, [bob])
  assert.deepEqual(ids(other.quarantine.list({ recipient: 'bob' }, 10)), [])
  const again = await held(other.quarantine, 'AAAA')
  assert.deepEqual(addresses(again.entry), ['Käthe@b.example'])
  await again.strike(again.entry.recipients)
  await again.remove()
  again.end()
  assert.equal((await ground.quarantine.hold('AAAA')).status, 'none')
  assert.deepEqual(files(ground.state), [])
})

test('the files are the truth: a row that is behind does not make somebody get it twice', async (t) => {
  const { quarantine, database, log } = quarantineOn(t)
  await kept(quarantine, 'AAAA')
  const hold = await held(quarantine, 'AAAA')
  database.exec(`CREATE TRIGGER no BEFORE UPDATE OF entry ON quarantine BEGIN SELECT raise(ABORT, 'made up for the test'); END`)
  await hold.strike(hold.entry.recipients.slice(0, 1))
  hold.end()
  assert.equal(log.at('error').length, 1)
  assert.deepEqual(addresses((await held(quarantine, 'AAAA')).entry), ['Käthe@b.example'])
})

test('a lost database is made again from the files, who had what included', async (t) => {
  const before = quarantineOn(t)
  await kept(before.quarantine, 'AAAA', 'BBBB')
  const hold = await held(before.quarantine, 'AAAA')
  await hold.strike(hold.entry.recipients.slice(0, 1))
  before.database.close()
  for (const ending of ['', '-wal', '-shm']) rmSync(join(before.state, `${DATABASE_FILE}${ending}`), { force: true })
  const after = quarantineOn(t, { state: before.state })
  // Asked for by its ID it is there at once; all others after the tidying.
  assert.equal((await after.quarantine.find('AAAA')).status, 'found')
  await after.quarantine.tidy(NOW)
  assert.deepEqual(after.quarantine.list({}, 10).map((entry) => [entry.id, addresses(entry)]), [['BBBB', ['bob@b.example', 'Käthe@b.example']], ['AAAA', ['Käthe@b.example']]])
  assert.deepEqual(after.log.at('error'), [])
})

test('what the database did not know is not older than when it was found, however long gateways have run here', async (t) => {
  for (const found of ['tidied', 'asked for'] as const) {
    const ground = quarantineOn(t)
    const { quarantine, database, clock } = ground
    assert.equal(await passes(ground, 50 * HOUR), 0)
    await kept(quarantine, 'AAAA')
    database.exec('DELETE FROM quarantine')
    if (found === 'tidied') await quarantine.tidy(clock.now)
    else assert.equal((await quarantine.find('AAAA')).status, 'found')
    assert.equal(await passes(ground, 24 * HOUR), 0, found)
    assert.deepEqual(ids(quarantine.list({}, 10)), ['AAAA'])
    assert.equal(await passes(ground, 1), 1)
  }
})

test('tidying: what belongs to no entry goes after an hour, rows without files at once, files of others stay', async (t) => {
  const { quarantine, state, log } = quarantineOn(t)
  await kept(quarantine, 'AAAA', 'BBBB', 'CCCC', 'DDDD')
  const at = (name: string): string => join(state, 'quarantine', name)
  writeFileSync(at('EEEE.12-abcdef.tmp'), 'half')
  writeFileSync(at('FFFF.eml'), 'no facts')
  writeFileSync(at('notes.txt'), 'not ours')
  unlinkSync(at('BBBB.eml'))
  unlinkSync(at('CCCC.json'))
  unlinkSync(at('DDDD.json'))
  unlinkSync(at('DDDD.eml'))
  const set = (ms: number): void => {
    for (const name of files(state)) utimesSync(at(name), ms / 1000, ms / 1000)
  }
  set(NOW)
  await quarantine.tidy(NOW + HOUR - 1000)
  assert.equal(files(state).length, 7)
  assert.deepEqual(ids(quarantine.list({}, 10)), ['BBBB', 'AAAA'])
  await quarantine.tidy(NOW + HOUR)
  assert.deepEqual(files(state), ['AAAA.eml', 'AAAA.json', 'notes.txt'])
  await quarantine.tidy(NOW + HOUR)
  assert.deepEqual(ids(quarantine.list({}, 10)), ['AAAA'])
  assert.deepEqual(log.at('info').map(({ facts: told }) => told['file']).sort(), ['BBBB.json', 'CCCC.eml', 'EEEE.12-abcdef.tmp', 'FFFF.eml'])
})

test('before anything was kept there is nothing, and no directory is made', async (t) => {
  const { quarantine, state, log } = quarantineOn(t)
  await quarantine.tidy(NOW)
  assert.deepEqual(quarantine.list({}, 10), [])
  assert.equal(quarantine.bytes(), 0)
  assert.deepEqual(await quarantine.remove('AAAA'), { status: 'none' })
  assert.equal(existsSync(join(state, 'quarantine')), false)
  assert.deepEqual(log.entries, [])
})

test('damaged files are errors that say which; a damaged one does not hide the others', async (t) => {
  const before = quarantineOn(t)
  await kept(before.quarantine, 'AAAA', 'BBBB')
  const [, entry] = before.quarantine.list({}, 10)
  writeFileSync(join(before.state, 'quarantine/AAAA.json'), '{"format":1')
  await assert.rejects(before.quarantine.find('AAAA'), /cannot understand \S+\/AAAA\.json: /)
  writeFileSync(join(before.state, 'quarantine/AAAA.eml'), 'short')
  await assert.rejects(before.quarantine.read(entry!), /cannot open \S+\/AAAA\.eml: the file has 5 bytes and should have 53/)
  before.database.exec('DELETE FROM quarantine')
  await before.quarantine.tidy(NOW)
  assert.deepEqual(ids(before.quarantine.list({}, 10)), ['BBBB'])
  assert.match(String(before.log.at('error')[0]?.facts['cause']), /AAAA\.json/)
  // It can be removed all the same, and only once.
  assert.deepEqual(await before.quarantine.remove('AAAA'), { status: 'removed' })
  assert.deepEqual(await before.quarantine.remove('AAAA'), { status: 'none' })
  assert.deepEqual(files(before.state), ['BBBB.eml', 'BBBB.json'])
})

test('facts: every field that is missing or of another kind is an error that names it', () => {
  const entry: QuarantineEntry = { ...facts('AAAA'), delivered: [], size: 5, chunked: false, binary: true }
  assert.deepEqual(decodeEntry(encodeEntry(entry)), entry)
  const plain = JSON.parse(encodeEntry(entry)) as Record<string, unknown>
  for (const name of Object.keys(plain)) {
    // A score need not be there.
    if (name !== 'score') assert.throws(() => decodeEntry(JSON.stringify({ ...plain, [name]: undefined })), new RegExp(name), name)
    assert.throws(() => decodeEntry(JSON.stringify({ ...plain, [name]: name === 'reasons' ? [1] : null })), new RegExp(name), name)
  }
  assert.throws(() => decodeEntry(JSON.stringify({ ...plain, format: 2 })), /format 2, known here is 1/)
  assert.throws(() => decodeEntry(JSON.stringify({ ...plain, id: '../a' })), /an id that is none/)
  assert.throws(() => decodeEntry(JSON.stringify({ ...plain, client: { ...entry.client, protocol: 'HTTP' } })), /client: protocol/)
  assert.throws(() => decodeEntry('[]'), /the entry/)
})

test('reasons are bounded', () => {
  const { reasons } = decodeEntry(encodeEntry({ ...facts('AAAA', { reasons: Array.from({ length: 60 }, () => 'x'.repeat(600)) }), delivered: [], size: 5, chunked: false, binary: false }))
  assert.equal(reasons.length, 50)
  assert.ok(reasons.every((reason) => reason.length === 500))
})
