/**
 * The inbound halves of three set-ups that people have, with Postern at port 25
 * in place of what did its work there:
 *
 * A. OpenSMTPD that hands over to Dovecot by LMTP: virtual users, a catch-all,
 *    two domains on one MX; Postern in place of its filters at connect.
 * B. Exim with Maildirs, aliases, suffixes, and fields of its own on top;
 *    Postern in place of the warnings at RCPT.
 * C. Postfix on a port behind Postern, which tells it the client by XCLIENT.
 *
 * The whole table goes through each; what is not to arrive is missed after
 * everything else is there.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startDovecot } from '../support/peers/dovecot.ts'
import { startExim } from '../support/peers/exim.ts'
import type { Hop } from '../support/peers/hop.ts'
import { startOpenSmtpd } from '../support/peers/opensmtpd.ts'
import { startPostfix } from '../support/peers/postfix.ts'
import { missing } from '../support/peers/programs.ts'
import { startStage, type Mail, type Stage } from '../support/policy-stage.ts'
import { byRow, checkFields, sendRow, TABLE } from '../support/policy-table.ts'
import { CLIENT, LISTS, ZONE } from '../support/policy-zone.ts'
import { takeTop, toCrlf, withoutTop } from '../support/trace-fields.ts'

const DELIVERED = TABLE.filter(({ becomes }) => becomes === 'delivered')

function behind(hop: Hop, more: Readonly<Record<string, unknown>> = {}): Promise<Stage> {
  return startStage({ zone: ZONE, policy: { early_talker_wait: '0s', dnsbl: LISTS }, hop: { smtp: hop.target, ...more }, root: { domains: ['hop.example', 'second.example'] } })
}

/** All rows, side by side; then what lies in the mailbox, by row. */
async function wholeTable(stage: Stage, store: Hop): Promise<ReadonlyMap<string, string>> {
  await Promise.all(TABLE.map((row) => sendRow(stage, row)))
  const messages = await store.mailbox('alice').take(DELIVERED.length, { detail: () => `${store.log()}${stage.gateway.output()}` })
  const found = byRow(messages.map((message) => toCrlf(message).toString('latin1')))
  assert.deepEqual([...found.keys()].sort(), DELIVERED.map(({ name }) => name).sort())
  for (const row of DELIVERED) checkFields(row, found.get(row.name) ?? '')
  assert.equal(stage.quarantined().filter((name) => name.endsWith('.eml')).length, TABLE.filter(({ becomes }) => becomes === 'quarantined').length)
  return found
}

async function deliver(stage: Stage, mail: Mail): Promise<void> {
  const { last, output } = await stage.swaks(CLIENT.clean, mail)
  assert.match(last, /^250 /, output)
}

describe('set-up A: OpenSMTPD before Dovecot', { skip: missing('swaks', 'opensmtpd', 'unshare', 'dovecot', 'dovecot-lmtp') }, () => {
  let dovecot: Hop
  let smtpd: Hop
  let stage: Stage
  before(async () => {
    dovecot = await startDovecot({ users: ['alice', 'everybody'], over: 'unix' })
    const lmtp = dovecot.target.slice('unix:'.length)
    const virtual = { 'alice@second.example': 'alice@hop.example', '@hop.example': 'everybody@hop.example', 'everybody@hop.example': 'nobody' }
    smtpd = await startOpenSmtpd({ users: ['alice'], lmtp, domains: ['second.example'], virtual })
    stage = await behind(smtpd)
  })
  after(async () => {
    await stage.stop()
    await smtpd.stop()
    await dovecot.stop()
  })

  test('the table', async () => {
    await wholeTable(stage, dovecot)
  })

  test('a second domain, and the catch-all', async () => {
    await deliver(stage, { to: 'alice@second.example' })
    await dovecot.mailbox('alice').take(1, { detail: () => smtpd.log() })
    await deliver(stage, { to: 'whoever@hop.example' })
    const [message] = await dovecot.mailbox('everybody').take(1, { detail: () => smtpd.log() })
    assert.match(message?.toString('latin1') ?? '', /^Authentication-Results: gateway\.example;\r?\n iprev=pass/m)
    // The hop's own word on the other domain's unknown users is the client's reply.
    assert.match((await stage.swaks(CLIENT.clean, { to: 'whoever@second.example' })).last, /^5\d\d /)
  })
})

describe('set-up B: Exim', { skip: missing('swaks', 'exim') }, () => {
  let exim: Hop
  let stage: Stage
  before(async () => {
    exim = await startExim({ users: ['alice', 'bob'], suffixes: ['+*', '-*'], aliases: { info: 'alice', both: 'alice, bob' }, deliveryFields: true })
    stage = await behind(exim)
  })
  after(async () => {
    await stage.stop()
    await exim.stop()
  })

  test('the table, under the fields that Exim adds', async () => {
    const found = await wholeTable(stage, exim)
    const message = found.get('SPF fail') ?? ''
    const tops = ['Return-path', 'Envelope-to', 'Delivery-date']
    for (const name of tops) assert.match(message, new RegExp(`^${name}: `, 'mi'))
    const own = takeTop(withoutTop(Buffer.from(message, 'latin1'), tops))
    assert.match(own?.field ?? '', /^Received: from [^]*by exim\.example /)
    // Ours stand together right below, the warning first.
    assert.match(own?.rest.toString('latin1') ?? '', /^X-Warning: 192\.0\.2\.30 is not allowed to send mail from sender\.example\r\nX-Spam-Score: /)
  })

  test('suffixes and aliases are the hop\'s affair', async () => {
    await deliver(stage, { to: 'alice+shop@hop.example' })
    await deliver(stage, { to: 'alice-list@hop.example' })
    await deliver(stage, { to: 'info@hop.example' })
    await deliver(stage, { to: 'both@hop.example' })
    await exim.mailbox('alice').take(4, { detail: () => exim.log() })
    await exim.mailbox('bob').take(1, { detail: () => exim.log() })
    assert.match((await stage.swaks(CLIENT.clean, { to: 'whoever@hop.example' })).last, /^550 /)
  })
})

describe('set-up C: Postfix that is told the client', { skip: missing('swaks', 'postfix') }, () => {
  let postfix: Hop
  let stage: Stage
  before(async () => {
    // A Postfix without IPv6 takes no IPv6 address by XCLIENT either, and says 501.
    postfix = await startPostfix({ users: ['alice'], trusting: true, main: ['inet_protocols = all'] })
    stage = await behind(postfix, { xclient: true })
  })
  after(async () => {
    await stage.stop()
    await postfix.stop()
  })

  test('the table; Postfix logs the real clients, and hears of nobody who is shown out', async () => {
    await wholeTable(stage, postfix)
    const log = postfix.log()
    for (const client of [CLIENT.clean, CLIENT.listed, CLIENT.relay]) assert.ok(log.includes(`[${client}]`), `${client} in ${log}`)
    for (const client of [CLIENT.noPtr, CLIENT.noForward, CLIENT.otherForward]) assert.ok(!log.includes(client), client)
  })

  test('its rules on clients see the real one', async () => {
    await deliver(stage, {})
    const [message] = await postfix.mailbox('alice').take(1, { detail: () => postfix.log() })
    assert.match(message?.toString('latin1') ?? '', /^Received: from mail\.sender\.example \([^)]*\[192\.0\.2\.7\]\)\n\tby postfix\.example /m)
  })
})
