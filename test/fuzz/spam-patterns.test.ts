/** Patterns of rules: what ours matches against what JavaScript's own engine matches, and sources and texts of strangers. */
import assert from 'node:assert/strict'
import { createBudget } from '../../src/spam/patterns/budget.ts'
import { Automaton } from '../../src/spam/patterns/automaton.ts'
import { anchorOf, compile } from '../../src/spam/patterns/compile.ts'
import { NO_FLAGS } from '../../src/spam/patterns/cursor.ts'
import { engineOf } from '../../src/spam/patterns/engine.ts'
import { EXCEEDED, FOUND, Matcher, NOT_FOUND } from '../../src/spam/patterns/matcher.ts'
import { parse } from '../../src/spam/patterns/parse.ts'
import { blocksOf, chunksOf } from '../../src/spam/patterns/chunks.ts'
import type { Pattern } from '../../src/spam/patterns/pattern.ts'
import { PatternSet } from '../../src/spam/patterns/pattern-set.ts'
import type { Program } from '../../src/spam/patterns/program.ts'
import { readPattern } from '../../src/spam/patterns/read-pattern.ts'
import { statesOf } from '../../src/spam/patterns/states.ts'
import { widthOf } from '../../src/spam/patterns/syntax.ts'
import { fuzz } from '../support/fuzzing.ts'
import { PatternMaker } from '../support/random-patterns.ts'

const ATOMS = ['a', 'b', 'ab', 'A', 'B', 'c', '-', '.', '[ab]', '[^a]', '[a-c]', '\\w', '\\W', '\\d', ' ', '\\s', '\\x61', 'é', '[é-ü]', 'σ', '\\n']
const LETTERS = ['a', 'b', 'ab', 'A', 'B', 'c', 'C', '-', '1', ' ', '\n', 'é', 'É', 'ς', 'Σ', 'abab', 'ba']

function read(source: string, flags: string): Pattern {
  const reading = readPattern(source, flags)
  if (reading.status === 'refused') assert.fail(`${source}: ${reading.problem}`)
  return reading.pattern
}

/** JavaScript begins a line behind a newline at the end, and does not end one before it; Perl the other way about. */
const text = (letters: string) => letters.replace(/\n+$/, '')

fuzz('patterns against JavaScript', 4_000, (random) => {
  const wild = random.chance(0.2)
  const made = Array.from({ length: 1 + random.below(4) }, () => {
    const source = new PatternMaker(random, { atoms: ATOMS, wild: false, lookAround: random.chance(0.3) }).make()
    const flags = ['i', 'm', 's'].filter(() => random.chance(0.4)).join('')
    return { source, flags, pattern: read(source, `${flags}a`) }
  })
  const set = new PatternSet(made.map(({ pattern }) => pattern))
  const texts = Array.from({ length: 1 + random.below(3) }, () => text(random.soup(LETTERS, wild ? 12 : 6, 0)))
  const budget = createBudget()
  const scan = set.scan(texts, budget)
  for (const [index, { source, flags }] of made.entries()) {
    const all = texts.flatMap((one) => Array.from(one.matchAll(new RegExp(source, `${flags}gu`)), ([found]) => found))
    const about = `/${source}/${flags} on ${JSON.stringify(texts)}`
    assert.equal(scan.matches(index), all.length > 0, about)
    assert.equal(scan.excerpt(index), all[0]?.slice(0, 80), about)
    assert.equal(scan.count(index, 1000), all.length, about)
    assert.equal(scan.count(index, 2), Math.min(all.length, 2), about)
  }
  assert.equal(budget.exceeded, 0)
})

fuzz('patterns with loops over what may be empty, against JavaScript', 6_000, (random) => {
  const source = new PatternMaker(random, { atoms: ATOMS, wild: true, lookAround: false }).make()
  // JavaScript has neither of these, and its references to groups without part match.
  if (/\(\?>|[*+?}]\+|\\[1-9]/.test(source)) return
  const one = text(random.soup(LETTERS, 6, 0))
  const budget = createBudget()
  assert.equal(new PatternSet([read(source, 'a')]).scan([one], budget).matches(0), new RegExp(source, 'u').test(one), `/${source}/ on ${JSON.stringify(one)}`)
  assert.equal(budget.exceeded, 0)
})

function unitsOf(letters: string): Uint16Array {
  return Uint16Array.from({ length: letters.length }, (_, at) => letters.charCodeAt(at))
}

/** undefined: too many steps */
function searchedBy(matcher: Matcher, program: Program, units: Uint16Array): (readonly [number, number])[] | undefined {
  matcher.take(program, { units, start: 0, end: units.length })
  const found: (readonly [number, number])[] = []
  for (let from = 0; from <= units.length;) {
    const outcome = matcher.search(from, units.length, 1_000_000)
    if (outcome === EXCEEDED) return undefined
    if (outcome === NOT_FOUND) break
    found.push([matcher.matchStart, matcher.matchEnd])
    from = matcher.matchEnd > matcher.matchStart ? matcher.matchEnd : matcher.matchEnd + 1
  }
  return found
}

fuzz('a search that remembers where it failed finds the same', 5_000, (random) => {
  const source = new PatternMaker(random, { atoms: ATOMS, wild: true, lookAround: random.chance(0.3) }).make()
  const program = compile(parse(source, { ...NO_FLAGS, ignoreCase: random.chance(0.3), rules: 'ascii' }))
  // What refers to groups cannot remember.
  if (program.memos < 0) return
  const letters = text(random.soup(LETTERS, 12, 0))
  const units = unitsOf(letters)
  const about = `/${source}/ on ${JSON.stringify(letters)}`
  const remembering = searchedBy(new Matcher(0), program, units)
  assert.ok(remembering !== undefined, about)
  const plain = searchedBy(new Matcher(1_000_000), program, units)
  if (plain !== undefined) assert.deepEqual(remembering, plain, about)
})

fuzz('literals and windows leave nothing out', 500, (random) => {
  const words = ['free', 'offer', 'Money', 'now', 'http://', 'click', ' ', ' ', '.', '!', 'x', 'fr', 'off', 'ee']
  const parts = [...words.map((word) => word.replace('.', '\\.')), '.{0,9}', '\\s+', '.*', '(?:offer|now|click)', '[fo]', '(?<=free )', '(?=.{0,3}now)', '\\b', 'x?', '(?:ee)+', '(?<=(?:ee|free) ?)']
  const patterns = Array.from({ length: 20 }, () => {
    const source = Array.from({ length: 1 + random.below(6) }, () => random.pick(parts)).join('')
    return { source, pattern: read(source, 'ia') }
  })
  const texts = chunksOf(random.soup([...words, '\n'], 120, 0))
  const scan = new PatternSet(patterns.map(({ pattern }) => pattern)).scan(texts, createBudget())
  for (const [index, { source }] of patterns.entries()) {
    const all = texts.flatMap((one) => [...one.matchAll(new RegExp(source, 'giu'))])
    assert.equal(scan.count(index, 10_000), all.length, `/${source}/ on ${JSON.stringify(texts)}`)
  }
})

fuzz('words by their edges leave nothing out, in any letters', 3_000, (random) => {
  const words = ['kind', 'sink', 'one', 'école', 'naïve', 'x1', '_a', '"q"', 'kK\u212a', 's\u017f']
  const source = Array.from({ length: 1 + random.below(5) }, () => random.pick(['\\b', '\\b', '\\B', ' ', '.{0,3}', '(?:kind|one)', 's?', '\\w', ...words])).join('')
  const flags = ['i', 'a', 'd'].filter(() => random.chance(0.3)).join('')
  const texts = Array.from({ length: 1 + random.below(2) }, () => random.soup([...words, ' ', '-', 'É', '\u212a', '\u017f', 'K', 'S', '1', '_', '😀'], 10, 0))
  const pattern = read(source, flags)
  const { program } = engineOf(pattern)
  const matcher = new Matcher()
  const expected = texts.some((one) => {
    matcher.take(program, { units: unitsOf(one), start: 0, end: one.length })
    return matcher.search(0, one.length, 1_000_000) === FOUND
  })
  assert.equal(new PatternSet([pattern]).scan(texts, createBudget()).matches(0), expected, `/${source}/${flags} on ${JSON.stringify(texts)}, needs ${JSON.stringify(pattern.needs)}`)
})

const PIECES = ['(', ')', '(?', '(?:', '(?=', '(?<!', '(?<n>', '(?i)', '(?#', '(*', '[', ']', '[^', '[:alpha:]', '\\', '\\x{', '\\p{L}', '\\k<n>', '\\1', '\\g{-1}', '{', '}', '{2,', '{,3}', '*', '+', '?', '|', '^', '$', 'a', 'é', '😀', '\\Q', '\\E', '-', '#', ' ', ',', '9']

fuzz('sources of patterns', 12_000, (random) => {
  const source = random.soup(PIECES, 25)
  const reading = readPattern(source, ['i', 'm', 's', 'x', 'd'].filter(() => random.chance(0.3)).join(''))
  if (reading.status === 'refused') {
    assert.ok(reading.at >= 0 && reading.at <= source.length, `${source}: ${reading.problem} at ${reading.at}`)
    assert.ok(reading.problem.length > 10)
    return
  }
  const scan = new PatternSet([reading.pattern]).scan([random.soup(LETTERS, 20)], createBudget())
  const count = scan.count(0, 3)
  assert.equal(scan.matches(0), count === undefined ? undefined : count > 0)
})

fuzz('an automaton says what the matcher finds, from wherever it begins', 5_000, (random) => {
  const source = new PatternMaker(random, { atoms: ATOMS, wild: random.chance(0.5), lookAround: random.chance(0.3) }).make()
  const flags = { ...NO_FLAGS, ignoreCase: random.chance(0.3), multiLine: random.chance(0.3), dotAll: random.chance(0.3), rules: random.pick(['ascii', 'unicode'] as const) }
  const tree = parse(source, flags)
  const states = statesOf(tree)
  if (states === undefined) return
  const program = compile(tree)
  const matcher = new Matcher()
  const automaton = new Automaton(states, anchorOf(tree.root) === 'text')
  for (let texts = 0; texts < 4; texts++) {
    // Newlines at the end, and pairs of surrogates, are no trouble here.
    const letters = random.soup([...LETTERS, '😀'], 12, 0)
    const stretch = { units: unitsOf(letters), start: 0, end: letters.length }
    const from = random.chance(0.5) ? 0 : random.below(letters.length + 1)
    if ((letters.charCodeAt(from) & 0xfc00) === 0xdc00) continue
    matcher.take(program, stretch)
    const outcome = matcher.search(from, letters.length, 1_000_000)
    assert.notEqual(outcome, EXCEEDED)
    assert.equal(automaton.test(stretch, [from, Infinity], 1_000_000), outcome === FOUND, `/${source}/ on ${JSON.stringify(letters)} from ${from}, ${JSON.stringify(flags)}`)
    // As far as a match may reach that begins in time, and a character behind it.
    const until = from + random.below(letters.length + 1 - from)
    if (matcher.search(from, until, 1_000_000) !== FOUND) continue
    assert.equal(automaton.test(stretch, [from, until + widthOf(tree.root).most + 2], 1_000_000), true, `/${source}/ on ${JSON.stringify(letters)} from ${from} until ${until}, ${JSON.stringify(flags)}`)
  }
})

fuzz('texts into chunks', 5_000, (random) => {
  const whole = random.soup(['word', ' ', '\n', '\r\n', 'x'.repeat(500), '😀'.repeat(300), '\n\n', ' '.repeat(100)], 60)
  const lines = chunksOf(whole)
  assert.ok(lines.every((chunk) => chunk.length > 0 && chunk.length <= 4096))
  assert.equal(lines.join(''), whole.replaceAll(/\r?\n/g, ''))
  const blocks = blocksOf(whole)
  assert.ok(blocks.every((chunk) => chunk.length > 0 && chunk.length <= 4096))
  assert.equal(blocks.join(''), whole)
  assert.ok(blocks.slice(0, -1).every((chunk) => chunk.length >= 2048))
  assert.ok(blocks.every((chunk) => chunk.isWellFormed() || !whole.isWellFormed()))
})
