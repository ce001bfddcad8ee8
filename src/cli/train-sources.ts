/**
 * What `postern train` reads: files with a message each, mboxes, Maildirs and
 * folders of such, standard input. Each message comes as its bytes, or as what
 * was wrong with it; a path that is not there is wrong, and the others go on.
 *
 * Of a Maildir those in `cur` and `new` are read, and not its subfolders, which
 * are other folders of mail; of a folder everything below it but what begins
 * with a dot. Symbolic links inside of folders are not followed.
 */
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { formatSize } from '../observe/readable.ts'
import { looksLikeMbox, MboxReader } from './train-mbox.ts'

export interface Source {
  /** undefined: standard input */
  readonly path: string | undefined
  readonly bytes: number
}

export type TrainingMessage =
  | { readonly status: 'read'; readonly bytes: Buffer; /** of the source, with what is around it */ readonly consumed: number }
  | { readonly status: 'unreadable'; readonly cause: string; readonly consumed: number }

export type SourceSearch =
  | { readonly status: 'found'; readonly sources: readonly Source[] }
  | { readonly status: 'none'; readonly cause: string }

/** Messages are read one at a time, so that this is what memory is needed for. */
const START_BYTES = 256

/** @param path as it was given; `-` is standard input */
export async function findSources(path: string): Promise<SourceSearch> {
  if (path === '-') return { status: 'found', sources: [{ path: undefined, bytes: 0 }] }
  try {
    const found = await stat(path)
    if (!found.isDirectory()) return { status: 'found', sources: [{ path, bytes: found.size }] }
    return { status: 'found', sources: await inFolder(path) }
  } catch (error) {
    return { status: 'none', cause: reason(error) }
  }
}

async function inFolder(folder: string): Promise<Source[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name))
  const maildir = names.has('cur') && names.has('new')
  const sources: Source[] = []
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (maildir) {
      if (entry.name === 'cur' || entry.name === 'new') sources.push(...await inFolder(path))
    } else if (!entry.name.startsWith('.')) {
      if (entry.isDirectory()) sources.push(...await inFolder(path))
      else if (entry.isFile()) sources.push(...await fileSource(path))
    }
  }
  return sources
}

/** In a Maildir a file may get another name at any time. */
async function fileSource(path: string): Promise<Source[]> {
  try {
    return [{ path, bytes: (await stat(path)).size }]
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

export interface ReadingPlan {
  /** a larger message is not read */
  readonly maxBytes: number
  readonly input: AsyncIterable<Buffer>
}

/** Never rejects: what cannot be read is one that is unreadable. */
export async function* messagesOf({ path }: Source, { maxBytes, input }: ReadingPlan): AsyncGenerator<TrainingMessage> {
  try {
    // Without an encoding a stream gives bytes.
    yield* messagesIn(path === undefined ? input : createReadStream(path) as AsyncIterable<Buffer>, maxBytes)
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

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT': return 'there is no such file'
    case 'EACCES': return 'it may not be read by the user that the gateway runs as; it can be given on standard input (postern train spam - < FILE)'
    default: return error instanceof Error ? error.message : String(error)
  }
}
