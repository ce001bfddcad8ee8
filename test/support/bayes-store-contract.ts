/**
 * What every store of the classifier has to do, whichever it is: counts are those
 * of the messages, in whatever portions they are added up; what is old or too
 * much goes; several that share it count nothing twice.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { BayesStore, LearntMessage } from '../../src/spam/bayes/store.ts'
import type { UpkeepSettings } from '../../src/state/bayes-upkeep.ts'
import { rowsIn } from '../unit/spam/bayes/bayes-fixture.ts'

export const DAY = 20_000

export interface ContractSettings extends Partial<UpkeepSettings> {
  readonly tokensVersion: number
}

/** A place where a store may be, which several share. */
export interface StorePlace {
  open(settings: ContractSettings): BayesStore
}

/** @param place a new one each time; it is removed with the test */
export function bayesStoreContract(place: (t: TestContext) => StorePlace): void {
  const open = (t: TestContext, settings: Partial<ContractSettings> = {}, at = place(t)): { readonly store: BayesStore; readonly at: StorePlace } => {
    const store = at.open({ tokensVersion: 1, ...settings })
    t.after(() => {
      try {
        store.close()
      } catch {
        // Closed by the test.
      }
    })
    return { store, at }
  }

  test('counts are those of the messages, when they are added up at once and one by one', async (t) => {
    const { store: together } = open(t)
    const { store: single } = open(t)
    const largest = 2 ** 51 - 1
    const { revision: began } = await together.counts()
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
    const { ham, spam, tokens, waiting, revision } = await together.counts()
    assert.deepEqual({ ham, spam, tokens, waiting, revision }, { ham: 2, spam: 2, tokens: 6, waiting: 0, revision: began + 4 })
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

  test('what was forgotten is unknown, and may be learnt again as either', async (t) => {
    const { store } = open(t)
    const one = message('a', [1, 2])
    await store.learn(one, 'spam')
    assert.deepEqual([await store.forget(one), await store.forget(one)], ['forgotten', 'unknown'])
    assert.deepEqual((({ ham, spam }) => [ham, spam])(await store.counts()), [0, 0])
    assert.deepEqual([await store.learn(one, 'ham'), await store.learn(one, 'ham')], ['learned', 'known'])
    await store.maintain(DAY)
    assert.deepEqual(await rowsIn(store), new Map([[1, '1/0'], [2, '1/0']]))
  })

  test('tokens that nobody has learnt for long go, and messages with theirs, so that they can be taught anew', async (t) => {
    const { store } = open(t, { tokenDays: 100 })
    await store.learn(message('old', [1, 2], DAY), 'ham')
    await store.maintain(DAY)
    await store.learn(message('new', [2, 3], DAY + 90), 'ham')
    await store.maintain(DAY + 90)
    await store.maintain(DAY + 101)
    assert.deepEqual(await rowsIn(store), new Map([[2, '2/0'], [3, '1/0']]))
    assert.equal(await store.learn(message('new', [2, 3], DAY + 102), 'ham'), 'known')
    assert.equal(await store.learn(message('old', [1, 2], DAY + 102), 'ham'), 'learned')
    await store.maintain(DAY + 102)
    assert.deepEqual(await rowsIn(store), new Map([[1, '1/0'], [2, '3/0'], [3, '1/0']]))
  })

  test('what is as old as it may be stays: tokens, messages and their words', async (t) => {
    const { store } = open(t, { tokenDays: 100 })
    // More than so many would be held back, were they taken for too old.
    const many = Array.from({ length: 1500 }, (_, at) => (at + 10) * 2 ** 35)
    await store.learn(message('older', [1], DAY - 1), 'ham')
    await store.maintain(DAY - 1)
    await store.learn(message('edge', many, DAY), 'spam')
    await store.maintain(DAY)
    await store.maintain(DAY + 100)
    assert.deepEqual([...(await rowsIn(store)).keys()].sort((a, b) => a - b), many)
    const kept: string[] = []
    for await (const { class: as } of store.kept()) kept.push(as)
    assert.deepEqual(kept, ['spam'])
    assert.equal(await store.learn(message('edge', many, DAY + 100), 'spam'), 'known')
    assert.equal(await store.learn(message('older', [1], DAY + 100), 'ham'), 'learned')
  })

  test('a clock that jumps ahead takes away nothing at once, and nothing at all where it comes back', async (t) => {
    const { store } = open(t, { tokenDays: 100 })
    const old = message('old', Array.from({ length: 1500 }, (_, at) => at * 2 ** 35), DAY)
    const state = async (): Promise<readonly unknown[]> => [(await store.counts()).tokens, (await store.progress()).expiryHeld]
    await store.learn(old, 'ham')
    await store.maintain(DAY)
    for (const jump of [300, 301]) {
      assert.equal(await store.maintain(DAY + jump), true)
      assert.deepEqual(await state(), [1500, DAY + 300])
      assert.equal(await store.learn(old, 'ham'), 'known')
    }
    await store.maintain(DAY + 1)
    assert.deepEqual(await state(), [1500, undefined])
    // Some of them are no matter.
    await store.learn(message('new', Array.from({ length: 800 }, (_, at) => at * 2 ** 35), DAY + 50), 'ham')
    await store.maintain(DAY + 50)
    await store.maintain(DAY + 110)
    assert.deepEqual(await state(), [800, undefined])
    // Who says the same two days later is believed.
    await store.learn(message('more', Array.from({ length: 1500 }, (_, at) => at * 2 ** 35), DAY + 110), 'ham')
    for (const day of [300, 301, 302]) await store.maintain(DAY + day)
    assert.deepEqual(await state(), [0, undefined])
    assert.equal(await store.learn(old, 'ham'), 'learned')
  })

  test('an expiry on a day that is yet to come keeps none from the days before it', async (t) => {
    const { store } = open(t, { tokenDays: 100 })
    await store.maintain(DAY + 300)
    await store.learn(message('old', [1], DAY), 'ham')
    await store.maintain(DAY)
    await store.maintain(DAY + 101)
    assert.deepEqual(await rowsIn(store), new Map())
  })

  test('of too many tokens the rarest and oldest go first', async (t) => {
    const { store } = open(t, { maxTokens: 100 })
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
    const { store, at: place } = open(t, { batchTokens: 50 })
    const { store: other } = open(t, { batchTokens: 50 }, place)
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
    const { store } = open(t, { batchTokens: 200_000 })
    const tokens = Array.from({ length: 60_000 }, (_, at) => at * 7)
    await store.learn(message('a', tokens), 'ham')
    await store.learn(message('b', tokens), 'spam')
    let rounds = 0
    for (;;) {
      const controller = new AbortController()
      const work = store.maintain(DAY, controller.signal)
      for (let at = 0; at < 2 ** (rounds + 1); at++) await turn()
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
    const { store, at: place } = open(t)
    const { store: other } = open(t, {}, place)
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
  test('the words of the latest messages of each class are kept, in an order of their own', async (t) => {
    const kept = async (store: BayesStore): Promise<readonly string[]> => {
      const found: string[] = []
      for await (const { class: as, singles } of store.kept()) found.push(`${as} ${singles.join(' ')}`)
      return found
    }
    const { store } = open(t, { maxKept: 3, tokenDays: 50 })
    const { store: turned } = open(t, { maxKept: 3, tokenDays: 50 })
    const lessons = Array.from({ length: 12 }, (_, at) => ({ lesson: message(`m${at}`, [at + 1, 2 ** 32 + 4_000_000_000 + at], DAY + at), as: at % 3 === 0 ? 'ham' as const : 'spam' as const }))
    for (const { lesson, as } of lessons) await store.learn(lesson, as)
    for (const { lesson, as } of [...lessons].reverse()) await turned.learn(lesson, as)
    assert.equal((await kept(store)).length, 12)
    assert.deepEqual(await kept(store), await kept(turned))
    await store.maintain(DAY + 12)
    assert.deepEqual([...await kept(store)].sort(), [4, 7, 8, 10, 9, 11, 12].filter((at) => at !== 8).map((at) => `${at % 3 === 1 ? 'ham' : 'spam'} ${at} ${3_999_999_999 + at}`).sort())
    // Moved, forgotten, too old.
    await store.learn(lessons[9]?.lesson ?? message('', []), 'spam')
    await store.forget(lessons[11]?.lesson ?? message('', []))
    await store.maintain(DAY + 58)
    assert.deepEqual([...await kept(store)].sort(), ['spam 10 4000000009', 'spam 11 4000000010', 'spam 9 4000000008'].sort())
  })

  test('it is there when it is opened again, and only for tokens of its version', async (t) => {
    const { store, at } = open(t)
    await store.learn(message('a', [1, 2]), 'spam')
    store.close()
    const again = open(t, {}, at).store
    assert.equal(await again.learn(message('a', [1, 2]), 'spam'), 'known')
    await again.maintain(DAY)
    assert.equal((await rowsIn(again)).size, 2)
    await assert.rejects(async () => await open(t, { tokensVersion: 2 }, at).store.counts(), /tokens of version 1, this Postern makes 2/)
  })
}

export function message(name: string, tokens: readonly number[], day = DAY): LearntMessage {
  return { key: createHash('sha256').update(name).digest(), tokens: Float64Array.from(tokens), singles: Uint32Array.from(tokens, (token) => token % 2 ** 32), day }
}
