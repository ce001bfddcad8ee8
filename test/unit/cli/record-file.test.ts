import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import { readRecordFile, recordFileResolver } from '../../../src/cli/record-file.ts'
import { formatRecord, recordText } from '../../../src/signing/key-record.ts'
import { key } from '../signing/signing-fixture.ts'

const half = { algorithm: 'rsa-sha256', publicData: key('a').publicData } as const

test('what "dkim record" prints is read back', async () => {
  const text = recordText(half)
  const file = formatRecord({ domain: 'a.example', selector: 's1' }, text, 'zone') + formatRecord({ domain: 'b.example', selector: 's2' }, text, 'zone')
  const found = await recordFileResolver(file).lookup('S1._domainkey.A.example', 'TXT')
  assert.ok(found.status === 'records')
  assert.deepEqual(found.records.map((strings) => strings.join('')), [text])
  assert.equal((await recordFileResolver(file).lookup('s3._domainkey.a.example', 'TXT')).status, 'nxdomain')
  assert.equal((await recordFileResolver(file).lookup('s1._domainkey.a.example', 'A')).status, 'nxdomain')
})

test('the forms of a line', () => {
  const read = (text: string): unknown => Object.fromEntries(readRecordFile(text))
  assert.deepEqual(read('a.example. IN TXT "x; y" ; a remark'), { 'a.example': [['x; y']] })
  assert.deepEqual(read('a.example 3600 IN TXT "x" "y"\r\n'), { 'a.example': [['x', 'y']] })
  assert.deepEqual(read('a.example IN 3600 TXT "x"'), { 'a.example': [['x']] })
  assert.deepEqual(read('a.example TXT ( "x" ; first\n  "y"\n)\n\nb.example TXT "z"'), { 'a.example': [['x', 'y']], 'b.example': [['z']] })
  assert.deepEqual(read('; all\n\na.example v=DKIM1; p=x\n'), { 'a.example': [['v=DKIM1; p=x']] })
  assert.deepEqual(read('a.example TXT "a\\"b" '), { 'a.example': [['a"b']] })
  assert.deepEqual(read('a.example TXT "x"\nA.EXAMPLE. TXT "y"'), { 'a.example': [['x'], ['y']] })
  for (const wrong of ['lonely', 'a.example TXT ( "x"', 'a..b TXT "x"', 'a.example TXT "x" y', 'a.example TXT "x']) assert.throws(() => readRecordFile(wrong), ExitError, wrong)
})
