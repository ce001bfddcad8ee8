/**
 * How an element looks: what it inherits, what its tag, its attributes, the
 * style sheets and its own style say, in the order in which they count. Where
 * rules that are not followed may show what others hide, the hiding is doubtful.
 */
import { awayBy, goneBy, isElsewhere } from './boxes.ts'
import { attributeColor, blended, TRANSPARENT, UNKNOWN, UNSET } from './colors.ts'
import { A, ATTRIBUTE, BDO, BODY, DETAILS, DIALOG, HEAD, SUMMARY, type Element } from './elements.ts'
import type { Box } from './facts.ts'
import { copyLook, DOUBTFUL, HIDDEN, MAX_UNREADABLE_PIXELS, most, PLAIN_LOOK, SEEN, type Look, type Sight } from './look.ts'
import type { Sheet } from './sheets.ts'
import { BACKGROUND, BIDI, COLOR, DIRECTION, DISPLAY, FONT_SIZE, HEIGHT, isSet, NO_STYLE, overlay, PAINT, PICTURE, valueOf, VISIBILITY, WIDTH, type Style } from './style.ts'
import { StyleMemory } from './styles.ts'
import { bitsOf, type TagReader } from './tag.ts'

/** A link has this colour where nothing says otherwise. */
const LINK_BLUE = 0x0000ee
/** Of an element, that a sheet names. Honest mail has a few; of more, what they say together is doubtful. */
const MAX_CLASSES = 32
/** Attributes that say how an element looks. */
const SAYS_LOOK = bitsOf(ATTRIBUTE.color, ATTRIBUTE.text, ATTRIBUTE.bgcolor, ATTRIBUTE.background, ATTRIBUTE.width, ATTRIBUTE.height, ATTRIBUTE.dir)
/** Elements whose rules are remembered: a message has a few kinds, many times over. */
const MAX_KINDS_REMEMBERED = 2000

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

/** Elements with the same classes. */
interface Kind {
  /** of the classes those that a sheet names, each with its mark */
  readonly marked: readonly string[]
  /** by id of the element */
  readonly rules: Map<number, Rules>
}

const NO_KIND: Kind = { marked: [], rules: new Map() }
const NO_RULES: Rules = { certain: NO_STYLE, perhaps: NO_STYLE }

/** `marked`: the classes and the id of an element, each with its mark. */
function rulesFor(sheet: Sheet, name: string, marked: readonly string[]): Rules {
  return { certain: styleFor(sheet.rules, name, marked), perhaps: styleFor(sheet.perhaps, name, marked) }
}

function styleFor(rules: ReadonlyMap<string, Style>, name: string, marked: readonly string[]): Style {
  if (rules.size === 0) return NO_STYLE
  let style = overlay(rules.get('*') ?? NO_STYLE, rules.get(name) ?? NO_STYLE)
  for (const one of marked) {
    style = overlay(style, rules.get(one) ?? NO_STYLE)
    style = overlay(style, rules.get(name + one) ?? NO_STYLE)
  }
  return style
}

/** Names that blanks divide, of those that are known, one more than `MAX_CLASSES` at the most. */
function namesIn(written: string, known: ReadonlySet<string>): string[] {
  const names: string[] = []
  for (let at = 0; at < written.length && names.length <= MAX_CLASSES; at++) {
    const from = at
    while (at < written.length && !isBlank(written.charCodeAt(at))) at++
    const name = written.slice(from, at)
    if (known.has(name)) names.push(name)
  }
  return names
}

/** HTML's: no other control character is one, and no other blank of Unicode. */
function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 12 || code === 13
}

export class LookReader {
  private readonly memory = new StyleMemory()
  /** of elements with classes, by what their attribute says */
  private readonly kinds = new Map<string, Kind>()
  private remembered = 0
  /** of elements with an id that a sheet names, by that and their classes */
  private readonly ids = new Map<string, Map<number, Rules>>()
  /** of the others, by id of the element */
  private readonly bare = new Map<number, Rules>()
  /** undefined: there is none, or nothing in it matters */
  private readonly sheet: Sheet | undefined
  readonly truncated: boolean
  /** of one element after the other */
  private readonly look: Look = { ...PLAIN_LOOK }
  /** the element that is read has more classes than are looked at */
  private crowded = false
  private width = NaN
  private height = NaN
  private readonly size = { width: NaN, height: NaN, seen: false }
  /** of the element that was read last: the URL of its background; '' where it has none */
  backgroundImage = ''
  /** of the element that was read last: its text runs from right to left, whatever it is */
  reversed = false

  constructor(sheet: Sheet | undefined) {
    this.sheet = sheet === undefined || sheet.rules.size + sheet.perhaps.size === 0 ? undefined : sheet
    this.truncated = sheet?.truncated ?? false
  }

  /** The size of the element that was read last; valid until the next is read. */
  box(seen: boolean): Box {
    const { size } = this
    size.width = this.width
    size.height = this.height
    size.seen = seen
    return size
  }

  /** Valid until the next element is read. */
  read(element: Element, tag: TagReader, around: Readonly<Look>): Look {
    const { look } = this
    // It looks like what it is in, as far as nothing is said.
    copyLook(look, around)
    if (this.truncated) look.loose = true
    this.width = NaN
    this.height = NaN
    this.backgroundImage = ''
    this.reversed = false
    // Text cannot stand in it: it would be that of the body.
    if (element === HEAD) return look
    if (element === A) {
      look.color = LINK_BLUE
      // `<body link=…>`, and programs with a blue of their own
      look.colorDoubt = true
    }
    if ((tag.present & SAYS_LOOK) !== 0) this.readAttributes(element, tag, look)
    if (element === SUMMARY) look.folded = false
    else if (element === DETAILS && !tag.has(ATTRIBUTE.open)) look.folded = true
    else if (element === DIALOG && !tag.has(ATTRIBUTE.open)) look.gone = most(look.gone, DOUBTFUL)
    const { certain, perhaps } = this.rulesOf(element, tag)
    if (this.wasCrowded()) look.loose = true
    const own = tag.get(ATTRIBUTE.style)
    const style = own === undefined ? certain : overlay(certain, this.memory.read(own))
    const hidden = tag.has(ATTRIBUTE.hidden)
    if (hidden || style.set !== 0 || style.image !== '' || perhaps.set !== 0) this.apply(element, { style, perhaps, hidden, around }, look)
    return look
  }

  private wasCrowded(): boolean {
    const was = this.crowded
    this.crowded = false
    return was
  }

  private readAttributes(element: Element, tag: TagReader, look: Look): void {
    const color = tag.get(element === BODY ? ATTRIBUTE.text : ATTRIBUTE.color)
    if (color !== undefined) setColor(look, attributeColor(color))
    const ground = tag.get(ATTRIBUTE.bgcolor)
    if (ground !== undefined) setGround(look, attributeColor(ground))
    const image = tag.get(ATTRIBUTE.background)
    if (image !== undefined && image !== '') {
      look.background = UNKNOWN
      this.backgroundImage = image
    }
    this.width = pixels(tag.get(ATTRIBUTE.width))
    this.height = pixels(tag.get(ATTRIBUTE.height))
    if (element === BDO) this.reversed = tag.get(ATTRIBUTE.dir)?.trim().toLowerCase() === 'rtl'
  }

  private rulesOf(element: Element, tag: TagReader): Rules {
    const { sheet } = this
    if (sheet === undefined) return NO_RULES
    if (!tag.attributes) return this.bareRules(element, sheet)
    const kind = this.kindOf(tag.get(ATTRIBUTE.class) ?? '', sheet)
    this.crowded = kind.marked.length > MAX_CLASSES
    const id = tag.get(ATTRIBUTE.id)
    if (id !== undefined && sheet.ids.has(id)) return this.rulesOfId(element, id, { sheet, marked: kind.marked })
    if (kind.marked.length === 0) return this.bareRules(element, sheet)
    const known = kind.rules.get(element.id)
    if (known !== undefined) return known
    const rules = rulesFor(sheet, element.name, kind.marked)
    if (this.remembered++ < MAX_KINDS_REMEMBERED) kind.rules.set(element.id, rules)
    return rules
  }

  /** `marked`: of the classes. */
  private rulesOfId(element: Element, id: string, { sheet, marked }: { readonly sheet: Sheet; readonly marked: readonly string[] }): Rules {
    const key = marked.length === 0 ? id : `${id}${marked.join('')}`
    let known = this.ids.get(key)
    if (known === undefined) {
      known = new Map<number, Rules>()
      if (this.ids.size < MAX_KINDS_REMEMBERED) this.ids.set(key, known)
    }
    const found = known.get(element.id)
    if (found !== undefined) return found
    const rules = rulesFor(sheet, element.name, [...marked, `#${id}`])
    if (this.remembered++ < MAX_KINDS_REMEMBERED) known.set(element.id, rules)
    return rules
  }

  private kindOf(classes: string, sheet: Sheet): Kind {
    if (classes === '') return NO_KIND
    const known = this.kinds.get(classes)
    if (known !== undefined) return known
    const kind = { marked: namesIn(classes, sheet.classes).map((name) => `.${name}`), rules: new Map<number, Rules>() }
    if (this.kinds.size < MAX_KINDS_REMEMBERED) this.kinds.set(classes, kind)
    return kind
  }

  private bareRules({ id, name }: Element, sheet: Sheet): Rules {
    const known = this.bare.get(id)
    if (known !== undefined) return known
    const rules = rulesFor(sheet, name, [])
    this.bare.set(id, rules)
    return rules
  }

  private apply(element: Element, { style, perhaps, hidden, around }: { readonly style: Style; readonly perhaps: Style; readonly hidden: boolean; readonly around: Readonly<Look> }, look: Look): void {
    const other = perhaps.set === 0 ? style : overlay(style, perhaps)
    if (look.away === HIDDEN && isElsewhere(style)) look.away = DOUBTFUL
    // Buttons are links that Outlook draws in another way: everybody else sees these.
    const outlook = element !== A
    const gone = (one: Style): Sight => (hidden && !isSet(one, DISPLAY) ? HIDDEN : goneBy(one, outlook))
    const goneNow = gone(style)
    const awayNow = awayBy(style, element)
    // What the rules that are followed say, or doubt where others may say otherwise.
    look.gone = most(look.gone, goneNow === HIDDEN && other !== style && gone(other) !== HIDDEN ? DOUBTFUL : goneNow)
    look.away = most(look.away, awayNow === HIDDEN && other !== style && awayBy(other, element) !== HIDDEN ? DOUBTFUL : awayNow)
    const visibility = valueOf(style, VISIBILITY)
    if (visibility === 2) look.invisible = around.invisible
    else if (visibility !== undefined) look.invisible = visibility === 1 ? SEEN : HIDDEN
    if (look.invisible === HIDDEN && (valueOf(other, VISIBILITY) ?? 0) === 1) look.invisible = DOUBTFUL
    setFontSize(look, style, other)
    setColors(look, style, around)
    setGrounds(look, style, around)
    // Every colour can be read on some picture, whatever colour lies below it.
    if (valueOf(style, PICTURE) === 1 || (this.backgroundImage !== '' && !isSet(style, PICTURE))) look.background = UNKNOWN
    if (differ(style, other, COLOR)) look.colorDoubt = true
    if (differ(style, other, BACKGROUND) || differ(style, other, PICTURE)) look.groundDoubt = true
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
}

function setGrounds(look: Look, style: Style, around: Readonly<Look>): void {
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
  // What shows through is as sure as it was.
  if (look.background === ground) look.groundDoubt = false
}
