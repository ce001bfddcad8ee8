/**
 * What the process that reads mail tells the one that learns it: for each path
 * its files, or why there are none; then each file in its order, in pieces. A
 * frame is its kind (one byte), its length (four), and its bytes.
 */
export interface ListedFile {
  readonly path: string
  readonly bytes: number
}

export type Frame =
  /** some of the files of a path */
  | { readonly kind: 'files'; readonly files: readonly ListedFile[] }
  /** those were all of a path */
  | { readonly kind: 'found' }
  /** nothing is at a path that can be read */
  | { readonly kind: 'none'; readonly cause: string }
  /** of the next file */
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' }
  /** the rest of the file cannot be read */
  | { readonly kind: 'broken'; readonly cause: string }

export const MAX_DATA_BYTES = 65_536
/** A hundred paths as long as they may be, each character escaped. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024
const HEAD_BYTES = 5
const KINDS = ['files', 'found', 'none', 'data', 'end', 'broken'] as const

function contentOf(frame: Frame): Buffer {
  switch (frame.kind) {
    case 'files': return Buffer.from(JSON.stringify(frame.files))
    case 'none':
    case 'broken': return Buffer.from(frame.cause)
    case 'data': return frame.bytes
    case 'found':
    case 'end': return Buffer.alloc(0)
  }
}

export function frameOf(frame: Frame): Buffer {
  const content = contentOf(frame)
  const head = Buffer.alloc(HEAD_BYTES)
  head[0] = KINDS.indexOf(frame.kind)
  head.writeUInt32BE(content.length, 1)
  return Buffer.concat([head, content])
}

function read(kind: (typeof KINDS)[number] | undefined, content: Buffer): Frame {
  switch (kind) {
    case 'files': return { kind, files: JSON.parse(content.toString()) as ListedFile[] }
    case 'none':
    case 'broken': return { kind, cause: content.toString() }
    case 'data': return { kind, bytes: content }
    case 'found':
    case 'end': return { kind }
    case undefined: throw new Error('the process that reads mail sent something that is no frame')
  }
}

/** The frames of a stream; ends where it ends, be it in the middle of one. */
export async function* framesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Frame, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (rest.length - at >= HEAD_BYTES) {
      const length = rest.readUInt32BE(at + 1)
      if (length > MAX_FRAME_BYTES) throw new Error('the process that reads mail sent a frame that is too large')
      const end = at + HEAD_BYTES + length
      if (end > rest.length) break
      yield read(KINDS[rest[at] ?? -1], rest.subarray(at + HEAD_BYTES, end))
      at = end
    }
    rest = rest.subarray(at)
  }
  return undefined
}
