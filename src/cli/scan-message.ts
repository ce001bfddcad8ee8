/**
 * The message that `postern scan` judges, as the gateway would hold it: from a
 * file or from standard input, each line ended by CRLF, without NULs, without
 * the separator line of an mbox. Nothing of it is left behind.
 *
 * Throws an ExitError where there is no such file or the message is larger than
 * the gateway takes.
 */
import { createReadStream } from 'node:fs'
import { tmpdir } from 'node:os'
import type { StoredMessage } from '../message/message.ts'
import { ReceivedCounter } from '../message/received.ts'
import { createSpool } from '../message/spool.ts'
import { escapeControls, formatSize } from '../observe/readable.ts'
import { DataDecoder } from '../smtp/data-decoder.ts'
import { EXIT, ExitError } from './exit-codes.ts'

export interface ScannedMessage {
  readonly body: StoredMessage
  /** Received fields */
  readonly received: number
}

const MEMORY_BYTES = 1024 * 1024
/** of the separator line of an mbox */
const MAX_SEPARATOR_BYTES = 1000
const LF = 0x0a
const CR = 0x0d
const CRLF = Buffer.from('\r\n')

/** The bytes of a file; an error of it says what there is to be had. @param name as it was given */
export async function* fileChunks(path: string, name = path): AsyncGenerator<Buffer> {
  try {
    // Without an encoding a stream gives bytes.
    for await (const chunk of createReadStream(path)) yield chunk as Buffer
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const known = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : undefined
    if (known === undefined) throw error
    throw new ExitError(EXIT.noInput, `${escapeControls(name)}: ${known}`)
  }
}

export async function readMessage(chunks: AsyncIterable<Buffer>, maxBytes: number): Promise<ScannedMessage> {
  const spool = createSpool({ directory: tmpdir(), memoryBytes: MEMORY_BYTES })
  const received = new ReceivedCounter()
  const decoder = new DataDecoder(false)
  const add = async (piece: Buffer): Promise<void> => {
    received.feed(piece)
    if (spool.size + piece.length > maxBytes) throw new ExitError(EXIT.data, `the message is larger than ${formatSize(maxBytes)}, which limits.message_bytes allows: the gateway would not take it`)
    await spool.append(piece)
  }
  try {
    let end = CRLF
    for await (const chunk of withoutSeparator(chunks)) {
      const piece = decoder.decode(chunk)
      // What comes back may be used again by the decoder and its feeder.
      await add(Buffer.from(piece))
      end = Buffer.concat([end, piece.subarray(-2)]).subarray(-2)
    }
    // A message of SMTP ends with a line end, a file need not.
    if (end[1] === CR) await add(CRLF.subarray(1))
    else if (end[1] !== LF) await add(CRLF)
    return { body: await spool.finish(), received: received.count }
  } catch (error) {
    spool.discard()
    throw error
  }
}

/** `From anna@a.example Sat Nov 21 10:00:00 2026` on top is no part of a message (RFC 4155). */
async function* withoutSeparator(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let start: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of chunks) {
    if (start === undefined) {
      yield chunk
      continue
    }
    start = Buffer.concat([start, chunk])
    const lineEnd = start.indexOf(LF)
    if (lineEnd < 0 && start.length < MAX_SEPARATOR_BYTES) continue
    yield afterSeparator(start, lineEnd)
    start = undefined
  }
  if (start !== undefined) yield start
}

function afterSeparator(start: Buffer, lineEnd: number): Buffer {
  const isSeparator = lineEnd >= 0 && lineEnd < MAX_SEPARATOR_BYTES && start.subarray(0, 5).toString('latin1') === 'From '
  return isSeparator ? start.subarray(lineEnd + 1) : start
}
