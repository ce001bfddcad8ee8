/** How often a stretch of text stands in mail, about: what makes one literal better to look for than another. */

import { shareInWords } from './frequent-words.ts'
import { beginsAtEdge, endsAtEdge, unmarked } from './edges.ts'

/** Shares of the commonest characters, folded. */
const COMMON: readonly (readonly [string, number])[] = [
  [' ', 0.17], ['e', 0.1], ['t', 0.08], ['a', 0.07], ['o', 0.07], ['i', 0.06], ['n', 0.06], ['s', 0.06], ['r', 0.06], ['h', 0.04], ['l', 0.04], ['d', 0.03], ['\n', 0.03], ['u', 0.03],
  ['.', 0.01], [',', 0.01], ['-', 0.01], ['/', 0.01], ['=', 0.01], ['<', 0.01], ['>', 0.01], ['"', 0.01], ['\'', 0.01], [':', 0.005],
]
const LETTER = 0.02
const OTHER = 0.003
/** Signs, pictures, what nobody sees; halves of what is beyond the first plane. */
const SIGN = 0.0005
const SIGNS: readonly (readonly [number, number])[] = [[0x2000, 0x2dff], [0xd800, 0xdfff], [0xfe00, 0xfeff]]
/** Behind another a letter is that likely at least: words are no letters thrown together. */
const WITHIN_A_WORD = 0.15
/** Letters that hardly stand twice, one behind the other. */
const NEVER_TWICE = 'ahijkquvwxy'
const TWICE = 0.005
/** No stretch is so unlikely that length alone makes a difference. */
const FLOOR = 1e-6

/** How links begin; whatever is a part of it, in so many places at least. */
const LINK_BEGIN = 'https://www.http://www.'
const SHORTEST_OF_LINK = 3
const IN_LINKS = 1e-3

/** Of HTML what stands in it again and again. */
const MARKUP = '<font size="<font color="#<img <span <div <table <td <tr <br> <a href="http src="http'
const IN_MARKUP = 3e-4

const shares = new Float64Array(128).fill(OTHER)
for (const letter of 'abcdefghijklmnopqrstuvwxyz0123456789') shares[letter.charCodeAt(0)] = LETTER
for (const [character, share] of COMMON) shares[character.charCodeAt(0)] = share

/** That a short one stands at the begin, or the end, of a word; the longer it is, the more often it does. */
const AT_EDGE = [1, 1, 0.4, 0.3, 0.45, 0.6]
const MOSTLY_AT_EDGE = 0.8

/** Share of the places of a text where it begins, with its marks (edges.ts); 1 for ''. */
export function rarityOf(marked: string): number {
  const literal = unmarked(marked)
  let share = 1
  for (let i = 0; i < literal.length && share > FLOOR; i++) {
    const code = literal.charCodeAt(i)
    const own = code < 128 ? shares[code] as number : SIGNS.some(([first, last]) => code >= first && code <= last) ? SIGN : OTHER
    if (i > 0 && literal[i] === literal[i - 1] && NEVER_TWICE.includes(literal.charAt(i))) share *= TWICE
    else share *= i > 0 && code >= 0x61 && code <= 0x7a ? Math.max(own, WITHIN_A_WORD) : own
  }
  const edge = AT_EDGE[literal.length] ?? MOSTLY_AT_EDGE
  if (beginsAtEdge(marked) && literal !== '') share *= edge
  if (endsAtEdge(marked)) share *= edge
  return Math.max(share, shareInWords(marked), leastOf(literal))
}

function leastOf(literal: string): number {
  if (literal.length < SHORTEST_OF_LINK) return FLOOR
  return LINK_BEGIN.includes(literal) ? IN_LINKS : MARKUP.includes(literal) ? IN_MARKUP : FLOOR
}
