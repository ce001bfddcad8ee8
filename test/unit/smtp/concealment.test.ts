/** What we said in confidence, in words of another. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Concealment, withoutEncoded } from '../../../src/smtp/concealment.ts'

function concealing(...secrets: string[]): Concealment {
  const made = new Concealment()
  for (const secret of secrets) made.add(secret)
  return made
}

test('a secret, a piece of it, in capitals too; the rest as it was', () => {
  const secret = Buffer.from('\0anna\0hunter2hunter2').toString('base64')
  const made = concealing(secret)
  for (const [text, expected] of [
    [`500 Unrecognized: "AUTH PLAIN ${secret}" here`, '500 Unrecognized: "AUTH PLAIN [hidden]" here'],
    [`${secret} and ${secret}`, '[hidden] and [hidden]'],
    [`x${secret.toUpperCase()}x`, 'x[hidden]x'],
    [`cut: ${secret.slice(0, 11)}`, 'cut: [hidden]'],
    [`cut: ${secret.slice(-9)}.`, 'cut: [hidden].'],
    [`"${secret.slice(3, 10)}" says little`, `"${secret.slice(3, 10)}" says little`],
    ['5.7.8 Authentication failed', '5.7.8 Authentication failed'],
    ['', ''],
  ] as const) assert.equal(made.hide(text), expected)
})

test('a short secret is hidden where it is a word of its own', () => {
  const made = concealing('abc', '')
  assert.equal(made.hide('abc, "ABC" and abcd, xabc; abc'), '[hidden], "[hidden]" and abcd, xabc; [hidden]')
  assert.ok(concealing('').empty && !made.empty)
  assert.equal(concealing('aaa').hide('aaa'), '[hidden]')
})

test('what may be base64 goes, what people write stays', () => {
  assert.equal(withoutEncoded('5.7.8 Authentication failed: UNRECOGNIZED credentials 1234567890, see https://support/mail'), '5.7.8 Authentication failed: UNRECOGNIZED credentials 1234567890, see https://support/mail')
  for (const word of ['AGFubmEAc2VjcmV0', 'c2VjcmV0cw==', 'YWJjZGVm+/==', 'aaaaBBBB']) assert.equal(withoutEncoded(`a "${word}" b`), 'a "[hidden]" b')
})
