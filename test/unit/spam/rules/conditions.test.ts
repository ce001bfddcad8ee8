/** Every kind of condition, from the file to the message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf, holds, outcomeOf } from '../../../support/rules.ts'

const PLAIN = `Received: from b.example by mx.example; Mon, 05 Jan 2026 10:00:00 +0000
Received: from a.example by b.example; Mon, 05 Jan 2026 09:00:00 +0000
From: "service@bank.example" <ann@mail.example.org>
Reply-To: Ann <ann@other.example>
To: bob@example.com, "carol@example.com" <carol@example.com>
SUBJECT: =?utf-8?q?Gr=C3=BC=C3=9Fe_FROM_THE_OFFICE?=
Date: Wed, 07 Jan 2026 10:00:00 +0000
Message-ID: <1@mail.example.org>
Precedence: Bulk
X-Empty:
Content-Type: text/plain; charset=utf-8

Act now! Act NOW! The offer ends.

It is at http://shop.example.net:8080/a.php?x=1 and http://198.51.100.7/ only.
`

const HTML = `From: ann@example.org
Reply-To:
Subject: Hello
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/html; charset=koi8-r

<html><p>Log in at <a href="https://evil.example.net/x">www.bank.example</a> <a href="https://www.example.org/">here</a></p>
<div style="display:none">weather and football</div>
<form action="https://evil.example.net/f"><input type=password name=p></form>
<img src="https://pics.example.com/1.png" width=600 height=300></html>
--x
Content-Type: application/pdf; name="invoice.pdf"
Content-Disposition: attachment; filename="invoice.pdf"
Content-Transfer-Encoding: base64

iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ
--x--
`

test('texts', () => {
  assert.equal(holds("{ subject: '/^Grüße from/i' }", PLAIN), true)
  assert.equal(holds("{ subject: '/^from/i' }", PLAIN), false)
  assert.equal(holds("{ text: '/act now/' }", PLAIN), false)
  assert.equal(holds("{ text: ['/nothing/', '/act now/i'] }", PLAIN), true)
  assert.equal(holds("{ text: '/act now/i', count: { above: 1 } }", PLAIN), true)
  assert.equal(holds("{ text: '/act now/i', count: { above: 2 } }", PLAIN), false)
  assert.equal(holds("{ text: ['/act now/i', '/the offer/i'], count: 3 }", PLAIN), true)
  assert.equal(holds("{ text: ['/act now/i', '/the offer/i', '/nothing/'], at_least: 2 }", PLAIN), true)
  assert.equal(holds("{ text: ['/act now/i', '/the offer/i', '/nothing/'], at_least: 3 }", PLAIN), false)
  assert.equal(holds("{ folded: '/act now/' }", PLAIN), true)
  assert.equal(holds("{ hidden: '/football/' }", HTML), true)
  assert.equal(holds("{ text: '/football/' }", HTML), false)
  assert.equal(holds("{ raw: '/<input[^>]*password/' }", HTML), true)
  assert.equal(holds("{ text: '/<input/' }", HTML), false)
})

test('header fields', () => {
  assert.equal(holds('{ header: List-Id, missing: true }', PLAIN), true)
  assert.equal(holds('{ header: date, missing: true }', PLAIN), false)
  assert.equal(holds('{ header: [List-Id, Precedence], missing: false }', PLAIN), true)
  assert.equal(holds('{ header: Received, count: 2 }', PLAIN), true)
  assert.equal(holds('{ header: Received, count: { above: 2 } }', PLAIN), false)
  assert.equal(holds('{ header: Precedence, is: [list, bulk] }', PLAIN), true)
  assert.equal(holds("{ header: Received, which: first, matches: '/from a/' }", PLAIN), false)
  assert.equal(holds("{ header: Received, which: last, matches: '/from a/' }", PLAIN), true)
  assert.equal(holds("{ header: Received, matches: '/^from a/' }", PLAIN), true)
  assert.equal(holds("{ header: Subject, matches: '/utf-8/' }", PLAIN), false)
  assert.equal(holds("{ header: Subject, form: raw, matches: '/=\\?utf-8/' }", PLAIN), true)
  assert.equal(holds("{ header: Subject, spelling: '/^SUBJECT$/' }", PLAIN), true)
  assert.equal(holds('{ header: Subject, length: { above: 20 } }', PLAIN), true)
  assert.equal(holds('{ header: List-Id, length: { below: 20 } }', PLAIN), false, 'what is not there has no length')
  assert.equal(holds("{ header: X-Empty, matches: '/^$/' }", PLAIN), true)
  assert.equal(holds("{ not: { header: X-Mailer, matches: '/./' } }", PLAIN), true)
  assert.equal(holds("{ header: ALL, matches: '/^Precedence: Bulk\\nX-Empty:/m' }", PLAIN), true)
  assert.equal(holds("{ header: ALL, matches: '/^SUBJECT: Grüße/m' }", PLAIN), true)
})

test('addresses', () => {
  assert.equal(holds('{ address: from, domain: mail.example.org, local: ann }', PLAIN), true)
  assert.equal(holds('{ address: from, organization: example.org }', PLAIN), true)
  assert.equal(holds("{ address: from, mailbox: '/^ann@mail/' }", PLAIN), true)
  assert.equal(holds('{ address: from, impostor: true }', PLAIN), true)
  assert.equal(holds('{ address: from, claims: bank.example }', PLAIN), true)
  assert.equal(holds("{ address: from, name: '/@/', not: { domain: mail.example.org } }", PLAIN), false)
  assert.equal(holds('{ address: from, any: [{ local: bob }, { local: ann }] }', PLAIN), true)
  assert.equal(holds('{ address: from, differs_from: reply-to }', PLAIN), true)
  assert.equal(holds('{ address: from, same_as: reply-to, by: local }', PLAIN), true)
  assert.equal(holds('{ address: from, same_as: message-id, by: domain }', PLAIN), true)
  assert.equal(holds('{ address: from, same_as: [reply-to, message-id] }', PLAIN), true)
  assert.equal(holds('{ address: from, differs_from: [reply-to, message-id] }', PLAIN), false)
  assert.equal(holds('{ address: [to, cc], count: 2 }', PLAIN), true)
  assert.equal(holds('{ address: to, local: bob, domain: example.com, count: { above: 1 } }', PLAIN), false)
  assert.equal(holds("{ address: to, local: bob, name: '/carol/' }", PLAIN), false, 'all of it must hold for the same address')
})

test('comparisons with what is not there are not known', () => {
  for (const relation of ['same_as', 'differs_from']) {
    assert.equal(holds(`{ address: from, ${relation}: reply-to }`, HTML), false)
    assert.equal(holds(`{ not: { address: from, ${relation}: reply-to } }`, HTML), false)
    assert.equal(holds(`{ address: from, ${relation}: envelope }`, PLAIN), false)
  }
  const facts = factsOf({ sender: ['bounce@example.org'], dkim_domain: ['other.example'] })
  assert.equal(holds('{ address: from, same_as: envelope }', PLAIN, facts), true)
  assert.equal(holds('{ address: from, same_as: dkim }', PLAIN, facts), false)
  assert.equal(holds('{ address: from, differs_from: dkim }', PLAIN, facts), true)
})

test('links: all of it holds for one and the same', () => {
  assert.equal(holds('{ link: { kind: href, mismatch: true } }', HTML), true)
  assert.equal(holds('{ link: { host: www.example.org, mismatch: true } }', HTML), false)
  assert.equal(holds('{ link: { kind: href, differs_from: from } }', HTML), true)
  assert.equal(holds('{ link: { kind: href, same_as: from, path: "/^\\/$/" } }', HTML), true)
  assert.equal(holds('{ link: { kind: href, differs_from: from, not: { domain: example.net } } }', HTML), false)
  assert.equal(holds("{ link: { host: '/^198\\./', ip: true } }", PLAIN), true)
  assert.equal(holds('{ link: { port: { above: 1024 } } }', PLAIN), true)
  assert.equal(holds('{ link: { port: { below: 1024 } } }', PLAIN), false, 'a port that is not given is no number')
  assert.equal(holds('{ link: { kind: text }, count: 2 }', PLAIN), true)
  assert.equal(holds('{ link: true, count: 0 }', PLAIN), false)
  assert.equal(holds('{ link: { ending: net }, hosts: 1 }', PLAIN), true)
  assert.equal(holds('{ link: { kind: [href, form, image] }, domains: { at_least: 3 } }', HTML), true)
})

test('hosts and schemes are compared without capitals, however they are written', () => {
  const message = 'From: ann@example.org\nSubject: x\n\nHTTPS://WWW.Example.NET/Page and ftp://[2001:DB8::1]/ and http://M%C3%9CNCHEN.example.com/\n'
  assert.equal(holds('{ link: { scheme: [HTTPS], host: WWW.example.net, domain: Example.net, ending: NET, labels: { above: 2 } } }', message), true)
  assert.equal(holds('{ link: { host: 2001:DB8::1, ip: true } }', message), true)
  assert.equal(holds('{ link: { ending: com, domain: example.com } }', message), true)
  assert.equal(holds('{ link: { host: www.example.net, labels: { above: 3 } } }', message), false)
})

test('many links, of which some have what is asked: the same as of few', () => {
  for (const count of [1, 40]) {
    const links = Array.from({ length: count }, (_, n) => `<a href="https://h${n % 3}.example.net/p${n}">x</a> <a href="http://198.51.100.7:8080/q${n}">x</a>`).join('\n')
    const message = `From: ann@example.org\nSubject: x\nContent-Type: text/html\n\n<html>${links}</html>\n`
    assert.equal(holds("{ link: { ip: true, url: '/q0$/' } }", message), true, `${count}`)
    assert.equal(holds("{ link: { ip: true, url: '/p0$/' } }", message), false, `${count}`)
    assert.equal(holds("{ link: { ip: false, url: '/p0$/', host: '/^h0/', port: { above: 1 } } }", message), false, `${count}`)
    assert.equal(holds("{ link: { not: { any: [{ ip: true }, { host: '/^h/' }] } } }", message), false, `${count}`)
    assert.equal(holds("{ link: { any: [{ shortener: true }, { path: '/^.q0/' }], port: 8080 } }", message), true, `${count}`)
    assert.equal(holds(`{ link: { ip: true, path: '/q/' }, count: ${count} }`, message), true, `${count}`)
    assert.equal(holds("{ link: { hidden: true, path: '/q/' }, count: 0 }", message), true, `${count}`)
    assert.equal(holds('{ link: { scheme: http, differs_from: from } }', message), true, `${count}`)
    assert.equal(holds('{ link: { scheme: ftp, same_as: reply-to } }', message), false, `${count}`)
  }
})

test('attachments, parts, HTML', () => {
  assert.equal(holds('{ attachment: { extension: pdf, mismatch: true } }', HTML), true)
  assert.equal(holds('{ attachment: { name: invoice.pdf, bytes: { below: 100 } }, count: 1 }', HTML), true)
  assert.equal(holds('{ attachment: true }', PLAIN), false)
  assert.equal(holds('{ part: { type: text/html, top: true } }', HTML), false)
  assert.equal(holds('{ part: { type: text/html, depth: 1 } }', HTML), true)
  assert.equal(holds('{ part: { encoding: base64, disposition: attachment }, count: 1 }', HTML), true)
  assert.equal(holds('{ html: true }', HTML), true)
  assert.equal(holds('{ html: false }', PLAIN), true)
  assert.equal(holds('{ html: { forms: { above: 0 }, password_fields: 1, refresh: false } }', HTML), true)
  assert.equal(holds('{ html: { forms: 0 } }', PLAIN), false, 'without HTML nothing of it holds')
})

test('character sets, scripts, languages, defects, numbers', () => {
  assert.equal(holds('{ charset: [koi8-r] }', HTML), true)
  assert.equal(holds("{ charset: '/^koi/' }", PLAIN), false)
  assert.equal(holds('{ script: Latin, above: 0.9 }', PLAIN), true)
  assert.equal(holds('{ script: [Han, Cyrillic], above: 0 }', PLAIN), false)
  assert.equal(holds('{ not: { language: ru } }', 'Subject: a\n\nb\n'), false, 'what is too short to tell is not known')
  assert.equal(holds('{ defect: not-closed }', HTML.replace('--x--', '')), true)
  assert.equal(holds('{ defect: not-closed }', HTML), false)
  assert.equal(holds('{ number: date_skew_hours, above: 47, below: 49 }', PLAIN), true)
  assert.equal(holds('{ number: date_skew_hours, is_not: 1 }', HTML), false)
  assert.equal(holds('{ number: addressees, is: 2 }', PLAIN), true)
  assert.equal(holds('{ number: subject_capitals, above: 0.7 }', PLAIN), true)
  assert.equal(holds('{ number: text_words, at_least: 5, at_most: 20 }', PLAIN), true)
  assert.equal(holds('{ not: { number: html_forms, is: 0 } }', PLAIN), false)
})

test('facts: what is not known holds as little as its opposite', () => {
  const facts = factsOf({ spf: ['softfail'], client_name: ['dsl-1.example.net'], dkim_domain: [] }, { domain_age: 2 })
  assert.equal(holds('{ fact: spf, is: [fail, softfail] }', PLAIN, facts), true)
  assert.equal(holds("{ fact: client_name, matches: '/^dsl/' }", PLAIN, facts), true)
  assert.equal(holds('{ fact: domain_age, below: 3 }', PLAIN, facts), true)
  assert.equal(holds('{ fact: domain_age, above: 3 }', PLAIN, facts), false)
  assert.equal(holds('{ not: { fact: dkim_domain, is: example.org } }', PLAIN, facts), true)
  for (const when of ['{ fact: spf, is: fail }', '{ fact: domain_age, below: 3 }']) {
    assert.equal(holds(when, PLAIN), false)
    assert.equal(holds(`{ not: ${when} }`, PLAIN), false)
    assert.equal(holds(`{ any: [${when}, { subject: '/./' }] }`, PLAIN), true)
    assert.equal(holds(`{ all: [{ not: ${when} }, { subject: '/./' }] }`, PLAIN), false)
  }
})

test('and, or, not, how many', () => {
  const yes = "{ subject: '/OFFICE/' }"
  const no = "{ subject: '/nothing/' }"
  assert.equal(holds(`{ all: [${yes}, ${no}] }`, PLAIN), false)
  assert.equal(holds(`{ any: [${no}, ${yes}] }`, PLAIN), true)
  assert.equal(holds(`{ at_least: 2, of: [${no}, ${yes}, ${yes}] }`, PLAIN), true)
  assert.equal(holds(`{ at_least: 2, of: [${no}, ${yes}, { fact: spf, is: fail }] }`, PLAIN), false)
  assert.equal(holds(`{ below: 2, of: [${no}, ${yes}] }`, PLAIN), true)
})

test('how many: what is not known changes nothing where the others are too few, and may where they are not', () => {
  const yes = "{ subject: '/OFFICE/' }"
  const no = "{ subject: '/nothing/' }"
  const unknown = '{ fact: spf, is: fail }'
  for (const parts of [[unknown, yes, no], [yes, no, unknown], [no, yes, unknown]]) {
    assert.equal(holds(`{ not: { at_least: 3, of: [${parts.join()}] } }`, PLAIN), true, parts.join())
    assert.equal(holds(`{ not: { at_least: 2, of: [${parts.join()}] } }`, PLAIN), false, parts.join())
    assert.equal(holds(`{ at_least: 1, of: [${parts.join()}] }`, PLAIN), false, parts.join())
  }
})

test('a hit shows what it found', () => {
  const excerpt = (when: string, message = PLAIN) => outcomeOf(when, message).hits[0]?.excerpt
  assert.equal(excerpt("{ text: '/act\\s+now/i' }"), 'Act now')
  assert.equal(excerpt("{ all: [{ not: { subject: '/x/' } }, { text: '/The offer/' }] }"), 'The offer')
  assert.equal(excerpt('{ link: { ip: true } }'), 'http://198.51.100.7/')
  assert.equal(excerpt("{ text: '/act now/i', count: { above: 1 } }"), 'Act now')
  assert.equal(excerpt('{ header: Precedence, is: bulk }'), 'Bulk')
  assert.equal(excerpt('{ header: List-Id, missing: true }'), undefined)
})
