/** How often the log tells of a next hop that cannot be used. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HopTrouble } from '../../../src/delivery/hop-trouble.ts'
import { fakeLog } from '../supervisor/fakes.ts'

function setUp(): { trouble: HopTrouble; clock: { now: number }; lines: ReturnType<typeof fakeLog>['lines'] } {
  const { log, lines } = fakeLog()
  const clock = { now: 0 }
  return { trouble: new HopTrouble({ hop: 'h', peer: '192.0.2.1:25' }, { log, now: () => clock.now }), clock, lines }
}

test('a reason is told when it is new, then once a minute with how often it was met, and its end is told', () => {
  const { trouble, clock, lines } = setUp()
  const refused = (): void => trouble.met({ stage: 'connect', detail: 'connect ECONNREFUSED 192.0.2.1:25' })
  for (; clock.now <= 60_000; clock.now += 1000) refused()
  assert.deepEqual(lines, [0, 1].map((at) => ({
    level: 'warn', text: 'next hop cannot be used',
    facts: { hop: 'h', peer: '192.0.2.1:25', stage: 'connect', detail: 'connect ECONNREFUSED 192.0.2.1:25', ...(at === 1 && { timesSince: 59 }) },
  })))
  trouble.over()
  trouble.over()
  assert.deepEqual(lines.slice(2), [{ level: 'info', facts: { hop: 'h', peer: '192.0.2.1:25' }, text: 'next hop can be used again' }])
  refused()
  assert.equal(lines.length, 4)
})

test('another reason is told at once, also where two take turns, and their number is bounded', () => {
  const { trouble, lines } = setUp()
  for (let n = 0; n < 20; n++) {
    trouble.met({ stage: 'connect', detail: 'connect ECONNREFUSED ::1:25' })
    trouble.met({ stage: 'EHLO', detail: `421 4.3.2 too busy, ${n} before you` })
  }
  assert.deepEqual(lines.map(({ facts }) => facts['stage']), ['connect', 'EHLO'])
  for (const letter of 'abcdefghijkl') trouble.met({ stage: letter })
  assert.equal(lines.length, 14)
})

test('a hop that works is not worth a line', () => {
  const { trouble, lines } = setUp()
  trouble.over()
  assert.deepEqual(lines, [])
})
