/** The flags that workers are started with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workerFlags } from '../../../src/supervisor/cluster.ts'

test('a worker has the flags of its supervisor and a young generation that stays small, unless somebody chose otherwise', () => {
  assert.deepEqual(workerFlags(['--trace-warnings'], ''), ['--trace-warnings', '--max-semi-space-size=8'])
  assert.deepEqual(workerFlags(['--max-semi-space-size=32'], ''), ['--max-semi-space-size=32'])
  assert.deepEqual(workerFlags([], '--max_semi_space_size=16'), [])
})
