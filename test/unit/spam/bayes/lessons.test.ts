/** What so many lessons are worth. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evenLessons, fewnessOf, trustIn } from '../../../../src/spam/bayes/lessons.ts'

test('unwanted messages beyond as many as the wanted ones make their lessons worth less', () => {
  assert.equal(evenLessons({ hams: 500, spams: 300 }), 500)
  assert.equal(evenLessons({ hams: 500, spams: 500 }), 500)
  assert.equal(evenLessons({ hams: 500, spams: 1000 }), 250)
  assert.equal(evenLessons({ hams: 200, spams: 1000 }), 40)
  // Folders full of spam do not silence it.
  assert.equal(evenLessons({ hams: 1000, spams: 1_000_000 }), 200)
  assert.equal(evenLessons({ hams: 0, spams: 1000 }), 0)
  assert.equal(evenLessons({ hams: 0, spams: 0 }), 0)
})

test('trust grows with lessons, up to all', () => {
  const of = (hams: number, spams = hams) => trustIn({ hams, spams })
  assert.equal(of(0), 0)
  assert.ok(Math.abs(of(200) - 0.669) < 0.001)
  assert.ok(Math.abs(of(500) - 0.841) < 0.001)
  assert.equal(of(1000), 1)
  assert.equal(of(1_000_000), 1)
  assert.equal(of(500, 1000), of(250))
  for (let hams = 1; hams < 1000; hams++) assert.ok(of(hams) > of(hams - 1))
})

test('few are 200 and fewer, and 3000 are none of them', () => {
  const of = (hams: number, spams = hams) => fewnessOf({ hams, spams })
  for (const hams of [0, 1, 200]) assert.equal(of(hams), 1)
  assert.equal(of(3000), 0)
  assert.equal(of(30_000), 0)
  assert.ok(of(201) < 1 && of(201) > 0.99 && of(2999) > 0 && of(2999) < 0.01)
  assert.equal(of(600, 2400), of(150))
  assert.equal(of(600, 1_000_000), of(600, 3000))
})
