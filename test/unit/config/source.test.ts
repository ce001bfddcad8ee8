/** YAML to a tree with places: what cannot be read, and what must not be. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { locate, MAX_SOURCE_BYTES, parseSource, toRaw } from '../../../src/config/source.ts'
import type { ParsedSource } from '../../../src/config/source.ts'

function problems(text: string): readonly string[] {
  return parseSource(text).problems.map(({ place, key, problem }) => `${place.line ?? '-'}:${place.column ?? '-'} ${key.join('.')} ${problem}`)
}

function tree(text: string): NonNullable<ParsedSource['root']> {
  const parsed = parseSource(text)
  assert.deepEqual(parsed.problems, [])
  assert.ok(parsed.root !== undefined)
  return parsed.root
}

test('values are the text that was written; only true, false and nothing are more', () => {
  const root = tree('a: 0600\nb: "0600"\nc: 1e3\nd: true\ne: "true"\nf:\ng: ~\nh: 0o17\ni: 2001-01-01\nj: yes\nk: 9007199254740993\nl: .inf\nm: [a, {b: 1}]\n010: x\n')
  assert.deepEqual(toRaw(root), new Map<string, unknown>([
    ['a', '0600'], ['b', '0600'], ['c', '1e3'], ['d', true], ['e', 'true'], ['f', null], ['g', null], ['h', '0o17'], ['i', '2001-01-01'], ['j', 'yes'],
    ['k', '9007199254740993'], ['l', '.inf'], ['m', ['a', new Map([['b', '1']])]], ['010', 'x'],
  ]))
})

test('each value has a place; what is not there has that of what would hold it', () => {
  const root = tree('a: 1\nlisteners:\n  - name: x\n  - name: y\n    tls: { cert: c }\n')
  const at = (...path: (string | number)[]): string => `${locate(root, path).line ?? '-'}:${locate(root, path).column ?? '-'}`
  assert.equal(at('a'), '1:1')
  assert.equal(at('listeners'), '2:1')
  assert.equal(at('listeners', 1), '4:5')
  assert.equal(at('listeners', 1, 'tls', 'cert'), '5:12')
  assert.equal(at('listeners', 1, 'tls', 'key'), '5:5')
  assert.equal(at('listeners', 7, 'name'), '2:1')
  assert.equal(at('a', 'b'), '1:1')
})

test('an empty document is an empty mapping', () => {
  for (const text of ['', '\n', '# nothing\n', '---\n', '\ufeff', '~']) assert.equal(tree(text).entries.size, 0)
})

test('a document that is no mapping', () => {
  assert.deepEqual(problems('- a\n- b\n'), ['1:1  a configuration is a mapping of keys to values, found a list'])
  assert.deepEqual(problems('hello'), ['1:1  a configuration is a mapping of keys to values, found a single value'])
})

test('syntax errors have a line, and all of them are told', () => {
  assert.match(problems('a: [1, 2\nb: 3\n').join('\n'), /^2:\d+ {2}not valid YAML/m)
  assert.match(problems('a: "x\n').join('\n'), /not valid YAML/)
  const found = problems(` a: 1\n${'b: { c: d }\n'.repeat(20)}`)
  assert.match(found[0] ?? '', /^2:1 {2}not valid YAML: .*; do this line and the one before it begin in the column that they should\?$/)
  assert.equal(found.length, 3)
  assert.match(problems('a:\n\t- b\n').join('\n'), /^2:1/m)
  assert.match(problems('a: *nobody\n').join('\n'), /1:4 a no anchor &nobody/)
  assert.match(problems('a: 1\n---\nb: 2\n').join('\n'), /more than one YAML document/)
  assert.match(problems('a: !secret x\n').join('\n'), /1:4 {2}YAML: .*tag/i)
  assert.equal(parseSource('a: @x\nb: `y\n').problems.length, 2)
})

test('a key that stands twice is told with its name, and the rest is read', () => {
  const parsed = parseSource('a: 1\nb: { c: 1, c: 2 }\na: 3\n')
  assert.deepEqual(parsed.problems.map(({ place, key }) => `${place.line ?? ''} ${key.join('.')}`), ['2 b.c', '3 a'])
  assert.ok(parsed.root !== undefined)
  assert.deepEqual(toRaw(parsed.root), new Map<string, unknown>([['a', '1'], ['b', new Map([['c', '1']])]]))
})

test('a key that is no word', () => {
  assert.match(problems('? [a, b]\n: 1\n').join('\n'), /a key must be a word/)
  assert.match(problems('{a: b}: 1\n').join('\n'), /a key must be a word/)
})

test('keys of JavaScript objects are keys like all others', () => {
  const root = tree('__proto__: { polluted: yes }\nconstructor: x\ntoString: y\n')
  assert.deepEqual([...root.entries.keys()], ['__proto__', 'constructor', 'toString'])
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

test('aliases are followed', () => {
  assert.deepEqual(toRaw(tree('a: &x [1, 2]\nb: *x\n')), new Map([['a', ['1', '2']], ['b', ['1', '2']]]))
})

test('an alias means the last anchor before it, wherever it is used', () => {
  const root = tree('a: &y 1\nb: &x [*y, &z 5]\nc: &y 2\nd: *x\ne: *y\nf: &z 6\ng: *x\nh: *z\n')
  assert.deepEqual(toRaw(root), new Map<string, unknown>([
    ['a', '1'], ['b', ['1', '5']], ['c', '2'], ['d', ['1', '5']], ['e', '2'], ['f', '6'], ['g', ['1', '5']], ['h', '6'],
  ]))
  assert.match(problems('a: *x\nb: &x 1\n').join('\n'), /1:4 a no anchor &x/)
})

test('many aliases cost no more than many values', () => {
  const parsed = parseSource(`a: &a x\nb: [${Array.from({ length: 49_990 }, () => '*a').join(',')}]\n`)
  assert.deepEqual(parsed.problems, [])
})

test('aliases that would make much out of little are refused, soon', () => {
  const lines = ['l0: &l0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 12; i++) lines.push(`l${i}: &l${i} [${Array.from({ length: 10 }, () => `*l${i - 1}`).join(', ')}]`)
  const parsed = parseSource(lines.join('\n'))
  assert.equal(parsed.root, undefined)
  assert.match(parsed.problems[0]?.problem ?? '', /more than 50000 values once its aliases are resolved/)
})

test('an alias inside its own anchor ends', () => {
  assert.match(problems('a: &a [*a]\n').join('\n'), /nested deeper than 16 levels|not valid YAML/)
  assert.match(problems('a: &a { b: *a }\n').join('\n'), /nested deeper than 16 levels|not valid YAML/)
})

test('what is nested deeply is refused, at any depth', () => {
  assert.match(problems(`a: ${'['.repeat(30)}${']'.repeat(30)}`).join('\n'), /nested/)
  for (const depth of [1000, 20_000]) {
    for (const text of [`a: ${'['.repeat(depth)}`, `a: ${'['.repeat(depth)}${']'.repeat(depth)}`, `a: ${'{a: '.repeat(depth)}`, '- '.repeat(depth)]) {
      const parsed = parseSource(text)
      assert.equal(parsed.root, undefined)
      assert.ok(parsed.problems.length > 0)
    }
  }
})

test('a large text is refused before it is parsed', () => {
  assert.match(problems(`# ${'x'.repeat(MAX_SOURCE_BYTES)}`).join('\n'), /larger than 1048576 bytes/)
  assert.deepEqual(problems(`# ${'x'.repeat(MAX_SOURCE_BYTES - 2)}`), [])
})
