/**
 * Who a message says it is from, as keys are chosen by it: the one address of
 * From (or of Sender, where a source of keys goes by that), and its List-Id
 * (RFC 5322 §3.6.2, RFC 2919 §2). Where readers of mail could disagree about
 * the address, or there are several, there is none: whoever signs in the name
 * of one author would be answering for the others too. Nothing throws.
 */
import type { HeaderSection } from '../message/header-section.ts'
import { fieldsNamed } from '../message/header-section.ts'
import { unfold, valueText } from '../message/header-field.ts'
import { readAuthors } from '../message/author.ts'
import type { AddressFields } from './settings.ts'

export interface SenderAddress {
  /** `local@domain`, all in lower case: keys are chosen without regard to case */
  readonly address: string
  readonly local: string
  /** lower case, A-labels */
  readonly domain: string
  /** `local@domain` with the local part as it was written */
  readonly written: string
}

export type SenderReading = { readonly status: 'one'; readonly sender: SenderAddress } | { readonly status: 'none'; readonly why: string }

/** The first of the fields that is there counts. */
export function readSender(section: HeaderSection, fields: AddressFields): SenderReading {
  const name = fields.find((one) => fieldsNamed(section, one).length > 0)
  if (name === undefined) return none(`there is no ${fields.map(titled).join(' or ')} field`)
  const found = fieldsNamed(section, name)
  if (found.length > 1) return none(`there are ${found.length} ${titled(name)} fields`)
  const reading = readAuthors(found.map(({ value }) => value))
  if (reading.status !== 'domains') return none(reading.cause.replaceAll('From', titled(name)))
  const [domain] = reading.domains
  const [written] = reading.addresses
  if (domain === undefined || written === undefined || reading.domains.length > 1 || reading.addresses.length > 1) {
    return none(reading.doubt === '' ? `${titled(name)} names several addresses` : `${titled(name)} can be read in several ways`)
  }
  // Its domain may stand there in another spelling than the one that counts.
  const local = written.slice(0, Math.max(written.lastIndexOf('@'), 0))
  return { status: 'one', sender: { address: `${local.toLowerCase()}@${domain}`, local: local.toLowerCase(), domain, written: `${local}@${domain}` } }
}

/** In lower case; undefined where there is none, or more than one. */
export function readListId(section: HeaderSection): string | undefined {
  const [field, second] = fieldsNamed(section, 'list-id')
  if (field === undefined || second !== undefined) return undefined
  const value = unfold(valueText(field)).trim()
  const id = /<([^<>]*)>\s*$/.exec(value)?.[1] ?? value
  return /^[\x21-\x7e]{1,255}$/.test(id) ? id.toLowerCase() : undefined
}

function titled(name: string): string {
  return name === 'from' ? 'From' : 'Sender'
}

function none(why: string): SenderReading {
  return { status: 'none', why }
}
