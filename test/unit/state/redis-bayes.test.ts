/** What the classifier's store does beside its scripts, over a Redis that the test plays. The scripts themselves: test/interop. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RedisBayes } from '../../../src/state/redis-bayes.ts'
import { INFO, OPEN } from '../../../src/state/redis-bayes-scripts.ts'
import type { Redis } from '../../../src/state/redis-connection.ts'

test('what the server says of itself is told once, and not with each time that what is stored was lost', async () => {
  let opened = 0
  let lost = false
  const redis: Redis = {
    run: (script) => {
      if (script === INFO) return Promise.resolve('maxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\nrole:master\r\n')
      if (script !== OPEN) return Promise.resolve(lost ? (lost = false, ['empty']) : ['ok', 1, 2, 3, 4, 5, 0, '', 1, 2])
      opened++
      return Promise.resolve(['ok', '1', '8'])
    },
    close: () => undefined,
  }
  const warnings: string[] = []
  const store = new RedisBayes(redis, { tokensVersion: 1, prefix: 'p', warn: (warning) => void warnings.push(warning) })
  for (let times = 1; times <= 3; times++) {
    assert.equal((await store.counts()).ham, 1)
    lost = true
  }
  assert.equal(opened, 3)
  assert.equal(warnings.length, 1)
  assert.match(warnings.join(), /allkeys-lru/)
})
