/**
 * Canonicalisation of header fields (RFC 6376 §3.4.1, §3.4.2), and which fields
 * a list of names means (§5.4.2): of each name the lowest that is not taken
 * yet. Pure; nothing throws.
 *
 * Text is binary: one character a byte.
 */
import type { Canonicalization } from './signing-order.ts'

/** A field as it is signed. */
export interface SignableField {
  /** the name in lower case */
  readonly key: string
  /** name, colon, value, folds and the line end (which may be missing at the end of a message) */
  readonly text: string
}

/** With the line end. */
export function canonicalField(canonicalization: Canonicalization, field: SignableField): string {
  return `${canonicalSignature(canonicalization, field)}\r\n`
}

/** Without the line end, as the signature's own field is hashed (§3.7). */
export function canonicalSignature(canonicalization: Canonicalization, field: SignableField): string {
  const { key, text } = field
  const line = text.endsWith('\r\n') ? text.slice(0, -2) : text
  return canonicalization === 'simple' ? line : `${key}:${relaxedValue(field, line.slice(line.indexOf(':') + 1))}`
}

/** Values that several signatures of a message are likely to cover, and that take a while. */
const remembered = new WeakMap<SignableField, string>()
const LONG_CHARACTERS = 1000

function relaxedValue(field: SignableField, value: string): string {
  if (value.length < LONG_CHARACTERS) return relaxed(value)
  const known = remembered.get(field)
  if (known !== undefined) return known
  const made = relaxed(value)
  remembered.set(field, made)
  return made
}

function relaxed(value: string): string {
  // A line end that is no fold stays and makes another value of it: nobody may put one in.
  const unfolded = value.includes('\r') ? value.replace(/\r\n(?=[ \t])/g, '') : value
  const spaced = unfolded.replace(/[ \t]+/g, ' ')
  return spaced.slice(spaced.startsWith(' ') ? 1 : 0, spaced.length > 1 && spaced.endsWith(' ') ? -1 : undefined)
}

/** Fields by their name, each from top to bottom; made once for all signatures of a message. */
export type FieldsByName = ReadonlyMap<string, readonly SignableField[]>

export function fieldsByName(fields: readonly SignableField[]): FieldsByName {
  const found = new Map<string, SignableField[]>()
  for (const field of fields) {
    const same = found.get(field.key)
    if (same === undefined) found.set(field.key, [field])
    else same.push(field)
  }
  return found
}

/** The fields that names stand for, one after the other; names that have none left are passed over (§5.4). */
export function fieldsFor(names: readonly string[], fields: FieldsByName): SignableField[] {
  const taken = new Map<string, number>()
  const found: SignableField[] = []
  for (const name of names) {
    const before = taken.get(name) ?? 0
    taken.set(name, before + 1)
    const lowest = fields.get(name)?.at(-1 - before)
    if (lowest !== undefined) found.push(lowest)
  }
  return found
}
