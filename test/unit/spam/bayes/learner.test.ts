/** Learning, moving and forgetting messages, and the model that comes of it. */
import assert from 'node:assert/strict'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { classify } from '../../../../src/spam/bayes/classifier.ts'
import { Learner, learntMessage } from '../../../../src/spam/bayes/learner.ts'
import { messageKey } from '../../../../src/spam/bayes/message-key.ts'
import { MODEL_FILE, readModel } from '../../../../src/spam/bayes/model-file.ts'
import { tokenKeys, TOKENS_VERSION, type BayesCounts, type BayesStore } from '../../../../src/spam/bayes/store.ts'
import { readTokens } from '../../../../src/spam/bayes/tokens.ts'
import { BayesDatabase } from '../../../../src/state/bayes-database.ts'
import { temporaryDirectory } from '../../../support/process.ts'
import { contentOf, letter, rowsIn, tokensOf } from './bayes-fixture.ts'

const DAY_MS = 86_400_000

function stage(t: TestContext) {
  const directory = temporaryDirectory('learner')
  const store = new BayesDatabase(directory, { tokensVersion: TOKENS_VERSION })
  t.after(() => store.close())
  const learner = new Learner({ store, directory, tokens: { ownHosts: new Set() }, now: () => 20_000 * DAY_MS })
  const model = () => {
    const reading = readModel(join(directory, MODEL_FILE))
    assert.equal(reading.status, 'read')
    return reading.model
  }
  return { directory, store, learner, model }
}

const forwarded = (of: BayesStore): BayesStore => ({
  learn: (message, as) => of.learn(message, as), forget: (message) => of.forget(message), maintain: (day, signal) => of.maintain(day, signal), counts: () => of.counts(), progress: () => of.progress(), tokens: () => of.tokens(), kept: () => of.kept(), close: () => undefined,
})

/** As a store that may be lost has it: `since` is the revision that it began with. */
function shifted(of: BayesStore, since: number): BayesStore {
  const later = async (): Promise<BayesCounts> => {
    const counts = await of.counts()
    return { ...counts, since, revision: counts.revision + since }
  }
  return { ...forwarded(of), counts: later, progress: later }
}

const key = (message: string): string => messageKey(contentOf(message).mime).toString('hex')

test('a message is known again after hops, filters, mail stores and mboxes had it', () => {
  const message = letter('Dear Bert,\n\nFrom now on we meet on Tuesday.\n', 'Subject: Tuesday\n')
  const kept = `Return-Path: <anna@example.org>\nDelivered-To: bert\nReceived: from a by b; Sat, 21 Nov 2026 10:00:00 +0000\nX-Spam-Status: No\n${message.replace('Subject: Tuesday', 'Subject: [spam?] Tuesday').replace('\nFrom now', '\n>From now')}\n\n`
  assert.equal(key(kept), key(message))
  assert.notEqual(key(message.replace('Tuesday.', 'Monday.')), key(message))
  assert.notEqual(key(message.replace('Message-ID: <', 'Message-ID: <x')), key(message))
})

test('content that is no text is part of what a message is', () => {
  const attached = (bytes: string) => `From: a@example.org\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n${Buffer.from(bytes).toString('base64')}\n`
  assert.notEqual(key(attached('one')), key(attached('two')))
})

test('learning twice is learning once, as the other moves, forgetting takes back', async (t) => {
  const { store, learner } = stage(t)
  const content = contentOf(letter('some words'))
  assert.equal(await learner.learn(content, 'spam'), 'learned')
  assert.equal(await learner.learn(content, 'spam'), 'known')
  assert.equal(await learner.maintain(), 'written')
  assert.deepEqual(new Set((await rowsIn(store)).values()), new Set(['0/1']))
  assert.equal(await learner.learn(content, 'ham'), 'moved')
  await learner.maintain()
  assert.deepEqual(new Set((await rowsIn(store)).values()), new Set(['1/0']))
  assert.deepEqual((({ ham, spam }) => ({ ham, spam }))(await store.counts()), { ham: 1, spam: 0 })
  assert.equal(await learner.forget(content), 'forgotten')
  assert.equal(await learner.forget(content), 'unknown')
  await learner.maintain()
  assert.equal((await rowsIn(store)).size, 0)
  assert.equal((await store.counts()).ham, 0)
})

test('the model says what was learnt, and is written only when there is something new', async (t) => {
  const { learner, model } = stage(t)
  assert.equal(await learner.maintain(), 'written')
  for (let at = 0; at < 200; at++) {
    await learner.learn(contentOf(letter(`garden meeting on tuesday, number ${at}`)), 'ham')
    await learner.learn(contentOf(letter(`cheap pills and loans, number ${at}`)), 'spam')
  }
  assert.equal(await learner.maintain(), 'written')
  assert.equal(await learner.maintain(), 'current')
  const { ham, spam, tokens } = model()
  assert.deepEqual([ham, spam], [200, 200])
  assert.ok(tokens > 400)
  const points = (text: string): number => classify(tokensOf(letter(text)), model()).points
  assert.ok(points('more cheap pills and loans') > 1)
  assert.ok(points('the garden meeting on tuesday') < -1)
})

test('a look at the model while it is made anew: it is cut short, and done the next time', async (t) => {
  const { learner, model } = stage(t)
  await learner.maintain()
  const before = model().revision
  await learner.learn(contentOf(letter('some words')), 'spam')
  assert.equal(await learner.maintain(AbortSignal.abort()), 'busy')
  assert.equal(model().revision, before)
  assert.equal(await learner.maintain(), 'written')
  assert.ok(model().revision > before)
})

test('the linear model is made anew after one message in a hundred, the counts after each', async (t) => {
  const { learner, model } = stage(t)
  for (let at = 0; at < 100; at++) {
    await learner.learn(contentOf(letter(`garden meeting on tuesday, number ${at}`)), 'ham')
    await learner.learn(contentOf(letter(`cheap pills and loans, number ${at}`)), 'spam')
  }
  await learner.maintain()
  const before = model()
  assert.equal(before.linearRevision, before.revision)
  await learner.learn(contentOf(letter('the hedge is to be cut')), 'ham')
  assert.equal(await learner.maintain(), 'written')
  const one = model()
  assert.deepEqual([one.ham, one.linearRevision, one.linear], [101, before.linearRevision, before.linear])
  await learner.forget(contentOf(letter('the hedge is to be cut')))
  await learner.learn(contentOf(letter('the hedge was cut')), 'ham')
  assert.equal(await learner.maintain(), 'written')
  assert.equal(model().linearRevision, model().revision)
})

test('what is forgotten is told at once, and the linear model is made anew where one in twenty of either kind is another', async (t) => {
  const { directory, store, model } = stage(t)
  let day = 20_000
  const learner = new Learner({ store, directory, tokens: { ownHosts: new Set() }, now: () => day * DAY_MS })
  const teach = async (what: string, as: 'ham' | 'spam', count: number): Promise<void> => {
    for (let at = 0; at < count; at++) await learner.learn(contentOf(letter(`${what}, number ${at}`)), as)
  }
  await teach('garden meeting on tuesday', 'ham', 400)
  day += 200
  await teach('drawings of the hedge', 'ham', 20)
  await teach('cheap pills and loans', 'spam', 20)
  await learner.maintain()
  assert.deepEqual(model().lessons, { hams: 420, spams: 20 })
  day += 200
  for (let days = 0; days < 4; days++, day++) await learner.maintain()
  assert.deepEqual([model().ham, model().lessons, model().linearLessons], [420, { hams: 20, spams: 20 }, { hams: 20, spams: 20 }])
  assert.equal(await learner.maintain(), 'current')
  assert.equal(await learner.state(), 'current')
  await teach('order now', 'spam', 6)
  await learner.maintain()
  assert.deepEqual(model().linearLessons, { hams: 20, spams: 26 })
  // Of 447 that were taught one in a hundred would be four.
  await teach('order today', 'spam', 1)
  await learner.maintain()
  assert.deepEqual([model().lessons, model().linearLessons], [{ hams: 20, spams: 27 }, { hams: 20, spams: 26 }])
  await teach('order tomorrow', 'spam', 1)
  await learner.maintain()
  assert.deepEqual([model().lessons, model().linearLessons], [{ hams: 20, spams: 28 }, { hams: 20, spams: 28 }])
})

test('a store that was made anew behind our back takes the place of a model only when it knows enough', async (t) => {
  const { directory, store, model } = stage(t)
  const words = (at: number): string => letter(`words of number ${at}`)
  const learnerOf = (of: BayesStore, since: number): Learner => new Learner({ store: shifted(of, since), directory, tokens: { ownHosts: new Set() }, now: () => 20_000 * DAY_MS, minMessages: 2 })
  const first = learnerOf(store, 1000)
  assert.equal(await first.state(), 'nothing')
  for (let at = 0; at < 4; at++) await first.learn(contentOf(words(at)), at % 2 === 0 ? 'ham' : 'spam')
  assert.equal(await first.state(), 'behind')
  assert.equal(await first.maintain(), 'written')
  assert.equal(await first.state(), 'current')
  const { revision } = model()
  const { store: empty } = stage(t)
  const second = learnerOf(empty, 2000)
  assert.deepEqual([await second.state(), await second.maintain()], ['held', 'held'])
  for (let at = 0; at < 3; at++) await second.learn(contentOf(words(at)), at % 2 === 0 ? 'ham' : 'spam')
  assert.deepEqual([await second.state(), await second.maintain(), model().revision], ['held', 'held', revision])
  await second.learn(contentOf(words(3)), 'spam')
  assert.deepEqual([await second.state(), await second.maintain(), model().spam], ['behind', 'written', 2])
  // What is forgotten in one and the same store is forgotten.
  for (let at = 0; at < 4; at++) await second.forget(contentOf(words(at)))
  assert.deepEqual([await second.maintain(), model().ham], ['written', 0])
})

test('a model whose tokens are damaged is made anew, though its header is in order', async (t) => {
  const { directory, learner, model } = stage(t)
  await learner.learn(contentOf(letter('hello friend')), 'ham')
  assert.equal(await learner.maintain(), 'written')
  assert.equal(await learner.state(), 'current')
  const path = join(directory, MODEL_FILE)
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  // Another file: where it were the same, its time could be the same, too.
  writeFileSync(`${path}.other`, bytes)
  renameSync(`${path}.other`, path)
  assert.equal(await learner.state(), 'behind')
  assert.equal(await learner.maintain(), 'written')
  assert.deepEqual([await learner.state(), model().ham], ['current', 1])
})

test('a model that has no say yet is no reason to hold on to it', async (t) => {
  const { directory, store, model } = stage(t)
  const { store: anew } = stage(t)
  const learnerOf = (of: BayesStore, since: number): Learner => new Learner({ store: shifted(of, since), directory, tokens: { ownHosts: new Set() }, now: () => 20_000 * DAY_MS, minMessages: 2 })
  const first = learnerOf(store, 1000)
  for (const [words, as] of [['one', 'ham'], ['two', 'ham'], ['three', 'spam']] as const) await first.learn(contentOf(letter(words)), as)
  assert.equal(await first.maintain(), 'written')
  const second = learnerOf(anew, 2000)
  await second.learn(contentOf(letter('four')), 'spam')
  assert.deepEqual([await second.state(), await second.maintain()], ['behind', 'written'])
  assert.deepEqual([model().ham, model().spam], [0, 1])
})

test('a linear model of a store that was put back to an earlier state, or begun afresh, is made anew', async (t) => {
  const { directory, learner, model } = stage(t)
  for (let at = 0; at < 5; at++) {
    await learner.learn(contentOf(letter(`garden meeting on tuesday, number ${at}`)), 'ham')
    await learner.learn(contentOf(letter(`cheap pills and loans, number ${at}`)), 'spam')
  }
  await learner.maintain()
  const before = model()
  const { store: fresh } = stage(t)
  const again = new Learner({ store: fresh, directory, tokens: { ownHosts: new Set() }, now: () => 20_000 * DAY_MS })
  for (const [words, as] of [['roses and tulips', 'ham'], ['watches for nothing', 'spam'], ['roses in june', 'ham'], ['watches of gold', 'spam']] as const) await again.learn(contentOf(letter(words)), as)
  assert.equal(await again.maintain(), 'written')
  assert.ok(model().revision < before.revision)
  assert.equal(model().linearRevision, model().revision)
})

test('what is learnt while the model is made is in the next one', async (t) => {
  const { directory, store, learner, model } = stage(t)
  await learner.learn(contentOf(letter('first words')), 'ham')
  let late: Promise<unknown> = Promise.resolve()
  const between: BayesStore = {
    learn: (message, as) => store.learn(message, as), forget: (message) => store.forget(message), counts: () => store.counts(), progress: () => store.progress(), tokens: () => store.tokens(), kept: () => store.kept(), close: () => undefined,
    maintain: async (day) => {
      const done = await store.maintain(day)
      late = learner.learn(contentOf(letter('other words, which came late')), 'ham')
      await late
      return done
    },
  }
  assert.equal(await new Learner({ store: between, directory, tokens: { ownHosts: new Set() }, now: () => 20_000 * DAY_MS }).maintain(), 'written')
  const { tokens } = model()
  assert.equal(await learner.maintain(), 'written')
  assert.ok(model().tokens > tokens)
})

test('what is learnt at the gateway has the tokens that it was scored by, and those that it has in a mailbox', async (t) => {
  const received = (from: string, by: string) => `Received: from ${from} by ${by} with ESMTP; Sat, 21 Nov 2026 10:00:00 +0000\n`
  const relay = received('sender.example.com (sender.example.com [203.0.113.9])', 'relay.example.com')
  const comingIn = contentOf(relay + letter('some words'))
  const stored = contentOf(received('relay.example.com', 'mx.example.net') + relay + letter('some words'))
  const request = { ownHosts: new Set(['mx.example.net']) }
  const keys = (content: typeof stored, delivered: boolean) => tokenKeys(readTokens(content, { ...request, delivered })).sort()
  const learntKeys = async (teach: (learner: Learner) => Promise<unknown>) => {
    const { directory, store } = stage(t)
    const learner = new Learner({ store, directory, tokens: request, now: () => 20_000 * DAY_MS })
    await teach(learner)
    await learner.maintain()
    return Float64Array.from((await rowsIn(store)).keys()).sort()
  }
  const scored = keys(comingIn, false)
  assert.deepEqual(await learntKeys((learner) => learner.take(learntMessage(comingIn, { tokens: request, now: () => 20_000 * DAY_MS, delivered: false }), 'spam')), scored)
  assert.deepEqual(await learntKeys((learner) => learner.learn(stored, 'spam')), scored)
  assert.equal((await learntKeys(async (learner) => {
    await learner.take(learntMessage(comingIn, { tokens: request, now: () => 20_000 * DAY_MS, delivered: false }), 'spam')
    await learner.forget(stored)
  })).length, 0)
})
