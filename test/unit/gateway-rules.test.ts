/** What the composition root says to whoever reads the rules. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { createGateway } from '../../src/gateway.ts'
import { packRules } from '../../src/scoring/packed-rules.ts'
import type { RuleSource } from '../../src/scoring/rule-source.ts'
import { temporaryDirectory } from '../support/process.ts'
import { settingsFrom } from '../support/settings.ts'
import { fakeLog } from './supervisor/fakes.ts'

test('settings that are refused are told, so that those in force are tried for again', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve))
  t.after(() => taken.close())
  const address = taken.address()
  assert.ok(address !== null && typeof address === 'object')
  const settled: boolean[] = []
  const rules: RuleSource = {
    underWay: false, read: () => Promise.resolve(packRules({ rules: [], problems: [], notes: [] })), onLate: () => undefined, settle: (kept) => void settled.push(kept), close: () => undefined,
  }
  const directory = temporaryDirectory('gateway-rules')
  const configured = (...ports: number[]): ReturnType<typeof settingsFrom> => settingsFrom(JSON.stringify({
    hostname: 'mx.example', state: directory, workers: 0, domains: ['hop.example'], hops: { hop: { smtp: '192.0.2.1:25' } },
    listeners: ports.map((port, at) => ({ name: `l${at}`, role: 'inbound', listen: `127.0.0.1:${port}`, next: 'hop' })),
  }), { cwd: directory })
  const gateway = createGateway(configured(0), { log: fakeLog().log, rules })
  t.after(() => gateway.stop())
  await gateway.start()
  await assert.rejects(gateway.reload(configured(0, address.port)), /EADDRINUSE/)
  assert.deepEqual(settled, [false])
})
