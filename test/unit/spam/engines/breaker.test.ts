import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breaker, type BreakerChange, type Pass, type Report } from '../../../../src/spam/engines/breaker.ts'

function breaker() {
  let nowMs = 0
  const changes: BreakerChange[] = []
  const made = new Breaker({ failures: 3, firstPauseMs: 1000, mostPauseMs: 5000 }, { now: () => nowMs, onChange: (change) => void changes.push(change) })
  const enter = (): Pass => {
    const pass = made.enter()
    assert.ok(pass !== undefined, 'it is set aside')
    return pass
  }
  const tries = (...reports: Report[]): void => reports.forEach((report) => made.leave(enter(), report, `${report} at ${nowMs}`))
  return { made, changes, enter, tries, wait: (ms: number) => void (nowMs += ms) }
}

test('three failures in a row set it aside, fewer or others between do not', () => {
  const { made, changes, tries } = breaker()
  tries('lost', 'lost', 'answered', 'lost', 'lost', 'unclear')
  assert.deepEqual([made.state, made.failures, changes.length], ['closed', 2, 0])
  tries('lost')
  assert.equal(made.state, 'open')
  assert.equal(made.enter(), undefined)
  assert.deepEqual(changes, [{ to: 'open', pauseMs: 1000, failures: 3, cause: 'lost at 0' }])
})

test('the sentence says since when, why, and when it is tried again', () => {
  const { made, tries, wait } = breaker()
  assert.equal(made.refusal(), undefined)
  tries('lost', 'lost', 'lost')
  wait(400)
  assert.equal(made.refusal(), 'set aside since 1 s after 3 failures in a row (lost at 0); the next try is in 1 s')
  assert.equal(made.retryInMs, 600)
  wait(600)
  assert.equal(made.refusal(), undefined)
})

test('one message is the try; its success lets all in, and is told once', () => {
  const { made, changes, enter, tries, wait } = breaker()
  tries('lost', 'lost', 'lost')
  wait(1000)
  assert.equal(made.state, 'half-open')
  const trial = enter()
  assert.equal(trial.trial, true)
  assert.equal(made.enter(), undefined)
  assert.match(made.refusal() ?? '', /it is being tried$/)
  made.leave(trial, 'answered', '')
  assert.deepEqual([made.state, made.failures, made.cause], ['closed', 0, undefined])
  assert.deepEqual(changes.slice(1), [{ to: 'closed', asideMs: 1000 }])
  tries('answered')
  assert.equal(changes.length, 2)
})

test('each try that fails doubles the pause, up to the most, and is not told again', () => {
  const { made, changes, tries, wait } = breaker()
  tries('lost', 'lost', 'lost')
  const pauses = []
  for (let i = 0; i < 5; i++) {
    const pause = made.retryInMs ?? 0
    pauses.push(pause)
    wait(pause - 1)
    assert.equal(made.state, 'open')
    wait(1)
    tries('lost')
  }
  assert.deepEqual(pauses, [1000, 2000, 4000, 5000, 5000])
  assert.equal(changes.length, 1)
  assert.equal(made.failures, 8)
})

test('after it has closed, the first pause is short again', () => {
  const { made, tries, wait } = breaker()
  tries('lost', 'lost', 'lost')
  wait(1000)
  tries('lost')
  wait(2000)
  tries('answered', 'lost', 'lost', 'lost')
  assert.equal(made.retryInMs, 1000)
})

test('a try from which nothing was learned leaves the next message as the try', () => {
  const { made, enter, tries, wait } = breaker()
  tries('lost', 'lost', 'lost')
  wait(1000)
  made.leave(enter(), 'unclear', 'called off')
  assert.equal(made.state, 'half-open')
  assert.equal(enter().trial, true)
})

test('those that were under way when it was set aside neither lengthen the pause nor end a try', () => {
  const { made, enter, wait } = breaker()
  const early = [enter(), enter(), enter(), enter(), enter()]
  for (const pass of early.slice(0, 4)) made.leave(pass, 'lost', 'no answer')
  assert.deepEqual([made.failures, made.retryInMs], [3, 1000])
  wait(1000)
  const trial = enter()
  made.leave(early[4]!, 'lost', 'no answer')
  assert.equal(made.enter(), undefined)
  made.leave(trial, 'lost', 'no answer')
  assert.equal(made.retryInMs, 2000)
})

test('a late answer of one that was under way shows that it answers', () => {
  const { made, enter, tries } = breaker()
  const slow = enter()
  tries('lost', 'lost', 'lost')
  made.leave(slow, 'answered', '')
  assert.equal(made.state, 'closed')
})
