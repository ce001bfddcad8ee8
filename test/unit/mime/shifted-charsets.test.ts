import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hzToGb, iso2022KrToEuc } from '../../../src/mime/shifted-charsets.ts'
import { decodeUtf7 } from '../../../src/mime/utf7.ts'

const bytes = (binary: string) => Buffer.from(binary, 'latin1')

describe('UTF-7 (RFC 2152)', () => {
  const CASES: readonly (readonly [string, string])[] = [
    ['A+ImIDkQ.', 'A≢Α.'], ['Hi Mom -+Jjo--!', 'Hi Mom -☺-!'], ['+ZeVnLIqe-', '日本語'], ['Item 3 is +AKM-1.', 'Item 3 is £1.'], ['+-', '+'], ['+', '\ufffd'], ['a+!', 'a\ufffd!'],
    ['+2D3eAA-', '😀'], ['+2D0-', '\ufffd'], ['+AOR-', 'ä\ufffd'], ['+A', '\ufffd'], ['\xe4', '\ufffd'], ['', ''],
  ]
  for (const [binary, text] of CASES) test(JSON.stringify(binary), () => assert.equal(decodeUtf7(bytes(binary)), text))

  test('long texts', () => {
    const text = 'ä日'.repeat(20_000)
    assert.equal(decodeUtf7(bytes(`+${Buffer.from(text, 'utf16le').swap16().toString('base64').replace(/=+$/, '')}-`)), text)
  })
})

test('HZ (RFC 1843)', () => {
  const gb = (binary: string) => hzToGb(bytes(binary)).toString('latin1')
  assert.equal(gb('a~{Dc:C~}b'), 'a\xc4\xe3\xba\xc3b')
  assert.equal(gb('~~ ~x ~'), '~ ~x ~')
  assert.equal(gb('one~\ntwo~\r\nthree'), 'onetwothree')
  assert.equal(gb('~{Dc\nDc'), '\xc4\xe3\nDc')
})

test('ISO-2022-KR (RFC 1557)', () => {
  const euc = (binary: string) => iso2022KrToEuc(bytes(binary)).toString('latin1')
  assert.equal(euc('\x1b$)C\na\x0e>H3g\x0fb'), '\na\xbe\xc8\xb3\xe7b')
  assert.equal(euc('\x0e>H\n>H'), '\xbe\xc8\n>H')
  assert.equal(euc('\x1b$x'), '\x1b$x')
})
