/** What is read, what is refused and where; what a pattern needs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unmarked } from '../../../../src/spam/patterns/edges.ts'
import { readPattern } from '../../../../src/spam/patterns/read-pattern.ts'

function refusal(source: string, flags = ''): string {
  const reading = readPattern(source, flags)
  return reading.status === 'refused' ? `${reading.at}: ${reading.problem}` : 'read'
}

function read(source: string, flags = '') {
  const reading = readPattern(source, flags)
  if (reading.status === 'refused') assert.fail(reading.problem)
  return reading.pattern
}

test('what cannot be read is refused with a reason and the place', () => {
  for (const [source, expected] of [
    ['ab(c', '2: a bracket is not closed'], ['ab)c', '2: a bracket closes nothing'], ['a[b', '1: a class is not closed'], ['[]', '0: a class is not closed'], ['a**', '2: a quantifier follows a quantifier'],
    ['a{2}{3}', '4: a quantifier follows a quantifier'], ['+a', '0: a quantifier follows nothing'], ['(|*)', '2: a quantifier follows nothing'], ['a\\', '1: a backslash is the last character'], ['[z-a]', '1: a range of a class goes backwards'],
    ['[[:alphabet:]]', '1: there is no class [:alphabet:]'], ['[[.a.]]', '1: collating elements and equivalence classes are not supported'], ['\\p{Nope}', '2: this property of Unicode is not known'], ['\\x{110000}', '2: there is no character above U+10FFFF'],
    ['\\x{zz}', '2: the number of a character is not closed, or is no number'], ['(a)\\2', '3: there is no group 2'], ['\\k<n>', '0: there is no group named n'], ['(?(1)a|b)', '0: conditions are not supported'], ['a(?R)', '1: recursion is not supported'],
    ['(?1)', '0: recursion is not supported'], ['(?&n)', '0: recursion is not supported'], ['(?{code})', '0: code in a pattern is not supported'], ['(??{code})', '0: code in a pattern is not supported'], ['(*PRUNE)a', '0: verbs are not supported'],
    ['(?<a', '0: this kind of group is not known'], ['(?z)', '0: the flag z is not supported'], ['(?-u)', '0: the flag u cannot be turned off'], ['\\Ga', '0: \\G is not supported'], ['\\X', '0: \\X is not supported'], ['\\C', '0: \\C (one byte of a character) is not supported'],
    ['\\b{wb}', '0: \\b{…} (borders of Unicode) is not supported'], ['\\N{DIGIT ONE}', '2: names of characters are not known: write \\N{U+…}'], ['(?<=a*)b', '0: a look-behind looks at most 255 characters back'], ['a{65535}', '1: a quantifier counts to at most 65534'],
    ['(?:ab){6000}', '0: with its repetitions written out this is longer than 10000 instructions'], ['(?:(?:ab){50}c){300}', '0: with its repetitions written out this is longer than 10000 instructions'],
  ] as const) assert.equal(refusal(source), expected, source)
  assert.equal(refusal('a', 'q'), '0: the flag q is not supported')
  assert.equal(refusal('a'.repeat(40_000)), '32768: a pattern has at most 32768 characters')
  assert.equal(refusal('('.repeat(150) + ')'.repeat(150)), '101: brackets are nested more than 100 deep')
  assert.equal(refusal('(a)'.repeat(1001)), '3001: a pattern has at most 1000 groups')
})

test('flags that change nothing about what matches are read over', () => {
  assert.equal(refusal('a', 'gocp'), 'read')
  assert.equal(refusal('a', 'imsxxnad'), 'read')
})

test('a long run of one character is no long pattern', () => {
  assert.equal(refusal('a{1,60000}b{60000}'), 'read')
})

test('the literals that a pattern needs', () => {
  for (const [source, flags, needs] of [
    ['viagra', 'i', ['viagra']], ['VIAGRA', '', ['viagra']], ['cheap (?:meds|pills)', '', ['cheap meds', 'cheap pills']], ['\\bfoo\\s+barbaz\\b', '', ['barbaz\b']], ['(?:abcdef|x)', '', undefined],
    ['[vV][i1]agra', '', ['viagra', 'v1agra']], ['colou?red', '', ['colored', 'coloured']], ['(?:hello)+', '', ['hello']], ['(?:ab){3}', '', ['ababab']], ['(?:hello)?', '', undefined], ['(?!viagra)x', '', undefined], ['(?=viagra).', '', ['viagra']],
    ['(?<=viagra).', '', ['viagra']], ['(secret)\\1', '', ['secret']], ['\\d+', '', undefined], ['', '', undefined], ['€', '', ['€']], ['É', '', ['é']], ['K\\x{212A}elvin', 'i', ['kkelvin']], ['\\Qa.b\\E+cde', '', ['a.b', 'bcde']],
  ] as const) {
    const found = read(source, flags).needs
    if (source.startsWith('\\Q')) assert.ok(found?.some((one) => needs?.some((other) => other === one)), source)
    else assert.deepEqual(found?.toSorted(), needs?.toSorted(), source)
  }
})

test('literals that begin or end a word are marked where they do', () => {
  for (const [source, flags, needs] of [
    ['\\bviagra', '', ['\bviagra']], ['viagra\\b', '', ['viagra\b']], ['\\b(?:viagra|cialis)\\b', 'i', ['\bviagra\b', '\bcialis\b']], ['\\bviagra\\b now', '', ['\bviagra now']], ['now \\bviagra', '', ['now viagra']],
    // Beside what is in no word an edge says something else.
    ['\\b"viagra"\\b', '', ['"viagra"']], ['\\Bviagra\\B', '', ['viagra']], ['(?:\\b)viagra', '', ['\bviagra']], ['\\bviagras?\\b', '', ['\bviagra\b', '\bviagras\b']], ['\\b(?:the )?viagra', '', ['\bviagra', '\bthe viagra']],
    ['\\bviagra.{0,9}\\bcialis\\b', '', ['\bviagra']], ['\\bécole', '', ['école']],
    // The sign of Kelvin folds to a letter, and is none among those of ASCII.
    ['\\bkamagra\\b', 'ia', ['kamagra']], ['\\x08viagra', '', ['viagra']],
  ] as const) assert.deepEqual(read(source, flags).needs?.toSorted(), needs.toSorted(), source)
})

test('rarer literals are taken though they stand far behind, not common ones at the begin', () => {
  assert.deepEqual(read('\\b(?:free|luxury) (?:\\w+ ){0,2}(?:vacations|cruises)\\b').needs?.map(unmarked), ['vacations', 'cruises'])
})

test('where the literals are, seen from the begin of a match', () => {
  assert.deepEqual(read('viagra').needsAt, { least: 0, most: 0 })
  assert.deepEqual(read('[0-9]{2,5}viagra').needsAt, { least: 2, most: 5 })
  assert.deepEqual(read('.*viagra').needsAt, { least: 0, most: Infinity })
  assert.deepEqual(read('(?<=viagra)\\d').needsAt, { least: -6, most: -6 })
  assert.deepEqual(read('(?:[0-9]|[0-9]{3})viagra').needsAt, { least: 1, most: 3 })
  assert.deepEqual(read('(?:[0-9]viagra|cialis)').needsAt, { least: 0, most: 1 })
  // A character above U+FFFF is two code units.
  assert.deepEqual(read('.viagra').needsAt, { least: 1, most: 2 })
  assert.deepEqual(read('.viagra', 'd').needsAt, { least: 1, most: 2 })
})

test('linear is what neither refers, nor looks far, nor forbids going back', () => {
  for (const source of ['(a+)+b', 'a(?=[bc])', '(?<!x)a', 'a++b', '(a)|b', '\\bfoo\\b', '(?!)']) assert.equal(read(source).linear, true, source)
  for (const source of ['(a)\\1', 'a(?=bc)', '(?<!xy)a', '(?>a|ab)c', '(?:ab)++c', '\\R']) assert.equal(read(source).linear, false, source)
})
