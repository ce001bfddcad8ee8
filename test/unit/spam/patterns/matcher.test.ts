/** What the matcher looks at: the text that it was given, not what stands behind it in the same array. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { compile } from '../../../../src/spam/patterns/compile.ts'
import { FOUND, Matcher, NOT_FOUND } from '../../../../src/spam/patterns/matcher.ts'
import type { Outcome } from '../../../../src/spam/patterns/matcher.ts'
import type { Program } from '../../../../src/spam/patterns/program.ts'
import type { Stretch } from '../../../../src/spam/patterns/reader.ts'
import { readPattern, treeOf } from '../../../../src/spam/patterns/read-pattern.ts'

const matcher = new Matcher()

function programOf(source: string, flags = ''): Program {
  const reading = readPattern(source, flags)
  if (reading.status === 'refused') assert.fail(reading.problem)
  return compile(treeOf(reading.pattern))
}

function search(program: Program, stretch: Stretch, from = stretch.start): Outcome {
  matcher.take(program, stretch)
  const outcome = matcher.search(from, stretch.end, 1_000_000)
  matcher.leave()
  return outcome
}

const unitsOf = (text: string) => Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))

let looked = 0

class Watched extends Uint16Array {
  override indexOf(unit: number, from = 0): number {
    const at = super.indexOf(unit, from)
    looked += (at < 0 ? this.length : at) - from
    return at
  }
}

test('where a line begins is looked for in the text, not in all that stand behind it', () => {
  const line = `a1bc-q efgh ${'.'.repeat(100)}`
  const units = Watched.from(unitsOf(line.repeat(1000)))
  for (const [source, flags] of [['^[k-z]{3}-q', 'm'], ['.*[k-z]{3}-q', '']] as const) {
    const program = programOf(source, flags)
    for (let start = 0; start < units.length; start += line.length) {
      assert.equal(search(program, { units, start, end: start + line.length }), NOT_FOUND)
      assert.ok(matcher.steps >= line.length >> 3, `${matcher.steps} steps were counted`)
    }
  }
  assert.ok(looked > 0)
  assert.ok(looked <= 2 * units.length, `${looked} units were looked at of ${units.length}`)
})

test('lines that begin near and far, behind the last newline, and at the end', () => {
  for (const far of [0, 1, 62, 63, 64, 65, 200]) {
    const units = unitsOf(`xb\n${'a'.repeat(far)}\nb\nb`)
    const program = programOf('^b', 'm')
    for (const [end, found] of [[far + 3, NOT_FOUND], [far + 4, NOT_FOUND], [far + 5, FOUND], [units.length, FOUND]] as const) {
      assert.equal(search(program, { units, start: 0, end }), found, `${far} ${end}`)
      if (found === FOUND) assert.equal(matcher.matchStart, far + 4)
    }
    assert.equal(search(program, { units, start: 0, end: units.length }, far + 5), FOUND)
    assert.equal(matcher.matchStart, far + 6)
    assert.equal(search(program, { units, start: 0, end: units.length - 1 }, far + 5), NOT_FOUND)
  }
})

test('a text that was looked at is not kept', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const programs = ['needle', '[a-z]+$', '^.*x'].map((source) => programOf(source))
  const text = () => {
    const units = unitsOf(`${'needl '.repeat(1000)}needle`)
    const outcomes = programs.map((program) => search(program, { units, start: 0, end: units.length }))
    assert.deepEqual(outcomes, [FOUND, FOUND, NOT_FOUND])
    return new WeakRef(units)
  }
  const reference = text()
  await setTimeout(0)
  collect()
  assert.ok(reference.deref() === undefined, 'the text is still there')
})

test('what a set does not know yet of the characters of a text is counted', () => {
  const program = programOf('[\\p{Lu}\\x{4e00}]{2}')
  const units = unitsOf(Array.from({ length: 200 }, (_, page) => String.fromCodePoint(0x1_0080 + (page << 8))).join(''))
  assert.equal(search(program, { units, start: 0, end: units.length }), NOT_FOUND)
  const first = matcher.steps
  assert.equal(search(program, { units, start: 0, end: units.length }), NOT_FOUND)
  assert.ok(first > 2 * matcher.steps, `${first} steps, then ${matcher.steps}`)
})
