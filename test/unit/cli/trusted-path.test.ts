/** Who could change what a path leads to: every folder and every link on the way counts. */
import assert from 'node:assert/strict'
import { chmodSync, lchownSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { folderProblem, wayTo } from '../../../src/cli/trusted-path.ts'
import { temporaryDirectory } from '../../support/process.ts'

const US = process.geteuid?.() ?? 0
const OURS = new Set([0, US])

function folders(): string {
  const at = temporaryDirectory('way')
  for (const name of ['a', 'a/b', 'a/b/c']) {
    mkdirSync(join(at, name))
    chmodSync(join(at, name), 0o755)
  }
  return at
}

test('a folder of our own below folders of our own', () => {
  const at = folders()
  assert.equal(folderProblem(join(at, 'a/b/c'), OURS), undefined)
  assert.equal(folderProblem(join(at, 'a/../a/./b'), OURS), undefined)
})

test('whoever can write one of them can put another in its place', () => {
  const at = folders()
  const told = (): string => folderProblem(join(at, 'a/b/c'), OURS)?.what ?? ''
  chmodSync(join(at, 'a'), 0o775)
  assert.match(told(), /\/a can be written by its group \(mode 0775/)
  // Names in it can be changed by their owners alone, but new ones by everybody.
  chmodSync(join(at, 'a'), 0o1777)
  assert.equal(told(), '')
  chmodSync(join(at, 'a/b/c'), 0o1777)
  assert.match(told(), /\/c can be written by every user \(mode 1777\)/)
  chmodSync(join(at, 'a/b/c'), 0o755)
  const others = folderProblem(join(at, 'a/b/c'), new Set([US + 1]))
  assert.match(others?.what ?? '', /^\/ belongs to user 0$/)
  assert.equal(others?.uid, 0)
})

test('links are followed step by step, and what they lead through is looked at too', () => {
  const at = folders()
  symlinkSync('hop', join(at, 'link'))
  symlinkSync(join(at, 'a/b/../b'), join(at, 'hop'))
  const names = wayTo(join(at, 'link/c')).map(({ path }) => path.slice(at.length)).filter((path) => path.startsWith('/'))
  for (const name of ['/link', '/hop', '/a', '/a/b', '/a/b/c']) assert.ok(names.includes(name), name)
  assert.equal(folderProblem(join(at, 'link/c'), OURS), undefined)
  chmodSync(join(at, 'a'), 0o777)
  assert.match(folderProblem(join(at, 'link/c'), OURS)?.what ?? '', /\/a can be written by every user/)
})

test('links in a circle, and what is not there, are errors of the operating system', () => {
  const at = folders()
  symlinkSync('two', join(at, 'one'))
  symlinkSync('one', join(at, 'two'))
  assert.throws(() => wayTo(join(at, 'one')), { code: 'ELOOP' })
  assert.throws(() => wayTo(join(at, 'none/x')), { code: 'ENOENT' })
})

test('a link of somebody else', { skip: US === 0 ? false : 'only root can give a link away' }, () => {
  const at = folders()
  symlinkSync('a', join(at, 'link'))
  lchownSync(join(at, 'link'), 65_534, 65_534)
  assert.deepEqual(folderProblem(join(at, 'link/b'), OURS), { what: `${join(at, 'link')} is a symbolic link of user 65534`, uid: 65_534 })
})
