/** Programs that are large: what their tables hold. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../../../../src/spam/patterns/compile.ts'
import { FOUND, Matcher } from '../../../../src/spam/patterns/matcher.ts'
import { readPattern, treeOf } from '../../../../src/spam/patterns/read-pattern.ts'

const hex = (code: number) => `\\x${code.toString(16).padStart(2, '0')}`

test('a choice of many, whose first characters overlap', () => {
  const branches = Array.from({ length: 600 }, (_, branch) => ({ last: branch % 255, number: String(1000 + branch) }))
  const reading = readPattern(branches.map(({ last, number }) => `[${hex(0)}-${hex(last)}]${number}`).join('|'), 'd')
  if (reading.status === 'refused') assert.fail(reading.problem)
  const program = compile(treeOf(reading.pattern))
  const matcher = new Matcher()
  const missed = branches.filter(({ last, number }) => {
    const units = Uint16Array.from(`ab${String.fromCharCode(last)}${number} zz`, (character) => character.charCodeAt(0))
    matcher.take(program, { units, start: 0, end: units.length })
    return matcher.search(0, units.length, 100_000) !== FOUND
  })
  assert.deepEqual(missed, [])
})
