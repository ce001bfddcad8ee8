/** Files that are edited may lie in folders of others: what is planted there is not edited, and nobody is given what he could not read. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import { editLocked } from '../../../src/cli/locked-edit.ts'
import { temporaryDirectory } from '../../support/process.ts'

const NOBODY = 65_534
const needsRoot = process.geteuid?.() === 0 ? false : 'only root can give files away'
const add = (text: string): string => `${text}more\n`

function folder(): { readonly at: string; readonly precious: string } {
  const at = temporaryDirectory('edit')
  const precious = join(at, 'precious')
  writeFileSync(precious, 'precious\n', { mode: 0o600 })
  return { at, precious }
}

function refused(path: string, why: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof ExitError && error.message.startsWith(path) && why.test(error.message)
}

test('root does not follow a link of somebody else, wherever on the way it stands', { skip: needsRoot }, async () => {
  const { at, precious } = folder()
  const theirs = join(at, 'theirs')
  mkdirSync(theirs)
  chownSync(theirs, NOBODY, NOBODY)
  for (const [name, to] of [['users', precious], ['up', at]] as const) {
    symlinkSync(to, join(theirs, name))
    lchownSync(join(theirs, name), NOBODY, NOBODY)
  }
  await assert.rejects(editLocked(join(theirs, 'users'), add), refused(join(theirs, 'users'), /is a symbolic link of user 65534/))
  await assert.rejects(editLocked(join(theirs, 'up/precious'), add), refused(join(theirs, 'up'), /is a symbolic link of user 65534/))
  assert.equal(readFileSync(precious, 'utf8'), 'precious\n')
  assert.deepEqual(readdirSync(theirs).sort(), ['up', 'users'])
  // A link of root's own is meant.
  symlinkSync(precious, join(at, 'link'))
  await editLocked(join(at, 'link'), add)
  assert.equal(readFileSync(precious, 'utf8'), 'precious\nmore\n')
})

test('a link to a file that may be read by its own user stays one', { skip: needsRoot }, async () => {
  const { at, precious } = folder()
  chownSync(precious, NOBODY, NOBODY)
  symlinkSync(precious, join(at, 'link'))
  lchownSync(join(at, 'link'), NOBODY, NOBODY)
  await editLocked(join(at, 'link'), add)
  assert.ok(lstatSync(join(at, 'link')).isSymbolicLink())
  assert.equal(statSync(precious).uid, NOBODY)
  assert.equal(readFileSync(precious, 'utf8'), 'precious\nmore\n')
})

test('the new file has owner and mode of what was read, whatever stands there in the end', async () => {
  const { at, precious } = folder()
  const file = join(at, 'users')
  writeFileSync(file, 'mine\n', { mode: 0o644 })
  await editLocked(precious, (text) => {
    // Somebody puts a file that all may read in its place, while its text is in our hands.
    renameSync(file, precious)
    return add(text)
  })
  assert.equal(readFileSync(precious, 'utf8'), 'precious\nmore\n')
  assert.equal(statSync(precious).mode & 0o777, 0o600)
})

test('a link that comes in between is not read', async () => {
  const { at, precious } = folder()
  const file = join(at, 'users')
  symlinkSync('precious.new', file)
  await assert.rejects(editLocked(file, add), refused(file, /is a symbolic link to a file that is not there/))
  assert.deepEqual(readdirSync(at).sort(), ['precious', 'users'])
  assert.equal(readFileSync(precious, 'utf8'), 'precious\n')
})

test('what lies under the name of a temporary file is left alone', async () => {
  const { at, precious } = folder()
  const planted = join(at, `users.${process.pid}.new`)
  symlinkSync(precious, planted)
  writeFileSync(join(at, 'users'), 'one\n')
  chmodSync(join(at, 'users'), 0o640)
  await editLocked(join(at, 'users'), add)
  assert.equal(readFileSync(join(at, 'users'), 'utf8'), 'one\nmore\n')
  assert.equal(statSync(join(at, 'users')).mode & 0o777, 0o640)
  assert.equal(readFileSync(precious, 'utf8'), 'precious\n')
  assert.ok(lstatSync(planted).isSymbolicLink())
})
