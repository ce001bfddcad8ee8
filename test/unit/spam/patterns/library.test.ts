/** Programs that share memory: what they share, that each finds its own, and that none stays behind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { compile } from '../../../../src/spam/patterns/compile.ts'
import { Library, openLibrary } from '../../../../src/spam/patterns/library.ts'
import { FOUND, Matcher } from '../../../../src/spam/patterns/matcher.ts'
import type { Program } from '../../../../src/spam/patterns/program.ts'
import { readPattern, treeOf } from '../../../../src/spam/patterns/read-pattern.ts'

const matcher = new Matcher()

function programOf(source: string, library?: Library): Program {
  const reading = readPattern(source, '')
  if (reading.status === 'refused') assert.fail(reading.problem)
  return compile(treeOf(reading.pattern), library)
}

function finds(program: Program, text: string): boolean {
  matcher.take(program, { units: Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)), start: 0, end: text.length })
  return matcher.search(0, text.length, 100_000) === FOUND
}

test('equal tables and sets are kept once', () => {
  const library = new Library()
  const source = '\\b[^<>]+(?:one|two)[а-я]{2}\\s'
  programOf(source, library)
  const [first, sets] = [library.place, library.sets.length]
  const again = programOf(source, library)
  const third = programOf(source, library)
  assert.equal(library.sets.length, sets)
  assert.equal(third.first, again.first)
  assert.ok(library.place < 2.5 * first, `${first} numbers for one, ${library.place} for three`)
})

test('sets that look the same up to U+00FF are not taken for one another', () => {
  const library = new Library()
  const [cyrillic, greek] = [programOf('a[а-я]', library), programOf('a[α-ω]', library)]
  assert.deepEqual([finds(cyrillic, 'aж'), finds(cyrillic, 'aβ'), finds(greek, 'aж'), finds(greek, 'aβ')], [true, false, false, true])
  const [folded, closed] = [programOf('(?i)a[[:upper:]k]', library), programOf('a[[:upper:]k]', library)]
  assert.deepEqual([finds(folded, 'ab'), finds(folded, 'a\u212a'), finds(closed, 'ab'), finds(closed, 'ak')], [true, true, false, true])
})

test('a library that grows leaves its programs where they are', () => {
  const library = new Library()
  const programs = Array.from({ length: 500 }, (_, number) => programOf(`[${String.fromCharCode(0x61 + number % 26)}x]+(?:end|word)${number}!`, library))
  const missed = programs.filter((program, number) => {
    const text = (other: number) => `${String.fromCharCode(0x61 + number % 26)}xword${other}!`
    return !finds(program, text(number)) || finds(program, text(number + 1))
  })
  assert.deepEqual(missed, [])
})

test('a full library is followed by another, and goes with the last of its programs', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const fill = () => {
    const library = openLibrary()
    const kept = programOf('one(?:two|three)', library)
    for (let number = 0; openLibrary() === library; number++) programOf(`${'word'.repeat(2000)}${number}`)
    return { library: new WeakRef(library), kept }
  }
  const filled: { readonly library: WeakRef<Library>, kept: Program | undefined } = fill()
  await setTimeout(0)
  collect()
  assert.ok(filled.library.deref() !== undefined)
  assert.ok(filled.kept !== undefined && finds(filled.kept, 'onethree') && finds(programOf('two'), 'two'))
  filled.kept = undefined
  await setTimeout(0)
  collect()
  assert.equal(filled.library.deref(), undefined)
})
