/**
 * Korean text in the eight-bit set that Windows writes (code page 949), which
 * mail calls euc-kr or ks_c_5601-1987 as well. The runtime reads EUC-KR alone:
 * KS X 1001 with its 2,350 syllables. The other 8,822 of Unicode stand, in the
 * order of Unicode, in cells that EUC-KR leaves free; so the table is made out
 * of what the runtime knows, when the first text asks for it. Bytes that mean
 * nothing are U+FFFD.
 */
const FIRST_LEAD = 0x81
const FIRST_SYLLABLE = 0xac00
const LAST_SYLLABLE = 0xd7a3
const REPLACEMENT = 0xfffd

/** UTF-16 by lead byte - 0x81 and trail byte; 0 where there is nothing */
let table: Uint16Array | undefined

export function decodeKorean(bytes: Buffer): string {
  const codes = table ??= makeTable()
  const units = new Uint16Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const lead = bytes[at] as number
    if (lead < 0x80) {
      units[length++] = lead
      continue
    }
    const trail = bytes[at + 1] ?? 0
    const code = lead < FIRST_LEAD ? 0 : codes[cell(lead, trail)] ?? 0
    units[length++] = code === 0 ? REPLACEMENT : code
    // ASCII behind a byte that means nothing is itself.
    if (code !== 0 || trail >= 0x80) at++
  }
  return Buffer.from(units.buffer, 0, 2 * length).toString('utf16le')
}

function cell(lead: number, trail: number): number {
  return (lead - FIRST_LEAD) * 256 + trail
}

function makeTable(): Uint16Array {
  const codes = new Uint16Array(128 * 256)
  const standard = new Set<number>()
  const decoder = new TextDecoder('euc-kr')
  for (let lead = 0xa1; lead <= 0xfe; lead++) {
    for (let trail = 0xa1; trail <= 0xfe; trail++) {
      const text = decoder.decode(Uint8Array.of(lead, trail))
      const code = text.charCodeAt(0)
      if (text.length !== 1 || code === REPLACEMENT) continue
      codes[cell(lead, trail)] = code
      standard.add(code)
    }
  }
  const free = freeCells()
  for (let code = FIRST_SYLLABLE; code <= LAST_SYLLABLE; code++) {
    if (standard.has(code)) continue
    const place = free.next()
    if (place.done !== true) codes[place.value] = code
  }
  return codes
}

/** In their order. */
function* freeCells(): Generator<number> {
  for (let lead = FIRST_LEAD; lead <= 0xc6; lead++) {
    for (let trail = 0x41; trail <= (lead <= 0xa0 ? 0xfe : 0xa0); trail++) {
      if (trail <= 0x5a || (trail >= 0x61 && trail <= 0x7a) || trail >= 0x81) yield cell(lead, trail)
    }
  }
}
