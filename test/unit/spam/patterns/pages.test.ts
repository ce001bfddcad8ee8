/** Pages of characters: kept, shared, and found again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pages } from '../../../../src/spam/patterns/pages.ts'

test('a page is that of all its characters, and of no other; several can be one', () => {
  const pages = new Pages<string>()
  assert.equal(pages.of(0x4e00), undefined)
  const han = pages.keep('han')
  pages.put(0x4e12, han)
  pages.put(0x2_4e00, han)
  pages.put(0x10_ffff, pages.keep('last'))
  assert.deepEqual([0x4dff, 0x4e00, 0x4eff, 0x4f00].map((code) => pages.of(code)), [undefined, 'han', 'han', undefined])
  assert.deepEqual([0x1_4e00, 0x2_4e00, 0x3_4e00].map((code) => pages.of(code)), [undefined, 'han', undefined])
  assert.deepEqual([0x10_feff, 0x10_ff00].map((code) => pages.of(code)), [undefined, 'last'])
})
