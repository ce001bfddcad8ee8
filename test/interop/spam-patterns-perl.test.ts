/** Patterns of rules against perl itself: generated ones, and each form of perlre that is supported. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBudget } from '../../src/spam/patterns/budget.ts'
import type { SetScan } from '../../src/spam/patterns/pattern.ts'
import { PatternSet } from '../../src/spam/patterns/pattern-set.ts'
import { readPattern } from '../../src/spam/patterns/read-pattern.ts'
import { Random } from '../support/fuzzing.ts'
import { matchedByPerl } from '../support/perl-matches.ts'
import type { PerlCase, PerlResult } from '../support/perl-matches.ts'
import { PatternMaker } from '../support/random-patterns.ts'

function compare(cases: readonly PerlCase[]): { compared: number, exceeded: number, refused: number } {
  const results: readonly PerlResult[] = matchedByPerl(cases) ?? []
  let [compared, exceeded] = [0, 0]
  for (const [number, result] of results.entries()) {
    const { source, flags, texts } = cases[number]!
    const reading = readPattern(source, flags)
    if (result === undefined) continue
    if (reading.status === 'refused') assert.fail(`/${source}/${flags}: ${reading.problem}`)
    for (const [at, text] of texts.entries()) {
      const budget = createBudget()
      const scan: SetScan = new PatternSet([reading.pattern]).scan([text], budget)
      const about = `/${source}/${flags} on ${JSON.stringify(text)}`
      const byPerl: readonly [count: number, first: string] = result[at]!
      const matches = scan.matches(0)
      if (budget.exceeded > 0) {
        // What refers to groups ends at the limit, and is not known then.
        assert.ok(!reading.pattern.linear && matches === undefined, about)
        exceeded += 1
        continue
      }
      assert.equal(matches, byPerl[0] > 0, about)
      if (matches) assert.equal(scan.excerpt(0), byPerl[1].slice(0, 80), about)
      compared++
    }
  }
  return { compared, exceeded, refused: results.filter((result) => result === undefined).length }
}

const ATOMS = ['a', 'b', 'ab', 'A', 'B', 'c', '-', '.', '[ab]', '[^a]', '[a-c]', '\\w', '\\W', '\\d', '\\s', '\\x61', 'é', '[é-ü]', '\\n', '\\h', '\\N', '[[:upper:]]', '[[:^space:]]', '\\p{Lu}', '(?i:b)', '\\z', '\\Z', '\\A']
const LETTERS = ['a', 'b', 'ab', 'A', 'B', 'c', '-', '1', ' ', '\n', 'é', 'É', 'abab', 'ba', '\r\n', '\t']

for (const rules of ['u', 'a', 'd']) {
  test(`generated patterns, rules ${rules}`, { skip: matchedByPerl([]) === undefined ? 'perl is not installed' : false }, (t) => {
    const random = new Random(11 + rules.charCodeAt(0))
    const atoms = rules === 'd' ? ATOMS.filter((atom) => atom !== '\\p{Lu}') : ATOMS
    const cases = Array.from({ length: 3000 }, (): PerlCase => ({
      source: new PatternMaker(random, { atoms, wild: true, lookAround: random.chance(0.4) }).make(),
      flags: ['i', 'm', 's', rules].filter((flag) => flag === rules || random.chance(0.3)).join(''),
      texts: Array.from({ length: 4 }, () => random.soup(LETTERS, 9, 0)),
    }))
    const { compared, exceeded, refused } = compare(cases)
    t.diagnostic(`${compared} compared, ${exceeded} exceeded, ${refused} of ${cases.length} patterns not taken by perl`)
    assert.ok(compared > 10_000 && exceeded < 20)
  })
}

const FORMS: readonly (readonly [source: string, ...texts: string[]])[] = [
  ['a{2}b{1,}c{0,1}', 'aabbc', 'abc'], ['a{,2}b', 'aab', 'b'], ['a{ 1, 2 }b', 'aab', 'a{ 1, 2 }b'], ['a{x}', 'a{x}', 'aaa'], ['a{', 'a{'], ['x{0}y', 'y', 'xy'], ['a{3,2}', 'aaaa', ''],
  ['[]a]', ']', 'a'], ['[^]a]', ']', 'b'], ['[a\\-c]', 'b', '-'], ['[\\w-x]+', 'a-x', '-'], ['[a-]', '-'], ['[-a]', '-'], ['[[a]', '[', 'a'], ['[[:alpha:][:digit:]_]+', 'a1_', '-'], ['[[:^digit:]]', '1', 'a'], ['[\\b]', '\b', 'b'],
  ['[\\n\\t\\e\\x41\\x{42}\\103\\cA]+', '\n\tABC\x1b\x01'], ['\\0\\012', '\0\n'], ['[\\d\\s]+', '1 2'], ['[^\\W_]+', '_ab'], ['[$@.|()*+?{}]+', '$@.|()*+?{}'], ['\\/\\@\\"\\-\\#', '/@"-#'],
  ['^a$', 'a', 'a\n', 'a\nb'], ['(?m)^b$', 'a\nb\nc', 'ab'], ['(?m)^', 'a\n', '\n\n'], ['a\\Z', 'a\n', 'a\n\n'], ['a\\z', 'a', 'a\n'], ['\\Aa', 'a', 'ba'], ['.', '\n', '\r'], ['(?s).', '\n'], ['(?s:a.)b.', 'a\nb\n', 'a\nbc'],
  ['(?i)straße', 'STRAßE'], ['(?i)k', '\u212a'], ['(?i)[a-z]+', '\u017f\u212a'], ['(?i)σ', 'ς', 'Σ'], ['(?i)é', 'É'], ['(?-i)a', 'A'], ['(?i)a(?-i)b', 'AB', 'Ab'], ['(?i:a)b', 'Ab', 'AB'], ['((?i)a)b', 'Ab', 'AB'], ['(?i)a|b', 'B'], ['(?^:a)', 'A'],
  ['(?x) a b # comment\n c', 'abc', 'a b c'], ['(?x) [a b]\\ c', ' c', 'ac'], ['(?xx) [a b]', ' ', 'a'], ['a(?#comment)b', 'ab'], ['a(?#comment)+b', 'aab'], ['(?n)(a)b', 'ab'],
  ['(a)(b)\\2\\1', 'abba', 'abab'], ['(?<n>a|b)\\k<n>', 'ab', 'bb'], ["(?'n'a)\\k'n'\\k{n}", 'aaa'], ['(?P<n>a)(?P=n)', 'aa'], ['(a)\\g1\\g{1}\\g{-1}', 'aaaa'], ['(?i)(a)\\1', 'aA'], ['(a)|b\\1', 'b', 'ba'], ['(?|(a)|(b))\\1', 'aa', 'bb', 'ab'], ['(?:(a)|b)*\\1', 'aba', 'abb'],
  ['(?<x>a)|(?<x>b)\\k<x>', 'bb', 'a', 'b'], ['(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10', 'abcdefghijj'], ['\\10', '\b'], ['(a)\\11', 'a\t'],
  ['a(?=b)', 'ab', 'ac'], ['a(?!b)', 'ab', 'ac'], ['(?<=a)b', 'ab', 'cb'], ['(?<!a)b', 'ab', 'cb', 'b'], ['(?<=a|bc)d', 'ad', 'bcd', 'cd'], ['(?<![a-z]{2})x', 'abx', 'a1x'], ['(?<=^|,)x', 'x', ',x', 'yx'], ['(?=.*b)(?!.*c)a', 'ab', 'abc'], ['(?=(a+))\\1b', 'aaab'], ['(*pla:a)a', 'a'], ['(*nlb:a)b', 'ab', 'b'],
  ['(?>a+)b', 'aab'], ['(?>a+)ab', 'aab'], ['a++b', 'aab'], ['a++ab', 'aab'], ['a*+a', 'aa'], ['a?+a', 'a', 'aa'], ['a{1,2}+a', 'aa', 'aaa'], ['(?:ab?)++b', 'abab'], ['(*atomic:a*)a', 'aa'],
  ['\\R', '\r\n', '\n', '\x85', '\u2028', '\r'], ['\\R\\n', '\r\n'], ['\\h+\\H', '\t\u00a0x'], ['\\v\\V', '\x0bx'], ['\\N+', 'ab\ncd'], ['\\N{U+e9}', 'é'], ['\\x{1F600}+', '😀😀', '😁'], ['[\\x{1F600}-\\x{1F64F}]{2}', '😀😁', '😀'], ['^.{2}$', '😀😁'], ['[^a]b', '😀b'], ['(?<=😀)b', '😀b'], ['\\p{L}+', 'aé1'], ['\\P{L}', '1', 'a'], ['\\pL', '1'], ['\\p{^L}', 'a'], ['\\p{Cyrillic}\\p{Greek}', 'дω', 'ab'], ['(?i)\\p{Lu}', 'a', '1'], ['(?i)[[:upper:]]', 'a', '1'], ['(?i)[^[:lower:]]', 'A', '1'], ['\\p{IsAlpha}\\p{PosixDigit}\\p{XPosixSpace}', 'é1\u00a0'], ['\\p{Uppercase_Letter}\\p{Script=Latin}', 'Éé'],
  ['\\bfoo\\b', 'foo', 'a foo b', 'éfoo'], ['\\Bo', 'foo', 'o'], ['\\w+', 'é_1', '\u0300'], ['(?a)\\w+', 'aé'], ['(?a)\\d', '\u0663', '1'], ['\\d', '\u0663'], ['\\s', '\u0085', '\u2003', '\ufeff', '\x0b'], ['(?a)\\s', '\u0085', '\x0b'], ['(?u)\\d', '\u0663'],
  ['', '', 'a'], ['a|', 'b', 'a'], ['|a', 'a'], ['(|a)+', 'a'], ['(a|b*)*c', 'abbac', 'c'], ['(a*)+', 'b'], ['(a*?)*?b', 'aab'], ['(?:a*)*$', 'aab'], ['x*', ''], ['(*F)|a', 'a'], ['a(*FAIL)|b', 'ab'],
]

test('each form of perlre that is supported', { skip: matchedByPerl([]) === undefined ? 'perl is not installed' : false }, () => {
  const { compared, refused } = compare(FORMS.map(([source, ...texts]) => ({ source, flags: 'u', texts })))
  assert.equal(refused, 0)
  assert.equal(compared, FORMS.reduce((sum, [, ...texts]) => sum + texts.length, 0))
})
