import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAddressSource, type AddressSource } from '../../../src/delivery/address-source.ts'
import { resolveAddress } from '../../../src/delivery/address-book.ts'
import { domain, domains, rememberedLog, type RememberedLog } from './local-fixture.ts'
import { SimulatedDisk } from './simulated-disk.ts'

interface Ground {
  readonly disk: SimulatedDisk
  readonly log: RememberedLog
  readonly source: AddressSource
  nowMs: number
  /** what a recipient is told: user, unknown or unavailable */
  ask(local: string): Promise<string>
  write(file: string, text: string): void
}

function ground(files: { users?: string; aliases?: string }): Ground {
  const disk = new SimulatedDisk(['/etc'])
  const log = rememberedLog()
  let stampMs = 1000
  const made: Ground = {
    disk, log, nowMs: 0,
    source: createAddressSource({
      hop: 'local', users: '/etc/users', aliases: files.aliases === undefined ? undefined : '/etc/aliases', suffix: '', catchAll: undefined, domains: domains('example.org'),
    }, { files: disk, log, monotonicMs: () => made.nowMs }),
    async ask(local) {
      const current = await made.source.current()
      return current.status === 'unavailable' ? current.status : resolveAddress(current.book, { local, domain: domain('example.org') }).status
    },
    write: (file, text) => disk.put(file, text, stampMs++),
  }
  if (files.users !== undefined) made.write('/etc/users', files.users)
  if (files.aliases !== undefined) made.write('/etc/aliases', files.aliases)
  return made
}

test('the file is looked at once a second, and read where it changed', async () => {
  const g = ground({ users: 'anna\n' })
  assert.equal(await g.ask('anna'), 'mailboxes')
  g.write('/etc/users', 'bert\n')
  g.nowMs = 999
  assert.equal(await g.ask('bert'), 'unknown')
  g.nowMs = 1000
  assert.equal(await g.ask('bert'), 'mailboxes')
  assert.equal(await g.ask('anna'), 'unknown')
  g.nowMs = 2999
  await g.ask('anna')
  assert.deepEqual(g.disk.calls, ['stat', 'read', 'stat', 'read', 'stat'])
  // Once more when it has settled, and then no more.
  for (const ms of [4000, 8000, 12_000]) {
    g.nowMs = ms
    await g.ask('anna')
  }
  assert.deepEqual(g.disk.calls.slice(5), ['stat', 'read', 'stat', 'stat'])
})

test('one that was read half, and was finished without another stamp, is read whole soon', async () => {
  const g = ground({ users: 'anna\n' })
  assert.equal(await g.ask('anna'), 'mailboxes')
  // Of the same size, and written in place, both within one tick of the clock.
  g.disk.put('/etc/users', 'anna\ncar\n-----\n', 5000)
  g.nowMs = 1000
  assert.equal(await g.ask('bert'), 'unknown')
  g.disk.put('/etc/users', 'anna\ncar\nberta\n', 5000)
  g.nowMs = 2000
  assert.equal(await g.ask('berta'), 'unknown')
  g.nowMs = 3000
  assert.equal(await g.ask('berta'), 'mailboxes')
  assert.equal(await g.ask('anna'), 'mailboxes')
  // It changed while it settled, so it is looked at once more.
  g.disk.put('/etc/users', 'anna\ncar\nbertb\n', 5000)
  g.nowMs = 5000
  assert.deepEqual([await g.ask('berta'), await g.ask('bertb')], ['unknown', 'mailboxes'])
})

test('many who ask at the same moment cause one reading', async () => {
  const g = ground({ users: 'anna\n' })
  assert.deepEqual(await Promise.all([g.ask('anna'), g.ask('anna'), g.ask('bert')]), ['mailboxes', 'mailboxes', 'unknown'])
  assert.deepEqual(g.disk.calls, ['stat', 'read'])
})

test('a malformed file is told with its lines, and the last good content stays', async () => {
  const g = ground({ users: 'anna\n' })
  assert.equal(await g.ask('anna'), 'mailboxes')
  g.write('/etc/users', 'bert\n:x\n')
  g.nowMs = 2000
  assert.equal(await g.ask('anna'), 'mailboxes')
  assert.equal(await g.ask('bert'), 'unknown')
  assert.ok(g.log.has('error', '/etc/users:2: the user has no name'))
  const told = g.log.lines.length
  g.nowMs = 4000
  await g.ask('anna')
  assert.equal(g.log.lines.length, told, 'not again while nothing changes')
  g.write('/etc/users', 'bert\n')
  g.nowMs = 6000
  assert.equal(await g.ask('bert'), 'mailboxes')
})

test('a file that was never good makes everybody wait', async () => {
  const g = ground({ users: ':x\n' })
  assert.equal(await g.ask('anna'), 'unavailable')
  g.write('/etc/users', 'anna\n')
  g.nowMs = 1000
  assert.equal(await g.ask('anna'), 'mailboxes')
})

test('an unreadable file makes everybody wait until it is there again', async () => {
  const g = ground({ users: 'anna\n' })
  await g.ask('anna')
  g.disk.remove('/etc/users')
  g.nowMs = 1000
  assert.equal(await g.ask('anna'), 'unavailable')
  assert.ok(g.log.has('error', '/etc/users: ENOENT'))
  g.write('/etc/users', 'anna\n')
  g.nowMs = 2000
  assert.equal(await g.ask('anna'), 'mailboxes')
})

test('a file that cannot be read for a moment is read again though its stamp is the same', async () => {
  const g = ground({ users: 'anna\n' })
  g.disk.fault = { kind: 'error', at: 1, code: 'EIO' }
  assert.equal(await g.ask('anna'), 'unavailable')
  g.nowMs = 1000
  assert.equal(await g.ask('anna'), 'mailboxes')
})

test('text that is not UTF-8, and a directory, are errors', async () => {
  const g = ground({})
  g.disk.put('/etc/users', '')
  const bytes = new SimulatedDisk(['/etc/users'])
  assert.equal(await g.ask('anna'), 'unknown')
  Object.assign(g.disk, { read: () => Promise.resolve(Buffer.from([0x61, 0xff, 0x0a])) })
  await g.source.reload()
  assert.ok(g.log.has('error', '/etc/users: is not valid UTF-8'))
  const source = createAddressSource({ hop: 'local', users: '/etc/users', aliases: undefined, suffix: '', catchAll: undefined, domains: domains('example.org') }, { files: bytes, log: g.log, monotonicMs: () => 0 })
  assert.deepEqual((await source.reload()).errors, ['/etc/users: is not a file'])
})

test('aliases that go in a circle are refused at load; the old ones stay', async () => {
  const g = ground({ users: 'anna\n', aliases: 'info: anna\n' })
  assert.equal(await g.ask('info'), 'mailboxes')
  g.write('/etc/aliases', 'info: help\nhelp: info\n')
  g.nowMs = 1000
  assert.equal(await g.ask('info'), 'mailboxes')
  assert.ok(g.log.has('error', '/etc/aliases:1: aliases in a circle: info -> help -> info'))
})

test('reload reads at once and reports; unknown targets are warnings', async () => {
  const g = ground({ users: 'anna\n', aliases: 'info: ghost\n' })
  assert.deepEqual(await g.source.reload(), { errors: [], warnings: ['/etc/aliases:1: info: target ghost is neither user nor alias'] })
  g.write('/etc/aliases', 'info: x@elsewhere.example\n')
  const report = await g.source.reload()
  assert.match(report.errors[0] ?? '', /^\/etc\/aliases:1: x@elsewhere\.example: .* needs a queue/)
})

test('a file that is empty all at once is not believed: nobody is returned for it', async () => {
  const g = ground({ users: 'anna\n', aliases: 'info: anna\n' })
  assert.equal(await g.ask('anna'), 'mailboxes')
  for (const nothing of ['', '\n\n', '# being written\n']) {
    g.write('/etc/users', nothing)
    g.write('/etc/aliases', nothing)
    g.nowMs += 1000
    assert.deepEqual([await g.ask('anna'), await g.ask('info')], ['mailboxes', 'mailboxes'])
  }
  assert.ok(g.log.has('error', '/etc/users: is empty, and was not before'))
  // One that breaks off is an error of its own; the content from before the empty one still stands.
  g.write('/etc/users', 'an na\n')
  g.nowMs += 1000
  assert.equal(await g.ask('anna'), 'mailboxes')
  g.write('/etc/users', 'bert\n')
  g.nowMs += 1000
  assert.deepEqual([await g.ask('anna'), await g.ask('bert')], ['unknown', 'mailboxes'])
})

test('one that was empty from the beginning has nobody', async () => {
  assert.equal(await ground({ users: '' }).ask('anna'), 'unknown')
})
