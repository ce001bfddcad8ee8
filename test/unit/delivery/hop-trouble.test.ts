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
  clock.now += 58_999
  trouble.over()
  assert.equal(lines.length, 2)
  clock.now++
  trouble.over()
  trouble.over()
  assert.deepEqual(lines.slice(2), [{ level: 'info', facts: { hop: 'h', peer: '192.0.2.1:25' }, text: 'next hop can be used again' }])
  refused()
  assert.equal(lines.length, 4)
})

test('one that refuses some connections and takes others is not told of with each', () => {
  const { trouble, clock, lines } = setUp()
  for (let n = 0; n < 1000; n++, clock.now += 100) {
    trouble.met({ stage: 'EHLO', detail: '421 4.7.0 too many connections' })
    trouble.over()
  }
  assert.deepEqual(lines.map(({ level, facts }) => [level, facts['timesSince']]), [['warn', undefined], ['warn', 599]])
  clock.now += 60_000
  trouble.over()
  assert.equal(lines.length, 3)
})

test('another reason is told at once, also where two take turns', () => {
  const { trouble, lines } = setUp()
  for (let n = 0; n < 20; n++) {
    trouble.met({ stage: 'connect', cause: 'unreachable', detail: 'connect ECONNREFUSED ::1:25' })
    trouble.met({ stage: 'connect', cause: 'unreachable', detail: 'connect EHOSTUNREACH ::1:25' })
    trouble.met({ stage: 'EHLO', detail: '421 4.3.2 too busy' })
    trouble.met({ stage: 'EHLO', detail: '554 5.7.1 not you' })
  }
  assert.equal(lines.length, 4)
})

test('what is another text with each connection is one reason, and of many reasons few are told', () => {
  const { trouble, clock, lines } = setUp()
  for (const letter of 'abcdefghijklmnop') trouble.met({ stage: 'EHLO', detail: `421 4.3.2 try later (id ${letter}x${letter})` })
  assert.equal(lines.length, 1)
  const many = (): void => {
    for (let code = 400; code < 600; code++) trouble.met({ stage: 'EHLO', detail: `${code} no` })
  }
  many()
  many()
  assert.equal(lines.length, 11)
  clock.now += 60_000
  many()
  assert.equal(lines.length, 22)
})

test('a hop that works is not worth a line', () => {
  const { trouble, lines } = setUp()
  trouble.over()
  assert.deepEqual(lines, [])
})
