/**
 * Messages made to hurt who reads their content: the worst of test/fuzz, as
 * whole messages. Made when they are asked for: some are large.
 */
import { randomBytes } from 'node:crypto'
import { gzipOf, oleOf, overlappingZip, zipOf } from './archive-bytes.ts'

export interface Torture {
  readonly name: string
  readonly make: () => Buffer
}

const HEAD = 'From: Eve <eve@sender.example>\r\nTo: alice@hop.example\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nSubject: a test\r\nMIME-Version: 1.0\r\n'
const MEGA = 1_000_000
const CHARSETS = ['big5', 'gbk', 'euc-jp', 'shift_jis', 'iso-2022-jp', 'utf-7', 'hz', 'iso-2022-kr', 'euc-kr', 'koi8-r', 'utf-16', 'utf-32', 'x-nobody']

function multipart(boundary: string): string {
  return `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`
}

function attached(name: string, content: Buffer): Buffer {
  return Buffer.from(`${HEAD}${multipart('edge')}--edge\r\n\r\nlook at this\r\n--edge\r\nContent-Type: application/octet-stream; name="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${content.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n--edge--\r\n`, 'latin1')
}

/** A byte a character. */
function text(type: string, body: string, charset = 'utf-8'): Buffer {
  return Buffer.from(`${HEAD}Content-Type: ${type}; charset=${charset}\r\n\r\n${body}\r\n`, 'latin1')
}

function unicode(body: string): Buffer {
  return text('text/plain', Buffer.from(body).toString('latin1'))
}

function subject(value: string): Buffer {
  return Buffer.from(`${HEAD.replace('a test', value)}\r\ntext\r\n`, 'latin1')
}

/** Lines of about `bytes`, each another. */
function each(bytes: number, line: (at: number) => string): string {
  const all: string[] = []
  for (let size = 0; size < bytes; size += (all.at(-1)?.length ?? 0) + 2) all.push(line(all.length))
  return all.join('\r\n')
}

function nearlyDelimiters(levels: number): Buffer {
  const open = Array.from({ length: levels }, (_, at) => `${multipart(`b${at}`)}--b${at}\r\n`).join('')
  return Buffer.from(`${HEAD}${open}\r\n${'--b\r\n'.repeat(MEGA / 5)}`, 'latin1')
}

/** A zip of 200 files that do not say where they end, by a directory. */
function withoutEnds(): Buffer {
  const bytes = overlappingZip(Buffer.alloc(180_000, 'P'), 200)
  bytes.writeUInt16LE(8, 6)
  bytes.writeUInt32LE(0, 18)
  return bytes
}

/** `unit` as often as it fits, in lines that SMTP takes. */
function lines(unit: string, bytes: number): string {
  const line = unit.repeat(Math.max(1, Math.floor(900 / unit.length)))
  return `${line}\r\n`.repeat(Math.ceil(bytes / (line.length + 2)))
}

function bomb(levels: number, bytes: number): Buffer {
  let inner = zipOf([{ name: 'zeros.bin', content: Buffer.alloc(bytes) }])
  for (let level = 0; level < levels; level++) inner = zipOf(Array.from({ length: 4 }, (_, at) => ({ name: `level${level}.${at}.zip`, content: inner })))
  return inner
}

export const TORTURE: readonly Torture[] = [
  { name: 'multiparts in multiparts, 5,000 deep', make: () => Buffer.from(HEAD + Array.from({ length: 5000 }, (_, i) => `${multipart(`b${i}`)}--b${i}\r\n`).join(''), 'latin1') },
  { name: 'a multipart of 200,000 parts', make: () => Buffer.from(`${HEAD}${multipart('a')}${'--a\r\n\r\nx\r\n'.repeat(200_000)}--a--\r\n`, 'latin1') },
  { name: '100,000 header fields', make: () => Buffer.from(`${HEAD}${'X-A: b\r\n'.repeat(100_000)}\r\ntext\r\n`, 'latin1') },
  { name: 'a header line of 10 MB', make: () => Buffer.from(`${HEAD}X-Long: ${'x'.repeat(10 * MEGA)}\r\n\r\ntext\r\n`, 'latin1') },
  { name: 'a Subject of 1 MB in encoded words', make: () => Buffer.from(`${HEAD.replace('Subject: a test', `Subject: ${'=?utf-8?q?x=20?=\r\n '.repeat(50_000)}x`)}\r\ntext\r\n`, 'latin1') },
  { name: 'a zip of 100 MB of zeros, in zips', make: () => attached('a.zip', bomb(3, 100 * MEGA)) },
  { name: 'a gzip of 100 MB of zeros', make: () => attached('a.tar.gz', gzipOf(Buffer.alloc(100 * MEGA))) },
  { name: 'an attachment of 25 MB', make: () => attached('a.bin', randomBytes(25 * MEGA)) },
  { name: '1 MB of one letter', make: () => text('text/plain', lines('a', MEGA)) },
  { name: '1 MB of a word that never ends', make: () => text('text/plain', 'aA1-_.'.repeat(MEGA / 6)) },
  { name: '1 MB of links', make: () => text('text/plain', Array.from({ length: 25_000 }, (_, i) => `http://www.host${i}.example.com/path?${i}`).join('\r\n')) },
  { name: '1 MB of addresses and blanks', make: () => text('text/plain', lines('a@b.example ,  ', MEGA)) },
  { name: '1 MB of open tags', make: () => text('text/html', lines('<div style="color:#fff"><a href="http://x.example/">', MEGA)) },
  { name: '1 MB of angle brackets', make: () => text('text/html', lines('<', MEGA)) },
  { name: '1 MB of broken UTF-8', make: () => text('text/plain', lines('\xc3\xed\xa0\x80\xff\xf0\x9f', MEGA)) },
  { name: '1 MB of text that nearly is GTUBE, and nearly an amount', make: () => text('text/plain', lines('XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI $1,000,000.0x ', MEGA)) },
  { name: 'a Subject of 240 KB, nearly in encoded words', make: () => subject('=?a?q??'.repeat(34_000)) },
  { name: 'a Subject of 240 KB in character sets of strangers', make: () => subject(Array.from({ length: 11_000 }, (_, at) => `=?x-${at}?q?=e4?=`).join('\r\n ')) },
  { name: '240 KB of Content-Type fields', make: () => Buffer.from(`${HEAD}${'Content-Type: text/plain; a=b; c=d\r\n'.repeat(6500)}\r\ntext\r\n`, 'latin1') },
  { name: '1 MB of lines that nearly are delimiters of 20 multiparts', make: () => nearlyDelimiters(20) },
  { name: '1 MB of uuencoded files that nearly begin', make: () => text('text/plain', `begin 644 a${' '.repeat(250)}!\r\n`.repeat(3700)) },
  { name: '1 MB of escapes in ISO-2022-KR', make: () => text('text/plain', lines('\x1b', MEGA), 'iso-2022-kr') },
  { name: '1 MB of signs of windows-1252', make: () => text('text/plain', lines('\x80\x91', MEGA), 'windows-1252') },
  { name: '1 MB of marks on one letter, in no order', make: () => unicode(`a${'\u0301\u0323'.repeat(MEGA / 4)}`) },
  { name: '1 MB of a letter that is eighteen', make: () => unicode(lines('\ufdfa', MEGA / 3)) },
  { name: '1 MB of wide letters', make: () => unicode(lines('ｆｒｅｅ ', MEGA / 3)) },
  { name: '1 MB of Chinese characters, each another', make: () => unicode(each(MEGA / 3, (at) => String.fromCodePoint(...Array.from({ length: 40 }, (_, i) => 0x4e00 + ((at * 40 + i) % 20_000))))) },
  { name: '1 MB of links in links', make: () => text('text/plain', each(MEGA, (at) => `http://r${at}.example/${Array.from({ length: 40 }, (_, i) => `http://r${i}.x${at}.example/`).join('')}`)) },
  { name: '1 MB of hosts that look like others', make: () => unicode(each(MEGA * 0.8, (at) => `http://раураl${at}.com/`)) },
  { name: '1 MB of styles with sizes that do not end', make: () => text('text/html', each(MEGA, (at) => `<p style="font:${at}${'1'.repeat(4000)}">x`)) },
  { name: '1 MB of rules of style and of what they are for', make: () => text('text/html', `<style>${each(MEGA / 2, (at) => `.c${at}{color:#${(at % 4096).toString(16).padStart(3, '0')}}`)}</style>${each(MEGA / 2, (at) => `<p class="c${at} c${at + 1} c${at + 2}">x`)}`) },
  { name: '1 MB of tables in tables', make: () => text('text/html', lines('<table><tr><td>', MEGA)) },
  { name: '1 MB of elements with an id and a rule for it', make: () => text('text/html', `<style>${Array.from({ length: 900 }, (_, at) => `#c${at}{color:#${at.toString(16).padStart(3, '0')}}`).join('')}</style>${each(MEGA, (at) => `<p id=c${at % 900}>x`)}`) },
  { name: '1 MB of letters, each in another colour', make: () => text('text/html', each(MEGA, (at) => `<font color="#${at.toString(16).padStart(6, '0')}" style="color:#${(at % 4096).toString(16).padStart(3, '0')}">a</font>`)) },
  { name: '1 MB of rules of style in rules of style', make: () => text('text/html', `<style>${'.a{color:red;'.repeat(30)}${each(MEGA, (at) => `.b${at}{color:red}`)}</style><p class=a>x`) },
  { name: '1 MB of formatting that is closed amid paragraphs', make: () => text('text/html', lines('<p style="color:blue"></b><b style="color:green">', MEGA)) },
  { name: '1 MB of text and tags in turn, without a line end, in what is preformatted', make: () => text('text/html', Buffer.from(`<pre>ж${'&<i>'.repeat(MEGA / 4)}`).toString('latin1')) },
  { name: '1 MB of links that lead nowhere', make: () => text('text/html', each(MEGA, (at) => `<a href="page${at}">a</a>`)) },
  { name: '1 MB of images that are in their links', make: () => text('text/html', each(MEGA, (at) => `<img src="data:image/png;base64,${at}${'QUFB'.repeat(500)}">`)) },
  { name: '1 MB of links with names before their hosts', make: () => text('text/plain', each(MEGA, (at) => `http://${'a@'.repeat(400)}h${at}.example/`)) },
  { name: '1 MB of redirectors', make: () => text('text/plain', each(MEGA, (at) => `http://r${at}.example/?a=1${`&u=http%3A%2F%2Fh${at}.example`.repeat(30)}`)) },
  { name: '1 MB of HTML in UTF-7', make: () => text('text/html', lines('+ADw-b+AD4-', MEGA), 'utf-7') },
  { name: '1 MB of text that is turned round', make: () => unicode(each(MEGA, () => '\u202eeerf\u202c yub')) },
  { name: '1 MB of names in pieces', make: () => Buffer.from(`${HEAD}${multipart('a')}${each(MEGA, () => `--a\r\nContent-Type: application/x${Array.from({ length: 90 }, (_, at) => `; name*${90 - at}*=%41`).join('')}\r\n\r\nx`)}\r\n--a--\r\n`, 'latin1') },
  { name: '1 MB of parts in many character sets', make: () => Buffer.from(`${HEAD}${multipart('a')}${each(MEGA, (at) => `--a\r\nContent-Type: text/plain; charset=${CHARSETS[at % CHARSETS.length] ?? ''}\r\n\r\n${'\xb1\xe4\xc0 text'.repeat(100)}`)}\r\n--a--\r\n`, 'latin1') },
  { name: 'a Subject of 240 KB of words in disguise', make: () => subject('f r e e  v1agra c@sh '.repeat(11_000)) },
  { name: 'an X-Mailer of 240 KB of blanks', make: () => Buffer.from(`${HEAD}X-Mailer: a${' '.repeat(240_000)}b\r\n\r\ntext\r\n`, 'latin1') },
  { name: 'a To of 240 KB of comments', make: () => Buffer.from(`${HEAD.replace('alice@hop.example', Array.from({ length: 1800 }, (_, at) => `(${'('.repeat(50)}${')'.repeat(50)}) u${at}@h${at}.example`).join(', '))}\r\ntext\r\n`, 'latin1') },
  { name: 'a Cc of 60 KB of at signs', make: () => Buffer.from(`${HEAD}Cc: ${`${'@'.repeat(300)} x ; `.repeat(200)}\r\n\r\ntext\r\n`, 'latin1') },
  { name: 'a From of 100 KB of names of many labels', make: () => Buffer.from(HEAD.replace('Eve <eve@sender.example>', Array.from({ length: 200 }, (_, at) => `"${'a.'.repeat(240)}" <u${at}@h.example>`).join(',\r\n ')) + '\r\ntext\r\n', 'latin1') },
  { name: '1 MB of links that are nearly addresses in many ways', make: () => text('text/html', each(MEGA, (at) => `<a href="http://h.example/${Array.from({ length: 60 }, (_, i) => `${(Math.imul(at * 60 + i + 1, 0x9e3779b1) >>> 0).toString(36)}#${'/;.'.charAt(i % 3)}`).join('')}">a</a>`)) },
  { name: 'a zip of 200 documents that are one', make: () => attached('a.zip', overlappingZip(Buffer.concat([oleOf('WordDocument'), Buffer.alloc(200_000, 'W')]), 200)) },
  { name: 'a zip of 200 files that do not say where they end', make: () => attached('a.zip', withoutEnds()) },
]
