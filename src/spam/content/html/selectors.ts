/**
 * Selectors of CSS as far as they are followed here: `*`, a tag, a class, an id,
 * a tag with one of these, also within `body` or `html`, which are around
 * everything. Of any other it is told on which elements it may work: those that
 * its last part names. Nothing here fails.
 */

export interface Selector {
  /** `*`, `p`, `.note`, `#top`, `p.note`; tags in lower case */
  readonly key: string
  /** it works on everything that the key names */
  readonly certain: boolean
  readonly specificity: number
}

const ID = 100
const CLASS = 10
/** Beats each selector that is followed. */
export const MOST_SPECIFIC = 255
/** A selector of more characters is none of the simple ones. */
const MAX_SELECTOR_CHARACTERS = 80
const SIMPLE = /^(\*|[a-z][\w-]*)?(?:([.#])([\w-]+))?$/i
const ANYWHERE: Selector = { key: '*', certain: false, specificity: MOST_SPECIFIC }

function simple(part: string, outer: number): Selector | undefined {
  const [all, tag = '', mark = '', name = ''] = SIMPLE.exec(part) ?? []
  if (all === undefined || all === '') return undefined
  const element = tag === '*' ? '' : tag.toLowerCase()
  const specificity = (element === '' ? 0 : 1) + (mark === '#' ? ID : mark === '.' ? CLASS : 0) + outer
  return { key: element + mark + name === '' ? '*' : element + mark + name, certain: true, specificity }
}

/** The part behind the last combinator, of those that stand in no bracket. */
function lastPart(selector: string): string {
  let depth = 0
  for (let at = selector.length - 1; at >= 0; at--) {
    const code = selector.charCodeAt(at)
    if (code === 41 || code === 93) depth++
    else if (code === 40 || code === 91) depth--
    else if (depth === 0 && divides(code)) return selector.slice(at + 1)
  }
  return selector
}

/** `>`, `+`, `~`, a blank. */
function divides(code: number): boolean {
  if (code >= 0x80) return /\s/.test(String.fromCharCode(code))
  return code === 62 || code === 43 || code === 126 || code === 32 || (code >= 9 && code <= 13)
}

const NAMED = /^([a-z][\w-]*)?(?:([.#])([\w-]+)|\[\s*(class|id)\s*~?=\s*["']?([\w-]+)["']?\s*\])?/i

function maybe(selector: string): Selector | undefined {
  const part = lastPart(selector)
  // What is made before or behind an element, or is its first line, is not the element.
  if (/::|:(?:before|after|first-l)/i.test(part)) return undefined
  const [, tag = '', mark = '', name = '', attribute = '', value = ''] = NAMED.exec(part) ?? []
  const key = mark !== '' ? mark + name : attribute !== '' ? (attribute.toLowerCase() === 'id' ? '#' : '.') + value : ''
  return key === '' && tag === '' ? ANYWHERE : { key: tag.toLowerCase() + key, certain: false, specificity: MOST_SPECIFIC }
}

/** One selector of a list; undefined: it names nothing. */
export function readSelector(written: string): Selector | undefined {
  const selector = written.trim()
  if (selector === '') return undefined
  if (selector.length > MAX_SELECTOR_CHARACTERS || selector.includes('\\')) return ANYWHERE
  const alone = simple(selector, 0)
  if (alone !== undefined) return alone
  const parts = selector.split(/\s+/)
  const last = parts.pop() ?? ''
  if (parts.every((part) => part === 'body' || part === 'html' || part === '*')) {
    const found = simple(last, parts.filter((part) => part !== '*').length)
    if (found !== undefined) return found
  }
  return maybe(selector)
}
