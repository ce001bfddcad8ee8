/**
 * Names as they stand in a message (RFC 1035 §3.1, §4.1.4), read from bytes
 * that anybody may have written.
 *
 * A pointer leads backwards only, before everything read so far, so a name
 * ends after at most 255 octets and never loops. A name whose labels cannot be
 * written as text (a dot inside a label, a byte that is not printable ASCII)
 * has `text: undefined`: it equals no name, and is never given out as another.
 */
export interface WireName {
  /** in lower case, without a dot at the end; '' is the root */
  readonly text: string | undefined
  /** where the bytes go on after it */
  readonly end: number
}

/** RFC 1035 §2.3.4: length octets and labels, with the empty one at the end. */
const MAX_NAME_OCTETS = 255

/** Undefined where no name stands at `start`. */
export function readName(bytes: Buffer, start: number): WireName | undefined {
  const labels: string[] = []
  let at = start
  let lowest = start
  let octets = 1
  let end: number | undefined
  let writable = true
  for (;;) {
    const length = bytes[at]
    if (length === undefined) return undefined
    if (length >= 0xc0) {
      const low = bytes[at + 1]
      if (low === undefined) return undefined
      end ??= at + 2
      at = ((length & 0x3f) << 8) | low
      if (at >= lowest) return undefined
      lowest = at
    } else if (length === 0) {
      return { text: writable ? labels.join('.').toLowerCase() : undefined, end: end ?? at + 1 }
    } else {
      octets += length + 1
      // 0x40 and 0x80 are no label types any more (RFC 6891 §5).
      if (length > 63 || octets > MAX_NAME_OCTETS || at + 1 + length > bytes.length) return undefined
      const label = bytes.toString('latin1', at + 1, at + 1 + length)
      if (!/^[\x20-\x2d\x2f-\x7e]+$/.test(label)) writable = false
      labels.push(label)
      at += length + 1
    }
  }
}

/**
 * Whether a name may stand for a host: letters, digits, hyphens and, as many
 * have them, underscores. What has anything else is of no use as the name of a
 * client or a mail server, and would do harm in a header field.
 */
export function isHostName(text: string): boolean {
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(text)
}
