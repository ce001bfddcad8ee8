/**
 * What scoring sees of a message, out of what the MIME reader found: texts,
 * hidden texts, links, attachments, characters, language. Pure, synchronous,
 * linear and bounded (bounds.ts); never throws for what is in a message.
 */
import type { MimeMessage } from '../../mime/message-parts.ts'
import type { Attachment, HtmlFacts, Link, MessageContent } from '../content.ts'
import { readAttachments } from './attachments/attachments.ts'
import { addFacts } from './html/facts.ts'
import { LinkList } from './links/link-list.ts'
import { readShownParts, shownText, type ShownPart, type ShownText } from './shown-parts.ts'
import { isAscii } from './text/codes.ts'
import { fold } from './text/fold.ts'
import { languageOf } from './text/language.ts'
import { scriptShares } from './text/scripts.ts'

/** A text in which so much of the letters is Latin is one in Latin letters. */
const MIN_LATIN_SHARE = 0.5

class ReadContent implements MessageContent {
  readonly mime: MimeMessage
  readonly subject: string
  readonly text: string
  readonly hidden: string
  readonly html: HtmlFacts | undefined
  readonly links: readonly Link[]
  readonly attachments: readonly Attachment[]
  readonly shownParts: readonly ShownPart[]
  private readonly ascii: boolean
  private madeFolded: string | undefined
  private madeScripts: ReadonlyMap<string, number> | undefined
  private madeLanguage: { readonly value: string | undefined } | undefined

  constructor(mime: MimeMessage, parts: readonly ShownPart[], shown: ShownText) {
    this.mime = mime
    this.subject = mime.parts[0]?.fields.find(({ name }) => name === 'subject')?.text ?? ''
    this.text = shown.text
    this.hidden = shown.hidden
    this.ascii = shown.ascii && isAscii(this.subject)
    this.html = factsOf(parts)
    this.links = linksOf(parts)
    this.attachments = readAttachments(mime)
    this.shownParts = parts
  }

  // Not every set of rules asks for these three.
  get folded(): string {
    return this.madeFolded ??= fold(this.subject === '' ? this.text : `${this.subject}\n${this.text}`, (this.scripts.get('Latin') ?? 0) >= MIN_LATIN_SHARE)
  }

  get scripts(): ReadonlyMap<string, number> {
    return this.madeScripts ??= scriptShares([this.subject, this.text], this.ascii)
  }

  get language(): string | undefined {
    this.madeLanguage ??= { value: languageOf(this.text, this.scripts) }
    return this.madeLanguage.value
  }
}

function factsOf(parts: readonly ShownPart[]): HtmlFacts | undefined {
  let facts: HtmlFacts | undefined
  for (const { html } of parts) if (html !== undefined) facts = facts === undefined ? html.facts : addFacts(facts, html.facts)
  return facts
}

function linksOf(parts: readonly ShownPart[]): readonly Link[] {
  const list = new LinkList()
  for (const { plain, html, attached } of parts) {
    if (plain !== undefined) list.addText(plain.text)
    if (html === undefined) continue
    // Nobody sees the links of what is attached before he opens it.
    list.add(attached ? html.links.map((link) => ({ ...link, hidden: true })) : html.links, html.base)
    if (!attached) list.addText(html.text, html.anchors)
  }
  return list.result()
}

/** Rules of other formats look at the same parts in another way: they are not read for it again. */
export function shownPartsOf(content: MessageContent): readonly ShownPart[] {
  return content instanceof ReadContent ? content.shownParts : readShownParts(content.mime)
}

export function readContent(mime: MimeMessage): MessageContent {
  const parts = readShownParts(mime)
  return new ReadContent(mime, parts, shownText(parts))
}
