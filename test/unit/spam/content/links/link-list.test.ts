import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkList } from '../../../../../src/spam/content/links/link-list.ts'
import type { RawLink } from '../../../../../src/spam/content/links/raw-link.ts'

const anchor = (url: string, shown = 'click', hidden = false): RawLink => ({ kind: 'href', url, shown, says: true, hidden })

function only(link: RawLink, base?: string) {
  const list = new LinkList()
  list.add([link], base)
  const [first] = list.result()
  assert.ok(first !== undefined)
  return first
}

test('what is shown against where it leads', () => {
  for (const [url, shown, host, mismatch] of [
    ['http://evil.example.net/', 'https://www.bank.com/login', 'www.bank.com', true],
    ['http://mail.bank.com/', 'www.bank.com', 'www.bank.com', false],
    ['http://evil.example.net/', 'bank.com', 'bank.com', true],
    ['http://evil.example.net/', '» bank.com «', 'bank.com', true],
    ['http://evil.example.net/', 'Click on https://bank.com now', 'bank.com', true],
    ['http://evil.example.net/', 'Welcome to bank.com, dear customer', undefined, false],
    ['http://evil.example.net/', 'Click here', undefined, false],
    ['http://evil.example.net/', 'service@bank.com', undefined, false],
    ['https://www.google.com/url?q=https://www.bank.com/x', 'https://www.bank.com/x', 'www.bank.com', false],
    ['mailto:a@b.com', 'b.com', 'b.com', false],
    ['javascript:x', 'http://b.com', 'b.com', false],
  ] as const) {
    const link = only(anchor(url, shown))
    assert.deepEqual([link.shownHost, link.mismatch], [host, mismatch], `${url} ${shown}`)
  }
  assert.equal(only({ ...anchor('http://evil.example.net/', 'http://bank.com'), says: false }).mismatch, false)
})

test('links inside links are links too, to a depth of two', () => {
  const list = new LinkList()
  const third = encodeURIComponent('https://c.example/?u=https://d.example/')
  const second = encodeURIComponent(`https://b.example/?u=${third}`)
  list.add([anchor(`https://a.example/?u=${second}`, 'x', true)])
  assert.deepEqual(list.result().map(({ host, hidden, kind }) => [host, hidden, kind]), [['a.example', true, 'href'], ['b.example', true, 'href'], ['c.example', true, 'href']])
})

test('relative links need a base', () => {
  const list = new LinkList()
  list.add([anchor('/path'), anchor('#top'), anchor(''), anchor('page.html')])
  assert.deepEqual(list.result(), [])
  list.add([anchor('/path'), anchor('mailto:a@b.example')], 'https://base.example/')
  list.add([anchor('/path')], 'https://other.example/')
  list.add([anchor('/path')], '/nowhere/')
  list.add([anchor('/path')], 'mailto:a@b.example')
  assert.deepEqual(list.result().map(({ host, url }) => [host, url]), [['base.example', 'https://base.example/path'], ['b.example', 'mailto:a@b.example'], ['other.example', 'https://other.example/path']])
  const { host, userinfo, port, mismatch } = only(anchor('login.html', 'https://www.bank.example/'), 'https://www.bank.example@evil.example.net:8443/x/')
  assert.deepEqual([host, userinfo, port, mismatch], ['evil.example.net', true, 8443, true])
})

test('different links come before those that come again, and no more than a thousand', () => {
  const list = new LinkList()
  list.add([anchor('http://a.example/'), anchor('http://a.example/', 'again'), anchor('http://b.example/')])
  assert.deepEqual(list.result().map(({ url, shown }) => `${url} ${shown}`), ['http://a.example/ click', 'http://b.example/ click', 'http://a.example/ again'])
  list.add(Array.from({ length: 5000 }, (_, i) => anchor(`http://h${i}.example/`)))
  assert.equal(list.result().length, 1000)
  assert.equal(new Set(list.result().map(({ url }) => url)).size, 1000)
})

test('links of text, but for what stands in anchors', () => {
  const list = new LinkList()
  const text = 'http://a.example www.b.example c.com/x'
  list.addText(text, [text.indexOf('www'), text.indexOf('www') + 13])
  assert.deepEqual(list.result().map(({ kind, scheme, host, shown }) => [kind, scheme, host, shown]), [['text', 'http', 'a.example', 'http://a.example'], ['text', 'http', 'c.com', 'c.com/x']])
})

test('a link has all that is read of its URL', () => {
  const { scheme, host, domain, port, userinfo, address, shortener, lookAlike, hidden } = only(anchor('https://www.bank.example@login.evil.example:8443/x', 'click', true))
  assert.deepEqual({ scheme, host, domain, port, userinfo, address, shortener, lookAlike, hidden }, { scheme: 'https', host: 'login.evil.example', domain: 'evil.example', port: 8443, userinfo: true, address: false, shortener: false, lookAlike: false, hidden: true })
  assert.deepEqual([only(anchor('http://192.0.2.7/')).address, only(anchor('http://bit.ly/x')).shortener, only(anchor('http://plain.example/')).userinfo], [true, true, false])
})

test('a link is what a browser would open: without blanks at its ends and line ends within', () => {
  assert.equal(only(anchor(' \r\nhttps://www.bank.com@evil.example.net/\r\n\tlogin ')).url, 'https://www.bank.com@evil.example.net/login')
})
