/**
 * Reads the parts of a message for whoever scores it (RFC 2045 to 2049, 2231,
 * 6532). Bounded in what it holds and how deep it goes, linear in the bytes of
 * the message; never throws for what is in it. `readMimeMessage` rejects where
 * the message cannot be read at all.
 */
import type { StoredMessage } from '../message/message.ts'
import { MIME_LIMITS, MimeBudget } from './limits.ts'
import type { MimeDefect, MimeLimits, MimeMessage } from './message-parts.ts'
import { PartTree } from './part-tree.ts'
import { Splitter } from './splitter.ts'

export { MIME_LIMITS } from './limits.ts'

/** Of the message as it stands; no copy, but it holds the pieces that were given. */
export const MAX_SOURCE_BYTES = 262_144

/** Is given a message in pieces of any size, which must not be changed afterwards. */
export class MimeReader {
  private readonly tree: PartTree
  private readonly splitter: Splitter
  private readonly source: Buffer[] = []
  private size = 0

  constructor(limits: Partial<MimeLimits> = {}) {
    this.tree = new PartTree(new MimeBudget({ ...MIME_LIMITS, ...limits }))
    this.splitter = new Splitter(this.tree).beginMessage(-1, 0)
  }

  write(piece: Buffer): void {
    if (this.size < MAX_SOURCE_BYTES) this.source.push(piece.subarray(0, MAX_SOURCE_BYTES - this.size))
    this.size += piece.length
    this.splitter.write(piece)
  }

  /** The message ends; nothing more may be written. */
  end(): MimeMessage {
    this.splitter.end()
    const { parts } = this.tree
    const defects = new Set<MimeDefect>()
    for (const part of parts) for (const defect of part.defects) defects.add(defect)
    return { parts, defects, size: this.size, source: this.source }
  }
}

export async function readMimeMessage(body: StoredMessage, limits?: Partial<MimeLimits>): Promise<MimeMessage> {
  if (body.memory !== null) return readMimePieces(body.memory, limits)
  const reader = new MimeReader(limits)
  for await (const piece of body.chunks()) reader.write(piece)
  return reader.end()
}

/** A message that lies in memory. */
export function readMimePieces(pieces: readonly Buffer[], limits?: Partial<MimeLimits>): MimeMessage {
  const reader = new MimeReader(limits)
  for (const piece of pieces) reader.write(piece)
  return reader.end()
}
