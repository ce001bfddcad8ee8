/**
 * HTML as a reader sees it: the text that shows, the text that does not, where
 * it leads and what it is made of. One pass over the string with a tokenizer of
 * our own (HTML Living Standard §13.2.5), no tree. Nothing in it fails; what is
 * no markup is text, as in a browser.
 *
 * Not done as a browser does it: scripts are not run; formatting that is not
 * closed ends with its paragraph; of style sheets only the simple selectors work.
 */
import { MAX_HIDDEN_CHARACTERS, MAX_HTML_CHARACTERS } from '../bounds.ts'
import { MAX_TEXT_CHARACTERS, type HtmlFacts } from '../../content.ts'
import type { RawLink } from '../links/raw-link.ts'
import { RawLinks } from '../links/raw-links.ts'
import { CodeArray, isAscii, type Codes } from '../text/codes.ts'
import { TextSink } from '../text/text-sink.ts'
import { AnchorReader } from './anchors.ts'
import { A, ATTRIBUTE, BASE, BLOCK, BODY, BR, CELL, COL, COLGROUP, ENDS_P, FORM, HEAD, IMG, P, PLAINTEXT, RAW, RAW_TEXT, STYLE, TEMPLATE, TITLE, UNSEEN, UnknownElements, VOID, isKnown, type Element } from './elements.ts'
import { EntityReader } from './entities.ts'
import { FactCounter } from './facts.ts'
import { DOUBTFUL, HIDDEN, most, SEEN } from './look.ts'
import { LookReader } from './looks.ts'
import { OpenElements } from './open-elements.ts'
import { linksOf } from './resources.ts'
import { findSheets, readSheets, sheetOf, type SheetText } from './sheets.ts'
import { TagReader } from './tag.ts'

export interface HtmlReading {
  readonly text: string
  readonly hidden: string
  /** the text has no character beyond ASCII */
  readonly ascii: boolean
  readonly links: readonly RawLink[]
  /** of the text, from and to in turn: what stands in an `<a>` */
  readonly anchors: readonly number[]
  /** of `<base>`; undefined where there is none */
  readonly base: string | undefined
  readonly facts: HtmlFacts
}

const BANG = 33
const QUESTION = 63
const SLASH = 47
const LESS = 60

// One message is read at a time, from beginning to end: these are used again.
const shown = new TextSink(MAX_TEXT_CHARACTERS)
const unseen = new TextSink(MAX_HIDDEN_CHARACTERS)
const open = new OpenElements()
const tag = new TagReader()
const entities = new EntityReader()
const array = new CodeArray()

function isLetter(code: number): boolean {
  const lower = code | 32
  return lower >= 97 && lower <= 122
}

class HtmlReader {
  private readonly html: string
  private readonly codes: Codes
  private readonly end: number
  private readonly facts: FactCounter
  private readonly links = new RawLinks()
  private readonly anchors: AnchorReader
  private readonly guessed: readonly SheetText[]
  private readonly looks: LookReader
  private base: string | undefined
  private nextAmpersand: number
  private readonly unknown = new UnknownElements()
  /** as they were found in the text */
  private readonly sheets: SheetText[] = []
  private sink = shown
  /** where doubtful text goes as well */
  private also: TextSink | undefined
  /** what is open at this level or deeper runs from right to left; 0: nothing */
  private reversedLevel = 0
  private reversedFrom = 0
  /** the hidden text that comes is in an element that was counted */
  private counted = false

  constructor(html: string, bytes: number, texts?: readonly SheetText[]) {
    this.html = html
    this.codes = array.of(html, isAscii(html))
    this.end = Math.min(html.length, MAX_HTML_CHARACTERS)
    this.facts = new FactCounter(bytes)
    this.guessed = texts ?? findSheets(html, this.codes, tag)
    this.looks = new LookReader(readSheets(html, this.guessed))
    this.anchors = new AnchorReader(shown, unseen, this.links)
    this.nextAmpersand = html.indexOf('&')
  }

  read(): HtmlReading {
    shown.reset()
    unseen.reset()
    open.reset()
    let at = 0
    while (at < this.end) {
      const less = this.nextMarkup(at)
      if (less > at) this.text(at, less)
      at = less < this.end ? this.markup(less) : less
    }
    this.anchors.close()
    this.endReversed(0)
    const truncated = this.html.length > this.end || shown.full || unseen.full || open.truncated || this.looks.truncated || this.links.truncated
    return { text: shown.toString(), hidden: unseen.toString(), ascii: shown.ascii, links: this.links.all, anchors: this.anchors.ranges, base: this.base, facts: this.facts.result(truncated) }
  }

  /** The sheets that the text has, where they are others than it seemed: one stands in an attribute, or in a script. */
  otherSheets(): readonly SheetText[] | undefined {
    const { sheets, guessed } = this
    const same = sheets.length === guessed.length && sheets.every(({ from }, index) => guessed[index]?.from === from)
    return same ? undefined : sheets
  }

  private text(from: number, to: number): void {
    const { sink, also } = this
    const before = sink.length
    let at = from
    if (this.nextAmpersand >= 0 && this.nextAmpersand < from) this.nextAmpersand = this.html.indexOf('&', from)
    while (this.nextAmpersand >= 0 && this.nextAmpersand < to) {
      const ampersand = this.nextAmpersand
      const code = entities.read(this.html, ampersand, false)
      if (code >= 0) {
        if (ampersand > at) {
          sink.add(this.codes, at, ampersand)
          also?.add(this.codes, at, ampersand)
        }
        sink.addCode(code)
        also?.addCode(code)
        at = entities.end
      }
      this.nextAmpersand = this.html.indexOf('&', entities.end)
    }
    if (at < to) {
      sink.add(this.codes, at, to)
      also?.add(this.codes, at, to)
    }
    if (sink === unseen && !this.counted && sink.length > before) {
      this.counted = true
      this.facts.hiddenElements++
    }
  }

  private paragraph(): void {
    this.sink.paragraph()
    this.also?.paragraph()
  }

  private lineBreak(): void {
    this.sink.lineBreak()
    this.also?.lineBreak()
  }

  private blank(): void {
    this.sink.blank()
    this.also?.blank()
  }

  /** `<bdo dir=rtl>`: what is written from its end to its beginning is read from there, so it is turned round. */
  private startReversed(): void {
    if (!this.looks.reversed || this.reversedLevel !== 0) return
    this.reversedLevel = open.level
    this.reversedFrom = shown.length
  }

  private endReversed(level: number): void {
    if (this.reversedLevel === 0 || level >= this.reversedLevel) return
    shown.reverse(this.reversedFrom)
    this.reversedLevel = 0
  }

  /** Where text goes now. */
  private turn(): void {
    const { sight } = open.top
    const sink = sight === HIDDEN ? unseen : shown
    const also = sight === DOUBTFUL ? unseen : undefined
    if (sink === this.sink && also === this.also) return
    this.sink = sink
    this.also = also
    this.counted = false
    // What is hidden in two places is not one word.
    if (sight !== SEEN) unseen.blank()
  }

  /** The next `<` that begins something; the end where there is none. A `<` before anything else is text. */
  private nextMarkup(from: number): number {
    const { html, end } = this
    for (let less = html.indexOf('<', from); less >= 0 && less < end;) {
      const code = html.charCodeAt(less + 1)
      if (isLetter(code) || code === SLASH || code === BANG || code === QUESTION) return less
      less = code === LESS ? less + 1 : html.indexOf('<', less + 1)
    }
    return end
  }

  /** What a `<` begins; returns where the reading goes on. */
  private markup(at: number): number {
    const code = this.html.charCodeAt(at + 1)
    if (isLetter(code)) return this.startTag(at + 1)
    if (code === SLASH) return this.endTag(at + 2)
    if (code === BANG) return this.declaration(at + 2)
    return this.behind('>', at + 2)
  }

  private behind(mark: string, from: number): number {
    const found = this.html.indexOf(mark, from)
    return found < 0 ? this.end : found + mark.length
  }

  /** Behind `<!`: a comment (§13.2.5.43 and following), a document type, or what a browser takes for a comment. */
  private declaration(at: number): number {
    const html = this.html
    if (!html.startsWith('--', at)) return this.behind('>', at)
    // Outlook reads some comments: they are part of how bulk mail is made.
    if (html.charCodeAt(at + 2) !== 91) this.facts.comments++
    if (html.charCodeAt(at + 2) === 62) return at + 3
    if (html.startsWith('->', at + 2)) return at + 4
    for (let dashes = html.indexOf('--', at + 2); dashes >= 0; dashes = html.indexOf('--', dashes + 1)) {
      if (html.charCodeAt(dashes + 2) === 62) return dashes + 3
      if (html.charCodeAt(dashes + 2) === BANG && html.charCodeAt(dashes + 3) === 62) return dashes + 4
    }
    return this.end
  }

  private endTag(at: number): number {
    if (!isLetter(this.html.charCodeAt(at))) return this.behind('>', at)
    const end = tag.read(this.html, this.codes, at)
    if (end < 0) return this.end
    const element = this.elementAt(at)
    if (element === undefined) return end
    const { flags } = element
    if (element === BR) this.lineBreak()
    else if (element === P) this.paragraph()
    if (element === A) this.anchors.close()
    if ((flags & VOID) === 0) open.close(element)
    this.endReversed(open.level)
    this.turn()
    if ((flags & BLOCK) !== 0) this.paragraph()
    else if ((flags & CELL) !== 0) this.blank()
    return end
  }

  private startTag(at: number): number {
    const end = tag.read(this.html, this.codes, at)
    if (end < 0) return this.end
    const known = tag.element
    this.facts.tag(known, this.html, at)
    const element = known ?? this.elementAt(at)
    if (element === undefined) return end
    const { flags } = element
    if (element === BR) {
      this.lineBreak()
      return end
    }
    if (element === A) this.anchors.close()
    if ((flags & ENDS_P) !== 0) open.endParagraph()
    const counts = open.start(element)
    // `<path/>` is closed already in a drawing, and nowhere else.
    if (known !== undefined || !open.foreign || this.html.charCodeAt(end - 2) !== SLASH) this.open(element, counts)
    if ((flags & RAW) !== 0) return this.rawContent(element, end, false)
    if ((flags & RAW_TEXT) !== 0) return this.rawContent(element, end, true)
    return element === TITLE ? this.rawContent(element, end, false) : end
  }

  /** The element whose tag was read: its name stands there. */
  private elementAt(at: number): Element | undefined {
    return tag.element ?? this.unknown.of(this.html.slice(at, tag.nameEnd).toLowerCase())
  }

  /** `counts`: a browser does not pass over it where it stands. */
  private open(element: Element, counts: boolean): void {
    const { flags } = element
    this.endReversed(open.level)
    const around = open.top
    const look = this.looks.read(element, tag, around)
    if ((flags & UNSEEN) !== 0) look.gone = HIDDEN
    if (!counts) look.loose = true
    if (element === BODY && counts) open.setGround(look)
    if (element === BODY && !counts) open.loosen()
    // A column lies under the cells, which do not stand in it.
    if ((element === COL || element === COLGROUP) && look.background !== around.background) open.doubtGround()
    const leaf = (flags & (VOID | RAW)) !== 0 || element === TITLE || (!counts && (element === BODY || element === FORM || element === HEAD))
    if (!leaf) {
      open.push(element, look)
      this.startReversed()
      this.turn()
    }
    if ((flags & BLOCK) !== 0) this.paragraph()
    else if ((flags & CELL) !== 0) this.blank()
    const seen = most(look.gone, look.invisible) !== HIDDEN
    this.facts.element(element, tag, this.looks.box(seen))
    if (element === BASE) this.base ??= tag.get(ATTRIBUTE.href)
    if (element === A && tag.has(ATTRIBUTE.href)) this.anchors.open(tag.get(ATTRIBUTE.href) ?? '')
    else if (tag.attributes && isKnown(element)) linksOf({ element, tag, seen, image: this.looks.backgroundImage }, this.links)
    if (element === IMG && seen) this.anchors.image(tag.get(ATTRIBUTE.alt) ?? '')
  }

  /** Content that is no markup, to its end tag. */
  private rawContent(element: Element, from: number, isText: boolean): number {
    const html = this.html
    let at = from
    let closing = html.length
    while (element !== PLAINTEXT) {
      const less = html.indexOf('</', at)
      if (less < 0 || less >= this.end) break
      if (html.slice(less + 2, less + 2 + element.name.length).toLowerCase() === element.name) {
        closing = less
        break
      }
      at = less + 2
    }
    if (element === STYLE && !open.has(TEMPLATE)) this.sheets.push(sheetOf(tag, from, closing))
    if (isText) {
      this.text(from, Math.min(closing, this.end))
      open.close(element)
      this.turn()
    }
    return closing >= this.end ? this.end : this.behind('>', closing)
  }
}

/** `bytes`: of the part, as it was decoded. */
export function readHtml(html: string, bytes: number): HtmlReading {
  const reader = new HtmlReader(html, bytes)
  const reading = reader.read()
  const sheets = reader.otherSheets()
  return sheets === undefined ? reading : new HtmlReader(html, bytes, sheets).read()
}
