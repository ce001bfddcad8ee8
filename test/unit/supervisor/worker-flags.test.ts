/** The flags that workers are started with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workerFlags } from '../../../src/supervisor/cluster.ts'

test('a worker has the flags of its supervisor and a young generation that stays small, larger where content is judged, unless somebody chose otherwise', () => {
  assert.deepEqual(workerFlags(['--trace-warnings'], '', 'relaying'), ['--trace-warnings', '--max-semi-space-size=8'])
  assert.deepEqual(workerFlags(['--trace-warnings'], '', 'judging'), ['--trace-warnings', '--max-semi-space-size=16'])
  assert.deepEqual(workerFlags(['--max-semi-space-size=32'], '', 'judging'), ['--max-semi-space-size=32'])
  assert.deepEqual(workerFlags([], '--max_semi_space_size=16', 'relaying'), [])
})
