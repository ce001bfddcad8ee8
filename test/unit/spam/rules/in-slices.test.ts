/** Work in slices: others have their turns, and it comes to its end however long these are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atOnce, inSlices, sliceMs } from '../../../../src/spam/rules/in-slices.ts'

function* work(steps: number, step: () => void = () => undefined): Generator<void, number> {
  for (let done = 0; done < steps; done++) {
    step()
    yield
  }
  return steps
}

test('it gives what the work gives, and throws what the work throws', async () => {
  assert.equal(atOnce(work(5)), 5)
  assert.equal(await inSlices(work(5)), 5)
  await assert.rejects(inSlices((function* (): Generator<void, number> {
    yield
    throw new Error('no more')
  })()), /no more/)
})

test('a slice is short where nobody waits, and half of what others took where they take long, within a bound', () => {
  for (const [waited, slice] of [[0, 4], [8, 4], [9, 4.5], [60, 30], [200, 100], [10_000, 250]] as const) assert.equal(sliceMs(waited), slice)
})

test('others have their turns meanwhile; where these are long there are fewer of them', async () => {
  const turnsBeside = async (ms: number): Promise<number> => {
    let [now, turns, over] = [0, 0, false]
    const turn = (): void => {
      if (over) return
      turns++
      now += ms
      setImmediate(turn)
    }
    setImmediate(turn)
    assert.equal(await inSlices(work(300, () => now++), () => now), 300)
    over = true
    return turns
  }
  const short = await turnsBeside(0)
  assert.ok(short >= 70 && short <= 80, `${short} turns`)
  // In slices of 30 ms.
  const long = await turnsBeside(60)
  assert.ok(long >= 9 && long <= 13, `${long} turns`)
})
