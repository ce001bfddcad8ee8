/**
 * The quarantine as its operator has it: `postern quarantine` beside the running
 * gateway. What was kept is listed, shown, released to its recipients as no
 * spam and otherwise byte for byte, and deleted.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CaptureSink } from '../support/capture-sink.ts'
import { missing } from '../support/peers/programs.ts'
import { LETTER, startStage, type Mail, type Stage } from '../support/policy-stage.ts'
import { CLIENT, LISTS, ZONE } from '../support/policy-zone.ts'
import { run, type Outcome } from '../support/process.ts'
import { toCrlf, withoutTop } from '../support/trace-fields.ts'

const MAIN = process.env['POSTERN_MAIN'] ?? join(import.meta.dirname, '../../src/main.ts')
const POLICY = { early_talker_wait: '0s', dnsbl: LISTS, spam: { quarantine: 6 } }
const BOTH = 'alice@hop.example,bob@hop.example'

function quarantine(stage: Stage, ...command: readonly string[]): Promise<Outcome> {
  const [action = '', ...rest] = command
  return run([process.execPath, MAIN, 'quarantine', action, '--config', join(stage.gateway.directory, 'postern.yaml'), ...rest])
}

/** Points enough: listed, of a pool, not allowed by SPF. The identity of what was kept. */
async function keep(stage: Stage, mail: Mail = {}): Promise<string> {
  const { last, id, output } = await stage.swaks(CLIENT.pooled, { to: BOTH, ...mail })
  assert.match(last, /^250 2\.0\.0 Message taken \(\w{10}\)$/, output)
  return id
}

const POINTS = /X-Spam-Flag: YES\r\nX-Spam-Score: 7\.0\r\nX-Spam-Level: \*{7}\r\nX-Spam-Status: Yes, score=7\.0 required=5\.0\r\n(?: .*\r\n)*/

function asReleased(text: string): string {
  assert.match(text, POINTS)
  return text.replace(POINTS, 'X-Spam-Score: 0.0\r\nX-Spam-Status: No, score=0.0 required=5.0 tests=RELEASED\r\n')
}

function stored(stage: Stage, id: string): string {
  return readFileSync(join(stage.gateway.directory, 'state/quarantine', `${id}.eml`), 'latin1')
}

describe('before Maildirs', { skip: missing('swaks') }, () => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ zone: ZONE, policy: POLICY })
  })
  after(() => stage.stop())

  test('list and show tell who, to whom, and why', async () => {
    const id = await keep(stage)
    const listed = await quarantine(stage, 'list', '--json')
    assert.equal(listed.code, 0, listed.output)
    const [entry] = listed.output.trim().split('\n').map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    assert.deepEqual([entry?.['id'], entry?.['from'], entry?.['to'], entry?.['client'], entry?.['score'], entry?.['hop']], [id, 'anna@sender.example', ['alice@hop.example', 'bob@hop.example'], CLIENT.pooled, 7, 'hop'])
    assert.match(JSON.stringify(entry?.['reasons']), /dnsbl:listed at bl\.example 3.*spf:fail 2/)
    const shown = await quarantine(stage, 'show', id)
    assert.match(shown.output, /client +192\.0\.2\.21[^]*sender +anna@sender\.example\nrecipient +alice@hop\.example\nrecipient +bob@hop\.example\n[^]*Subject +Hello/)
    assert.equal((await quarantine(stage, 'show', id, '--raw')).output, stored(stage, id))
    assert.equal((await quarantine(stage, 'delete', id)).code, 0)
  })

  test('release gives each recipient what would have come, byte for byte but for the points, once', async () => {
    const id = await keep(stage)
    const text = stored(stage, id)
    assert.match(text, /^X-Warning: 192\.0\.2\.21 is in a black list at bl\.example\r\n/)
    assert.ok(text.endsWith(LETTER))
    const expected = asReleased(text)
    const released = await quarantine(stage, 'release', id)
    assert.equal(released.code, 0, released.output)
    for (const user of ['alice', 'bob']) {
      const messages = stage.mailbox(user).read()
      assert.equal(messages.length, 1)
      assert.equal(toCrlf(withoutTop(messages[0]!, ['Return-Path', 'Delivered-To'])).toString('latin1'), expected)
    }
    assert.deepEqual(stage.quarantined().filter((name) => name.startsWith(id)), [])
    assert.equal((await quarantine(stage, 'release', id)).code, 66)
    assert.equal(stage.mailbox().count, 1)
  })

  test('delete removes it for good, and nothing arrives', async () => {
    const id = await keep(stage, { to: 'carol@hop.example' })
    const deleted = await quarantine(stage, 'delete', id)
    assert.equal(deleted.code, 0, deleted.output)
    assert.deepEqual(stage.quarantined().filter((name) => name.startsWith(id)), [])
    assert.equal((await quarantine(stage, 'show', id)).code, 66)
    assert.equal(stage.mailbox('carol').count, 0)
    assert.equal((await quarantine(stage, 'list', '--json')).output, '')
  })

  test('what was kept outlives the gateway', async () => {
    const id = await keep(stage)
    await stage.gateway.stop()
    assert.match((await quarantine(stage, 'list')).output, new RegExp(`^${id} `, 'm'))
    await stage.gateway.restart()
    assert.equal((await quarantine(stage, 'release', id)).code, 0)
    assert.equal(stage.mailbox().count, 2)
  })
})

describe('before an SMTP hop', { skip: missing('swaks') }, () => {
  test('a message released arrives as it was kept but for its points, for the same envelope; while the hop is down it stays', async () => {
    const sink = await CaptureSink.start()
    const stage = await startStage({ zone: ZONE, policy: POLICY, hop: { smtp: sink.target } })
    try {
      const id = await keep(stage)
      const text = stored(stage, id)
      assert.deepEqual(sink.take(), [])
      const released = await quarantine(stage, 'release', id)
      assert.equal(released.code, 0, released.output)
      const [message] = await sink.waitFor(1)
      assert.equal(message?.data.toString('latin1'), asReleased(text))
      assert.deepEqual([message.mail, ...message.rcpts].map((path) => /<([^>]*)>/.exec(path)?.[1]), ['anna@sender.example', 'alice@hop.example', 'bob@hop.example'])
      const later = await keep(stage)
      await sink.stop()
      assert.equal((await quarantine(stage, 'release', later)).code, 75)
      assert.deepEqual(stage.quarantined().filter((name) => name.startsWith(later)), [`${later}.eml`, `${later}.json`])
    } finally {
      await stage.stop()
      await sink.stop()
    }
  })
})
