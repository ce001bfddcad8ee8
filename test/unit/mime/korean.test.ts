import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeKorean } from '../../../src/mime/korean.ts'

test('every syllable of Unicode has its cell, and they stand in order', () => {
  const found: string[] = []
  for (let lead = 0x81; lead <= 0xc6; lead++) {
    for (let trail = 0x41; trail <= (lead <= 0xa0 ? 0xfe : 0xa0); trail++) {
      const text = decodeKorean(Buffer.from([lead, trail]))
      if (text.length === 1 && text >= '가' && text <= '힣') found.push(text)
    }
  }
  assert.equal(found.length, 11_172 - 2_350)
  assert.deepEqual(found, [...found].sort())
})

test('with EUC-KR and ASCII around them', () => {
  // 똠 (8C 63), 뷁 (94 EE): not in KS X 1001
  assert.equal(decodeKorean(Buffer.from('a\x8c\x63\xb9\xe6\xb0\xa2\xc7\xcf 94\x94\xee!', 'latin1')), 'a똠방각하 94뷁!')
  assert.equal(decodeKorean(Buffer.from('plain')), 'plain')
  assert.equal(decodeKorean(Buffer.from([0x81])), '\ufffd')
  assert.equal(decodeKorean(Buffer.from('\xff\x80 \x80\x81 \xfeA', 'latin1')), '\ufffd \ufffd \ufffdA')
})
