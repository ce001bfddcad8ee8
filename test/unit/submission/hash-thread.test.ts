/** The work on passwords: nothing waits for it that need not, queues have ends, a thread that dies is replaced. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HashThread } from '../../../src/submission/hash-thread.ts'
import { parsePassword, type BcryptHash, type PasswordHash } from '../../../src/submission/password-hash.ts'
import { createPasswordWork } from '../../../src/submission/password-work.ts'

function parsed(field: string): PasswordHash {
  const found = parsePassword(field)
  assert.ok(found.status === 'ok')
  return found.hash
}

function bcryptOf(cost: string): BcryptHash {
  const hash = parsed(`$2b$${cost}$${'a'.repeat(53)}`)
  assert.ok(hash.scheme === 'bcrypt')
  return hash
}

const QUICK = bcryptOf('04')

test('the event loop turns while a slow hash is computed', async () => {
  const thread = new HashThread({ onTrouble: (cause) => assert.fail(cause) })
  try {
    await thread.verify(QUICK, ['x'])
    let turns = 0
    let done = false
    const count = (): void => {
      turns++
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    const verified = await thread.verify(bcryptOf('10'), ['x'])
    done = true
    assert.equal(verified, 'mismatch')
    assert.ok(turns > 100, `${turns} turns`)
  } finally {
    await thread.close()
  }
})

test('who finds the queue full is told so at once; the others get their turn', async () => {
  const thread = new HashThread({ maxWaiting: 2, onTrouble: (cause) => assert.fail(cause) })
  try {
    const asked = Array.from({ length: 5 }, () => thread.verify(QUICK, ['x']))
    assert.deepEqual(await Promise.all(asked), ['mismatch', 'mismatch', 'mismatch', 'busy', 'busy'])
    assert.equal(await thread.verify(QUICK, ['x']), 'mismatch')
  } finally {
    await thread.close()
  }
  assert.equal(await thread.verify(QUICK, ['x']), 'busy')
})

test('a hash that takes too long is given up, and the next one gets a thread of its own', async () => {
  const troubles: string[] = []
  const thread = new HashThread({ timeoutMs: 300, onTrouble: (cause) => troubles.push(cause) })
  try {
    const slow = thread.verify(bcryptOf('15'), ['x'])
    assert.equal(await slow, 'busy')
    assert.deepEqual(troubles, ['a password hash took too long'])
  } finally {
    await thread.close()
  }
})

test('what is under way when it is closed ends as busy', async () => {
  const thread = new HashThread({ onTrouble: (cause) => assert.fail(cause) })
  const asked = [thread.verify(bcryptOf('15'), ['x']), thread.verify(QUICK, ['x'])]
  await thread.close()
  assert.deepEqual(await Promise.all(asked), ['busy', 'busy'])
})

test('the thread pool is left to others: few at once, and a bounded queue', async () => {
  const work = createPasswordWork({ atOnce: 1, maxWaiting: 1, onTrouble: (cause) => assert.fail(cause) })
  const hash = parsed('{SCRAM-SHA-256}4096,u8Oc2SVEkgt1ENbuEZeXQA==,sN+tdmHnTcDkOlDCDtE2H4ssGUWLswIzczhQBZuXMhM=,wZhZr5GISLZSg8WPAKFg3YchTTI4QlduxgN3stHp0wE=')
  assert.deepEqual(await Promise.all([work.verify(hash, 'secret'), work.verify(hash, 'secret'), work.verify(hash, 'secret')]), ['match', 'match', 'busy'])
  assert.equal(await work.verify(hash, 'secret'), 'match')
  await work.close()
  assert.equal(await work.verify(hash, 'secret'), 'busy')
})
