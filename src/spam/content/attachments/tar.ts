/**
 * The files of a tar archive (POSIX.1-1988 ustar, with the long names of GNU and
 * of POSIX.1-2001), as far as it is held. What cannot be read ends the list.
 */

export interface TarEntry {
  /** with its path */
  readonly name: string
  readonly size: number
  /** as far as it is held */
  readonly content: Buffer
}

const BLOCK_BYTES = 512
const GNU_LONG_NAME = 'L'
const EXTENDED_HEADER = 'x'

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}

/** The name in an extended header: records of a length, a word, `=` and a value. */
function extendedName(data: Buffer): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)/.exec(data.toString('utf8'))?.[1]
}

/** At most `most`. */
export function readTar(content: Buffer, most: number): readonly TarEntry[] {
  const found: TarEntry[] = []
  let longName: string | undefined
  for (let at = 0; at + BLOCK_BYTES <= content.length && found.length < most;) {
    const header = content.subarray(at, at + BLOCK_BYTES)
    const size = parseInt(text(header.subarray(124, 136)).trim() || '0', 8)
    if (header[0] === 0 || Number.isNaN(size) || size < 0) break
    const from = at + BLOCK_BYTES
    const data = content.subarray(from, Math.min(content.length, from + size))
    const flag = String.fromCharCode(header[156] ?? 0)
    if (flag === GNU_LONG_NAME) {
      longName = text(data)
    } else if (flag === EXTENDED_HEADER) {
      longName = extendedName(data) ?? longName
    } else {
      const prefix = text(header.subarray(345, 500))
      const name = longName ?? (prefix === '' ? '' : `${prefix}/`) + text(header.subarray(0, 100))
      longName = undefined
      if (flag === '0' || flag === '\0') found.push({ name, size, content: data })
    }
    at = from + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
  }
  return found
}
