/** A socket file that was left is taken away, and nothing else is. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeStaleSocket } from '../../../src/smtp/stale-socket.ts'
import { temporaryDirectory } from '../../support/process.ts'

test('one that nobody answers on is removed; nothing there is fine', async () => {
  const path = join(temporaryDirectory('stale'), 's')
  // A process that is killed leaves its file behind.
  spawnSync(process.execPath, ['-e', `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`])
  assert.ok(existsSync(path))
  assert.deepEqual(await removeStaleSocket(path), { status: 'free' })
  assert.ok(!existsSync(path))
  assert.deepEqual(await removeStaleSocket(path), { status: 'free' })
})

test('one that somebody answers on stays', async (t) => {
  const path = join(temporaryDirectory('stale'), 's')
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => void server.listen(path, resolve))
  t.after(() => server.close())
  assert.deepEqual(await removeStaleSocket(path), { status: 'answers' })
  assert.ok(existsSync(path))
})

test('a file, a folder and a link stay, even a link to a stale socket', async () => {
  const directory = temporaryDirectory('stale')
  const stale = join(directory, 'stale')
  spawnSync(process.execPath, ['-e', `require('node:net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`])
  const path = (name: string): string => join(directory, name)
  writeFileSync(path('file'), 'x')
  mkdirSync(path('folder'))
  symlinkSync(stale, path('link'))
  symlinkSync(path('nowhere'), path('dangling'))
  for (const name of ['file', 'folder', 'link', 'dangling']) {
    assert.deepEqual(await removeStaleSocket(path(name)), { status: 'no-socket' }, name)
    assert.ok(lstatSync(path(name)), name)
  }
})

test('what cannot be asked is an error, and stays', { skip: process.geteuid?.() === 0 ? 'root may ask everywhere' : false }, async () => {
  const directory = temporaryDirectory('stale')
  const path = join(directory, 's')
  spawnSync(process.execPath, ['-e', `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`])
  chmodSync(path, 0)
  await assert.rejects(removeStaleSocket(path), { code: 'EACCES' })
  assert.ok(existsSync(path))
})
