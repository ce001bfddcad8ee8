import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findTextLinks } from '../../../../../src/spam/content/links/text-links.ts'

const urls = (text: string) => findTextLinks(text).map(({ url }) => url)

test('URLs end where the sentence goes on', () => {
  for (const [text, found] of [
    ['See http://example.com/a?b=c#d, or HTTPS://EXAMPLE.COM.', ['http://example.com/a?b=c#d', 'HTTPS://EXAMPLE.COM']],
    ['(http://example.com/x) <http://example.com/y> "http://example.com/z"', ['http://example.com/x', 'http://example.com/y', 'http://example.com/z']],
    ['http://en.example.org/wiki/Foo_(bar)', ['http://en.example.org/wiki/Foo_(bar)']],
    ['http://2130706433/x http://[::1]/', ['http://2130706433/x', 'http://[::1]/']],
    ['xhttp://example.com', ['http://example.com']],
    ['http:// nothing', []],
    ['http://bücher.example/ü。', ['http://bücher.example/ü']],
    ['ftp://ftp.example.com/a', ['ftp://ftp.example.com/a']],
    ['gopher://old.example.com/', []],
    ['http://a.example/http://b.example/', ['http://a.example/http://b.example/']],
  ] as const) assert.deepEqual(urls(text), found, text)
})

test('names of hosts', () => {
  for (const [text, found] of [
    ['www.example.com and www2.example.org/x?y=z.', ['www.example.com', 'www2.example.org/x?y=z']],
    ['Visit example.com!', ['example.com']],
    ['EXAMPLE.COM Example.Com exAMPle.com', ['EXAMPLE.COM', 'Example.Com', 'exAMPle.com']],
    ['example.com:8080/x example.it/path', ['example.com:8080/x', 'example.it/path']],
    ['sub.domain.example.co.uk.', ['sub.domain.example.co.uk']],
    ['пример.com', ['пример.com']],
    ['"cheap-pills.xyz"', ['cheap-pills.xyz']],
  ] as const) assert.deepEqual(urls(text), found, text)
})

test('what only looks like one', () => {
  for (const text of ['the end.It was', 'the end.in the beginning', 'readme.txt main.py a.out file.pl node.js', 'e.g. this, i.e. that', 'v1.2.3 10.0.0.1 3.14', '/etc/rc.com', 'x=example.com', 'a..b ... .com .', 'U.S.A.', '1.com', 'setup.exe', 'Mr.Smith']) {
    assert.deepEqual(urls(text), [], text)
  }
})

test('mail addresses', () => {
  assert.deepEqual(urls('Write to joe.doe+x@mail.example.com, or <ann@example.de>.'), ['mailto:joe.doe+x@mail.example.com', 'mailto:ann@example.de'])
  assert.deepEqual(urls('@example.com a@b a@.com'), [])
  assert.deepEqual(urls('root@localhost joe@example.nosuchsuffix'), [])
})

test('as many as are asked for', () => {
  assert.equal(findTextLinks('http://a.example '.repeat(50), 7).length, 7)
  assert.equal(findTextLinks('http://a.example '.repeat(5000)).length, 1000)
})
