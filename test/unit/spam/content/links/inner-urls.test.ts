import assert from 'node:assert/strict'
import { test } from 'node:test'
import { innerUrls } from '../../../../../src/spam/content/links/inner-urls.ts'
import { readUrl } from '../../../../../src/spam/content/links/read-url.ts'

const inner = (url: string) => innerUrls(url, readUrl(url).pathFrom)

test('URLs in queries and paths', () => {
  for (const [url, found] of [
    ['https://www.google.com/url?q=https://evil.example/x&sa=D', ['https://evil.example/x']],
    ['https://r.example/?u=https%3A%2F%2Fevil.example%2Fx%3Fa%3Db&c=d', ['https://evil.example/x?a=b']],
    ['https://r.example/?u=https%253A%252F%252Fevil.example%252Fx', ['https://evil.example/x']],
    ['https://r.example/redirect/http://evil.example/?a=b&c=d', ['http://evil.example/?a=b&c=d']],
    ['https://r.example/?a=http://a.example&b=HTTP://b.example', ['http://a.example', 'HTTP://b.example']],
    ['https://urldefense.example/v2/url?u=https-3A__evil.example_x&d=abc', ['https://evil.example/x']],
    ['https://r.example/?u=http%3A%2F%2Fevil.example%2F%zz%FF', ['http://evil.example/%zz%FF']],
    ['https://example.com/https', []],
    ['https://example.com/?q=nothing', []],
    ['https://http.example.com/', []],
  ] as const) assert.deepEqual(inner(url), found, url)
})

test('not more than a few', () => {
  assert.equal(inner(`https://r.example/?${'u=http://a.example&'.repeat(100)}`).length, 4)
})
