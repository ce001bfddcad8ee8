/** Messages that go on together: when nothing else is to be done, when they are enough, or when the first has waited long enough. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BusyCompany, eventLoop, type CompanyBounds, type EventLoop } from '../../../src/inbound/company.ts'

/** An event loop that comes round when it is told to, with so many events more. */
class ManualLoop implements EventLoop {
  #ms = 0
  #events = 0
  #actions: (() => void)[] = []

  nowMs(): number {
    return this.#ms
  }

  events(): number {
    return this.#events
  }

  onNextTurn(action: () => void): void {
    this.#actions.push(action)
  }

  get waitedFor(): number {
    return this.#actions.length
  }

  async turn(events: number, ms = 0): Promise<void> {
    this.#events += events
    this.#ms += ms
    for (const action of this.#actions.splice(0)) {
      action()
      // What it has let go on does so before anything else has its turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  spend(ms: number): void {
    this.#ms += ms
  }
}

function stage(bounds: Partial<CompanyBounds> = {}) {
  const loop = new ManualLoop()
  const company = new BusyCompany({ most: 10, bytes: 1000, patienceMs: 25, togetherMs: 100, ...bounds }, loop)
  const gone: string[] = []
  const join = (name: string, bytes = 1, takesMs = 0): void => {
    void company.join(bytes).then(() => {
      gone.push(name)
      loop.spend(takesMs)
    })
  }
  return { loop, join, gone }
}

test('alone it goes on when the loop has come round without an event', async () => {
  const { loop, join, gone } = stage()
  join('a')
  await loop.turn(3)
  assert.deepEqual(gone, [])
  await loop.turn(0)
  assert.deepEqual(gone, ['a'])
  assert.equal(loop.waitedFor, 0)
  // What was seen then says nothing to whoever comes later.
  join('b')
  await loop.turn(0)
  assert.deepEqual(gone, ['a'])
  await loop.turn(0)
  assert.deepEqual(gone, ['a', 'b'])
})

test('while there are events others join it, and all go on in their order', async () => {
  const { loop, join, gone } = stage()
  join('a')
  await loop.turn(1)
  join('b')
  await loop.turn(1)
  join('c')
  await loop.turn(1)
  assert.deepEqual(gone, [])
  await loop.turn(0)
  assert.deepEqual(gone, ['a', 'b', 'c'])
})

test('who comes after them waits for a quiet turn of its own', async () => {
  const { loop, join, gone } = stage()
  join('a')
  await loop.turn(1)
  await loop.turn(0)
  join('b')
  await loop.turn(0)
  assert.deepEqual(gone, ['a'])
  await loop.turn(0)
  assert.deepEqual(gone, ['a', 'b'])
})

test('where events do not end, the first waits no longer than it should', async () => {
  const { loop, join, gone } = stage()
  join('a')
  await loop.turn(1, 20)
  join('b')
  await loop.turn(1, 4)
  assert.deepEqual(gone, [])
  await loop.turn(1, 1)
  assert.deepEqual(gone, ['a', 'b'])
})

test('enough of them wait for nothing, and the loop comes round before the others go on', async () => {
  const { loop, join, gone } = stage({ most: 2 })
  for (const name of ['a', 'b', 'c', 'd', 'e']) join(name)
  await loop.turn(1)
  assert.deepEqual(gone, ['a', 'b'])
  await loop.turn(1)
  assert.deepEqual(gone, ['a', 'b', 'c', 'd'])
  await loop.turn(1)
  await loop.turn(0)
  assert.deepEqual(gone, ['a', 'b', 'c', 'd', 'e'])
})

test('large ones are fewer, and what is larger than all of it goes on by itself', async () => {
  const { loop, join, gone } = stage()
  join('a', 400)
  join('b', 600)
  join('c', 5000)
  join('d', 1)
  await loop.turn(1)
  assert.deepEqual(gone, ['a', 'b'])
  await loop.turn(1)
  assert.deepEqual(gone, ['a', 'b', 'c'])
  // What has gone does not count any more.
  await loop.turn(1)
  assert.deepEqual(gone, ['a', 'b', 'c'])
  await loop.turn(0)
  assert.deepEqual(gone, ['a', 'b', 'c', 'd'])
})

test('where those that go on take long together, fewer of them do the next time; and more again where they do not', async () => {
  const { loop, join, gone } = stage({ most: 8 })
  const sizes: number[] = []
  let before = 0
  for (let round = 0; round < 24; round++) {
    for (let more = 0; more < 8; more++) join('x', 1, gone.length < 12 ? 50 : 5)
    // Whatever else there is to do says nothing about them.
    await loop.turn(1, 300)
    sizes.push(gone.length - before)
    before = gone.length
  }
  // Those of 50 ms are two in 100 ms.
  assert.deepEqual(sizes.slice(0, 5), [8, 2, 2, 2, 2])
  assert.deepEqual(sizes.at(-1), 8)
  assert.ok(sizes.slice(4).every((size, at, all) => at === 0 || (size >= (all[at - 1] ?? 0) && size <= (all[at - 1] ?? 0) + 1)), sizes.join(' '))
})

test('the loop of this process comes to rest', async () => {
  const company = new BusyCompany({ most: 10, bytes: 1000, patienceMs: 60_000, togetherMs: 100 }, eventLoop)
  await Promise.all([company.join(1), company.join(1)])
  await company.join(1)
})
