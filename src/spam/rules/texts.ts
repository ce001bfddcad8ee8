/**
 * A message as rules see it: the values of each text source, and whose
 * addresses there are. Everything is made when it is asked for the first time,
 * and kept as long as the message is evaluated. Pure.
 */
import type { MimeField } from '../../mime/message-parts.ts'
import { MAX_TEXT_CHARACTERS } from '../content.ts'
import type { Link, MessageContent } from '../content.ts'
import type { ScoringFacts, WordFact } from '../facts.ts'
import { SpamMessage } from '../spamassassin/texts/spam-message.ts'
import { Address, domainAlone, MAX_ADDRESSES, readAddresses } from './addresses.ts'
import type { Party } from './addresses.ts'
import type { TextSource } from './condition.ts'
import { ADDRESS_FIELDS, ATTACHMENT_FIELDS, FEATURES, featuresOf, LINK_FIELDS, PART_FIELDS } from './items.ts'
import type { ItemFields } from './items.ts'
import { measure } from './measures.ts'
import type { MeasureName } from './measures.ts'

/** Of each kind; more are not looked at. */
export const MAX_ITEMS = 1000

/** Of one text patterns look at so much: nobody reads on for long, and what is to be seen stands at the begin or the end. */
export const MAX_LOOKED_AT_CHARACTERS = 262_144
const LAST_CHARACTERS = 65_536

const NONE: readonly never[] = []

export class MessageView {
  readonly content: MessageContent
  readonly facts: ScoringFacts
  #fields: ReadonlyMap<string, readonly MimeField[]> | undefined
  readonly #sections = new Map<'text' | 'raw', string>()
  #raw: string | undefined
  #spamassassin: SpamMessage | undefined
  readonly #parties = new Map<Party, readonly Address[] | undefined>()
  readonly #measures = new Map<MeasureName, number | undefined>()

  constructor(content: MessageContent, facts: ScoringFacts) {
    this.content = content
    this.facts = facts
  }

  /** undefined: not known */
  values(source: TextSource): readonly string[] | undefined {
    switch (source.kind) {
      case 'subject':
      case 'text':
      case 'hidden':
      case 'folded': return [lookedAt(this.content[source.kind])]
      case 'raw': return [lookedAt(this.raw)]
      case 'full': return [lookedAt(`${this.section('raw')}\n${this.raw}`)]
      case 'header': return this.#header(source)
      case 'header-section': return [lookedAt(this.section(source.form))]
      case 'address': {
        const addresses = this.party(source.of)
        return addresses === undefined ? undefined : fieldValues(ADDRESS_FIELDS, addresses, source.field)
      }
      case 'link': return fieldValues(LINK_FIELDS, this.links, source.field)
      case 'attachment': return fieldValues(ATTACHMENT_FIELDS, this.content.attachments.slice(0, MAX_ITEMS), source.field)
      case 'part': return fieldValues(PART_FIELDS, this.content.mime.parts.slice(0, MAX_ITEMS), source.field)
      case 'fact': return this.facts.words(source.name)
      case 'charset': return this.content.mime.parts.filter(({ type }) => type.startsWith('text/')).map(({ charset }) => charset).filter((charset) => charset !== undefined)
      case 'language': return this.content.language === undefined ? undefined : [this.content.language]
      case 'defect': return [...this.content.mime.defects]
      case 'spamassassin': return this.spamassassin.pieces(source.text)
    }
  }

  measure(name: MeasureName): number | undefined {
    if (!this.#measures.has(name)) this.#measures.set(name, measure(name, this.content))
    return this.#measures.get(name)
  }

  get spamassassin(): SpamMessage {
    this.#spamassassin ??= new SpamMessage(this.content, this.facts)
    return this.#spamassassin
  }

  get links(): readonly Link[] {
    const { links } = this.content
    return links.length > MAX_ITEMS ? links.slice(0, MAX_ITEMS) : links
  }

  /** undefined: not known */
  party(party: Party): readonly Address[] | undefined {
    if (!this.#parties.has(party)) this.#parties.set(party, this.#readParty(party))
    return this.#parties.get(party)
  }

  fieldsNamed(name: string): readonly MimeField[] {
    return this.#byName.get(name) ?? NONE
  }

  /** Of the fields that there are, each once. */
  fieldNames(): Iterable<string> {
    return this.#byName.keys()
  }

  get #byName(): ReadonlyMap<string, readonly MimeField[]> {
    return this.#fields ??= byName(this.content.mime.parts[0]?.fields ?? NONE)
  }

  /** All fields in their order. */
  section(form: 'text' | 'raw'): string {
    let section = this.#sections.get(form)
    if (section === undefined) {
      section = (this.content.mime.parts[0]?.fields ?? NONE).map((field) => `${field.spelling}: ${field[form]}\n`).join('')
      this.#sections.set(form, section)
    }
    return section
  }

  /** All text parts, decoded, with their HTML. */
  get raw(): string {
    this.#raw ??= joined(this.content.mime.parts.map(({ text }) => text))
    return this.#raw
  }

  #header({ names, form, which, unset }: Extract<TextSource, { kind: 'header' }>): readonly string[] {
    const [only] = names
    const all = only !== undefined && names.length === 1 ? this.fieldsNamed(only) : names.flatMap((name) => this.fieldsNamed(name))
    if (all.length === 0) return unset === undefined ? NONE : [unset]
    if (which === 'each') return all.map((field) => field[form])
    const one = which === 'first' ? all[0] : all.at(-1)
    return one === undefined ? NONE : [one[form]]
  }

  #readParty(party: Party): readonly Address[] | undefined {
    switch (party) {
      case 'envelope': return this.#fact('sender', readAddresses)
      case 'recipient': return this.#fact('recipient', readAddresses)
      case 'dkim': return this.#fact('dkim_domain', alone)
      case 'helo': return this.#fact('helo_name', alone)
      case 'client': return this.#fact('client_name', alone)
      case 'message-id': return this.fieldsNamed('message-id').flatMap(({ raw }) => alone(/@([^@>\s]+)>?\s*$/.exec(raw.slice(-500))?.[1] ?? ''))
      case 'from':
      case 'sender':
      case 'reply-to':
      case 'to':
      case 'cc':
      case 'bcc':
      case 'return-path':
      case 'errors-to':
      case 'disposition-notification-to': return this.fieldsNamed(party).flatMap(({ raw }) => readAddresses(raw)).slice(0, MAX_ADDRESSES)
    }
  }

  #fact(name: WordFact, read: (word: string) => readonly Address[]): readonly Address[] | undefined {
    return this.facts.words(name)?.flatMap(read)
  }
}

function lookedAt(text: string): string {
  return text.length <= MAX_LOOKED_AT_CHARACTERS ? text : `${text.slice(0, MAX_LOOKED_AT_CHARACTERS - LAST_CHARACTERS)}\n${text.slice(-LAST_CHARACTERS)}`
}

function alone(text: string): readonly Address[] {
  const address = domainAlone(text)
  return address === undefined ? NONE : [address]
}

function byName(fields: readonly MimeField[]): ReadonlyMap<string, readonly MimeField[]> {
  const found = new Map<string, MimeField[]>()
  for (const field of fields) {
    const others = found.get(field.name)
    if (others === undefined) found.set(field.name, [field])
    else others.push(field)
  }
  return found
}

function joined(texts: readonly (string | undefined)[]): string {
  const some = texts.filter((text) => text !== undefined)
  const [only] = some
  const all = some.length === 1 && only !== undefined ? only : some.join('\n')
  return all.length > MAX_TEXT_CHARACTERS ? all.slice(0, MAX_TEXT_CHARACTERS) : all
}

/** Each value once. */
function fieldValues<T>(fields: ItemFields<T>, items: readonly T[], name: string): readonly string[] {
  if (name === FEATURES) return featuresOf(fields, items)
  const field = fields.get(name)
  if (field?.type !== 'text') return NONE
  const [only] = items
  if (only === undefined) return NONE
  if (items.length === 1) {
    const value = field.read(only)
    if (typeof value === 'string') return [value]
  }
  const found = new Set<string>()
  for (const item of items) {
    const value = field.read(item)
    if (typeof value === 'string') found.add(value)
    else for (const word of wordsOf(value)) found.add(word)
  }
  return [...found]
}

export function wordsOf(value: string | readonly string[] | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : value ?? NONE
}
