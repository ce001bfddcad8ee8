/** What stands around every protocol: limits, the deadline, places, the breaker; whatever the adapter does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed, type Attempt, type EngineAdapter } from '../../../../src/spam/engines/engine.ts'
import { GuardedEngine } from '../../../../src/spam/engines/guarded-engine.ts'
import { clamav, engineMessage, HAM } from '../../../support/spam-engines.ts'
import { ManualClock } from '../../dns/manual-clock.ts'

interface Asked {
  readonly settle: (attempt: Attempt) => void
  readonly reject: (error: unknown) => void
  readonly signal: AbortSignal
}

function stage(changed: { readonly scans?: number; readonly waiting?: number; readonly failures?: number; readonly seesPrefix?: boolean; readonly down?: 'flow' | 'tempfail'; readonly timeoutMs?: number } = {}) {
  const clock = new ManualClock()
  const asked: Asked[] = []
  const logged: (readonly [string, Readonly<Record<string, unknown>>, string])[] = []
  const at = (level: string) => (facts: Readonly<Record<string, unknown>>, text: string) => void logged.push([level, facts, text])
  let closed = 0
  const pings: ((trouble: string | undefined) => void)[] = []
  const adapter: EngineAdapter = {
    seesPrefix: changed.seesPrefix ?? true,
    scan: (_, signal) => new Promise((settle, reject) => asked.push({ settle, reject, signal })),
    ping: () => new Promise((settle) => pings.push(settle)),
    close: () => {
      closed++
    },
  }
  const settings = clamav({ name: 'lab', down: changed.down ?? 'flow', timeoutMs: changed.timeoutMs ?? 1000, maxBytes: 1000, scans: changed.scans ?? 2, waiting: changed.waiting ?? 2, breaker: { failures: changed.failures ?? 3, firstPauseMs: 5000, mostPauseMs: 20_000 } })
  const engine = new GuardedEngine(adapter, settings, { clock, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } })
  return { engine, clock, asked, logged, pings, scan: () => engine.scan(engineMessage(HAM)), closed: () => closed }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

test('the outcome of the adapter, and nothing left behind', async () => {
  const { engine, asked, clock, scan } = stage()
  const scanning = scan()
  await turns()
  assert.deepEqual([engine.health().running, clock.pending], [1, 1])
  asked[0]!.settle({ status: 'clean' })
  assert.deepEqual(await scanning, { status: 'clean' })
  assert.deepEqual(engine.health(), { breaker: 'closed', failures: 0, cause: undefined, retryInMs: undefined, running: 0, waiting: 0 })
  assert.equal(clock.pending, 0)
})

test('a message over the limit is not shown, with its prefix where that is seen', async () => {
  const { engine, asked } = stage()
  assert.deepEqual(await engine.scan(engineMessage('x'.repeat(1001))), { status: 'too-big' })
  assert.deepEqual(await engine.scan(engineMessage('x'.repeat(900), { prefix: Buffer.alloc(101) })), { status: 'too-big' })
  assert.equal(asked.length, 0)
  const just = [engine.scan(engineMessage('x'.repeat(1000))), engine.scan(engineMessage('x'.repeat(900), { prefix: Buffer.alloc(100) }))]
  await turns()
  for (const { settle } of asked) settle({ status: 'clean' })
  assert.deepEqual(await Promise.all(just), [{ status: 'clean' }, { status: 'clean' }])
  const blind = stage({ seesPrefix: false })
  const scanning = blind.engine.scan(engineMessage('x'.repeat(900), { prefix: Buffer.alloc(101) }))
  await turns()
  blind.asked[0]!.settle({ status: 'clean' })
  assert.deepEqual(await scanning, { status: 'clean' })
})

test('one that never answers is left at the deadline, its signal given, its place free', async () => {
  const { engine, asked, clock, scan } = stage()
  const scanning = scan()
  await turns()
  clock.advance(999)
  assert.equal(asked[0]!.signal.aborted, false)
  clock.advance(1)
  assert.deepEqual(await scanning, { status: 'temperror', cause: 'no answer in 1000 ms' })
  assert.equal(asked[0]!.signal.aborted, true)
  assert.equal(engine.health().running, 0)
  // What it says or throws afterwards is nobody's.
  asked[0]!.reject(new Error('late'))
  await turns()
})

test('what an adapter throws is a temperror, and no failure of the engine', async () => {
  const { engine, asked, scan } = stage()
  const scanning = scan()
  await turns()
  asked[0]!.reject(new Error('read\u001b EIO'))
  assert.deepEqual(await scanning, { status: 'temperror', cause: 'read? EIO' })
  assert.equal(engine.health().failures, 0)
})

test('so many at a time, so many wait, the next has a temperror at once; waiting counts into the time', async () => {
  const { engine, asked, clock, scan } = stage()
  const scans = [scan(), scan(), scan(), scan()]
  await turns()
  assert.deepEqual([engine.health().running, engine.health().waiting, asked.length], [2, 2, 2])
  assert.deepEqual(await scan(), { status: 'temperror', cause: '2 messages are being scanned and 2 wait, which is the most' })
  clock.advance(500)
  asked[0]!.settle({ status: 'clean' })
  assert.deepEqual(await scans[0], { status: 'clean' })
  await turns()
  assert.equal(asked.length, 3)
  clock.advance(500)
  const causes = await Promise.all(scans.slice(1))
  assert.deepEqual(causes.map((found) => found.status === 'temperror' && found.cause), ['no answer in 1000 ms', 'no answer in 1000 ms', 'no place among the 2 scans at a time came free in 1000 ms'])
  clock.advance(1000)
  await turns()
  assert.equal(engine.health().failures, 2)
})

test('set aside it costs nothing, those that wait leave at once, and one message tries it later', async () => {
  const { engine, asked, clock, logged, scan } = stage({ scans: 1, waiting: 5, failures: 2 })
  const scans = [scan(), scan(), scan(), scan()]
  await turns()
  asked[0]!.settle(failed('connect ECONNREFUSED', 'lost'))
  await turns()
  asked[1]!.settle(failed('connect ECONNREFUSED', 'lost'))
  const [, , third, fourth] = await Promise.all(scans)
  const aside = { status: 'temperror', cause: 'set aside since 1 s after 2 failures in a row (connect ECONNREFUSED); the next try is in 5 s' }
  assert.deepEqual([third, fourth, await scan()], [aside, aside, aside])
  assert.equal(asked.length, 2)
  assert.deepEqual(engine.health(), { breaker: 'open', failures: 2, cause: 'connect ECONNREFUSED', retryInMs: 5000, running: 0, waiting: 0 })
  clock.advance(5000)
  assert.equal(engine.health().breaker, 'half-open')
  const trial = scan()
  await turns()
  const meanwhile = await scan()
  assert.ok(meanwhile.status === 'temperror' && /it is being tried$/.test(meanwhile.cause))
  asked[2]!.settle({ status: 'virus', name: 'Evil' })
  assert.deepEqual(await trial, { status: 'virus', name: 'Evil' })
  assert.equal(engine.health().breaker, 'closed')
  assert.deepEqual(logged, [
    ['warn', { engine: 'lab', kind: 'clamav', failures: 2, pauseMs: 5000, cause: 'connect ECONNREFUSED' }, 'a spam engine is set aside, and mail goes on without it'],
    ['info', { engine: 'lab', kind: 'clamav', asideMs: 5000 }, 'a spam engine answers again'],
  ])
})

test('set aside where mail is to wait for it: the log says that it does not go on', async () => {
  const { asked, logged, scan } = stage({ failures: 1, down: 'tempfail' })
  const scanning = scan()
  await turns()
  asked[0]!.settle(failed('connect ECONNREFUSED', 'lost'))
  await scanning
  assert.deepEqual(logged.map(([level, , text]) => [level, text]), [['warn', 'a spam engine is set aside, and mail that it is to judge gets 451 until it answers (down: tempfail)']])
})

test('errors that it answers set nobody aside, however many', async () => {
  const { engine, asked, scan } = stage()
  for (let i = 0; i < 10; i++) {
    const scanning = scan()
    await turns()
    asked[i]!.settle(failed('clamd says "ERROR"', 'answered'))
    assert.deepEqual(await scanning, { status: 'temperror', cause: 'clamd says "ERROR"' })
  }
  assert.equal(engine.health().breaker, 'closed')
})

const SLOW = { status: 'temperror', cause: 'no answer in 1000 ms' } as const

test('messages that it takes too long over set it aside only where it answers no ping either', async () => {
  const { engine, clock, pings, asked, scan } = stage({ scans: 5, failures: 3 })
  const slow = async (): Promise<void> => {
    const scans = [scan(), scan(), scan(), scan(), scan()]
    await turns()
    clock.advance(1000)
    for (const outcome of await Promise.all(scans)) assert.deepEqual(outcome, SLOW)
    await turns()
  }
  await slow()
  assert.equal(pings.length, 1, 'one for all of them')
  pings[0]!(undefined)
  await turns()
  assert.equal(asked.length, 6, 'then it is shown a short message, one for all of them')
  asked[5]!.settle({ status: 'clean' })
  await turns()
  assert.deepEqual([engine.health().breaker, engine.health().failures, engine.health().running, clock.pending], ['closed', 0, 0, 0])
  await slow()
  pings[1]!('connect ECONNREFUSED')
  await turns()
  assert.deepEqual([engine.health().breaker, engine.health().cause, asked.length], ['open', 'no answer in 1000 ms', 11])
  clock.advance(5000)
  // The try is such a message again: it is there all the same.
  const trial = scan()
  await turns()
  assert.equal(asked.length, 12)
  clock.advance(1000)
  await trial
  assert.equal(engine.health().breaker, 'open')
  await turns()
  pings[2]!(undefined)
  await turns()
  asked[12]!.settle({ status: 'clean' })
  await turns()
  assert.equal(engine.health().breaker, 'closed')
})

test('one that answers pings and judges nothing, not even a short message, is set aside', async () => {
  const { engine, clock, pings, asked, logged, scan } = stage({ scans: 5, failures: 3 })
  const scans = [scan(), scan(), scan()]
  await turns()
  clock.advance(1000)
  for (const outcome of await Promise.all(scans)) assert.deepEqual(outcome, SLOW)
  await turns()
  pings[0]!(undefined)
  await turns()
  assert.equal(asked.length, 4)
  clock.advance(1000)
  await turns()
  assert.equal(asked[3]!.signal.aborted, true)
  assert.deepEqual([engine.health().breaker, engine.health().running, clock.pending], ['open', 0, 0])
  assert.deepEqual(logged.map(([, { cause }, text]) => [cause, text]), [['no answer in 1000 ms; it answers a ping, and of a short message nothing in 1000 ms', 'a spam engine is set aside, and mail goes on without it']])
  const aside = await scan()
  assert.ok(aside.status === 'temperror' && aside.cause.startsWith('set aside since'))
})

test('the short message has ten seconds, however long others may take', async () => {
  const { engine, clock, pings, asked, scan } = stage({ failures: 1, timeoutMs: 60_000 })
  const scanning = scan()
  await turns()
  clock.advance(60_000)
  await scanning
  await turns()
  pings[0]!(undefined)
  await turns()
  clock.advance(9999)
  await turns()
  assert.deepEqual([asked[1]!.signal.aborted, engine.health().breaker], [false, 'closed'])
  clock.advance(1)
  await turns()
  assert.deepEqual([asked[1]!.signal.aborted, engine.health().breaker], [true, 'open'])
  assert.match(engine.health().cause ?? '', /of a short message nothing in 10000 ms$/)
})

for (const [trouble, breaker] of [['answered', 'closed'], ['unclear', 'closed'], ['lost', 'open']] as const) {
  test(`where the short message fails (${trouble}), the engine is ${breaker === 'open' ? 'set aside' : 'there all the same'}`, async () => {
    const { engine, clock, pings, asked, scan } = stage({ failures: 1 })
    const scanning = scan()
    await turns()
    clock.advance(1000)
    await scanning
    await turns()
    pings[0]!(undefined)
    await turns()
    asked[1]!.settle(failed('it said ERROR', trouble))
    await turns()
    assert.deepEqual([engine.health().breaker, engine.health().cause], [breaker, breaker === 'open' ? 'no answer in 1000 ms; it answers a ping, and of a short message: it said ERROR' : undefined])
  })
}

test('where no place for the short message comes free, nothing is known of the engine', async () => {
  const { engine, clock, pings, asked, scan } = stage({ scans: 1, failures: 1 })
  const first = scan()
  await turns()
  clock.advance(1000)
  await first
  // This one has the place for as long as the short message waits for it.
  const second = scan()
  await turns()
  pings[0]!(undefined)
  await turns()
  clock.advance(1000)
  await second
  await turns()
  assert.deepEqual([asked.length, engine.health().breaker, engine.health().running], [2, 'closed', 0])
})

test('the short message has a place before those that wait', async () => {
  const { engine, clock, pings, asked, scan } = stage({ scans: 1, waiting: 3, failures: 1 })
  const first = scan()
  await turns()
  clock.advance(500)
  const second = scan()
  const third = scan()
  await turns()
  clock.advance(500)
  await first
  await turns()
  pings[0]!(undefined)
  await turns()
  assert.deepEqual([asked.length, engine.health().running, engine.health().waiting], [2, 1, 1])
  asked[1]!.settle({ status: 'clean' })
  assert.deepEqual(await second, { status: 'clean' })
  await turns()
  assert.deepEqual([asked.length, engine.health().waiting], [3, 1])
  // What it says of it is of no account, as long as it says something.
  asked[2]!.settle(failed('clamd says "ERROR"', 'answered'))
  await turns()
  asked[3]!.settle({ status: 'clean' })
  assert.deepEqual(await third, { status: 'clean' })
  assert.equal(engine.health().breaker, 'closed')
})

test('one that answers each message with an error is told once, and once that it judges again', async () => {
  const { clock, asked, logged, scan } = stage({ failures: 3 })
  const error = failed('clamd says "ERROR"', 'answered')
  const ask = async (...attempts: readonly Attempt[]): Promise<void> => {
    for (const attempt of attempts) {
      const scanning = scan()
      await turns()
      asked.at(-1)!.settle(attempt)
      await scanning
    }
  }
  await ask(error, error, { status: 'clean' }, error, error)
  assert.deepEqual(logged, [])
  await ask(error, error, error)
  const told = ['warn', { engine: 'lab', kind: 'clamav', failures: 3, cause: 'clamd says "ERROR"' }, 'a spam engine answers with errors, and mail goes on without it'] as const
  assert.deepEqual(logged, [told])
  clock.advance(7000)
  const again = ['info', { engine: 'lab', kind: 'clamav', errorsMs: 7000 }, 'a spam engine judges again'] as const
  await ask({ status: 'clean' }, { status: 'clean' })
  assert.deepEqual(logged, [told, again])
  // Strangers could have it told again and again.
  await ask(error, error, error, { status: 'clean' })
  assert.equal(logged.length, 2)
  clock.advance(20_000)
  await ask(error, error, error)
  assert.equal(logged.length, 3)
})

test('ping has a deadline of its own', async () => {
  const { engine, clock } = stage()
  const pinging = engine.ping()
  await turns()
  clock.advance(1000)
  assert.equal(await pinging, 'no answer in 1000 ms')
  assert.equal(engine.health().failures, 0)
})

test('closing ends what is under way and what waits, once', async () => {
  const { engine, asked, scan, closed } = stage({ scans: 1 })
  const scans = [scan(), scan()]
  const pinging = engine.ping()
  await turns()
  engine.close()
  engine.close()
  const ended = { status: 'temperror', cause: 'closed' }
  assert.deepEqual(await Promise.all([...scans, scan()]), [ended, ended, ended])
  assert.equal(await pinging, 'closed')
  assert.equal(await engine.ping(), 'closed')
  assert.equal(asked[0]!.signal.aborted, true)
  assert.equal(closed(), 1)
  assert.equal(engine.health().failures, 0)
})
