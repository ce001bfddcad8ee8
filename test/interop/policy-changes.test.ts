/**
 * What is changed while the gateway runs: entries of the allow list, exceptions,
 * the policy itself under sessions that go on, and a shadow policy beside it.
 */
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { startDnsServer } from '../support/dns-server.ts'
import { dkimSigned, makeRsaKey } from '../support/peers/dkimpy.ts'
import { missing } from '../support/peers/programs.ts'
import { LETTER, startStage, type Sent, type Stage } from '../support/policy-stage.ts'
import { CLIENT, listed, ZONE } from '../support/policy-zone.ts'
import { temporaryDirectory, until } from '../support/process.ts'
import { toCrlf } from '../support/trace-fields.ts'

const partner = { domain: 'partner.example', selector: 'p2026', key: makeRsaKey() }
const FROM_PARTNER = LETTER.replaceAll('anna@sender.example', 'paul@partner.example')

/** JSON is YAML. */
function writeEntries(file: string, entries: readonly object[]): void {
  writeFileSync(`${file}.new`, JSON.stringify({ entries: entries.map((entry) => ({ reason: 'we know them', author: 'eve', expires: 'never', ...entry })) }))
  renameSync(`${file}.new`, file)
}

function idOf(message: string): string {
  return / with ESMTP id (\w{10})\r\n/.exec(message)?.[1] ?? ''
}

async function one(stage: Stage): Promise<string> {
  const [message] = await stage.mailbox().take(1, { detail: () => stage.gateway.output() })
  return toCrlf(message!).toString('latin1')
}

describe('the allow list', { skip: missing('swaks', 'dkimsign') }, () => {
  const file = join(temporaryDirectory('allow'), 'allow.yaml')
  let stage: Stage
  before(async () => {
    stage = await startStage({ zone: { ...ZONE, 'p2026._domainkey.partner.example': { TXT: [partner.key.record] } }, policy: { allow: file, early_talker_wait: '0s' } })
  })
  after(() => stage.stop())

  /** The file is looked at once a second. */
  async function turnsTo(reply: RegExp, send: () => Promise<Sent>): Promise<Sent> {
    let sent: Sent | undefined
    await until(`a reply ${String(reply)}`, async () => reply.test((sent = await send()).last), { detail: () => `${sent?.output ?? ''}${stage.gateway.output()}` })
    return sent as Sent
  }

  test('an entry for an address, added while the gateway runs, lets a client without a name in; only for what it says, and only it', async () => {
    const send = (client: string = CLIENT.noPtr): Promise<Sent> => stage.swaks(client, { from: 'post@small.example' })
    assert.match((await send()).last, /^550 5\.7\.25 /)
    writeEntries(file, [{ id: 'printer', match: { address: CLIENT.noPtr }, scope: { checks: ['rdns', 'fcrdns'] } }])
    await turnsTo(/^250 /, send)
    // What the entry does not name still counts.
    const message = await one(stage)
    assert.match(message, /^X-Warning: 192\.0\.2\.8 is not allowed to send mail from small\.example\r$/m)
    assert.match((await send(CLIENT.noForward)).last, /^550 5\.7\.25 /)
    const { record } = await stage.decision(idOf(message))
    assert.deepEqual(record.verdict?.effects.filter(({ effect }) => effect === 'excused').map(({ check, exceptions }) => [check, ...exceptions]), [
      ['rdns', 'allow list, printer: we know them (address 192.0.2.8)'], ['fcrdns', 'allow list, printer: we know them (address 192.0.2.8)'],
    ])
  })

  test('its hits are counted', async () => {
    const database = new DatabaseSync(join(stage.gateway.directory, 'state/postern.db'), { readOnly: true })
    try {
      await until('a hit', () => Number(database.prepare("SELECT count FROM allow_hits WHERE id = 'printer'").get()?.['count'] ?? 0) >= 1)
    } finally {
      database.close()
    }
  })

  test('an entry for a domain: the session waits until it is proved, and only what is proved is excused', async () => {
    writeEntries(file, [{ id: 'partner', match: { domain: 'partner.example' }, scope: { checks: ['rdns', 'fcrdns'] } }])
    // SPF passes.
    const sent = await turnsTo(/^250 /, () => stage.swaks(CLIENT.partner, { from: 'paul@partner.example', data: FROM_PARTNER }))
    assert.match(sent.replies[0] ?? '', /^220 /)
    assert.match(await one(stage), /iprev=permerror \(no PTR record\)[^;]*;\r\n spf=pass/)
    // The same address for another domain; and another address in the name of the partner, in the envelope, in From, in both.
    const forged = [
      await stage.swaks(CLIENT.partner, { from: 'anna@sender.example' }),
      await stage.swaks(CLIENT.partner, { from: 'anna@sender.example', data: FROM_PARTNER }),
      await stage.swaks(CLIENT.noPtr, { from: 'anna@sender.example', data: FROM_PARTNER }),
      await stage.swaks(CLIENT.noPtr, { from: 'paul@partner.example', data: FROM_PARTNER }),
      await stage.swaks(CLIENT.noForward, { from: 'paul@partner.example', helo: 'mail.partner.example', data: FROM_PARTNER }),
    ]
    for (const { last, output, replies } of forged) {
      assert.match(replies[0] ?? '', /^220 /)
      assert.match(last, /^550 5\.7\.25 Your address /, output)
    }
    assert.equal(stage.mailbox().count, 0)
  })

  test('DKIM proves it too, whoever the client is; a broken signature does not', async () => {
    const data = await dkimSigned(FROM_PARTNER, partner)
    const sent = await stage.swaks(CLIENT.noPtr, { from: 'bounces@small.example', data })
    assert.match(sent.last, /^250 /, sent.output)
    assert.ok((await one(stage)).endsWith(data))
    assert.match((await stage.swaks(CLIENT.noPtr, { from: 'bounces@small.example', data: data.replace('One line', 'One lie') })).last, /^550 5\.7\.25 /)
    // Of the partner, and good, but the author is another.
    const other = await dkimSigned(LETTER, partner)
    assert.match((await stage.swaks(CLIENT.noPtr, { from: 'bounces@small.example', data: other })).last, /^550 5\.7\.25 /)
  })

  test('while it cannot be found out, nobody is refused for good', async () => {
    stage.dns.set('p2027._domainkey.partner.example', 'servfail')
    const sent = await stage.swaks(CLIENT.noPtr, { from: 'bounces@small.example', data: await dkimSigned(FROM_PARTNER, { ...partner, selector: 'p2027' }) })
    assert.match(sent.last, /^451 4\.7\.25 /, sent.output)
  })

  test('a file with errors changes nothing, and the log names them; one that is gone allows nobody', async () => {
    writeFileSync(file, 'entries:\n  - id: partner\n    match: { domain: partner.example\n')
    const line = await stage.gateway.logged('the errors', ({ msg }) => String(msg).startsWith('the allow list has errors'))
    assert.equal(line['file'], file)
    assert.match((await stage.swaks(CLIENT.partner, { from: 'paul@partner.example', data: FROM_PARTNER })).last, /^250 /)
    writeEntries(file, [])
    await turnsTo(/^550 5\.7\.25 /, () => stage.swaks(CLIENT.partner, { from: 'paul@partner.example', data: FROM_PARTNER }))
  })
})

describe('a reload', { skip: missing('swaks') }, () => {
  const shadow = join(temporaryDirectory('shadow'), 'shadow.yaml')
  let stage: Stage
  const policy = { preset: 'standard', early_talker_wait: '0s', dnsbl: { lists: ['bl.example'] }, greylist: { action: 'off' } }
  before(async () => {
    stage = await startStage({ zone: ZONE, policy })
  })
  after(() => stage.stop())

  test('reaches the next transaction of a session that runs', async () => {
    const dialog = await stage.dialog(CLIENT.listed)
    await dialog.hello('mail.listed.example')
    const message = { from: 'anna@sender.example', to: 'alice@hop.example', data: Buffer.from(LETTER, 'latin1') }
    assert.equal((await dialog.message(message)).status, 250)
    await stage.reload({ ...policy, preset: 'strict' })
    assert.match((await dialog.message(message)).text, /^550 5\.7\.1 Your address 192\.0\.2\.20 is listed at bl\.example/)
    await stage.reload({ ...policy, dnsbl: { ...policy.dnsbl, action: 'note' } })
    await dialog.command('RSET', 250)
    assert.equal((await dialog.message(message)).status, 250)
    await dialog.quit()
    const [first, second] = (await stage.mailbox().take(2)).map((stored) => stored.toString('latin1'))
    assert.match(first ?? '', /^X-Warning: /m)
    assert.doesNotMatch(second ?? '', /^X-Warning: /m)
  })

  test('exceptions: a check that can be excused later ends no session before', async () => {
    await stage.reload({ ...policy, exceptions: [{ checks: ['rdns', 'fcrdns'], when: { spf: 'pass', spf_domain: ['partner.example'] }, reason: 'no names at the partner' }] })
    const good = await stage.swaks(CLIENT.partner, { from: 'paul@partner.example', data: FROM_PARTNER })
    assert.match(good.last, /^250 /, good.output)
    const bad = await stage.swaks(CLIENT.partner, { from: 'anna@sender.example', data: FROM_PARTNER })
    assert.match(bad.replies[0] ?? '', /^220 /)
    assert.match(bad.last, /^550 5\.7\.25 /, bad.output)
    await stage.mailbox().take(1)
  })

  test('a shadow policy changes nothing, and where it would have decided otherwise is remembered', async () => {
    writeFileSync(shadow, 'policy:\n  preset: strict\n')
    await stage.reload({ ...policy, shadow })
    const sent = await stage.swaks(CLIENT.listed)
    assert.match(sent.last, /^250 /, sent.output)
    const { action, record } = await stage.decision(idOf(await one(stage)))
    assert.equal(action, 'accept')
    assert.deepEqual([record.shadow?.action, record.shadow?.by], ['reject', 'dnsbl'])
    assert.match((await stage.swaks(CLIENT.clean)).last, /^250 /)
    assert.equal((await stage.decision(idOf(await one(stage)))).record.shadow, undefined)
  })

  test('takes up another resolver, and lists, which are believed once they are proved', async () => {
    const other = await startDnsServer({ ...ZONE, [listed('new.example', '127.0.0.2')]: { A: ['127.0.0.2'] }, [listed('new.example', CLIENT.clean)]: { A: ['127.0.0.3'] } })
    try {
      await stage.reload({ ...policy, dnsbl: { lists: ['new.example'] } }, { dns: { servers: [`127.0.0.1:${other.port}`], timeout: '2s', tries: 1 } })
      await stage.gateway.logged('the new list is believed', ({ zone, msg }) => zone === 'new.example' && String(msg).includes('is believed'))
      const before = stage.dns.queries.length
      assert.match((await stage.swaks(CLIENT.clean)).last, /^250 /)
      assert.match(await one(stage), /^X-Warning: 192\.0\.2\.7 is in a black list at new\.example\r$/m)
      assert.equal(stage.dns.queries.length, before)
    } finally {
      await stage.reload(policy, { dns: { servers: [`127.0.0.1:${stage.dns.port}`], timeout: '2s', tries: 1 } })
      await other.stop()
    }
  })

  test('one that is wrong is told of, and the old policy stays', async () => {
    stage.hangUp({ ...policy, prest: 'strict' })
    await stage.gateway.logged('the refusal', ({ msg }) => msg === 'the new configuration is wrong; the old one stays')
    const line = stage.gateway.log().find(({ msg }) => msg === 'error in the new configuration')
    assert.match(String(line?.['cause']), /policy\.prest.*preset/s)
    assert.match((await stage.swaks(CLIENT.listed)).last, /^250 /)
  })
})
