/**
 * The attachments of a message: every part that is not shown as text, texts that
 * have a file's name, and what lies in archives. Bounded for the message as a
 * whole (bounds.ts); never throws for what is in it.
 */
import type { MimeMessage, MimePart } from '../../../mime/message-parts.ts'
import type { Attachment } from '../../content.ts'
import { isShownText } from '../shown-parts.ts'
import { ArchiveReader } from './archives.ts'
import { UnpackBudget } from './unpack.ts'

function isAttached(part: MimePart): boolean {
  if (part.type.startsWith('multipart/')) return false
  return part.fileName !== undefined || !isShownText(part)
}

/** Decoded bytes, as far as they are known: of what was not kept, by how it is encoded. */
function bytesOf(part: MimePart): number {
  if (!part.truncated) return part.content.length
  return Math.max(part.content.length, part.encoding === 'base64' ? Math.floor(part.encodedBytes * 0.73) : part.encodedBytes)
}

export function readAttachments(mime: MimeMessage): readonly Attachment[] {
  const found: Attachment[] = []
  let archives: ArchiveReader | undefined
  mime.parts.forEach((part, index) => {
    if (!isAttached(part)) return
    archives ??= new ArchiveReader(new UnpackBudget(), found)
    archives.read({ part: index, name: part.fileName ?? '', declaredType: part.type, content: part.content, bytes: bytesOf(part), inside: [], encrypted: false, bomb: false, headOnly: false })
  })
  return found
}
