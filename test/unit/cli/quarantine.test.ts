/** `postern quarantine list`, `show` and `delete`, and its words on the command line. */
import assert from 'node:assert/strict'
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Command, Option } from 'commander'
import { quarantineCommand, type QuarantineRequest } from '../../../src/cli/quarantine-command.ts'
import { safeText } from '../../../src/cli/quarantine-output.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { run, temporaryDirectory } from '../../support/process.ts'
import { envelopePath, facts, NOW, outgoing, WHOLE } from '../state/quarantine-fixture.ts'
import { call, desk } from './quarantine-fixture.ts'

const HOPS = '{ backend: { smtp: "127.0.0.1:9" } }'
const ESCAPE = '\x1b[2J\x07'

test('list: newest first, a line each, and how much it is', async (t) => {
  const { quarantine, call: ask } = desk(t, HOPS)
  assert.deepEqual(await ask({ action: 'list' }), { code: 0, out: '', err: '0 messages; all that is kept: 0 B\n', bytes: '' })
  await quarantine.keep(facts('AAAA'), outgoing())
  await quarantine.keep(facts('BBBB', { at: NOW + 60_000, score: undefined, reasons: [], recipients: ['a', 'b', 'c', 'd', 'e'].map((local) => envelopePath(`${local}@b.example`)) }), outgoing())
  const { code, out, err } = await ask({ action: 'list' })
  assert.equal(code, 0)
  assert.equal(out, 'BBBB        2023-11-14T22:14Z       -      53 B  ann@a.example → a@b.example, b@b.example, c@b.example and 2 more  a\n'
    + 'AAAA        2023-11-14T22:13Z    12.5      53 B  ann@a.example → bob@b.example, Käthe@b.example  a  score of 10 or more\n')
  assert.match(err, /^2 messages; all that is kept: 1\.\d kB\n$/)
  assert.match((await ask({ action: 'list', recipient: 'käthe' })).out, /^AAAA [^\n]*\n$/)
  assert.match((await ask({ action: 'list', sender: 'nobody' })).out, /^$/)
  const first = await ask({ action: 'list', limit: '1' })
  assert.match(first.out, /^BBBB [^\n]*\n$/)
  assert.equal(first.err, 'there are more than these 1: --limit shows them\n')
  assert.match((await ask({ action: 'list', since: '5s' }, { now: () => NOW + 61_000 })).out, /^BBBB [^\n]*\n$/)
})

test('list --json: an object a line, with nothing a terminal would obey', async (t) => {
  const { quarantine, call: ask } = desk(t, HOPS)
  await quarantine.keep(facts('AAAA', { client: { ...facts('A').client, helo: `x\x9b\u202e${ESCAPE}` } }), outgoing())
  const { out, err } = await ask({ action: 'list', json: true })
  assert.equal(err, '')
  assert.doesNotMatch(out.slice(0, -1), /[\x00-\x1f\x7f-\x9f\u202e]/)
  assert.deepEqual(JSON.parse(out), {
    id: 'AAAA', at: '2023-11-14T22:13:20.000Z', hop: 'backend', from: 'ann@a.example', to: ['bob@b.example', 'Käthe@b.example'], delivered: [],
    client: '192.0.2.7', helo: `x\x9b\u202e${ESCAPE}`, size: WHOLE.length, score: 12.5, reasons: ['score of 10 or more', 'BAYES_99'], subject: 'a',
  })
})

test('list: the Subject as a mail program shows it, bounded and harmless; a dash where there is none, or no message', async (t) => {
  const { quarantine, state, call: ask } = desk(t, HOPS)
  const keep = (id: string, header: string) => quarantine.keep(facts(id, { reasons: [] }), outgoing(`${header}\r\n\r\nSubject: not this\r\n`))
  await keep('AAAA', 'From: a\r\nsubject: =?utf-8?B?R3LDvMOfZQ==?=\r\n =?iso-8859-1?Q?_aus_K=F6ln?=\r\nSubject: second')
  await keep('BBBB', 'From: a')
  await keep('CCCC', `Subject: =?utf-8?Q?a=1B[2J=E2=80=AE=0Ab?=  \t c`)
  await keep('DDDD', `Subject: ${'x'.repeat(2000)}`)
  await keep('EEEE', 'Subject:   ')
  await keep('FFFF', 'Subject: gone')
  writeFileSync(join(state, 'quarantine/FFFF.eml'), '')
  const { code, out } = await ask({ action: 'list' })
  assert.equal(code, 0)
  const subjects = new Map(out.trimEnd().split('\n').map((line) => [line.slice(0, 4), line.split('Käthe@b.example  ')[1]]))
  assert.deepEqual(Object.fromEntries(subjects), { AAAA: 'Grüße aus Köln', BBBB: '-', CCCC: 'a\\x1b[2J\\u202e b c', DDDD: `${'x'.repeat(100)}…`, EEEE: '-', FFFF: '-' })
  const objects = (await ask({ action: 'list', json: true })).out.trimEnd().split('\n').map((line) => JSON.parse(line) as { readonly id: string; readonly subject: unknown })
  assert.deepEqual(Object.fromEntries(objects.map(({ id, subject }) => [id, subject])), { AAAA: 'Grüße aus Köln', BBBB: null, CCCC: 'a\x1b[2J\u202e b c', DDDD: `${'x'.repeat(500)}…`, EEEE: null, FFFF: null })
})

test('list --subject: a part of it, in any case; the limit counts what is shown; what cannot be read is told', async (t) => {
  const { quarantine, state, call: ask } = desk(t, HOPS)
  for (const [i, subject] of ['Rechnung 1', '=?utf-8?Q?Gr=C3=BC=C3=9Fe?=', 'Your invoice', 'RECHNUNG 2'].entries()) {
    await quarantine.keep(facts(`A${i}`, { at: NOW + i }), outgoing(`Subject: ${subject}\r\n\r\n`))
  }
  const found = async (subject: string, limit?: string): Promise<readonly string[]> => (await ask({ action: 'list', subject, ...(limit !== undefined && { limit }) })).out.split('\n').filter((line) => line !== '').map((line) => line.slice(0, 2))
  assert.deepEqual(await found('rechnung'), ['A3', 'A0'])
  assert.deepEqual(await found('GRÜ'), ['A1'])
  assert.deepEqual(await found('nothing'), [])
  assert.deepEqual(await found('rechnung', '1'), ['A3'])
  assert.match((await ask({ action: 'list', subject: 'rechnung', limit: '1' })).err, /there are more/)
  assert.doesNotMatch((await ask({ action: 'list', subject: 'rechnung', limit: '2' })).err, /there are more|could not be read/)
  for (const id of ['A0', 'A3']) writeFileSync(join(state, `quarantine/${id}.eml`), '')
  const { code, out, err } = await ask({ action: 'list', subject: 'rechnung' })
  assert.deepEqual([code, out], [0, ''])
  assert.match(err, /^2 could not be read, so that nobody knows their Subject: .+\n0 messages; all that is kept: /)
  assert.doesNotMatch((await ask({ action: 'list' })).err, /could not be read/)
})

test('show: envelope, reasons and telling fields', async (t) => {
  const { quarantine, call: ask } = desk(t, HOPS)
  await quarantine.keep(facts('AAAA', { client: { ...facts('A').client, name: 'client.example', login: 'ann' } }), outgoing('from: Ann\r\n <ann@a.example>\r\nSubject: Gr\xc3\xbc\xc3\x9fe =?utf-8?Q?=E2=82=AC?=\r\n\r\nSubject: not this\r\n'))
  const hold = await quarantine.hold('AAAA')
  assert.ok(hold.status === 'held')
  await hold.hold.strike(hold.hold.entry.recipients.slice(0, 1))
  hold.hold.end()
  const { code, out } = await ask({ action: 'show', id: 'aaaa' })
  assert.equal(code, 0)
  assert.equal(out, `id         AAAA
kept       2023-11-14T22:13:20.000Z
client     192.0.2.7 (client.example), HELO helo.example, ESMTP
login      ann
sender     ann@a.example BODY=8BITMIME SMTPUTF8
recipient  Käthe@b.example NOTIFY=NEVER
had it     bob@b.example
hop        backend
size       108 B
score      12.5
reason     score of 10 or more
reason     BAYES_99
From       Ann <ann@a.example>
Subject    Grüße €
`)
})

test('show --headers and --raw: the headers made safe, the bytes unchanged, and made safe on a terminal', async (t) => {
  const { quarantine, call: ask } = desk(t, HOPS)
  const body = `Subject: a${ESCAPE}\r\n\tb\r\nX: \xc3\xa4 \xff\r\n\r\n${ESCAPE}text\r\nbare\rcr\r\n`
  await quarantine.keep(facts('AAAA'), outgoing(body))
  const headers = await ask({ action: 'show', id: 'AAAA', headers: true })
  assert.equal(headers.out, 'X-Spam-Flag: YES\nSubject: a\\x1b[2J\\x07\n\tb\nX: ä \ufffd\n')
  const raw = await ask({ action: 'show', id: 'AAAA', raw: true })
  assert.equal(raw.bytes, `X-Spam-Flag: YES\r\n${body}`)
  assert.equal(raw.out, '')
  const shown = await ask({ action: 'show', id: 'AAAA', raw: true }, { terminal: true })
  assert.equal(shown.bytes, '')
  assert.equal(shown.out, 'X-Spam-Flag: YES\nSubject: a\\x1b[2J\\x07\n\tb\nX: ä \ufffd\n\n\\x1b[2J\\x07text\nbare\\rcr\n')
})

test('hostile text is harmless wherever it stands', async (t) => {
  const { quarantine, call: ask } = desk(t, HOPS)
  const evil = (text: string) => ({ path: { wire: `<${text}>`, mailbox: null }, parameters: [{ keyword: 'X', value: text }] })
  const text = `${ESCAPE}\x9b\nid  FAKE\u202e`
  const binary = Buffer.from(text, 'utf8').toString('latin1')
  await quarantine.keep(facts('AAAA', { sender: evil(binary), recipients: [evil(binary)], reasons: [text], hop: text, client: { ...facts('A').client, helo: text, name: text, address: text } }), outgoing(`Subject: ${binary.replace('\n', ' ')}\r\n\r\n`))
  for (const request of [{ action: 'list' }, { action: 'show', id: 'AAAA' }, { action: 'show', id: 'AAAA', headers: true }, { action: 'release', id: 'AAAA' }] satisfies QuarantineRequest[]) {
    const { out, err } = await ask(request)
    assert.doesNotMatch(out + err, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
    assert.doesNotMatch(out + err, /^id {2}FAKE/m)
  }
})

test('text that is cut anywhere is made safe as if it came whole', () => {
  const bytes = Buffer.from('a\r\nb\rc\x1b\xc3\xa4\r\n\t\xe2\x80\xae\r', 'latin1')
  for (let cut = 0; cut <= bytes.length; cut++) {
    const safe = safeText()
    assert.equal(safe.push(bytes.subarray(0, cut)) + safe.push(bytes.subarray(cut)) + safe.end(), 'a\nb\\rc\\x1bä\n\t\\u202e\\r', `cut at ${cut}`)
  }
})

test('delete takes whole IDs, and does what can be done', async (t) => {
  const { quarantine, clock, call: ask } = desk(t, HOPS)
  for (const id of ['AAAA', 'AABB', 'CCCC', 'DDDD']) await quarantine.keep(facts(id), outgoing())
  assert.deepEqual(await ask({ action: 'delete', ids: ['aaaa', 'AA', '../x', 'CCCC'] }), { code: 66, out: 'AAAA deleted\nCCCC deleted\n', err: 'postern: there is no AA in the quarantine\npostern: there is no ../X in the quarantine\n', bytes: '' })
  assert.deepEqual(quarantine.list({}, 10).map(({ id }) => id), ['AABB', 'DDDD'])
  clock.now = Date.now()
  const hold = await quarantine.hold('AABB')
  const { code, out, err } = await ask({ action: 'delete', ids: ['AABB', 'NONE', 'DDDD'] })
  assert.equal(code, 75)
  assert.equal(out, 'DDDD deleted\n')
  assert.match(err, /somebody else is releasing or deleting AABB; if that command has died, this one can go on at \d{4}-/)
  assert.ok(hold.status === 'held')
})

test('what is not there, not one, damaged, or not for us', async (t) => {
  const { quarantine, state, call: ask } = desk(t, HOPS)
  for (const id of ['AAAA', 'AABB', 'CCCC']) await quarantine.keep(facts(id), outgoing())
  assert.deepEqual(await ask({ action: 'show', id: 'XX\x1b' }), { code: 66, out: '', err: 'postern: there is no XX\\x1b in the quarantine\n', bytes: '' })
  assert.deepEqual(await ask({ action: 'show', id: 'AA' }), { code: 64, out: '', err: 'postern: AA is the beginning of several: AAAA, AABB\n', bytes: '' })
  writeFileSync(join(state, 'quarantine/AAAA.json'), '{')
  writeFileSync(join(state, 'quarantine/AABB.eml'), '')
  for (const [id, pattern] of [['AAAA', /cannot understand \S+AAAA\.json/], ['AABB', /the file has 0 bytes and should have 53/]] as const) {
    for (const action of ['show', 'release'] as const) {
      const { code, err } = await ask({ action, id })
      assert.equal(code, 65)
      assert.match(err, pattern)
    }
  }
  assert.equal((await ask({ action: 'delete', ids: ['AAAA'] })).code, 0)
  for (const [option, found] of [[{ limit: '0' }, /--limit: found 0, which is out of range; allowed: an integer/], [{ since: 'yesterday' }, /--since: found "yesterday"; allowed: a duration/]] as const) {
    const { code, err } = await ask({ action: 'list', ...option })
    assert.equal(code, 64)
    assert.match(err, found)
  }
})

test('a database that somebody else keeps busy is a 75', async (t) => {
  const { quarantine, database, call: ask } = desk(t, HOPS)
  await quarantine.keep(facts('AAAA'), outgoing())
  database.exec('BEGIN IMMEDIATE')
  const { code, err } = await ask({ action: 'delete', ids: ['AAAA'] })
  database.exec('ROLLBACK')
  assert.equal(code, 75)
  assert.match(err, /database is locked/)
})

test('where nothing was ever kept nothing is made', async (t) => {
  const { cwd } = desk(t, HOPS)
  const other = temporaryDirectory('desk')
  writeFileSync(join(other, 'postern.yaml'), readFileSync(join(cwd, 'postern.yaml'), 'utf8').replaceAll(`${cwd}/state`, `${other}/state`))
  assert.deepEqual(await call(other, { action: 'list' }), { code: 0, out: '', err: `nothing was ever kept in ${other}/state\n`, bytes: '' })
  assert.equal((await call(other, { action: 'show', id: 'AAAA' })).code, 66)
  assert.equal(existsSync(join(other, 'state')), false)
})

test('a configuration that is not there, and one that is wrong', async (t) => {
  const { cwd, call: ask } = desk(t, HOPS)
  assert.equal((await ask({ action: 'list', config: 'none.yaml' })).code, 66)
  writeFileSync(join(cwd, 'bad.yaml'), 'hostnme: x\n')
  const { code, err } = await ask({ action: 'list', config: 'bad.yaml' })
  assert.equal(code, 78)
  assert.match(err, /hostnme/)
})

const needsRoot = process.geteuid?.() === 0 ? false : 'only root can become somebody else'
const NOBODY = 65534

test('root becomes the owner of the state, so that the gateway can use what is written', { skip: needsRoot }, async () => {
  const cwd = temporaryDirectory('desk')
  const state = join(cwd, 'state')
  mkdirSync(state)
  writeFileSync(join(cwd, 'postern.yaml'), `state: ${state}\nworkers: 0\nlisteners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }]\nhops: { backend: { maildir: "${cwd}/mail/{local}" } }\ndomains: [b.example]\n`)
  mkdirSync(join(cwd, 'mail'))
  openDatabase(state).close()
  for (const path of [state, join(state, 'postern.db'), join(cwd, 'mail')]) chownSync(path, NOBODY, NOBODY)
  const script = (code: string): Promise<{ code: number | null; output: string }> => {
    const lines = ['database', 'quarantine'].map((name) => `const ${name} = await import(${JSON.stringify(new URL(`../../../src/state/${name}.ts`, import.meta.url).href)});`)
    const fixture = JSON.stringify(new URL('../state/quarantine-fixture.ts', import.meta.url).href)
    const command = JSON.stringify(new URL('../../../src/cli/quarantine.ts', import.meta.url).href)
    return run([process.execPath, '--input-type=module', '-e', `${lines.join('')} const { facts, outgoing } = await import(${fixture}); const { runQuarantine } = await import(${command});
      const io = { cwd: ${JSON.stringify(cwd)}, environment: {}, out: (text) => process.stdout.write(text), err: (text) => process.stdout.write(text) }; ${code}`])
  }
  const kept = await script(`process.setgid(${NOBODY}); process.setuid(${NOBODY}); const db = database.openDatabase(${JSON.stringify(state)}); const { nodeFileSystem } = await import(${JSON.stringify(new URL('../../../src/delivery/file-system.ts', import.meta.url).href)});
    const q = new quarantine.Quarantine(${JSON.stringify(state)}, quarantine.QUARANTINE_BOUNDS, { database: db, files: nodeFileSystem, log: console, now: Date.now }); console.log((await q.keep(facts('AAAA'), outgoing())).status)`)
  assert.equal(kept.output, 'kept\n')
  // One of the two recipients: the entry stays, with new facts.
  const released = await script(`process.exitCode = await runQuarantine({ action: 'release', id: 'AAAA', to: 'bob@b.example' }, io); console.log(process.getuid())`)
  assert.match(released.output, /^bob@b\.example: 250 2\.0\.0 Delivered\nAAAA went on as no spam: [^\n]*\nAAAA stays in the quarantine: 1 of 2 recipients have not had it\n65534\n$/)
  for (const path of ['state/quarantine/AAAA.json', 'mail/bob', 'mail/bob/new']) assert.equal(statSync(join(cwd, path)).uid, NOBODY, path)
})

describe('on the command line', () => {
  async function parse(...argv: readonly string[]): Promise<{ request: QuarantineRequest | undefined; err: string }> {
    let request: QuarantineRequest | undefined
    let err = ''
    const program = new Command('postern').exitOverride().configureOutput({ writeErr: (text) => (err += text), writeOut: () => undefined })
    quarantineCommand(program, () => new Option('-c, --config <file>', 'configuration file'), (asked) => {
      request = asked
      return Promise.resolve()
    })
    try {
      await program.parseAsync(['quarantine', ...argv], { from: 'user' })
    } catch (error) {
      assert.match(String(error), /CommanderError/)
    }
    return { request, err }
  }

  test('each subcommand and its options', async () => {
    assert.deepEqual((await parse('list')).request, { action: 'list', limit: '100' })
    assert.deepEqual((await parse('list', '--json', '--sender', 'a', '--recipient', 'b', '--subject', 'c', '--since', '2h', '--limit', '5', '-c', 'x')).request, { action: 'list', json: true, sender: 'a', recipient: 'b', subject: 'c', since: '2h', limit: '5', config: 'x' })
    assert.deepEqual((await parse('show', 'A', '--raw')).request, { action: 'show', id: 'A', raw: true })
    assert.deepEqual((await parse('show', 'A', '--headers')).request, { action: 'show', id: 'A', headers: true })
    assert.deepEqual((await parse('release', 'A', '--to', 'a@b', '--hop', 'h')).request, { action: 'release', id: 'A', to: 'a@b', hop: 'h' })
    assert.deepEqual((await parse('delete', 'A', 'B', '--config', 'x')).request, { action: 'delete', ids: ['A', 'B'], config: 'x' })
  })

  test('wrong usage asks for nothing', async () => {
    for (const [argv, pattern] of [
      [['show'], /missing required argument 'id'/], [['show', 'A', 'B'], /too many arguments/], [['show', 'A', '--raw', '--headers'], /cannot be used with/],
      [['delete'], /missing required argument 'id'/], [['lst'], /unknown command 'lst'\n\(Did you mean list\?\)/], [['release', 'A', '--too', 'x'], /Did you mean --to\?/], [[], /Usage: postern quarantine/],
    ] as const) {
      const { request, err } = await parse(...argv)
      assert.equal(request, undefined)
      assert.match(err, pattern)
    }
  })
})
