/**
 * What rules may ask of a link, an attachment, a part or an address: the names
 * of its fields, of what type they are, and how they are read. A name that is
 * here may stand in a rule file, and is documented in docs/rules.md.
 */
import type { MimePart } from '../../mime/message-parts.ts'
import type { Attachment, Link } from '../content.ts'
import type { Address } from './addresses.ts'

export type ItemField<T> =
  /** undefined or none: no pattern matches and no word is equal */
  | {
      readonly type: 'text'
      readonly words?: readonly string[]
      /** it is one value, and has no capitals */
      readonly lower?: true
      readonly read: (item: T) => string | readonly string[] | undefined
    }
  | { readonly type: 'number'; readonly read: (item: T) => number | undefined }
  | { readonly type: 'flag'; readonly read: (item: T) => boolean }

export type ItemFields<T> = ReadonlyMap<string, ItemField<T>>

export type ItemKind = 'link' | 'attachment' | 'part' | 'address'

export const LINK_FIELDS: ItemFields<Link> = new Map<string, ItemField<Link>>([
  ['kind', { type: 'text', lower: true, words: ['href', 'image', 'form', 'other', 'text'], read: (link) => link.kind }],
  ['url', { type: 'text', read: (link) => link.url }],
  ['scheme', { type: 'text', lower: true, read: (link) => link.scheme }],
  ['host', { type: 'text', lower: true, read: (link) => link.host }],
  ['domain', { type: 'text', lower: true, read: (link) => link.domain }],
  ['ending', { type: 'text', lower: true, read: (link) => (link.address || link.host === '' ? undefined : link.host.slice(link.host.lastIndexOf('.') + 1)) }],
  ['path', { type: 'text', read: (link) => pathOf(link.url) }],
  ['shown', { type: 'text', read: (link) => link.shown }],
  ['shown_host', { type: 'text', read: (link) => link.shownHost }],
  ['unicode_host', { type: 'text', read: (link) => link.unicodeHost }],
  ['port', { type: 'number', read: (link) => link.port }],
  ['length', { type: 'number', read: (link) => link.url.length }],
  ['labels', { type: 'number', read: (link) => (link.host === '' || link.address ? undefined : labelsOf(link.host)) }],
  ['userinfo', { type: 'flag', read: (link) => link.userinfo }],
  ['ip', { type: 'flag', read: (link) => link.address }],
  ['shortener', { type: 'flag', read: (link) => link.shortener }],
  ['look_alike', { type: 'flag', read: (link) => link.lookAlike }],
  ['punycode', { type: 'flag', read: (link) => link.unicodeHost !== undefined }],
  ['mismatch', { type: 'flag', read: (link) => link.mismatch }],
  ['hidden', { type: 'flag', read: (link) => link.hidden }],
])

export const ATTACHMENT_FIELDS: ItemFields<Attachment> = new Map<string, ItemField<Attachment>>([
  ['name', { type: 'text', read: (one) => one.name }],
  ['extension', { type: 'text', read: (one) => one.extension }],
  ['declared', { type: 'text', read: (one) => one.declaredType }],
  ['detected', { type: 'text', read: (one) => one.detectedType }],
  ['inside', { type: 'text', read: (one) => one.inside }],
  ['depth', { type: 'number', read: (one) => one.inside.length }],
  ['bytes', { type: 'number', read: (one) => one.bytes }],
  ['mismatch', { type: 'flag', read: (one) => one.mismatch }],
  ['executable', { type: 'flag', read: (one) => one.executable }],
  ['macros', { type: 'flag', read: (one) => one.macros }],
  ['encrypted', { type: 'flag', read: (one) => one.encrypted }],
  ['bomb', { type: 'flag', read: (one) => one.bomb }],
])

export const PART_FIELDS: ItemFields<MimePart> = new Map<string, ItemField<MimePart>>([
  ['type', { type: 'text', read: (part) => part.type }],
  ['charset', { type: 'text', read: (part) => part.charset }],
  ['encoding', { type: 'text', read: (part) => part.encoding }],
  ['disposition', { type: 'text', words: ['inline', 'attachment'], read: (part) => part.disposition }],
  ['name', { type: 'text', read: (part) => part.fileName }],
  ['defect', { type: 'text', read: (part) => part.defects }],
  ['boundary', { type: 'text', read: (part) => part.parameters.get('boundary') }],
  ['content_id', { type: 'text', read: (part) => part.fields.find(({ name }) => name === 'content-id')?.raw }],
  ['bytes', { type: 'number', read: (part) => part.encodedBytes }],
  ['depth', { type: 'number', read: (part) => part.depth }],
  /** the message itself */
  ['top', { type: 'flag', read: (part) => part.parent < 0 }],
])

export const ADDRESS_FIELDS: ItemFields<Address> = new Map<string, ItemField<Address>>([
  ['mailbox', { type: 'text', read: (one) => one.address }],
  ['local', { type: 'text', read: (one) => one.local }],
  ['domain', { type: 'text', read: (one) => one.domain }],
  ['organization', { type: 'text', read: (one) => one.organization }],
  ['ending', { type: 'text', read: (one) => one.domain.slice(one.domain.lastIndexOf('.') + 1) }],
  ['name', { type: 'text', read: (one) => one.name }],
  ['claims', { type: 'text', read: (one) => one.claims }],
  ['impostor', { type: 'flag', read: (one) => one.impostor }],
])

/** In place of a field's values: the names of flags that hold for one of the items, and of numbers that one of them has. No rule can ask for it, as no field has a blank. */
export const FEATURES = ' features'

export function featuresOf<T>(fields: ItemFields<T>, items: readonly T[]): readonly string[] {
  const found: string[] = []
  for (const [name, field] of fields) {
    if (field.type === 'flag' ? items.some(field.read) : field.type === 'number' && items.some((item) => field.read(item) !== undefined)) found.push(name)
  }
  return found
}

/** Types of the fields of a kind of item, by their names. */
export function fieldTypes(kind: ItemKind): ReadonlyMap<string, { readonly type: 'text' | 'number' | 'flag'; readonly words?: readonly string[] }> {
  switch (kind) {
    case 'link': return LINK_FIELDS
    case 'attachment': return ATTACHMENT_FIELDS
    case 'part': return PART_FIELDS
    case 'address': return ADDRESS_FIELDS
  }
}

/** Path, query and fragment; '' where there is none. */
function labelsOf(host: string): number {
  let labels = 1
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) labels++
  return labels
}

function pathOf(url: string): string {
  const authority = url.indexOf('//')
  const start = url.indexOf('/', authority < 0 ? 0 : authority + 2)
  return start < 0 ? '' : url.slice(start)
}
