/** The judgement of a client by itself: what a reload changes in it, and that nobody waits for a client that has gone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientJudgement } from '../../../src/inbound/client-judgement.ts'
import type { SessionFacts } from '../../../src/smtp/session-handler.ts'
import { CLIENT, GOOD, LETTER, LIST, listed } from '../../support/judged-zone.ts'
import { judged } from '../../support/judged.ts'

const SESSION: SessionFacts = { address: CLIENT, port: 1, spokeEarly: false, name: undefined, login: undefined, helo: undefined, protocol: 'SMTP', tls: undefined, forwarded: new Map() }
const V6 = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2`

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

test('a zone with a key in it stands by its name in what is remembered of the decision, too, however long a question is', async () => {
  const key = 'k3y0fac0st0m3rk3y0fac0st0m3r'
  const zone = `${key}.${'a.'.repeat(60)}zen.example`
  for (const answer of [{ A: ['127.0.0.4'], TXT: [`see ${zone}`] }, 'servfail'] as const) for (const client of [CLIENT, '2001:db8::1']) {
    const stage = await judged({ client, zone: { ...GOOD, [listed(zone, '127.0.0.2')]: { A: ['127.0.0.2'] }, [`${client === CLIENT ? '7.2.0.192' : V6}.${zone}`]: answer }, policy: `preset: observe, dnsbl: { lists: [{ zone: ${zone}, name: zen }, { zone: zen.example, name: other }] }` })
    await stage.greeting()
    await stage.envelope()
    await stage.message(LETTER)
    const told = JSON.stringify([stage.remembered, stage.logged, stage.delivered()])
    assert.match(told, /"question":"A [0-9a-f.]+\.zen"/)
    assert.doesNotMatch(told, /k3y/)
  }
})
