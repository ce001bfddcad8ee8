import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ControlBytes } from '../../../src/smtp/control-bytes.ts'

test('every byte value, at every place and alignment, is found exactly where it is below 0x0e', () => {
  const whole = Buffer.alloc(64, 'x')
  for (let shift = 0; shift < 5; shift++) {
    for (let length = 0; length < 14; length++) {
      const piece = whole.subarray(shift, shift + length)
      for (let at = 0; at < length; at++) {
        for (let value = 0; value < 256; value++) {
          piece.fill('x')
          piece[at] = value
          const controls = new ControlBytes(piece)
          for (let start = 0; start <= length; start++) {
            assert.equal(controls.next(start), value < 0x0e && start <= at ? at : length)
          }
        }
      }
    }
  }
})

test('bytes of 0x80 and up beside a control byte hide nothing', () => {
  const piece = Buffer.from([0xff, 0x80, 0x0d, 0x8d, 0x0e, 0x8a, 0x7f, 0x00, 0xff])
  const controls = new ControlBytes(piece)
  assert.equal(controls.next(0), 2)
  assert.equal(controls.next(3), 7)
  assert.equal(controls.next(8), 9)
})
