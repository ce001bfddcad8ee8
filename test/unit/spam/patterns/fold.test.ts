/** Case folding against JavaScript's own, which is Unicode's simple folding with the flags i and u. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asciiFold, foldCodePoint, unicodeFold, variantsOf } from '../../../../src/spam/patterns/fold.ts'

test('what folds to something else folds as in JavaScript, and nothing else does', () => {
  const fold = unicodeFold()
  const cased = /\p{Changes_When_Casefolded}/u
  for (let code = 0; code < 0x10000; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    const character = String.fromCharCode(code)
    const folded = String.fromCharCode(fold[code] as number)
    if (folded !== character) assert.match(character, new RegExp(`^\\u{${folded.charCodeAt(0).toString(16)}}$`, 'iu'))
    else if (cased.test(character) && character.toLowerCase().length === 1 && character.toLowerCase() !== character) assert.doesNotMatch(character.toLowerCase(), new RegExp(`^\\u{${code.toString(16)}}$`, 'iu'), code.toString(16))
  }
})

test('characters that fold alike are found from each of them', () => {
  const fold = unicodeFold()
  const of = (text: string) => variantsOf(text.codePointAt(0)!, fold).map((code) => String.fromCodePoint(code)).sort().join('')
  assert.equal(of('k'), 'Kk\u212a')
  assert.equal(of('\u212a'), 'Kk\u212a')
  assert.equal(of('s'), 'Ss\u017f')
  assert.equal(of('ς'), 'Σςσ')
  assert.equal(of('é'), 'Éé')
  assert.equal(of('ß'), 'ßẞ')
  assert.equal(of('ı'), 'ı')
  assert.equal(of('İ'), 'İ')
  assert.equal(of('1'), '1')
  assert.equal(of('𐐀'), '𐐀𐐨')
  for (let code = 0; code < 0x10000; code++) for (const variant of variantsOf(code, fold)) assert.equal(fold[variant], fold[code])
})

test('bytes fold from A to Z', () => {
  const fold = asciiFold()
  assert.deepEqual(variantsOf(0x41, fold), [0x61, 0x41])
  assert.deepEqual(variantsOf(0xe9, fold), [0xe9])
  assert.deepEqual(variantsOf(0x6b, fold), [0x6b, 0x4b])
  assert.equal(foldCodePoint(0x10400, fold), 0x10400)
  assert.equal(foldCodePoint(0x10400, unicodeFold()), 0x10428)
})
