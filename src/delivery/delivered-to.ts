/**
 * Finds mail that was delivered to the same address before: a loop. Each
 * delivery leaves a `Delivered-To` field with the recipient's address; a
 * message that comes with one for the address it is to be delivered to went
 * round (what Postfix's local delivery does; RFC 5321 §6.3 wants loops found).
 *
 * Only the header section counts, and of it the first 256 KiB.
 */
import type { StoredMessage } from '../message/message.ts'

const MAX_HEADER_BYTES = 256 * 1024
const NAME = 'delivered-to:'

/** The header section as far as it is looked at, as a binary string. Rejects where the message cannot be read. */
export async function readHeaderSection(body: StoredMessage): Promise<string> {
  let text = ''
  if (body.memory !== null) {
    for (const piece of body.memory) {
      text += piece.toString('latin1', 0, MAX_HEADER_BYTES - text.length)
      if (isComplete(text)) break
    }
  } else {
    for await (const piece of body.chunks()) {
      text += piece.toString('latin1', 0, MAX_HEADER_BYTES - text.length)
      if (isComplete(text)) break
    }
  }
  if (text.startsWith('\r\n') || text.startsWith('\n')) return ''
  const end = text.search(/\r?\n\r?\n/)
  return end < 0 ? text : text.slice(0, end)
}

/** Addresses of the section's Delivered-To fields, folded for comparison. */
export function deliveredTo(section: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (let at = 0; at < section.length;) {
    const end = lineEnd(section, at)
    if (section.slice(at, at + NAME.length).toLowerCase() === NAME) {
      let stop = end
      while (section[stop] === ' ' || section[stop] === '\t') stop = lineEnd(section, stop)
      found.add(foldAddress(section.slice(at + NAME.length, stop)))
    }
    at = end
  }
  return found
}

/** `address` is binary, with or without `<` and `>`. */
export function foldAddress(address: string): string {
  return address.replace(/[\r\n]+[ \t]*/g, '').trim().replace(/^<(.*)>$/s, '$1').toLowerCase()
}

function isComplete(text: string): boolean {
  return text.length >= MAX_HEADER_BYTES || text.includes('\n\r\n') || text.startsWith('\r\n') || text.includes('\n\n')
}

/** Behind the line feed that ends the line at `from`. */
function lineEnd(text: string, from: number): number {
  const lf = text.indexOf('\n', from)
  return lf < 0 ? text.length : lf + 1
}
