import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readFields } from '../../../src/mime/fields.ts'

const read = (text: string, room = 100) => readFields(Buffer.from(text, 'latin1'), room)
const pairs = (text: string, room?: number) => read(text, room).fields.map(({ spelling, raw }) => [spelling, raw])

describe('the fields of a header', () => {
  test('have names in lower case and as they are written, values unfolded and without blanks at their ends', () => {
    const [field] = read('SubJect:  one\r\n two\r\n\tthree \r\nX: y\r\n').fields
    assert.deepEqual([field?.name, field?.spelling, field?.raw, field?.text], ['subject', 'SubJect', 'one two\tthree', 'one two\tthree'])
  })

  test('end in any line end', () => {
    for (const end of ['\r\n', '\n', '\r']) assert.deepEqual(pairs(`A: b${end}C: d${end} e${end}F:${end}`), [['A', 'b'], ['C', 'd e'], ['F', '']])
    assert.deepEqual(pairs('A: b\rC: d\nE: f'), [['A', 'b'], ['C', 'd'], ['E', 'f']])
  })

  test('may have blanks or a fold before the colon', () => {
    assert.deepEqual(pairs('A : b\r\nC\t :d\r\nE\r\n : f\r\n'), [['A', 'b'], ['C', 'd'], ['E', 'f']])
  })

  test('lines that are none are passed over, and it is told where the first is', () => {
    const between = read('A: b\r\nno field\r\nC: d\r\n')
    assert.deepEqual([between.fields.length, between.stray, between.strayFirst, between.strayLast], [2, 6, false, false])
    const first = read('no field\r\n folded: x\r\nA: b\r\n')
    assert.deepEqual([first.fields.length, first.stray, first.strayFirst, first.strayLast], [1, 0, true, false])
    const last = read('A: b\r\nno field\r\nnor this\r\n')
    assert.deepEqual([last.stray, last.strayFirst, last.strayLast], [6, false, true])
    assert.equal(read('A: b\r\n').stray, -1)
    assert.equal(read(': x\r\n').stray, 0)
    assert.equal(read(' A: b\r\n').stray, 0)
  })

  test('the line of an mbox on top is none and is no fault', () => {
    for (const line of ['From me@a.example Mon Jan 1 00:00:00 2024', '>From x']) {
      const { fields, stray } = read(`${line}\r\nA: b\r\n`)
      assert.deepEqual([fields.length, stray], [1, -1])
    }
    assert.equal(read('A: b\r\nFrom x\r\n').stray, 6)
  })

  test('there is room for so many; those of MIME are found behind them', () => {
    const { fields, content, over } = read('A: b\r\nContent-Type: x\r\nC: d\r\nContent-ID: y\r\nE: f\r\n', 2)
    assert.deepEqual(fields.map(({ name }) => name), ['a', 'content-type'])
    assert.deepEqual(content.map(({ name }) => name), ['content-type', 'content-id'])
    assert.equal(over, true)
    assert.equal(read('A: b\r\n', 1).over, false)
  })

  test('values keep their bytes; text has them read', () => {
    const field = read('Subject: \xc3\xa4 =?iso-8859-1?q?=E4?=\r\n').fields[0]!
    assert.equal(field.raw, '\xc3\xa4 =?iso-8859-1?q?=E4?=')
    // made when it is asked for, and once
    assert.deepEqual([field.text, field.text], ['ä ä', 'ä ä'])
  })
})
