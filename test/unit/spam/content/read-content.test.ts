import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readContent } from '../../../../src/spam/content/read-content.ts'
import { contentOf, file, html, messageOf, plain, readMime } from '../../../support/content-messages.ts'

const SAME = 'Dear customer, thank you very much for your order of yesterday evening. The parcel leaves our house tomorrow morning, and somebody brings it until friday.'
const OTHER = 'Secret herbal medicine makes every single gentleman happier within several weeks, guaranteed without prescription from reliable overseas pharmacies.'

test('a plain message', () => {
  const content = readContent(messageOf([plain('Hello\r\nworld,\r\n\r\nsee http://example.com/x')], { subject: 'Grüße' }))
  assert.equal(content.subject, 'Grüße')
  assert.equal(content.text, 'Hello world,\nsee http://example.com/x')
  assert.equal(content.hidden, '')
  assert.equal(content.html, undefined)
  assert.equal(content.folded, 'grüße\nhello world,\nsee http://example.com/x')
  assert.equal(content.language, undefined)
  assert.deepEqual([...content.scripts], [['Latin', 1]])
  assert.deepEqual(content.links.map(({ kind, host, domain }) => [kind, host, domain]), [['text', 'example.com', 'example.com']])
  assert.deepEqual(content.attachments, [])
})

test('an HTML message', () => {
  const content = contentOf(html('<style>.p{display:none}</style><div class=p>preheader</div><p>Visit <a href="http://evil.example.net/x">www.bank.com</a> or shop.example.org/now'))
  assert.equal(content.text, 'Visit www.bank.com or shop.example.org/now')
  assert.equal(content.hidden, 'preheader')
  assert.equal(content.html?.hiddenElements, 1)
  assert.deepEqual(content.links.map(({ kind, host, mismatch }) => [kind, host, mismatch]), [['href', 'evil.example.net', true], ['text', 'shop.example.org', false]])
})

test('a text beside the same HTML counts once, one that differs twice, and the links of both', () => {
  const both = (text: string, markup: string) => readContent(messageOf([plain(text), html(markup)], { subtype: 'alternative' }))
  const same = both(`${SAME}\r\nhttp://a.example.com`, `<p>${SAME}</p><a href=http://b.example.com>there</a>`)
  assert.equal(same.text, `${SAME}\nthere`)
  assert.deepEqual(same.links.map(({ host }) => host), ['a.example.com', 'b.example.com'])
  assert.equal(both(OTHER, `<p>${SAME}`).text, `${OTHER}\n${SAME}`)
  assert.equal(both(SAME, '<img src=http://a.example/x.gif>').text, SAME)
  const hidden = both(SAME, `<p>${OTHER}<div style="display:none">${SAME}</div>`)
  assert.deepEqual([hidden.text, hidden.hidden], [`${SAME}\n${OTHER}`, SAME])
})

test('an alternative whose HTML stands with its images', () => {
  const content = readContent(readMime(`Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\n${SAME}\r\n--a\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>${SAME}</p>\r\n--b\r\nContent-Type: image/gif\r\n\r\nGIF89a\r\n--b--\r\n--a--\r\n`))
  assert.equal(content.text, SAME)
  assert.deepEqual(content.attachments.map(({ detectedType }) => detectedType), ['image/gif'])
})

test('two texts that are no alternatives are both shown', () => {
  assert.equal(contentOf(plain(SAME), html(`<p>${SAME}`)).text, `${SAME}\n${SAME}`)
})

test('HTML that is attached: its make and its links, not its text', () => {
  for (const part of [file('login.html', '<form action=http://evil.example><input type=password>Sign in', 'text/html'), file('login.htm', '<form action=http://evil.example><input type=password>Sign in'), file('x.bin', '<!doctype html><form action=http://evil.example><input type=password>'), file('x.svg', '<svg><script>x</script><form action=http://evil.example><input type=password></svg>', 'image/svg+xml')]) {
    const content = contentOf(plain('See the file'), part)
    assert.equal(content.text, 'See the file', part.name)
    assert.deepEqual([content.html?.forms, content.html?.passwordFields], [1, 1], part.name)
    assert.deepEqual(content.links.map(({ kind, host, hidden }) => [kind, host, hidden]), [['form', 'evil.example', true]], part.name)
  }
})

test('a name that stands in the text of attached HTML is no link that a reader sees', () => {
  const content = contentOf(plain('See the file'), file('a.html', '<p>Go to www.shown.example or <a href=http://led.example>here</a>', 'text/html'))
  assert.deepEqual(content.links.map(({ kind, host, hidden }) => [kind, host, hidden]), [['href', 'led.example', true]])
})

test('a disposition does not hide what is the message', () => {
  const attached = (type: string, content: string) => ({ type, content, disposition: 'attachment' })
  for (const type of ['text/plain', 'text/html', 'text/css', 'text/unheard-of']) assert.equal(contentOf(attached(type, SAME)).text, SAME, type)
  // the first text, the second is an attachment
  assert.equal(contentOf(attached('text/plain', SAME), attached('text/plain', OTHER)).text, SAME)
  assert.equal(contentOf(attached('text/html', ` <p>${SAME}`), plain(OTHER)).text, `${SAME}\n${OTHER}`)
  assert.equal(contentOf(plain(OTHER), attached('text/plain', SAME)).text, OTHER)
  // one that says nothing is none
  for (const nothing of [plain(' \r\n'), html('<p> <img src=cid:1>'), { ...plain(''), disposition: 'attachment' }]) assert.equal(contentOf(nothing, attached('text/html', `<p>${SAME}`), attached('text/html', `<p>${OTHER}`)).text, SAME)
  assert.equal(contentOf(file('a.pdf', '%PDF'), attached('text/plain', SAME)).text, SAME)
  assert.equal(contentOf(file('a.txt', SAME, 'text/plain'), attached('text/plain', OTHER)).attachments[0]?.name, 'a.txt')
})

test('an alternative is shown, also if it is said to be attached', () => {
  const html = { type: 'text/html', content: `<p>${OTHER}`, disposition: 'attachment' }
  assert.equal(readContent(messageOf([plain(SAME), html], { subtype: 'alternative' })).text, `${SAME}\n${OTHER}`)
  assert.equal(readContent(messageOf([plain(SAME), { ...html, name: 'a.html' }], { subtype: 'alternative' })).text, SAME)
})

test('a long text leaves room for one behind it, and loses its middle', () => {
  const long = (letter: string) => `Begin ${`${letter.repeat(9)} `.repeat(110_000)}end`
  const attached = { type: 'text/html', content: `<p>${long('z')}`, name: 'a.html' }
  for (const parts of [[plain(long('x')), html(`<p>${SAME}`)], [html(`<p>${long('x')}`), plain(SAME)], [plain(long('x')), plain(SAME)], [html(`<p>${long('x')}`), html(`<p>${long('y')}`), html(`<p>${SAME}`)], [attached, attached, html(`<p>${SAME}`)]]) {
    const { text } = contentOf(...parts)
    assert.ok(text.endsWith(SAME), text.slice(-100))
    assert.ok(text.length <= 1_048_576)
    if (parts[0] !== attached) assert.match(text, /^Begin x.*x end\n/s)
  }
})

test('text of any type is shown, unless it is said to be attached', () => {
  const log = { type: 'text/x-log', content: SAME, name: 'a.log' }
  assert.equal(contentOf(plain('See below'), { ...log, disposition: 'inline' }).text, `See below\n${SAME}`)
  assert.equal(contentOf(plain('See below'), log).text, 'See below')
  assert.equal(contentOf(plain('See below'), { ...log, type: 'text/css', disposition: 'inline' }).text, 'See below')
})

test('a message in a message is read too', () => {
  const content = readContent(readMime('Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nouter\r\n--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ninner http://example.com\r\n--a--\r\n'))
  assert.equal(content.text, 'outer\ninner http://example.com')
  assert.deepEqual(content.attachments.map(({ declaredType }) => declaredType), ['message/rfc822'])
})

test('characters and language', () => {
  const content = contentOf(plain('Спасибо за ваш заказ. Мы напишем вам, как только посылка будет отправлена, и вы сможете следить за ней на нашем сайте. Если у вас есть вопросы, напишите нам. OK'))
  assert.equal(content.language, 'ru')
  assert.deepEqual([...content.scripts.keys()], ['Cyrillic', 'Latin'])
  assert.ok(content.folded.startsWith('спасибо за'))
  assert.ok(contentOf(plain('Free Vіаgrа: f.r.e.e')).folded.includes('free viagra: free'))
})

test('nothing, and next to nothing', () => {
  for (const raw of ['', '\r\n', 'Subject: x', '\r\n\r\n', 'Content-Type: text/html\r\n\r\n<', 'Content-Type: multipart/mixed\r\n\r\n', 'Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/html\r\n\r\n\r\n--a--']) {
    const content = readContent(readMime(raw))
    assert.ok(content.text.length <= 1, raw)
    assert.deepEqual([content.links, [...content.scripts]], [[], content.subject === 'x' ? [['Latin', 1]] : []])
  }
})

test('what is said later about a message is that which was read first', () => {
  // Arrays are used again from message to message: nothing of the second may be in the first.
  const first = contentOf(html(`<p>${SAME} <a href=http://a.example.com>äöü</a>`))
  const second = contentOf(html(`<p>${OTHER} Привет <i hidden>x</i>`), plain('b'.repeat(100_000)))
  assert.equal(first.text, `${SAME} äöü`)
  assert.equal(first.folded, `${SAME} äöü`.toLowerCase())
  assert.ok(second.text.startsWith(`${OTHER} Привет\nbbb`))
})

test('text below very many empty lines is text like any other', () => {
  assert.deepEqual([contentOf(plain(`above${'\r\n'.repeat(400)}below`)), contentOf(html(`above${'<br>'.repeat(400)}<pre>${'\n'.repeat(400)}</pre><div style="height:9000px"></div>below`))].map(({ text, hidden }) => [text, hidden]), [['above\nbelow', ''], ['above\nbelow', '']])
})

test('words stay words at the end of a line, whatever a part says of it', () => {
  for (const parameters of ['format=flowed', 'format=flowed; delsp=yes', 'delsp=yes', 'format=fixed; delsp=yes']) assert.equal(readContent(readMime(`Content-Type: text/plain; ${parameters}\r\n\r\nverify \r\nyour \r\naccount`)).text, 'verify your account', parameters)
})
