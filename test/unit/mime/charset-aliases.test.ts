import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setOfAlias } from '../../../src/mime/charset-aliases.ts'
import { charsetReading } from '../../../src/mime/charset-names.ts'
import { charsetText } from '../../../src/mime/charset-text.ts'

test('other names of character sets', () => {
  for (const [name, set] of [
    ['eucgb2312_cn', 'gb18030'], ['gb2312.1980-0', 'gb18030'], ['csgbk', 'gb18030'], ['x-mac-chinesesimp', 'gb18030'], ['hz-gb', 'hz'], ['Big5-ETEN', 'big5'], ['x-big5-hkscs', 'big5'], ['csbig5hkscs', 'big5'], ['cswindows31j', 'shift_jis'], ['sjis_win', 'shift_jis'], ['shift_jis-2004', 'shift_jis'], ['eucjp-ms', 'euc-jp'],
    ['extended_unix_code_packed_format_for_japanese', 'euc-jp'], ['iso_2022_jp', 'iso-2022-jp'], ['csjisencoding', 'iso-2022-jp'], ['ks_x_1001:1992', 'euc-kr'], ['ksc5601-1987', 'euc-kr'], ['cp-949', 'euc-kr'], ['cp50225', 'iso-2022-kr'], ['latin7', 'iso-8859-13'], ['iso-celtic', 'iso-8859-14'], ['latin-9', 'iso-8859-15'], ['l10', 'iso-8859-16'],
    ['iso-8859-9-windows-latin-5', 'windows-1254'], ['cswindows1251', 'windows-1251'], ['1251', 'windows-1251'], ['28595', 'iso-8859-5'], ['20866', 'koi8-r'], ['cstis620', 'windows-874'], ['maccyrillic', 'x-mac-cyrillic'], ['mac_roman', 'macintosh'], ['ibm-866', 'ibm866'], ['ucs-2le', 'utf-16le'], ['csutf16be', 'utf-16be'], ['csutf32', 'utf-32'], ['csutf7', 'utf-7'], ['csutf8', 'utf-8'], ['8859_1', 'windows-1252'], ['ibm367', 'guess'],
  ] as const) {
    const reading = charsetReading(name.toLowerCase())
    assert.equal(typeof reading === 'object' ? reading.label : reading, set, name)
  }
  for (const name of ['euc-tw', 'iso-2022-cn', 'viscii', 'cp437', 'cp850', 'nonsense', 'constructor', '__proto__', '8', 'x-', 'cs', 'unknown', '']) assert.equal(setOfAlias(name), undefined, name)
  assert.deepEqual(charsetText(Buffer.from('c4e3bac3', 'hex'), 'eucgb2312_cn'), { text: '你好', defect: undefined })
})

test('every set that has other names is read', () => {
  for (const name of ['ascii', 'utf8', 'utf16', 'utf16le', 'utf16be', 'utf32', 'utf7', 'latin1', 'latin2', 'latin3', 'latin4', '88595', '88596', '88597', '88598', 'latin5', 'latin6', 'latin7', 'latin8', 'latin9', 'latin10', 'tis620', 'dos866', 'koi8ru', 'koi8r', 'macroman', 'macuk', 'msee', 'mscyrl', 'msgreek', 'msturk', 'mshebr', 'msarab', 'winbaltrim', 'cngb', 'hzgb', 'bigfive', 'pck', 'ujis', 'junet', 'wansung', 'iso2022kr']) {
    const set = setOfAlias(name)
    assert.ok(set !== undefined && charsetReading(set) !== undefined, name)
  }
})
