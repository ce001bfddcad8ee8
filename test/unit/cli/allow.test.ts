/** `postern allow`: entries come and go, what is wrong is said, nobody loses an edit. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AllowRequest } from '../../../src/cli/allow-command.ts'
import { runAllow } from '../../../src/cli/allow.ts'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import { editLocked } from '../../../src/cli/locked-edit.ts'
import { DatabaseAllowHits } from '../../../src/state/allow-hits.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { temporaryDirectory } from '../../support/process.ts'

const NOW = Date.UTC(2026, 10, 21)
const REST = 'state: ./state\ndomains: [example.org]\nlisteners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: b }]\nhops: { b: { smtp: "192.0.2.1:25" } }\n'

function stage(policy = 'policy: { allow: allow.yaml }\n') {
  const directory = temporaryDirectory('allow')
  const config = join(directory, 'postern.yaml')
  writeFileSync(config, policy + REST)
  const file = join(directory, 'allow.yaml')
  const run = async (request: AllowRequest): Promise<{ code: number; out: string; err: string }> => {
    let out = ''
    let err = ''
    const code = await runAllow({ config, ...request }, { environment: {}, cwd: directory, out: (text) => (out += text), err: (text) => (err += text), now: () => NOW, user: () => 'eve' })
    return { code, out, err }
  }
  return { directory, file, run, text: () => readFileSync(file, 'utf8') }
}

const trouble = (_: unknown, text: string): never => assert.fail(text)
const ADD = { action: 'add', reason: 'a partner', expires: '90d' } as const
const LIST = { action: 'list' } as const

test('an entry is added to a file that was not there, listed, and removed', async () => {
  const { run, file } = stage()
  assert.match((await run(LIST)).out, /^nobody is on the list /)
  assert.deepEqual(await run({ ...ADD, domain: '.partner.example', checks: 'rdns, fcrdns', recipient: '@example.org' }), { code: 0, out: 'added partner.example, until 2027-02-19\n', err: '' })
  assert.ok(existsSync(file))
  const listed = (await run(LIST)).out
  assert.equal(listed, 'partner.example: domain .partner.example, to @example.org, from the checks rdns, fcrdns; until 2027-02-20 00:00 UTC; never of use; eve: a partner\n')
  await run({ ...ADD, domain: 'partner.example', expires: 'never' })
  await run({ ...ADD, address: ['192.0.2.0/24', '2001:db8::/48'], id: 'lab', author: 'Adam', expires: '2026-01-01' })
  const json = (await run({ action: 'list', json: true })).out.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(json.map(({ id, expired, author }) => [id, expired, author]), [['partner.example', false, 'eve'], ['partner.example-2', false, 'eve'], ['lab', true, 'Adam']])
  assert.match((await run(LIST)).out, /lab: address 192\.0\.2\.0\/24, 2001:db8::\/48; EXPIRED/)
  assert.deepEqual((await run({ action: 'remove', ids: ['partner.example', 'lab'] })).out, 'removed partner.example\nremoved lab\n')
  assert.equal((await run({ action: 'list', json: true })).out.split('\n').length, 2)
})

test('comments and mode of the file stay', async () => {
  const { run, file, text } = stage()
  writeFileSync(file, '# ours\nentries:\n  - { id: a, match: { spf: a.example }, scope: all, reason: r, author: eve, expires: never }   # the first\n')
  chmodSync(file, 0o640)
  await run({ ...ADD, dkim: 'b.example' })
  assert.match(text(), /^# ours\n[^]*# the first\n[^]*b\.example/)
  assert.equal(statSync(file).mode & 0o777, 0o640)
  assert.ok(!existsSync(`${file}.lock`))
})

test('how often an entry was of use', async () => {
  const { run, directory } = stage()
  await run({ ...ADD, spf: 'a.example' })
  const database = openDatabase(join(directory, 'state'))
  const hits = new DatabaseAllowHits(database, { debug: trouble, info: trouble, warn: trouble, error: trouble })
  hits.hit('a.example', NOW)
  hits.hit('a.example', NOW - 1000)
  hits.flush()
  hits.hit('a.example', NOW)
  hits.flush()
  database.close()
  assert.match((await run(LIST)).out, /of use 3 times, last 2026-11-21 00:00 UTC/)
})

test('what is wrong is said, and changes nothing', async () => {
  const { run, file } = stage()
  await assert.rejects(run({ ...ADD }), /exactly one of --domain, --dkim, --spf and --address/)
  await assert.rejects(run({ ...ADD, domain: 'a.example', spf: 'a.example' }), /exactly one/)
  for (const [request, said] of [
    [{ ...ADD, domain: 'com' }, /^--domain: found "com"; allowed: a domain with at least two labels/], [{ ...ADD, domain: 'a.example', checks: 'rnds' }, /^--checks: found "rnds".* did you mean/], [{ ...ADD, domain: 'a.example', expires: 'tomorrow' }, /^--expires: found "tomorrow"; allowed: a day \(2027-01-31\)/],
    [{ ...ADD, address: ['0.0.0.0/0'] }, /^--address: .*no wider than/], [{ ...ADD, domain: 'a.example', id: 'x y' }, /^--id: found "x y"/],
  ] as const) {
    await assert.rejects(run(request), (error) => error instanceof ExitError && error.exitCode === 64 && said.test(error.message))
  }
  assert.ok(!existsSync(file))
  await assert.rejects(run({ action: 'remove', ids: ['nobody'] }), (error) => error instanceof ExitError && error.exitCode === 66)
  const none = stage('')
  await assert.rejects(none.run(LIST), /names no allow list: add "policy: \{ allow: allow\.yaml \}" to it/)
})

test('edits at once lose nothing; a lock that a dead process left is broken, one that is held is waited for', async () => {
  const { run, file } = stage()
  await Promise.all(Array.from({ length: 12 }, (_, i) => run({ ...ADD, domain: `d${i}.example` })))
  assert.equal((await run({ action: 'list', json: true })).out.trim().split('\n').length, 12)
  writeFileSync(`${file}.lock`, '')
  utimesSync(`${file}.lock`, 1, 1)
  assert.equal((await run({ ...ADD, domain: 'late.example' })).code, 0)
  // A reader never sees half a file: the new one takes the place of the old.
  const before = statSync(file).ino
  await editLocked(file, (text) => `${text}# more\n`)
  assert.notEqual(statSync(file).ino, before)
})

test('whatever the umask is, mode and owner stay, and a link stays a link; a new file can be read by the gateway', async () => {
  const { run, file, directory } = stage()
  const real = join(directory, 'real.yaml')
  writeFileSync(real, 'entries: []\n')
  chmodSync(real, 0o664)
  const root = process.getuid?.() === 0
  if (root) chownSync(real, 4321, 5432)
  symlinkSync(real, file)
  const umask = process.umask(0o077)
  try {
    await run({ ...ADD, domain: 'a.example' })
    const fresh = stage()
    await fresh.run({ ...ADD, domain: 'a.example' })
    assert.equal(statSync(fresh.file).mode & 0o777, 0o644)
  } finally {
    process.umask(umask)
  }
  assert.ok(lstatSync(file).isSymbolicLink())
  assert.match(readFileSync(real, 'utf8'), /a\.example/)
  const { mode, uid, gid } = statSync(real)
  assert.equal(mode & 0o777, 0o664)
  if (root) assert.deepEqual([uid, gid], [4321, 5432])
  assert.deepEqual(readdirSync(directory).sort(), ['allow.yaml', 'postern.yaml', 'real.yaml'])
})

test('an edit that took too long is done again on what others left, and their lock is left to them', async () => {
  const { file } = stage()
  const seen: string[] = []
  await editLocked(file, (text) => {
    seen.push(text)
    if (seen.length === 1) {
      // Somebody took us for dead, and has edited and gone.
      rmSync(`${file}.lock`)
      writeFileSync(file, 'theirs\n')
    }
    return `${text}ours\n`
  })
  assert.deepEqual(seen, ['', 'theirs\n'])
  assert.equal(readFileSync(file, 'utf8'), 'theirs\nours\n')
  await assert.rejects(editLocked(file, () => {
    writeFileSync(`${file}.lock`, 'of another')
    throw new Error('stop')
  }), /stop/)
  assert.equal(readFileSync(`${file}.lock`, 'utf8'), 'of another')
})

test('who it is may stand without an option: an address, a domain, all below it, an IP address or network', async () => {
  const { run, text } = stage()
  for (const [who, said, written] of [
    ['partner.example', 'partner.example', 'domain: partner.example'], ['.Partner.example', 'partner.example-2', 'domain: .Partner.example'], ['@other.example', 'other.example', 'domain: other.example'],
    ['192.0.2.7', '192.0.2.7', 'address: 192.0.2.7'], ['192.0.2.0/24', '192.0.2.0-24', 'address: 192.0.2.0/24'], ['2001:db8::/48', '2001-db8-48', 'address: 2001:db8::/48'],
    ['Bob@mail.example', 'bob-mail.example', 'spf: mail.example'], ['<eve@mail.example>', 'eve-mail.example', 'sender: eve@mail.example'],
  ] as const) {
    assert.deepEqual(await run({ ...ADD, who }), { code: 0, out: `added ${said}, until 2027-02-19\n`, err: '' })
    assert.ok(text().includes(written), `${written} in ${text()}`)
  }
  assert.match((await run(LIST)).out, /^bob-mail\.example: spf mail\.example, from bob@mail\.example; until/m)
})

test('what is none of these is told with what is allowed', async () => {
  const { run, file } = stage()
  const refusal = async (request: object): Promise<string> => {
    try {
      await run({ ...ADD, ...request })
    } catch (error) {
      if (error instanceof ExitError) return `${error.exitCode} ${error.message}`
      throw error
    }
    return assert.fail('it was taken')
  }
  const allowed = 'allowed: an address (bob@example.net), a domain (example.net), all below a domain (.example.net), an IP address or network (192.0.2.0/24)'
  for (const who of ['bob', '300.1.2.3/8', '@', 'bob@', 'a b@example.net', '*.example.net', 'bob@example.net, eve@example.net', '']) assert.equal(await refusal({ who }), `64 ${JSON.stringify(who)} is nobody whom a list could let through; ${allowed}`)
  assert.match(await refusal({ who: 'partner.example', spf: 'partner.example' }), /^64 say who it is once: as an argument, or by one of --domain, --dkim, --spf and --address$/)
  assert.match(await refusal({ who: 'bob@example.net', sender: 'example.org' }), /^64 --sender: with the address of a sender nothing is left to say of it$/)
  assert.match(await refusal({}), /^64 say who it is: an address \(bob@example\.net\)/)
  assert.match(await refusal({ who: '0.0.0.0/0' }), /^64 --address[^]*0\.0\.0\.0\/0/)
  assert.equal(existsSync(file), false)
})

test('a list with errors is not edited, and the errors are those of the file', async () => {
  const { run, file } = stage()
  await run({ ...ADD, domain: 'a.example' })
  const broken = `${readFileSync(file, 'utf8')}more: x\n`
  writeFileSync(file, broken)
  for (const request of [{ ...ADD, domain: 'b.example' }, { action: 'remove', ids: ['a.example'] }, LIST] as const) {
    const { code, out, err } = await run(request)
    assert.equal(code, 65)
    assert.equal(out, '')
    assert.match(err, /allow\.yaml:\d+:1: more: unknown key/)
  }
  assert.equal(readFileSync(file, 'utf8'), broken)
})
