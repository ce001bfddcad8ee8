/**
 * By what a message is known again: SHA-256 of what its author wrote. Fields
 * that hops and mail stores add, line ends, the quoting of mboxes and blank
 * space at the end of a text make no difference, and neither does the subject,
 * which may have been given a prefix. Never throws.
 */
import { createHash } from 'node:crypto'
import type { MimeMessage, MimePart } from '../../mime/message-parts.ts'

const FIELDS = ['from', 'to', 'cc', 'date', 'message-id'] as const

export function messageKey({ parts }: MimeMessage): Buffer {
  const hash = createHash('sha256')
  const fields = parts[0]?.fields ?? []
  for (const wanted of FIELDS) {
    const value = fields.find(({ name }) => name === wanted)?.raw ?? ''
    hash.update(`${wanted}:${value.replace(/\s+/g, ' ').trim()}\n`, 'latin1')
  }
  for (const part of parts) {
    hash.update(`${part.depth} ${part.type}\n`, 'latin1')
    hash.update(contentOf(part))
  }
  return hash.digest()
}

function contentOf({ text, content }: MimePart): string | Buffer {
  if (text === undefined) return content
  return text.replace(/\r\n?/g, '\n').replace(/^>+(?=From )/gm, '').trimEnd()
}
