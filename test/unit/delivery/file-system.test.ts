/**
 * Local delivery on the real disk: modes under a hostile umask, links that
 * lead astray, a full disk, no permission. What needs root says so.
 */
import assert from 'node:assert/strict'
import { chmodSync, closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCode, nodeFileSystem, writeAll } from '../../../src/delivery/file-system.ts'
import { processIdentity } from '../../../src/delivery/local-settings.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { localHop, outgoing, send, spooled, stored } from './local-fixture.ts'

const needsRoot = process.geteuid?.() === 0 ? false : 'only root can give files away'
const real = () => ({ files: nodeFileSystem, process: processIdentity() })

function onlyMessage(maildir: string): string {
  const [name, ...others] = readdirSync(join(maildir, 'new'))
  assert.deepEqual(others, [])
  assert.ok(name !== undefined)
  return join(maildir, 'new', name)
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return !readlinkSync(`/proc/self/fd/${fd}`).startsWith('/proc')
    } catch {
      return false
    }
  }).length
}

test('modes are those of the settings, whatever the umask', async () => {
  const root = temporaryDirectory('delivery')
  const { hop } = localHop({ path: `${root}/{domain}/{local}`, mode: 0o660 }, real())
  const before = process.umask(0o077)
  try {
    assert.equal((await send(hop, ['anna@example.org'], outgoing(stored('Subject: a\r\n\r\nb\r\n')))).data, '250 2.0.0 Delivered')
  } finally {
    process.umask(before)
  }
  const maildir = join(root, 'example.org/anna')
  assert.equal(statSync(onlyMessage(maildir)).mode & 0o777, 0o660)
  for (const folder of ['..', '.', 'cur', 'new', 'tmp']) assert.equal(statSync(join(maildir, folder)).mode & 0o777, 0o770, folder)
  await hop.close()
})

test('the size in the name is the size of the file, for messages in memory and in files', async () => {
  const root = temporaryDirectory('delivery')
  const { hop } = localHop({ path: `${root}/{local}` }, real())
  const text = `Subject: a\r\n\r\n${`${'x'.repeat(77)}\r\n`.repeat(40_000)}`
  await send(hop, ['anna@example.org'], outgoing(stored(text)))
  await send(hop, ['bert@example.org'], outgoing(spooled(text, 65_536)))
  for (const local of ['anna', 'bert']) {
    const file = onlyMessage(join(root, local))
    const content = readFileSync(file, 'latin1')
    assert.equal(Number(/,S=(\d+)$/.exec(file)?.[1]), content.length)
    assert.equal(content, `Return-Path: <sender@client.example>\nDelivered-To: ${local}@example.org\n${text.replaceAll('\r\n', '\n')}`)
  }
  await hop.close()
})

test('a full disk is a 452', { skip: existsSync('/dev/full') ? false : 'there is no /dev/full here' }, async () => {
  const root = temporaryDirectory('delivery')
  const files = { ...nodeFileSystem, open: (path: string, flags: number, mode: number) => nodeFileSystem.open((flags & constants.O_CREAT) === 0 ? path : '/dev/full', flags & ~(constants.O_CREAT | constants.O_EXCL), mode), chmod: () => Promise.resolve() }
  mkdirSync(join(root, 'anna/new'), { recursive: true })
  mkdirSync(join(root, 'anna/tmp'))
  const { hop, log } = localHop({ path: `${root}/{local}` }, { files })
  assert.equal((await send(hop, ['anna@example.org'], outgoing(stored('a\r\n')))).data, '452 4.3.1 No space for the message, try again later')
  assert.ok(log.has('error', 'ENOSPC'))
})

test('a write that is cut short is finished, wherever it is cut', async () => {
  const pieces = ['ab', '', 'c', 'defg', ''].map((text) => Buffer.from(text))
  // How many bytes each call takes: 0 is a call that takes none.
  for (const cuts of [[7], [1, 6], [2, 5], [3, 4], [4, 3], [6, 1], [1, 1, 1, 1, 1, 1, 1], [0, 2, 0, 5]]) {
    let written = ''
    const left = [...cuts]
    await writeAll(pieces, (rest) => {
      const all = Buffer.concat(rest)
      const bytesWritten = left.shift() ?? assert.fail('written more often than there are bytes')
      assert.equal(all.toString('latin1'), 'abcdefg'.slice(written.length))
      written += all.toString('latin1', 0, bytesWritten)
      return Promise.resolve({ bytesWritten })
    })
    assert.equal(written, 'abcdefg')
    assert.deepEqual(left, [])
  }
  await assert.rejects(writeAll(pieces, () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))), { code: 'ENOSPC' })
})

test('a write of very many pieces is whole', async () => {
  const root = temporaryDirectory('delivery')
  const pieces = Array.from({ length: 2000 }, (_, i) => Buffer.from(`${i},`))
  const file = await nodeFileSystem.open(join(root, 'x'), constants.O_WRONLY | constants.O_CREAT, 0o600)
  // More than IOV_MAX pieces: writev(2) takes 1024 of them at once.
  await nodeFileSystem.write(file, [Buffer.alloc(0), ...pieces, Buffer.alloc(0)])
  await nodeFileSystem.close(file)
  assert.equal(readFileSync(join(root, 'x'), 'latin1'), Buffer.concat(pieces).toString('latin1'))
})

test('a file above the bound is not read', async () => {
  const root = temporaryDirectory('delivery')
  writeFileSync(join(root, 'x'), 'x'.repeat(1000))
  assert.equal((await nodeFileSystem.read(join(root, 'x'), 1000)).length, 1000)
  await assert.rejects(nodeFileSystem.read(join(root, 'x'), 999), (error) => errorCode(error) === 'EFBIG')
})

test('a file or a link that waits in tmp under our name is neither overwritten nor followed', async () => {
  for (const planted of ['file', 'link', 'dangling']) {
    const root = temporaryDirectory('delivery')
    const tmp = join(root, 'anna/tmp')
    for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(root, 'anna', part), { recursive: true })
    // The fixture's clock and random part make the name known.
    const name = join(tmp, `1700000000.M000000P${process.pid}Q1Rabc.mx.example.org`)
    const victim = planted === 'file' ? name : join(root, 'victim')
    if (planted !== 'dangling') writeFileSync(victim, 'precious')
    if (planted !== 'file') symlinkSync(victim, name)
    const flags: number[] = []
    const files = { ...nodeFileSystem, open: (path: string, how: number, mode: number) => {
      if ((how & constants.O_CREAT) !== 0) flags.push(how)
      return nodeFileSystem.open(path, how, mode)
    } }
    const { hop } = localHop({ path: `${root}/{local}` }, { files })
    assert.equal((await send(hop, ['anna@example.org'], outgoing(stored('a\r\n')))).data, '250 2.0.0 Delivered', planted)
    assert.match(onlyMessage(join(root, 'anna')), /Q2Rabc/)
    assert.equal(existsSync(victim) ? readFileSync(victim, 'latin1') : null, planted === 'dangling' ? null : 'precious', planted)
    // O_EXCL alone does not follow a link either, on file systems that know it; the other flag is for those that do not.
    assert.ok(flags.length === 2 && flags.every((how) => (how & constants.O_EXCL) !== 0 && (how & constants.O_NOFOLLOW) !== 0), planted)
    await hop.close()
  }
})

test('as root for another user, no link below the fixed part is followed', { skip: needsRoot }, async () => {
  const root = temporaryDirectory('delivery')
  const astray = join(root, 'astray')
  for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(astray, part), { recursive: true })
  mkdirSync(join(root, 'mail'))
  const { hop, log } = localHop({ path: `${root}/mail/{local}/Maildir`, uid: 5000, gid: 5001 }, real())
  const descriptors = openDescriptors()

  // The user's folder itself, his Maildir, and each part of it.
  mkdirSync(join(root, 'mail/bert'))
  for (const user of ['carl', 'dora', 'emil']) mkdirSync(join(root, 'mail', user, 'Maildir'), { recursive: true })
  symlinkSync(astray, join(root, 'mail/anna'))
  symlinkSync(astray, join(root, 'mail/bert/Maildir'))
  symlinkSync(join(astray, 'tmp'), join(root, 'mail/carl/Maildir/tmp'))
  symlinkSync(join(astray, 'new'), join(root, 'mail/dora/Maildir/new'))
  symlinkSync(join(astray, 'cur'), join(root, 'mail/emil/Maildir/cur'))
  for (const user of ['anna', 'bert', 'carl', 'dora', 'emil']) {
    assert.match((await send(hop, [`${user}@example.org`], outgoing(stored('a\r\n')))).data, /^451 4\.3\.0 /, user)
  }
  for (const part of ['cur', 'new', 'tmp']) assert.deepEqual(readdirSync(join(astray, part)), [], part)
  assert.deepEqual(readdirSync(astray).sort(), ['cur', 'new', 'tmp'])
  assert.ok(log.has('error', 'ENOTDIR') || log.has('error', 'ELOOP'))

  assert.equal((await send(hop, ['fritz@example.org'], outgoing(stored('a\r\n')))).data, '250 2.0.0 Delivered')
  const file = onlyMessage(join(root, 'mail/fritz/Maildir'))
  assert.deepEqual([statSync(file).uid, statSync(file).gid, statSync(join(root, 'mail/fritz')).uid], [5000, 5001, 5000])
  await hop.close()
  assert.equal(openDescriptors(), descriptors)
})

test('as root without an owner neither: who owns the folder could lead root elsewhere', { skip: needsRoot }, async () => {
  const root = temporaryDirectory('delivery')
  const astray = join(root, 'astray')
  mkdirSync(astray, { mode: 0o700 })
  mkdirSync(join(root, 'mail/anna/Maildir'), { recursive: true })
  for (const part of ['cur', 'tmp']) mkdirSync(join(root, 'mail/anna/Maildir', part))
  symlinkSync(astray, join(root, 'mail/anna/Maildir/new'))
  const { hop } = localHop({ path: `${root}/mail/{local}/Maildir` }, real())
  assert.match((await send(hop, ['anna@example.org'], outgoing(stored('a\r\n')))).data, /^451 4\.3\.0 /)
  assert.deepEqual(readdirSync(astray), [])
  assert.equal((await send(hop, ['bert@example.org'], outgoing(stored('a\r\n')))).data, '250 2.0.0 Delivered')
  await hop.close()
})

test('no permission is a 451 with path and cause in the log', { skip: needsRoot === false ? 'root may do everything' : false }, async () => {
  const root = temporaryDirectory('delivery')
  chmodSync(root, 0o500)
  const { hop, log } = localHop({ path: `${root}/{local}` }, real())
  assert.match((await send(hop, ['anna@example.org'], outgoing(stored('a\r\n')))).data, /^451 4\.3\.0 /)
  assert.ok(log.has('error', 'EACCES') && log.has('error', root))
})

test('facts of a file, and of the link to it', async () => {
  const root = temporaryDirectory('delivery')
  closeSync(openSync(join(root, 'file'), 'w'))
  symlinkSync(join(root, 'file'), join(root, 'link'))
  assert.equal((await nodeFileSystem.stat(join(root, 'link'))).kind, 'file')
  assert.equal((await nodeFileSystem.lstat(join(root, 'link'))).kind, 'link')
  assert.equal((await nodeFileSystem.lstat(root)).kind, 'directory')
  assert.deepEqual((await nodeFileSystem.list(root, 1)).length, 1)
})
