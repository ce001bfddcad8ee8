/** Lessons in a worker: those that wait hold what is learned of a message and not the message, are bounded, and outlast a store that cannot be had. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Verdict } from '../../../src/policy/decide.ts'
import type { LearningSettings } from '../../../src/scoring/learning-settings.ts'
import { Learning } from '../../../src/scoring/learning.ts'
import type { Lesson } from '../../../src/scoring/message-scoring.ts'
import { learntMessage } from '../../../src/spam/bayes/learner.ts'
import { messageKey } from '../../../src/spam/bayes/message-key.ts'
import { TOKENS_VERSION } from '../../../src/spam/bayes/store.ts'
import { tokenSettings } from '../../../src/spam/bayes/tokens.ts'
import { BayesDatabase } from '../../../src/state/bayes-database.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { temporaryDirectory, until } from '../../support/process.ts'
import { contentOfText } from '../../support/rules.ts'
import { rowsIn } from '../spam/bayes/bayes-fixture.ts'

const AUTHOR = { address: 'anna@sender.example', domain: 'sender.example', organizationalDomain: 'sender.example' }
const VERDICT: Verdict = { action: 'accept', by: undefined, reply: undefined, warnings: [], score: -3, tagged: false, effects: [] }
const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

function lesson(n: number): Lesson {
  return { content: contentOfText(`From: anna@sender.example\nSubject: number ${n}\n\nwords of letter ${n}\n`), verdict: VERDICT, author: AUTHOR, evidence: { taught: 0, ofHistory: 0 } }
}

/** Its lessons' contents are held by nobody else. */
function consider(learning: Learning, count: number): readonly WeakRef<object>[] {
  return Array.from({ length: count }, (_, n) => {
    const one = lesson(n)
    learning.consider(one)
    return new WeakRef(one.content)
  })
}

test('a store that does not answer keeps no message in memory', async (t) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const directory = temporaryDirectory('learning')
  const database = openDatabase(directory)
  t.after(() => {
    database.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const learning = new Learning({
    store: { kind: 'redis', redis: { address: { kind: 'tcp', host: '127.0.0.1', port }, tls: undefined, login: undefined, database: 0, prefix: 'test' } },
    minMessages: 200, maxTokens: 1000, expireMs: 86_400_000, learn: [], autoLearn: { spam: 15, ham: -2 },
  }, { state: directory, hostname: 'mx.example', database, log: QUIET })
  const contents = consider(learning, 10)
  await until('the store is asked', () => sockets.length > 0)
  for (let n = 0; n < 5; n++) await turn()
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  // The first is being learned.
  assert.deepEqual(contents.slice(1).filter((one) => one.deref() !== undefined).length, 0)
  await learning.close()
})

function embedded(t: TestContext, settings: Partial<LearningSettings> = {}) {
  const directory = temporaryDirectory('learning')
  const database = openDatabase(directory)
  const told: string[] = []
  const log = { ...QUIET, info: (_: unknown, text: string) => void told.push(text), warn: (_: unknown, text: string) => void told.push(text) }
  const given: LearningSettings = { store: { kind: 'embedded' }, minMessages: 200, maxTokens: 100_000, expireMs: 86_400_000 * 30, learn: [], autoLearn: { spam: 15, ham: -2 }, ...settings }
  const learning = new Learning(given, { state: directory, hostname: 'mx.example', database, log })
  t.after(async () => {
    await learning.close()
    database.close()
  })
  /** What is stored, if there is a store yet. */
  const stored = async <T>(look: (store: BayesDatabase) => Promise<T>): Promise<T> => {
    const store = new BayesDatabase(directory, { tokensVersion: TOKENS_VERSION })
    try {
      return await look(store)
    } finally {
      store.close()
    }
  }
  const known = (): Promise<number> => stored(async (store) => (await store.progress()).ham)
  return { directory, learning, settings: given, told, stored, known }
}

test('of more lessons than may wait the later ones are not taken; when those are learned, others are', async (t) => {
  const { learning, known, directory } = embedded(t)
  const isKnown = (n: number): boolean => {
    const file = new DatabaseSync(join(directory, 'bayes.db'), { readOnly: true })
    try {
      return file.prepare('SELECT 1 FROM messages WHERE key = ?').get(messageKey(lesson(n).content.mime)) !== undefined
    } finally {
      file.close()
    }
  }
  // Who asks hears which.
  assert.deepEqual(Array.from({ length: 25 }, (_, n) => learning.consider(lesson(n))), Array.from({ length: 25 }, (_, n) => (n < 20 ? 'ham' : undefined)))
  await until('they are learned', async () => await known() >= 20)
  // One after the other: what came before it is learned when it is.
  for (const n of [100, 101]) {
    learning.consider(lesson(n))
    await until('the next is learned', () => isKnown(n))
  }
  assert.equal(await known(), 22)
})

test('where nothing can be learned the log says so once, and once when it is over', async (t) => {
  const { directory, learning, told, known } = embedded(t)
  new BayesDatabase(directory, { tokensVersion: TOKENS_VERSION + 1 }).close()
  for (let n = 0; n < 3; n++) learning.consider(lesson(n))
  await until('it is told', () => told.length > 0)
  for (let n = 0; n < 10; n++) await turn()
  for (const name of readdirSync(directory)) if (name.startsWith('bayes.db')) rmSync(join(directory, name))
  for (let n = 3; n < 6; n++) learning.consider(lesson(n))
  await until('it is learned', async () => await known() === 3)
  assert.deepEqual(told, ['nothing can be learned', 'learning works again'])
})

test('after a reload the new prefix of subjects is no word of what is learned', async (t) => {
  const folder = join(temporaryDirectory('folder'), 'Archive')
  for (const sub of ['cur', 'new', 'tmp']) mkdirSync(join(folder, sub), { recursive: true })
  const { learning, settings, stored, known } = embedded(t, { learn: [{ folder, as: 'ham' }], subjectPrefix: '[OLD]' })
  const write = (number: number, subject: string): string => {
    const text = `From: anna@sender.example\nMessage-ID: <${number}@sender.example>\nSubject: ${subject}\n\nwords\n`
    writeFileSync(join(folder, 'cur', `${number}.M1.host:2,S`), text)
    return text
  }
  write(1, '[OLD] dinner')
  learning.tick()
  await until('the first is learned', async () => await known() === 1)
  const text = write(2, '[NEW] supper')
  learning.reload({ ...settings, subjectPrefix: '[NEW]' })
  await until('the second is learned', async () => {
    learning.tick()
    return await known() === 2
  })
  await until('both are added up', () => stored((store) => store.maintain(Math.floor(Date.now() / 86_400_000))))
  const keysOf = (subjectPrefix: string | undefined): Set<number> => new Set(learntMessage(contentOfText(text), { tokens: tokenSettings({ hostname: 'mx.example', subjectPrefix }), now: () => Date.now(), delivered: true }).tokens)
  const found = new Set((await stored(rowsIn)).keys())
  const bare = keysOf('[NEW]')
  assert.deepEqual([...bare].filter((key) => !found.has(key)), [])
  const ofPrefix = [...keysOf(undefined)].filter((key) => !bare.has(key))
  assert.ok(ofPrefix.length > 0)
  assert.deepEqual(ofPrefix.filter((key) => found.has(key)), [])
})
