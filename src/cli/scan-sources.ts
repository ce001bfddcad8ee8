/**
 * The messages in what `postern scan` is given. What train-sources.ts takes apart
 * is taken apart here too: an mbox is each of its messages, a folder or a Maildir
 * each of its files. A file that was named is otherwise one message, whatever it
 * begins with, as the gateway would take it. Standard input is always one: what
 * delivers puts a `From ` line on top, and whoever wrote the text below might
 * write another.
 *
 * Throws an ExitError where there is no such file, or no message in it.
 */
import { stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { escapeControls } from '../observe/readable.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { fileChunks, readMessage, type ScannedMessage } from './scan-message.ts'
import { MailFiles } from './train-files.ts'
import { looksLikeMbox } from './train-mbox.ts'
import { messagesOf, type Source } from './train-sources.ts'

export interface Place {
  /** as it was named, or below that; escaped */
  readonly file: string
  /** of an mbox with several; 1 is the first */
  readonly number: number | undefined
  /** there is no other, and need not be named */
  readonly alone: boolean
}

export type Scannable =
  /** to be discarded by who takes it */
  | { readonly status: 'read'; readonly place: Place; readonly message: ScannedMessage }
  | { readonly status: 'unreadable'; readonly place: Place; readonly cause: string }

export interface ScanPlace {
  readonly cwd: string
  readonly standardInput: () => AsyncIterable<Buffer>
  /** of a message */
  readonly maxBytes: number
}

/** So many bytes say whether it is an mbox. */
const START_BYTES = 256

/** @param file undefined or `-`: standard input */
export async function* messagesToScan(file: string | undefined, place: ScanPlace): AsyncGenerator<Scannable> {
  const name = file === undefined || file === '-' ? 'standard input' : escapeControls(file)
  let read = false
  for await (const one of file !== undefined && file !== '-' && await isFolder(resolve(place.cwd, file)) ? inFolder(file, place) : named(file, name, place)) {
    read ||= one.status === 'read'
    yield one
  }
  if (!read) throw new ExitError(EXIT.data, `${name}: there is no message in it`)
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    // Who reads it says what is wrong.
    return false
  }
}

async function* inFolder(file: string, { cwd, maxBytes }: ScanPlace): AsyncGenerator<Scannable> {
  const mail = new MailFiles()
  try {
    const folder = resolve(cwd, file)
    const search = await mail.find(folder)
    if (search.status === 'none') throw new ExitError(EXIT.noInput, `${escapeControls(file)}: ${escapeControls(search.cause)}`)
    for (const source of search.files) yield* apart(source, { file: escapeControls(join(file, relative(folder, source.path))), number: undefined, alone: false }, maxBytes)
  } finally {
    await mail.close()
  }
}

async function* named(...[file, name, { cwd, standardInput, maxBytes }]: [string | undefined, string, ScanPlace]): AsyncGenerator<Scannable> {
  const fromFile = file !== undefined && file !== '-'
  const chunks = (fromFile ? fileChunks(resolve(cwd, file), file) : standardInput())[Symbol.asyncIterator]()
  try {
    const place = { file: name, number: undefined, alone: true }
    const start = await beginning(chunks)
    if (start.length === 0) throw new ExitError(EXIT.data, `${name}: it is empty; a message was expected`)
    if (fromFile && looksLikeMbox(start)) yield* apart({ path: file, bytes: 0, read: () => behind(start, chunks) }, place, maxBytes)
    else yield { status: 'read', place, message: await readMessage(behind(start, chunks), maxBytes) }
  } finally {
    await chunks.return?.()
  }
}

async function beginning(chunks: AsyncIterator<Buffer, unknown>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let size = 0; size < START_BYTES;) {
    const next = await chunks.next()
    if (next.done === true) break
    pieces.push(next.value)
    size += next.value.length
  }
  return Buffer.concat(pieces)
}

async function* behind(start: Buffer, chunks: AsyncIterator<Buffer, unknown>): AsyncGenerator<Buffer> {
  yield start
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value
}

/** Numbered only where there are several. */
async function* apart(source: Source, place: Place, maxBytes: number): AsyncGenerator<Scannable> {
  let number = 0
  let first: Unplaced | undefined
  for await (const found of messagesOf(source, maxBytes)) {
    number++
    const one = await scannable(found, maxBytes)
    if (number === 1) {
      first = one
      continue
    }
    if (first !== undefined) yield { ...first, place: { ...place, number: 1, alone: false } }
    first = undefined
    yield { ...one, place: { ...place, number, alone: false } }
  }
  if (first !== undefined) yield { ...first, place }
}

type Unplaced = { readonly status: 'read'; readonly message: ScannedMessage } | { readonly status: 'unreadable'; readonly cause: string }

async function scannable(found: { readonly status: 'read'; readonly bytes: Buffer } | { readonly status: 'unreadable'; readonly cause: string }, maxBytes: number): Promise<Unplaced> {
  if (found.status === 'unreadable') return { status: 'unreadable', cause: found.cause }
  try {
    return { status: 'read', message: await readMessage(only(found.bytes), maxBytes) }
  } catch (error) {
    // Of many messages one that is too large is one of them.
    if (error instanceof ExitError) return { status: 'unreadable', cause: error.message }
    throw error
  }
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes)
}
