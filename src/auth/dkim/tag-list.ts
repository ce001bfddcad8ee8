/**
 * Tag lists (RFC 6376 §3.2): `name=value; name=value;`, in signatures and in
 * key records. Tag names are case-sensitive. A list with a fault still gives
 * what can be read of it, for reports; what it says must not be acted upon.
 * Takes time in proportion to the text. Pure; nothing throws.
 */
export interface Tag {
  /** without white space at its ends */
  readonly value: string
  /** where the value begins and ends in the text, white space included */
  readonly start: number
  readonly end: number
}

export interface TagList {
  /** of a name that stands there twice, the first */
  readonly tags: ReadonlyMap<string, Tag>
  /** name of the first tag */
  readonly first: string
  /** what is wrong with the list; null where nothing is */
  readonly fault: string | null
}

export function parseTagList(text: string): TagList {
  const tags = new Map<string, Tag>()
  let first = ''
  let fault: string | null = null
  for (let at = 0; at < text.length;) {
    const semicolon = text.indexOf(';', at)
    const end = semicolon < 0 ? text.length : semicolon
    const equals = text.indexOf('=', at)
    if (equals < 0 || equals >= end) {
      // One semicolon may end the list.
      const blank = trimmed(text, at, end) === ''
      if (!blank) fault ??= 'a tag without a value'
      else if (semicolon >= 0 || tags.size === 0) fault ??= 'an empty tag'
    } else {
      const name = trimmed(text, at, equals)
      if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) fault ??= 'a tag name that is none'
      else if (tags.has(name)) fault ??= `${name}= twice`
      else tags.set(name, { value: trimmed(text, equals + 1, end), start: equals + 1, end })
      if (first === '') first = name
    }
    at = end + 1
  }
  return { tags, first, fault: tags.size === 0 ? fault ?? 'no tags' : fault }
}

/** A value without any white space, as of b=, bh=, p=. */
export function withoutSpace(value: string): string {
  return value.replace(/[ \t\r\n]+/g, '')
}

/** What stands between colons, in lower case. */
export function colonList(value: string): string[] {
  return value.split(':').map((part) => trimmed(part, 0, part.length).toLowerCase())
}

/** By index: an expression for the end of a text tries each blank before it. */
function trimmed(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a
}
