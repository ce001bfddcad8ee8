/** Numbers of a message, and what has none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ALWAYS_KNOWN, AT_HAND, measure, MEASURE_NAMES } from '../../../../src/spam/rules/measures.ts'
import type { MeasureName } from '../../../../src/spam/rules/measures.ts'
import { rangeOf } from '../../../../src/spam/rules/ranges.ts'
import { contentOfText } from '../../../support/rules.ts'

const of = (name: MeasureName, message: string) => measure(name, contentOfText(message))
const dated = (date: string, received = 'from a.example by b.example; Mon, 05 Jan 2026 10:00:00 +0000') => of('date_skew_hours', `Received: ${received}\nReceived: from x; Mon, 05 Jan 2026 01:00:00 +0000\nDate: ${date}\n\n`)

test('capitals: of letters that have a case, and only where there are enough of them', () => {
  assert.equal(of('subject_capitals', 'Subject: FREE stuff now!!! 123\n\n'), 4 / 12)
  assert.equal(of('subject_capitals', 'Subject: RFC 5321\n\n'), undefined)
  assert.equal(of('subject_capitals', 'Subject: ÄÖÜÄÖÜÄÖ\n\n'), 1)
  assert.equal(of('subject_capitals', 'Subject: 会議のお知らせ会議のお知らせ\n\n'), undefined)
  // Deseret, beyond the Basic Multilingual Plane: four capitals, four small ones
  assert.equal(of('subject_capitals', 'Subject: 𐐀𐐁𐐂𐐃𐐨𐐩𐐪𐐫\n\n'), 1 / 2)
  assert.equal(of('text_capitals', 'Subject: x\n\nABCDefgh\n'), 0.5)
  assert.equal(of('subject_capitals', '\n'), undefined)
})

test('Date against the newest Received', () => {
  assert.equal(dated('Mon, 05 Jan 2026 12:30:00 +0000'), 2.5)
  assert.equal(dated('Mon, 5 Jan 2026 10:00:00 -0500 (EST)'), 5)
  assert.equal(dated('Mon, 05 Jan 2026 09:00:00 GMT'), -1)
  assert.equal(dated('yesterday'), undefined)
  assert.equal(dated(''), undefined)
  assert.equal(dated('Mon, 05 Jan 2026 09:00:00 GMT', 'from a.example by b.example'), undefined)
  assert.equal(of('date_skew_hours', 'Date: Mon, 05 Jan 2026 09:00:00 GMT\n\n'), undefined)
  assert.equal(dated('('.repeat(100_000)), undefined)
})

test('counts', () => {
  const message = 'To: a@example.org, b@example.org\nCc: c@example.org\nSubject: Hello\n\none two  three\n\nhttp://a.example.com/ http://b.example.com/ http://example.net/\n'
  assert.equal(of('addressees', message), 3)
  assert.equal(of('header_fields', message), 3)
  assert.equal(of('subject_length', message), 5)
  assert.equal(of('text_words', message), 6)
  assert.equal(of('links', message), 3)
  assert.equal(of('link_domains', message), 2)
  assert.equal(of('links_per_1000', message), 3)
  assert.equal(of('words_per_image', message), undefined)
  assert.equal(of('html', message), 0)
  assert.equal(of('html_forms', message), undefined)
})

test('HTML', () => {
  const message = 'Content-Type: text/html\n\n<base href="http://x.example/"><p>one two three four</p><img src="http://y.example/a.png" width=500 height=100><img src="http://y.example/b.png" width=500 height=100><span style="display:none">hidden</span>\n'
  assert.equal(of('html', message), 1)
  assert.equal(of('html_base', message), 1)
  assert.equal(of('html_refresh', message), 0)
  assert.equal(of('images', message), 2)
  assert.equal(of('words_per_image', message), 2)
  assert.ok((of('hidden_share', message) ?? 0) > 0.1)
  assert.ok((of('text_share', message) ?? 1) < 0.3)
})

test('an empty message has numbers, or has none, and nothing throws', () => {
  for (const name of MEASURE_NAMES) {
    const value = of(name, '')
    assert.ok(value === undefined || Number.isFinite(value), name)
  }
})

test('what every message has is known of one with nothing in it', () => {
  for (const name of ALWAYS_KNOWN) {
    assert.notEqual(measure(name, contentOfText('')), undefined, name)
    assert.ok(AT_HAND.has(name), name)
  }
})

test('each lies in the range that comparisons are judged by', () => {
  const messages = [
    '', 'Subject: FREE STUFF NOW\n\nALL CAPITALS http://a.example http://b.example\n', 'Date: Mon, 05 Jan 2026 09:00:00 GMT\nReceived: from a; Mon, 05 Jan 2026 10:00:00 +0000\n\nx',
    'Content-Type: text/html\n\n<base href=x><meta http-equiv=refresh content=1><p hidden>none sees this</p><img src=a.png><form><input type=password></form>seen',
  ].map((text) => contentOfText(text))
  for (const name of MEASURE_NAMES) {
    const { least, most, whole } = rangeOf(name)
    for (const message of messages) {
      const value = measure(name, message)
      if (value === undefined) continue
      assert.ok(value >= least && value <= most && (!whole || Number.isInteger(value)), `${name}: ${value}`)
    }
  }
})
