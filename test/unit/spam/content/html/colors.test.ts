import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributeColor, blended, cssColor, sameToTheEye, TRANSPARENT, UNKNOWN, UNSET } from '../../../../../src/spam/content/html/colors.ts'

test('colours of CSS', () => {
  for (const [text, color] of [
    ['#fff', 0xffffff], ['#1e90ff', 0x1e90ff], ['#1e90ffff', 0x1e90ff], ['white', 0xffffff], ['rebeccapurple', 0x663399],
    ['rgb(255, 0, 10)', 0xff000a], ['rgb(100% 0% 0%)', 0xff0000], ['rgba(1,2,3,1)', 0x010203], ['hsl(0, 100%, 50%)', 0xff0000], ['hsl(120deg 100% 25%)', 0x008000],
    ['#fff0', TRANSPARENT], ['#ffffff00', TRANSPARENT], ['rgba(0,0,0,0)', TRANSPARENT], ['transparent', TRANSPARENT],
    ['#ggg', UNKNOWN], ['#12345', UNKNOWN], ['inherit', UNKNOWN], ['rgb(1)', UNKNOWN], ['hsl(a,b,c)', UNKNOWN], ['lab(1 2 3)', UNKNOWN], ['x'.repeat(5000), UNKNOWN],
  ] as const) assert.equal(cssColor(text), color, text.slice(0, 40))
})

test('what shows through a colour', () => {
  for (const text of ['#00000080', 'rgba(0,0,0,.5)', 'rgb(0 0 0 / 50%)', 'hsla(0, 0%, 0%, .5)']) {
    assert.ok(sameToTheEye(blended(cssColor(text), 0xffffff), 0x7f7f7f), text)
    assert.equal(blended(cssColor(text), UNKNOWN), UNKNOWN, text)
  }
  assert.ok(sameToTheEye(blended(cssColor('#0f08'), 0), 0x008800))
  assert.equal(blended(0x123456, 0xffffff), 0x123456)
  assert.equal(blended(TRANSPARENT, 0xffffff), TRANSPARENT)
})

test('colours of attributes: anything is one', () => {
  for (const [text, color] of [
    ['FFFFFF', 0xffffff], ['#FFFFFE', 0xfffffe], [' White ', 0xffffff], ['#abc', 0xaabbcc], ['', UNSET], ['transparent', UNSET],
    // the example of the standard
    ['chucknorris', 0xc00000],
    ['#FFFFF', 0xfffff0],
    ['#', 0], ['g', 0], ['#f', 0x0f0000], ['12345678', 0x124578], ['a#bcdef', 0xabcdef], ['123456789012345678901234567890', 0x343434],
    // A 0 in front of all three parts goes, as long as they have more than two digits.
    ['00ff00ff00ff', 0xffffff], ['#0f0f0f0f0f0f', 0xf0f0f0], ['#0ff0ff0ff', 0xffffff], ['000000000000', 0],
  ] as const) assert.equal(attributeColor(text), color, text)
})

test('what an eye cannot tell apart', () => {
  assert.equal(sameToTheEye(0xffffff, 0xffffff), true)
  assert.equal(sameToTheEye(0xfefefe, 0xffffff), true)
  assert.equal(sameToTheEye(0xeeeeee, 0xffffff), true)
  assert.equal(sameToTheEye(0xcccccc, 0xffffff), false)
  assert.equal(sameToTheEye(0xffff00, 0xffffff), false)
  assert.equal(sameToTheEye(0xffffff, UNKNOWN), false)
  assert.equal(sameToTheEye(UNKNOWN, UNKNOWN), false)
})
