/** Whose a message is: only what is proved counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticatedAuthor, type AuthorEvidence } from '../../../src/reputation/authenticated-author.ts'

const dmarcOf = (status: string, domain = 'news.example.co.uk') => ({ status, domain })
const NOTHING: AuthorEvidence = { from: ['Bob@News.Example.co.uk'], dmarc: dmarcOf('none'), dkim: [], spf: undefined }
const BOB = { address: 'bob@news.example.co.uk', domain: 'news.example.co.uk', organizationalDomain: 'example.co.uk' }

test('DMARC that passes proves the author; all else of it proves nothing', () => {
  assert.deepEqual(authenticatedAuthor({ ...NOTHING, dmarc: dmarcOf('pass') }), BOB)
  for (const domain of ['example.co.uk', 'evil.example', '']) assert.equal(authenticatedAuthor({ ...NOTHING, dmarc: dmarcOf('pass', domain), dkim: ['example.co.uk'] }), undefined, domain)
  for (const status of ['fail', 'temperror', 'permerror']) assert.equal(authenticatedAuthor({ ...NOTHING, dmarc: dmarcOf(status), dkim: ['example.co.uk'], spf: 'example.co.uk' }), undefined, status)
})

test('without a policy, a signature or SPF of the same organization does', () => {
  for (const dmarc of [dmarcOf('none'), undefined]) {
    assert.equal(authenticatedAuthor({ ...NOTHING, dmarc }), undefined)
    assert.deepEqual(authenticatedAuthor({ ...NOTHING, dmarc, dkim: ['esp.example', 'Example.co.uk.'] }), BOB)
    assert.deepEqual(authenticatedAuthor({ ...NOTHING, dmarc, spf: 'bounce.example.co.uk' }), BOB)
    assert.equal(authenticatedAuthor({ ...NOTHING, dmarc, dkim: ['other.co.uk', 'co.uk'], spf: 'evil.example' }), undefined)
  }
  assert.equal(authenticatedAuthor({ ...NOTHING, from: ['a@one.github.io'], dkim: ['two.github.io'] }), undefined, 'customers of one hoster are strangers')
  assert.equal(authenticatedAuthor({ ...NOTHING, from: ['a@host.internal.test'], spf: 'host.internal.test' })?.organizationalDomain, 'internal.test')
})

test('several authors, or none, are nobody', () => {
  for (const from of [[], ['a@example.co.uk', 'b@example.co.uk'], ['nobody'], ['a@localhost'], ['']]) assert.equal(authenticatedAuthor({ ...NOTHING, from, dmarc: dmarcOf('pass', 'example.co.uk') }), undefined)
})
