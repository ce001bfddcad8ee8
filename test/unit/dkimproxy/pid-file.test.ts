/** The pid file: replaced, never written through a link, never taken from a living daemon. */
import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PidFile } from '../../../src/dkimproxy/pid-file.ts'
import { start, temporaryDirectory, until } from '../../support/process.ts'

/** no process: above the largest number that Linux gives */
const NOBODY = 4_194_305
const directory = temporaryDirectory('pid')

test('made, and removed', () => {
  const path = join(directory, 'pid')
  const file = new PidFile(path, 7)
  file.write()
  assert.equal(readFileSync(path, 'latin1'), '7\n')
  assert.equal(lstatSync(path).mode & 0o777, 0o644)
  file.remove()
  assert.deepEqual(readdirSync(directory), [])
  file.remove()
})

test('a link is replaced, and what it leads to stays', () => {
  const place = temporaryDirectory('pid')
  const [path, precious] = [join(place, 'pid'), join(place, 'precious')]
  writeFileSync(precious, 'precious')
  // Somebody may have guessed the name that the file has at first.
  for (const link of [path, `${path}.7`]) symlinkSync(precious, link)
  new PidFile(path, 7).write()
  assert.equal(readFileSync(precious, 'latin1'), 'precious')
  assert.equal(lstatSync(path).isFile(), true)
  assert.equal(readFileSync(path, 'latin1'), '7\n')
  assert.deepEqual(readdirSync(place).toSorted(), ['pid', 'precious'])
})

test('that of a process that is gone, of another program, or no number, is replaced', () => {
  for (const text of [`${NOBODY}\n`, `${process.ppid}\n`, '', 'x', '0\n']) {
    const path = join(directory, 'stale')
    writeFileSync(path, text)
    const file = new PidFile(path, 7)
    file.write()
    assert.equal(readFileSync(path, 'latin1'), '7\n')
    file.remove()
  }
})

test('that of a living one stays, as does one that somebody else wrote meanwhile', async () => {
  const living = start(['/bin/sh', '-c', 'echo ready; sleep 60; true', 'dkimproxy.out'])
  await until('it runs', () => living.output().includes('ready'))
  const path = join(directory, 'living')
  writeFileSync(path, `${living.pid}\n`)
  const file = new PidFile(path, 7)
  assert.throws(() => file.write(), new RegExp(`pidfile ${path} is that of process ${living.pid}, which runs`))
  file.remove()
  assert.equal(readFileSync(path, 'latin1'), `${living.pid}\n`)
  await living.stop()
  file.write()
  writeFileSync(path, '8\n')
  file.remove()
  assert.equal(existsSync(path), true)
})

test('what cannot be replaced is told, and nothing is left behind', () => {
  const place = temporaryDirectory('pid')
  mkdirSync(join(place, 'pid', 'full'), { recursive: true })
  assert.throws(() => new PidFile(join(place, 'pid'), 7).write(), /EISDIR|ENOTEMPTY|EEXIST/)
  assert.deepEqual(readdirSync(place), ['pid'])
  assert.throws(() => new PidFile(join(place, 'nowhere', 'pid'), 7).write(), /ENOENT/)
})
