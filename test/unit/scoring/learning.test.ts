/** Lessons that wait for a store hold what is learned of a message, and not the message. */
import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Verdict } from '../../../src/policy/decide.ts'
import { Learning } from '../../../src/scoring/learning.ts'
import type { Lesson } from '../../../src/scoring/message-scoring.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { temporaryDirectory, until } from '../../support/process.ts'
import { contentOfText } from '../../support/rules.ts'

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
