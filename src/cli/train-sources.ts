/**
 * The messages in what `postern train` reads: files with a message each, mboxes,
 * standard input. Each message comes as its bytes, or as what was wrong with it.
 */
import { basename } from 'node:path'
import { formatSize } from '../observe/readable.ts'
import { reason } from './train-files.ts'
import { looksLikeMbox, MboxReader } from './train-mbox.ts'

export interface Source {
  /** undefined: standard input */
  readonly path: string | undefined
  readonly bytes: number
  readonly read: () => AsyncIterable<Buffer>
}

export type TrainingMessage =
  | { readonly status: 'read'; readonly bytes: Buffer; /** of the source, with what is around it */ readonly consumed: number }
  | { readonly status: 'unreadable'; readonly cause: string; readonly consumed: number }

export type SourceSearch =
  | { readonly status: 'found'; readonly sources: readonly Source[] }
  | { readonly status: 'none'; readonly cause: string }

/** Messages are read one at a time, so that this is what memory is needed for. */
const START_BYTES = 256

/** Never rejects: what cannot be read is one that is unreadable. A larger message than `maxBytes` is not read. */
export async function* messagesOf({ path, read }: Source, maxBytes: number): AsyncGenerator<TrainingMessage> {
  try {
    yield* messagesIn(read(), maxBytes)
  } catch (error) {
    yield { status: 'unreadable', cause: `${path === undefined ? 'standard input' : basename(path)}: ${reason(error)}`, consumed: 0 }
  }
}

async function* messagesIn(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<TrainingMessage> {
  let start: Buffer | undefined = Buffer.alloc(0)
  let mbox: MboxReader | undefined
  const whole: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    let piece = chunk
    if (start !== undefined) {
      start = Buffer.concat([start, chunk])
      if (start.length < START_BYTES) continue
      if (looksLikeMbox(start)) mbox = new MboxReader(maxBytes)
      piece = start
      start = undefined
    }
    if (mbox !== undefined) yield* boxed(mbox.write(piece), maxBytes)
    else {
      size += piece.length
      if (size <= maxBytes) whole.push(piece)
      else whole.length = 0
    }
  }
  if (start !== undefined && start.length > 0) {
    if (looksLikeMbox(start)) {
      mbox = new MboxReader(maxBytes)
      yield* boxed(mbox.write(start), maxBytes)
    } else {
      size = start.length
      whole.push(start)
    }
  }
  if (mbox !== undefined) yield* boxed(mbox.end(), maxBytes)
  else if (size > maxBytes) yield { status: 'unreadable', cause: tooLarge(size, maxBytes), consumed: size }
  else if (size > 0) yield alone(Buffer.concat(whole))
}

function* boxed(messages: ReturnType<MboxReader['write']>, maxBytes: number): Generator<TrainingMessage> {
  for (const message of messages) {
    if (message.status === 'read') yield alone(message.bytes)
    else yield { status: 'unreadable', cause: tooLarge(message.size, maxBytes), consumed: message.size }
  }
}

/** A message begins with a field (RFC 5322 §2.1); other files lie in folders too. */
function alone(bytes: Buffer): TrainingMessage {
  const consumed = bytes.length
  if (/^[!-9;-~]{1,100}[ \t]*:/.test(bytes.toString('latin1', 0, START_BYTES))) return { status: 'read', bytes, consumed }
  return { status: 'unreadable', cause: 'it does not begin with a header field', consumed }
}

function tooLarge(size: number, maxBytes: number): string {
  return `it has ${formatSize(size)}; at most ${formatSize(maxBytes)} are read (limits.message_bytes)`
}
