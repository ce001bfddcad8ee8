/** Formats of names, addresses, paths, owners and modes. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { domainItem } from '../../../src/config/format-domain.ts'
import {
  certificatePair, domainName, fileMode, formatAddress, hopAddress, listenAddress, mailbox, mailboxPath, owner, reference,
  suffixCharacters, unixPathProblem,
} from '../../../src/config/format-names.ts'
import type { Format } from '../../../src/config/format.ts'
import { showValue } from '../../../src/config/source.ts'
import type { Raw } from '../../../src/config/source.ts'
import { parseDomain } from '../../../src/smtp/address.ts'

function value<T>(format: Format<T>, raw: Raw): T {
  const reading = format.read(raw)
  assert.ok(reading.status === 'read', `${showValue(raw)}: ${JSON.stringify(reading)}`)
  return reading.value
}

function refused<T>(format: Format<T>, raw: Raw): readonly { at: string; problem: string }[] {
  const reading = format.read(raw)
  assert.ok(reading.status === 'refused', `${JSON.stringify(raw)} was read as ${JSON.stringify(reading)}`)
  for (const p of reading.problems) assert.ok(p.allowed !== undefined && p.allowed !== '', 'it says what is allowed')
  return reading.problems.map(({ at, problem }) => ({ at: at.join('.'), problem }))
}

test('domain names come out in lower case, as A-labels, without a final dot', () => {
  for (const [text, domain] of [
    ['example.org', 'example.org'], ['Example.ORG.', 'example.org'], ['localhost', 'localhost'], ['a-b.c-d.e', 'a-b.c-d.e'], ['3com.example', '3com.example'],
    ['Bücher.example', 'xn--bcher-kva.example'], ['例え.テスト', 'xn--r8jz45g.xn--zckzah'], ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['[192.0.2.1]', '[192.0.2.1]'], ['[IPv6:2001:DB8::1]', '[ipv6:2001:db8::1]'], [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ] as const) assert.equal(value(domainName, text), domain)
})

test('what is no domain name is refused', () => {
  for (const raw of [
    '', '.', '*', '*.example.org', '@example.org', 'a b', 'exa_mple.org', '-a.org', 'a-.org', 'a..b', '.example.org', '192.0.2.1', '1.2', '127', '１２７.０.０.１',
    'a%2eb', 'bücher%2e.example', 'example.org:25', 'example.org/x', '[192.0.2]', '[192.0.2.1', '[IPv6:fe80::1%eth0]', '[2001:db8::1]', `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`, 'example.org\u0000', true, null, [], new Map(),
  ] as const) refused(domainName, raw)
})

test('a domain is written as the session writes that of a recipient, so that they compare equal', () => {
  for (const text of ['Example.ORG', 'Bücher.example', 'BÜCHER.example', 'faß.example', 'xn--bcher-kva.EXAMPLE', '[192.0.2.1]', '[IPv6:2001:DB8::1]', 'ｅｘａｍｐｌｅ.org']) {
    assert.equal(value(domainName, text), parseDomain(Buffer.from(text).toString('latin1')))
  }
})

test('an entry of domains is a name, or a mapping with a hop', () => {
  assert.deepEqual(value(domainItem, 'Example.org'), { domain: 'example.org', next: undefined })
  assert.deepEqual(value(domainItem, new Map([['domain', 'example.org'], ['next', 'lists']])), { domain: 'example.org', next: 'lists' })
  assert.deepEqual(value(domainItem, new Map([['domain', 'example.org']])), { domain: 'example.org', next: undefined })
  assert.deepEqual(refused(domainItem, new Map([['domian', 'a'], ['next', '']])).map(({ at }) => at), ['domian', '', 'next'])
  assert.match(refused(domainItem, new Map([['domian', 'a']]))[0]?.problem ?? '', /did you mean "domain"/)
  const thresholds = new Map([['tag', '3'], ['reject', 'never']])
  assert.deepEqual(value(domainItem, new Map<string, string | Map<string, string>>([['domain', 'example.org'], ['spam', thresholds]])), { domain: 'example.org', next: undefined, spam: { tag: 3, quarantine: undefined, reject: 'never' } })
  refused(domainItem, new Map<string, string | Map<string, string>>([['domain', 'example.org'], ['spam', new Map([['tagg', '3']])]]))
  refused(domainItem, new Map([['domain', 'example.org'], ['spam', '3']]))
  refused(domainItem, ['example.org'])
})

test('addresses to listen on are addresses, not names', () => {
  for (const [text, address] of [
    ['127.0.0.1:25', { kind: 'tcp', host: '127.0.0.1', port: 25 }], ['0.0.0.0:0', { kind: 'tcp', host: '0.0.0.0', port: 0 }],
    ['[::]:25', { kind: 'tcp', host: '::', port: 25 }], ['[2001:DB8:0::1]:65535', { kind: 'tcp', host: '2001:db8::1', port: 65535 }],
    ['[fe80::1%eth0]:25', { kind: 'tcp', host: 'fe80::1%eth0', port: 25 }], ['[::10.0.0.1]:25', { kind: 'tcp', host: '::a00:1', port: 25 }], ['[::ffff:127.0.0.1]:25', { kind: 'tcp', host: '127.0.0.1', port: 25 }],
    ['localhost:25', { kind: 'tcp', host: '127.0.0.1', port: 25 }], ['unix:/run/a:b', { kind: 'unix', path: '/run/a:b' }], ['unix:a', { kind: 'unix', path: 'a' }],
  ] as const) assert.deepEqual(value(listenAddress, text), address)
  for (const raw of [
    '25', ':25', '*:25', '127.0.0.1', '127.0.0.1:', '127.0.0.1:x', '127.0.0.1:65536', '127.0.0.1:-1', '127.0.0.1:000025', '127.1:25', '127.0.0.01:25', '1.2.3:25',
    'mx.example.org:25', '::1:25', '[::1]', '[127.0.0.1]:25', '[::g]:25', '[]:25', 'unix:', 'unix:/run/', '/run/x', 'tcp:127.0.0.1:25', '127.0.0.1:25 ', null, true,
  ]) refused(listenAddress, raw)
})

test('a mistake with an address is named', () => {
  assert.match(refused(listenAddress, '::1:25')[0]?.problem ?? '', /brackets/)
  assert.match(refused(hopAddress, 'mail.example.org')[0]?.problem ?? '', /no port/)
})

test('hops may be named; a port of 0 is none', () => {
  for (const [text, address] of [
    ['Mail.Example.org:25', { kind: 'tcp', host: 'mail.example.org', port: 25 }], ['post_fix:25', { kind: 'tcp', host: 'post_fix', port: 25 }],
    ['bücher.example:587', { kind: 'tcp', host: 'xn--bcher-kva.example', port: 587 }], ['localhost:10025', { kind: 'tcp', host: 'localhost', port: 10025 }],
    ['[::1]:24', { kind: 'tcp', host: '::1', port: 24 }], ['unix:/run/dovecot/lmtp', { kind: 'unix', path: '/run/dovecot/lmtp' }],
  ] as const) assert.deepEqual(value(hopAddress, text), address)
  for (const text of ['127.0.0.1:0', '1.2.3:25', '300.0.0.1:25', 'a b:25', 'user@host:25', 'smtp://host:25', '-a:25', 'a..b:25']) refused(hopAddress, text)
})

test('addresses are written as they are read', () => {
  for (const text of ['127.0.0.1:25', '[2001:db8::1]:25', 'unix:/run/x', 'mail.example.org:25']) assert.equal(formatAddress(value(hopAddress, text)), text)
})

test('a unix path fits into sun_path', () => {
  assert.equal(unixPathProblem(`/${'a'.repeat(106)}`), undefined)
  assert.match(unixPathProblem(`/${'a'.repeat(107)}`) ?? '', /at most 107 bytes.*108/)
  assert.notEqual(unixPathProblem(`/${'ä'.repeat(54)}`), undefined)
})

test('names of listeners and hops', () => {
  for (const text of ['a', 'mail-in', 'A_1']) assert.equal(value(reference, text), text)
  for (const text of ['', '1a', '-a', 'a b', 'a.b', 'ä', 'a'.repeat(64), '__proto__']) refused(reference, text)
})

test('mailboxes are a user or an address', () => {
  assert.deepEqual(value(mailbox, 'postmaster'), { text: 'postmaster', domain: undefined })
  assert.deepEqual(value(mailbox, 'Post.Master+x@Example.ORG'), { text: 'Post.Master+x@example.org', domain: 'example.org' })
  for (const text of ['', '@example.org', 'a@', 'a b', '"a b"@example.org', '.a', 'a..b', 'a@b@c d', 'a'.repeat(65), '<a@b.c>']) refused(mailbox, text)
})

test('suffix characters stand once each and are no letters', () => {
  for (const text of ['', '+', '-', '+-', '+-_=#~^']) assert.equal(value(suffixCharacters, text), text)
  for (const text of ['++', 'a', '.', '@', '/', '%', ' ']) refused(suffixCharacters, text)
})

test('owners', () => {
  assert.deepEqual(value(owner, 'vmail'), { user: 'vmail', group: undefined })
  assert.deepEqual(value(owner, 'vmail:mail'), { user: 'vmail', group: 'mail' })
  assert.deepEqual(value(owner, '5000:5001'), { user: '5000', group: '5001' })
  for (const text of ['', ':', 'a:', ':a', 'a:b:c', 'a b', '-a', '../a']) refused(owner, text)
})

test('modes are octal, however they are written, and of plain files', () => {
  for (const [text, mode] of [['0600', 0o600], ['600', 0o600], ['0o640', 0o640], ['0660', 0o660], ['0666', 0o666]] as const) assert.equal(value(fileMode, text), mode)
  for (const text of ['384', '0700', '0755', '0400', '4600', '04600', '0', '0x180', '-600', 'rw-------', '06 00']) refused(fileMode, text)
})

test('the path of a Maildir has known placeholders and stays below its root', () => {
  for (const text of ['/var/mail/{domain}/{local}', 'mail/{user}', '/var/mail/all']) assert.equal(value(mailboxPath, text), text)
  assert.match(refused(mailboxPath, '/var/mail/{lokal}')[0]?.problem ?? '', /\{lokal\}/)
  for (const text of ['', '/a/{local', '/a/local}', '/a/{}', '/a/{domain}/../{local}', '/']) refused(mailboxPath, text)
})

test('a further certificate has cert and key', () => {
  assert.deepEqual(value(certificatePair, new Map([['cert', 'a'], ['key', 'b']])), { cert: 'a', key: 'b' })
  assert.deepEqual(refused(certificatePair, new Map([['certs', 'a'], ['key', '']])).map(({ at }) => at), ['certs', 'cert', 'key'])
  refused(certificatePair, 'a.pem')
})
