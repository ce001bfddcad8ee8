/**
 * Engines that are killed, come back, stall and go on, under a steady load:
 * each message is answered, is there, and has a result of each engine.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { LoadClient, numberOf } from '../support/load-client.ts'
import { startClamd, type EngineDaemon } from '../support/peers/clamd.ts'
import { missing } from '../support/peers/programs.ts'
import { startRspamd } from '../support/peers/rspamd.ts'
import { startSpamd } from '../support/peers/spamd.ts'
import type { Stage } from '../support/policy-stage.ts'
import { CLIENT } from '../support/policy-zone.ts'
import { until } from '../support/process.ts'
import { startSpamStage, WORKERS } from '../support/spam-stage.ts'

const KINDS = ['rspamd', 'spamassassin', 'clamav'] as const
const ASIDE = 'a spam engine is set aside, and mail goes on without it'
const AGAIN = 'a spam engine answers again'

describe('engines that come and go under load', { skip: missing('rspamd', 'spamd', 'clamd') }, () => {
  let daemons: readonly EngineDaemon[] = []
  let stage: Stage

  before(async () => {
    daemons = await Promise.all([startRspamd({ password: 'hush' }), startSpamd([]), startClamd({ maxBytes: 12_000_000 })])
    const [rspamd, spamd, clamd] = daemons
    const engine = (kind: string, daemon: EngineDaemon | undefined) => ({ kind, address: `unix:${daemon?.path ?? ''}`, timeout: '3s', max_size: '1MiB' })
    stage = await startSpamStage({
      spam: { shipped_rules: false, engines: [engine('rspamd', rspamd), engine('spamassassin', spamd), engine('clamav', clamd)] },
      root: { log: { level: 'info', format: 'json' } },
    })
  })
  after(async () => {
    await stage.stop()
    for (const daemon of daemons) await daemon.stop()
  })

  test('nothing is lost, refused or left without a result, and each change is told once', async () => {
    const load = new LoadClient({ address: { port: stage.port }, prelude: `PROXY TCP4 ${CLIENT.clean} 198.51.100.1 4711 25\r\n`, sessions: 4, to: 'load@hop.example', random: () => 0.5, size: (n) => 500 + (n % 7) * 1000 })
    const told = (text: string): readonly unknown[] => stage.gateway.log().filter(({ msg }) => msg === text).map(({ engine, pid }) => `${String(engine)} ${String(pid)}`)
    const more = async (what: string, count: number): Promise<void> => {
      const wanted = load.accepted + count
      await until(what, () => load.accepted >= wanted || load.faults.length > 0, { timeoutMs: 120_000, detail: () => stage.gateway.output() })
      assert.deepEqual(load.faults, [])
    }
    const each = (text: string, times: number): Promise<void> => until(`each worker says of each engine: ${text}`, () => told(text).length >= KINDS.length * WORKERS * times, { timeoutMs: 120_000, detail: () => stage.gateway.output() })
    load.start()
    await more('all answer', 30)
    for (const daemon of daemons) daemon.signal('SIGKILL')
    await each(ASIDE, 1)
    await more('they are dead', 100)
    for (const daemon of daemons) {
      await daemon.stop()
      await daemon.restart()
    }
    await each(AGAIN, 1)
    await more('they are back', 30)
    for (const daemon of daemons) daemon.signal('SIGSTOP')
    await each(ASIDE, 2)
    await more('they stand still', 100)
    for (const daemon of daemons) daemon.signal('SIGCONT')
    await each(AGAIN, 2)
    await more('they go on', 30)
    await load.finish()

    assert.deepEqual(load.faults, [])
    const accepted = [...load.fates].filter(([, fate]) => fate.accepted).map(([number]) => number)
    assert.deepEqual([...load.fates.values()].filter(({ deferred, unanswered }) => deferred + unanswered > 0), [])
    const there = stage.mailbox('load').read().map((data) => numberOf(Buffer.from(data.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1')))
    assert.deepEqual(there.sort((a, b) => Number(a) - Number(b)), accepted.sort((a, b) => a - b))
    await until('each decision is written', () => stage.decisions().length === accepted.length)
    const results = stage.decisions().map(({ record }) => KINDS.map((kind) => record.checks.find(({ check }) => check === kind)?.result ?? 'none'))
    for (const [at, kind] of KINDS.entries()) {
      const ofIt = results.map((all) => all[at])
      assert.ok(!ofIt.includes('none'), kind)
      assert.ok(ofIt.filter((result) => result === 'temperror').length >= 200 && ofIt.filter((result) => result !== 'temperror').length >= 60, `${kind}: ${JSON.stringify(ofIt)}`)
    }
    // A busy machine may add one now and then; one a message it is not.
    assert.ok(told(ASIDE).length === told(AGAIN).length && told(ASIDE).length < 30, told(ASIDE).join('; '))
  })
})
