import assert from 'node:assert/strict'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { spawnSync } from 'node:child_process'
import { errorCode } from '../../../src/delivery/file-system.ts'
import { listen } from '../../../src/delivery/lmtp-listen.ts'
import { temporaryDirectory } from '../../support/process.ts'

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

test('a unix socket has its mode, and the umask is as before', async () => {
  const path = join(temporaryDirectory('listen'), 's')
  const before = process.umask(0o027)
  const server = createServer()
  assert.deepEqual(await listen(server, { kind: 'unix', path }, 0o600), { kind: 'unix', path })
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(process.umask(before), 0o027)
  await close(server)
  assert.equal(existsSync(path), false)
})

test('a socket file that a dead process left is replaced', async () => {
  const path = join(temporaryDirectory('listen'), 's')
  // A process that is killed does not unlink its socket.
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  assert.equal(spawnSync(process.execPath, ['-e', code]).signal, 'SIGKILL')
  assert.ok(statSync(path).isSocket())
  const server = createServer()
  await listen(server, { kind: 'unix', path }, 0o660)
  await close(server)
})

test('a socket on which somebody answers is left alone', async () => {
  const path = join(temporaryDirectory('listen'), 's')
  const first = createServer()
  await listen(first, { kind: 'unix', path }, 0o660)
  const inode = statSync(path).ino
  await assert.rejects(listen(createServer(), { kind: 'unix', path }, 0o660), (error) => errorCode(error) === 'EADDRINUSE' && /another process answers/.test(String(error)))
  assert.equal(statSync(path).ino, inode)
  await close(first)
})

test('a file that is not a socket is left alone', async () => {
  const path = join(temporaryDirectory('listen'), 's')
  writeFileSync(path, 'precious')
  await assert.rejects(listen(createServer(), { kind: 'unix', path }, 0o660), /is not a socket; it is left alone/)
  assert.equal(statSync(path).size, 8)
})

test('a TCP port that is taken is the caller\'s error, and port 0 becomes a port', async () => {
  const first = createServer()
  const bound = await listen(first, { kind: 'tcp', host: '127.0.0.1', port: 0 }, 0o660)
  assert.ok(bound.kind === 'tcp' && bound.port > 0)
  const second = createServer()
  let heard = 0
  second.on('error', () => heard++)
  await assert.rejects(listen(second, bound, 0o660), (error) => errorCode(error) === 'EADDRINUSE')
  assert.equal(heard, 0)
  await close(first)
})
