import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../../../../../src/spam/content/text/fold.ts'

const folded = (text: string) => fold(text, true)

test('disguised words', () => {
  for (const [text, plain] of [
    ['VIAGRA', 'viagra'],
    ['Vi\u00adag\u200bra', 'viagra'],
    ['Vіаgrа', 'viagra'],
    ['ＶＩＡＧＲＡ', 'viagra'],
    ['𝐕𝐢𝐚𝐠𝐫𝐚 𝓬𝓪𝓼𝓱', 'viagra cash'],
    ['🅵🅡🅔🅔 🇫🇷🇪🇪', 'free free'],
    ['ⓕⓡⓔⓔ', 'free'],
    ['v1agra, fr3e m0ney; ca5ino', 'viagra, free money; casino'],
    ['c@sh b0nu$', 'cash bonu$'],
    ['v i a g r a now', 'viagra now'],
    ['F.R.E.E and f-r-e-e and f_r_e_e', 'free and free and free'],
    ['к р е д и т', 'кредит'],
    ['с\u0430sh', 'cash'],
    ['\ufb01nance', 'finance'],
    ['ᴠɪᴀɢʀᴀ', 'viagra'],
  ] as const) assert.equal(folded(text), plain, text)
})

test('text that is turned around when it is shown', () => {
  const RLO = '\u202e'
  const PDF = '\u202c'
  assert.equal(folded(`Buy ${RLO}argaiv${PDF} ${RLO}won${PDF} and here`), 'buy viagra now and here')
  assert.equal(folded(`${RLO}won paehc\nThe next line`), 'cheap now\nthe next line')
  assert.equal(folded(`${RLO}😀 hsac`), 'cash 😀')
  assert.equal(folded(`${RLO}argaiv${RLO}hsac\u2066plain`), 'viagracashplain')
  // names and numbers are embedded, not turned
  assert.equal(folded(`\u202dcash${PDF} \u202acash${PDF} \u2067cash\u2069`), 'cash cash cash')
  assert.equal(folded(RLO), '')
  // a run that is longer than a piece
  const words = 'plain words '.repeat(5000)
  assert.equal(folded(RLO + Array.from(words).reverse().join('')), words)
})

test('what stays what it is', () => {
  for (const text of ['привет мир, это сор и рост', 'grüße naïve café', '日本語 テキスト', 'a b c', 'i.e. this, u.s.a.', 'joe.doe@mail.example.com root@localhost', 'h264 mp3 win32 covid19', 'a1b2c3d4e5f6', 'id 4f3a2b1c', '$100 at 5pm', 'plain text']) {
    assert.equal(fold(text, false), text, text)
  }
  assert.equal(folded('joe@mail.example.com'), 'joe@mail.example.com')
})

test('words that only look Latin are Latin in Latin text, and words in Cyrillic text', () => {
  assert.equal(fold('сор', true), 'cop')
  assert.equal(fold('сор', false), 'сор')
})

test('a long text is the same as its pieces', () => {
  const words = 'Vi\u200bagra fr33 с\u0430sh  grüße plain '
  const text = words.repeat(2000)
  assert.equal(folded(text), folded(words).repeat(2000))
  assert.equal(folded('x'.repeat(100_000)), 'x'.repeat(100_000))
  assert.equal(folded('\u{1d41a}'.repeat(40_000)).replace(/a/g, '').length <= 4, true)
})

test('of the marks on one letter no more are put in order than any language has', () => {
  const marks = '\u0301\u0323'.repeat(20_000)
  const plain = folded(`a${marks} b${'\u0301'.repeat(10)} c`)
  assert.match(plain, /^\u1ea1\p{M}+ b\u0301{10} c$/u)
  // Thirty in each of the pieces that are folded at a time.
  assert.ok(plain.length < 150, `${plain.length} characters`)
})

test('a text that would grow is cut, a text that people write is not', () => {
  const grown = folded('\ufdfa'.repeat(500_000))
  assert.ok(grown.length > 500_000 && grown.length < 1_500_000, `${grown.length} characters`)
  const letters = 'ﬁnance Ⅷ ½ … ™ ﷲ '.repeat(20_000)
  assert.equal(folded(letters).trimEnd().split(' ').at(-1), folded('ﷲ'))
})
