/**
 * The elements of HTML and what matters about each here: whether its start ends
 * a paragraph, whether it has content, whose start ends whom (HTML Living
 * Standard §13.2.6.4). The attributes that are looked at. Data, and look-up by
 * name, case aside.
 */

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

export interface Element {
  readonly name: string
  readonly id: number
  readonly flags: number
  /** ids of the elements of which its start ends the nearest that is open */
  readonly ends: readonly number[]
}

const FLAGS: Readonly<Record<string, number>> = {
  'address article aside blockquote body center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup main menu nav ol pre search section summary ul p listing': BLOCK | ENDS_P,
  'dd dt legend li optgroup option tbody thead tfoot tr': BLOCK,
  'html head frameset title': 0,
  'table caption marquee object applet': BLOCK | SCOPE,
  'td th': CELL | SCOPE,
  'hr': BLOCK | VOID | ENDS_P,
  'area base basefont bgsound br col embed frame img image input isindex keygen link meta param source track wbr': VOID,
  'script style iframe noframes noembed': RAW,
  'textarea xmp plaintext': RAW_TEXT,
  'template datalist': UNSEEN,
  'a abbr acronym audio b bdi bdo big blink button canvas cite code colgroup data del dfn em font i ins kbd label layer ilayer map mark math meter multicol nobr noscript output picture portal progress q rb rp rt rtc ruby s samp select slot small spacer span strike strong sub sup svg time tt u var video': 0,
}

const ENDS: Readonly<Record<string, string>> = {
  li: 'li', dd: 'dd dt', dt: 'dd dt', td: 'td th', th: 'td th', tr: 'tr td th', tbody: 'tbody thead tfoot tr td th', thead: 'tbody thead tfoot tr', tfoot: 'tbody thead tfoot tr td th', option: 'option', optgroup: 'option optgroup', a: 'a', button: 'button',
}

/** The same for a name in any case; two names that have the same are told apart by nothing else, which harms nobody. */
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

export function elementOf(hash: number): Element | undefined {
  return ELEMENTS.get(hash)
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

/** The attributes that are looked at, by their place in the values of a tag. */
export const ATTRIBUTE_NAMES = ['style', 'class', 'id', 'href', 'src', 'color', 'bgcolor', 'background', 'width', 'height', 'alt', 'type', 'action', 'http-equiv', 'content', 'hidden', 'formaction', 'data', 'text'] as const
export type AttributeName = (typeof ATTRIBUTE_NAMES)[number]

const ATTRIBUTES = new Map(ATTRIBUTE_NAMES.map((name, index) => [hashOf(name), index]))

/** Its place, or undefined: nobody asks for it. */
export function attributeOf(hash: number): number | undefined {
  return ATTRIBUTES.get(hash)
}
