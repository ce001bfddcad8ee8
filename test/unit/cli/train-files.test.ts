/** Which files are read of what is named, and which are not: links, pipes, what was put in the place of a folder. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, lchownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { MailFiles, reason, type FileSearch } from '../../../src/cli/train-files.ts'
import { temporaryDirectory } from '../../support/process.ts'

/** Somebody who is not root. */
const USER = process.geteuid?.() === 0 ? 12_345 : (process.geteuid?.() ?? 1)

function stage() {
  const directory = temporaryDirectory('train-files')
  const at = (path: string): string => join(directory, path)
  const write = (path: string, text: string): void => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(at(path), text)
  }
  const link = (target: string, path: string): void => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    symlinkSync(target, at(path))
    lchownSync(at(path), USER, USER)
  }
  return { at, write, link }
}

function filesOf(search: FileSearch): readonly (readonly [string, () => Promise<string>])[] {
  assert.equal(search.status, 'found', search.status === 'none' ? search.cause : '')
  return search.files.map(({ path, read }) => [path, async () => {
    let text = ''
    try {
      for await (const chunk of read()) text += chunk.toString()
      return text
    } catch (error) {
      return `not read: ${reason(error)}`
    }
  }])
}

async function contents(mail: MailFiles, path: string): Promise<string[]> {
  const texts: string[] = []
  for (const [, text] of filesOf(await mail.find(path))) texts.push(await text())
  return texts
}

for (const root of [false, true]) {
  const who = root ? 'with the rights of root' : 'with the rights of a user'

  test(`${who}: of a folder all plain files, whatever else lies in it`, async () => {
    const { at, write, link } = stage()
    write('secret/password', 'the secret')
    write('box/a', 'first')
    write('box/deeper/b', 'second')
    write('box/Maildir/cur/c', 'third')
    write('box/Maildir/new/d', 'fourth')
    link(at('secret/password'), 'box/link')
    link(at('secret'), 'box/folder')
    link(at('secret'), 'box/Maildir/cur/folder')
    link('../../../secret/password', 'box/Maildir/cur/e')
    execFileSync('mkfifo', [at('box/pipe'), at('box/Maildir/new/pipe')])
    const mail = new MailFiles(root)
    assert.deepEqual(await contents(mail, at('box')), ['third', 'fourth', 'first', 'second'])
    await mail.close()
  })

  test(`${who}: what is put in the place of a file or a folder is not read`, async () => {
    const { at, write, link } = stage()
    write('secret/b', 'the secret')
    write('box/a', 'first')
    write('box/deeper/b', 'second')
    write('box/last/b', 'third')
    const mail = new MailFiles(root)
    const files = new Map(filesOf(await mail.find(at('box'))))
    renameSync(at('box/deeper'), at('elsewhere'))
    link(at('secret'), 'box/deeper')
    rmSync(at('box/a'))
    link(at('secret/b'), 'box/a')
    rmSync(at('box/last/b'))
    execFileSync('mkfifo', [at('box/last/b')])
    assert.match(await files.get(at('box/a'))?.() ?? '', /^not read: it is a symbolic link/)
    assert.match(await files.get(at('box/deeper/b'))?.() ?? '', /^not read: /)
    assert.equal(await files.get(at('box/last/b'))?.(), 'not read: it is no file')
    await mail.close()
  })

  test(`${who}: a file as it was when it was opened`, async () => {
    const { at, write } = stage()
    write('box', 'x'.repeat(200_000))
    const mail = new MailFiles(root)
    const search = await mail.find(at('box'))
    assert.equal(search.status, 'found')
    let size = 0
    for await (const chunk of search.files[0]?.read() ?? []) {
      size += chunk.length
      appendFileSync(at('box'), 'y'.repeat(100_000))
    }
    assert.equal(size, 200_000)
    await mail.close()
  })

  test(`${who}: folders in folders, as deep as a few`, async () => {
    const { at, write } = stage()
    write(`${'a/'.repeat(40)}b`, 'deep')
    const mail = new MailFiles(root)
    const search = await mail.find(at('a'))
    assert.match(search.status === 'none' ? search.cause : '', /more than 30 deep$/)
    await mail.close()
  })
}

test('a user says by a link what he means by a name; root is not told so by others', async () => {
  const { at, write, link } = stage()
  write('secret/password', 'the secret')
  link(at('secret'), 'home/Maildir')
  link(at('secret/password'), 'home/box')
  const own = new MailFiles(false)
  for (const name of ['home/Maildir', 'home/box', 'home/Maildir/password']) assert.deepEqual(await contents(own, at(name)), ['the secret'], name)
  await own.close()
  const root = new MailFiles(true)
  const folder = await root.find(at('home/Maildir'))
  assert.match(folder.status === 'none' ? folder.cause : '', /^Maildir is a symbolic link that is not root's/)
  for (const name of ['home/box', 'home/Maildir/password']) assert.match((await contents(root, at(name))).join(), /^not read: \S+ is a symbolic link that is not root's/, name)
  await root.close()
})

test('links of root are followed, to where they lead', { skip: process.geteuid?.() === 0 ? false : 'only root has such links' }, async () => {
  const { at, write } = stage()
  write('real/box/a', 'first')
  mkdirSync(at('home'))
  symlinkSync('../real/./box', at('home/relative'))
  symlinkSync(at('home/relative'), at('home/whole'))
  symlinkSync('circle', at('home/circle'))
  const mail = new MailFiles(true)
  for (const name of ['home/relative', 'home/whole']) assert.deepEqual(await contents(mail, at(name)), ['first'], name)
  assert.deepEqual(await contents(mail, at('home/whole/a')), ['first'])
  assert.equal((await mail.find(at('home/circle'))).status, 'none')
  await mail.close()
})

test('a pipe that was named is read by a user, and not by root', async () => {
  const { at } = stage()
  execFileSync('mkfifo', [at('pipe')])
  const search = await new MailFiles(true).find(at('pipe'))
  assert.match(search.status === 'none' ? search.cause : '', /neither a file nor a folder; give it on standard input/)
  const [text] = await Promise.all([contents(new MailFiles(false), at('pipe')), new Promise<void>((written) => {
    writeFileSync(at('text'), 'through a pipe')
    execFileSync('sh', ['-c', 'cat "$1" > "$2" &', 'sh', at('text'), at('pipe')], { stdio: 'ignore' })
    written()
  })])
  assert.deepEqual(text, ['through a pipe'])
})
