/** What the classifier learnt, in its own file: what every store has to do, and what is its own. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { BAYES_DATABASE, BayesDatabase, type BayesDatabaseSettings } from '../../../src/state/bayes-database.ts'
import { bayesStoreContract, DAY, message } from '../../support/bayes-store-contract.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { rowsIn } from '../spam/bayes/bayes-fixture.ts'

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

bayesStoreContract(() => {
  const directory = temporaryDirectory('bayes-db')
  return { open: (settings) => new BayesDatabase(directory, { busyMs: 1000, ...settings }) }
})

test('others than its group may not read the file', (t) => {
  const { directory } = open(t)
  assert.equal(statSync(join(directory, BAYES_DATABASE.file)).mode & 0o777, 0o640)
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
