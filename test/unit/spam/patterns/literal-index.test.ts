/** Literals found in one pass. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiteralIndex } from '../../../../src/spam/patterns/literal-index.ts'

function found(literals: readonly string[], text: string): string[] {
  const all: string[] = []
  const units = Uint16Array.from({ length: text.length + 4 }, (_, at) => text.charCodeAt(at - 2) || 0x78)
  LiteralIndex.of(literals).scan({ units, starts: [2, text.length + 2] }, { first: 0, behind: 1 }, (literal, at) => all.push(`${at - 2}:${literals[literal] ?? '?'}`))
  return all.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || a.localeCompare(b))
}

test('literals of every length, at every place, case aside', () => {
  assert.deepEqual(found(['a', 'ab', 'abc', 'abcd', 'abcde', 'bcdefghijk'], 'xABCDEfghijk a'), ['1:a', '1:ab', '1:abc', '1:abcd', '1:abcde', '2:bcdefghijk', '13:a'])
  assert.deepEqual(found(['abc'], 'abc'), ['0:abc'])
  assert.deepEqual(found(['a', 'ab'], 'ab'), ['0:a', '0:ab'])
  assert.deepEqual(found(['a'], ''), [])
  assert.deepEqual(found(['abcd'], 'abc'), [])
  assert.deepEqual(found(['aa', 'aaaa'], 'aaaaa'), ['0:aa', '0:aaaa', '1:aa', '1:aaaa', '2:aa', '3:aa'])
})

test('letters of other scripts, and characters that fold to ASCII', () => {
  assert.deepEqual(found(['привет', 'kelvin', 'σ'], 'ПРИВЕТ \u212aelvin ς'), ['0:привет', '7:kelvin', '14:σ'])
  assert.deepEqual(found(['😀!'], 'x😀!'), ['1:😀!'])
})

test('what stands before and behind a text does not count', () => {
  assert.deepEqual(found(['xa', 'ax', 'xxa', 'axx'], 'a'), [])
})

test('marked literals are not found within words', () => {
  assert.deepEqual(found(['\bone\b'], 'phone one-one1 _one one'), ['6:\bone\b', '20:\bone\b'])
  assert.deepEqual(found(['\bone\b', 'one'], 'phone'), ['2:one'])
  assert.deepEqual(found(['\bone'], 'one phone ones'), ['0:\bone', '10:\bone'])
  assert.deepEqual(found(['one\b'], 'one phone ones'), ['0:one\b', '6:one\b'])
  assert.deepEqual(found(['\ba\b'], 'a'), ['0:\ba\b'])
  // Of other letters nobody but the pattern knows whether they are in words.
  assert.deepEqual(found(['\bone\b'], 'éone one€'), ['1:\bone\b', '5:\bone\b'])
})

test('more characters than numbers: too much is found, never too little', () => {
  const literals = Array.from({ length: 200 }, (_, number) => String.fromCharCode(0x4e00 + number, 0x4f00 + number, 0x5000 + number))
  for (const [number, literal] of literals.entries()) assert.ok(found(literals, `x${literal}y`).includes(`1:${literals[number]!}`))
})

test('literals that share a window, at its begin, at its end and within; long ones whole', () => {
  const literals = ['xylophone', 'xylo', 'a xylo', 'the xylophones of a large orchestra', 'xylophone!']
  assert.deepEqual(found(literals, 'The Xylophones of a large orchestra'), ['4:xylo', '4:xylophone', '0:the xylophones of a large orchestra'].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || a.localeCompare(b)))
  assert.deepEqual(found(literals, 'the xylophones of a large orchestr'), ['4:xylo', '4:xylophone'])
  assert.deepEqual(found(literals, 'a xylophone!'), ['0:a xylo', '2:xylo', '2:xylophone', '2:xylophone!'])
})

test('places of one literal are told in their order', () => {
  const places: number[] = []
  const text = 'bob abba bob abba bob'
  LiteralIndex.of(['bob', 'abba', 'bo', 'a']).scan({ units: Uint16Array.from(text, (character) => character.charCodeAt(0)), starts: [0, text.length] }, { first: 0, behind: 1 }, (literal, at) => { if (literal === 0) places.push(at) })
  assert.deepEqual(places, [0, 9, 18])
})

test('several texts are told one after another, each for itself, however much is in them', () => {
  const texts = ['ab', '', 'c ab', 'abc '.repeat(700), 'b']
  const units = Uint16Array.from(texts.join(''), (character) => character.charCodeAt(0))
  const starts = [0]
  for (const text of texts) starts.push((starts.at(-1) ?? 0) + text.length)
  const told: string[] = []
  LiteralIndex.of(['ab', 'abc', 'b', 'bc', 'c ab', 'bca']).scan({ units, starts }, { first: 1, behind: 5 }, (literal, at, text) => told.push(`${text} ${literal} ${at - (starts[text] ?? 0)}`))
  const of = (text: number, literal: number): string[] => told.filter((one) => one.startsWith(`${text} ${literal} `))
  assert.deepEqual(of(2, 0), ['2 0 2'])
  assert.deepEqual(of(2, 4), ['2 4 0'])
  assert.deepEqual(of(3, 1), Array.from({ length: 700 }, (_, one) => `3 1 ${4 * one}`))
  assert.deepEqual(of(3, 4), Array.from({ length: 699 }, (_, one) => `3 4 ${4 * one + 2}`))
  assert.deepEqual(of(4, 2), ['4 2 0'])
  assert.deepEqual(told.filter((one) => one.startsWith('0 ') || one.startsWith('1 ') || / 5 /.test(one)), [])
  assert.deepEqual(told.map((one) => Number(one.charAt(0))), told.map((one) => Number(one.charAt(0))).sort())
})

test('many literals in one window', () => {
  const literals = ['window', ...Array.from('abcdefghijklmnopqrstuvwxyz').flatMap((letter) => [`window ${letter}`, `${letter} window`, `window on ${letter}`])]
  assert.deepEqual(found(literals, 'q window on z'), ['0:q window', '2:window', '2:window o', '2:window on z'])
})

test('hundreds of literals in one window: each is told apart, and found at the begin and the end of a text', () => {
  const letters = Array.from('abcdef')
  const literals = letters.flatMap((one) => ['window', `window${one}`, `${one}window`, `${one} window`].flatMap((stem) => letters.flatMap((other) => [stem + other, `${other}${stem}`, `${stem} ${other}`, `${other} of ${stem}`])))
  const different = [...new Set(literals)]
  for (const literal of different.filter((_, at) => at % 11 === 0)) {
    for (const text of [literal, `.${literal}`, `${literal.slice(1)}${literal}`]) assert.deepEqual(found(different, text), occurrences(different, text), text)
  }
})

/** The plain way. */
function occurrences(literals: readonly string[], text: string): string[] {
  return literals.flatMap((literal) => Array.from({ length: text.length }, (_, at) => at).filter((at) => text.startsWith(literal, at)).map((at) => `${at}:${literal}`)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || a.localeCompare(b))
}

test('as a search for each of them finds', () => {
  let state = 1
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 2 ** 32 * below)
  }
  const words = (letters: string, longest: number): string => Array.from({ length: 1 + next(longest) }, () => letters.charAt(next(letters.length))).join('')
  for (const letters of ['ab', 'abc ', 'the ring', 'сон ab']) {
    // Some are looked for by another way than many.
    for (const count of [1, 60, 1500]) {
      const literals = [...new Set(Array.from({ length: count }, () => words(letters, 9)))]
      const text = words(letters, 1).repeat(3) + Array.from({ length: 40 }, () => words(letters, 12)).join('')
      assert.deepEqual(found(literals, text), occurrences(literals, text))
    }
  }
})

test('those that share one window are told apart in steps, not all at once', () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  const spelt = (number: number): string => [0, 1, 2].map((place) => letters[Math.floor(number / letters.length ** place) % letters.length]).join('')
  const literals = Array.from({ length: 2000 }, (_, number) => `xqzjkv${spelt(number)}`)
  const making = LiteralIndex.making(literals, [...literals.keys()])
  let steps = 0
  while (making.next().done !== true) steps++
  // Some for the literals, and one for each of the hundred forks at least.
  assert.ok(steps > 100, `${steps} steps`)
})
