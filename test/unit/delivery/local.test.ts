import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMaildirHop } from '../../../src/delivery/local.ts'
import { formatReply } from '../../../src/smtp/reply.ts'
import { CLIENT, domain, domains, localHop, NOT_ROOT, outgoing, path, rememberedLog, ROOT, send, SETTINGS, stored } from './local-fixture.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const LETTER = outgoing(stored('Subject: a\r\n\r\nb\r\n'))

function disk(files: Readonly<Record<string, string>> = {}): SimulatedDisk {
  const made = new SimulatedDisk(['/mail', '/etc'])
  for (const [file, text] of Object.entries(files)) made.put(`/etc/${file}`, text)
  return made
}

const mail = (from: SimulatedDisk): string[] => [...from.visible().keys()].filter((file) => file.startsWith('/mail')).map((file) => file.replace(/\/new\/.*/, '')).sort()

describe('replies to RCPT', () => {
  const users = { users: 'anna\nbert@example.com\n' }
  async function rcpt(address: string, settings = {}, files: Readonly<Record<string, string>> = users): Promise<string> {
    const { hop } = localHop({ users: '/etc/users', ...settings }, { files: disk(files) })
    const transaction = hop.begin(CLIENT)
    await transaction.mail(path('x@client.example'))
    return formatReply(await transaction.rcpt(path(address))).trimEnd()
  }

  test('a user, nobody, another domain, a name that cannot be', async () => {
    assert.equal(await rcpt('anna@example.org'), '250 2.1.5 Recipient OK')
    assert.equal(await rcpt('ANNA@Example.ORG'), '250 2.1.5 Recipient OK')
    assert.equal(await rcpt('ghost@example.org'), '550 5.1.1 No such user here')
    assert.equal(await rcpt('bert@example.org'), '550 5.1.1 No such user here')
    assert.equal(await rcpt('anna@elsewhere.example'), '550 5.7.1 Relaying denied')
    assert.equal(await rcpt('"../../etc/x"@example.org'), '553 5.1.3 No mailbox can have this name')
    assert.equal(await rcpt(`${'a'.repeat(300)}@example.org`, { users: undefined }), '553 5.1.3 No mailbox can have this name')
  })

  test('postmaster, with and without a domain', async () => {
    assert.equal(await rcpt('postmaster'), '250 2.1.5 Recipient OK')
    assert.equal(await rcpt('PostMaster@example.com'), '250 2.1.5 Recipient OK')
  })

  test('files that cannot be read are a 451', async () => {
    assert.equal(await rcpt('anna@example.org', {}, {}), '451 4.3.0 Mailboxes are not available at the moment, try again later')
    assert.equal(await rcpt('anna@example.org', { aliases: '/etc/aliases' }), '451 4.3.0 Mailboxes are not available at the moment, try again later')
  })

  test('the cause of a 451 is in the log', async () => {
    const { hop, log } = localHop({ users: '/etc/users' }, { files: disk() })
    await send(hop, ['anna@example.org'], LETTER)
    assert.ok(log.has('error', 'ENOENT'))
    assert.ok(log.lines.some((line) => line.facts['id'] === 'TEST1'))
  })

  test('parameters that are not offered', async () => {
    const { hop } = localHop({}, { files: disk() })
    const transaction = hop.begin(CLIENT)
    assert.equal(formatReply(await transaction.mail(path('a@b.example', { keyword: 'RET', value: 'FULL' }))).trimEnd(), '555 5.5.4 Parameter RET is not offered')
    assert.equal(formatReply(await transaction.mail(path('a@b.example', { keyword: 'BODY', value: 'BINARYMIME' }))).slice(0, 9), '554 5.6.1')
    assert.equal(formatReply(await transaction.mail(path('a@b.example', { keyword: 'BODY', value: '8BITMIME' }))).trimEnd(), '250 2.1.0 Sender OK')
    assert.equal(formatReply(await transaction.rcpt(path('a@example.org', { keyword: 'NOTIFY', value: 'NEVER' }))).slice(0, 9), '555 5.5.4')
    transaction.abort()
  })

  test('with anyDomain mail to whatever domain is kept', async () => {
    const files = disk()
    const { hop } = localHop({}, { files, domains: domains(), anyDomain: true })
    const { rcpts, data } = await send(hop, ['x@elsewhere.example'], LETTER)
    assert.deepEqual([...rcpts, data], ['250 2.1.5 Recipient OK', '250 2.0.0 Delivered'])
    assert.deepEqual(mail(files), ['/mail/elsewhere.example/x'])
  })
})

describe('a message', () => {
  test('of the null sender, with a suffix, for two who share a mailbox: one copy, each address told', async () => {
    const files = disk({ users: 'anna\n', aliases: 'info: anna\n' })
    const { hop } = localHop({ users: '/etc/users', aliases: '/etc/aliases' }, { files })
    const transaction = hop.begin(CLIENT)
    await transaction.mail({ path: { wire: '<>', mailbox: null }, parameters: [] })
    for (const to of ['Anna+Shop@example.org', 'info@example.org', 'info@example.org']) assert.equal((await transaction.rcpt(path(to))).status, 250)
    assert.equal((await transaction.data(LETTER)).length, 1)
    const texts = [...files.visible()].filter(([file]) => file.startsWith('/mail')).map(([, text]) => text)
    assert.deepEqual(texts, ['Return-Path: <>\nDelivered-To: Anna+Shop@example.org\nDelivered-To: info@example.org\nSubject: a\n\nb\n'])
  })

  test('to an alias of several goes to all of them', async () => {
    const files = disk({ users: 'anna\nbert\n', aliases: 'all: anna, bert@example.com\n' })
    const { hop } = localHop({ users: '/etc/users', aliases: '/etc/aliases' }, { files })
    await send(hop, ['all@example.org'], LETTER)
    assert.deepEqual(mail(files), ['/mail/example.com/bert', '/mail/example.org/anna'])
  })

  test('with an internationalised address keeps its bytes', async () => {
    const files = disk()
    const { hop } = localHop({}, { files })
    await send(hop, ['Jürgen@example.org'], LETTER)
    const [[file, text] = ['', '']] = files.visible()
    assert.ok(file.startsWith('/mail/example.org/jürgen/new/'))
    assert.equal(Buffer.from(text, 'latin1').toString('utf8').split('\n')[1], 'Delivered-To: Jürgen@example.org')
  })

  test('that was delivered to the same address before is a loop', async () => {
    const files = disk()
    const { hop, log } = localHop({}, { files })
    const looping = outgoing(stored('Delivered-To: ANNA@example.org\r\nSubject: a\r\n\r\nb\r\n'))
    assert.equal((await send(hop, ['bert@example.org', 'anna@example.org'], looping)).data, '554 5.4.6 Mail loop: the message was delivered to this address before')
    assert.deepEqual(mail(files), [])
    assert.ok(log.has('warn', 'anna@example.org'))
    assert.equal((await send(hop, ['anna+x@example.org'], looping)).data, '250 2.0.0 Delivered')
  })

  test('of binary content cannot be kept', async () => {
    const { hop } = localHop({}, { files: disk() })
    assert.match((await send(hop, ['anna@example.org'], { ...LETTER, binary: true })).data, /^554 5\.6\.1 /)
  })

  test('without a recipient is not delivered', async () => {
    const { hop } = localHop({}, { files: disk() })
    assert.match((await send(hop, [], LETTER)).data, /^554 5\.5\.1 /)
  })

  test('goes to a mailbox once over several transactions that know of each other', async () => {
    const files = disk()
    const { hop } = localHop({}, { files })
    const done = new Set<string>()
    for (const to of ['anna@example.org', 'anna+x@example.org']) {
      const transaction = hop.begin(CLIENT, done)
      await transaction.mail(path('a@b.example'))
      await transaction.rcpt(path(to))
      assert.equal((await transaction.data(LETTER))[0]?.status, 250)
    }
    assert.equal(mail(files).length, 1)
  })

  test('what nobody foresaw is a 451 with its stack in the log', async () => {
    const files = disk()
    Object.assign(files, { open: () => Promise.reject(new TypeError('a bug')), mkdir: () => { throw new TypeError('a bug') } })
    const { hop, log } = localHop({}, { files })
    const broken = { ...LETTER, body: { ...LETTER.body, get memory(): readonly Buffer[] { throw new TypeError('a bug') } } }
    assert.match((await send(hop, ['anna@example.org'], broken)).data, /^451 4\.3\.0 /)
    assert.ok(log.has('error', 'TypeError: a bug'))
  })
})

describe('the hop', () => {
  test('says what it can do: 8-bit, UTF-8, BDAT, REQUIRETLS; no DSN, no binary', async () => {
    const { hop } = localHop({}, { files: disk() })
    const capabilities = await hop.capabilities()
    for (const yes of ['8BITMIME', 'SMTPUTF8', 'CHUNKING', 'REQUIRETLS', 'PIPELINING', 'ENHANCEDSTATUSCODES']) assert.ok(capabilities?.has(yes), yes)
    for (const no of ['DSN', 'BINARYMIME', 'STARTTLS', 'XCLIENT', 'XFORWARD']) assert.equal(capabilities?.has(no), false, no)
    assert.deepEqual([hop.name, hop.kind], ['local', 'maildir'])
  })

  test('close waits for transactions that run and refuses new ones', async () => {
    const { hop } = localHop({}, { files: disk() })
    const running = hop.begin(CLIENT)
    await running.mail(path('a@b.example'))
    await running.rcpt(path('anna@example.org'))
    let closed = false
    const closing = hop.close().then(() => (closed = true))
    assert.match(formatReply(await hop.begin(CLIENT).mail(path('a@b.example'))), /^451 4\.3\.2 /)
    assert.equal(closed, false)
    assert.equal((await running.data(LETTER))[0]?.status, 250)
    await closing
  })

  test('close ends when the last transaction is aborted, and at once without any', async () => {
    const { hop } = localHop({}, { files: disk() })
    const running = hop.begin(CLIENT)
    await running.mail(path('a@b.example'))
    const closing = hop.close()
    running.abort()
    running.abort()
    await closing
    await hop.close()
  })

  test('files in tmp that are older than 36 hours go, others stay', async () => {
    const files = disk()
    const tmp = '/mail/example.org/anna/tmp'
    const now = 1_700_000_000_000
    const { hop } = localHop({}, { files })
    await send(hop, ['anna@example.org'], LETTER)
    await hop.close()
    files.put(`${tmp}/old`, 'x', now - 36 * 3600_000 - 1)
    files.put(`${tmp}/young`, 'x', now - 35 * 3600_000)
    const later = localHop({}, { files, random: 'later' })
    await send(later.hop, ['anna@example.org'], LETTER)
    await later.hop.close()
    assert.deepEqual([...files.visible().keys()].filter((file) => file.startsWith(tmp)), [`${tmp}/young`])
  })

  test('tmp is looked through once a day', async () => {
    const files = disk()
    let nowMs = 0
    const { hop } = localHop({}, { files, monotonicMs: () => nowMs })
    for (const at of [0, 1000, 24 * 3600_000]) {
      nowMs = at
      await send(hop, ['anna@example.org'], LETTER)
    }
    await hop.close()
    assert.equal(files.calls.filter((call) => call === 'list').length, 2)
  })
})

describe('check', () => {
  const context = { hostname: 'mx.example.org', log: rememberedLog(), domains: domains('example.org') }
  async function check(settings: Partial<typeof SETTINGS>, files = disk(), identity = NOT_ROOT) {
    return await createMaildirHop({ ...SETTINGS, ...settings }, { ...context, files, process: identity }).check()
  }

  test('finds nothing where all is well', async () => {
    assert.deepEqual(await check({ users: '/etc/users', catchAll: 'anna@example.org' }, disk({ users: 'anna\n' })), { errors: [], warnings: [] })
  })

  test('names what is wrong with the files, the catch-all and the folder', async () => {
    const report = await check({ users: '/etc/users', aliases: '/etc/aliases', path: '/none/{local}', catchAll: 'ghost@example.org' }, disk({ users: 'anna\n', aliases: 'a: anna\nb: ghost\n' }))
    assert.equal(report.errors.length, 2)
    assert.match(report.errors[0] ?? '', /catch_all: ghost@example\.org is neither user nor alias/)
    assert.match(report.errors[1] ?? '', /\/none must exist/)
    assert.deepEqual(report.warnings, ['/etc/aliases:2: b: target ghost is neither user nor alias'])
  })

  test('postmaster is a catch-all that needs no user', async () => {
    assert.deepEqual((await check({ users: '/etc/users', catchAll: 'postmaster@example.org' }, disk({ users: 'anna\n' }))).errors, [])
  })

  test('settings that cannot work do not make a hop', () => {
    const make = (settings: Partial<typeof SETTINGS>, identity = NOT_ROOT) => () => createMaildirHop({ ...SETTINGS, ...settings }, { ...context, process: identity })
    assert.throws(make({ path: '/mail/{nobody}' }), /hops\.local\.maildir: \{nobody\} is not known/)
    assert.throws(make({ catchAll: 'x@elsewhere.example' }), /catch_all: elsewhere\.example is not among the domains/)
    assert.throws(make({ catchAll: '../x' }), /catch_all/)
    assert.throws(make({ uid: 1 }), /hops\.local\.owner: files cannot be given to user 1 by user 5000/)
    assert.throws(make({ gid: 1 }), /hops\.local\.owner: files cannot be given to group 1/)
    assert.throws(make({ uid: 1 }, { ...ROOT, platform: 'freebsd' }), /safe on Linux only/)
    assert.doesNotThrow(make({ uid: 5000, gid: 5000 }))
    assert.doesNotThrow(make({ uid: 1, gid: 1 }, ROOT))
  })

  test('a domain of the hostname is that of <postmaster>, otherwise the first', async () => {
    const files = disk()
    const first = localHop({}, { files })
    await send(first.hop, ['postmaster'], LETTER)
    const own = localHop({}, { files, hostname: 'example.com' })
    await send(own.hop, ['postmaster'], LETTER)
    assert.deepEqual(mail(files), ['/mail/example.com/postmaster', '/mail/example.org/postmaster'])
    assert.equal(domain('example.com'), 'example.com')
  })
})
