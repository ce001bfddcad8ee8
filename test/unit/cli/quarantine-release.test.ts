/**
 * `postern quarantine release`: the message unchanged, nobody twice, nobody
 * forgotten; with hops that refuse, take some, are down, or die with us.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { releaseEntry } from '../../../src/cli/quarantine-release.ts'
import type { Reply } from '../../../src/smtp/reply.ts'
import { readablePath } from '../../../src/state/quarantine-entry.ts'
import { HOLD_MS } from '../../../src/state/quarantine-index.ts'
import type { Hold } from '../../../src/state/quarantine.ts'
import { CaptureSink, type SinkOptions } from '../../support/capture-sink.ts'
import { FakeHop, type ScriptedAnswer } from '../../support/fake-hop.ts'
import { freePort } from '../../support/ports.ts'
import { start, until } from '../../support/process.ts'
import { BODY, envelopePath, facts, outgoing, quarantineOn, type Ground } from '../state/quarantine-fixture.ts'
import { desk, type Called, type Desk } from './quarantine-fixture.ts'

async function sinkDesk(t: TestContext, options: SinkOptions = {}, more = ''): Promise<Desk & { readonly sink: CaptureSink }> {
  const sink = await CaptureSink.start(options)
  t.after(() => sink.stop())
  const place = desk(t, `{ backend: { ${options.protocol ?? 'smtp'}: "${sink.target}"${more} } }`)
  await place.quarantine.keep(facts('AAAA'), outgoing())
  return { ...place, sink }
}

const REMARK = 'AAAA went on as no spam: the X-Spam fields that this gateway had put there say so\n'
const release = (place: Desk, change: { to?: string; hop?: string; id?: string } = {}): Promise<Called> => place.call({ action: 'release', id: 'AAAA', ...change })
const waiting = ({ quarantine }: Ground): readonly string[] => quarantine.list({}, 10).flatMap(({ recipients }) => recipients.map(readablePath))

/* --- through the real relay --- */

test('the message goes on byte for byte but for what we said of it, with the envelope and the client that it came with', async (t) => {
  const place = await sinkDesk(t, {}, ', xforward: true')
  const { code, out, err } = await release(place, { id: 'aa' })
  assert.deepEqual({ code, err }, { code: 0, err: '' })
  assert.equal(out, `bob@b.example: 250 2.0.0 taken\nKäthe@b.example: 250 2.0.0 taken\n${REMARK}AAAA has left the quarantine\n`)
  const [message, ...others] = place.sink.messages
  assert.deepEqual(others, [])
  assert.equal(message!.data.toString('latin1'), BODY)
  assert.equal(message!.mail, '<ann@a.example> BODY=8BITMIME SMTPUTF8')
  assert.deepEqual(message!.rcpts, ['<bob@b.example>', '<K\xc3\xa4the@b.example> NOTIFY=NEVER'])
  assert.equal(message!.client.get('XFORWARD ADDR'), '192.0.2.7')
  assert.equal(message!.client.get('XFORWARD IDENT'), 'AAAA')
  assert.deepEqual(readdirSync(join(place.state, 'quarantine')), [])
  assert.equal((await release(place)).code, 66)
})

test('a chunked binary message goes by BDAT, as it came', async (t) => {
  const place = await sinkDesk(t)
  const body = 'A: b\r\n\r\n\0bare\nlf and cr\r.'
  const sender = envelopePath('ann@a.example', { keyword: 'BODY', value: 'BINARYMIME' })
  await place.quarantine.keep(facts('BBBB', { sender, recipients: [envelopePath('bob@b.example')] }), outgoing(body, { prefix: '', chunked: true, binary: true }))
  assert.equal((await release(place, { id: 'BBBB' })).code, 0)
  const [message] = place.sink.messages
  assert.equal(message!.data.toString('latin1'), body)
  assert.equal(message!.chunked, true)
})

test('a large message is sent from the disk', async (t) => {
  const place = await sinkDesk(t)
  place.quarantine.bounds = { ...place.quarantine.bounds, maxBytes: 1e9 }
  const body = `Subject: big\r\n\r\n${`${'x'.repeat(98)}\r\n`.repeat(30_000)}`
  await place.quarantine.keep(facts('BBBB'), outgoing(body, { pieces: 60_000 }))
  assert.equal((await release(place, { id: 'BBBB' })).code, 0)
  assert.equal(place.sink.messages[0]!.data.toString('latin1'), body)
})

test('a hop that is down: 75, the entry stays, and the next release sends it', async (t) => {
  const place = await sinkDesk(t)
  await place.sink.stop()
  const { code, out, err } = await release(place)
  assert.equal(code, 75)
  assert.match(out, /^bob@b\.example: 451 4\.4\.1 [^\n]*\nKäthe@b\.example: 451 4\.4\.1 [^\n]*\n$/)
  assert.match(err, /^AAAA stays in the quarantine: 2 of 2 recipients have not had it$/m)
  assert.match(err, /ECONNREFUSED/)
  await place.sink.restart()
  assert.equal((await release(place)).code, 0)
  assert.equal(place.sink.messages.length, 1)
})

test('LMTP: each recipient by itself; who had it is struck off', async (t) => {
  const place = await sinkDesk(t, { protocol: 'lmtp', script: ({ verb, line }) => (verb === '.' && line.includes('bob') ? '452 4.2.2 mailbox full' : undefined) })
  const first = await release(place)
  assert.equal(first.code, 75)
  assert.equal(first.out, `bob@b.example: 452 4.2.2 mailbox full\nKäthe@b.example: 250 2.0.0 taken\n${REMARK}`)
  assert.equal(first.err, 'AAAA stays in the quarantine: 1 of 2 recipients have not had it\n')
  assert.deepEqual(waiting(place), ['bob@b.example'])
  place.sink.script = () => undefined
  const second = await release(place)
  assert.equal(second.code, 0)
  assert.equal(second.out, `bob@b.example: 250 2.0.0 taken\n${REMARK}AAAA has left the quarantine\n`)
  assert.deepEqual(place.sink.messages.map(({ rcpts }) => rcpts.length), [2, 1])
})

test('into a Maildir', async (t) => {
  const place = desk(t, '{ backend: { maildir: "mail/{local}" } }')
  mkdirSync(join(place.cwd, 'mail'))
  await place.quarantine.keep(facts('AAAA', { sender: envelopePath('ann@a.example'), recipients: [envelopePath('bob@b.example')] }), outgoing('Subject: a\r\n\r\nb\r\n'))
  const { code, out } = await release(place)
  assert.deepEqual({ code, out }, { code: 0, out: `bob@b.example: 250 2.0.0 Delivered\n${REMARK}AAAA has left the quarantine\n` })
  const [name] = readdirSync(join(place.cwd, 'mail/bob/new'))
  assert.equal(readFileSync(join(place.cwd, 'mail/bob/new', name!), 'latin1'), 'Return-Path: <ann@a.example>\nDelivered-To: bob@b.example\nSubject: a\n\nb\n')
})

test('a hop that the configuration has no more: 78 and nothing is sent; --hop names another', async (t) => {
  const place = await sinkDesk(t)
  await place.quarantine.keep(facts('BBBB', { hop: 'old' }), outgoing())
  const { code, err } = await release(place, { id: 'BBBB' })
  assert.deepEqual({ code, err }, { code: 78, err: 'postern: the configuration has no hop named old; --hop chooses one of: backend\n' })
  assert.equal((await release(place, { id: 'BBBB', hop: 'backend' })).code, 0)
  assert.equal(place.sink.messages.length, 1)
})

test('--to one of its recipients: only he gets it and is struck off', async (t) => {
  const place = await sinkDesk(t)
  const { code, out, err } = await release(place, { to: 'bob@B.example' })
  assert.deepEqual({ code, out, err }, { code: 0, out: `bob@b.example: 250 2.0.0 taken\n${REMARK}`, err: 'AAAA stays in the quarantine: 1 of 2 recipients have not had it\n' })
  assert.deepEqual(waiting(place), ['Käthe@b.example'])
  assert.equal((await release(place, { to: 'käthe@b.example' })).out, `käthe@b.example: 250 2.0.0 taken\n${REMARK}AAAA stays in the quarantine: that was a copy\n`)
  assert.equal((await release(place, { to: 'Käthe@b.example' })).out, `Käthe@b.example: 250 2.0.0 taken\n${REMARK}AAAA has left the quarantine\n`)
})

test('--to somebody else: a copy, and the entry stays as it is', async (t) => {
  const place = await sinkDesk(t)
  await place.quarantine.keep(facts('BBBB', { sender: envelopePath('ann@a.example') }), outgoing())
  assert.equal((await release(place, { id: 'BBBB', to: '<postmästare@c.example>' })).code, 0)
  assert.deepEqual(place.sink.messages[0]!.rcpts, ['<postm\xc3\xa4stare@c.example>'])
  assert.equal(place.sink.messages[0]!.mail, '<ann@a.example> SMTPUTF8')
  assert.equal(waiting(place).length, 4)
  for (const to of ['nobody', '', '<>', 'a@b.example c', 'a\n@b.example', '"a\x1b"@b.example', 'postmaster']) {
    const { code, err } = await release(place, { to })
    assert.equal(code, 64, to)
    assert.match(err, /--to: .*is no address/s)
    assert.doesNotMatch(err, /\x1b/)
  }
  place.sink.script = ({ verb }) => (verb === 'RCPT' ? '550 5.7.1 no' : undefined)
  assert.equal((await release(place, { to: 'x@c.example' })).code, 65)
  assert.equal(waiting(place).length, 4)
})

/* --- with a hop of our own --- */

const no = (status: number, text: string): readonly Reply[] => [{ status, text }]
const RECIPIENTS = ['a', 'b', 'c', 'd', 'e'].map((local) => envelopePath(`${local}@b.example`))

interface Stage extends Ground {
  readonly hop: FakeHop
  readonly hold: Hold
  readonly written: { out: string; err: string }
  /** by another hold than the true one, where that is given */
  readonly send: (by?: Hold) => Promise<number>
}

async function stage(t: TestContext, kind: 'smtp' | 'lmtp', scripts: { readonly MAIL?: readonly ScriptedAnswer[]; readonly RCPT?: readonly ScriptedAnswer[]; readonly DATA?: readonly ScriptedAnswer[] } = {}): Promise<Stage> {
  const ground = quarantineOn(t)
  await ground.quarantine.keep(facts('AAAA', { recipients: RECIPIENTS }), outgoing())
  const hop = new FakeHop('backend', kind, { offers: new Map() })
  for (const verb of ['MAIL', 'RCPT', 'DATA'] as const) for (const answer of scripts[verb] ?? []) hop.script(verb, answer)
  const outcome = await ground.quarantine.hold('AAAA')
  assert.ok(outcome.status === 'held')
  const { hold } = outcome
  const written = { out: '', err: '' }
  const send = async (by = hold): Promise<number> => {
    const body = await ground.quarantine.read(hold.entry)
    try {
      return await releaseEntry(by, undefined, { hop, body, out: (text) => (written.out += text), err: (text) => (written.err += text) })
    } finally {
      body.discard()
      assert.deepEqual(hop.violations, [])
      assert.equal(hop.open, 0)
    }
  }
  return { ...ground, hop, hold, written, send }
}

const rcpts = ({ events }: FakeHop): string => events.filter((event) => event.startsWith('RCPT')).map((event) => event.slice(6, 7)).join('')

test('who is refused for good stays, the others go: 65, because another try will not help', async (t) => {
  const ok = no(250, 'ok')
  const { send, hold, written, hop } = await stage(t, 'smtp', { RCPT: [ok, no(550, '5.1.1 unknown'), ok, ok, ok] })
  assert.equal(await send(), 65)
  assert.match(written.out, /^b@b\.example: 550 5\.1\.1 unknown$/m)
  assert.deepEqual(hold.entry.recipients.map(readablePath), ['b@b.example'])
  assert.equal(hold.entry.delivered.length, 4)
  assert.equal(hop.messages.length, 1)
})

test('refused for now and for good: 75, another try may help one of them', async (t) => {
  const { send } = await stage(t, 'smtp', { RCPT: [no(550, 'no'), no(450, 'later'), no(550, 'no'), no(550, 'no'), no(550, 'no')] })
  assert.equal(await send(), 75)
})

test('a hop that takes two at once gets the rest in transactions of their own, each struck off before the next', async (t) => {
  const ok = no(250, 'ok')
  const full = no(452, '4.5.3 too many recipients')
  const { send, hop, hold, written } = await stage(t, 'smtp', { RCPT: [ok, ok, full, full, full, ok, ok, full, ok] })
  let struck = 0
  const counted: Hold = {
    get entry() {
      return hold.entry
    },
    abandoned: false, renew: () => hold.renew(), remove: () => hold.remove(), end: () => hold.end(),
    strike: (had) => {
      assert.equal(hop.messages.length, ++struck)
      return hold.strike(had)
    },
  }
  assert.equal(await send(counted), 0)
  assert.equal(rcpts(hop), 'abcdecdee')
  assert.equal(hop.messages.length, 3)
  assert.equal(written.out, `${['a', 'b', 'c', 'd', 'e'].map((local) => `${local}@b.example: 250 2.0.0 Queued\n`).join('')}AAAA has left the quarantine\n`)
})

test('a hop that never gets further is not asked for ever', async (t) => {
  const { send, hop, written, hold } = await stage(t, 'smtp', { RCPT: Array.from({ length: 30 }, () => no(452, '4.5.3 too many recipients')) })
  assert.equal(await send(), 75)
  assert.equal(rcpts(hop), 'abcde')
  assert.equal(written.out.split('\n').length - 1, 5)
  assert.equal(hold.entry.recipients.length, 5)
})

test('MAIL that is refused, and a message that is refused, strike nobody off', async (t) => {
  for (const [scripts, code] of [[{ MAIL: [no(550, '5.7.1 no')] }, 65], [{ MAIL: [no(451, '4.3.0 later')] }, 75], [{ DATA: [no(554, '5.6.0 no')] }, 65], [{ DATA: [no(451, '4.3.0 later')] }, 75]] as const) {
    const { send, hold, written } = await stage(t, 'smtp', scripts)
    assert.equal(await send(), code)
    assert.equal(written.out.split('\n').length - 1, 5)
    assert.equal(hold.entry.recipients.length, 5)
  }
})

test('LMTP answers belong to those who were accepted, in their order', async (t) => {
  const answers = [no(250, 'a'), no(451, 'c later'), no(250, 'd'), no(552, 'e full')].flat()
  const { send, hold, written } = await stage(t, 'lmtp', { RCPT: [no(250, 'ok'), no(550, 'b unknown')], DATA: [answers] })
  assert.equal(await send(), 75)
  assert.equal(written.out, 'a@b.example: 250 a\nb@b.example: 550 b unknown\nc@b.example: 451 c later\nd@b.example: 250 d\ne@b.example: 552 e full\n')
  assert.deepEqual(hold.entry.recipients.map(readablePath), ['b@b.example', 'c@b.example', 'e@b.example'])
})

test('a hold that was lost meanwhile sends nothing', async (t) => {
  const { send, hop, clock, quarantine } = await stage(t, 'smtp')
  clock.now += HOLD_MS
  const other = await quarantine.hold('AAAA')
  assert.ok(other.status === 'held')
  await assert.rejects(send(), /AAAA was taken over by another release; nothing was sent by this one/)
  assert.equal(hop.messages.length, 0)
  other.hold.end()
})

test('an entry that nobody waits for any more is only removed', async (t) => {
  const { send, hold, hop, written, state } = await stage(t, 'smtp')
  await hold.strike(hold.entry.recipients)
  assert.equal(await send(), 0)
  assert.deepEqual(hop.events, [])
  assert.equal(written.out, 'AAAA has left the quarantine\n')
  assert.deepEqual(readdirSync(join(state, 'quarantine')), [])
})

test('what cannot be written down after the 250 is said, with who had it', async (t) => {
  const { hold, hop, quarantine } = await stage(t, 'smtp', { RCPT: [no(250, 'ok'), no(550, 'no')] })
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
  const broken: Hold = { entry: hold.entry, abandoned: false, renew: () => true, strike: () => Promise.reject(full), remove: () => hold.remove(), end: () => hold.end() }
  const body = await quarantine.read(hold.entry)
  await assert.rejects(releaseEntry(broken, undefined, { hop, body, out: () => undefined, err: () => undefined }), (error) => {
    assert.ok(error instanceof Error && 'exitCode' in error)
    assert.equal(error.exitCode, 75)
    assert.equal(error.message, 'a@b.example, c@b.example, d@b.example, e@b.example had it, which cannot be written down: ENOSPC: no space left\nA second release of AAAA would send it again')
    return true
  })
  assert.equal((await quarantine.find('AAAA')).status, 'found')
  // Where all had it, the entry can go without being written.
  const out: string[] = []
  assert.equal(await releaseEntry(broken, undefined, { hop, body, out: (text) => out.push(text), err: () => undefined }), 0)
  assert.equal(out.at(-1), 'AAAA has left the quarantine\n')
  assert.equal((await quarantine.find('AAAA')).status, 'none')
  body.discard()
})

/* --- several processes --- */

function launch(place: Desk, ...argv: readonly string[]) {
  const command = JSON.stringify(new URL('../../../src/cli/quarantine.ts', import.meta.url).href)
  return start([process.execPath, '--input-type=module', '-e', `const { runQuarantine } = await import(${command});
    process.exitCode = await runQuarantine(JSON.parse(process.argv[1]), { cwd: ${JSON.stringify(place.cwd)}, environment: {}, searchPath: ['postern.yaml'], out: (text) => process.stdout.write(text), err: (text) => process.stdout.write(text) })
    process.stdout.write('exit ' + process.exitCode)`, ...argv])
}

test('two releases at once: one sends, the other says that somebody does', async (t) => {
  const place = await sinkDesk(t)
  const request = JSON.stringify({ action: 'release', id: 'AAAA' })
  let go: () => void = () => undefined
  const gate = new Promise<undefined>((resolve) => (go = () => resolve(undefined)))
  place.sink.script = ({ verb }) => (verb === '.' ? gate : undefined)
  const both = [launch(place, request), launch(place, request)]
  t.after(() => Promise.all(both.map((one) => one.stop())))
  // The one that sends waits for its answer until the other has ended.
  await until('one of the two has ended', () => both.some((one) => one.hasEnded()), { detail: () => both.map((one) => one.output()).join('\n') })
  go()
  await Promise.all(both.map(({ ended }) => ended))
  await until('both have said how they ended', () => both.every((one) => one.output().includes('exit ')))
  const outputs = both.map((one) => one.output()).sort()
  assert.match(outputs[0]!, /^bob@b\.example: 250 .*AAAA has left the quarantine\nexit 0$/s)
  assert.match(outputs[1]!, /^postern: somebody else is releasing or deleting AAAA.*exit 75$/s)
  assert.equal(place.sink.messages.length, 1)
})

test('a release that is killed at the worst moment: the entry stays, is free a minute later, and the next says so', async (t) => {
  const place = await sinkDesk(t)
  let asked = false
  place.sink.script = ({ verb, count }) => {
    if (verb !== '.' || count > 1) return undefined
    asked = true
    return 'silent'
  }
  const first = launch(place, JSON.stringify({ action: 'release', id: 'AAAA' }))
  t.after(() => first.stop())
  await until('the message is at the hop, whole', () => asked, { detail: () => first.output() })
  first.signal('SIGKILL')
  await first.ended
  const at = Date.now()
  const soon = await place.call({ action: 'release', id: 'AAAA' }, { now: () => at })
  assert.equal(soon.code, 75)
  assert.match(soon.err, /somebody else is releasing/)
  const later = await place.call({ action: 'release', id: 'AAAA' }, { now: () => at + HOLD_MS })
  assert.equal(later.code, 0)
  assert.equal(later.err, 'AAAA: an earlier release ended without a word; whoever it was sending to may get a second copy\n')
  assert.equal((await place.call({ action: 'list' })).out, '')
})

test('a hop that nobody listens at does not hold the command up', async (t) => {
  const place = desk(t, `{ backend: { smtp: "127.0.0.1:${await freePort()}" } }`)
  await place.quarantine.keep(facts('AAAA'), outgoing())
  assert.equal((await release(place)).code, 75)
  // And its hold was given back.
  assert.equal((await place.call({ action: 'delete', ids: ['AAAA'] })).code, 0)
})
