/**
 * Character references in HTML (HTML Living Standard §13.2.5.72 and following):
 * numeric ones as browsers read them, and the named ones of HTML 4 with those of
 * HTML 5 that stand for ASCII or for nothing visible, since they are what hides
 * a word. A name that is not known is text.
 */

/** U+00A0 to U+00FF in their order; browsers know these without `;` too. */
const LATIN_1 = 'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest ' +
  'Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig ' +
  'agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml'

/** Greek in their order, from U+0391 and U+03B1; a dash where there is none. */
const GREEK_UPPER = 'Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho - Sigma Tau Upsilon Phi Chi Psi Omega'
const GREEK_LOWER = 'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi omega'

/** Name and code point in hexadecimal. */
const OTHERS = 'OElig:152 oelig:153 Scaron:160 scaron:161 Yuml:178 fnof:192 circ:2c6 tilde:2dc thetasym:3d1 upsih:3d2 piv:3d6 ' +
  'ensp:2002 emsp:2003 thinsp:2009 zwnj:200c zwj:200d lrm:200e rlm:200f ndash:2013 mdash:2014 lsquo:2018 rsquo:2019 sbquo:201a ldquo:201c rdquo:201d bdquo:201e dagger:2020 Dagger:2021 bull:2022 hellip:2026 ' +
  'permil:2030 prime:2032 Prime:2033 lsaquo:2039 rsaquo:203a oline:203e frasl:2044 euro:20ac image:2111 weierp:2118 real:211c trade:2122 alefsym:2135 larr:2190 uarr:2191 rarr:2192 darr:2193 harr:2194 crarr:21b5 ' +
  'lArr:21d0 uArr:21d1 rArr:21d2 dArr:21d3 hArr:21d4 forall:2200 part:2202 exist:2203 empty:2205 nabla:2207 isin:2208 notin:2209 ni:220b prod:220f sum:2211 minus:2212 lowast:2217 radic:221a prop:221d infin:221e ang:2220 ' +
  'and:2227 or:2228 cap:2229 cup:222a int:222b there4:2234 sim:223c cong:2245 asymp:2248 ne:2260 equiv:2261 le:2264 ge:2265 sub:2282 sup:2283 nsub:2284 sube:2286 supe:2287 oplus:2295 otimes:2297 perp:22a5 sdot:22c5 ' +
  'lceil:2308 rceil:2309 lfloor:230a rfloor:230b lang:2329 rang:232a loz:25ca spades:2660 clubs:2663 hearts:2665 diams:2666 ' +
  'apos:27 Tab:9 NewLine:a excl:21 num:23 dollar:24 percnt:25 lpar:28 rpar:29 ast:2a midast:2a plus:2b comma:2c period:2e sol:2f colon:3a semi:3b equals:3d quest:3f commat:40 lsqb:5b lbrack:5b bsol:5c rsqb:5d rbrack:5d Hat:5e ' +
  'lowbar:5f UnderBar:5f grave:60 lcub:7b lbrace:7b verbar:7c vert:7c VerticalLine:7c rcub:7d rbrace:7d NonBreakingSpace:a0 hyphen:2010 dash:2010 horbar:2015 nldr:2025 puncsp:2008 numsp:2007 hairsp:200a ' +
  'ZeroWidthSpace:200b NegativeThinSpace:200b NegativeMediumSpace:200b NegativeThickSpace:200b NegativeVeryThinSpace:200b NoBreak:2060 ApplyFunction:2061 af:2061 InvisibleTimes:2062 it:2062 InvisibleComma:2063 ic:2063 ' +
  'imath:131 inodot:131 fflig:fb00 filig:fb01 fllig:fb02 check:2713 star:2606 starf:2605 phone:260e'

const WITHOUT_SEMICOLON = new Map<string, number>()
const WITH_SEMICOLON = new Map<string, number>()

for (const [name, code] of [['amp', 38], ['AMP', 38], ['lt', 60], ['LT', 60], ['gt', 62], ['GT', 62], ['quot', 34], ['QUOT', 34], ['COPY', 0xa9], ['REG', 0xae]] as const) WITHOUT_SEMICOLON.set(name, code)
LATIN_1.split(' ').forEach((name, index) => WITHOUT_SEMICOLON.set(name, 0xa0 + index))
GREEK_UPPER.split(' ').forEach((name, index) => WITH_SEMICOLON.set(name, 0x391 + index))
GREEK_LOWER.split(' ').forEach((name, index) => WITH_SEMICOLON.set(name, 0x3b1 + index))
for (const pair of OTHERS.split(' ')) WITH_SEMICOLON.set(pair.slice(0, pair.indexOf(':')), parseInt(pair.slice(pair.indexOf(':') + 1), 16))
for (const [name, code] of WITHOUT_SEMICOLON) WITH_SEMICOLON.set(name, code)

/** Numbers from 128 to 159 mean Windows-1252 (§13.2.5.80); 0 where they mean themselves. */
const WINDOWS_1252 = [0x20ac, 0, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0, 0x17e, 0x178]

const REPLACEMENT = 0xfffd
/** `CounterClockwiseContourIntegral` is the longest in HTML 5; none of ours is longer than half of it. */
const MAX_NAME = 32
const MAX_LEGACY_NAME = 6
const NO_REFERENCE = -1

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function isLetterOrDigit(code: number): boolean {
  const lower = code | 32
  return isDigit(code) || (lower >= 97 && lower <= 122)
}

function hexValue(code: number): number {
  if (isDigit(code)) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

function realCode(value: number): number {
  if (value === 0 || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return REPLACEMENT
  if (value >= 0x80 && value <= 0x9f) return WINDOWS_1252[value - 0x80] || value
  return value
}

/** Reads one reference at a time; `end` is the offset behind it. */
export class EntityReader {
  end = 0

  /** The code point of the reference whose `&` stands at `at`; -1: it is none, and `end` is behind the `&`. */
  read(source: string, at: number, inAttribute: boolean): number {
    this.end = at + 1
    return source.charCodeAt(at + 1) === 35 ? this.numeric(source, at + 2) : this.named(source, at + 1, inAttribute)
  }

  private numeric(source: string, from: number): number {
    const hex = (source.charCodeAt(from) | 32) === 120
    const start = hex ? from + 1 : from
    let value = 0
    let at = start
    for (; at < source.length; at++) {
      const code = source.charCodeAt(at)
      const digit = hex ? hexValue(code) : isDigit(code) ? code - 48 : -1
      if (digit < 0) break
      if (value <= 0x10ffff) value = value * (hex ? 16 : 10) + digit
    }
    if (at === start) return NO_REFERENCE
    this.end = source.charCodeAt(at) === 59 ? at + 1 : at
    return realCode(value)
  }

  private named(source: string, from: number, inAttribute: boolean): number {
    let at = from
    while (at - from < MAX_NAME && isLetterOrDigit(source.charCodeAt(at))) at++
    if (at === from) return NO_REFERENCE
    if (source.charCodeAt(at) === 59) {
      const code = WITH_SEMICOLON.get(source.slice(from, at))
      if (code !== undefined) {
        this.end = at + 1
        return code
      }
    }
    for (let end = Math.min(at, from + MAX_LEGACY_NAME); end >= from + 2; end--) {
      const code = WITHOUT_SEMICOLON.get(source.slice(from, end))
      if (code === undefined) continue
      // In an attribute `&copy=1` is a parameter of a URL, not a sign.
      const next = source.charCodeAt(end)
      if (inAttribute && (next === 61 || isLetterOrDigit(next))) return NO_REFERENCE
      this.end = end
      return code
    }
    return NO_REFERENCE
  }
}

const reader = new EntityReader()

/** The value of an attribute with its references decoded. */
export function decodeAttribute(value: string): string {
  let ampersand = value.indexOf('&')
  if (ampersand < 0) return value
  const pieces: string[] = []
  let done = 0
  while (ampersand >= 0) {
    const code = reader.read(value, ampersand, true)
    if (code >= 0) {
      pieces.push(value.slice(done, ampersand), String.fromCodePoint(code))
      done = reader.end
    }
    ampersand = value.indexOf('&', reader.end)
  }
  pieces.push(value.slice(done))
  return pieces.join('')
}
