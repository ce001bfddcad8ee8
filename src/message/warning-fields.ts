/**
 * Writes the fields by which a user's filter knows what we think of a message:
 * `X-Warning` and the `X-Spam-` fields that SpamAssassin made common. Texts and
 * names may be a stranger's: they become printable ASCII, bounded, and cannot
 * end the field. Throws for a score that is no number.
 */
import { foldedField, plainText } from './field-text.ts'

/** a whole line of it without a blank still fits in 998 bytes */
const MAX_WARNING_CHARACTERS = 900
const MAX_STARS = 50
const MAX_TESTS = 200
const MAX_TEST_CHARACTERS = 100
/** of the tests in one line, of 78 characters with what stands before them */
const MAX_LIST_CHARACTERS = 70

/** `X-Warning: <text>`; '' where the text has nothing to say. */
export function warningField(text: string): string {
  const plain = plainText(text, MAX_WARNING_CHARACTERS)
  return plain === '' ? '' : foldedField('X-Warning', [plain.split(' ')])
}

export interface SpamFacts {
  readonly spam: boolean
  readonly score: number
  /** the score from which a message is spam */
  readonly required: number
  /** names of the tests that counted */
  readonly tests: readonly string[]
}

/**
 * `X-Spam-Flag: YES` for spam only, `X-Spam-Score`, `X-Spam-Level` with a star
 * for each whole point (not there without one), `X-Spam-Status`.
 */
export function spamFields({ spam, score, required, tests }: SpamFacts): string {
  const stars = Math.min(MAX_STARS, Math.floor(score))
  const points = decimal(score)
  const status = [spam ? 'Yes,' : 'No,', `score=${points}`, `required=${decimal(required)}`]
  const [first = '', ...others] = testLists(tests)
  return [
    spam ? 'X-Spam-Flag: YES\r\n' : '',
    `X-Spam-Score: ${points}\r\n`,
    stars > 0 ? `X-Spam-Level: ${'*'.repeat(stars)}\r\n` : '',
    foldedField('X-Spam-Status', [[...status, `tests=${first}`], ...others.map((list) => [list])]),
  ].join('')
}

/** `A,B,C`, in pieces that each fit in a line, as filters expect it: no blank but at a fold. */
function testLists(tests: readonly string[]): string[] {
  const names = tests.slice(0, MAX_TESTS).map((name) => name.slice(0, MAX_TEST_CHARACTERS).replace(/[^A-Za-z0-9_.-]/g, '_')).filter((name) => name !== '')
  if (tests.length > MAX_TESTS) names.push('...')
  if (names.length === 0) return ['none']
  const lists: string[] = []
  let list = ''
  for (const [i, name] of names.entries()) {
    const item = i === names.length - 1 ? name : `${name},`
    if (list !== '' && list.length + item.length > MAX_LIST_CHARACTERS) {
      lists.push(list)
      list = ''
    }
    list += item
  }
  return [...lists, list]
}

/** One digit behind the point or two, and never rounded up: a score just below the bound must not read as having reached it. */
function decimal(score: number): string {
  if (!Number.isFinite(score)) throw new RangeError(`a score of ${score}`)
  const hundredths = Math.floor(score * 100 + 1e-6)
  return (hundredths / 100).toFixed(hundredths % 10 === 0 ? 1 : 2)
}
