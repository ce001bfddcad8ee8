/**
 * A worker, for the tests of the reputation stores: adds to rows of its own and
 * to rows of everybody, and flushes after each few. Arguments: the state
 * directory, its name, the time it is, how many messages.
 */
import { createDomainHistory } from '../../../src/reputation/domain-history.ts'
import { CORRESPONDENT_DEFAULTS, createCorrespondents } from '../../../src/reputation/correspondents.ts'
import { DatabaseCorrespondents } from '../../../src/state/correspondents-store.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { DatabaseDomainHistory } from '../../../src/state/domain-history-store.ts'
import { openSecret } from '../../../src/state/secret-file.ts'
import type { Log } from '../../../src/observe/log.ts'

const [directory = '', name = '', time = '', count = ''] = process.argv.slice(2)
const silent = (): void => undefined
const tell = (facts: Readonly<Record<string, unknown>>, text: string): void => {
  throw new Error(`${text}: ${JSON.stringify(facts)}`)
}
const log: Log = { debug: silent, info: silent, warn: tell, error: tell }
const now = (): number => Number(time)
const database = openDatabase(directory)
const correspondentsStore = new DatabaseCorrespondents({ rememberMs: 1e12 }, { database, log, now, secret: openSecret(directory, 'correspondents.key', log) })
const historyStore = new DatabaseDomainHistory({ rememberDays: 365 }, { database, log, now })
const correspondents = createCorrespondents(CORRESPONDENT_DEFAULTS, { store: correspondentsStore, now })
const history = createDomainHistory({ matureDays: 0 }, { store: historyStore, now })
for (let i = 0; i < Number(count); i++) {
  correspondents.record({ sender: 'alice@ours.example', recipients: ['all@theirs.example', `${name}${i}@theirs.example`] })
  history.count('all.example', { spam: i % 4 === 0 })
  history.count(`${name}.example`, { spam: false })
  if (i % 3 === 2) {
    correspondentsStore.flush()
    historyStore.flush()
  }
}
correspondentsStore.flush()
historyStore.flush()
database.close()
