import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UNKNOWN, UNSET } from '../../../../../src/spam/content/html/colors.ts'
import { readSheets } from '../../../../../src/spam/content/html/sheets.ts'
import { CLIPPED, EMPTY_BOX, GONE, INVISIBLE, MSO_HIDDEN, overlay, readStyle, SHOWN, StyleMemory, unquoted, VISIBLE } from '../../../../../src/spam/content/html/styles.ts'

const flags = (css: string) => readStyle(css).flags

test('what makes an element vanish', () => {
  for (const css of ['display:none', 'DISPLAY : None !important', 'opacity:0', 'opacity: 0.0', 'text-indent:-9999px', 'position:absolute; left:-5000px', 'dis/* x */play:none', '\\64 isplay:none', 'color:red;;display:none', 'background:url(data:image/png;base64,AA==);display:none']) {
    assert.equal(flags(css) & GONE, GONE, css)
  }
  for (const css of ['display:block', 'opacity:1', 'opacity:.9', 'text-indent:-10px', 'xdisplay:none', 'display', 'content:"display:none"', '']) assert.equal(flags(css) & GONE, 0, css)
  assert.equal(flags('visibility:hidden'), INVISIBLE)
  assert.equal(flags('visibility:visible'), VISIBLE)
  assert.equal(flags('max-height:0px;overflow:hidden'), EMPTY_BOX | CLIPPED)
  assert.equal(flags('mso-hide:all'), MSO_HIDDEN)
})

test('sizes, colours and images', () => {
  assert.equal(readStyle('font-size:1px').fontSize, 1)
  assert.equal(readStyle('font-size:12pt').fontSize, 16)
  assert.equal(readStyle('font: bold 0px/1.5 Arial').fontSize, 0)
  assert.equal(readStyle('font: 700 14px Arial').fontSize, 14)
  assert.equal(readStyle('font: .5px Arial').fontSize, 0.5)
  assert.equal(readStyle('font:0.000000001px a').fontSize, 1e-9)
  // A size with more digits is none: to look for its end from each of them would take the square of their number.
  assert.ok(Number.isNaN(readStyle(`font:${'1'.repeat(4000)}`).fontSize))
  assert.ok(Number.isNaN(readStyle(`font:${'1'.repeat(4000)}px`).fontSize))
  assert.deepEqual([readStyle('font-size:50%').fontSize, readStyle('font-size:50%').relative], [0.5, true])
  assert.equal(readStyle('font-size:x-small').fontSize, 10)
  assert.ok(Number.isNaN(readStyle('font-size:-1px').fontSize))
  assert.ok(Number.isNaN(readStyle('font-size:inherit').fontSize))
  assert.equal(readStyle('color:#FFF').color, 0xffffff)
  assert.equal(readStyle('background: #000 none').background, 0)
  assert.equal(readStyle('background-color: transparent').background, UNSET)
  assert.equal(readStyle('background: linear-gradient(red, blue)').background, UNKNOWN)
  const image = readStyle('background: #fff url("http://A.example/B.png") no-repeat')
  assert.deepEqual([image.background, image.image], [UNKNOWN, 'http://A.example/B.png'])
  assert.deepEqual([readStyle('width:1px;height:2px').width, readStyle('width:1px;height:2px').height], [1, 2])
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

test('the second style over the first', () => {
  assert.equal(overlay(readStyle('display:none;color:red'), readStyle('display:block')).flags & GONE, 0)
  assert.equal(overlay(readStyle('display:none'), readStyle('color:red')).flags & GONE, GONE)
  assert.equal(overlay(readStyle('visibility:hidden'), readStyle('visibility:visible')).flags, VISIBLE)
  assert.equal(overlay(readStyle('color:red;font-size:2px'), readStyle('color:blue')).color, 0xff)
  assert.equal(overlay(readStyle('font-size:2px'), readStyle('color:blue')).fontSize, 2)
  assert.equal(overlay(readStyle('display:none'), readStyle('display:block')).flags & SHOWN, SHOWN)
})

test('the same style is read once', () => {
  const memory = new StyleMemory()
  assert.equal(memory.read('color:red'), memory.read('color:red'))
})

test('sheets: simple selectors count, everything else is passed over', () => {
  const sheet = readSheets(`<style type="text/css"><!--
    @import url(x.css); @charset "utf-8";
    .a, P.b , #Top { display: none } /* .c { display:none } */
    td .d, .e:hover, .f > .g, * { display: none }
    @media only screen and (max-width: 600px) { .h { display: none } .i { color: red } }
    .j { font-family: Arial }
    .k { color: #fff }
  --></style><p>text<STYLE>.l{font-size:0}</STYLE>`)
  assert.deepEqual([...(sheet?.rules.keys() ?? [])], ['.a', 'p.b', '#top', '.k', '.l'])
  assert.equal(sheet?.truncated, false)
})

test('a sheet in a comment is none, one that is not closed goes to the end', () => {
  assert.equal(readSheets('<!--[if mso]><style>.a{display:none}</style><![endif]--><p>x'), undefined)
  assert.equal(readSheets('<!-- open <style>.a{display:none}</style>'), undefined)
  assert.deepEqual([...(readSheets('<!-- x --><style>.a{display:none}')?.rules.keys() ?? [])], ['.a'])
  assert.equal(readSheets('no style at all'), undefined)
})

test('the bounds of sheets and styles hold', () => {
  const many = `<style>${Array.from({ length: 5000 }, (_, i) => `.c${i}{color:red}`).join('')}</style>`
  const sheet = readSheets(many)
  assert.ok(sheet !== undefined && sheet.truncated)
  assert.ok(sheet.rules.size <= 1000)
  assert.equal(flags(`${';'.repeat(10_000)}display:none`), 0)
})
