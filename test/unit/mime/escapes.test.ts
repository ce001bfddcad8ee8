import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { unescaped, unescapeInPlace } from '../../../src/mime/escapes.ts'

const EQUALS = 0x3d
const PERCENT = 0x25

describe('bytes behind an escape sign', () => {
  test('two digits of either case', () => {
    for (const [text, expected] of [['=41=4a=4B', 'AJK'], ['a=3Db', 'a=b'], ['=00=ff', '\0\xff'], ['', ''], ['abc', 'abc']] as const) assert.equal(unescaped(text, EQUALS), expected, text)
    assert.equal(unescaped('a%20b=20', PERCENT), 'a b=20')
  })

  test('a sign without two digits stays', () => {
    for (const text of ['=', '==', '=4', '=4g', '=g4', 'x=', '===', '= 41']) assert.equal(unescaped(text, EQUALS), text, text)
    assert.equal(unescaped('==41', EQUALS), '=A')
    assert.equal(unescaped('=4=41', EQUALS), '=4A')
  })

  test('what is decoded is not read again', () => {
    assert.equal(unescaped('=3D41', EQUALS), '=41')
  })

  test('in place, at the front', () => {
    const bytes = Buffer.from('a=62c=64')
    assert.equal(unescapeInPlace(bytes, EQUALS), 4)
    assert.equal(bytes.toString('latin1', 0, 4), 'abcd')
  })
})
