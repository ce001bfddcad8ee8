import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { charsetReading } from '../../../src/mime/charset-names.ts'
import { charsetText, windows1252 } from '../../../src/mime/charset-text.ts'

const read = (binary: string, charset?: string, cut?: boolean) => charsetText(Buffer.from(binary, 'latin1'), charset, cut)

describe('bytes of a character set', () => {
  const CASES: readonly (readonly [string | undefined, string, string])[] = [
    [undefined, 'plain', 'plain'], ['us-ascii', 'plain', 'plain'], ['utf-8', '\xc3\xa4\xe2\x82\xac', 'ä€'], [undefined, '\xc3\xa4', 'ä'], [undefined, '\xe4\x80', 'ä€'],
    ['iso-8859-1', '\xe4\x93\x94', 'ä“”'], ['windows-1252', '\xe4\x80\x81', 'ä€\x81'], ['latin1', '\xc3\xa4', 'Ã¤'], ['iso-8859-15', '\xa4', '€'], ['iso8859-2', '\xb1', 'ą'], ['cp1251', '\xcf', 'П'], ['windows1251', '\xcf', 'П'], ['win-1250', '\xb9', 'ą'],
    ['koi8-r', '\xf0', 'П'], ['koi8-u', '\xa4', 'є'], ['macintosh', '\x8a', 'ä'], ['windows-874', '\xa1', 'ก'], ['tis-620', '\xa1', 'ก'], ['iso-8859-8-i', '\xe0', 'א'], ['iso-8859-6', '\xc7', 'ا'], ['iso-8859-9', '\xfd', 'ı'],
    ['gb2312', '\xc4\xe3', '你'], ['gbk', '\xc4\xe3', '你'], ['gb18030', '\x81\x30\x89\x38', 'ß'], ['cp936', '\x81\x40', '丂'], ['big5', '\xa7\x41', '你'], ['cp950', '\xa7\x41', '你'], ['hz-gb-2312', 'a~{Dc~}~~b', 'a你~b'],
    ['shift_jis', '\x82\xb1', 'こ'], ['x-sjis', '\x82\xb1', 'こ'], ['cp932', '\x87\x40', '①'], ['euc-jp', '\xa4\xb3', 'こ'], ['iso-2022-jp', '\x1b$B$3\x1b(Ba', 'こa'], ['iso-2022-jp-ms', '\x1b$B$3\x1b(B', 'こ'],
    ['euc-kr', '\xbe\xc8', '안'], ['ks_c_5601-1987', '\xbe\xc8', '안'], ['cp949', 'a\x81\x41\xbe\xc8\xc6\x52b', 'a갂안힣b'], ['iso-2022-kr', '\x1b$)C\x0e>H\x0fa\n', '안a\n'],
    ['utf-7', 'a+AOQ-b+-c', 'aäb+c'], ['unicode-1-1-utf-7', '+AOQ', 'ä'],
    ['utf-16', '\xff\xfea\0\xe4\0', 'aä'], ['utf-16', '\xfe\xff\0a', 'a'], ['utf-16', 'a\0b\0', 'ab'], ['utf-16', '\0a\0b', 'ab'], ['utf-16le', 'a\0', 'a'], ['utf-16be', '\0a', 'a'], ['utf-32', '\0\0\0a\0\x01\xf6\0', 'a😀'], ['utf-32le', 'a\0\0\0', 'a'],
    ['iso-8859-1', '\xef\xbb\xbf\xc3\xa4', 'ä'], ['utf-8', '\xef\xbb\xbfa', 'a'],
    [' "utf-8" ', '\xc3\xa4', 'ä'],
  ]
  for (const [charset, binary, text] of CASES) {
    test(`${charset ?? 'none'}: ${JSON.stringify(text)}`, () => assert.deepEqual(read(binary, charset), { text, defect: undefined }))
  }

  test('that are none of it', () => {
    const broken = (binary: string, charset: string) => {
      const { text, defect } = read(binary, charset)
      assert.equal(defect, 'broken-charset', charset)
      return text
    }
    assert.equal(broken('\xe4', 'us-ascii'), 'ä')
    assert.equal(broken('\xc3\xa4', 'us-ascii'), 'ä')
    // mostly UTF-8: what is broken is U+FFFD; hardly any: something else was meant
    assert.equal(broken('\xc3\xa4\xc3\xb6 \xe4', 'utf-8'), 'äö \ufffd')
    assert.equal(broken('Gr\xfc\xdfe', 'utf-8'), 'Grüße')
    // UTF-8 with a wrong declaration, where that cannot be right
    assert.equal(broken('\xe2\x82\xac ', 'gb2312'), '€ ')
    assert.equal(broken('\x82', 'shift_jis'), '\ufffd')
    assert.equal(broken('\xbe\xc8\x80', 'euc-kr'), '안\ufffd')
    assert.equal(broken('+2AA-', 'utf-7'), '\ufffd')
    assert.equal(broken('a\0b', 'utf-16'), 'a\ufffd')
    assert.equal(broken('\0\x11\0\0', 'utf-32'), '\ufffd')
  })

  test('whose mark says UTF-16 and that are none', () => {
    for (const mark of ['\xff\xfe', '\xfe\xff']) {
      assert.deepEqual(read(`${mark}<div>Some text`, 'utf-8'), { text: '<div>Some text', defect: 'broken-charset' })
      assert.deepEqual(read(`${mark}<div>Some text`, 'us-ascii'), { text: '<div>Some text', defect: 'broken-charset' })
      assert.deepEqual(read(`${mark}<div>Some text`), { text: '<div>Some text', defect: 'broken-charset' })
      assert.deepEqual(read(`${mark}\xcf\xf0\xe8\xe2\xe5\xf2`, 'windows-1251'), { text: 'Привет', defect: 'broken-charset' })
      assert.deepEqual(read(`${mark}a\0`, 'nobody-knows').defect, mark === '\xff\xfe' ? undefined : 'unknown-charset')
    }
    // a NUL here and there makes no UTF-16 either
    assert.equal(read(`\xff\xfeS\0ome more text that everybody can read`, 'utf-8').text, 'S\0ome more text that everybody can read')
  })

  test('that are UTF-16 by their mark, whatever is declared', () => {
    for (const charset of [undefined, 'utf-8', 'us-ascii', 'windows-1252', 'utf-16']) {
      assert.deepEqual(read('\xff\xfeS\0o\0 \0t\0e\0x\0t\0', charset), { text: 'So text', defect: undefined })
      assert.deepEqual(read('\xfe\xff\0S\0o\0 \0t\0e\0x\0t', charset), { text: 'So text', defect: undefined })
    }
    // without a NUL in it: where nothing else is said
    assert.deepEqual(read('\xff\xfe`O}Y', 'utf-16'), { text: '你好', defect: undefined })
    assert.deepEqual(read('\xff\xfe\xf7\x8b\xb9p\xfbQ', undefined), { text: '请点击', defect: undefined })
  })

  test('whose mark says UTF-8 and that are what is declared', () => {
    assert.deepEqual(read('\xef\xbb\xbf\xcf\xf0\xe8\xe2\xe5\xf2', 'windows-1251'), { text: 'Привет', defect: 'broken-charset' })
    assert.deepEqual(read('\xef\xbb\xbf\xc3\xa4\xc3\xb6 \xe4', 'utf-8'), { text: 'äö \ufffd', defect: 'broken-charset' })
  })

  test('that cannot be UTF-16 or UTF-32 as it is said are guessed', () => {
    const lure = 'verify your account at http://a.example/'
    const wide = Buffer.from('我们请您确认一下。'.repeat(9), 'utf16le')
    const kana = Buffer.from('おはようございます。きょうはいいてんきです。\n', 'utf16le')
    for (const charset of ['utf-16', 'utf-16le', 'utf-16be', 'utf-32', 'unicode', 'cp1200', 'ucs2', 'unicodelittle', 'unicode11', '12000']) {
      assert.deepEqual(read(lure, charset), { text: lure, defect: 'unknown-charset' }, charset)
      assert.deepEqual(read(`${lure.repeat(5)}a\0b\xc3\xa4`, charset), { text: `${lure.repeat(5)}a\0bä`, defect: 'unknown-charset' }, charset)
      assert.equal(charsetText(Buffer.from('Подтвердите пароль'.repeat(40)), charset).text, 'Подтвердите пароль'.repeat(40))
      assert.equal(read('caf\xe9 and cr\xe8me, as much of it as you like', charset).text, 'café and crème, as much of it as you like')
    }
    assert.deepEqual([charsetText(wide, 'utf-16le').text, charsetText(kana, 'cp1200').text, charsetText(Buffer.from('Grüße an alle, die das lesen', 'utf16le'), 'unicode').text], [wide.toString('utf16le'), kana.toString('utf16le'), 'Grüße an alle, die das lesen'])
    assert.equal(charsetText(Buffer.from(kana).swap16(), 'utf-16be').text, kana.toString('utf16le'))
  })

  test('of an unknown set are guessed', () => {
    assert.deepEqual(read('\xc3\xa4', 'nobody-knows'), { text: 'ä', defect: 'unknown-charset' })
    assert.deepEqual(read('\xe4', 'x'.repeat(100_000)), { text: 'ä', defect: 'unknown-charset' })
    assert.equal(read('a', 'constructor').defect, 'unknown-charset')
  })

  test('that are cut in a character lose it, and that is no fault', () => {
    for (const tail of ['\xc3', '\xe2\x82', '\xf0\x9f\x98']) {
      assert.deepEqual(read(`\xc3\xa4${tail}`, 'utf-8', true), { text: 'ä', defect: undefined })
      assert.deepEqual(read(`\xc3\xa4${tail}`, undefined, true), { text: 'ä', defect: undefined })
      assert.equal(read(`\xc3\xa4\xc3\xa4${tail}`, 'utf-8').defect, 'broken-charset')
    }
    assert.deepEqual(read('\xc4\xe3\xc4', 'gb2312', true), { text: '你', defect: undefined })
    assert.deepEqual(read('\xc3\xa4', 'utf-8', true), { text: 'ä', defect: undefined })
  })

  test('each of windows-1252 is what the runtime makes of it', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    assert.equal(windows1252(all), new TextDecoder('windows-1252').decode(all))
  })
})

test('what is known of names does not grow with the strangers who send them', () => {
  for (let i = 0; i < 5000; i++) assert.equal(charsetReading(`unknown-${i}`), undefined)
  assert.equal(charsetReading('utf-8'), 'utf-8')
  assert.deepEqual(charsetReading('koi8-r'), { label: 'koi8-r' })
})

test('the runtime is asked for names that it knows, and for no others', (t) => {
  const asked = t.mock.method(globalThis, 'TextDecoder', TextDecoder)
  for (let i = 0; i < 1000; i++) for (const name of [`iso-8859-${i + 100}`, `windows-x${i}`, `x-${i}-x`]) charsetReading(name)
  assert.equal(asked.mock.callCount(), 0)
})
