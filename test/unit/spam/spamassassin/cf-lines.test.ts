import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCfLines } from '../../../../src/spam/spamassassin/cf-lines.ts'

test('a line is a keyword and what follows it; comments and blanks do not count, an escaped # does', () => {
  assert.deepEqual(readCfLines('# all\n\n  Body\tA   /x\\#y/i # why\r\nendif'), [
    { line: 3, keyword: 'body', value: 'A   /x#y/i', cut: true },
    { line: 4, keyword: 'endif', value: '' },
  ])
})

test('a line that is too long and a file that is too long are told', () => {
  const [long, next] = readCfLines(`body A /${'x'.repeat(270_000)}/\nbody B /y/`)
  assert.deepEqual(long, { line: 1, problem: 'the line has more than 262144 characters' })
  assert.deepEqual(next, { line: 2, keyword: 'body', value: 'B /y/' })
  const many = readCfLines('a\n'.repeat(100_002))
  assert.equal(many.length, 100_001)
  assert.match(JSON.stringify(many.at(-1)), /more than 100000 lines/)
})

test('bytes of letters are no blanks; a dash in a keyword is an underscore', () => {
  assert.deepEqual(readCfLines('describe A voil\xc3\xa0\xc3\xa0 \xc2\xa0\r\nRequired-Score 5'), [
    { line: 1, keyword: 'describe', value: 'A voil\xc3\xa0\xc3\xa0 \xc2\xa0' },
    { line: 2, keyword: 'required_score', value: '5' },
  ])
})

test('a byte order mark is no part of the first line; of UTF-16 nothing is read', () => {
  assert.deepEqual(readCfLines('\xef\xbb\xbfbody A /x/'), [{ line: 1, keyword: 'body', value: 'A /x/' }])
  assert.deepEqual(readCfLines('\xff\xfeb\0o\0d\0y\0\n\0'), [{ line: 1, problem: 'the file is in UTF-16, and nothing of it is read; save it as UTF-8' }])
})
