/** Literals found in one pass. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiteralIndex, MAX_DEPTH, stretchOf } from '../../../../src/spam/patterns/literal-index.ts'

function found(literals: readonly string[], text: string): string[] {
  const all: string[] = []
  const units = Uint16Array.from({ length: text.length + 4 }, (_, at) => text.charCodeAt(at - 2) || 0x78)
  LiteralIndex.of(literals).scan(units, [2, text.length + 2], (literal, at) => all.push(`${at - 2}:${literals[literal] ?? '?'}`))
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

test('more characters than numbers: too much is found, never too little', () => {
  const literals = Array.from({ length: 200 }, (_, number) => String.fromCharCode(0x4e00 + number, 0x4f00 + number, 0x5000 + number))
  for (const [number, literal] of literals.entries()) assert.ok(found(literals, `x${literal}y`).includes(`1:${literals[number]!}`))
})

test('of a long literal the rarest stretch is looked for', () => {
  assert.deepEqual(stretchOf('short'), { stretch: 'short', at: 0 })
  const long = stretchOf('the tea and the xylophone')
  assert.equal(long.stretch.length, MAX_DEPTH)
  assert.equal('the tea and the xylophone'.slice(long.at, long.at + MAX_DEPTH), long.stretch)
})
