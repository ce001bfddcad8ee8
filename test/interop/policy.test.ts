/**
 * Who is let in, end to end: the real program, real clients, our DNS, a
 * Maildir. The table of policy-table.ts, the identity of a decision in reply,
 * log and database, and lists that cannot be believed.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { missing } from '../support/peers/programs.ts'
import { LETTER, sentOf, startStage, type Sent, type Stage } from '../support/policy-stage.ts'
import { byRow, checkFields, sendRow, TABLE, type Row } from '../support/policy-table.ts'
import { CLIENT, listed, LISTS, ZONE } from '../support/policy-zone.ts'
import { run, type Outcome } from '../support/process.ts'
import { takeReceived, toCrlf, withoutTop } from '../support/trace-fields.ts'

describe('the table, into a Maildir', { skip: missing('swaks') }, () => {
  let stage: Stage
  const sent = new Map<Row, Sent>()
  before(async () => {
    stage = await startStage({ zone: ZONE, policy: { early_talker_wait: '0s', dnsbl: LISTS } })
  })
  after(() => stage.stop())

  for (const row of TABLE) {
    test(`${row.name}: ${row.becomes}`, async () => {
      sent.set(row, await sendRow(stage, row))
      const found = byRow(stage.mailbox().read().map((message) => toCrlf(message).toString('latin1'))).get(row.name)
      assert.equal(found !== undefined, row.becomes === 'delivered')
      if (found !== undefined) checkFields(row, found)
    })
  }

  test('what is kept lies in state/quarantine, as it would have gone on, with what is known of it', () => {
    const row = TABLE.find(({ becomes }) => becomes === 'quarantined')!
    const id = sent.get(row)?.id ?? ''
    assert.deepEqual(stage.quarantined().filter((name) => !name.startsWith('.')), [`${id}.eml`, `${id}.json`])
    const folder = join(stage.gateway.directory, 'state/quarantine')
    checkFields(row, readFileSync(join(folder, `${id}.eml`), 'latin1'))
    const facts = readFileSync(join(folder, `${id}.json`), 'utf8')
    for (const part of ['"hop"', 'post@relay.example', 'alice@hop.example', CLIENT.relay, 'dmarc']) assert.ok(facts.includes(part), `${part} in ${facts}`)
  })

  test('the identity in the reply is that of the log and of the database, and the reasons are the same', async () => {
    const verdicts = { disconnected: 'disconnect', refused: 'reject', quarantined: 'quarantine', delivered: 'accept' } as const
    for (const [row, { id, last }] of sent) {
      if (row.becomes === 'delivered') continue
      assert.match(id, /^[0-9A-Z]{10}$/, last)
      const line = await stage.logged(id)
      assert.equal(line['verdict'], verdicts[row.becomes], row.name)
      assert.equal(line['client'], row.client)
      const { action, record } = await stage.decision(id)
      assert.equal(action, verdicts[row.becomes], row.name)
      assert.equal(record.transaction['id'], id)
      assert.equal(record.verdict?.action, verdicts[row.becomes])
      assert.ok(record.changes.length > 0, row.name)
      if (row.becomes !== 'quarantined') assert.equal(line['reply'], last)
    }
  })

  test('what is delivered has its identity in Received, the log and the database too', async () => {
    const found = byRow(stage.mailbox().read().map((message) => toCrlf(message).toString('latin1')))
    for (const [row, { replies }] of sent) {
      if (row.becomes !== 'delivered') continue
      const id = /^Received: from [^]*? with ESMTP id (\w{10})\r\n/m.exec(found.get(row.name) ?? '')?.[1] ?? ''
      const line = await stage.logged(id)
      assert.equal(line['verdict'], 'accept', row.name)
      assert.ok(replies.includes(String(line['reply'])), String(line['reply']))
      const { action, record } = await stage.decision(id)
      assert.equal(action, 'accept')
      const checks = new Set(record.checks.map(({ check }) => check))
      for (const check of ['iprev', 'dnsbl', 'helo', 'spf', 'sender_domain', 'dkim', 'dmarc']) assert.ok(checks.has(check), `${check} of ${row.name}`)
    }
  })

  test('why a client is listed is remembered with the answers of the DNS', async () => {
    const { record } = await stage.decision(idOf('listed'))
    const lists = record.checks.find(({ check }) => check === 'dnsbl')
    assert.match(lists?.detail ?? '', /^bl\.example: listed \(127\.0\.0\.4\) see https:\/\/bl\.example\/; blocked\.example: error: [^;]*; world\.example: error: /)
    assert.ok(lists?.dns.some(({ question, answer }) => question === `A ${listed('bl.example', CLIENT.listed)}` && answer.includes('127.0.0.4')))
    const spf = (await stage.decision(idOf('SPF fail'))).record.checks.find(({ check }) => check === 'spf')
    assert.match(spf?.detail ?? '', /of sender\.example; v=spf1 /)
  })

  function idOf(name: string): string {
    const found = byRow(stage.mailbox().read().map((message) => toCrlf(message).toString('latin1'))).get(name)
    return / with ESMTP id (\w{10})\r\n/.exec(found ?? '')?.[1] ?? ''
  }

  test('a list that says "you are blocked", and one that lists the whole world, are set aside with what to do about it', () => {
    const said = (zone: string) => stage.gateway.log().filter((line) => line['zone'] === zone)
    const [blocked] = said('blocked.example')
    assert.equal(blocked?.['level'], 'error')
    assert.match(String(blocked['msg']), /set aside/)
    assert.match(String(blocked['why']), /127\.255\.255\.254/)
    assert.match(String(blocked['advice']), /resolver of your own/)
    const [world] = said('world.example')
    assert.equal(world?.['level'], 'error')
    assert.match(String(world['advice']), /closed down.*remove it/)
    // Said once, and neither was asked for any client.
    for (const zone of ['blocked.example', 'world.example']) {
      assert.equal(said(zone).length, 1)
      assert.deepEqual(stage.dns.queries.filter((query) => query.includes(zone) && !/^[12]\.0\.0\.127\./.test(query)), [])
    }
  })
})

describe('a list that refuses us in the middle of the day', { skip: missing('swaks') }, () => {
  test('nothing is refused and nobody warned of, though listings would be refused; the log says at once what to do', async () => {
    const stage = await startStage({ zone: ZONE, policy: { preset: 'strict', early_talker_wait: '0s', dnsbl: { lists: ['bl.example'] }, greylist: { action: 'off' } } })
    try {
      const before = await stage.swaks(CLIENT.listed)
      assert.match(before.last, /^550 5\.7\.1 Your address 192\.0\.2\.20 is listed at bl\.example: see https:\/\/bl\.example\/ \(\w{10}\)$/)
      const other = '192.0.2.7'
      stage.dns.set(listed('bl.example', other), { A: ['127.255.255.254'] })
      assert.match((await stage.swaks(other)).last, /^250 /)
      const line = await stage.gateway.logged('the list is set aside', ({ msg, zone }) => zone === 'bl.example' && /set aside/.test(String(msg)))
      assert.equal(line['level'], 'error')
      assert.match(`${String(line['why'])} ${String(line['advice'])}`, /127\.255\.255\.254.*resolver of your own/s)
      // Whoever was listed a moment ago is not refused on the word of a list that cannot be believed.
      stage.dns.set(listed('bl.example', CLIENT.relay), { A: ['127.0.0.4'] })
      const now = await stage.swaks(CLIENT.relay, { from: 'post@relay.example', helo: 'mail.relay.example' })
      assert.match(now.last, /^250 /, now.output)
      for (const message of stage.mailbox().read()) assert.doesNotMatch(message.toString('latin1'), /X-Warning/)
    } finally {
      await stage.stop()
    }
  })
})

describe('who is judged', { skip: missing('swaks') }, () => {
  let stage: Stage
  const swaks = (...options: readonly string[]): Promise<Outcome> =>
    run(['swaks', '--server', '127.0.0.1', '--port', String(stage.port), '--helo', 'mail.sender.example', '--from', 'anna@sender.example', '--to', 'alice@hop.example', '--data', LETTER.replace(/\r\n$/, '').replaceAll('\r\n', '\\n'), ...options])
  before(async () => {
    stage = await startStage({ zone: ZONE, policy: { early_talker_wait: '0s', dnsbl: { lists: ['bl.example'] } }, listener: { trust: { xclient: ['127.0.0.1'] } } })
  })
  after(() => stage.stop())

  test('not this machine: nothing is asked, nothing but Received is added, and it is remembered all the same', async () => {
    const asked = stage.dns.queries.length
    const { code, output } = await swaks()
    assert.equal(code, 0, output)
    const [stored] = await stage.mailbox().take(1)
    const { field, rest } = takeReceived(withoutTop(toCrlf(stored!), ['Return-Path', 'Delivered-To']))
    assert.match(rest.toString('latin1'), /^From: Anna /)
    assert.equal(stage.dns.queries.length, asked)
    assert.equal((await stage.decision(/ id (\w{10})\r\n/.exec(field)?.[1] ?? '')).action, 'accept')
  })

  test('the client that a trusted peer names by XCLIENT, in its place', async () => {
    const refused = sentOf(...outcome(await swaks('--xclient-addr', CLIENT.noPtr, '--xclient-name', 'whatever.example')))
    assert.match(refused.last, /^550 5\.7\.25 Your address 192\.0\.2\.8 has no name/)
    const listedOne = sentOf(...outcome(await swaks('--xclient-addr', CLIENT.listed)))
    assert.match(listedOne.last, /^250 /, listedOne.output)
    const [stored] = await stage.mailbox().take(1)
    assert.match(stored?.toString('latin1') ?? '', /^X-Warning: 192\.0\.2\.20 is in a black list at bl\.example$/m)
  })

  function outcome({ code, output }: Outcome): [number | null, string] {
    return [code, output]
  }
})
