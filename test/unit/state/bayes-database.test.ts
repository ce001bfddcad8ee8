/** What the classifier learnt, in its own file: counts are added up, in whatever portions; what is old or too much goes; nobody is held up. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { LearntMessage } from '../../../src/spam/bayes/store.ts'
import { BAYES_DATABASE, BayesDatabase, type BayesDatabaseSettings } from '../../../src/state/bayes-database.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { rowsIn } from '../spam/bayes/bayes-fixture.ts'

const DAY = 20_000

function open(t: TestContext, directory = temporaryDirectory('bayes-db'), settings: Partial<BayesDatabaseSettings> = {}) {
  const store = new BayesDatabase(directory, { tokensVersion: 1, ...settings })
  t.after(() => {
    try {
      store.close()
    } catch {
      // Closed by the test.
    }
  })
  return { directory, store }
}

function message(name: string, tokens: readonly number[], day = DAY): LearntMessage {
  return { key: createHash('sha256').update(name).digest(), tokens: Float64Array.from(tokens), singles: Uint32Array.from(tokens, (token) => token % 2 ** 32), day }
}

test('counts are those of the messages, when they are added up at once and one by one', async (t) => {
  const { store: together } = open(t)
  const { store: single } = open(t)
  const largest = 2 ** 51 - 1
  const messages = [message('a', [1, 2, largest]), message('b', [2, 3]), message('c', [2, 4, largest]), message('d', [5])]
  for (const [at, one] of messages.entries()) {
    for (const store of [together, single]) assert.equal(await store.learn(one, at % 2 === 0 ? 'ham' : 'spam'), 'learned')
    assert.equal(await single.maintain(DAY), true)
  }
  assert.equal((await together.counts()).waiting, 4)
  assert.equal((await together.counts()).tokens, 0)
  assert.equal(await together.maintain(DAY), true)
  const expected = new Map([[1, '1/0'], [2, '2/1'], [3, '0/1'], [4, '1/0'], [5, '0/1'], [largest, '2/0']])
  assert.deepEqual(await rowsIn(together), expected)
  assert.deepEqual(await rowsIn(single), expected)
  assert.deepEqual(await together.counts(), { ham: 2, spam: 2, tokens: 6, waiting: 0, revision: 4 })
})

test('a message that moves before it was added up, and one that is forgotten, leave nothing wrong', async (t) => {
  const { store } = open(t)
  const one = message('a', [1, 2])
  await store.learn(one, 'ham')
  assert.equal(await store.learn(one, 'spam'), 'moved')
  await store.learn(message('b', [2, 3]), 'ham')
  assert.equal(await store.forget(message('b', [2, 3])), 'forgotten')
  await store.maintain(DAY)
  assert.deepEqual(await rowsIn(store), new Map([[1, '0/1'], [2, '0/1']]))
  // Its tokens were expired meanwhile: none goes below zero.
  await store.forget(message('a', [1, 2, 9]))
  await store.maintain(DAY)
  assert.deepEqual(await rowsIn(store), new Map())
  assert.deepEqual((({ ham, spam }) => [ham, spam])(await store.counts()), [0, 0])
})

test('it is there after the file was closed, and only for tokens of its version', async (t) => {
  const { store, directory } = open(t)
  await store.learn(message('a', [1, 2]), 'spam')
  store.close()
  const again = open(t, directory).store
  assert.equal(await again.learn(message('a', [1, 2]), 'spam'), 'known')
  await again.maintain(DAY)
  assert.equal((await rowsIn(again)).size, 2)
  assert.throws(() => new BayesDatabase(directory, { tokensVersion: 2 }), /tokens of version 1, this Postern makes 2/)
  assert.equal(statSync(join(directory, BAYES_DATABASE.file)).mode & 0o777, 0o640)
})

test('tokens that nobody has learnt for long go, and messages later', async (t) => {
  const { store } = open(t, undefined, { tokenDays: 100, messageDays: 200 })
  await store.learn(message('old', [1, 2], DAY), 'ham')
  await store.maintain(DAY)
  await store.learn(message('new', [2, 3], DAY + 90), 'ham')
  await store.maintain(DAY + 90)
  await store.maintain(DAY + 101)
  assert.deepEqual(await rowsIn(store), new Map([[2, '2/0'], [3, '1/0']]))
  assert.equal(await store.learn(message('old', [1, 2], DAY + 150), 'ham'), 'known')
  await store.maintain(DAY + 201)
  assert.equal(await store.learn(message('old', [1, 2], DAY + 201), 'ham'), 'learned')
  assert.equal(await store.learn(message('new', [2, 3], DAY + 201), 'ham'), 'known')
})

test('of too many tokens the rarest and oldest go first', async (t) => {
  const { store } = open(t, undefined, { maxTokens: 100 })
  const often = Array.from({ length: 40 }, (_, at) => 1000 + at)
  const recent = Array.from({ length: 40 }, (_, at) => 2000 + at)
  const rare = Array.from({ length: 60 }, (_, at) => 3000 + at)
  for (let at = 0; at < 8; at++) await store.learn(message(`often ${at}`, often, DAY), 'spam')
  await store.learn(message('rare', rare, DAY), 'ham')
  await store.maintain(DAY)
  await store.learn(message('recent', recent, DAY + 30), 'ham')
  await store.maintain(DAY + 30)
  const kept = await rowsIn(store)
  assert.ok(kept.size <= 100 && kept.size > 80, String(kept.size))
  for (const key of [...often, ...recent]) assert.ok(kept.has(key), String(key))
})

test('two that share the file: what each learns counts once, and one at a time adds up', async (t) => {
  const { store, directory } = open(t, undefined, { batchTokens: 50 })
  const { store: other } = open(t, directory, { batchTokens: 50 })
  const same = message('same', [7])
  assert.deepEqual([await store.learn(same, 'ham'), await other.learn(same, 'ham')], ['learned', 'known'])
  for (let at = 0; at < 200; at++) await (at % 2 === 0 ? store : other).learn(message(`m${at}`, [at + 100, 5000]), 'spam')
  const outcomes = await Promise.all([store.maintain(DAY), other.maintain(DAY)])
  assert.deepEqual(outcomes.sort(), [false, true])
  const rows = await rowsIn(other)
  assert.equal(rows.get(5000), '0/200')
  assert.equal(rows.size, 202)
})

test('what is cut short goes on where it stopped, and counts nothing twice', async (t) => {
  const { store } = open(t, undefined, { batchTokens: 200_000 })
  const tokens = Array.from({ length: 60_000 }, (_, at) => at * 7)
  await store.learn(message('a', tokens), 'ham')
  await store.learn(message('b', tokens), 'spam')
  let rounds = 0
  for (;;) {
    const controller = new AbortController()
    const work = store.maintain(DAY, controller.signal)
    for (let at = 0; at < 2 + rounds; at++) await turn()
    controller.abort()
    rounds++
    if (await work) break
  }
  assert.ok(rounds > 1)
  const rows = await rowsIn(store)
  assert.equal(rows.size, 60_000)
  assert.deepEqual(new Set(rows.values()), new Set(['1/1']))
  assert.equal((await store.counts()).waiting, 0)
})

test('another process can learn while much is added up', async (t) => {
  const { store, directory } = open(t)
  const { store: other } = open(t, directory, { busyMs: 1000 })
  for (let at = 0; at < 20; at++) await store.learn(message(`m${at}`, Array.from({ length: 4000 }, () => randomBytes(6).readUIntBE(0, 6))), 'ham')
  const work = store.maintain(DAY)
  let learned = 0
  const state = { done: false }
  void work.then(() => (state.done = true))
  while (!state.done) {
    await other.learn(message(`other ${learned++}`, [learned]), 'spam')
    await turn()
  }
  assert.equal(await work, true)
  assert.ok(learned > 1)
  assert.equal((await other.counts()).spam, learned)
})

test('one who died while he was at it keeps nobody out for long', async (t) => {
  const { store, directory } = open(t)
  await store.learn(message('a', [1]), 'ham')
  const raw = new DatabaseSync(join(directory, BAYES_DATABASE.file))
  const hold = (until: number) => raw.exec(`INSERT INTO numbers (name, value) VALUES ('upkeep_holder', 'gone'), ('upkeep_until', ${until}) ON CONFLICT (name) DO UPDATE SET value = excluded.value`)
  hold(Date.now() + 30_000)
  assert.equal(await store.maintain(DAY), false)
  hold(Date.now() - 1)
  assert.equal(await store.maintain(DAY), true)
  await store.learn(message('b', [1]), 'ham')
  // By a clock that was put back since.
  hold(Date.now() + 90_000_000)
  assert.equal(await store.maintain(DAY), true)
  raw.close()
  assert.deepEqual(await rowsIn(store), new Map([[1, '2/0']]))
})

test('a damaged row is an error, and no count', async (t) => {
  const { store, directory } = open(t)
  await store.learn(message('a', [1]), 'ham')
  const raw = new DatabaseSync(join(directory, BAYES_DATABASE.file))
  raw.exec('UPDATE waiting SET tokens = \'text\'')
  raw.close()
  await assert.rejects(store.maintain(DAY), /damaged/)
})
