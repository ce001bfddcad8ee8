/** When a worker's learning looks at folders and at what others have learned: once a minute, and at once after a reload. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { LearningSettings } from '../../../src/scoring/learning-settings.ts'
import { Learning } from '../../../src/scoring/learning.ts'
import { MODEL_FILE, readModelHead } from '../../../src/spam/bayes/model-file.ts'
import { TOKENS_VERSION } from '../../../src/spam/bayes/store.ts'
import { BayesDatabase } from '../../../src/state/bayes-database.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { message } from '../../support/bayes-store-contract.ts'
import { eventually, temporaryDirectory, until } from '../../support/process.ts'

const SETTINGS: LearningSettings = { store: { kind: 'embedded' }, minMessages: 1, maxTokens: 1000, expireMs: 86_400_000 * 30, learn: [], autoLearn: undefined }

function stage(t: TestContext, settings: LearningSettings = SETTINGS) {
  const directory = temporaryDirectory('learning')
  const database = openDatabase(directory)
  const warnings: string[] = []
  const log = { debug: () => undefined, info: () => undefined, warn: (facts: unknown, text: string) => void warnings.push(`${text} ${JSON.stringify(facts)}`), error: () => undefined }
  const learning = new Learning(settings, { state: directory, hostname: 'mx.example', database, log })
  t.after(async () => {
    await learning.close()
    database.close()
  })
  const today = Math.floor(Date.now() / 86_400_000)
  const teach = async (...names: readonly string[]): Promise<void> => {
    const store = new BayesDatabase(directory, { tokensVersion: TOKENS_VERSION })
    for (const name of names) await store.learn(message(name, [1, 2], today), 'ham')
    store.close()
  }
  const known = (): number => {
    const written = readModelHead(join(directory, MODEL_FILE))
    return written.status === 'read' ? written.head.ham : 0
  }
  /** So many seconds, each with a turn for what it has begun. */
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      learning.tick()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  return { directory, learning, teach, known, pass, warnings, today }
}

test('what was taught and is in no model is taken in within two minutes, by a process that has learned nothing itself', async (t) => {
  const { teach, known, pass, directory } = stage(t)
  await pass(100)
  assert.ok(!existsSync(join(directory, 'bayes.db')), 'nobody is taught anything by a look')
  await teach('a', 'b')
  await pass(130)
  await until('the model is made', () => known() === 2)
  // Its model is lost.
  rmSync(join(directory, MODEL_FILE))
  await pass(130)
  await until('the model is made again', () => known() === 2)
})

test('as long as more is taught it is left to whoever teaches', async (t) => {
  const { teach, known, pass } = stage(t)
  await teach('first')
  await pass(40)
  await until('the first look', () => known() === 1)
  for (let minute = 0; minute < 4; minute++) {
    await teach(`in minute ${minute}`)
    await pass(60)
  }
  assert.equal(known(), 1)
  await pass(70)
  await until('it is taken in', () => known() === 5)
})

test('after a reload folders and what others have learned are looked at in the next second', async (t) => {
  const folder = join(temporaryDirectory('folder'), 'Archive')
  for (const sub of ['cur', 'new', 'tmp']) mkdirSync(join(folder, sub), { recursive: true })
  const settings: LearningSettings = { ...SETTINGS, learn: [{ folder, as: 'ham' }] }
  const { teach, known, pass, learning } = stage(t, settings)
  await teach('first')
  await pass(40)
  await until('the first look', () => known() === 1)
  await teach('second')
  const path = join(folder, 'cur', '1.M1.host:2,S')
  writeFileSync(path, 'From: a@b.example\nSubject: dinner\n\nWe eat at eight.\n')
  utimesSync(path, Date.now() / 1000 - 3600, Date.now() / 1000 - 3600)
  learning.reload(settings)
  // Less than the minute that folders have otherwise; what one second has begun may last into the next ones.
  for (let second = 0; second < 15 && known() !== 3; second++) {
    learning.tick()
    await eventually(() => known() === 3, 500)
  }
  assert.equal(known(), 3)
})

test('what the clock would take away at once is kept, and the log says so once', async (t) => {
  const { directory, known, pass, warnings, today } = stage(t)
  const learn = async (day: number): Promise<void> => {
    const store = new BayesDatabase(directory, { tokensVersion: TOKENS_VERSION })
    await store.learn(message(`of day ${day}`, Array.from({ length: 2000 }, (_, at) => at + day * 10_000), day), 'ham')
    await store.maintain(day)
    store.close()
  }
  // A clock that went back by decades for a while.
  await learn(1000)
  await learn(1001)
  await pass(40)
  await until('it is looked at', () => known() === 2)
  await pass(200)
  const date = new Date(today * 86_400_000).toISOString().slice(0, 10)
  await until('it is told', () => warnings.length > 0)
  assert.equal(warnings.length, 1, warnings.join('\n'))
  assert.match(warnings[0] ?? '', new RegExp(`more than half of what the classifier knows is too old by the clock.*"today":"${date}"`))
})

test('where what was taught is forgotten the model says so, and the log does once', async (t) => {
  const { directory, pass, warnings, today } = stage(t, { ...SETTINGS, maxTokens: 100_000 })
  const store = new BayesDatabase(directory, { tokensVersion: TOKENS_VERSION })
  const learn = (name: string, as: 'ham' | 'spam', day: number) => store.learn(message(name, [1, 2], day), as)
  for (const name of ['a', 'b', 'c']) await learn(name, 'ham', today - 60)
  await learn('d', 'spam', today)
  const lessons = () => {
    const written = readModelHead(join(directory, MODEL_FILE))
    return written.status === 'read' ? { ...written.head.lessons, taught: written.head.ham + written.head.spam } : undefined
  }
  await pass(40)
  await until('the model is made', () => lessons()?.taught === 4)
  for (const name of ['e', 'f', 'g']) await learn(name, 'spam', today)
  store.close()
  await pass(140)
  await until('the model is made again', () => lessons()?.taught === 7)
  assert.deepEqual(lessons(), { hams: 0, spams: 4, taught: 7 })
  await pass(130)
  assert.deepEqual(warnings, ['most of what the classifier was taught is too old (spam.bayes.expire); it has no say until it is taught newer messages of each kind {"wanted":0,"unwanted":1,"needed":1}'])
})
