/**
 * Text that is written backwards and turned around when it is shown: what
 * stands between U+202E (right-to-left override, UAX 9) and U+202C, or the end
 * of its paragraph, becomes what the reader sees. The simple case only: another
 * sign of direction ends it. Each character is looked at once.
 */
const OVERRIDE = '\u202e'

/** Where the run ends that begins at `from`. */
function runEnd(text: string, from: number): number {
  let at = from
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 10 || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) break
  }
  return at
}

/** The halves of a character keep their order. */
function reversed(run: string): string {
  const units = Buffer.allocUnsafe(run.length * 2)
  let free = run.length
  for (let at = 0; at < run.length; at++) {
    const code = run.charCodeAt(at)
    const next = code >= 0xd800 && code <= 0xdbff ? run.charCodeAt(at + 1) : 0
    if (next >= 0xdc00 && next <= 0xdfff) {
      units.writeUInt16LE(next, --free * 2)
      at++
    }
    units.writeUInt16LE(code, --free * 2)
  }
  return units.toString('utf16le')
}

export function turnedBack(text: string): string {
  let override = text.indexOf(OVERRIDE)
  if (override < 0) return text
  const pieces: string[] = []
  let done = 0
  while (override >= 0) {
    const end = runEnd(text, override + 1)
    pieces.push(text.slice(done, override), reversed(text.slice(override + 1, end)))
    done = end
    override = text.indexOf(OVERRIDE, end)
  }
  pieces.push(text.slice(done))
  return pieces.join('')
}
