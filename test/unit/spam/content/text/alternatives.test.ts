import assert from 'node:assert/strict'
import { test } from 'node:test'
import { saysSomethingElse } from '../../../../../src/spam/content/text/alternatives.ts'

const TEXT = 'Dear customer, thank you very much for your order of yesterday evening. The parcel leaves our house tomorrow morning, and somebody brings it until friday.'
const OTHER = 'Secret herbal medicine makes every single gentleman happier within several weeks, guaranteed without prescription from reliable overseas pharmacies.'

test('the same text in two renderings', () => {
  assert.equal(saysSomethingElse(TEXT, TEXT), false)
  assert.equal(saysSomethingElse(`DEAR CUSTOMER\n${TEXT} [http://a.example/x]`, `Shop\n${TEXT}\nImprint and terms`), false)
  assert.equal(saysSomethingElse('', TEXT), false)
  assert.equal(saysSomethingElse('Click here', 'Click here now'), false)
})

test('another text', () => {
  assert.equal(saysSomethingElse(OTHER, TEXT), true)
  assert.equal(saysSomethingElse(TEXT, ''), true)
  assert.equal(saysSomethingElse('Your mail program does not show HTML.', TEXT), true)
  assert.equal(saysSomethingElse('短いテキスト', TEXT), true)
})
