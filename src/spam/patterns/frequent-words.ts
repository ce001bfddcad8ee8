/**
 * How often the frequent words of English mail stand in it, about, and so any
 * stretch of them: what is found within such words is found all the time,
 * however rare its letters are.
 */
import { beginsAtEdge, endsAtEdge, unmarked } from './edges.ts'

/** By the negative power of two that is their share of the places of a text. */
const WORDS: readonly (readonly [number, string])[] = [
  [8, 'the to'],
  [9, 'and of you in'],
  [10, 'is for that it this your on http https'],
  [11, 'com with be are or from have as not we if will by can at www all our'],
  [12, 'list email net an more my but no do free get out one they was mail here so has just time up only new click now there what about any people please information business how like money us use which'],
  [13, 'make would me their don who been address than when html some other name them over also send font then message home want internet web order work into report may receive these because see most need even first know many way could site its much had remove he am subject very go company credit world should after account view'],
  [14, 'find best help well take spam day those does good right line own size check his using through government service every phone today think years online group million number were year back where form before below call news life available date unsubscribe marketing said price same within made being while easy computer still offer per file sent change off link such why start say days two product used down received sure set center never few full addresses services next really state future subscription again too search looking anyone card real special month following color long give type cost something since products look better let url access another top orders last reply security contact save week great going data try low windows old keep support programs must come simple found visit times companies ever personal page fax complete cash end messages website dollars text under face case interest team privacy app'],
]
/** Behind another word one stands so many times as often as at any one place. */
const BEHIND_ANOTHER = 60
const LEAST_LETTERS = 2

const NOWHERE = 0

/** By stretch, for all of them and for those that begin, end, or are, a word. */
let shares: readonly ReadonlyMap<string, number>[] | undefined

/** Share of the places of a text where a literal, with its marks, stands within or over common words. */
export function shareInWords(literal: string): number {
  const bare = unmarked(literal)
  const words = bare.split(' ').filter((word) => word !== '')
  const [first, last] = [words[0], words.at(-1)]
  if (first === undefined || last === undefined) return NOWHERE
  const begins = beginsAtEdge(literal) || bare.startsWith(' ')
  const ends = endsAtEdge(literal) || bare.endsWith(' ')
  if (words.length === 1) return shareOf(first, begins, ends)
  return words.reduce((share, word, at) => share * Math.min(1, (at > 0 ? BEHIND_ANOTHER : 1) * shareOf(word, at > 0 || begins, at < words.length - 1 || ends)), 1)
}

function shareOf(stretch: string, begins: boolean, ends: boolean): number {
  shares ??= sharesOfAll()
  return shares[Number(begins) + 2 * Number(ends)]?.get(stretch) ?? NOWHERE
}

function sharesOfAll(): readonly ReadonlyMap<string, number>[] {
  const found = Array.from({ length: 4 }, () => new Map<string, number>())
  const add = (kind: number, stretch: string, share: number): void => {
    found[kind]?.set(stretch, (found[kind].get(stretch) ?? 0) + share)
  }
  for (const [power, words] of WORDS) {
    const share = 2 ** -power
    for (const word of words.split(' ')) {
      for (let from = 0; from + LEAST_LETTERS <= word.length; from++) {
        for (let end = from + LEAST_LETTERS; end <= word.length; end++) {
          const stretch = word.slice(from, end)
          add(0, stretch, share)
          if (from === 0) add(1, stretch, share)
          if (end === word.length) add(2, stretch, share)
          if (from === 0 && end === word.length) add(3, stretch, share)
        }
      }
    }
  }
  return found
}
