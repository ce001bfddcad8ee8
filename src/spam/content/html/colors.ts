/**
 * Colours of HTML and CSS as 0xRRGGBB: `#rgb` in its four lengths, `rgb()`,
 * `hsl()`, names, how much shows through them, and what old attributes make of anything (HTML Living
 * Standard §2.3.6, "legacy colour value"). What cannot be read is UNKNOWN.
 */

/** Nobody can say: an image, a gradient, a word that is no colour. Nothing is the same as it. */
export const UNKNOWN = -1
export const TRANSPARENT = -2
/** Nothing is said. */
export const UNSET = -3

const NAMES = 'aliceblue f0f8ff antiquewhite faebd7 aqua 00ffff aquamarine 7fffd4 azure f0ffff beige f5f5dc bisque ffe4c4 black 000000 blanchedalmond ffebcd blue 0000ff blueviolet 8a2be2 brown a52a2a burlywood deb887 ' +
  'cadetblue 5f9ea0 chartreuse 7fff00 chocolate d2691e coral ff7f50 cornflowerblue 6495ed cornsilk fff8dc crimson dc143c cyan 00ffff darkblue 00008b darkcyan 008b8b darkgoldenrod b8860b darkgray a9a9a9 darkgreen 006400 ' +
  'darkgrey a9a9a9 darkkhaki bdb76b darkmagenta 8b008b darkolivegreen 556b2f darkorange ff8c00 darkorchid 9932cc darkred 8b0000 darksalmon e9967a darkseagreen 8fbc8f darkslateblue 483d8b darkslategray 2f4f4f ' +
  'darkslategrey 2f4f4f darkturquoise 00ced1 darkviolet 9400d3 deeppink ff1493 deepskyblue 00bfff dimgray 696969 dimgrey 696969 dodgerblue 1e90ff firebrick b22222 floralwhite fffaf0 forestgreen 228b22 fuchsia ff00ff ' +
  'gainsboro dcdcdc ghostwhite f8f8ff gold ffd700 goldenrod daa520 gray 808080 green 008000 greenyellow adff2f grey 808080 honeydew f0fff0 hotpink ff69b4 indianred cd5c5c indigo 4b0082 ivory fffff0 khaki f0e68c ' +
  'lavender e6e6fa lavenderblush fff0f5 lawngreen 7cfc00 lemonchiffon fffacd lightblue add8e6 lightcoral f08080 lightcyan e0ffff lightgoldenrodyellow fafad2 lightgray d3d3d3 lightgreen 90ee90 lightgrey d3d3d3 ' +
  'lightpink ffb6c1 lightsalmon ffa07a lightseagreen 20b2aa lightskyblue 87cefa lightslategray 778899 lightslategrey 778899 lightsteelblue b0c4de lightyellow ffffe0 lime 00ff00 limegreen 32cd32 linen faf0e6 ' +
  'magenta ff00ff maroon 800000 mediumaquamarine 66cdaa mediumblue 0000cd mediumorchid ba55d3 mediumpurple 9370db mediumseagreen 3cb371 mediumslateblue 7b68ee mediumspringgreen 00fa9a mediumturquoise 48d1cc ' +
  'mediumvioletred c71585 midnightblue 191970 mintcream f5fffa mistyrose ffe4e1 moccasin ffe4b5 navajowhite ffdead navy 000080 oldlace fdf5e6 olive 808000 olivedrab 6b8e23 orange ffa500 orangered ff4500 orchid da70d6 ' +
  'palegoldenrod eee8aa palegreen 98fb98 paleturquoise afeeee palevioletred db7093 papayawhip ffefd5 peachpuff ffdab9 peru cd853f pink ffc0cb plum dda0dd powderblue b0e0e6 purple 800080 rebeccapurple 663399 red ff0000 ' +
  'rosybrown bc8f8f royalblue 4169e1 saddlebrown 8b4513 salmon fa8072 sandybrown f4a460 seagreen 2e8b57 seashell fff5ee sienna a0522d silver c0c0c0 skyblue 87ceeb slateblue 6a5acd slategray 708090 slategrey 708090 ' +
  'snow fffafa springgreen 00ff7f steelblue 4682b4 tan d2b48c teal 008080 thistle d8bfd8 tomato ff6347 turquoise 40e0d0 violet ee82ee wheat f5deb3 white ffffff whitesmoke f5f5f5 yellow ffff00 yellowgreen 9acd32 ' +
  'window ffffff windowtext 000000'

const BY_NAME = new Map<string, number>()
{
  const words = NAMES.split(' ')
  for (let at = 0; at + 1 < words.length; at += 2) BY_NAME.set(words[at] ?? '', parseInt(words[at + 1] ?? '', 16))
}

/** `window ffffff` and what is longer than any name and any function is no colour. */
const MAX_COLOR_CHARACTERS = 64

/** Above this, a colour says how much shows through it: 1 (nearly nothing) to 255. */
const THROUGH = 0x1000000
/** What is fainter than this is not there. */
const MIN_ALPHA = 0.05

function withAlpha(color: number, alpha: number): number {
  if (color < 0 || Number.isNaN(alpha)) return color
  if (alpha <= MIN_ALPHA) return TRANSPARENT
  return color + Math.round((1 - Math.min(alpha, 1)) * 255) * THROUGH
}

/** What an eye sees of a colour on its ground. */
export function blended(color: number, ground: number): number {
  if (color < THROUGH) return color
  if (ground < 0) return UNKNOWN
  const through = Math.floor(color / THROUGH) / 255
  const part = (shift: number): number => Math.round(((color >> shift) & 255) * (1 - through) + ((ground >> shift) & 255) * through) << shift
  return part(16) + part(8) + part(0)
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  return code >= 97 && code <= 102 ? code - 87 : -1
}

/** Of at most eight digits; -1: one of them is none. */
function hexNumber(digits: string): number {
  let value = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = hexValue(digits.charCodeAt(at))
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

function hexColor(digits: string): number {
  if (digits.length > 8) return UNKNOWN
  const value = hexNumber(digits)
  if (value < 0) return UNKNOWN
  switch (digits.length) {
    case 3: return ((value >> 8) & 15) * 0x110000 + ((value >> 4) & 15) * 0x1100 + (value & 15) * 0x11
    case 4: return withAlpha(hexColor(digits.slice(0, 3)), (value & 15) / 15)
    case 6: return value
    case 8: return withAlpha(Math.floor(value / 256), (value & 255) / 255)
    default: return UNKNOWN
  }
}

function channel(text: string): number {
  const value = text.endsWith('%') ? parseFloat(text) * 2.55 : parseFloat(text)
  return Number.isNaN(value) ? 0 : Math.min(255, Math.max(0, Math.round(value)))
}

/** A percentage as a number from 0 to 1. */
function share(text: string): number {
  const value = parseFloat(text)
  return Number.isNaN(value) ? 0 : Math.min(1, Math.max(0, value / 100))
}

function fromHsl(hue: number, saturation: number, lightness: number): number {
  const part = (offset: number): number => {
    const k = (((offset + hue / 30) % 12) + 12) % 12
    return Math.round(255 * (lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  }
  return part(0) * 0x10000 + part(8) * 0x100 + part(4)
}

function functionColor(text: string): number {
  const open = text.indexOf('(')
  if (!text.endsWith(')')) return UNKNOWN
  const parts = text.slice(open + 1, -1).split(/[\s,/]+/).filter((part) => part !== '')
  if (parts.length < 3) return UNKNOWN
  const [first = '', second = '', third = '', alpha] = parts
  const opacity = alpha === undefined ? 1 : alpha.endsWith('%') ? parseFloat(alpha) / 100 : parseFloat(alpha)
  const name = text.slice(0, open)
  if (name === 'rgb' || name === 'rgba') return withAlpha(channel(first) * 0x10000 + channel(second) * 0x100 + channel(third), opacity)
  if (name !== 'hsl' && name !== 'hsla') return UNKNOWN
  const hue = parseFloat(first)
  return Number.isNaN(hue) ? UNKNOWN : withAlpha(fromHsl(hue, share(second), share(third)), opacity)
}

/** A colour as CSS writes it, lower case. */
export function cssColor(text: string): number {
  if (text.length > MAX_COLOR_CHARACTERS) return UNKNOWN
  if (text.charCodeAt(0) === HASH) return hexColor(text.slice(1))
  const named = BY_NAME.get(text)
  if (named !== undefined) return named
  if (text === 'transparent') return TRANSPARENT
  return text.includes('(') ? functionColor(text) : UNKNOWN
}

/** A colour as `color` and `bgcolor` have it: there is nothing that a browser does not take for one. */
export function attributeColor(value: string): number {
  const text = value.trim().toLowerCase()
  if (text === '' || text === 'transparent') return UNSET
  const hashed = text.charCodeAt(0) === HASH
  const named = hashed ? undefined : BY_NAME.get(text)
  if (named !== undefined) return named
  if (text.length > MAX_COLOR_CHARACTERS) return UNKNOWN
  const bare = hashed ? text.slice(1) : text
  const plain = bare.length === 6 || (hashed && bare.length === 3) ? hexColor(bare) : UNKNOWN
  return plain === UNKNOWN ? legacyColor(text) : plain
}

const HASH = 35

/** What is no hexadecimal digit is a 0; of each third the first two of the last eight digits count. */
function legacyColor(text: string): number {
  const hash = text.indexOf('#')
  const size = hash < 0 ? text.length : text.length - 1
  const third = Math.ceil(size / 3)
  const digit = (at: number): number => (at < size ? Math.max(0, hexValue(text.charCodeAt(hash < 0 || at < hash ? at : at + 1))) : 0)
  // Of long thirds the last eight digits count, and of these none that is 0 in all of them.
  let skipped = Math.max(0, third - 8)
  while (third - skipped > 2 && [0, 1, 2].every((index) => digit(index * third + skipped) === 0)) skipped++
  const part = (index: number): number => {
    const from = index * third + skipped
    return third === 1 ? digit(from) : digit(from) * 16 + digit(from + 1)
  }
  return part(0) * 0x10000 + part(1) * 0x100 + part(2)
}

/** How far apart two channels may be before an eye tells the colours apart: #eeeeee on white is 17. */
const MAX_SAME_DISTANCE = 20

/** Nobody can read the one on the other. */
export function sameToTheEye(color: number, ground: number): boolean {
  if (color < 0 || ground < 0) return false
  return Math.abs((color >> 16) - (ground >> 16)) <= MAX_SAME_DISTANCE
    && Math.abs(((color >> 8) & 255) - ((ground >> 8) & 255)) <= MAX_SAME_DISTANCE
    && Math.abs((color & 255) - (ground & 255)) <= MAX_SAME_DISTANCE
}
