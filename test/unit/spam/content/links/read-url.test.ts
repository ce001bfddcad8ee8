import assert from 'node:assert/strict'
import { test } from 'node:test'
import { absolute, isBase, readUrl } from '../../../../../src/spam/content/links/read-url.ts'

test('URLs lead where browsers go', () => {
  for (const [url, scheme, host] of [
    ['http://example.com/', 'http', 'example.com'],
    ['HTTPS://EXAMPLE.com.:443/x', 'https', 'example.com'],
    ['  http://example.com  ', 'http', 'example.com'],
    ['ht\ntp://exam\tple.com', 'http', 'example.com'],
    ['http:\\\\example.com\\x', 'http', 'example.com'],
    ['http:/example.com', 'http', 'example.com'],
    ['http:example.com', 'http', 'example.com'],
    ['http://///example.com', 'http', 'example.com'],
    ['http://user:pass@evil.example', 'http', 'evil.example'],
    ['http://good.example@evil.example/', 'http', 'evil.example'],
    ['http://good.example\\@evil.example/', 'http', 'good.example'],
    ['http://good.example?@evil.example/', 'http', 'good.example'],
    ['http://exa%6dple.com', 'http', 'example.com'],
    ['http://ex%61mple%2ecom/', 'http', 'example.com'],
    ['http://example。com', 'http', 'example.com'],
    ['http://ｅxample.com', 'http', 'example.com'],
    ['http://bücher.example/', 'http', 'xn--bcher-kva.example'],
    ['http://2130706433/', 'http', '127.0.0.1'],
    ['http://0x7f.1/', 'http', '127.0.0.1'],
    ['http://017700000001', 'http', '127.0.0.1'],
    ['http://192.0.2.1.', 'http', '192.0.2.1'],
    ['http://[2001:DB8::1]:8080/', 'http', '2001:db8::1'],
    ['http://[::ffff:192.0.2.1]/', 'http', '::ffff:c000:201'],
    ['//example.com/x', 'http', 'example.com'],
    ['www.example.com/x', 'http', 'www.example.com'],
    ['example.com:8080/x', 'http', 'example.com'],
    ['example.co.uk', 'http', 'example.co.uk'],
    ['mailto:Joe%40Example.com?subject=x', 'mailto', 'example.com'],
    ['mailto:a@b.example,c@d.example', 'mailto', 'b.example'],
    ['ftp://ftp.example.com/x', 'ftp', 'ftp.example.com'],
    ['foo://host.example/x', 'foo', 'host.example'],
    ['java\tscript:alert(1)', 'javascript', ''],
    ['\x01javascript:alert(1)', 'javascript', ''],
    ['data:text/html,x', 'data', ''],
    ['cid:abc@def', 'cid', ''],
    ['tel:+123', 'tel', ''],
    ['http://', 'http', ''],
    ['http://a b/', 'http', ''],
    ['http://a%00b.com/', 'http', ''],
    ['http://[nonsense]/', 'http', ''],
    ['http://%zz/', 'http', ''],
    ['readme.html', '', ''],
    ['/path', '', ''],
    ['#top', '', ''],
    ['', '', ''],
  ] as const) {
    const reading = readUrl(url)
    assert.deepEqual([reading.scheme, reading.host], [scheme, host], JSON.stringify(url))
  }
})

test('port, userinfo, addresses, domains, U-labels', () => {
  const reading = readUrl('https://user@www.example.co.uk:8443/x')
  assert.deepEqual([reading.port, reading.userinfo, reading.domain, reading.address], [8443, true, 'example.co.uk', false])
  assert.deepEqual([readUrl('https://a.example:443').port, readUrl('http://a.example:443').port, readUrl('http://a.example:99999').port, readUrl('http://a.example:x').port], [undefined, 443, undefined, undefined])
  assert.deepEqual([readUrl('http://[::1]:81/').port, readUrl('http://[::1]/').port], [81, undefined])
  assert.deepEqual([readUrl('http://10.0.0.1/').address, readUrl('http://10.0.0.1/').domain], [true, '10.0.0.1'])
  assert.equal(readUrl('http://xn--bcher-kva.example').unicodeHost, 'bücher.example')
  assert.equal(readUrl('http://example.com').unicodeHost, undefined)
  assert.equal(readUrl('http://someone.github.io/').domain, 'someone.github.io')
  assert.equal(readUrl('http://localhost/').domain, 'localhost')
})

test('relative URLs, with a base', () => {
  const base = readUrl('https://base.example/dir/')
  for (const [url, scheme, host] of [['page.html', 'https', 'base.example'], ['/x', 'https', 'base.example'], ['//other.example/x', 'https', 'other.example'], ['?q', 'https', 'base.example'], ['www.example.com', 'https', 'base.example'], ['mailto:a@b.example', 'mailto', 'b.example']] as const) {
    const reading = readUrl(url, base)
    assert.deepEqual([reading.scheme, reading.host], [scheme, host], url)
  }
})

test('look-alikes and shorteners', () => {
  for (const [url, alike] of [['http://аррӏе.com', true], ['http://pаypal.com', true], ['http://müller.example', false], ['http://пример.рф', false], ['http://сор.рф', false], ['http://日本語カタカナ.jp', false], ['http://ɡoogle.com', true], ['http://example.com', false]] as const) assert.equal(readUrl(url).lookAlike, alike, url)
  for (const [url, short] of [['https://bit.ly/x', true], ['https://WWW.TinyURL.com/x', true], ['https://abc.app.link/x', true], ['https://bit.ly.example/', false], ['https://notbit.ly/', false], ['https://xapp.link', false]] as const) assert.equal(readUrl(url).shortener, short, url)
})

test('a host that is too long is none, and a URL is cut', () => {
  assert.equal(readUrl(`http://${'a.'.repeat(200)}example`).host, '')
  assert.equal(readUrl(`http://${'a'.repeat(100_000)}`).host, '')
  assert.equal(readUrl(`http://example.com/${'a'.repeat(100_000)}`).text.length, 2048)
})

test('what a relative URL is with its base', () => {
  const base = readUrl(' https://base.example/dir/page.html?a=/b#c')
  for (const [url, all] of [
    ['x.html', 'https://base.example/dir/x.html'], ['/x', 'https://base.example/x'], ['\\x', 'https://base.example\\x'], ['//o.example/x', 'https://o.example/x'], ['?q', 'https://base.example/dir/page.html?q'], ['#top', 'https://base.example/dir/page.html?a=/b#top'], ['', 'https://base.example/dir/page.html?a=/b'],
    ['http://o.example/', 'http://o.example/'], ['javascript:x', 'javascript:x'], ['www.o.example', 'https://base.example/dir/www.o.example'], [' x\r\ny ', 'https://base.example/dir/xy'],
  ] as const) assert.equal(absolute(url, base), all, url)
  for (const [url, all] of [['x', 'https://base.example/x'], ['/x', 'https://base.example/x'], ['?q', 'https://base.example?q'], ['', 'https://base.example']] as const) assert.equal(absolute(url, readUrl('https://base.example')), all, url)
  assert.equal(absolute('x', readUrl(`https://base.example/${'a/'.repeat(5000)}`)).length, 2048)
  for (const [url, is] of [['https://base.example/', true], ['//base.example/', true], ['mailto:a@base.example', false], ['/dir/', false], ['x-y://base.example/', false]] as const) assert.equal(isBase(readUrl(url)), is, url)
})
