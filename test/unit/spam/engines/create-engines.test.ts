import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngines } from '../../../../src/spam/engines/create-engines.ts'
import { clamav, engineMessage, ground, HAM, rspamd, spamassassin } from '../../../support/spam-engines.ts'
import { fakeEngine } from './fake-engine.ts'

test('all are asked at once, and each is reported, in the order of the configuration', async (t) => {
  // Neither answers before both are asked.
  const both = Promise.withResolvers<undefined>()
  let waiting = 2
  const meet = async (): Promise<void> => {
    if (--waiting === 0) both.resolve(undefined)
    await both.promise
  }
  const clam = await fakeEngine(t, async ({ until, say }) => {
    await until((received) => received.endsWith('\0\0\0\0'))
    await meet()
    await say('stream: Evil-1 FOUND\0')
  })
  const answer = '{"score":30,"required_score":15,"action":"reject","symbols":{"A":{"score":30}}}'
  const rs = await fakeEngine(t, async ({ until, say }) => {
    await until((received) => received.endsWith(HAM))
    await meet()
    await say(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`)
  })
  const dead = await fakeEngine(t, () => undefined)
  await dead.stop()
  const engines = createEngines([
    clamav({ address: clam.address }),
    rspamd({ name: 'near', address: rs.address, counts: { by: 'threshold', weight: 5, most: 8, least: -1 } }),
    spamassassin({ address: dead.address, down: 'tempfail' }),
  ], ground())
  t.after(() => engines.close())
  assert.deepEqual(engines.engines.map(({ name }) => name), ['clamav', 'near', 'spamassassin'])
  const reports = await engines.scan(engineMessage(HAM))
  assert.deepEqual(reports.map(({ tookMs, ...report }) => {
    assert.ok(tookMs >= 0)
    return report
  }), [
    { engine: 'clamav', kind: 'clamav', outcome: { status: 'virus', name: 'Evil-1' }, contribution: undefined, down: 'flow', tooBig: 'flow', least: -5 },
    {
      engine: 'near', kind: 'rspamd', down: 'flow', tooBig: 'flow', least: -1, contribution: { points: 8, symbols: [{ name: 'A', score: 10 }] },
      outcome: { status: 'scored', score: 30, threshold: 15, action: 'reject', symbols: [{ name: 'A', score: 30 }] },
    },
    { engine: 'spamassassin', kind: 'spamassassin', outcome: { status: 'temperror', cause: `connect ECONNREFUSED 127.0.0.1:${dead.address.port}` }, contribution: undefined, down: 'tempfail', tooBig: 'flow', least: -5 },
  ])
  assert.deepEqual(engines.health().map(({ engine, kind, breaker, failures }) => [engine, kind, breaker, failures]), [['clamav', 'clamav', 'closed', 0], ['near', 'rspamd', 'closed', 0], ['spamassassin', 'spamassassin', 'closed', 1]])
})

test('without engines there is nothing to report, and closed ones say so', async () => {
  assert.deepEqual(await createEngines([], ground()).scan(engineMessage(HAM)), [])
  const engines = createEngines([clamav({})], ground())
  engines.close()
  const [report] = await engines.scan(engineMessage(HAM))
  assert.deepEqual(report?.outcome, { status: 'temperror', cause: 'closed' })
})
