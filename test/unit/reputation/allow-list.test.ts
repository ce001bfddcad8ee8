import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAllowList, MemoryAllowHits } from '../../../src/reputation/allow-list.ts'
import type { AllowEntry, AllowIdentity, AllowMatch, AllowScope, AllowSubject, ProvedDomain } from '../../../src/reputation/allow-list.ts'

const NOW = Date.UTC(2026, 5, 1)
const PARTNER: AllowIdentity = { kind: 'domain', domain: 'partner.example' }

const entry = (match: AllowIdentity, scope: AllowScope = {}, expiresAt?: number): AllowEntry => ({ id: 'x', match, scope, reason: 'because', author: 'eve', expiresAt })
const SUBJECT: AllowSubject = { address: '192.0.2.1', senderDomain: 'sender.example', recipients: ['user@example.org'], spf: null, alignedDkim: [] }

function match(one: AllowEntry, subject: Partial<AllowSubject>): AllowMatch | undefined {
  return createAllowList([one], () => NOW).match({ ...SUBJECT, ...subject })[0]
}
const truth = (one: AllowEntry, subject: Partial<AllowSubject>): string => match(one, subject)?.truth ?? 'false'
const proved = (domain: string, status = 'pass'): ProvedDomain => ({ domain, status })

test('a domain by an aligned signature, or by SPF', () => {
  assert.deepEqual(match(entry(PARTNER), { alignedDkim: [proved('other.example'), proved('Partner.Example')] }), { entry: entry(PARTNER), truth: 'true', by: 'dkim partner.example' })
  assert.equal(match(entry(PARTNER), { spf: proved('partner.example') })?.by, 'spf partner.example')
  assert.equal(truth(entry(PARTNER), {}), 'false')
  assert.equal(truth(entry({ ...PARTNER, kind: 'dkim' }), { spf: proved('partner.example') }), 'false')
  assert.equal(truth(entry({ ...PARTNER, kind: 'spf' }), { alignedDkim: [proved('partner.example')] }), 'false')
})

test('a From that nothing has proved gains nothing: neither does a sender, nor a result that is no pass', () => {
  for (const status of ['fail', 'softfail', 'neutral', 'none', 'permerror', '']) {
    assert.equal(truth(entry(PARTNER), { senderDomain: 'partner.example', spf: proved('partner.example', status), alignedDkim: [proved('partner.example', status)] }), 'false', status)
  }
  assert.equal(truth(entry(PARTNER), { senderDomain: 'partner.example' }), 'false')
})

test('one sender: whole and in any case; not known yet is pending', () => {
  const one = entry({ kind: 'spf', domain: 'mail.example' }, { sender: 'bob@mail.example' })
  const by = (sender: string | undefined): string => truth(one, { senderDomain: 'mail.example', sender, spf: proved('mail.example') })
  assert.deepEqual([by('Bob@Mail.example'), by('eve@mail.example'), by(''), by('bob@mail.example.evil.example'), by(undefined)], ['true', 'false', 'false', 'false', 'pending'])
  assert.equal(truth(one, { senderDomain: 'mail.example', sender: 'bob@mail.example', spf: proved('mail.example', 'fail') }), 'false')
})

test('a domain is itself; with a leading dot all below it too', () => {
  for (const [wanted, domain, expected] of [
    ['partner.example', 'mail.partner.example', 'false'], ['partner.example', 'notpartner.example', 'false'], ['.partner.example', 'mail.partner.example', 'true'],
    ['.partner.example', 'partner.example', 'true'], ['.partner.example', 'notpartner.example', 'false'], ['.partner.example', 'partner.example.evil.example', 'false'],
  ] as const) assert.equal(truth(entry({ kind: 'domain', domain: wanted }), { spf: proved(domain) }), expected, `${wanted} ${domain}`)
})

test('addresses only where the entry says so', () => {
  const one = entry({ kind: 'address', networks: ['192.0.2.0/28', '2001:db8::/48'] })
  for (const address of ['192.0.2.1', '::ffff:192.0.2.15', '2001:db8::9']) assert.equal(truth(one, { address }), 'true', address)
  for (const address of ['192.0.2.16', '2001:db9::1', 'nonsense', null]) assert.equal(truth(one, { address }), 'false', String(address))
  assert.equal(match(one, {})?.by, 'address 192.0.2.1')
})

test('all that the two proofs may come to', () => {
  const kinds = ['pass', 'temperror', 'fail', 'absent', 'pending', 'foreign'] as const
  const subjectOf = (kind: (typeof kinds)[number]): ProvedDomain | null | undefined => {
    switch (kind) {
      case 'pending': return undefined
      case 'absent': return null
      case 'foreign': return proved('evil.example', 'temperror')
      default: return proved('partner.example', kind)
    }
  }
  for (const dkim of kinds) for (const spf of kinds) {
    const one = subjectOf(dkim)
    const expected = [dkim, spf].includes('pass') ? 'true' : [dkim, spf].includes('pending') ? 'pending' : [dkim, spf].includes('temperror') ? 'temperror' : 'false'
    assert.equal(truth(entry(PARTNER), { alignedDkim: one === undefined ? undefined : one === null ? [] : [one], spf: subjectOf(spf) }), expected, `${dkim} ${spf}`)
  }
})

test('a stranger whose own DNS is broken is not perhaps somebody on the list', () => {
  assert.equal(truth(entry(PARTNER), { spf: proved('evil.example', 'temperror'), alignedDkim: [proved('evil.example', 'temperror')] }), 'false')
})

test('scopes: sender, recipient, both; what is not known yet is pending', () => {
  const spf = proved('partner.example')
  const sender = entry(PARTNER, { sender: '.lists.example' })
  assert.equal(truth(sender, { spf, senderDomain: 'A.Lists.example' }), 'true')
  assert.equal(truth(sender, { spf, senderDomain: 'other.example' }), 'false')
  assert.equal(truth(sender, { spf, senderDomain: '' }), 'false')
  assert.equal(truth(sender, { spf, senderDomain: undefined }), 'pending')
  assert.equal(truth(sender, { senderDomain: undefined }), 'false')
  const recipient = entry(PARTNER, { recipient: '@example.org' })
  assert.equal(truth(recipient, { spf, recipients: ['a@example.org', 'B@Example.ORG'] }), 'true')
  assert.equal(truth(recipient, { spf, recipients: ['a@example.org', 'b@example.com'] }), 'false')
  for (const recipients of [undefined, []]) assert.equal(truth(recipient, { spf, recipients }), 'pending')
  const one = entry(PARTNER, { recipient: 'user@example.org' })
  assert.equal(truth(one, { spf }), 'true')
  assert.equal(truth(one, { spf, recipients: ['xuser@example.org'] }), 'false')
  assert.equal(truth(entry(PARTNER, { sender: 'sender.example', recipient: 'x@example.org' }), { spf }), 'false')
  assert.equal(truth(entry(PARTNER, { sender: 'sender.example' }), { spf: proved('partner.example', 'temperror') }), 'temperror')
})

test('an entry that has expired does nothing, and is reported', () => {
  const expired = entry(PARTNER, {}, NOW)
  const alive = { ...entry(PARTNER, {}, NOW + 1), id: 'alive' }
  const list = createAllowList([expired, alive], () => NOW)
  assert.deepEqual(list.match({ ...SUBJECT, spf: proved('partner.example') }).map(({ entry: { id } }) => id), ['alive'])
  assert.deepEqual(list.expired(), [expired])
  assert.deepEqual(list.entries, [expired, alive])
})

test('those that count already stand first', () => {
  const list = createAllowList([{ ...entry(PARTNER, { sender: 'x.example' }), id: 'later' }, { ...entry({ kind: 'address', networks: ['192.0.2.1'] }), id: 'now' }], () => NOW)
  assert.deepEqual(list.match({ ...SUBJECT, senderDomain: undefined, spf: proved('partner.example') }).map(({ entry: { id }, truth: found }) => `${id} ${found}`), ['now true', 'later pending'])
})

test('hits are counted, with when', () => {
  const hits = new MemoryAllowHits()
  assert.equal(hits.of('x'), undefined)
  hits.hit('x', 1)
  hits.hit('x', 5)
  assert.deepEqual(hits.of('x'), { count: 2, lastAt: 5 })
})

test('five thousand entries cost a message no time that is felt', () => {
  const entries = Array.from({ length: 5000 }, (_, i) => ({ ...entry({ kind: 'domain', domain: `d${i}.example` }), id: `e${i}` }))
  const list = createAllowList(entries, () => NOW)
  assert.equal(list.match({ ...SUBJECT, alignedDkim: Array.from({ length: 10 }, (_, i) => proved(`d${i * 2}.example`)) }).length, 10)
})
