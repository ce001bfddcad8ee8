/**
 * Messages made to hurt who reads their content: the worst of test/fuzz, as
 * whole messages. Made when they are asked for: some are large.
 */
import { randomBytes } from 'node:crypto'
import { gzipOf, zipOf } from './archive-bytes.ts'

export interface Torture {
  readonly name: string
  readonly make: () => Buffer
}

const HEAD = 'From: Eve <eve@sender.example>\r\nTo: alice@hop.example\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nSubject: a test\r\nMIME-Version: 1.0\r\n'
const MEGA = 1_000_000

function multipart(boundary: string): string {
  return `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`
}

function attached(name: string, content: Buffer): Buffer {
  return Buffer.from(`${HEAD}${multipart('edge')}--edge\r\n\r\nlook at this\r\n--edge\r\nContent-Type: application/octet-stream; name="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${content.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n--edge--\r\n`, 'latin1')
}

function text(type: string, body: string): Buffer {
  return Buffer.from(`${HEAD}Content-Type: ${type}; charset=utf-8\r\n\r\n${body}\r\n`, 'latin1')
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
]
