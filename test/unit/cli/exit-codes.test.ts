/** What errors of the operating system mean to an init system, and to a person. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EXIT, ExitError, exitCodeOf, explainError } from '../../../src/cli/exit-codes.ts'
import { ShippedRulesUnread } from '../../../src/scoring/unread-rules.ts'
import { OtherVersion } from '../../../src/state/database.ts'

const systemError = (code: string, more: object = {}): Error => Object.assign(new Error(`listen ${code}`), { code, ...more })

test('the codes are those of sysexits(3)', () => {
  assert.deepEqual(EXIT, { ok: 0, usage: 64, data: 65, noInput: 66, internal: 70, temporary: 75, permission: 77, configuration: 78 })
})

test('each error has the code that says what to do about it', () => {
  const expected = { EADDRINUSE: 75, EADDRNOTAVAIL: 75, EMFILE: 75, ENFILE: 75, ENOSPC: 75, EDQUOT: 75, EIO: 75, EAGAIN: 75, EACCES: 77, EPERM: 77, EROFS: 77, ENOENT: 78, EAFNOSUPPORT: 78, EWHATEVER: 70 }
  for (const [code, exitCode] of Object.entries(expected)) assert.equal(exitCodeOf(systemError(code)), exitCode, code)
  assert.equal(exitCodeOf(new ExitError(66, 'x')), 66)
  assert.equal(exitCodeOf(new ShippedRulesUnread('x')), 66)
  for (const bug of [new Error('x'), 'x', undefined, { code: 'EACCES' }]) assert.equal(exitCodeOf(bug), 70)
})

test('a database that cannot be used is no bug: its disk, its permissions, the file itself, another version', () => {
  const expected = { 5: 75, 13: 75, 778: 75, 8: 77, 14: 77, 11: 65, 26: 65, 1: 70, 21: 70 }
  for (const [errcode, exitCode] of Object.entries(expected)) assert.equal(exitCodeOf(Object.assign(new Error('x'), { code: 'ERR_SQLITE_ERROR', errcode: Number(errcode) })), exitCode, errcode)
  assert.equal(exitCodeOf(new OtherVersion('x')), 78)
  assert.match(explainError(new OtherVersion('postern.db was written by a newer Postern')), /^postern\.db was written by a newer Postern\n {2}Start that one again/)
})

test('advice is given where there is some', () => {
  assert.match(explainError(systemError('EADDRINUSE')), /^listen EADDRINUSE\n {2}Another program/)
  assert.match(explainError(systemError('EACCES', { port: 25 })), /CAP_NET_BIND_SERVICE/)
  assert.equal(explainError(systemError('EACCES', { port: 2525 })), 'listen EACCES')
  assert.equal(explainError(new ExitError(75, 'EADDRINUSE, as it stands')), 'EADDRINUSE, as it stands')
  assert.equal(explainError('text'), 'text')
})
