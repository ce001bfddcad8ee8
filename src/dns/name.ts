/**
 * Names as the resolver's callers write them: labels joined by dots, without
 * one at the end, ASCII; a name in Unicode has to be turned into A-labels by
 * who has it (RFC 5890 §2.3.2.1). There are no escapes: a backslash is a
 * backslash, and a label that holds a dot cannot be written, so it is never
 * asked for and never given out.
 */

/** RFC 1035 §2.3.4: 255 octets on the wire, which are 253 characters and no dot at the end. */
export const MAX_NAME_CHARACTERS = 253
/** One or more, each of 1 to 63 printable characters. */
const LABELS = /^[\x20-\x2d\x2f-\x7e]{1,63}(?:\.[\x20-\x2d\x2f-\x7e]{1,63})*$/

/**
 * The one spelling of a name: lower case (RFC 4343), without a dot at the end.
 * Undefined where the DNS has no such name: an empty label, one that is too
 * long, a name that is too long, or characters that are not printable ASCII.
 * Any other character may stand in a label (RFC 2181 §11): underscores, and
 * whatever an SPF macro makes of a local part.
 */
export function normalName(name: string): string | undefined {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name
  return bare.length <= MAX_NAME_CHARACTERS && LABELS.test(bare) ? bare.toLowerCase() : undefined
}
