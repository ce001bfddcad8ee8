/** Which of many links are asked for, in which order, and how many are not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inOrder, questionsOf, skipping, type UriSubject } from '../../../src/reputation/uri-questions.ts'
import { URI_SKIPPED, type UriListZone } from '../../../src/reputation/uri-settings.ts'
import { linkTo, NAMES } from './uri-fixture.ts'

const skipped = skipping(URI_SKIPPED)

function asked(zone: UriListZone, subject: Partial<UriSubject>, { most = 20, room = 200 } = {}): readonly [items: readonly string[], unasked: number] {
  const { questions, unasked } = questionsOf(zone, inOrder({ links: [], addresses: [], ...subject }, skipped), { most, room })
  return [questions.map(({ labels }) => labels), unasked]
}

const links = (...urls: string[]) => urls.map((url) => linkTo(url))

test('what can be followed, then text, then images, then what is hidden; first, last, second, last but one', () => {
  const subject = [
    linkTo('https://hidden.com/', { hidden: true }),
    linkTo('https://image.com/', { kind: 'image' }),
    linkTo('https://text.com/', { kind: 'text' }),
    ...links('https://a.com/', 'https://b.com/', 'https://c.com/', 'https://d.com/', 'https://e.com/'),
    linkTo('https://form.com/', { kind: 'form' }),
  ]
  assert.deepEqual(asked(NAMES, { links: subject }), [['a.com', 'form.com', 'b.com', 'e.com', 'c.com', 'd.com', 'text.com', 'image.com', 'hidden.com'], 0])
  assert.deepEqual(asked(NAMES, { links: subject }, { most: 3 }), [['a.com', 'form.com', 'b.com'], 6])
})

test('a link that counts is found before or behind a hundred harmless ones, hidden or not', () => {
  const harmless = Array.from({ length: 100 }, (_, i) => linkTo(`https://fine${i}.com/`))
  for (const at of [0, 100]) {
    const [names] = asked(NAMES, { links: harmless.toSpliced(at, 0, linkTo('https://bad.com/')) })
    assert.ok(names.includes('bad.com'))
  }
  const [names] = asked(NAMES, { links: [...harmless.map((link) => ({ ...link, hidden: true })), linkTo('https://bad.com/'), ...harmless.map((link) => ({ ...link, hidden: true }))] })
  assert.equal(names[0], 'bad.com')
})

test('a button among dots is found, wherever it stands, and with what the others show', () => {
  const dots = (name: string, shown = '.') => Array.from({ length: 10 }, (_, i) => linkTo(`https://${name}${i}.com/`, { shown }))
  const button = linkTo('https://bad.com/', { shown: 'Click here to pay' })
  const [names, unasked] = asked(NAMES, { links: [...dots('x'), button, ...dots('y')] })
  assert.deepEqual([names.length, names[0], unasked], [20, 'bad.com', 1])
  // A picture shows no text, and is found from both ends as ever.
  const picture = linkTo('https://bad.com/', { shown: '' })
  for (const links of [[picture, ...dots('x', 'a long harmless text'), ...dots('y', 'another one')], [...dots('x', 'a long harmless text'), ...dots('y', 'another one'), picture]]) assert.ok(asked(NAMES, { links })[0].includes('bad.com'))
  // Each once, in all orders.
  assert.equal(asked(NAMES, { links: [...dots('x'), ...dots('y', 'more')] })[0].length, 20)
})

test('domains, hosts, both; three hosts of one domain', () => {
  const subject = { links: links('https://w1.a.com/', 'https://w2.a.com/', 'https://w3.a.com/', 'https://w4.a.com/', 'https://b.co.uk/', 'https://user.github.io/') }
  assert.deepEqual(asked(NAMES, subject), [['a.com', 'user.github.io', 'b.co.uk'], 0])
  assert.deepEqual(asked({ ...NAMES, ask: 'host' }, subject), [['w1.a.com', 'user.github.io', 'b.co.uk', 'w2.a.com', 'w3.a.com'], 1])
  assert.deepEqual(asked({ ...NAMES, ask: 'both' }, subject), [['a.com', 'user.github.io', 'b.co.uk', 'w1.a.com', 'w2.a.com', 'w3.a.com'], 1])
  assert.deepEqual(asked({ ...NAMES, ask: 'both' }, subject, { most: 4 }), [['a.com', 'user.github.io', 'b.co.uk', 'w1.a.com'], 3])
})

test('the domains of the author\'s addresses come first, where a list wants them', () => {
  const subject = { links: links('https://a.com/'), addresses: ['Bob <no>', 'bob@Mail.Shop.com', 'nobody'] }
  assert.deepEqual(asked(NAMES, subject), [['a.com'], 0])
  assert.deepEqual(asked({ ...NAMES, addresses: true, ask: 'both' }, subject), [['shop.com', 'a.com', 'mail.shop.com'], 0])
})

test('what is no registered name is not asked for', () => {
  const odd = ['localhost', '', 'a..com', '1.2.3', 'exa mple.com', 'a.com%00', '-', 'x.1', '.com', `${'a'.repeat(64)}.com`].map((host) => ({ ...linkTo('https://a.com/'), host, domain: '' }))
  assert.deepEqual(asked({ ...NAMES, ask: 'both' }, { links: odd }), [[], 0])
})

test('a name that is too long is asked for without its first labels', () => {
  const host = `${'abcdefghi.'.repeat(20)}bad.com`
  const [names] = asked({ ...NAMES, ask: 'host' }, { links: [{ ...linkTo('https://bad.com/'), host }] }, { room: 50 })
  assert.deepEqual(names, [`${'abcdefghi.'.repeat(4)}bad.com`])
})

test('what is skipped is neither asked for nor counted', () => {
  assert.deepEqual(asked(NAMES, { links: links('http://www.w3.org/TR/', 'http://w3.org/', 'http://notw3.org/', 'http://schemas.microsoft.com/', 'https://www.microsoft.com/') }), [['notw3.org', 'microsoft.com'], 0])
  assert.equal(skipping(['Example.COM.'])('a.b.example.com'), true)
  assert.equal(skipping(['example.com'])('example.com.evil'), false)
})

test('hashes are bounded, each once', () => {
  const zone: UriListZone = { zone: 'h.example', kind: 'hash', of: 'url', algorithm: 'sha1', encoding: 'hex', weight: 1, test: { listed: 'a.example/x' } }
  const [labels, unasked] = asked(zone, { links: Array.from({ length: 30 }, (_, i) => linkTo(`https://a.com/${i % 15}`)) }, { most: 10 })
  assert.equal(labels.length, 10)
  assert.equal(new Set(labels).size, 10)
  assert.equal(unasked, 5)
})

test('a message of very many links costs no more than some, and says so', () => {
  const many = Array.from({ length: 100_000 }, (_, i) => ({ ...linkTo('https://a.com/'), host: `h${i}.com`, domain: `h${i}.com` }))
  const [names, unasked] = asked(NAMES, { links: many })
  assert.deepEqual(names.slice(0, 3), ['h0.com', 'h99999.com', 'h1.com'])
  assert.equal(unasked, 2000 - 20 + 1)
})
