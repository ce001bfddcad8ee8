/**
 * DKIMproxy's maps (sender_map, listid_map): their text, and looking up in
 * them. Pure. A line is a key, blanks and a value; empty lines and those that
 * begin with `#` or `;` are passed over.
 *
 * Looked up are the address, the address without its +extension, the domain,
 * each domain above it, then `.`. Keys and addresses are in lower case, which
 * DKIMproxy leaves undone for keys; and the extension goes without the @, which
 * DKIMproxy loses with it.
 */
import type { Notice } from './given.ts'

export interface MapEntry {
  /** in lower case */
  readonly key: string
  readonly value: string
  readonly line: number
}

export interface LookupMap {
  readonly file: string
  readonly entries: ReadonlyMap<string, MapEntry>
}

export function readMap(text: string, file: string): { readonly map: LookupMap; readonly warnings: readonly Notice[] } {
  const entries = new Map<string, MapEntry>()
  const warnings: Notice[] = []
  let upper = false
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '')
    const place = { file, line: index + 1 }
    if (/^\s*$|^\s*[#;]/.test(line)) continue
    const match = /^\s*(\S+)\s+(\S.*?)\s*$/.exec(line)
    if (match === null) {
      warnings.push({ place, text: 'is no "key value"; the line is ignored' })
      continue
    }
    const [, written = '', value = ''] = match
    const key = written.toLowerCase()
    if (key !== written && !upper) {
      upper = true
      warnings.push({ place, text: `${JSON.stringify(written)} is looked up in lower case; DKIMproxy never finds a key with capitals` })
    }
    const before = entries.get(key)
    // As with a hash in Perl, the last one stays.
    if (before !== undefined) warnings.push({ place, text: `${JSON.stringify(key)} stands in line ${before.line} too; this one counts` })
    entries.set(key, { key, value, line: index + 1 })
  }
  return { map: { file, entries }, warnings }
}

export function lookUp({ entries }: LookupMap, address: string): MapEntry | undefined {
  for (const key of lookUpKeys(address.toLowerCase())) {
    const found = entries.get(key)
    if (found !== undefined) return found
  }
  return undefined
}

/** In the order in which they are tried. A List-Id is looked up as a domain is. */
export function* lookUpKeys(address: string): Generator<string> {
  if (address !== '') yield address
  const at = address.lastIndexOf('@')
  const local = address.slice(0, Math.max(at, 0))
  const plus = local.indexOf('+')
  if (plus > 0) yield `${local.slice(0, plus)}${address.slice(at)}`
  let domain = address.slice(at + 1)
  if (at >= 0 && domain !== '') yield domain
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.')) {
    domain = domain.slice(dot + 1)
    if (domain !== '') yield domain
  }
  yield '.'
}
