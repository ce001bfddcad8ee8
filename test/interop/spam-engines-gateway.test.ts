/**
 * Other engines behind a running gateway: what they find decides, what they
 * score is written down, and mail flows while they are away.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { EICAR, EICAR_NAME, startClamd, type EngineDaemon } from '../support/peers/clamd.ts'
import { missing } from '../support/peers/programs.ts'
import { startRspamd, type Rspamd } from '../support/peers/rspamd.ts'
import { startSpamd } from '../support/peers/spamd.ts'
import { LETTER, type Sent, type Stage } from '../support/policy-stage.ts'
import { CLIENT } from '../support/policy-zone.ts'
import { until } from '../support/process.ts'
import { HAM, WATCHES } from '../support/spam-engines.ts'
import { postern, sendAndTake, startSpamStage } from '../support/spam-stage.ts'

type Mapping = Readonly<Record<string, unknown>>

const INFECTED = `${LETTER}${EICAR}\r\n`
const ATTACHED = ['From: Anna <anna@sender.example>', 'Subject: a present', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=edge', '', '--edge', '', 'look at this', '--edge', 'Content-Type: application/octet-stream; name=present.exe', 'Content-Transfer-Encoding: base64', '', Buffer.from(EICAR, 'latin1').toString('base64'), '--edge--', ''].join('\r\n')
const tcp = ({ tcp: { host, port } }: EngineDaemon): string => `${host}:${port}`

describe('engines behind the gateway', { skip: missing('swaks', 'rspamd', 'spamd', 'clamd') }, () => {
  let rspamd: Rspamd
  let spamd: EngineDaemon
  let clamd: EngineDaemon
  let stage: Stage
  const running: { stop(): Promise<void> }[] = []
  const scanner = (): Mapping => ({ kind: 'clamav', address: `unix:${clamd.path}`, timeout: '60s' })
  const others = (): readonly Mapping[] => [{ kind: 'rspamd', address: tcp(rspamd), weight: 0.5, timeout: '60s' }, { kind: 'spamassassin', address: tcp(spamd), most: 7, timeout: '60s' }]
  const settings = (...engines: readonly Mapping[]): { readonly spam: Mapping } => ({ spam: { shipped_rules: false, engines } })
  const policy = (more: Mapping = {}): Mapping => ({ early_talker_wait: '0s', spam: { reject: 'never' }, ...more })
  const points = async ({ id }: { readonly id: string }): Promise<ReadonlyMap<string, number>> => {
    const { record } = await stage.decision(id)
    const effects = (record.verdict?.effects ?? []) as readonly { readonly parts?: readonly { readonly name: string; readonly points: number }[] }[]
    return new Map(effects.flatMap(({ parts = [] }) => parts.map((part) => [part.name, part.points] as const)))
  }
  const checks = async ({ id }: { readonly id: string }): Promise<ReadonlyMap<string, string>> => new Map((await stage.decision(id)).record.checks.map(({ check, result }) => [check, result]))

  before(async () => {
    const started = await Promise.all([startRspamd({ password: 'hush' }), startSpamd(['header CHEAP_WATCHES Subject =~ /cheap watches/i', 'score CHEAP_WATCHES 7.5']), startClamd({ maxBytes: 12_000_000 })])
    rspamd = started[0]
    spamd = started[1]
    clamd = started[2]
    running.push(...started)
    stage = await startSpamStage(settings(scanner(), ...others()))
    running.unshift(stage)
  })
  after(async () => {
    for (const one of running) await one.stop()
  })

  test('a virus is refused by its name, in the text and in an attachment', async () => {
    for (const data of [INFECTED, ATTACHED]) {
      const refused = await stage.swaks(CLIENT.clean, { data })
      assert.match(refused.last, /^550 5\.7\.1 .*virus.*\(\w{10}\)$/, refused.output)
      assert.ok(refused.last.includes(EICAR_NAME), refused.last)
      assert.equal((await stage.decision(refused.id)).record.verdict?.by, 'virus')
      assert.match((await postern(stage.gateway, 'why', refused.id)).output, /virus.*Test\.Eicar/)
    }
    assert.equal(stage.mailbox().count, 0)
  })

  test('Rspamd and SpamAssassin score, each with its weight and within its bounds', async () => {
    const spam = await sendAndTake(stage, CLIENT.clean, { data: WATCHES })
    assert.ok(spam.spam && ['RSPAMD', 'SPAMASSASSIN'].every((name) => spam.tests.includes(name)), spam.fields)
    const given = await points(spam)
    // Half of 7.6; and 7.5 and what else it finds is more than it may give.
    assert.deepEqual([given.get('RSPAMD'), given.get('SPAMASSASSIN')], [3.8, 7])
    assert.ok(spam.score >= 10.8 && spam.score < 12, spam.fields)
    const ham = await sendAndTake(stage, CLIENT.clean, { data: HAM })
    assert.ok(!ham.spam && ham.score < 5, ham.fields)
  })

  test('with virus: quarantine it is kept, and its sender hears 250', async () => {
    await stage.reload(policy({ virus: 'quarantine' }))
    const kept = await stage.swaks(CLIENT.clean, { data: ATTACHED })
    assert.match(kept.last, /^250 /, kept.output)
    const files = stage.quarantined().filter((name) => name.endsWith('.eml'))
    assert.equal(files.length, 1)
    const whole = readFileSync(join(stage.gateway.directory, 'state/quarantine', files[0] ?? ''), 'latin1')
    assert.ok(whole.includes('present.exe'))
    assert.equal(stage.mailbox().count, 0)
    assert.match((await postern(stage.gateway, 'quarantine', 'list')).output, /anna@sender\.example/)
  })

  test('without any of them mail flows, and says what it could not find out', async () => {
    for (const one of [rspamd, spamd, clamd]) {
      one.signal('SIGKILL')
      await one.stop()
    }
    await stage.reload(policy())
    const aside = (): number => stage.gateway.log().filter(({ msg }) => msg === 'a spam engine is set aside, and mail goes on without it').length
    await until('a worker has set all of them aside', async () => {
      const found = await sendAndTake(stage, CLIENT.clean, { data: WATCHES })
      assert.deepEqual([found.spam, found.tests.filter((name) => /RSPAMD|SPAMASSASSIN/.test(name))], [false, []])
      const results = await checks(found)
      assert.deepEqual(['rspamd', 'spamassassin', 'clamav'].map((name) => results.get(name)), ['temperror', 'temperror', 'temperror'])
      return aside() >= 3
    }, { timeoutMs: 60_000, detail: () => stage.gateway.output() })
  })

  test('with down: tempfail mail waits at its sender while the scanner is away, and comes when it is back', async () => {
    await stage.reload(policy(), settings({ ...scanner(), down: 'tempfail' }, ...others()))
    const waiting = await stage.swaks(CLIENT.clean)
    assert.match(waiting.last, /^451 4\.7\.1 .*viruses.*\(\w{10}\)$/, waiting.output)
    assert.equal(stage.mailbox().count, 0)
    await clamd.restart()
    let sent: Sent | undefined
    const becomes = (data: string, wanted: string): Promise<void> => until(`451 becomes ${wanted}`, async () => {
      sent = await stage.swaks(CLIENT.clean, { data })
      assert.ok(['451', wanted].includes(sent.last.slice(0, 3)), sent.output)
      return sent.last.startsWith(wanted)
    }, { timeoutMs: 30_000, detail: () => sent?.output ?? '' })
    await becomes(LETTER, '250')
    await stage.mailbox().take(1)
    await becomes(INFECTED, '550')
  })
})
