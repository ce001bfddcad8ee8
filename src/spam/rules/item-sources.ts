/**
 * Where the items of a condition come from: for each kind, its list, its
 * fields, what it is compared with others by, and what a person is shown of it.
 */
import type { MimePart } from '../../mime/message-parts.ts'
import type { Attachment, Link } from '../content.ts'
import type { Address, Party } from './addresses.ts'
import type { ItemSelection, Relation, TextSource } from './condition.ts'
import { ADDRESS_FIELDS, ATTACHMENT_FIELDS, LINK_FIELDS, PART_FIELDS } from './items.ts'
import type { ItemFields } from './items.ts'
import { MAX_ITEMS } from './texts.ts'
import type { MessageView } from './texts.ts'

export interface ItemSource<T> {
  readonly fields: ItemFields<T>
  /** undefined: not known */
  readonly list: (view: MessageView) => readonly T[] | undefined
  /** the texts that a field of it is one of */
  readonly text: (field: string) => TextSource
  readonly relate: (item: T, by: Relation) => string | undefined
  readonly label: (item: T) => string
}

const LINKS: ItemSource<Link> = {
  fields: LINK_FIELDS,
  list: ({ links }) => links,
  text: (field) => ({ kind: 'link', field }),
  relate: (link, by) => (by === 'organization' ? link.domain : by === 'domain' ? link.host : undefined),
  label: ({ url }) => url,
}

const ATTACHMENTS: ItemSource<Attachment> = {
  fields: ATTACHMENT_FIELDS,
  list: ({ content }) => content.attachments.slice(0, MAX_ITEMS),
  text: (field) => ({ kind: 'attachment', field }),
  relate: () => undefined,
  label: ({ name, declaredType }) => name || declaredType,
}

const PARTS: ItemSource<MimePart> = {
  fields: PART_FIELDS,
  list: ({ content }) => content.mime.parts.slice(0, MAX_ITEMS),
  text: (field) => ({ kind: 'part', field }),
  relate: () => undefined,
  label: ({ fileName, type }) => fileName ?? type,
}

function addressesOf(party: Party): ItemSource<Address> {
  return {
    fields: ADDRESS_FIELDS,
    list: (view) => view.party(party),
    text: (field) => ({ kind: 'address', of: party, field }),
    relate: (address, by) => address[by],
    label: ({ name, address }) => (name === '' ? address : `${name} <${address}>`),
  }
}

export function withItems<R>(selection: ItemSelection, use: <T>(source: ItemSource<T>) => R): R {
  switch (selection.kind) {
    case 'link': return use(LINKS)
    case 'attachment': return use(ATTACHMENTS)
    case 'part': return use(PARTS)
    case 'address': return use(addressesOf(selection.of))
  }
}
