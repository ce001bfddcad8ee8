/** One gateway at a time in a state directory, and no longer than it lives. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { HOLDER_FILE, LOCK_FILE, lockState, type StateLock } from '../../../src/state/state-lock.ts'
import { start, temporaryDirectory, until } from '../../support/process.ts'

const LOCK = join(import.meta.dirname, '../../../src/state/state-lock.ts')

/** Another process that takes the lock, says so, and lives until it is ended. */
const taking = (directory: string): string[] => [process.execPath, '--input-type=module', '-e', `
  const { lockState } = await import(${JSON.stringify(LOCK)})
  globalThis.lock = lockState(${JSON.stringify(directory)})
  console.log(lock.status, process.pid)
  setInterval(() => globalThis.gc?.(), 1000)`]

function locked(directory: string): Extract<StateLock, { status: 'locked' }> {
  const lock = lockState(directory)
  assert.ok(lock.status === 'locked', lock.status === 'held' ? lock.by : '')
  return lock
}

test('a second process hears who holds it, and has it when that is killed', async (t) => {
  const directory = temporaryDirectory('state-lock')
  const other = start(taking(directory))
  t.after(() => other.stop())
  await until('the lock', () => other.output().includes('locked'), { detail: () => other.output() })
  const held = lockState(directory)
  assert.ok(held.status === 'held')
  assert.match(held.by, new RegExp(`^process ${other.pid} on ${hostname().replaceAll('.', '\\.')}, since 2\\d{3}-`))
  other.signal('SIGKILL')
  await other.ended
  assert.ok(existsSync(join(directory, HOLDER_FILE)), 'what it left behind')
  locked(directory).release()
})

test('it is given back, and leaves an empty file that others of this machine cannot read', () => {
  const directory = temporaryDirectory('state-lock')
  const lock = locked(directory)
  assert.equal(lockState(directory).status, 'held')
  lock.release()
  assert.deepEqual(readdirSync(directory), [LOCK_FILE])
  const { size, mode } = statSync(join(directory, LOCK_FILE))
  assert.deepEqual([size, mode & 0o777], [0, 0o640])
  locked(directory).release()
})

test('what stands there of the holder is shown only where it is what we write', () => {
  const directory = temporaryDirectory('state-lock')
  const lock = locked(directory)
  writeFileSync(join(directory, HOLDER_FILE), 'process 1 on \x1b[2Jhost\n')
  assert.deepEqual(lockState(directory), { status: 'held', by: 'unknown process' })
  lock.release()
})

test('it is given back also where what stands there of the holder cannot be written or removed', () => {
  const directory = temporaryDirectory('state-lock')
  // Nobody can, not even root.
  mkdirSync(join(directory, HOLDER_FILE))
  locked(directory).release()
  const lock = locked(directory)
  assert.deepEqual(lockState(directory), { status: 'held', by: 'unknown process' })
  lock.release()
  locked(directory).release()
})

test('a directory that is not there is told with the system\'s reason', () => {
  assert.throws(() => lockState('/nowhere/at/all'), /ENOENT.*\/nowhere\/at\/all\/gateway\.lock/)
})
