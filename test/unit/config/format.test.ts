/** Formats of plain values: numbers, durations, sizes, switches, words, lists. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { duration, flag, integer, listOf, oneOf, size, workerCount } from '../../../src/config/format.ts'
import type { Format } from '../../../src/config/format.ts'
import { showValue } from '../../../src/config/source.ts'
import type { Raw } from '../../../src/config/source.ts'

function value<T>(format: Format<T>, raw: Raw): T {
  const reading = format.read(raw)
  assert.ok(reading.status === 'read', JSON.stringify(reading))
  return reading.value
}

/** The problem, and what it says is allowed. */
function problem<T>(format: Format<T>, raw: Raw): string {
  const reading = format.read(raw)
  assert.ok(reading.status === 'refused', `${showValue(raw)} was read`)
  return reading.problems.map((p) => `${p.at.join('.')} ${p.problem} | ${p.allowed ?? ''}`).join('\n')
}

const WRONG_KINDS: readonly Raw[] = [null, true, false, [], ['5'], new Map(), '', ' ', 'x', '\u0000', '5\n']

test('durations have a unit, and are read in milliseconds', () => {
  const format = duration({ min: '1ms', max: '7d' })
  for (const [text, ms] of [['500ms', 500], ['5s', 5000], ['10m', 600_000], ['2h', 7_200_000], ['1d', 86_400_000], ['7d', 604_800_000], ['1ms', 1], ['007s', 7000]] as const) {
    assert.equal(value(format, text), ms)
  }
  for (const text of ['-5s', '1.5h', '5 s', '5S', '5min', 's', '1h30m', '1e3s', '٣s', '9999999999s']) assert.match(problem(format, text), /500ms, 5s, 10m, 2h or 1d/)
  assert.match(problem(format, '30'), /no unit/)
  assert.match(problem(format, '0s'), /out of range/)
  assert.match(problem(format, '8d'), /out of range.*from 1ms to 7d/)
  for (const raw of WRONG_KINDS) assert.match(problem(format, raw), /a duration such as/)
})

test('sizes: MB is a million, MiB is 2 to the 20th, nothing is bytes', () => {
  const format = size({ min: '1', max: '10GB' })
  for (const [text, bytes] of [
    ['4096', 4096], ['4096B', 4096], ['1KB', 1000], ['1kB', 1000], ['1KiB', 1024], ['50MB', 50_000_000], ['50mb', 50_000_000], ['50 MB', 50_000_000],
    ['1MiB', 1_048_576], ['1GB', 1_000_000_000], ['1GiB', 1_073_741_824],
  ] as const) assert.equal(value(format, text), bytes)
  for (const text of ['50M', '1.5GB', '-1', '50 MBs', '5  MB', '1e6', '0x10', '1,000', '1TB']) assert.match(problem(format, text), /50MB, 1GiB or 4096/)
  assert.match(problem(format, '0'), /out of range/)
  assert.match(problem(format, '11GB'), /out of range.*from 1 to 10GB/)
  for (const raw of WRONG_KINDS) assert.match(problem(format, raw), /a size such as/)
})

test('integers are digits within their range', () => {
  const format = integer({ min: 1, max: 1000 })
  assert.equal(value(format, '1'), 1)
  assert.equal(value(format, '1000'), 1000)
  for (const text of ['0', '1001', '-1', '1.0', '1e2', '0x1', '12a', '99999999999999999999']) assert.match(problem(format, text), /an integer from 1 to 1000/)
  for (const raw of WRONG_KINDS) assert.match(problem(format, raw), /an integer from 1 to 1000/)
})

test('workers are a number or auto', () => {
  assert.equal(value(workerCount, 'auto'), 'auto')
  assert.equal(value(workerCount, '0'), 0)
  assert.equal(value(workerCount, '64'), 64)
  for (const raw of [...WRONG_KINDS, '65', '-1', 'Auto', '1.5', '9999']) assert.match(problem(workerCount, raw), /auto, or an integer from 0 to 64/)
})

test('switches know the words of YAML 1.1 too', () => {
  for (const raw of [true, 'true', 'yes', 'on']) assert.equal(value(flag, raw), true)
  for (const raw of [false, 'false', 'no', 'off']) assert.equal(value(flag, raw), false)
  for (const raw of ['1', '0', 'TRUE', 'y', '', null, [], new Map()] as const) assert.match(problem(flag, raw), /true, false/)
})

test('a word that is not among the known gets the nearest suggested', () => {
  const format = oneOf('starttls', 'implicit', 'required')
  assert.equal(value(format, 'implicit'), 'implicit')
  assert.match(problem(format, 'start-tls'), /found "start-tls"; did you mean "starttls"\? \| starttls, implicit, required/)
  assert.match(problem(format, 'toString'), /found "toString" \|/)
})

test('lists: from YAML, from a single value, and parted by commas as in the environment', () => {
  const format = listOf(integer({ min: 1, max: 9 }), { min: 1, max: 3, type: 'list' })
  assert.deepEqual(value(format, ['1', '2']), [1, 2])
  assert.deepEqual(value(format, '7'), [7])
  assert.deepEqual(value(format, ' 1, 2 ,3'), [1, 2, 3])
  assert.match(problem(format, []), /empty list/)
  assert.match(problem(format, ''), /empty list/)
  assert.match(problem(format, '1,2,3,4'), /found 4 entries \| at most 3/)
  assert.match(problem(format, null), /found nothing/)
  assert.match(problem(format, '1,,2'), /found ""/)
})

test('each bad item of a list is named by its place', () => {
  const format = listOf(integer({ min: 1, max: 9 }), { min: 0, max: 9, type: 'list' })
  assert.deepEqual(value(format, ''), [])
  assert.equal(problem(format, ['1', 'a', ['2'], null]).split('\n').map((line) => line.split(' ')[0]).join(), '1,2,3')
})

test('what is shown of a bad value is short and has no control characters', () => {
  const shown = problem(oneOf('a'), 'x'.repeat(500))
  assert.ok(shown.length < 100)
  assert.doesNotMatch(problem(oneOf('a'), '\u001b[31m\u202e\u009b'), /[\u0000-\u001f\u007f-\u009f\u202e]/)
})
