import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editSigningKeys, type KeyEdit } from '../../../src/cli/edit-signing-keys.ts'

const edit = (index: number, selector: string, some: { readonly to?: string; readonly file?: string } = {}): KeyEdit =>
  ({ index, from: { domain: 'a.example', selector }, to: { selector: some.to ?? 'new', file: () => some.file ?? '/keys/new.pem' } })

function edited(text: string, ...edits: readonly KeyEdit[]): string {
  const result = editSigningKeys(text, edits)
  return result.status === 'edited' ? result.text : `by hand: ${result.why}`
}

test('only the words change: comments, layout, quotes and line ends stay', () => {
  const text = '# ours\r\nhostname:   mx.a.example\r\nsigning:\r\n    keys:      # RSA first\r\n    -   domain: A.example   # us\r\n        key: /keys/old.pem    # of 2020\r\n        selector:   old\r\n    - { domain: a.example, selector: "ed", key: \'/keys/ed.pem\', subdomains: true }\r\nlog: { level: info }\r\n'
  const expected = text.replace('/keys/old.pem', '/keys/new.pem').replace('selector:   old', 'selector:   new').replace('"ed"', '"20270101"').replace("'/keys/ed.pem'", "'/keys/it''s.pem'")
  assert.equal(edited(text, edit(0, 'old'), edit(1, 'ed', { to: '20270101', file: "/keys/it's.pem" })), expected)
})

test('a value that is no plain word is quoted', () => {
  const text = 'signing: { keys: [{ domain: a.example, selector: old, key: old.pem }] }\n'
  assert.equal(edited(text, edit(0, 'old', { to: '20270101', file: '/my keys/a, b.pem' })), 'signing: { keys: [{ domain: a.example, selector: "20270101", key: "/my keys/a, b.pem" }] }\n')
})

test('a selector of digits is the same text', () => {
  assert.match(edited('signing:\n  keys: [{ domain: a.example, selector: 20160101, key: k.pem }]\n', edit(0, '20160101')), /selector: new,/)
})

test('what cannot be edited safely is left to people', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['hostname: x\n', /not a list in the file/],
    ['signing: { keys: [] }\n', /\[0\] is not written out/],
    ['signing: { keys: [{ domain: a.example, selector: other, key: k }] }\n', /no longer old\._domainkey/],
    ['signing: { keys: [{ domain: b.example, selector: old, key: k }] }\n', /somebody has edited/],
    ['x: &k old\nsigning: { keys: [{ domain: a.example, selector: *k, key: k }] }\n', /not plain text/],
    ['signing: { keys: [{ domain: a.example, selector: &k old, key: k }] }\nother: *k\n', /not plain text/],
    ['x: &e { domain: a.example, selector: old, key: k }\nsigning: { keys: [*e] }\n', /not written out/],
    ['signing:\n  keys:\n  - domain: a.example\n    selector: old\n    key: >\n      /keys\n', /not plain text/],
    ['signing: { keys: [{ domain: a.example, selector: old }] }\n', /not plain text/],
    ['signing: [\n', /not a list/],
  ]
  for (const [text, why] of cases) assert.match(edited(text, edit(0, 'old')), why, text)
})
