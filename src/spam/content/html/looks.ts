/**
 * How an element looks: what it inherits, what its tag, its attributes, the
 * style sheets and its own style say, in the order in which they count.
 */
import { attributeColor, UNKNOWN, UNSET } from './colors.ts'
import { A, BODY, type Element } from './elements.ts'
import type { Box } from './facts.ts'
import type { Look } from './open-elements.ts'
import { readSheets, type Sheet } from './sheets.ts'
import { CLIPPED, EMPTY_BOX, GONE, INVISIBLE, MSO_HIDDEN, NO_STYLE, overlay, StyleMemory, VISIBLE, type Style } from './styles.ts'
import type { TagReader } from './tag.ts'

/** A link has this colour where nothing says otherwise. */
const LINK_BLUE = 0x0000ee
const MAX_CLASSES = 8

function pixels(value: string | undefined): number {
  if (value === undefined || value.includes('%')) return NaN
  return parseFloat(value)
}

export class LookReader {
  private readonly memory = new StyleMemory()
  private readonly sheet: Sheet | undefined
  private width = NaN
  private height = NaN
  /** of the element that was read last: the URL of its background; '' where it has none */
  backgroundImage = ''

  constructor(html: string) {
    this.sheet = readSheets(html)
  }

  get truncated(): boolean {
    return this.sheet?.truncated ?? false
  }

  /** The size of the element that was read last. */
  box(seen: boolean): Box {
    return { width: this.width, height: this.height, seen }
  }

  read(element: Element, tag: TagReader, around: Readonly<Look>): Look {
    const look: Look = { gone: around.gone, invisible: around.invisible, fontSize: around.fontSize, color: around.color, background: around.background }
    this.width = NaN
    this.height = NaN
    this.backgroundImage = ''
    if (element === A) look.color = LINK_BLUE
    if (tag.attributes) this.readAttributes(element, tag, look)
    const style = this.styleOf(element, tag)
    if (style !== NO_STYLE) this.apply(style, element, look)
    return look
  }

  private readAttributes(element: Element, tag: TagReader, look: Look): void {
    const color = tag.get(element === BODY ? 'text' : 'color')
    if (color !== undefined) set(look, 'color', attributeColor(color))
    const ground = tag.get('bgcolor')
    if (ground !== undefined) set(look, 'background', attributeColor(ground))
    const image = tag.get('background')
    if (image !== undefined) {
      look.background = UNKNOWN
      this.backgroundImage = image
    }
    if (tag.has('hidden')) look.gone = true
    this.width = pixels(tag.get('width'))
    this.height = pixels(tag.get('height'))
  }

  private styleOf(element: Element, tag: TagReader): Style {
    const own = tag.get('style')
    const inline = own === undefined ? NO_STYLE : this.memory.read(own)
    const rules = this.sheet?.rules
    if (rules === undefined || rules.size === 0) return inline
    let style = rules.get(element.name) ?? NO_STYLE
    const add = (selector: string): void => {
      const rule = rules.get(selector)
      if (rule !== undefined) style = style === NO_STYLE ? rule : overlay(style, rule)
    }
    const classes = tag.get('class')
    if (classes !== undefined) {
      for (const name of classes.toLowerCase().split(/\s+/, MAX_CLASSES)) {
        if (name === '') continue
        add(`.${name}`)
        add(`${element.name}.${name}`)
      }
    }
    const id = tag.get('id')
    if (id !== undefined) {
      const name = id.trim().toLowerCase()
      add(`#${name}`)
      add(`${element.name}#${name}`)
    }
    if (inline === NO_STYLE) return style
    return style === NO_STYLE ? inline : overlay(style, inline)
  }

  private apply(style: Style, element: Element, look: Look): void {
    const { flags } = style
    if ((flags & GONE) !== 0) look.gone = true
    if ((flags & (EMPTY_BOX | CLIPPED)) === (EMPTY_BOX | CLIPPED)) look.gone = true
    // Buttons are links that Outlook draws in another way: everybody else sees these.
    if ((flags & MSO_HIDDEN) !== 0 && element !== A) look.gone = true
    if ((flags & INVISIBLE) !== 0) look.invisible = true
    else if ((flags & VISIBLE) !== 0) look.invisible = false
    if (!Number.isNaN(style.fontSize)) look.fontSize = style.relative ? style.fontSize * look.fontSize : style.fontSize
    set(look, 'color', style.color)
    set(look, 'background', style.background)
    if (!Number.isNaN(style.width)) this.width = style.width
    if (!Number.isNaN(style.height)) this.height = style.height
    if (style.image !== '') this.backgroundImage = style.image
  }
}

function set(look: Look, what: 'color' | 'background', color: number): void {
  if (color !== UNSET) look[what] = color
}
