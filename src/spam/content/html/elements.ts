/**
 * The elements of HTML and what matters about each here: whether its start ends
 * a paragraph, whether it has content, whose start ends whom (HTML Living
 * Standard §13.2.6.4). The attributes that are looked at. Data, and look-up by
 * name, case aside.
 */
import type { Codes } from '../text/codes.ts'

/** Its start and end are the end of a paragraph. */
export const BLOCK = 1
/** It has no content and no end tag. */
export const VOID = 2
/** Its content is no markup and not shown. */
export const RAW = 4
/** Its content is no markup, but text. */
export const RAW_TEXT = 8
/** Its content is not shown. */
export const UNSEEN = 16
/** Who looks for an open element does not look beyond it. */
export const SCOPE = 32
/** Its start ends an open `p`. */
export const ENDS_P = 64
/** A cell of a table: a blank stands between it and the next. */
export const CELL = 128

/** A part of a table: its start goes back to the table, and without one it is nothing. */
export const TABLE_PART = 256
/** Where it is closed amid others, these stay open, and it goes on behind them (§13.2.4.3). */
export const FORMATTING = 512
/** Formatting does not go on beyond it. */
export const MARKER = 1024
/** An end tag of something inline does not look beyond it. */
export const SPECIAL = 2048
/** Its start tag counts once. */
export const ONCE = 4096
/** It may stand in the head; any other element ends that. */
export const IN_HEAD = 8192
/** The end tag of any of them ends the one that is open. */
export const HEADING = 16384

export interface Element {
  readonly name: string
  readonly id: number
  readonly flags: number
  /** ids of the elements of which its start ends the nearest that is open */
  readonly ends: readonly number[]
}

const FLAGS: Readonly<Record<string, number>> = {
  'address div p': BLOCK | ENDS_P,
  'article aside blockquote center details dir dl fieldset figcaption figure footer header hgroup main menu nav ol pre search section summary ul listing': BLOCK | ENDS_P | SPECIAL,
  'h1 h2 h3 h4 h5 h6': BLOCK | ENDS_P | SPECIAL | HEADING,
  'dialog': BLOCK | ENDS_P,
  'form': BLOCK | ENDS_P | SPECIAL | ONCE,
  'body': BLOCK | SPECIAL | ONCE,
  'dd dt li': BLOCK | SPECIAL,
  'legend optgroup option': BLOCK,
  'tbody thead tfoot tr': BLOCK | SPECIAL | TABLE_PART,
  'html': SPECIAL | ONCE,
  'head': SPECIAL | IN_HEAD,
  'frameset': SPECIAL,
  'title noscript': IN_HEAD,
  'table': BLOCK | SCOPE | SPECIAL,
  'caption': BLOCK | SCOPE | SPECIAL | TABLE_PART | MARKER,
  'marquee object applet': BLOCK | SCOPE | SPECIAL | MARKER,
  'td th': CELL | SCOPE | SPECIAL | TABLE_PART | MARKER,
  'hr': BLOCK | VOID | ENDS_P,
  'area br embed frame img image input isindex keygen param source track wbr': VOID,
  'base basefont bgsound link meta': VOID | IN_HEAD,
  'col': VOID | TABLE_PART,
  'colgroup': TABLE_PART,
  'script style noframes': RAW | IN_HEAD,
  'iframe noembed': RAW,
  'textarea xmp plaintext': RAW_TEXT,
  'template': UNSEEN | SPECIAL | SCOPE | MARKER | IN_HEAD,
  'datalist': UNSEEN,
  'a b big code em font i nobr s small strike strong tt u': FORMATTING,
  'button select': SPECIAL,
  'abbr acronym audio bdi bdo blink canvas cite data del dfn ins kbd label layer ilayer map mark math meter multicol output picture portal progress q rb rp rt rtc ruby samp slot spacer span sub sup svg time var video': 0,
}

const ENDS: Readonly<Record<string, string>> = { li: 'li', dd: 'dd dt', dt: 'dd dt', option: 'option', optgroup: 'option optgroup' }

/** The same for a name in any case. Others may have the same: who finds one by it compares the name too. */
export function nameHash(hash: number, code: number): number {
  return (Math.imul(hash, 31) + (code | 32)) | 0
}

function hashOf(name: string): number {
  let hash = 0
  for (let at = 0; at < name.length; at++) hash = nameHash(hash, name.charCodeAt(at))
  return hash
}

const ELEMENTS = new Map<number, Element>()
/** ids go from 1 to this */
export const ELEMENT_COUNT = ((): number => {
  const ids = new Map<string, number>()
  for (const names of Object.keys(FLAGS)) for (const name of names.split(' ')) ids.set(name, ids.size + 1)
  for (const [names, flags] of Object.entries(FLAGS)) {
    for (const name of names.split(' ')) {
      const ends = (ENDS[name] ?? '').split(' ').flatMap((one) => ids.get(one) ?? [])
      ELEMENTS.set(hashOf(name), { name, id: ids.get(name) ?? 0, flags, ends })
    }
  }
  return ids.size
})()

/** Whether this name of letters, digits and hyphens, in any case, stands at `at`; no control character does. */
export function standsAt(name: string, codes: Codes, at: number): boolean {
  // Only letters have a case, and what differs from a digit or a hyphen in that bit is a control character.
  for (let i = 0; i < name.length; i++) if (((codes[at + i] as number) | 32) !== name.charCodeAt(i)) return false
  return true
}

/** The element that has this hash, if its name is the same; undefined: there is none. */
export function elementOf(hash: number): Element | undefined {
  return ELEMENTS.get(hash)
}

/** Names that HTML does not know, of one message: more than this many are not told apart, and pass for nothing. */
const MAX_UNKNOWN_NAMES = 128
/** More than any id. */
export const MAX_ELEMENT_IDS = ELEMENT_COUNT + MAX_UNKNOWN_NAMES + 1

/** HTML knows it. */
export function isKnown({ id }: Element): boolean {
  return id <= ELEMENT_COUNT
}

/** Elements that HTML does not know, which browsers take for something inline with a style of its own. */
export class UnknownElements {
  private readonly byName = new Map<string, Element>()

  /** undefined: there are too many */
  of(name: string): Element | undefined {
    const found = this.byName.get(name)
    if (found !== undefined || this.byName.size >= MAX_UNKNOWN_NAMES) return found
    const element = { name, id: ELEMENT_COUNT + 1 + this.byName.size, flags: 0, ends: [] }
    this.byName.set(name, element)
    return element
  }
}

function known(name: string): Element {
  const element = ELEMENTS.get(hashOf(name))
  if (element === undefined) throw new Error(`an element that the list does not have: ${name}`)
  return element
}

export const A = known('a')
export const P = known('p')
export const BR = known('br')
export const BODY = known('body')
export const IMG = known('img')
export const IMAGE = known('image')
export const INPUT = known('input')
export const FORM = known('form')
export const BUTTON = known('button')
export const SCRIPT = known('script')
export const IFRAME = known('iframe')
export const AREA = known('area')
export const BASE = known('base')
export const META = known('meta')
export const LINK = known('link')
export const PLAINTEXT = known('plaintext')
export const STYLE = known('style')
export const TITLE = known('title')
export const FONT = known('font')
export const OBJECT = known('object')
export const ADDRESS = known('address')
export const DIV = known('div')
export const HTML = known('html')
export const HEAD = known('head')
export const NOSCRIPT = known('noscript')
export const TABLE = known('table')
export const TR = known('tr')
export const TBODY = known('tbody')
export const THEAD = known('thead')
export const TFOOT = known('tfoot')
export const TD = known('td')
export const TH = known('th')
export const CAPTION = known('caption')
export const COL = known('col')
export const COLGROUP = known('colgroup')
export const HEADINGS = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map(known)
export const SVG = known('svg')
export const MATH = known('math')
export const SELECT = known('select')
export const NOBR = known('nobr')
export const TEMPLATE = known('template')
export const DETAILS = known('details')
export const DIALOG = known('dialog')
export const SUMMARY = known('summary')
export const BDO = known('bdo')

/** The attributes that are looked at, and their place in the values of a tag. */
export const ATTRIBUTE = { style: 0, class: 1, id: 2, href: 3, src: 4, color: 5, bgcolor: 6, background: 7, width: 8, height: 9, alt: 10, type: 11, action: 12, 'http-equiv': 13, content: 14, hidden: 15, formaction: 16, data: 17, text: 18, open: 19, dir: 20, media: 21 } as const
export type Attribute = (typeof ATTRIBUTE)[keyof typeof ATTRIBUTE]
export const ATTRIBUTE_NAMES: readonly string[] = Object.keys(ATTRIBUTE)

const ATTRIBUTES = new Map(ATTRIBUTE_NAMES.map((name, index) => [hashOf(name), index]))

/** Of the one that has this hash, if its name is the same, the place; undefined: nobody asks for it. */
export function attributeOf(hash: number): number | undefined {
  return ATTRIBUTES.get(hash)
}
