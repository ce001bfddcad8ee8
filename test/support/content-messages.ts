/**
 * Messages for the tests of what scoring sees: put together out of parts, and
 * read as the gateway reads them.
 */
import { MimeReader } from '../../src/mime/reader.ts'
import type { MimeMessage } from '../../src/mime/message-parts.ts'
import type { MessageContent } from '../../src/spam/content.ts'
import { readContent } from '../../src/spam/content/read-content.ts'

export interface TestPart {
  readonly type: string
  readonly content: string | Buffer
  readonly name?: string
  readonly disposition?: string
}

export function readMime(raw: string | Buffer): MimeMessage {
  const reader = new MimeReader()
  reader.write(typeof raw === 'string' ? Buffer.from(raw, 'utf8') : raw)
  return reader.end()
}

function head(part: TestPart): string {
  const disposition = part.disposition ?? (part.name === undefined ? undefined : 'attachment')
  const charset = part.type.startsWith('text/') ? '; charset=utf-8' : ''
  const name = part.name === undefined ? '' : `; filename*=utf-8''${encodeURIComponent(part.name)}`
  return `Content-Type: ${part.type}${charset}\r\nContent-Transfer-Encoding: base64\r\n${disposition === undefined ? '' : `Content-Disposition: ${disposition}${name}\r\n`}`
}

function body(part: TestPart): string {
  const bytes = typeof part.content === 'string' ? Buffer.from(part.content, 'utf8') : part.content
  return bytes.toString('base64').replace(/.{76}/g, '$&\r\n')
}

/** One part as the whole message, or several in a multipart of the subtype. */
export function messageOf(parts: readonly TestPart[], { subject = '', subtype = 'mixed' } = {}): MimeMessage {
  const subjectField = subject === '' ? '' : `Subject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=\r\n`
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return readMime(`MIME-Version: 1.0\r\n${subjectField}${head(only)}\r\n${body(only)}\r\n`)
  return readMime(`MIME-Version: 1.0\r\n${subjectField}Content-Type: multipart/${subtype}; boundary=edge\r\n\r\n${parts.map((part) => `--edge\r\n${head(part)}\r\n${body(part)}\r\n`).join('')}--edge--\r\n`)
}

export function contentOf(...parts: readonly TestPart[]): MessageContent {
  return readContent(messageOf(parts))
}

export const plain = (content: string): TestPart => ({ type: 'text/plain', content })
export const html = (content: string): TestPart => ({ type: 'text/html', content })
export const file = (name: string, content: string | Buffer, type = 'application/octet-stream'): TestPart => ({ type, content, name })
