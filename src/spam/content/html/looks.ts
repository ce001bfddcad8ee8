/**
 * How an element looks: what it inherits, what its tag, its attributes, the
 * style sheets and its own style say, in the order in which they count. Where
 * rules that are not followed may show what others hide, the hiding is doubtful.
 */
import { awayBy, goneBy, isElsewhere } from './boxes.ts'
import { attributeColor, blended, TRANSPARENT, UNKNOWN, UNSET } from './colors.ts'
import { A, BDO, BODY, DETAILS, DIALOG, SUMMARY, type Element } from './elements.ts'
import type { Box } from './facts.ts'
import { DOUBTFUL, HIDDEN, MAX_UNREADABLE_PIXELS, most, SEEN, type Look, type Sight } from './look.ts'
import type { Sheet } from './sheets.ts'
import { BACKGROUND, BIDI, COLOR, DIRECTION, DISPLAY, FONT_SIZE, HEIGHT, isSet, NO_STYLE, overlay, PAINT, valueOf, VISIBILITY, WIDTH, type Style } from './style.ts'
import { StyleMemory } from './styles.ts'
import type { TagReader } from './tag.ts'

/** A link has this colour where nothing says otherwise. */
const LINK_BLUE = 0x0000ee
const MAX_CLASSES = 8
/** Elements whose rules are remembered: a message has a few kinds, many times over. */
const MAX_KINDS_REMEMBERED = 500

function pixels(value: string | undefined): number {
  if (value === undefined || value.includes('%')) return NaN
  return parseFloat(value)
}

function finite(value: number | undefined): number {
  return value === undefined || !Number.isFinite(value) ? NaN : value
}

/** What sheets say of an element. */
interface Rules {
  readonly certain: Style
  readonly perhaps: Style
}

const NO_RULES: Rules = { certain: NO_STYLE, perhaps: NO_STYLE }

export class LookReader {
  private readonly memory = new StyleMemory()
  private readonly kinds = new Map<string, Rules>()
  private readonly sheet: Sheet | undefined
  private width = NaN
  private height = NaN
  /** of the element that was read last: the URL of its background; '' where it has none */
  backgroundImage = ''
  /** of the element that was read last: its text runs from right to left, whatever it is */
  reversed = false

  constructor(sheet: Sheet | undefined) {
    this.sheet = sheet
  }

  get truncated(): boolean {
    return this.sheet?.truncated ?? false
  }

  /** The size of the element that was read last. */
  box(seen: boolean): Box {
    return { width: this.width, height: this.height, seen }
  }

  read(element: Element, tag: TagReader, around: Readonly<Look>): Look {
    const look: Look = {
      gone: around.gone, away: around.away, invisible: around.invisible, fontSize: around.fontSize, color: around.color, background: around.background,
      fontDoubt: around.fontDoubt, colorDoubt: around.colorDoubt, groundDoubt: around.groundDoubt, folded: around.folded, loose: around.loose || this.truncated,
    }
    this.width = NaN
    this.height = NaN
    this.backgroundImage = ''
    this.reversed = false
    if (element === A) {
      look.color = LINK_BLUE
      // `<body link=…>`, and programs with a blue of their own
      look.colorDoubt = true
    }
    if (tag.attributes) this.readAttributes(element, tag, look)
    if (element === SUMMARY) look.folded = false
    else if (element === DETAILS && !tag.has('open')) look.folded = true
    else if (element === DIALOG && !tag.has('open')) look.gone = most(look.gone, DOUBTFUL)
    const { certain, perhaps } = this.rulesOf(element, tag)
    const own = tag.attributes ? tag.get('style') : undefined
    const style = own === undefined ? certain : overlay(certain, this.memory.read(own))
    const hidden = tag.has('hidden')
    if (hidden || style.set !== 0 || style.image !== '' || perhaps.set !== 0) this.apply(element, { style, perhaps, hidden, around }, look)
    return look
  }

  private readAttributes(element: Element, tag: TagReader, look: Look): void {
    const color = tag.get(element === BODY ? 'text' : 'color')
    if (color !== undefined) setColor(look, attributeColor(color))
    const ground = tag.get('bgcolor')
    if (ground !== undefined) setGround(look, attributeColor(ground))
    const image = tag.get('background')
    if (image !== undefined) {
      look.background = UNKNOWN
      this.backgroundImage = image
    }
    this.width = pixels(tag.get('width'))
    this.height = pixels(tag.get('height'))
    if (element === BDO) this.reversed = tag.get('dir')?.trim().toLowerCase() === 'rtl'
  }

  private rulesOf(element: Element, tag: TagReader): Rules {
    const { sheet } = this
    if (sheet === undefined || sheet.rules.size + sheet.perhaps.size === 0) return NO_RULES
    const classes = tag.get('class') ?? ''
    const ids = [`#${tag.get('id')?.trim() ?? ''}`, `${element.name}#${tag.get('id')?.trim() ?? ''}`]
    // Each element may have another one, of which a sheet names a few.
    const named = ids.some((one) => sheet.rules.has(one) || sheet.perhaps.has(one))
    const kind = `${element.name}\n${classes}\n${named ? ids[0] ?? '' : ''}`
    const known = this.kinds.get(kind)
    if (known !== undefined) return known
    const keys = ['*', element.name]
    for (const name of classes.split(/\s+/, MAX_CLASSES)) if (name !== '') keys.push(`.${name}`, `${element.name}.${name}`)
    if (named) keys.push(...ids)
    const all = (rules: ReadonlyMap<string, Style>): Style => keys.reduce((style, key) => overlay(style, rules.get(key) ?? NO_STYLE), NO_STYLE)
    const rules = { certain: all(sheet.rules), perhaps: all(sheet.perhaps) }
    if (this.kinds.size < MAX_KINDS_REMEMBERED) this.kinds.set(kind, rules)
    return rules
  }

  private apply(element: Element, { style, perhaps, hidden, around }: { readonly style: Style; readonly perhaps: Style; readonly hidden: boolean; readonly around: Readonly<Look> }, look: Look): void {
    const other = perhaps.set === 0 ? style : overlay(style, perhaps)
    if (look.away === HIDDEN && isElsewhere(style)) look.away = DOUBTFUL
    // Buttons are links that Outlook draws in another way: everybody else sees these.
    const outlook = element !== A
    const gone = (one: Style): Sight => (hidden && !isSet(one, DISPLAY) ? HIDDEN : goneBy(one, outlook))
    look.gone = most(look.gone, either(gone(style), () => gone(other)))
    look.away = most(look.away, either(awayBy(style, element), () => awayBy(other, element)))
    const visibility = valueOf(style, VISIBILITY)
    if (visibility === 2) look.invisible = around.invisible
    else if (visibility !== undefined) look.invisible = visibility === 1 ? SEEN : HIDDEN
    if (look.invisible === HIDDEN && (valueOf(other, VISIBILITY) ?? 0) === 1) look.invisible = DOUBTFUL
    setFontSize(look, style, other)
    setColors(look, style, around)
    if (differ(style, other, COLOR)) look.colorDoubt = true
    if (differ(style, other, BACKGROUND)) look.groundDoubt = true
    if (valueOf(other, PAINT) === 1) {
      look.colorDoubt = true
      look.groundDoubt = true
    }
    if (isSet(style, WIDTH)) this.width = finite(valueOf(style, WIDTH))
    if (isSet(style, HEIGHT)) this.height = finite(valueOf(style, HEIGHT))
    if (style.image !== '') this.backgroundImage = style.image
    if (isSet(style, BIDI)) this.reversed = valueOf(style, BIDI) === 1 && valueOf(style, DIRECTION) === 1
  }
}

/** What the rules that are followed say, or doubt where others may say otherwise. */
function either(sight: Sight, other: () => Sight): Sight {
  return sight === HIDDEN && other() !== HIDDEN ? DOUBTFUL : sight
}

function differ(style: Style, other: Style, place: number): boolean {
  return style !== other && isSet(other, place) && valueOf(style, place) !== valueOf(other, place)
}

function setFontSize(look: Look, style: Style, other: Style): void {
  const size = valueOf(style, FONT_SIZE)
  if (size !== undefined && !Number.isNaN(size)) {
    if (size >= 0) look.fontDoubt = false
    look.fontSize = size < 0 ? -size * look.fontSize : size
  } else if (size !== undefined) {
    look.fontDoubt = true
  }
  const another = valueOf(other, FONT_SIZE) ?? 0
  if (Number.isNaN(another) || another < 0 || another > MAX_UNREADABLE_PIXELS) look.fontDoubt ||= style !== other && another !== size
}

function setColors(look: Look, style: Style, around: Readonly<Look>): void {
  const color = valueOf(style, COLOR)
  if (color !== undefined) {
    if (color === UNSET) {
      look.color = around.color
      look.colorDoubt = around.colorDoubt
    } else {
      setColor(look, color)
    }
  }
  const ground = valueOf(style, BACKGROUND)
  if (ground === undefined) return
  if (ground === UNSET || ground === TRANSPARENT) {
    look.background = around.background
    look.groundDoubt = around.groundDoubt
  } else {
    setGround(look, ground)
  }
}

function setColor(look: Look, color: number): void {
  if (color === UNSET) return
  look.color = color
  look.colorDoubt = false
}

function setGround(look: Look, ground: number): void {
  if (ground === UNSET) return
  look.background = blended(ground, look.background)
  look.groundDoubt = false
}
