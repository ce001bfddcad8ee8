/**
 * What scoring sees of a message, out of hostile HTML, URLs, texts and archives:
 * nothing is thrown, every bound holds, and what was read of one message does
 * not change what is read of the next.
 */
import assert from 'node:assert/strict'
import type { MessageContent } from '../../src/spam/content.ts'
import { MAX_TEXT_CHARACTERS } from '../../src/spam/content.ts'
import { MAX_ARCHIVE_DEPTH, MAX_ARCHIVE_ENTRIES, MAX_HIDDEN_CHARACTERS, MAX_LINKS, MAX_NAME_CHARACTERS, MAX_SHOWN_CHARACTERS, MAX_URL_CHARACTERS } from '../../src/spam/content/bounds.ts'
import { readHtml } from '../../src/spam/content/html/html-reader.ts'
import { readUrl } from '../../src/spam/content/links/read-url.ts'
import { findTextLinks } from '../../src/spam/content/links/text-links.ts'
import { readContent } from '../../src/spam/content/read-content.ts'
import { fold } from '../../src/spam/content/text/fold.ts'
import { languageOf } from '../../src/spam/content/text/language.ts'
import { gzipOf, oleOf, programOf, rar4Of, rar5Of, tarOf, zipOf } from '../support/archive-bytes.ts'
import { contentOf, file, html, messageOf, plain } from '../support/content-messages.ts'
import { fuzz, type Random } from '../support/fuzzing.ts'

const TAGS = ['a', 'b', 'p', 'div', 'span', 'td', 'tr', 'table', 'ul', 'li', 'font', 'body', 'html', 'style', 'script', 'title', 'textarea', 'img', 'br', 'form', 'input', 'iframe', 'meta', 'base', 'plaintext', 'svg', 'template', 'o:p', 'x-y', 'nonsense', 'bdo', 'details', 'summary', 'dialog', 'select', 'math', 'col', 'tbody', 'center', 'i'] as const
const ATTRIBUTES = ['href=http://a.example', 'href="http://b.example/?u=http%3A%2F%2Fc.example"', 'style="display:none"', 'style=\'color:#fff;font-size:0\'', 'class=x', 'id="y z"', 'hidden', 'src=cid:1', 'width=1 height=1', 'bgcolor=black', 'color=', 'style="', '=x', '/', 'href=&#106;avascript:x', 'style="a:url(;);}b{\\"', 'dir=rtl', 'style="position:absolute;left:-9999px"', 'style="background:#0008;color:#fff;unicode-bidi:bidi-override;direction:rtl"', 'class="a b"', 'open', 'media=print'] as const
const PIECES = ['text', ' ', '\r\n', '<', '>', '</', '<!--', '-->', '--!>', '<!', '<?', '&', '&amp;', '&#x', '&#99999999;', '&nbsp', 'é', 'Привет', '\u200b', '\u{1f600}', '\ud800', '\udc00', '"', '\'', 'http://', 'www.', '.com', '@', '.x{display:none}', '@media all{', 'td .x{display:block!important}', '*{', '&', '/*', '*/', '}', '{', '<style>', '</style>', '<!--[if mso]>', '\0', 'v i a g r a', 'fr33'] as const

function markup(random: Random): string {
  let text = ''
  for (let left = random.below(80); left > 0; left--) {
    const what = random.below(4)
    if (what === 0) text += `</${random.pick(TAGS)}>`
    else if (what === 1) text += `<${random.pick(TAGS)} ${random.soup(ATTRIBUTES, 4)}>`
    else text += random.pick(PIECES)
  }
  return text
}

function check(content: MessageContent): void {
  assert.ok(content.text.length <= MAX_TEXT_CHARACTERS && content.hidden.length <= Math.max(MAX_HIDDEN_CHARACTERS, MAX_TEXT_CHARACTERS))
  assert.ok(!/^[ \n]| {2}|\n\n| \n|\n |[ \n]$/.test(content.text), 'white space is one blank, a paragraph is a line')
  assert.ok(content.folded === content.folded.toLowerCase())
  assert.ok(content.links.length <= MAX_LINKS)
  for (const link of content.links) {
    assert.ok(link.url.length <= MAX_URL_CHARACTERS && link.shown.length <= MAX_SHOWN_CHARACTERS)
    assert.ok(link.host === link.host.toLowerCase() && !/[\s/\\@]/.test(link.host) && !link.host.endsWith('.'), link.host)
    assert.equal(link.host === '', link.domain === '')
    assert.ok(!link.mismatch || link.shownHost !== undefined)
  }
  assert.ok(content.attachments.length <= MAX_ARCHIVE_ENTRIES * 2 + content.mime.parts.length)
  for (const { name, inside, bytes } of content.attachments) assert.ok(name.length <= MAX_NAME_CHARACTERS && inside.length <= MAX_ARCHIVE_DEPTH && bytes >= 0)
  let sum = 0
  for (const share of content.scripts.values()) sum += share
  assert.ok(content.scripts.size === 0 || Math.abs(sum - 1) < 1e-9)
  assert.ok(content.language === undefined || content.language.length === 2)
}

fuzz('HTML of any kind', 1500, (random) => {
  const text = markup(random)
  check(contentOf(html(text)))
  const reading = readHtml(text, text.length)
  assert.deepEqual(readHtml(text, text.length), reading)
})

fuzz('alternatives, and texts of any kind', 500, (random) => {
  check(readContent(messageOf([plain(random.soup(PIECES, 60)), html(markup(random)), plain(random.bytes(200))], { subject: random.soup(PIECES, 5), subtype: random.pick(['alternative', 'mixed', 'related']) })))
})

const URL_PIECES = ['http', 'https', ':', '/', '//', '\\', '@', '?', '#', '.', '%', '%2e', '%00', '%E3%80%82', 'a', 'example', '.com', '0x7f', '127', '[', ']', '::1', ' ', '\t', 'xn--', 'xn--80ak6aa92e', 'é', '。', '\u202e', 'www.', 'mailto:', 'javascript:', ':80', ':99999', '&u=http%3A', 'q=http://', '\0', '\ud800'] as const

fuzz('URLs of any kind', 4000, (random) => {
  const url = random.soup(URL_PIECES, 14)
  const base = random.chance(0.3) ? readUrl(random.soup(URL_PIECES, 6)) : undefined
  const reading = readUrl(url, base)
  assert.ok(!/[\s/\\@]/.test(reading.host))
  assert.deepEqual(readUrl(url, base), reading)
  // Where a browser gets to a host, so do we.
  if (/^https?:\/\/[a-z0-9.:@/?#-]*$/.test(url)) {
    const parsed = URL.canParse(url) ? new URL(url).hostname.replace(/\.+$/, '').replace(/^\[|\]$/g, '') : ''
    assert.equal(reading.host, parsed, url)
  }
})

fuzz('texts with links in them', 2000, (random) => {
  const text = random.soup([...URL_PIECES, ' ', '(', ')', ',', '.\r\n', 'word'], 60)
  let last = 0
  for (const { url, from, to } of findTextLinks(text)) {
    assert.ok(from < to && to <= text.length && url.length > 0)
    assert.ok(url.startsWith('mailto:') || from >= last, 'in their order')
    last = to
  }
})

fuzz('words in any disguise', 2000, (random) => {
  const text = random.soup(['a', 'v', '1', '0', '@', '$', '.', '-', ' ', '\n', 'и', 'о', '\u200b', '\u0301', 'ａ', '\u{1d41a}', '\u{1f170}', '\ud83c', '\udb40', '漢', 'ﬁ'], 80)
  const latin = random.chance(0.5)
  const folded = fold(text, latin)
  assert.equal(folded, folded.toLowerCase())
  assert.equal(fold(text, latin), folded)
  // A word in ASCII never becomes anything but ASCII.
  if (/^[\0-\x7f]*$/.test(text)) assert.match(folded, /^[\0-\x7f]*$/)
  languageOf(text, new Map())
})

function archive(random: Random, depth: number): Buffer {
  const content = (): Buffer => (depth > 0 && random.chance(0.4) ? archive(random, depth - 1) : random.chance(0.3) ? programOf() : Buffer.from(random.bytes(600), 'latin1'))
  const name = (): string => random.soup(['a', '.exe', '.zip', '/', '\\', '.', '\u202e', ' ', 'é', '..', '.docm', '[Content_Types].xml', 'word/vbaProject.bin'], 5)
  const files = Array.from({ length: random.below(5) }, () => ({ name: name(), content: content(), stored: random.chance(0.3), encrypted: random.chance(0.1), streamed: random.chance(0.2), ...(random.chance(0.2) ? { size: random.below(0xffffffff) } : {}) }))
  switch (random.below(6)) {
    case 0: return gzipOf(content(), random.chance(0.5) ? 'inner.exe' : '')
    case 1: return tarOf(files)
    case 2: return rar4Of(files.map((one) => one.name))
    case 3: return rar5Of(files.map((one) => one.name.slice(0, 60)))
    case 4: return oleOf(...files.map((one) => one.name), random.pick(['VBA', 'WordDocument', 'x']))
    default: return zipOf(files, { directory: random.chance(0.7) })
  }
}

fuzz('archives, broken in any way', 800, (random) => {
  const bytes = archive(random, 4)
  for (let faults = random.below(6); faults > 0 && bytes.length > 0; faults--) bytes[random.below(bytes.length)] = random.below(256)
  check(contentOf(plain('x'), file(random.soup(['a', '.zip', '.pdf', '.exe', ' ', '\u202e'], 4), bytes.subarray(0, random.chance(0.3) ? random.below(bytes.length + 1) : bytes.length))))
})

fuzz('bytes with a first byte that means something', 800, (random) => {
  const start = random.pick(['PK\x03\x04', 'PK\x05\x06', '\x1f\x8b\x08', 'Rar!\x1a\x07\x00', 'Rar!\x1a\x07\x01\x00', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'MZ', 'BM', 'RIFF', '\xca\xfe\xba\xbe', '<', '\xff\xfe'])
  check(contentOf(plain('x'), file('x', Buffer.from(start + random.bytes(400), 'latin1'))))
})

const REPEATED = ['<', '</', '<a ', '<!--', '--!>', '<b>', '<i><p>', '</font>', '<td><font>', '<style>a{', '<script></', '<x y=', ';', '(', '&', '&a', '&#', 'a.', 'a.a:', 'a.http://', '://', 'http://x/((((((', 'a.a@', '@a.', '-.', 'a1', 'a ', 'а1', 'a\u200b', 'аb', '\u0301', 'a@a', '\ufdfa'] as const

fuzz('one thing over and over costs what it weighs', 40, (random) => {
  const piece = random.soup(REPEATED, 3, 0)
  if (piece === '') return
  const long = piece.repeat(Math.floor(400_000 / piece.length)) + random.pick(['', ...REPEATED])
  check(contentOf(random.chance(0.5) ? html(random.pick(['', '<a href=x>', '<style>', '<p style="']) + long) : plain(long)))
})
