import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readValue } from '../../../src/mime/parameters.ts'

/** value, word, parameters, whether something was guessed */
const CASES: readonly (readonly [string, string, Readonly<Record<string, string>>, boolean?])[] = [
  ['text/plain', 'text/plain', {}],
  ['TEXT/Html; Charset=UTF-8', 'text/html', { charset: 'UTF-8' }],
  ['text / plain ; charset = "utf-8" ; format=flowed;', 'text/plain', { charset: 'utf-8', format: 'flowed' }],
  ['(a) text (b(c)) / (d) plain (e); (f) charset (g)=x', 'text/plain', {}, true],
  ['text/plain; charset=us-ascii (Plain text)', 'text/plain', { charset: 'us-ascii' }],
  ['text/plain charset=utf-8 format=flowed', 'text/plain', { charset: 'utf-8', format: 'flowed' }],
  ['text/plain, charset=utf-8', 'text/plain', { charset: 'utf-8' }],
  ['"text/plain"; charset=x', 'text/plain', { charset: 'x' }],
  ['attachment; filename="a \\"b\\" c:\\d\\\\e.txt"', 'attachment', { filename: 'a "b" c:\\d\\e.txt' }],
  ['attachment; filename=my file (1).pdf; size=3', 'attachment', { filename: 'my file (1).pdf', size: '3' }],
  ['attachment; filename=my file.pdf', 'attachment', { filename: 'my file.pdf' }],
  ['attachment; filename="open; size=3', 'attachment', { filename: 'open', size: '3' }, true],
  ['attachment; filename=""', 'attachment', { filename: '' }],
  ['filename=x.exe', '', { filename: 'x.exe' }],
  ['; charset=x', '', { charset: 'x' }],
  ['multipart/mixed; boundary=----=_Part_1(2)', 'multipart/mixed', { boundary: '----=_Part_1(2)' }],
  ['multipart/mixed; boundary=a; boundary=b', 'multipart/mixed', { boundary: 'a' }],
  ['text/plain; junk; charset=x', 'text/plain', { charset: 'x' }, true],
  ['text/plain; name==?utf-8?q?=C3=A4?=.txt', 'text/plain', { name: 'ä.txt' }],
  ['text/plain; name="=?utf-8?q?=C3=A4?= =?utf-8?q?=C3=B6?=.txt"', 'text/plain', { name: 'äö.txt' }],
  ['text/plain; name="\xc3\xa4.txt"', 'text/plain', { name: 'ä.txt' }],
  ['text/plain; name=\xe4.txt', 'text/plain', { name: 'ä.txt' }],
  // RFC 2231
  ["a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", 'a/b', { title: 'This is ***fun***' }],
  ["a/b; title*0*=iso-8859-1'en'%E4%20; title*1*=%E4%20; title*2=\"isn't it!\"", 'a/b', { title: "ä ä isn't it!" }],
  ['a/b; url*1="b"; url*0="a"; url*3=d', 'a/b', { url: 'abd' }],
  ["a/b; name=old; name*=utf-8''new", 'a/b', { name: 'new' }],
  ["a/b; name*=utf-8''%C3; other=x", 'a/b', { name: '\u00c3', other: 'x' }],
  ["a/b; name*0*=utf-8''%C3; name*1*=%A4", 'a/b', { name: 'ä' }],
  ['a/b; name*=%C3%A4', 'a/b', { name: 'ä' }],
  ["a/b; name*=''%C3%A4", 'a/b', { name: 'ä' }],
  ["a/b; name*=nobody-knows''%C3%A4", 'a/b', { name: 'ä' }],
  ['a/b; name*x=1; *=2', 'a/b', { 'name*x': '1', '*': '2' }],
  // nothing
  ['', '', {}],
  ['/', '', {}, true],
  ['"', '', {}, true],
  ['((((', '', {}],
  [';;;', '', {}],
]

describe('values with parameters', () => {
  for (const [raw, word, parameters, fault] of CASES) {
    test(JSON.stringify(raw), () => {
      const found = readValue(raw)
      assert.deepEqual([found.word, Object.fromEntries(found.parameters)], [word, parameters])
      if (fault !== undefined) assert.equal(found.fault, fault)
    })
  }

  test('what a parameter is written like is known', () => {
    const { spelled } = readValue('multipart/mixed; boundary="a\\b"; x=y')
    assert.deepEqual([...spelled], [['boundary', '"a\\b"'], ['x', 'y']])
  })

  test('more parameters than any field has are left out', () => {
    const { parameters, fault } = readValue(`a/b; ${Array.from({ length: 1000 }, (_, i) => `p${i}=x`).join('; ')}`)
    assert.equal(parameters.size, 100)
    assert.equal(fault, true)
  })

  test('names that objects have are names like others', () => {
    assert.deepEqual([...readValue('a/b; __proto__=x; constructor=y').parameters], [['__proto__', 'x'], ['constructor', 'y']])
  })

  test('are the same when they come again, whatever came in between', () => {
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 1000; at++) {
        const { word, parameters } = readValue(`text/x-${at}; charset=c${at}`)
        assert.deepEqual([word, [...parameters]], [`text/x-${at}`, [['charset', `c${at}`]]])
      }
    }
  })
})
