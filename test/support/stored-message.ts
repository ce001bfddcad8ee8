/** Messages as the pipeline has them: in memory in given pieces, streamed in given pieces, or in a temporary file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { HeaderSectionReader, type HeaderLimits, type HeaderSection } from '../../src/message/header-section.ts'
import type { StoredMessage } from '../../src/message/message.ts'
import { createSpool } from '../../src/message/spool.ts'

export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

function message(pieces: readonly Buffer[], memory: boolean): StoredMessage {
  let kept: readonly Buffer[] | null = pieces
  return {
    size: pieces.reduce((size, { length }) => size + length, 0),
    get memory() { return memory ? (kept ?? []) : null },
    async *chunks() {
      if (kept === null) throw new Error('the message was discarded')
      for (const piece of kept) yield await Promise.resolve(piece)
    },
    discard() { kept = null },
  }
}

export const heldMessage = (pieces: readonly Buffer[]): StoredMessage => message(pieces, true)
export const streamedMessage = (pieces: readonly Buffer[]): StoredMessage => message(pieces, false)

/** In a real temporary file, read in pieces of 64 KiB. */
export async function fileMessage(t: TestContext, whole: Buffer): Promise<StoredMessage> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-message-'))
  const spool = createSpool({ directory, memoryBytes: 0 })
  await spool.append(whole)
  const body = await spool.finish()
  t.after(() => {
    body.discard()
    rmSync(directory, { recursive: true })
  })
  return body
}

export async function chunksOf(body: StoredMessage): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  for await (const chunk of body.chunks()) chunks.push(chunk)
  return chunks
}

export function sectionOf(text: string, limits?: HeaderLimits): HeaderSection {
  const reader = limits === undefined ? new HeaderSectionReader() : new HeaderSectionReader(limits)
  reader.feed(bytes(text))
  return reader.finish()
}
