/** The judgement of a client by itself: what a reload changes in it, and that nobody waits for a client that has gone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientJudgement } from '../../../src/inbound/client-judgement.ts'
import type { SessionFacts } from '../../../src/smtp/session-handler.ts'
import { CLIENT, GOOD, LIST, listed } from '../../support/judged-zone.ts'
import { judged } from '../../support/judged.ts'

const SESSION: SessionFacts = { address: CLIENT, port: 1, spokeEarly: false, name: undefined, login: undefined, helo: undefined, protocol: 'SMTP', tls: undefined, forwarded: new Map() }

test('a reload counts from the next transaction on, and not in the middle of one', async () => {
  const { inbound: before } = await judged({ zone: GOOD, policy: 'preset: observe' })
  const { inbound: after } = await judged({ zone: GOOD, policy: 'preset: strict' })
  let current = before
  const client = new ClientJudgement(SESSION, () => current)
  assert.equal(client.inbound, before)
  client.hold()
  current = after
  assert.equal(client.inbound, before)
  client.hold()
  assert.equal(client.inbound, after)
})

test('a suspicious client that has gone is not waited for', async () => {
  const stage = await judged({ zone: { ...GOOD, ...LIST, [listed('bl.example')]: { A: ['127.0.0.4'] } }, policy: 'preset: standard, dnsbl: { lists: [bl.example] }, early_talker_wait: 30s' })
  const client = new ClientJudgement(SESSION, () => stage.inbound)
  const greeting = client.greet()
  while (stage.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
  client.end()
  assert.equal((await greeting).refusal, undefined)
})
