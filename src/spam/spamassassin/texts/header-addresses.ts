/**
 * Addresses and display names of a field's value as SpamAssassin's `:addr` and
 * `:name` give them: as they are written, case and all. One pass; at most 200
 * addresses of 64 KiB; what cannot be read as an address is left out.
 */

export interface WrittenAddress {
  readonly address: string
  readonly name: string
}

const MAX_CHARACTERS = 65_536
const MAX_ADDRESSES = 200

export function writtenAddresses(value: string): readonly WrittenAddress[] {
  const found: WrittenAddress[] = []
  for (const entry of entriesOf(value.slice(0, MAX_CHARACTERS))) {
    const one = addressIn(entry)
    if (one !== undefined) found.push(one)
    if (found.length === MAX_ADDRESSES) break
  }
  return found
}

/** What stands between commas, outside of quotes, comments and brackets. */
function* entriesOf(value: string): Generator<string> {
  let from = 0
  let closing = ''
  for (let at = 0; at < value.length; at++) {
    const sign = value[at] ?? ''
    if (sign === '\\') at++
    else if (closing !== '') {
      if (sign === closing) closing = ''
    } else if (sign === ',' || sign === ';') {
      yield value.slice(from, at)
      from = at + 1
    } else {
      const end = sign === '"' ? '"' : sign === '(' ? ')' : sign === '<' ? '>' : ''
      // What nothing closes opens nothing.
      if (end !== '' && value.indexOf(end, at + 1) > 0) closing = end
    }
  }
  yield value.slice(from)
}

function addressIn(entry: string): WrittenAddress | undefined {
  const angle = /<([^<>]*)>[^<>]*$/.exec(entry)
  if (angle !== null) return { address: (angle[1] ?? '').trim(), name: plainName(entry.slice(0, angle.index)) || commentOf(entry) }
  const bare = /(?:"[^"]*"|[^\s<>()",:;"]+)@[^\s<>(),:;"]+/.exec(entry)
  return bare === null ? undefined : { address: bare[0], name: commentOf(entry) }
}

function plainName(text: string): string {
  // The name of a group stands before a colon.
  const words = text.replace(/^[^":]*:(?=\s)/, '').replace(/\([^()]*\)/g, '').trim()
  return words.replace(/"((?:[^"\\]|\\.)*)"/g, '$1').replace(/\\(.)/g, '$1').replace(/\s+/g, ' ').trim().replace(/^'(.*)'$/, '$1')
}

function commentOf(entry: string): string {
  return /\(([^()]*)\)/.exec(entry)?.[1]?.trim() ?? ''
}
