/** Messages read by the MIME reader, and what it found as plain values that can be compared. */
import assert from 'node:assert/strict'
import type { MimeLimits, MimeMessage, MimePart } from '../../src/mime/message-parts.ts'
import { MIME_LIMITS, MimeReader } from '../../src/mime/reader.ts'

export function readPieces(pieces: readonly Buffer[], limits?: Partial<MimeLimits>): MimeMessage {
  const reader = new MimeReader(limits)
  for (const piece of pieces) reader.write(piece)
  return reader.end()
}

/** `text`: a byte a character. */
export function readText(text: string, limits?: Partial<MimeLimits>): MimeMessage {
  return readPieces([Buffer.from(text, 'latin1')], limits)
}

/** Lines with CR LF between them. */
export const lines = (...all: readonly string[]): string => all.join('\r\n')

export const inPieces = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

/** Depth and type of each part, with its text or the size of its content: `1 text/plain "Hello"`. */
export function outline(message: MimeMessage): string[] {
  return message.parts.map((part) => `${part.depth} ${part.type}${part.text === undefined ? (part.content.length > 0 ? ` ${part.content.length}` : '') : ` ${JSON.stringify(part.text)}`}`)
}

export function everything(message: MimeMessage): unknown {
  return {
    size: message.size,
    defects: [...message.defects],
    parts: message.parts.map((part) => ({
      parent: part.parent, depth: part.depth, type: part.type, disposition: part.disposition, fileName: part.fileName, encoding: part.encoding, charset: part.charset,
      encodedBytes: part.encodedBytes, truncated: part.truncated, text: part.text, defects: part.defects,
      content: part.content.toString('latin1'), parameters: [...part.parameters], fields: part.fields.map(({ name, spelling, raw, text }) => [name, spelling, raw, text]),
    })),
  }
}

const sum = (parts: readonly MimePart[], of: (part: MimePart) => number): number => parts.reduce((all, part) => all + of(part), 0)

/** What holds of every message, however broken. */
export function assertSound(message: MimeMessage, given: Partial<MimeLimits> = {}): void {
  const limits: MimeLimits = { ...MIME_LIMITS, ...given }
  const { parts } = message
  assert.ok(parts.length >= 1 && parts.length <= limits.maxParts, `${parts.length} parts`)
  assert.ok(sum(parts, (part) => part.fields.length) <= limits.maxFields, 'fields')
  for (const [index, part] of parts.entries()) {
    assert.ok(part.parent < index && (index === 0) === (part.parent === -1), `part ${index} in ${part.parent}`)
    assert.equal(part.depth, part.parent < 0 ? 0 : (parts[part.parent]?.depth ?? 0) + 1)
    assert.ok(part.depth <= limits.maxDepth, `depth ${part.depth}`)
    const textual = part.text !== undefined
    assert.ok(part.content.length <= (textual ? limits.maxTextBytes : limits.maxOtherBytes), `${part.content.length} bytes of ${part.type}`)
    assert.ok(part.encodedBytes >= 0 && part.encodedBytes <= message.size * (part.depth + 1))
    assert.ok((part.fileName?.length ?? 0) <= 255)
    if (/^multipart\//.test(part.type) && !part.defects.includes('too-deep')) assert.equal(part.content.length, 0)
    // A field is no longer than what was kept of the header it stands in; the MIME fields behind it are few.
    const header = index === 0 ? limits.maxMessageHeaderBytes : limits.maxHeaderBytes
    assert.ok(part.fields.reduce((all, { spelling, raw }) => all + spelling.length + raw.length, 0) <= header + 8192)
    for (const defect of part.defects) assert.ok(message.defects.has(defect))
  }
}
