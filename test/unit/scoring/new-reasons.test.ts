/** Each reason of a failure is told once until it is over. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NewReasons } from '../../../src/scoring/new-reasons.ts'
import { RedisError } from '../../../src/state/redis-connection.ts'

test('a server that is away is one reason, and what it says when it is back is another, each told once', () => {
  const reasons = new NewReasons()
  const told = [
    new RedisError('unreachable', 'connect ECONNREFUSED 127.0.0.1:6379'),
    new RedisError('unreachable', 'no connection within 5000 ms'),
    new RedisError('denied', 'WRONGPASS invalid username-password pair'),
    new RedisError('unreachable', 'Socket closed unexpectedly'),
    new RedisError('denied', 'WRONGPASS invalid username-password pair'),
    new RedisError('denied', 'NOAUTH Authentication required.'),
    new RedisError('failed', 'OOM used 1000 of 1000 bytes'),
    new RedisError('failed', 'OOM used 1001 of 1000 bytes'),
  ].map((error) => reasons.isNew(error))
  assert.deepEqual(told, [true, false, true, false, false, true, true, false])
})

test('what comes again after it worked is told again', () => {
  const reasons = new NewReasons()
  assert.equal(reasons.over(), false)
  assert.equal(reasons.isNew(new Error('disk full')), true)
  assert.equal(reasons.over(), true)
  assert.equal(reasons.over(), false)
  assert.equal(reasons.isNew(new Error('disk full')), true)
})

test('their number is bounded', () => {
  const reasons = new NewReasons()
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz')
  assert.equal(letters.filter((letter) => reasons.isNew(letter)).length, 10)
})
