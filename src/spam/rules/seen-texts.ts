/**
 * Which texts may have values in a message, told without reading them: most
 * fields that rules ask for are in few messages, and many messages have no link
 * or nothing attached. Of the others it is sure that they have none.
 */
import { OF_THE_MESSAGE } from './addresses.ts'
import type { TextSource } from './condition.ts'
import type { MessageView } from './texts.ts'

const LINKS = ' links'
const ATTACHMENTS = ' attachments'

export class SeenTexts {
  /** which texts are there where something is: by names of fields, which have no blanks, and the above */
  readonly #by = new Map<string, number[]>()
  /** for each text 1 where it may have values: before anything is seen, and in this message */
  readonly #always: Uint8Array
  readonly #seen: Uint8Array

  constructor(sources: readonly TextSource[]) {
    const things = sources.map(thingsOf)
    this.#always = Uint8Array.from(things, (some) => Number(some === undefined))
    this.#seen = this.#always.slice()
    for (const [number, some] of things.entries()) for (const thing of some ?? []) this.#add(thing, number)
  }

  #add(thing: string, number: number): void {
    const others = this.#by.get(thing)
    if (others === undefined) this.#by.set(thing, [number])
    else others.push(number)
  }

  /** For each text 1 or 0; until the next message. */
  of(view: MessageView): Uint8Array {
    this.#seen.set(this.#always)
    for (const name of view.fieldNames()) this.#see(name)
    if (view.content.links.length > 0) this.#see(LINKS)
    if (view.content.attachments.length > 0) this.#see(ATTACHMENTS)
    return this.#seen
  }

  #see(thing: string): void {
    const numbers = this.#by.get(thing)
    if (numbers !== undefined) for (const number of numbers) this.#seen[number] = 1
  }
}

/** One of these must be there; a party of the message has the name of its field. Undefined: it may always have values, or it is not known whether it has. */
function thingsOf(source: TextSource): readonly string[] | undefined {
  switch (source.kind) {
    case 'header': return source.unset === undefined ? source.names : undefined
    case 'address': return OF_THE_MESSAGE.has(source.of) ? [source.of] : undefined
    case 'link': return [LINKS]
    case 'attachment': return [ATTACHMENTS]
    case 'subject':
    case 'text':
    case 'hidden':
    case 'folded':
    case 'raw':
    case 'full':
    case 'header-section':
    case 'part':
    case 'fact':
    case 'charset':
    case 'language':
    case 'defect':
    case 'spamassassin': return undefined
  }
}
