/** Text to words: what is one, in which scripts, and that nothing in a text can make it slow or throw. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachWord, OTHER_INVISIBLE, SOFT_HYPHENS } from '../../../../src/spam/bayes/words.ts'

function words(text: string): string[] {
  const found: string[] = []
  eachWord(text, { start: 0, end: text.length }, ({ start, end }) => {
    found.push(text.slice(start, end))
    return true
  })
  return found
}

function hashes(text: string): string[] {
  const found: string[] = []
  eachWord(text, { start: 0, end: text.length }, ({ low, high }) => {
    found.push(`${low} ${high}`)
    return true
  })
  return found
}

test('a word has letters and digits, and what joins them inside', () => {
  assert.deepEqual(words('Don\'t e-mail me_at 10:30, it costs 1,000.50. (Really)'), ['Don\'t', 'e-mail', 'me_at', '10', '30', 'it', 'costs', '1,000.50', 'Really'])
  assert.deepEqual(words('-a- b -- cd\' \'ef'), ['cd', 'ef'])
  assert.deepEqual(words('x www.example.org y'), ['www', 'example', 'org'])
})

test('signs that say something are words of their own, up to three of them', () => {
  assert.deepEqual(words('FREE!!! only $99, 100% !!!!!!'), ['FREE', '!!!', 'only', '$', '99', '100', '%', '!!!'])
})

test('case makes no difference, in any script that has it', () => {
  assert.deepEqual(hashes('Straße ПРИВЕТ ΟΔΟΣ'), hashes('straße привет οδοσ'))
  assert.notDeepEqual(hashes('one'), hashes('two'))
})

test('scripts without blanks give pairs of neighbours, others with marks whole words', () => {
  assert.deepEqual(words('无抵押贷款'), ['无抵', '抵押', '押贷', '贷款'])
  assert.deepEqual(words('日本語mailです'), ['日本', '本語', 'mail', 'です'])
  assert.deepEqual(words('สวัสดี'), ['สว', 'วั', 'ัส', 'สด', 'ดี'])
  assert.deepEqual(words('مرحبا بكم नमस्ते 안녕하세요'), ['مرحبا', 'بكم', 'नमस्ते', '안녕하세요'])
})

test('an emoji is a word; half of a surrogate pair is none', () => {
  assert.deepEqual(words('win 🎁🎁 now \ud83c \udf81'), ['win', '🎁', '🎁', 'now'])
})

test('what is longer than words are is one word for its length and beginning', () => {
  const long = `abcd${'x'.repeat(40)}`
  assert.deepEqual(hashes(long), hashes(`abcd${'y'.repeat(40)}`))
  assert.notDeepEqual(hashes(long), hashes(`abce${'x'.repeat(40)}`))
  assert.notDeepEqual(hashes(long), hashes(`abcd${'x'.repeat(80)}`))
})

test('every code unit can stand anywhere', () => {
  let text = ''
  for (let code = 0; code < 0x10000; code += 7) text += String.fromCharCode(code)
  for (const one of words(text)) assert.ok(one.length > 0)
  assert.ok(words(text).length > 1000)
})

/** Of each word, what was passed over inside it. */
function passed(text: string): number[] {
  const found: number[] = []
  eachWord(text, { start: 0, end: text.length }, ({ invisible }) => {
    found.push(invisible)
    return true
  })
  return found
}

test('what shows nothing makes no difference inside a word, and is told', () => {
  const plain = hashes('buy cheap pills now, 1,000.50 e-mail')
  for (const between of ['\u200c', '\u00ad', '\u2060\u2060\ufeff', '\u{e0041}', '\u034f', '\u202e\u202c']) {
    const stuffed = Array.from('buy cheap pills now, 1,000.50 e-mail').join(between)
    assert.deepEqual(hashes(stuffed), plain, JSON.stringify(between))
    assert.deepEqual(passed(stuffed), Array(6).fill(between === '\u00ad' ? SOFT_HYPHENS : OTHER_INVISIBLE))
  }
  assert.deepEqual(passed('buy co\u00adop\u200cer now'), [0, SOFT_HYPHENS | OTHER_INVISIBLE, 0])
  // Beside a word it is nothing: mail programs fill blanks with it.
  assert.deepEqual(words('\u200bone\u200b \u200c two\ufeff'), ['one', 'two'])
  assert.deepEqual(passed('\u200bone\u200b \u200c two\ufeff'), [0, 0])
  assert.deepEqual(words('a\u200b b'), [])
  assert.deepEqual(words('❤\ufe0f win'), ['❤', 'win'])
})

test('in scripts without blanks, too', () => {
  assert.deepEqual(hashes('无\u200b抵\u2060押'), hashes('无抵押'))
  assert.deepEqual(passed('无\u200b抵押'), [OTHER_INVISIBLE, 0])
})

test('long runs of what shows nothing are gone along once or twice, wherever they stand', () => {
  const run = '\u200b'.repeat(200_000)
  assert.deepEqual(words(`one${run}`), ['one'])
  assert.equal(hashes(`on${run}e`)[0], hashes('one')[0])
  assert.deepEqual(words(`e-${run}`), [])
  assert.deepEqual(words(`无${run}`), [])
  assert.deepEqual(hashes(`ab-${run}cd`), hashes('ab-cd'))
})

test('it ends where it is told to', () => {
  let seen = 0
  assert.equal(eachWord('one two three', { start: 0, end: 13 }, () => ++seen < 2), false)
  assert.equal(seen, 2)
  const found: string[] = []
  eachWord('one two three', { start: 4, end: 10 }, ({ start, end }) => {
    found.push('one two three'.slice(start, end))
    return true
  })
  assert.deepEqual(found, ['two', 'th'])
})
