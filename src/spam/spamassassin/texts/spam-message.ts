/**
 * A message as rules in SpamAssassin's format see it: bytes, headers with a line
 * feed at their end, rendered paragraphs, URIs. Everything is made when it is
 * asked for the first time. Pure; nothing throws for what is in a message.
 */
import type { MimeField } from '../../../mime/message-parts.ts'
import type { MessageContent } from '../../content.ts'
import type { ScoringFacts } from '../../facts.ts'
import { organizationalDomain } from '../../../reputation/organizational-domain.ts'
import { answerOf } from './answers.ts'
import { bodyPieces, plainTexts, rawPieces, unseenTexts } from './body-pieces.ts'
import { withoutCr } from './bytes.ts'
import { dateShift } from './dates.ts'
import { writtenAddresses } from './header-addresses.ts'
import { decodedField, headerEnd, readHeaderLines } from './header-lines.ts'
import type { HeaderLine } from './header-lines.ts'
import { capitalsOfHundred } from './letters.ts'
import type { HeaderPart, SpamQuestion, SpamText } from './spam-text.ts'
import { uriPieces } from './uris.ts'

type HeaderText = Extract<SpamText, { of: 'header' }>
type PartText = Extract<SpamText, { of: 'part-header' }>

const MAX_HEADER_VALUE = 65_536
const MAX_PART_FIELDS = 1000
/** One for all fields that are not there: it is looked at once. */
const EMPTY: readonly string[] = ['']
const MESSAGE_IDS = ['resent-message-id', 'x-message-id', 'message-id']

export class SpamMessage {
  readonly content: MessageContent
  readonly facts: ScoringFacts
  #source: string | undefined
  #header: string | undefined
  #lines: readonly HeaderLine[] | undefined
  #named: ReadonlyMap<string, readonly HeaderLine[]> | undefined
  #body: readonly string[] | undefined
  #dateShift: number | undefined
  #capitals: number | undefined

  constructor(content: MessageContent, facts: ScoringFacts) {
    this.content = content
    this.facts = facts
  }

  /** undefined: not known */
  pieces(text: SpamText): readonly string[] | undefined {
    switch (text.of) {
      case 'body': return text.subject ? [this.value('subject'), ...this.body] : this.body
      case 'rawbody': return rawPieces(this.content.mime)
      case 'full': return [this.source]
      case 'uri': return uriPieces(this.content.links, [this.content.subject, ...unseenTexts(this.content)], plainTexts(this.content))
      case 'header': {
        const value = this.#headerText(text)
        if (value === '' && text.unset === '') return EMPTY
        return value === undefined ? undefined : [value === '' ? text.unset : value.slice(0, MAX_HEADER_VALUE)]
      }
      case 'part-header': return this.#partFields(text)
    }
  }

  /** how often it holds; undefined: not known */
  answer(question: SpamQuestion): number | undefined {
    return answerOf(this, question)
  }

  get body(): readonly string[] {
    this.#body ??= bodyPieces(this.content)
    return this.#body
  }

  /** seconds by which Date lies ahead of the nearest Received */
  get dateShift(): number {
    this.#dateShift ??= dateShift([...this.#values('resent-date'), ...this.#values('date')], this.#values('received'))
    return this.#dateShift
  }

  /** of a hundred letters and digits of Subject and body */
  get capitals(): number {
    this.#capitals ??= capitalsOfHundred([this.value('subject'), ...this.body], this.content.mime.parts.flatMap(({ charset }) => charset ?? []))
    return this.#capitals
  }

  /** its first bytes as they stand */
  get source(): string {
    this.#source ??= withoutCr(this.content.mime.source.map((piece) => piece.toString('latin1')).join(''))
    return this.#source
  }

  get header(): string {
    this.#header ??= this.source.slice(0, headerEnd(this.source))
    return this.#header
  }

  get lines(): readonly HeaderLine[] {
    this.#lines ??= readHeaderLines(this.header)
    return this.#lines
  }

  linesNamed(name: string): readonly HeaderLine[] {
    this.#named ??= byName(this.lines)
    return this.#named.get(name) ?? []
  }

  /** All fields of a name decoded, '' where there is none. */
  value(name: string): string {
    return this.linesNamed(name).map(({ decoded }) => decoded).join('')
  }

  #values(name: string): readonly string[] {
    return this.linesNamed(name).map(({ decoded }) => decoded)
  }

  /** '': there is none */
  #headerText({ name, raw, take, which }: HeaderText): string | undefined {
    const form = raw ? 'raw' : 'decoded'
    switch (name) {
      case 'ALL': return raw ? this.header : this.lines.map(({ spelling, decoded }) => `${spelling}: ${decoded}`).join('')
      case 'ToCc': return take === undefined ? this.#joined(['to', 'cc'], form) : ['to', 'cc'].map((field) => partsOf(this.linesNamed(field).map((line) => line[form]).join(''), take)).filter((text) => text !== '').join('\n')
      case 'MESSAGEID': return this.#joined(MESSAGE_IDS, form)
      case 'EnvelopeFrom': return taken(this.facts.words('sender')?.[0], take)
      case 'X-Spam-Relays-External':
      case 'X-Spam-Relays-Untrusted': return this.#relays()
      default: {
        const all = this.linesNamed(name)
        const some = which === 'each' ? all : which === 'first' ? all.slice(0, 1) : all.slice(-1)
        // The field is added where mail is delivered.
        if (all.length === 0 && name === 'return-path') return pathOf(taken(this.facts.words('sender')?.[0], take), take)
        return take === undefined ? some.map((line) => line[form]).join('') : partsOf(some.map((line) => line[form]).join(''), take)
      }
    }
  }

  #joined(names: readonly string[], form: 'raw' | 'decoded'): string {
    return names.flatMap((name) => this.linesNamed(name)).map((line) => line[form]).join('')
  }

  /** The client that speaks to us, as rules about the first relay ask for it; what stands in Received fields is anybody's word. */
  #relays(): string | undefined {
    const [client, names, helos, senders] = (['client', 'client_name', 'helo_name', 'sender'] as const).map((fact) => this.facts.words(fact))
    const ip = client?.[0]
    if (ip === undefined || names === undefined || helos === undefined || senders === undefined) return undefined
    const value = (words: readonly string[]) => (words[0] ?? '').replace(/[\s[\]]+/g, '!')
    return `[ ip=${ip} rdns=${value(names)} helo=${value(helos)} by= ident= envfrom=${value(senders)} intl=0 id= auth= msa=0 ]`
  }

  #partFields({ name, raw, unset = '', parts }: PartText): readonly string[] {
    const values = new Set<string>()
    const texts: string[] = []
    for (const { fields } of parts === undefined ? this.content.mime.parts : this.content.mime.parts.slice(Math.max(0, parts.from - 1), parts.to)) {
      if (values.size >= MAX_PART_FIELDS) break
      const some = name === 'ALL' ? [fields.map((field) => `${field.spelling}: ${partField(field, raw)}`).join('')] : fields.filter((field) => field.name === name).map((field) => partField(field, raw))
      if (some.length === 0) values.add(unset)
      for (const value of some) values.add(value)
      if (parts?.joined === true) texts.push(some.at(-1) ?? `${unset}\n`)
    }
    if (parts?.joined === true) return [texts.join('').slice(0, MAX_HEADER_VALUE)]
    return values.size === 1 && values.has('') ? EMPTY : [...values]
  }
}

/** Where a line was folded at a tab, the tab is left. */
function partField({ name, raw }: MimeField, asWritten: boolean): string {
  return `${asWritten ? raw : decodedField(name, raw.replaceAll('\t', ' '))}\n`
}

function byName(lines: readonly HeaderLine[]): ReadonlyMap<string, readonly HeaderLine[]> {
  const found = new Map<string, HeaderLine[]>()
  for (const line of lines) {
    const others = found.get(line.name)
    if (others === undefined) found.set(line.name, [line])
    else others.push(line)
  }
  return found
}

function partsOf(value: string, take: HeaderPart): string {
  return writtenAddresses(value).map(({ address, name }) => (take === 'name' ? name : address === '' ? '' : taken(address, take) ?? '')).filter((text) => text !== '').join('\n')
}

function taken(address: string | undefined, take: HeaderPart | undefined): string | undefined {
  if (address === undefined || take === undefined || take === 'addr') return address
  const host = address.slice(address.lastIndexOf('@') + 1)
  return take === 'name' ? '' : take === 'host' ? host : organizationalDomain(host.toLowerCase()) ?? host.toLowerCase()
}

function pathOf(sender: string | undefined, take: HeaderPart | undefined): string {
  return sender === undefined ? '' : take === undefined ? `<${sender}>\n` : sender
}
