import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fieldText, MAX_DECODED_CHARACTERS } from '../../../src/mime/encoded-words.ts'

const CASES: readonly (readonly [string, string])[] = [
  ['', ''],
  ['plain =text= with ? and =?', 'plain =text= with ? and =?'],
  ['=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=', 'Grüße aus Köln'],
  ['=?UTF-8?b?R3LDvMOfZQ==?= und =?iso-8859-1*de?q?mehr?=', 'Grüße und mehr'],
  // RFC 2047 §6.2
  ['=?utf-8?q?a?= =?utf-8?q?b?=', 'ab'],
  ['=?utf-8?q?a?= \t =?iso-8859-1?q?=E4?= c', 'aä c'],
  ['=?utf-8?q?a?= x =?utf-8?q?b?=', 'a x b'],
  ['=?utf-8?q?a?=b =?utf-8?q?c?=', 'ab c'],
  ['=?utf-8?q?a?==?utf-8?q?b?=', 'ab'],
  // a character in two words
  ['=?utf-8?b?w6TD?= =?utf-8?b?pA==?=', 'ää'],
  ['=?utf-8?q?=F0=9F?= =?UTF-8?b?mIA=?=', '😀'],
  ['=?utf-8?q?=C3?= =?iso-8859-1?q?=A4?=', 'Ã¤'],
  // more than is allowed
  ['"=?utf-8?q?=C3=A4?=" <a@b.example>', '"ä" <a@b.example>'],
  ['(=?utf-8?q?=C3=A4?=)', '(ä)'],
  ['=?utf-8?q?with blanks =C3=A4?=', 'with blanks ä'],
  ['=?utf-8?q?why?not?=', 'why?not'],
  ['=?utf-8?B?w6Q?=', 'ä'],
  ['=?utf-8?q?=c3=a4 =zz?=', 'ä =zz'],
  // sets
  ['=?koi8-r?q?=F0=D2=C9?=', 'При'],
  ['=?gb2312?b?xOO6ww==?=', '你好'],
  ['=?iso-2022-jp?b?GyRCJDMbKEI=?=', 'こ'],
  ['=?ks_c_5601-1987?b?vsiz5w==?=', '안녕'],
  ['=?utf-7?q?+AOQ-?=', 'ä'],
  ['=?nobody-knows?q?=C3=A4?=', 'ä'],
  ['=?us-ascii?q?=E4?=', 'ä'],
  // RFC 6532, and what was before it
  ['\xc3\xa4 =?utf-8?q?=C3=A4?= \xc3\xa4', 'ä ä ä'],
  ['\xe4\x80', 'ä€'],
  // none
  ['=?utf-8?x?a?=', '=?utf-8?x?a?='],
  ['=??q?a?=', '=??q?a?='],
  ['=?utf-8?q?a', '=?utf-8?q?a'],
  ['=?utf 8?q?a?=', '=?utf 8?q?a?='],
  ['=?=?utf-8?q?a?=', '=?a'],
  ['=?utf-8?b?YQ==?YQ==?=', '=?utf-8?b?YQ==?YQ==?='],
  ['=?utf-8?q??=', ''],
  ['=?utf-8?q?', '=?utf-8?q?'],
  ['=?utf-8?', '=?utf-8?'],
  // the longest that are read
  [`=?${'x'.repeat(80)}?q?a?=`, 'a'],
  [`=?${'x'.repeat(81)}?q?a?=`, `=?${'x'.repeat(81)}?q?a?=`],
  [`=?utf-8?q?a?${'b'.repeat(98)}?=`, `a?${'b'.repeat(98)}`],
  [`=?utf-8?q?a?${'b'.repeat(99)}?=`, `=?utf-8?q?a?${'b'.repeat(99)}?=`],
]

describe('the text of a field', () => {
  for (const [raw, text] of CASES) test(JSON.stringify(raw), () => assert.equal(fieldText(raw), text))

  test('of one that is longer than any its beginning and its end, cut between two words', () => {
    const word = '=?utf-8?q?=C3=A4?='
    const long = `first ${`${word} `.repeat(20_000)}last`
    const text = fieldText(long)
    assert.match(text, /^first \u00e4+ last$/)
    const words = text.length - 'first  last'.length
    assert.ok(words * (word.length + 1) > MAX_DECODED_CHARACTERS * 0.99 && words * (word.length + 1) < MAX_DECODED_CHARACTERS, `${words}`)
    assert.equal(fieldText('x'.repeat(MAX_DECODED_CHARACTERS)).length, MAX_DECODED_CHARACTERS)
    assert.match(fieldText(`a${'x'.repeat(MAX_DECODED_CHARACTERS)}b`), /^ax{49148} x{16383}b$/)
  })

  test('where no blank is near, it is cut between two characters, and the word that it goes through ends', () => {
    const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
    for (const before of ['', 'x', 'xx', 'xxx']) {
      assert.match(fieldText(bytes(`${before}Купите ${'\u200b'.repeat(22_000)}дешево`)), /^x{0,3}Купите \u200b+ \u200b+дешево$/)
      assert.match(fieldText(bytes(`${before}${'😀'.repeat(20_000)}`)), /^x{0,3}(?:😀)+ (?:😀)+$/u)
    }
    const word = (text: string): string => `=?utf-8?B?${Buffer.from(text, 'utf8').toString('base64')}?=`
    assert.match(fieldText(`${word(`Купите ${'я'.repeat(20_000)}`)}${` ${word('яяяя')}`.repeat(1000)}`), /^Купите я+/)
  })
})
