/** Which files are removed to make way for a unix socket, and which are not. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { removeStaleSockets, unixPaths } from '../../../src/supervisor/sockets.ts'
import { someSettings } from './fakes.ts'

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'postern-sockets-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

test('a socket that nobody answers on is removed', async (t) => {
  const path = join(directoryOf(t), 's')
  // A process that ends without closing leaves its file behind.
  spawnSync(process.execPath, ['-e', `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`])
  assert.ok(existsSync(path))
  await removeStaleSockets([path])
  assert.ok(!existsSync(path))
})

test('a socket that somebody answers on stays, and is an error unless it is our own', async (t) => {
  const path = join(directoryOf(t), 's')
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(path, resolve))
  await assert.rejects(removeStaleSockets([path]), { exitCode: 75, message: `${path}: another program listens there` })
  await removeStaleSockets([path], [path])
  assert.ok(existsSync(path))
  server.close()
})

test('nothing else is ever removed: a file, a link', async (t) => {
  const directory = directoryOf(t)
  const file = join(directory, 'precious')
  const link = join(directory, 'link')
  writeFileSync(file, 'x')
  symlinkSync(file, link)
  for (const path of [file, link]) {
    await assert.rejects(removeStaleSockets([path]), { exitCode: 78 })
    assert.ok(existsSync(path))
  }
})

test('what is not there is fine', async (t) => {
  await removeStaleSockets([join(directoryOf(t), 'none')])
})

test('the paths of all listeners', () => {
  const settings = someSettings()
  const [listener] = settings.listeners
  assert.ok(listener !== undefined)
  const two = { ...listener, listen: [{ kind: 'unix', path: '/a' }, { kind: 'tcp', host: '::1', port: 25 }] } as const
  assert.deepEqual(unixPaths({ ...settings, listeners: [listener, two] }), ['/a'])
})
