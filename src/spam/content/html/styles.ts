/**
 * Reads the declarations of a `style` attribute or of a rule (CSS Syntax §5),
 * of the properties that matter here. What is not valid, and anything else, is
 * passed over. One pass, nothing here fails.
 */
import { MAX_STYLES_REMEMBERED } from '../bounds.ts'
import { declare } from './properties.ts'
import { emptyStyle, INLINE_RANK, type Style, type StyleInMaking } from './style.ts'

const COMMENT = /\/\*[^*]*(?:\*(?!\/)[^*]*)*(?:\*\/|$)/g
const ESCAPE = /\\([0-9a-fA-F]{1,6})[ \t\r\n]?|\\([^])/g

/** What is escaped is part of a name, never a sign that divides: `\64 isplay` is `display`, `\3b` is no semicolon. */
export function withoutEscapes(css: string): string {
  return css.replace(ESCAPE, (_, hex?: string, plain?: string) => {
    const code = hex === undefined ? NaN : parseInt(hex, 16)
    const sign = Number.isNaN(code) ? plain ?? '' : code > 0x10ffff ? '' : String.fromCodePoint(code)
    return /^[-\w]$/.test(sign) ? sign : '\ufffd'
  })
}

/** Behind the string whose quotation mark stands at `at`; a line feed ends it too. */
export function behindString(css: string, at: number): number {
  const quote = css.charCodeAt(at)
  for (let i = at + 1; i < css.length; i++) {
    const code = css.charCodeAt(i)
    if (code === 92) i++
    else if (code === quote || code === 10) return i + 1
  }
  return css.length
}

/** Behind the comment that begins at `at`. */
export function behindComment(css: string, at: number): number {
  const end = css.indexOf('*/', at + 2)
  return end < 0 ? css.length : end + 2
}

class DeclarationReader {
  private readonly css: string
  private readonly rank: number
  private readonly style: StyleInMaking = emptyStyle()
  private tricks = false

  constructor(css: string, rank: number) {
    this.css = css
    this.rank = rank
  }

  read(): Style {
    const { css } = this
    let from = 0
    let depth = 0
    for (let at = 0; at < css.length;) {
      const code = css.charCodeAt(at)
      if (code === 34 || code === 39) at = behindString(css, at)
      else if (code === 47 && css.charCodeAt(at + 1) === 42) {
        this.tricks = true
        at = behindComment(css, at)
      } else {
        if (code === 92) {
          this.tricks = true
          at++
        } else if (code === 40 || code === 91 || code === 123) depth++
        else if (code === 41 || code === 93 || code === 125) depth = Math.max(0, depth - 1)
        else if (code === 59 && depth === 0) {
          this.declaration(from, at)
          from = at + 1
        }
        at++
      }
    }
    this.declaration(from, css.length)
    return this.style
  }

  private declaration(from: number, to: number): void {
    if (!this.tricks) {
      declare(this.style, { css: this.css, from, to, rank: this.rank })
      return
    }
    this.tricks = false
    const plain = withoutEscapes(this.css.slice(from, to).replace(COMMENT, ''))
    declare(this.style, { css: plain, from: 0, to: plain.length, rank: this.rank })
  }
}

/** The declarations of one `style` attribute, or of one rule between its braces. `rank`: of those that are not `!important`. */
export function readStyle(written: string, rank = INLINE_RANK): Style {
  return new DeclarationReader(written, rank).read()
}

/** Remembers what was read: the same few styles stand everywhere in a message. */
export class StyleMemory {
  private readonly known = new Map<string, Style>()

  read(written: string): Style {
    const found = this.known.get(written)
    if (found !== undefined) return found
    const style = readStyle(written)
    if (this.known.size < MAX_STYLES_REMEMBERED) this.known.set(written, style)
    return style
  }
}
