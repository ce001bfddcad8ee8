import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeError } from '../../../src/config/problem.ts'
import { addAllowEntry, removeAllowEntry } from '../../../src/reputation/allow-list-edit.ts'
import type { AllowDraft } from '../../../src/reputation/allow-list-edit.ts'
import { readAllowList } from '../../../src/reputation/allow-list-file.ts'
import type { AllowListSource } from '../../../src/reputation/allow-list-file.ts'
import type { AllowEntry } from '../../../src/reputation/allow-list.ts'

const file = (text: string): AllowListSource => ({ text, source: 'allow.yaml', checks: ['rdns', 'dnsbl', 'greylist'] })

const GOOD = `# who is let through
entries:
  - id: partner     # since the move
    match: { domain: Partner.example }
    scope: all
    reason: their office is on a dynamic address
    author: eve
    expires: 2027-01-31
  - id: list.1
    match: { dkim: .bücher.example }
    scope: { sender: .lists.example, recipient: "Info@Example.ORG", checks: [dnsbl, greylist] }
    reason: "forwards: many"
    author: eve
    expires: never
  - id: scanner
    match: { address: [192.0.2.7, "2001:db8::/48", 10.0.0.0/8] }
    scope: { recipient: "@example.org" }
    reason: sends reports without a name in the DNS
    author: bob
    expires: 2026-12-01T12:30Z
  - { id: 7, match: { spf: a.example }, scope: { checks: [rdns] }, reason: r, author: a, expires: 2028-02-29T00:00:01Z }
`

function entriesOf(text: string): readonly AllowEntry[] {
  const reading = readAllowList(file(text))
  assert.ok(reading.status === 'read', reading.status === 'refused' ? reading.errors.map(describeError).join('\n') : '')
  return reading.entries
}

function errorsOf(text: string): string[] {
  const reading = readAllowList(file(text))
  return reading.status === 'refused' ? reading.errors.map(describeError) : []
}

test('entries of every kind', () => {
  assert.deepEqual(entriesOf(GOOD), [
    { id: 'partner', match: { kind: 'domain', domain: 'partner.example' }, scope: {}, reason: 'their office is on a dynamic address', author: 'eve', expiresAt: Date.UTC(2027, 1, 1) },
    { id: 'list.1', match: { kind: 'dkim', domain: '.xn--bcher-kva.example' }, scope: { sender: '.lists.example', recipient: 'info@example.org', checks: ['dnsbl', 'greylist'] }, reason: 'forwards: many', author: 'eve', expiresAt: undefined },
    { id: 'scanner', match: { kind: 'address', networks: ['192.0.2.7', '2001:db8::/48', '10.0.0.0/8'] }, scope: { recipient: '@example.org' }, reason: 'sends reports without a name in the DNS', author: 'bob', expiresAt: Date.UTC(2026, 11, 1, 12, 30) },
    { id: '7', match: { kind: 'spf', domain: 'a.example' }, scope: { checks: ['rdns'] }, reason: 'r', author: 'a', expiresAt: Date.UTC(2028, 1, 29, 0, 0, 1) },
  ] satisfies AllowEntry[])
})

test('no entries', () => {
  for (const text of ['', '# nothing yet\n', 'entries:\n', 'entries: []\n']) assert.deepEqual(entriesOf(text), [], text)
})

const entry = (parts: Readonly<Record<string, string>>): string => {
  const whole = { id: 'x', match: '{ domain: a.example }', scope: 'all', reason: 'because', author: 'eve', expires: 'never', ...parts }
  return `entries:\n${Object.entries(whole).filter(([, value]) => value !== '-').map(([key, value], i) => `${i === 0 ? '  - ' : '    '}${key}: ${value}\n`).join('')}`
}

test('an error names line, column, key, what was found and what is allowed', () => {
  assert.deepEqual(errorsOf(entry({ scope: '{ checks: [dnsbll] }' })), ['allow.yaml:4:23: entries[0].scope.checks[0]: found "dnsbll"; did you mean "dnsbl"?; allowed: a list of rdns, dnsbl, greylist'])
  assert.deepEqual(errorsOf(entry({ expires: '2026-02-30' })), ['allow.yaml:7:14: entries[0].expires: found "2026-02-30"; allowed: a day (2027-01-31), a time (2027-01-31T12:00Z), or never'])
  assert.deepEqual(errorsOf(entry({ reson: 'x', reason: '-' })), [
    'allow.yaml:7:5: entries[0].reson: unknown key; did you mean "reason"?; allowed: id, match, scope, reason, author, expires',
    'allow.yaml:2:5: entries[0].reason: is missing; allowed: why, in 1 to 500 characters on one line',
  ])
})

test('what is refused', () => {
  const wrong: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ id: '""' }, /\.id: found ""/], [{ id: '-x' }, /\.id: /], [{ id: 'a b' }, /\.id: /], [{ id: 'x'.repeat(65) }, /\.id: /], [{ id: '[a]' }, /\.id: found a list/], [{ id: '-' }, /./],
    [{ match: 'a.example' }, /\.match: found "a\.example"; allowed: one of domain, dkim, spf/],
    [{ match: '{}' }, /has 0 of/], [{ match: '{ dkim: a.example, spf: a.example }' }, /has 2 of domain, dkim, spf, address/],
    [{ match: '{ from: a.example }' }, /\.match\.from: unknown key/], [{ match: '{ From: a.example, dkim: a.example }' }, /\.match\.From: unknown key/],
    [{ match: '{ domain: example }' }, /at least two labels/], [{ match: '{ domain: .com }' }, /at least two labels/], [{ match: '{ domain: "*.a.example" }' }, /at least two labels/],
    [{ match: '{ domain: user@a.example }' }, /at least two/], [{ match: '{ domain: 192.0.2.1 }' }, /at least two/], [{ match: '{ domain: a..example }' }, /at least two/], [{ match: '{ domain: "." }' }, /at least two/],
    [{ match: '{ address: 0.0.0.0/0 }' }, /no client at all|no wider/], [{ match: '{ address: 8.0.0.0/8 }' }, /no wider than \/16/], [{ match: '{ address: 192.0.2.1/24 }' }, /bits behind/],
    [{ match: '{ address: mail.example }' }, /not a network/], [{ match: '{ address: [] }' }, /has 0 networks/], [{ match: '{ address: { a: b } }' }, /found a mapping/], [{ match: `{ address: [${'10.0.0.1, '.repeat(101)}] }` }, /has 101 networks/],
    [{ scope: 'everything' }, /\.scope: found "everything"; allowed: all/], [{ scope: '{}' }, /\.scope: /], [{ scope: '{ sender: "@a.example" }' }, /\.scope\.sender: /],
    [{ scope: '{ recipient: example.org }' }, /\.scope\.recipient: .*@example\.org/], [{ scope: '{ recipient: "a b@example.org" }' }, /recipient/], [{ scope: '{ checks: [] }' }, /\.checks: /], [{ scope: '{ checks: dnsbl }' }, /a list of rdns/],
    [{ scope: '{ cheks: [dnsbl] }' }, /did you mean "checks"/],
    [{ reason: '""' }, /\.reason: /], [{ reason: '"a\\nb"' }, /\.reason: /], [{ reason: 'x'.repeat(501) }, /\.reason: /], [{ author: '' }, /\.author: found nothing/],
    [{ expires: 'soon' }, /\.expires: /], [{ expires: '1d' }, /\.expires: /], [{ expires: '2026-13-01' }, /\.expires: /], [{ expires: '2026-01-01T25:00Z' }, /\.expires: /], [{ expires: '2026-01-01T10:00' }, /\.expires: /], [{ expires: '' }, /found nothing/],
  ]
  for (const [parts, message] of wrong) {
    const errors = errorsOf(entry(parts))
    assert.ok(errors.length > 0, JSON.stringify(parts))
    assert.match(errors.join('\n'), message)
    for (const error of errors) assert.match(error, /^allow\.yaml:\d+:\d+: /)
  }
})

test('all errors at once, and a list with errors is not used', () => {
  assert.equal(errorsOf(`${entry({ match: '{ domain: com }', scope: '{ sender: x, checks: [nothing] }', expires: 'x' })}  - id: x\n`).length, 10)
  assert.match(errorsOf(`${GOOD}  - { id: partner, match: { spf: a.example }, scope: all, reason: r, author: a, expires: never }\n`).join(), /allow\.yaml:22:11: entries\[4\]\.id: the id "partner" stands twice/)
})

test('no YAML, no mapping, too much', () => {
  for (const [text, message] of [['entries: [', /not valid YAML/], ['- a\n', /mapping/], ['entrie: []\n', /did you mean "entries"/], ['entries: all\n', /found "all"; allowed: a list/], ['entries:\n  - a\n', /found "a"; allowed: a mapping/],
    [`entries: [${'1,'.repeat(5001)}]\n`, /has 5001 entries; allowed: at most 5000/], [`# ${'x'.repeat(1024 * 1024)}\n`, /larger than/], ['['.repeat(20_000), /nested too deeply|not valid/], ['entries: *x\n', /not valid YAML|anchor/]] as const) {
    assert.match(errorsOf(text).join('\n'), message, text.slice(0, 30))
  }
})

const DRAFT: AllowDraft = { id: 'new', match: { domain: 'new.example' }, scope: { checks: ['dnsbl'] }, reason: 'listed: by mistake # they say', author: 'eve', expires: '2027-05-01' }

test('an entry is added behind the others, comments and all stay', () => {
  const edit = addAllowEntry(file(GOOD), DRAFT)
  assert.ok(edit.status === 'edited')
  assert.match(edit.text, /^# who is let through\n/)
  assert.match(edit.text, /# since the move/)
  assert.deepEqual(entriesOf(edit.text), [...entriesOf(GOOD), { id: 'new', match: { kind: 'domain', domain: 'new.example' }, scope: { checks: ['dnsbl'] }, reason: 'listed: by mistake # they say', author: 'eve', expiresAt: Date.UTC(2027, 4, 2) } satisfies AllowEntry])
})

test('the first entry of a file that is empty, or has a comment only', () => {
  for (const text of ['', '# mine\n', 'entries:\n', 'entries: []\n', '# mine\nentries: []\n']) {
    const edit = addAllowEntry(file(text), { ...DRAFT, match: { address: ['192.0.2.1'] }, scope: 'all', expires: 'never' })
    assert.ok(edit.status === 'edited')
    assert.equal(entriesOf(edit.text).length, 1)
    assert.equal(edit.text.includes('# mine'), text.includes('# mine'), text)
  }
})

test('no edit makes a file that is refused, and none touches one that is', () => {
  for (const draft of [{ ...DRAFT, id: 'partner' }, { ...DRAFT, reason: 'two\nlines' }, { ...DRAFT, expires: 'soon' }, { ...DRAFT, match: {} }, { ...DRAFT, scope: {} }]) assert.equal(addAllowEntry(file(GOOD), draft).status, 'refused', JSON.stringify(draft))
  assert.equal(addAllowEntry(file('entries: x\n'), DRAFT).status, 'refused')
  assert.equal(removeAllowEntry(file('entries: x\n'), 'new').status, 'refused')
})

test('an entry is taken out', () => {
  const edit = removeAllowEntry(file(GOOD), 'list.1')
  assert.ok(edit.status === 'edited')
  assert.deepEqual(entriesOf(edit.text).map(({ id }) => id), ['partner', 'scanner', '7'])
  assert.match(edit.text, /# since the move/)
  assert.equal(removeAllowEntry(file(GOOD), 'nobody').status, 'no-such-entry')
  const added = addAllowEntry(file(GOOD), DRAFT)
  assert.ok(added.status === 'edited')
  const back = removeAllowEntry(file(added.text), 'new')
  assert.ok(back.status === 'edited')
  assert.deepEqual(entriesOf(back.text), entriesOf(GOOD))
})

test('an entry that others refer to cannot be taken out from under them', () => {
  const shared = GOOD.replace('match: { domain: Partner.example }', 'match: &m { domain: partner.example }').replace('match: { dkim: .bücher.example }', 'match: *m')
  assert.equal(entriesOf(shared).length, 4)
  const edit = removeAllowEntry(file(shared), 'partner')
  assert.ok(edit.status === 'refused')
  assert.match(edit.errors.map(describeError).join(), /alias|anchor/)
})
