/**
 * Text that is written backwards and turned around when it is shown: what
 * stands between U+202E (right-to-left override, UAX 9) and U+202C, or the end
 * of its paragraph, becomes what the reader sees. The simple case only: another
 * sign of direction ends it. Each character is looked at once.
 */
const OVERRIDE = 0x202e

/** A line feed, or a sign of direction. */
function endsRun(code: number): boolean {
  return code === 10 || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}

/** The halves of a character keep their order. */
function turn(units: Uint16Array, from: number, to: number): void {
  units.subarray(from, to).reverse()
  for (let at = from; at + 1 < to; at++) {
    const low = units[at] as number
    const high = units[at + 1] as number
    if (!isLow(low) || !isHigh(high)) continue
    units[at] = high
    units[++at] = low
  }
}

export function turnedBack(text: string): string {
  if (!text.includes('\u202e')) return text
  const bytes = Buffer.allocUnsafeSlow(text.length * 2)
  bytes.write(text, 'utf16le')
  const units = new Uint16Array(bytes.buffer, 0, text.length)
  // What is left out makes room: everything is written where it was, or before.
  let length = 0
  for (let at = 0; at < units.length;) {
    const code = units[at++] as number
    if (code !== OVERRIDE) {
      units[length++] = code
      continue
    }
    const from = length
    for (; at < units.length && !endsRun(units[at] as number); at++) units[length++] = units[at] as number
    turn(units, from, length)
  }
  return bytes.toString('utf16le', 0, length * 2)
}
