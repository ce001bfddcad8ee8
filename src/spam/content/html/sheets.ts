/**
 * The `<style>` elements of a message, as far as they hide text or show it (CSS
 * Syntax §5.4). Rules whose selector is followed (selectors.ts) work. Any other
 * rule, one within `@media` and the like, and what stands in a sheet for some
 * screens only, hides nothing, but may show what others hide: that is kept
 * aside. They are read before the text, since a rule works wherever it stands.
 * Each character is looked at once; nothing here fails.
 */
import { MAX_SHEET_CHARACTERS, MAX_SHEET_RULES } from '../bounds.ts'
import { ATTRIBUTE } from './elements.ts'
import { MOST_SPECIFIC, readSelector, type Selector } from './selectors.ts'
import { NO_STYLE, onlyShowing, overlay, type Style } from './style.ts'
import type { Codes } from '../text/codes.ts'
import { behindComment, behindString, readStyle } from './styles.ts'
import type { TagReader } from './tag.ts'

export interface Sheet {
  /** by key of a selector: `p`, `.note`, `#top`, `p.note`, `*` */
  readonly rules: ReadonlyMap<string, Style>
  /** what may show, in the same way */
  readonly perhaps: ReadonlyMap<string, Style>
  /** names in the keys of both */
  readonly classes: ReadonlySet<string>
  readonly ids: ReadonlySet<string>
  /** something was not read: it may show anything */
  readonly truncated: boolean
  /** characters that were looked at: those of selectors again for each piece of their rule */
  readonly work: number
}

/** The content of one `<style>`. */
export interface SheetText {
  readonly from: number
  readonly to: number
  /** for some screens, or in no language that is known */
  readonly conditional: boolean
}

const SPECIFICITY_RANK = 0x4_0000
const MAX_ORDER = SPECIFICITY_RANK - 1
/** Blocks in blocks; what is deeper is passed over. */
const MAX_DEPTH = 32

/** Of all sheets together, what is read again included. */
const MAX_SELECTOR_WORK = 4 * MAX_SHEET_CHARACTERS

/** A block that is open. */
interface Block {
  /** of a rule; undefined: of `@media` and the like */
  readonly selectors: string | undefined
  readonly conditional: boolean
  /** nothing in it counts: `@font-face`, `@page`, `@media print` */
  readonly ignored: boolean
}

const OUTSIDE: Block = { selectors: undefined, conditional: false, ignored: false }

class SheetReader {
  readonly rules = new Map<string, Style>()
  readonly perhaps = new Map<string, Style>()
  readonly classes = new Set<string>()
  readonly ids = new Set<string>()
  private readonly selectors = new Map<string, Selector | undefined>()
  private left = MAX_SHEET_CHARACTERS
  private order = 0
  work = 0
  truncated = false
  private css = ''
  private blocks: Block[] = []

  read(css: string, conditional: boolean): void {
    if (css.length > this.left) this.truncated = true
    this.css = css.slice(0, this.left)
    this.left -= this.css.length
    this.blocks = [{ ...OUTSIDE, conditional }]
    this.scan()
  }

  private scan(): void {
    const { css } = this
    let from = 0
    let semicolon = -1
    for (let at = 0; at < css.length;) {
      const code = css.charCodeAt(at)
      if (code === 34 || code === 39) {
        at = behindString(css, at)
        continue
      }
      if (code === 47 && css.charCodeAt(at + 1) === 42) {
        at = behindComment(css, at)
        continue
      }
      if (code === 92) at++
      else if (code === 59) {
        semicolon = at
        // `@import …;` and `@charset …;` have no block.
        if (this.blocks.at(-1)?.selectors === undefined) from = at + 1
      } else if (code === 123) {
        const start = semicolon >= from ? semicolon + 1 : from
        // A rule in a rule: what stands before its selector is of the outer one.
        if (start > from) this.declarations(from, start)
        this.open(plain(css.slice(start, at)))
        from = at + 1
      } else if (code === 125) {
        this.declarations(from, at)
        if (this.blocks.length > 1) this.blocks.pop()
        from = at + 1
      }
      at++
    }
    this.declarations(from, css.length)
  }

  private open(prelude: string): void {
    const around = this.blocks.at(-1) ?? OUTSIDE
    if (this.blocks.length > MAX_DEPTH) {
      // The end of what is deeper closes what is not so deep: nobody can say what is in what.
      this.truncated = true
      return
    }
    if (prelude.startsWith('@')) {
      const ignored = around.ignored || !/^@(?:media|supports|layer|container|scope|document|-moz-document|starting-style)\b/i.test(prelude) || /^@media\s+print$/i.test(prelude)
      this.blocks.push({ selectors: around.selectors, conditional: true, ignored })
    } else if (around.selectors === undefined) {
      this.blocks.push({ selectors: prelude, conditional: around.conditional, ignored: around.ignored })
    } else {
      this.blocks.push({ selectors: `${around.selectors},${prelude.replaceAll('&', ' ')}`, conditional: true, ignored: around.ignored })
    }
  }

  private declarations(from: number, to: number): void {
    const { selectors, conditional, ignored } = this.blocks.at(-1) ?? OUTSIDE
    if (ignored || selectors === undefined || to <= from) return
    // The selectors of a rule with rules in it are read for each of its pieces.
    if (this.work > MAX_SELECTOR_WORK) {
      this.truncated = true
      return
    }
    this.work += selectors.length + to - from
    const order = Math.min(++this.order, MAX_ORDER)
    const written = this.css.slice(from, to)
    const seen = new Map<number, Style>()
    // A rule in rules has the same selectors many times over.
    const shown = new Set<string>()
    let showing: Style | undefined
    for (const one of selectors.split(',')) {
      const selector = this.selector(one)
      if (selector === undefined) continue
      const { key } = selector
      const certain = selector.certain && !conditional
      const rules = certain ? this.rules : this.perhaps
      // Nothing more would be kept of it, and that is known.
      if (this.truncated && this.full && !rules.has(key)) continue
      if (!certain) {
        if (!shown.has(key)) this.add(rules, key, showing ??= onlyShowing(readStyle(written, MOST_SPECIFIC * SPECIFICITY_RANK + order)))
        shown.add(key)
        continue
      }
      let style = seen.get(selector.specificity)
      if (style === undefined) seen.set(selector.specificity, style = readStyle(written, selector.specificity * SPECIFICITY_RANK + order))
      this.add(rules, key, style)
    }
  }

  private add(rules: Map<string, Style>, key: string, style: Style): void {
    if (style.set === 0) return
    const before = rules.get(key)
    if (before === undefined && this.full) {
      this.truncated = true
      return
    }
    rules.set(key, overlay(before ?? NO_STYLE, style))
    const mark = before === undefined ? key.search(/[.#]/) : -1
    if (mark >= 0) (key.charAt(mark) === '.' ? this.classes : this.ids).add(key.slice(mark + 1))
  }

  /** Those of a rule with rules in it come again and again. */
  private selector(written: string): Selector | undefined {
    if (this.selectors.has(written)) return this.selectors.get(written)
    const selector = readSelector(written)
    if (this.selectors.size < MAX_SHEET_RULES) this.selectors.set(written, selector)
    return selector
  }

  private get full(): boolean {
    return this.rules.size + this.perhaps.size >= MAX_SHEET_RULES
  }
}

/** Without comments, and the marks of an HTML comment that old pages put around a sheet. */
function plain(css: string): string {
  let text = css
  if (text.includes('/*')) text = text.replace(/\/\*[^*]*(?:\*(?!\/)[^*]*)*(?:\*\/|$)/g, ' ')
  if (text.includes('<!--') || text.includes('-->')) text = text.replace(/<!--|-->/g, ' ')
  return text.trim()
}

/** undefined: there is none. */
export function readSheets(html: string, texts: readonly SheetText[]): Sheet | undefined {
  if (texts.length === 0) return undefined
  const reader = new SheetReader()
  for (const { from, to, conditional } of texts) reader.read(html.slice(from, to), conditional)
  return { rules: reader.rules, perhaps: reader.perhaps, classes: reader.classes, ids: reader.ids, truncated: reader.truncated, work: reader.work }
}

/** The content of the `<style>` whose start tag was read. */
export function sheetOf(tag: TagReader, from: number, to: number): SheetText {
  const language = tag.get(ATTRIBUTE.type)?.trim().toLowerCase() ?? ''
  const screens = tag.get(ATTRIBUTE.media)?.trim().toLowerCase() ?? ''
  return { from, to, conditional: (language !== '' && language !== 'text/css') || (screens !== '' && screens !== 'all' && screens !== 'screen') }
}

/** Where sheets seem to be, before the text is read: the reading of the text tells whether it is so. */
export function findSheets(html: string, codes: Codes, tag: TagReader): SheetText[] {
  const texts: SheetText[] = []
  const openings = /<style(?=[\s/>])/gi
  const closings = /<\/style/gi
  let found = openings.exec(html)
  // Most HTML has no sheet, and all of it has many `<`: comments are looked for where there is one.
  let comment = found === null ? -1 : html.indexOf('<!--')
  for (; found !== null; found = openings.exec(html)) {
    let end = -1
    // What stands in a comment (for Outlook, mostly) is no rule for anybody else.
    while (comment >= 0 && comment < found.index) {
      end = html.indexOf('-->', comment + 2)
      if (end < 0) return texts
      if (end > found.index) break
      comment = html.indexOf('<!--', end)
    }
    if (comment >= 0 && comment < found.index) {
      openings.lastIndex = end
      continue
    }
    const start = tag.read(html, codes, found.index + 1)
    if (start < 0) break
    closings.lastIndex = start
    const to = closings.exec(html)?.index ?? html.length
    texts.push(sheetOf(tag, start, to))
    openings.lastIndex = to
    if (comment >= 0 && comment < to) comment = html.indexOf('<!--', to)
  }
  return texts
}
