/** Sets of characters: members, complements, properties. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ASCII_ALPHABET, closedOver, complementOf, EMPTY_PAGE, FULL_PAGE, making, propertySet, SetBuilder, setOfCharacters, UNICODE_ALPHABET } from '../../../../src/spam/patterns/character-set.ts'
import type { CharacterSet } from '../../../../src/spam/patterns/character-set.ts'
import { asciiFold, unicodeFold } from '../../../../src/spam/patterns/fold.ts'

const members = (set: CharacterSet, text: string) => Array.from(text).filter((character) => set.has(character.codePointAt(0)!)).join('')

test('ranges are put together, and members that are few are named', () => {
  const set = new SetBuilder().range(0x63, 0x65).range(0x61, 0x61).range(0x64, 0x66).build({ negated: false, fold: undefined })
  assert.equal(members(set, 'abcdefg'), 'acdef')
  assert.deepEqual(set.few, [0x61, 0x63, 0x64, 0x65, 0x66])
  assert.equal(set.high, false)
  assert.equal(new SetBuilder().range(0x61, 0x7a).build({ negated: false, fold: undefined }).few, undefined)
  assert.equal(members(new SetBuilder().range(0x61, 0x61).build({ negated: true, fold: undefined }), 'aé😀'), 'é😀')
})

test('where case does not count, what folds alike is in', () => {
  const build = (fold: Uint16Array | undefined) => new SetBuilder().range(0x6b, 0x6b).range(0xe9, 0xe9).build({ negated: false, fold })
  assert.equal(members(build(undefined), 'kK\u212aéÉ'), 'ké')
  assert.equal(members(build(unicodeFold()), 'kK\u212aéÉ'), 'kK\u212aéÉ')
  assert.equal(members(build(asciiFold()), 'kK\u212aéÉ'), 'kKé')
  const high = (code: number) => new SetBuilder().range(code, code).build({ negated: false, fold: unicodeFold() }).high
  assert.deepEqual([0x61, 0x6b, 0xe5, 0xe9, 0x100].map(high), [false, true, true, false, true])
  const upper = ASCII_ALPHABET.posix.get('upper')!
  assert.equal(members(closedOver(upper, unicodeFold()), 'aA1'), 'aA')
  assert.equal(members(closedOver(upper, undefined), 'aA1'), 'A')
})

test('words, digits and blanks by both rules', () => {
  assert.equal(members(UNICODE_ALPHABET.word, 'aé_1\u0663\u0301-'), 'aé_1\u0663\u0301')
  assert.equal(members(ASCII_ALPHABET.word, 'aé_1\u0663-'), 'a_1')
  assert.equal(members(UNICODE_ALPHABET.space, ' \t\x0b\u00a0\u2003\ufeff'), ' \t\x0b\u00a0\u2003')
  assert.equal(members(complementOf(ASCII_ALPHABET.digit), '1a\u0663'), 'a\u0663')
  assert.equal(members(UNICODE_ALPHABET.posix.get('punct')!, 'a.$+«©'), '.$+«')
  assert.equal(members(UNICODE_ALPHABET.posix.get('print')!, 'a \t\0'), 'a ')
})

test('properties by category, script, and Perl\'s own names', () => {
  const has = (name: string, text: string) => { const set = propertySet(name); return set === undefined ? undefined : members(set, text) }
  assert.equal(has('L', 'a1é'), 'aé')
  assert.equal(has('Lu', 'aA'), 'A')
  assert.equal(has('uppercase letter', 'aA'), undefined)
  assert.equal(has('Uppercase_Letter', 'aA'), 'A')
  assert.equal(has('uppercase_letter', 'aA'), 'A')
  assert.equal(has('cyrillic', 'aд'), 'д')
  assert.equal(has('Script=Greek', 'aω'), 'ω')
  assert.equal(has('IsAlpha', 'a1'), 'a')
  assert.equal(has('PosixAlpha', 'aé1'), 'a')
  assert.equal(has('XPosixAlpha', 'aé1'), 'aé')
  assert.equal(has('L&', 'aª1'), 'a')
  assert.equal(has('Any', 'a1'), 'a1')
  assert.equal(has('NoSuchThing', 'a'), undefined)
  assert.equal(has('L}|.', 'a'), undefined)
})

test('of each page of Unicode it is the same whether all of it is asked for at once', () => {
  const capitals = propertySet('Lu')!
  const han = propertySet('Han')!
  const builder = () => new SetBuilder().range(0x1e900, 0x1e905).range(0x4e80, 0x4fff).range(0x30100, 0x302ff).set(han)
  const plain = (code: number) => (code >= 0x1e900 && code <= 0x1e905) || (code >= 0x4e80 && code <= 0x4fff) || (code >= 0x30100 && code <= 0x302ff) || /\p{Script_Extensions=Han}/u.test(String.fromCodePoint(code))
  const cases: readonly (readonly [name: string, set: CharacterSet, test: (code: number) => boolean])[] = [
    ['ranges', builder().build({ negated: false, fold: undefined }), plain],
    ['negated', builder().build({ negated: true, fold: undefined }), (code) => !plain(code)],
    ['folded', builder().build({ negated: false, fold: unicodeFold() }), (code) => plain(code) || (code >= 0x1e922 && code <= 0x1e927)],
    ['complement', complementOf(capitals), (code) => !/\p{Lu}/u.test(String.fromCodePoint(code))],
    ['closed', closedOver(capitals, unicodeFold()), (code) => capitals.has(code) || (code >= 0x1e922 && code <= 0x1e943)],
    ['characters', setOfCharacters([0x61, 0x1e922, 0x3_0100]), (code) => [0x61, 0x1e922, 0x3_0100].includes(code)],
  ]
  const bases = [0, 0x4e00, 0x4f00, 0x5000, 0xd700, 0xe000, 0x1_e900, 0x2_0000, 0x2_a600, 0x3_0000, 0x3_0100, 0x3_0200, 0x3_0300, 0xf_ff00, 0x10_ff00]
  for (const [name, set, holds] of cases) {
    // Small letters of the first plane have capitals that are spread over it.
    const pages = name === 'closed' ? bases.filter((first) => first >= 0x4e00) : bases
    for (const first of pages) for (let code = first; code < first + 256; code++) assert.equal(set.has(code), holds(code), `${name} ${code.toString(16)}`)
  }
  assert.equal(han.page(0x2_0012), FULL_PAGE)
  assert.equal(han.page(0x10_0000), EMPTY_PAGE)
  const before = making.steps
  han.has(0x10_0001)
  assert.equal(making.steps, before)
  han.has(0x10_0101)
  assert.ok(making.steps > before)
})
