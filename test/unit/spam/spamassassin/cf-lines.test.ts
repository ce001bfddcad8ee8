import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCfLines } from '../../../../src/spam/spamassassin/cf-lines.ts'

test('a line is a keyword and what follows it; comments and blanks do not count, an escaped # does', () => {
  assert.deepEqual(readCfLines('# all\n\n  Body\tA   /x\\#y/i # why\r\nendif'), [
    { line: 3, keyword: 'body', value: 'A   /x#y/i' },
    { line: 4, keyword: 'endif', value: '' },
  ])
})

test('a line that is too long and a file that is too long are told', () => {
  const [long, next] = readCfLines(`body A /${'x'.repeat(70_000)}/\nbody B /y/`)
  assert.deepEqual(long, { line: 1, problem: 'the line has more than 65536 characters' })
  assert.deepEqual(next, { line: 2, keyword: 'body', value: 'B /y/' })
  const many = readCfLines('a\n'.repeat(100_002))
  assert.equal(many.length, 100_001)
  assert.match(JSON.stringify(many.at(-1)), /more than 100000 lines/)
})
