/** What of a message becomes a token, and what never does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeaderSectionReader } from '../../../../src/message/header-section.ts'
import { prefixSubject } from '../../../../src/message/subject-prefix.ts'
import { MAX_SINGLES, singleTokens } from '../../../../src/spam/bayes/store.ts'
import { MAX_TOKENS } from '../../../../src/spam/bayes/token-set.ts'
import { contentOf, letter, namesOf, REQUEST, tokensOf } from './bayes-fixture.ts'
import { readTokens } from '../../../../src/spam/bayes/tokens.ts'

const has = (names: readonly string[], ...wanted: readonly string[]): void => {
  for (const one of wanted) assert.ok(names.includes(one), `${one} is not among ${names.join(' | ')}`)
}
const hasNone = (names: readonly string[], pattern: RegExp): void => {
  assert.deepEqual(names.filter((name) => pattern.test(name)), [])
}

test('words of text and subject, single and in pairs', () => {
  const names = namesOf(letter('Meet me at noon tomorrow', 'Subject: Lunch with Anna\n'))
  has(names, 'meet', 'noon', 'tomorrow', 'subject:lunch', 'lunch', 'noon tomorrow', 'at … tomorrow', 'subject:lunch with', 'subject:lunch … anna')
  assert.ok(!names.includes('meet … … noon'))
})

test('what a reader does not see is told from what he sees', () => {
  const names = namesOf(letter('<p>Buy this</p><div style="display:none">garden poetry</div>', 'Content-Type: text/html\n'))
  has(names, 'buy', 'hidden:garden', 'hidden:poetry')
  assert.ok(!names.includes('garden'))
})

test('links give hosts, domains, words of their paths and what is odd about them', () => {
  const names = namesOf(letter('<a href="http://pay.shop.example/offer/login.php?id=9">here</a> <a href="http://192.0.2.7:8080/x">there</a>', 'Content-Type: text/html\n'))
  has(names, 'link:pay.shop.example', 'link:shop.example', 'link-path:offer', 'link-path:login', 'links:to an address', 'links:with a port')
})

test('fields give who wrote, with what, to whom', () => {
  const names = namesOf(letter('x y z', 'X-Mailer: Blaster 5.2\nReply-To: <other@elsewhere.example>\nX-Priority: 1\nX-Campaign: spring sale\nPrecedence: bulk\n'))
  has(names, 'from:anna', 'from-local:anna', 'from-domain:example.org', 'from-domain:org', 'to:bert', 'mailer:blaster', 'field:x-mailer', 'field:x-campaign', 'in-header:spring',
    'field-host:reply-to elsewhere.example', 'header:reply-to of other domain', 'field x-priority: 1', 'field precedence: bulk', 'header:message-id of same domain', 'header:to an address')
})

test('encoded words are read', () => {
  has(namesOf(letter('x', 'Subject: =?utf-8?B?R8O8bnN0aWdl?= Kredite\n')), 'subject:günstige', 'subject:kredite', 'header:subject encoded')
  has(namesOf('From: =?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <joerg@example.org>\n\nx\n'), 'from:jörg', 'from:müller')
})

test('what filters, stores, archives and own hops add is no token, and neither is what no other message has', () => {
  const own = [
    'X-Spam-Status: Yes, score=12.3', 'X-Spam-Flag: YES', 'X-Bogosity: Spam', 'X-Virus-Scanned: clean', 'X-Rspamd-Score: 9', 'X-MS-Exchange-Organization-SCL: 9', 'X-Proofpoint-Spam-Details: rule=secret',
    'Delivered-To: bert@inside.example', 'Return-Path: <bounce@example.org>', 'X-Original-To: bert@inside.example', 'Status: RO', 'X-Mozilla-Keys: junk', 'X-Gmail-Labels: secret', 'List-Archive: <http://archive.example/secret>', 'Archived-At: <http://archive.example/x>',
    'Authentication-Results: mx.example.net; spf=pass', 'DKIM-Signature: v=1; d=secret.example', 'References: <secret1@example.org>', 'X-UID: 17',
  ]
  const names = namesOf(letter('plain words', `${own.join('\n')}\n`))
  hasNone(names, /spam|bogo|virus|rspamd|exchange|proofpoint|delivered|return-path|original|status|mozilla|gmail|archive|authentication|dkim|secret|inside|uid/)
  hasNone(names, /2026|21 nov|^date|field:(?:date|message-id|from|to|subject)$/)
})

test('the way of a message counts without the hops of the site', () => {
  const far = 'Received: from dialup (unknown [192.0.2.9]) by relay.example.com with SMTP; Sat, 21 Nov 2026 10:00:00 +0000\n'
  const near = 'Received: from relay.example.com (relay.example.com [192.0.2.1]) by mx.example.net with ESMTPS; Sat, 21 Nov 2026 10:00:01 +0000\n'
  const inside = 'Received: from mx.example.net by store.example.net with LMTP; Sat, 21 Nov 2026 10:00:02 +0000\n'
  const comingIn = namesOf(letter('x', far)).filter((name) => name.startsWith('received:'))
  assert.deepEqual(comingIn, ['received:hops 1', 'received:from a word', 'received:with smtp', 'received:from unknown'])
  // Out of a mailbox it is the same message.
  const stored = namesOf(inside + near + letter('x', far).replace(far, '') .replace('From:', `${far}From:`), { delivered: true }).filter((name) => name.startsWith('received:'))
  assert.deepEqual(stored, comingIn)
  // Out of a foreign mailbox, the hop on top is taken for the site's.
  assert.deepEqual(namesOf(near + far + letter('x'), { delivered: true, ownHosts: new Set() }).filter((name) => name.startsWith('received:')), comingIn)
})

test('how a message is built', () => {
  const names = namesOf(`From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nsee attached\n--b\nContent-Type: application/octet-stream; name="invoice.pdf.exe"\nContent-Disposition: attachment; filename="invoice.pdf.exe"\nContent-Transfer-Encoding: base64\n\nTVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAA=\n--b--\n`)
  has(names, 'part:top multipart/mixed', 'part:text/plain iso-8859-1 quoted-printable', 'part:application/octet-stream attachment', 'attachment:.exe', 'attachment:executable', 'attachment:number 1')
})

const some = (count: number, letters: number): string[] => Array.from({ length: count }, (_, at) => Array.from({ length: letters }, (_, place) => String.fromCharCode(97 + Math.floor(at / 26 ** place) % 26)).join(''))

test('whatever a message is stuffed with, its fields, subject, text and links have their tokens, and what is kept of it has them', () => {
  const telling = ['subject:cheap', 'cheap', 'casino', 'cheap casino', 'link:evil.example', 'from:anna', 'mailer:blaster', 'header:message-id of same domain', 'received:hops 0']
  const words = some(17_000, 3)
  const fields = Array.from({ length: 300 }, (_, at) => `X-${some(300, 4)[at] ?? ''}: ${words.slice(at * 30, at * 30 + 30).join(' ')}\n`).join('')
  const links = Array.from({ length: 150 }, (_, at) => `<a href="http://h${at}.example/${words.slice(at * 50, at * 50 + 50).join('/')}">x</a>`).join('')
  const html = (inside: string) => `X-Mailer: Blaster 5\nSubject: cheap casino bonus\nContent-Type: text/html\n\n<p>Visit cheap casino now <a href="http://evil.example/x">here</a></p>${inside}`
  const text = (inside: string) => `From: anna@example.org <anna@example.org>\nTo: bert@example.net\nMessage-ID: <1@example.org>\n${inside}`
  const hidden = `<div style="display:none">${words.slice(0, 1300).join(' ')}</div>`
  for (const message of [
    text(fields + html('')), text(html(links)), text(html(hidden)), text(html(`<p>${words.join(' ')}</p>`)),
    text(fields + html(`${links}${hidden}<p>${words.join(' ')}</p>`)),
  ]) {
    const set = tokensOf(message)
    has(set.names ?? [], ...telling)
    assert.ok(set.count <= MAX_TOKENS)
    const kept = new Set(singleTokens(set))
    assert.ok(kept.size <= MAX_SINGLES)
    for (const [at, name] of (set.names ?? []).entries()) if (telling.includes(name) && name !== 'cheap casino') assert.ok(kept.has(set.low[at] ?? 0), name)
  }
})

test('a long text has all that fits beside links, and what was read in two pieces is read as one', () => {
  const words = some(600, 3)
  const whole = namesOf(letter(words.join(' ')))
  has(whole, ...words, ...words.slice(1).map((word, at) => `${words[at] ?? ''} ${word}`), ...words.slice(2).map((word, at) => `${words[at] ?? ''} … ${word}`))
})

test('words that something invisible is in are read, and told', () => {
  const stuffed = (text: string, between: string) => letter(text.replace(/\p{L}/gu, `$&${between}`))
  const plain = namesOf(letter('buy cheap pills in our shop today and tomorrow without any prescription'))
  const names = namesOf(stuffed('buy cheap pills in our shop today and tomorrow without any prescription', '\u200c').replace('Date:', 'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\nDate:'))
  has(names, 'buy', 'cheap', 'pills', 'buy cheap', 'prescription', 'characters:invisible in a word', 'characters:invisible in many words')
  hasNone(plain, /^characters:/)
  const soft = namesOf(letter('Donau\u00addampf\u00adschiff', 'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n'))
  has(soft, 'donaudampfschiff', 'characters:soft hyphens in a word')
  assert.ok(!soft.includes('characters:soft hyphens in many words'))
})

test('the prefix of the site is no word of a subject: a tagged message has the tokens that it came in with', () => {
  const sorted = (subject: string, prefix: string | undefined) => [...namesOf(letter('some words', subject), { subjectPrefix: prefix })].sort()
  for (const prefix of ['[SPAM]', '*** Spam ***', 'Unerwünscht:', '迷惑メール'.repeat(15)]) {
    for (const subject of ['Subject: quarterly report\n', 'Subject: Re: cheap offer\n', 'Subject: =?utf-8?B?R8O8bnN0aWdl?= Kredite\n', 'Subject: ***\n', '']) {
      const section = new HeaderSectionReader()
      section.feed(Buffer.from(`${subject}\r\n`.replace(/\r?\n/g, '\r\n')))
      const { replace, added } = prefixSubject(section.finish(), prefix)
      const tagged = (replace[0]?.raw.toString('latin1') ?? added).replace(/\r\n/g, '\n')
      assert.notEqual(tagged, subject)
      assert.deepEqual(sorted(tagged, prefix), sorted(subject, prefix), `${prefix} ${subject}`)
      assert.deepEqual(sorted(subject, prefix), sorted(subject, undefined))
      assert.notDeepEqual(sorted(tagged, undefined), sorted(subject, undefined))
    }
  }
  // Only at the beginning, and once.
  has(sorted('Subject: about [SPAM] and such\n', '[SPAM]'), 'spam', 'subject:about spam')
  has(sorted('Subject: [SPAM] [SPAM] and such\n', '[SPAM]'), 'spam')
  has(sorted('Subject: =?utf-8?Q?=5BSPAM=5D_and?= such\n', '[SPAM]'), 'such')
})

test('names are there only for those who ask', () => {
  assert.equal(tokensOf(letter('one two'), { named: false }).names, undefined)
  const named = tokensOf(letter('one two'))
  assert.equal(named.names?.length, named.count)
  assert.deepEqual(tokensOf(letter('one two'), { named: false }).low, named.low)
})

test('a long message has its beginning and its end, within the bound', () => {
  const middle = Array.from({ length: 200_000 }, (_, at) => `m${at}`).join(' ')
  const set = tokensOf(letter(`beginning ${middle} ending`))
  assert.equal(set.count, MAX_TOKENS)
  const repeated = namesOf(letter(`beginning ${'same words again and again '.repeat(20_000)} ending`))
  has(repeated, 'beginning', 'same words', 'ending')
  assert.ok(repeated.length < 200)
})

test('a message of nothing, and messages of everything wrong, have tokens too', () => {
  for (const message of ['', '\n', 'x', 'From:\n\n', 'From: <>\nTo: @\nReceived:\n\n', `From: ${'<'.repeat(5000)}\nReceived: ${'by '.repeat(5000)}\nList-Id: ${'<'.repeat(5000)}\n\n\u0000`, `${'A: b\n'.repeat(5000)}\n`]) {
    assert.ok(tokensOf(message).count > 0)
  }
})

test('the same message has the same tokens', () => {
  const content = contentOf(letter('Some words of a letter', 'Subject: hello there\n'))
  assert.deepEqual(readTokens(content, REQUEST), readTokens(content, REQUEST))
})
