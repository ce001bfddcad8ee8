import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_LINKS, MAX_RAW_LINKS } from '../../../../../src/spam/content/bounds.ts'
import { readHtml } from '../../../../../src/spam/content/html/html-reader.ts'
import { LinkList } from '../../../../../src/spam/content/links/link-list.ts'
import type { RawLink } from '../../../../../src/spam/content/links/raw-link.ts'
import { RawLinks } from '../../../../../src/spam/content/links/raw-links.ts'

/** As it would be if every one of them was kept. */
function result(links: readonly RawLink[]): unknown {
  const list = new LinkList()
  list.add(links)
  return list.result()
}

const href = (url: string, shown: string): RawLink => ({ kind: 'href', url, shown, says: true, hidden: false })

function collected(links: readonly RawLink[]): readonly RawLink[] {
  const raw = new RawLinks()
  for (const link of links) if (raw.takes(link.kind, link.url)) raw.add(link)
  return raw.all
}

test('what is left out changes no links of a message', () => {
  const inner = 'http://r.example/?u=http://inner.example/?u=http://last.example/'
  for (const urls of [['http://a.example/'], ['#top', 'http://a.example/'], ['http://a.example/', 'http://b.example/', inner], [inner, 'http://inner.example/?u=http://last.example/']]) {
    const links = Array.from({ length: 9000 }, (_, at) => href(urls[at % urls.length] ?? '', `shown ${at}`))
    const all = [...links, href('http://at-the-end.example/', 'x'), ...links]
    const kept = collected(all)
    assert.ok(kept.length < all.length)
    assert.deepEqual(result(kept), result(all), urls.join(' '))
  }
})

test('a link that comes again is kept so often as a message may have links, one of another kind as well', () => {
  const image: RawLink = { ...href('http://a.example/', ''), kind: 'image' }
  const all = collected([...Array.from({ length: 5000 }, (_, at) => href('http://a.example/', `${at}`)), image])
  assert.equal(all.length, 2001)
  assert.equal(all.at(-1), image)
})

test('of links that lead elsewhere only so many are kept, which the reading says', () => {
  const html = (count: number) => Array.from({ length: count }, (_, at) => `<a href="http://a.example/${at}">x</a>`).join('')
  const all = readHtml(html(MAX_RAW_LINKS), 0)
  assert.deepEqual([all.links.length, all.facts.truncated], [MAX_RAW_LINKS, false])
  const most = readHtml(html(MAX_RAW_LINKS + 1), 0)
  assert.deepEqual([most.links.length, most.facts.truncated], [MAX_RAW_LINKS, true])
})

test('links that lead nowhere take no place from others, however many they are', () => {
  for (const nowhere of ['#', 'page', '/page', '?page=']) {
    const links = Array.from({ length: 3 * MAX_RAW_LINKS }, (_, at) => href(`${nowhere}${at}`, 'x'))
    const others = ['https://a.example/', '//b.example/', 'www.c.example', ' mailto:d@d.example', 'ht\ntps://e.example/'].map((url) => href(url, 'x'))
    const kept = collected([...links, ...others])
    assert.ok(kept.length < 2 * MAX_LINKS + 10, nowhere)
    assert.deepEqual(kept.slice(-others.length), others)
  }
})

test('of HTML with the same link everywhere', () => {
  const { links, anchors } = readHtml('<a href="http://a.example/">a</a><img src="//b.example/i.png">'.repeat(6000), 0)
  assert.equal(links.length, 3000)
  // What stands in anchors is known of all.
  assert.equal(anchors.length, 12_000)
})
