/** What `postern train status` says of wanted mail that looks like spam. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runTrain } from '../../../src/cli/train.ts'
import { packWeights } from '../../../src/spam/bayes/linear-model.ts'
import { MODEL_FILE, writeModel } from '../../../src/spam/bayes/model-file.ts'
import { TOKENS_VERSION } from '../../../src/spam/bayes/store.ts'
import { BayesDatabase } from '../../../src/state/bayes-database.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { letter, taught } from '../spam/bayes/bayes-fixture.ts'

async function status(doubt: { readonly doubtful: number; readonly wantedLimit: number | undefined }, json: boolean, lessons = { hams: 1, spams: 1 }): Promise<string> {
  const directory = temporaryDirectory('train-status')
  const state = join(directory, 'state')
  mkdirSync(state)
  writeFileSync(join(directory, 'postern.yaml'), JSON.stringify({
    hostname: 'mx.example.net', state, domains: ['example.net'], spam: { bayes: { min_messages: 1 } },
    listeners: [{ name: 'in', role: 'inbound', listen: ['127.0.0.1:2525'], next: 'local' }], hops: { local: { maildir: join(directory, 'mail/{local}') } },
  }))
  const store = new BayesDatabase(state, { tokensVersion: TOKENS_VERSION })
  for (const [at, one] of (['ham', 'spam'] as const).entries()) await store.learn({ key: Buffer.alloc(32, at), tokens: Float64Array.of(at), singles: Uint32Array.of(at), day: 20_000 }, one)
  store.close()
  const linear = { ...packWeights({ tokens: Uint32Array.of(1), importance: Float32Array.of(1), weights: Float64Array.of(1) }), bias: 0, ...doubt }
  await writeModel(join(state, MODEL_FILE), { ...taught({ ham: [letter('a b')], spam: [letter('c d')] }, 1), tokens: 2, revision: 2, lessons, linear, linearRevision: 2, linearLessons: lessons })
  let out = ''
  async function* nothing(): AsyncGenerator<Buffer> {
    yield await Promise.resolve(Buffer.alloc(0))
  }
  const code = await runTrain({ action: 'status', json }, { environment: {}, cwd: directory, out: (one) => (out += one), err: () => undefined, input: nothing(), terminal: undefined })
  assert.equal(code, 0)
  return out
}

test('wanted mail that looks like spam is told, and that it had to be bounded', async () => {
  assert.doesNotMatch(await status({ doubtful: 0, wantedLimit: 1.8 }, false), /looks like spam/)
  assert.match(await status({ doubtful: 1, wantedLimit: 1.8 }, false), /Wanted mail was learned that looks like spam: 1 message\. Look whether spam was learned as ham/)
  assert.match(await status({ doubtful: 40, wantedLimit: 2.5 }, false), /looks like spam: 40 messages\. By them it would be silent for most spam, and it takes its usual bound instead\. Look/)
  assert.deepEqual(JSON.parse(await status({ doubtful: 40, wantedLimit: 2.5 }, true)), { ham: 1, spam: 1, tokens: 0, waiting: 2, trained: true, needed: 1, remembered: { ham: 1, spam: 1 }, doubtful: 40, trust: 0.17 })
})

test('that few lessons make fewer points is told', async () => {
  assert.match(await status({ doubtful: 0, wantedLimit: 1.8 }, false), /tokens; 2 messages are not added up yet\.\nIts points for unwanted mail count 17 %, as it remembers 1 wanted messages: more wanted ones, of all kinds, make it surer\.\n$/)
})

test('that what was taught is forgotten is told', async () => {
  const lessons = { hams: 0, spams: 1 }
  assert.match(await status({ doubtful: 0, wantedLimit: 1.8 }, false, lessons), /knows 1 wanted and 1 unwanted messages.*\nOf them it remembers 0 wanted and 1 unwanted ones \(spam\.bayes\.expire\), and has no say before it is taught newer ones: 1 of each\.\n$/)
  const told: unknown = JSON.parse(await status({ doubtful: 0, wantedLimit: 1.8 }, true, lessons))
  assert.ok(typeof told === 'object' && told !== null && 'trained' in told && 'remembered' in told)
  assert.deepEqual([told.trained, told.remembered], [false, { ham: 0, spam: 1 }])
})
