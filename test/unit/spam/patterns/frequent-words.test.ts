/** How often literals stand within common words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareInWords } from '../../../../src/spam/patterns/frequent-words.ts'
import { rarityOf } from '../../../../src/spam/patterns/rarity.ts'

test('stretches of words, and words for themselves', () => {
  // "one" stands within "phone" and "someone", too.
  assert.ok(shareInWords('one') > shareInWords('\bone') && shareInWords('\bone') >= shareInWords('\bone\b'))
  assert.equal(shareInWords('\bone\b'), 2 ** -12)
  assert.equal(shareInWords(' one '), shareInWords('\bone\b'))
  assert.ok(shareInWords('click') > 0 && shareInWords('\blick') === 0)
  for (const nowhere of ['', ' ', '\b', 'viagra', '1']) assert.equal(shareInWords(nowhere), 0, nowhere)
})

test('a phrase is rarer than any of its words', () => {
  assert.ok(shareInWords('\bif you\b') > 0)
  assert.ok(shareInWords('\bif you\b') < shareInWords('\bif\b'))
  assert.equal(shareInWords('if viagra'), 0)
})

test('what stands in common words is not rare, and with marks it is never more frequent', () => {
  assert.ok(rarityOf('\bget\b') > 5 * rarityOf('\bzyx\b'))
  for (const literal of ['get', 'click', 'if you', 'viagra', 'x']) assert.ok(rarityOf(`\b${literal}\b`) <= rarityOf(literal), literal)
})
