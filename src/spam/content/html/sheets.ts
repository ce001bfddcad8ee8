/**
 * The `<style>` elements of a message, as far as they hide text: rules for a tag,
 * a class, an id, or a tag with a class. Everything else (descendants, states,
 * `@media`) is passed over: what shows only on one kind of screen is no evidence.
 * They are read before the text, since a rule works wherever it stands.
 */
import { MAX_SHEET_CHARACTERS, MAX_SHEET_RULES } from '../bounds.ts'
import { NO_STYLE, overlay, readStyle, type Style } from './styles.ts'

export interface Sheet {
  /** by selector: `p`, `.note`, `#top`, `p.note`; lower case */
  readonly rules: ReadonlyMap<string, Style>
  readonly truncated: boolean
}

const SELECTOR = /^(?:[a-z][a-z0-9]*)?(?:[.#][a-z0-9_-]+)?$/
/** A selector of more characters is none of the simple ones. */
const MAX_SELECTOR_CHARACTERS = 80

function isPlain(style: Style): boolean {
  return style.flags === 0 && Number.isNaN(style.fontSize) && style.color === NO_STYLE.color && style.background === NO_STYLE.background
}

/** Behind the block whose `{` stands at `open`, with the blocks in it; the end where it is not closed. */
function behindBlock(css: string, open: number): number {
  let depth = 0
  for (let at = open; at < css.length; at++) {
    const code = css.charCodeAt(at)
    if (code === 123) depth++
    else if (code === 125 && --depth === 0) return at + 1
  }
  return css.length
}

class SheetReader {
  private readonly rules = new Map<string, Style>()
  private left = MAX_SHEET_CHARACTERS
  private truncated = false

  /** The content of one `<style>`. */
  read(html: string, from: number, to: number): void {
    if (to - from > this.left) this.truncated = true
    const css = withoutComments(html.slice(from, Math.min(to, from + this.left)))
    this.left -= Math.min(to - from, this.left)
    let at = 0
    while (at < css.length) {
      const open = css.indexOf('{', at)
      if (open < 0) return
      const selectors = css.slice(at, open).trim()
      if (selectors.startsWith('@')) {
        // `@import …;` and `@charset …;` have no block: the rule begins behind their semicolon.
        const semicolon = selectors.indexOf(';')
        at = semicolon < 0 ? behindBlock(css, open) : css.indexOf(';', at) + 1
        continue
      }
      const close = css.indexOf('}', open)
      const end = close < 0 ? css.length : close
      this.rule(selectors, css.slice(open + 1, end))
      at = end + 1
    }
  }

  result(): Sheet | undefined {
    return this.rules.size === 0 && !this.truncated ? undefined : { rules: this.rules, truncated: this.truncated }
  }

  private rule(selectors: string, declarations: string): void {
    const style = readStyle(declarations)
    if (isPlain(style)) return
    for (const written of selectors.split(',')) {
      const selector = written.trim().toLowerCase()
      if (selector === '' || selector.length > MAX_SELECTOR_CHARACTERS || !SELECTOR.test(selector)) continue
      if (this.rules.size >= MAX_SHEET_RULES) {
        this.truncated = true
        return
      }
      const before = this.rules.get(selector)
      this.rules.set(selector, before === undefined ? style : overlay(before, style))
    }
  }
}

/** CSS comments, and the marks of an HTML comment that old pages put around a sheet. */
function withoutComments(css: string): string {
  let text = css
  if (text.includes('/*')) text = text.replace(/\/\*[^*]*(?:\*(?!\/)[^*]*)*(?:\*\/|$)/g, ' ')
  return text.includes('<!--') || text.includes('-->') ? text.replace(/<!--|-->/g, ' ') : text
}

/** Sheets are written in lower case, or in upper case by old programs; nothing else occurs. */
const OPENINGS = [['<style', '</style'], ['<STYLE', '</STYLE'], ['<Style', '</Style']] as const

/** undefined: no rule that matters. */
export function readSheets(html: string): Sheet | undefined {
  let reader: SheetReader | undefined
  for (const [opening, closing] of OPENINGS) {
    let at = html.indexOf(opening)
    if (at < 0) continue
    reader ??= new SheetReader()
    let comment = html.indexOf('<!--')
    while (at >= 0) {
      // What stands in a comment (for Outlook, mostly) is no rule for anybody else.
      if (comment >= 0 && comment < at) {
        const end = html.indexOf('-->', comment + 2)
        if (end < 0) break
        if (end > at) at = html.indexOf(opening, end)
        comment = html.indexOf('<!--', end)
        continue
      }
      const start = html.indexOf('>', at)
      if (start < 0) break
      const found = html.indexOf(closing, start)
      const end = found < 0 ? html.length : found
      reader.read(html, start + 1, end)
      at = html.indexOf(opening, end)
      if (comment >= 0 && comment < end) comment = html.indexOf('<!--', end)
    }
  }
  return reader?.result()
}
