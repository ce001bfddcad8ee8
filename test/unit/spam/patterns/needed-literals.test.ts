/** Where patterns of a set may match, by the literals that they need. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { NeededLiterals } from '../../../../src/spam/patterns/needed-literals.ts'
import type { Candidates } from '../../../../src/spam/patterns/needed-literals.ts'
import type { Pattern } from '../../../../src/spam/patterns/pattern.ts'
import { PreparedText } from '../../../../src/spam/patterns/prepared-text.ts'

function needing(needs: readonly string[], least?: number, most = least): Pattern {
  const pattern = { source: '', flags: '', linear: true, needs }
  return least === undefined || most === undefined ? pattern : { ...pattern, needsAt: { least, most } }
}

/** Text, first place and last place, from the text's begin. */
function windows(candidates: Candidates | undefined, pattern: number, { starts }: PreparedText): number[][] {
  const found = Array.from(candidates?.windowsOf(pattern) ?? [])
  return Array.from({ length: found.length / 3 }, (_, at) => {
    const [text = 0, from = 0, until = 0] = found.slice(3 * at)
    const begin = starts[text] ?? 0
    return [text, from - begin, until - begin]
  })
}

const PATTERNS = [needing(['one'], 0), needing(['one', 'three'], 2, 4), needing(['four'], 0), needing(['three'])]

test('a pattern may begin where one of its literals says so, in each of the texts', () => {
  const text = new PreparedText(['no one', '', 'three times one, one'])
  const found = NeededLiterals.of(PATTERNS).find(text, { first: 0, behind: 3 })
  assert.deepEqual([...found?.patterns ?? []].sort(), [0, 1, 3])
  assert.deepEqual(windows(found, 0, text), [[0, 3, 3], [2, 12, 12], [2, 17, 17]])
  assert.deepEqual(windows(found, 1, text), [[0, 0, 1], [2, 8, 10], [2, 13, 15]])
  assert.deepEqual(windows(found, 2, text), [])
  assert.deepEqual(windows(found, 3, text), [[2, 0, 20]])
})

test('some of the texts; each of them by itself; the same again', () => {
  const text = new PreparedText(['no one', '', 'three times one, one', 'one'])
  const literals = NeededLiterals.of(PATTERNS)
  for (let again = 0; again < 2; again++) {
    assert.deepEqual(windows(literals.find(text, { first: 1, behind: 3 }), 0, text), [[2, 12, 12], [2, 17, 17]])
    const each = literals.findEach(text)
    assert.deepEqual(each.map((one) => [...one?.patterns ?? []].sort()), [[0, 1], [], [0, 1, 3], [0, 1]])
    assert.deepEqual(each.map((one) => windows(one, 0, text)), [[[0, 3, 3]], [], [[2, 12, 12], [2, 17, 17]], [[3, 0, 0]]])
    assert.deepEqual(each.map((one) => windows(one, 3, text)), [[], [], [[2, 0, 20]], []])
  }
})

test('many places: each pattern has its own, in their order', () => {
  const text = new PreparedText(['one four '.repeat(40), 'three one'])
  const found = NeededLiterals.of(PATTERNS).find(text, { first: 0, behind: 2 })
  assert.deepEqual(windows(found, 0, text), [...Array.from({ length: 40 }, (_, at) => [0, 9 * at, 9 * at]), [1, 6, 6]])
  assert.deepEqual(windows(found, 2, text), Array.from({ length: 40 }, (_, at) => [0, 9 * at + 4, 9 * at + 4]))
  assert.deepEqual(windows(found, 3, text), [[1, 0, 9]])
})

test('more places than are kept: everywhere from that text on, and in each text anew', () => {
  const text = new PreparedText(['one '.repeat(5000), 'none', 'one'])
  const literals = NeededLiterals.of(PATTERNS)
  assert.deepEqual(windows(literals.find(text, { first: 0, behind: 3 }), 0, text), [[0, 0, 20_000], [1, 0, 4], [2, 0, 3]])
  const each = literals.findEach(text)
  assert.deepEqual(windows(each[0], 0, text), [[0, 0, 20_000]])
  assert.deepEqual(windows(each[1], 0, text), [[1, 1, 1]])
  assert.deepEqual(windows(each[2], 0, text), [[2, 0, 0]])
})

test('a search that found no memory loses nothing for the next one', (context) => {
  const literals = NeededLiterals.of(PATTERNS)
  const long = new PreparedText(['one '.repeat(2000)])
  const mock = context.mock.property(globalThis, 'Int32Array', new Proxy(Int32Array, { construct: () => { throw new RangeError('Array buffer allocation failed') } }))
  assert.throws(() => literals.find(long, { first: 0, behind: 1 }), RangeError)
  mock.mock.restore()
  const text = new PreparedText(['three four', 'one'])
  const each = literals.findEach(text)
  assert.deepEqual(each.map((one) => [...one?.patterns ?? []]), [[1, 3, 2], [0, 1]])
})

test('many patterns that need one word, and that word again and again: they may match everywhere, and no memory is taken for each place of each', () => {
  const literals = NeededLiterals.of([...Array.from({ length: 1100 }, () => needing(['one'], 0)), needing(['four'], 0)])
  const text = new PreparedText(['two '.repeat(10), 'one '.repeat(4000)])
  const found = literals.find(text, { first: 0, behind: 2 })
  assert.deepEqual(windows(found, 1099, text), [[0, 0, 40], [1, 0, 16_000]])
  assert.equal(found?.windowsOf(1100), undefined)
})

test('room for the places of a text that has very many is given back', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const words = Array.from({ length: 30 }, (_, at) => `word${String.fromCharCode(0x61 + at % 26, 0x61 + at)}`)
  const literals = NeededLiterals.of(words.map((word, at) => needing([word], at)))
  const look = (times: number): void => {
    const text = new PreparedText([`${words.join(' ')} `.repeat(times)])
    assert.equal(literals.find(text, { first: 0, behind: 1 })?.patterns.length, words.length)
  }
  const kept = async (): Promise<number> => {
    await setTimeout(0)
    collect()
    return process.memoryUsage().arrayBuffers
  }
  look(10)
  const before = await kept()
  look(4000)
  const more = await kept() - before
  assert.ok(more < 2_000_000, `${more} bytes more`)
  look(10)
})
