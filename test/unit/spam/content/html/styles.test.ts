import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UNKNOWN, UNSET } from '../../../../../src/spam/content/html/colors.ts'
import { unquoted } from '../../../../../src/spam/content/html/properties.ts'
import { readSelector } from '../../../../../src/spam/content/html/selectors.ts'
import { findSheets, readSheets } from '../../../../../src/spam/content/html/sheets.ts'
import { BACKGROUND, CLIP, COLOR, DISPLAY, FONT_SIZE, HEIGHT, INLINE_RANK, LEFT, MAX_HEIGHT, MOVED, onlyShowing, OPACITY, overlay, OVERFLOW_X, OVERFLOW_Y, PADDING_BOTTOM, PADDING_RIGHT, PAINT, PICTURE, POSITION, SHAPE, valueOf, VISIBILITY, WIDTH } from '../../../../../src/spam/content/html/style.ts'
import { readStyle, StyleMemory } from '../../../../../src/spam/content/html/styles.ts'
import { TagReader } from '../../../../../src/spam/content/html/tag.ts'
import { DISPLAY_BLOCK, DISPLAY_NONE, fontOf, fontSizeOf, lengthOf, wordsOf } from '../../../../../src/spam/content/html/values.ts'
import { CodeArray, isAscii } from '../../../../../src/spam/content/text/codes.ts'

const value = (place: number, css: string) => valueOf(readStyle(css), place)
const sheetsOf = (html: string) => readSheets(html, findSheets(html, new CodeArray().of(html, isAscii(html)), new TagReader()))

test('display, as it is written and in disguise', () => {
  for (const css of ['display:none', 'DISPLAY : None !important', 'dis/* x */play:none', '\\64 isplay:none', 'color:red;;display:none', 'background:url(data:image/png;base64,AA==);display:none', 'x:";";display:none', 'display:block;display:none', 'display:none;display:nonesuch', 'display:none;display:-ms-flexbo(']) {
    if (css.endsWith('(')) assert.ok(Number.isNaN(value(DISPLAY, css)), css)
    else assert.equal(value(DISPLAY, css), DISPLAY_NONE, css)
  }
  for (const css of ['display:block', 'display: none; display: flex', 'display:block!important;display:none']) assert.equal(value(DISPLAY, css), DISPLAY_BLOCK, css)
  for (const css of ['xdisplay:none', 'display', 'content:"display:none"', '', 'display:nonesuch', 'display:none none', 'display:none!x', 'x:(;display:none', 'x:{;display:none', 'x:";display:none', 'color:red\\3b display:none']) assert.equal(value(DISPLAY, css), undefined, css)
  // What some programs alone know may show it.
  assert.ok(Number.isNaN(value(DISPLAY, 'display:none;display:-ms-flexbox')))
  assert.ok(Number.isNaN(value(DISPLAY, 'display:var(--x)')))
  assert.equal(value(DISPLAY, 'display:-ms-flexbox'), undefined)
})

test('values of other properties: whole ones, or none', () => {
  for (const [css, place, expected] of [
    ['visibility:hidden', VISIBILITY, 0], ['visibility:collapse', VISIBILITY, 0], ['visibility:visible', VISIBILITY, 1], ['visibility:inherit', VISIBILITY, 2], ['visibility:hiddenly', VISIBILITY, undefined],
    ['opacity:0', OPACITY, 0], ['opacity:0%', OPACITY, 0], ['opacity:.05', OPACITY, 0.05], ['opacity:0px', OPACITY, undefined],
    ['max-height:0px', MAX_HEIGHT, 0], ['height:auto', HEIGHT, Infinity], ['width:100%', WIDTH, Infinity], ['width:0%', WIDTH, 0], ['width:-1px', WIDTH, undefined], ['width:1', WIDTH, undefined],
    ['overflow:hidden', OVERFLOW_X, 1], ['overflow:visible hidden', OVERFLOW_Y, 1], ['overflow:hidden x', OVERFLOW_X, undefined], ['position:fixed', POSITION, 2], ['left:-50em', LEFT, -800], ['left:x', LEFT, undefined],
    ['padding:0 0px 0', PADDING_BOTTOM, 0], ['padding:9px 1px', PADDING_RIGHT, 1], ['padding:9px 1px 7px 2px', PADDING_BOTTOM, 7], ['padding-bottom:50%', PADDING_BOTTOM, 400], ['padding-top:9px', PADDING_BOTTOM, undefined], ['margin:0 0 0 400px', MOVED, 1], ['margin:10px', MOVED, undefined], ['clip:rect(0 0 0 0)', CLIP, 1], ['clip:rect(0,0,9px,9px)', CLIP, 0], ['clip-path:none', SHAPE, 0],
    ['text-shadow:0 0 red', PAINT, 1], ['background-clip:text', PAINT, 1],
  ] as const) assert.equal(value(place, css), expected, css)
})

test('sizes, colours and images', () => {
  for (const [css, pixels] of [['font-size:1px', 1], ['font-size:12pt', 16], ['font: bold 0px/1.5 Arial', 0], ['font: 700 14px Arial', 14], ['font: .5px Arial', 0.5], ['font:0.000000001px a', 1e-9], ['font:0/0 a', 0], ['font:italic 12px / 2 a b', 12], ['font:12px/ 2 a', 12],
    ['font-size:50%', -0.5], ['font-size:2em', -2], ['font-size:0em', 0], ['font-size:x-small', 10], ['font-size:-1px', undefined], ['font-size:1', undefined], ['font-size:1.px', undefined], ['font:0px', undefined], ['font:0', undefined], ['font:14 px a', undefined], ['font:menu', 13], ['font-size:inherit', -1],
    [`font:${'1'.repeat(4000)}`, undefined], [`font:${'1'.repeat(4000)}px a`, undefined]] as const) assert.equal(value(FONT_SIZE, css), pixels, css.slice(0, 40))
  assert.deepEqual([fontSizeOf('smaller'), fontOf('x'), lengthOf('1e1px')], [-0.83, undefined, { amount: 10, of: 'pixels' }])
  assert.ok(Number.isNaN(fontSizeOf('calc(1px + 2em)')))
  assert.deepEqual(wordsOf('a  rgb(1, 2) b,c (d'), ['a', 'rgb(1, 2)', 'b', 'c', '(d'])
  assert.equal(value(COLOR, 'color:#FFF'), 0xffffff)
  assert.equal(value(COLOR, 'color:inherit'), UNSET)
  assert.equal(value(COLOR, 'color:nonsense'), undefined)
  assert.equal(value(COLOR, 'color:lab(1 2 3)'), UNKNOWN)
  assert.equal(value(BACKGROUND, 'background: #000 none'), 0)
  assert.equal(value(BACKGROUND, 'background: rgb(0, 0, 0) no-repeat 0 0/cover'), 0)
  assert.equal(value(BACKGROUND, 'background: #000 nonsense'), undefined)
  assert.equal(value(BACKGROUND, 'background-color: transparent'), UNSET)
  assert.deepEqual([value(BACKGROUND, 'background: linear-gradient(red, blue)'), value(PICTURE, 'background: linear-gradient(red, blue)')], [UNSET, 1])
  for (const [css, picture] of [['background-image:url(a.png);background-color:#fff', 1], ['background:#fff', 0], ['background:url(a.png);background-image:none', 0], ['background:url()', 0], ['background-color:#fff', undefined]] as const) assert.equal(value(PICTURE, css), picture, css)
  const image = readStyle('background: #fff url("http://A.example/B.png") no-repeat')
  assert.deepEqual([image.values[BACKGROUND], image.values[PICTURE], image.image], [0xffffff, 1, 'http://A.example/B.png'])
  assert.deepEqual([value(WIDTH, 'width:1px;height:2px'), value(HEIGHT, 'width:1px;height:2px')], [1, 2])
})

test('marks around a URL are taken off once from each end, whatever is between', () => {
  assert.equal(readStyle('background:url( "a b" )').image, 'a b')
  assert.equal(readStyle('background:url(\'\')').image, '')
  const marks = `a${'\''.repeat(4000)}b`
  assert.equal(readStyle(`background:url('${marks.slice(0, 3000)}c')`).image, `${marks.slice(0, 3000)}c`)
  for (const text of [marks, `"${marks}"`, '\''.repeat(4000), '']) {
    let looks = 0
    unquoted({ length: text.length, charCodeAt: (at) => (looks++, text.charCodeAt(at)), slice: (from, to) => text.slice(from, to) })
    assert.ok(looks <= text.length + 2, `${String(looks)} looks at ${String(text.length)} characters`)
  }
})

test('of two styles the one with the higher rank counts, whichever comes first', () => {
  const hidden = readStyle('display:none;color:red', 5)
  for (const [css, rank, expected] of [['display:block', 6, DISPLAY_BLOCK], ['display:block', 4, DISPLAY_NONE], ['display:block!important', 4, DISPLAY_BLOCK], ['color:blue', 9, DISPLAY_NONE]] as const) {
    const other = readStyle(css, rank)
    assert.equal(valueOf(overlay(hidden, other), DISPLAY), expected, css)
    assert.equal(valueOf(overlay(other, hidden), DISPLAY), expected, css)
  }
  assert.equal(valueOf(overlay(readStyle('display:none', INLINE_RANK), readStyle('display:block', INLINE_RANK - 1)), DISPLAY), DISPLAY_NONE)
  assert.deepEqual([valueOf(onlyShowing(hidden), DISPLAY), valueOf(onlyShowing(hidden), COLOR), valueOf(onlyShowing(readStyle('display:block')), DISPLAY)], [undefined, 0xff0000, DISPLAY_BLOCK])
})

test('selectors: those that are followed, and on what others may work', () => {
  for (const [selector, key, certain, specificity] of [
    ['p', 'p', true, 1], ['.Note', '.Note', true, 10], ['P.b', 'p.b', true, 11], ['#top', '#top', true, 100], ['*', '*', true, 0], ['*.a', '.a', true, 10], ['body .a', '.a', true, 11], ['html  body p', 'p', true, 3],
    ['td .d', '.d', false, 255], ['.f > .g', '.g', false, 255], ['.f>b', 'b', false, 255], ['.e:hover', '.e', false, 255], ['td[class="x"]', 'td.x', false, 255], ['[id=x]', '#x', false, 255], ['[class*=x]', '*', false, 255], [':root', '*', false, 255], ['.a:not(.b c)', '.a', false, 255], ['.a.b', '.a', false, 255], ['.\\61', '*', false, 255], ['x'.repeat(100), '*', false, 255],
  ] as const) assert.deepEqual(readSelector(selector), { key, certain, specificity }, selector)
  for (const selector of ['', '  ', 'p::before', '.a:after', 'p:first-line']) assert.equal(readSelector(selector), undefined, selector)
})

test('the same style is read once', () => {
  const memory = new StyleMemory()
  assert.equal(memory.read('color:red'), memory.read('color:red'))
})

test('sheets: rules that are followed, and what others may show', () => {
  const sheet = sheetsOf(`<style type="text/css"><!--
    @import url(x.css); @charset "utf-8";
    .a, P.b , #Top { display: none } /* .c { display:none } */
    td .d, .e:hover, .f > .g { display: none }
    @media only screen and (max-width: 600px) { .h { display: none } .i { color: red } @supports (x) { .m { display: block } } }
    @media print { .n { display: block } } @font-face { color: red }
    .j { font-family: Arial } .q{content:"}";display:none}
    .k { color: #fff; &:hover { display: block } .l { display:none } opacity: 1 }
  --></style><p>text<STYLE>.r{font-size:0}</STYLE>`)
  assert.deepEqual([...(sheet?.rules.keys() ?? [])], ['.a', 'p.b', '#Top', '.q', '.k', '.r'])
  assert.deepEqual([...(sheet?.perhaps.keys() ?? [])], ['.i', '.m', '.k', '*'])
  assert.equal(sheet?.truncated, false)
})

test('a sheet in a comment is none, one that is not closed goes to the end', () => {
  assert.equal(sheetsOf('<!--[if mso]><style>.a{display:none}</style><![endif]--><p>x'), undefined)
  assert.equal(sheetsOf('<!-- open <style>.a{display:none}</style>'), undefined)
  assert.deepEqual([...(sheetsOf('<!-- x --><style>.a{display:none}')?.rules.keys() ?? [])], ['.a'])
  assert.deepEqual([...(sheetsOf('<!-- <style> --> <!-- --><style media=all>.a{display:none}')?.rules.keys() ?? [])], ['.a'])
  assert.equal(sheetsOf('no style at all'), undefined)
})

test('the bounds of sheets and styles hold', () => {
  const many = `<style>${Array.from({ length: 5000 }, (_, i) => `.c${String(i)}{color:red}`).join('')}</style>`
  const sheet = sheetsOf(many)
  assert.ok(sheet !== undefined && sheet.truncated)
  assert.ok(sheet.rules.size <= 1000)
  assert.equal(value(DISPLAY, `${';'.repeat(10_000)}display:none`), DISPLAY_NONE)
  assert.equal(sheetsOf(`<style>${'@media x{'.repeat(100)}`)?.truncated, true)
})

test('a sheet costs what it weighs, however its rules are nested and however little of them is whole', () => {
  for (const css of [`${'@a;'.repeat(20_000)}${' '.repeat(60_000)}{}.a{display:none}`, `${'@a;{}'.repeat(20_000)}.a{display:none}`, `${'@a{}'.repeat(20_000)}.a{display:none}`]) {
    const sheet = sheetsOf(`<style>${css}</style>`)
    assert.deepEqual([sheet?.work !== undefined && sheet.work <= css.length, sheet?.truncated, [...(sheet?.rules.keys() ?? [])]], [true, false, ['.a']], css.slice(0, 20))
  }
  // The selectors of a rule are read for each of the pieces that rules in it make of it, but not without end.
  const pieces = sheetsOf(`<style>${'.b,'.repeat(5000)}.a{${'x:y;&{}'.repeat(10_000)}}</style>`)
  assert.ok(pieces !== undefined && pieces.truncated && pieces.work < 1_000_000)
})
