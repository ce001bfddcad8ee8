/**
 * The DNS at its worst, end to end: late, cut, lying, refusing, going round in
 * circles, dying in the middle of a session, and dead from the start. Mail
 * flows within the policy's bound, and nobody is refused for good for what the
 * DNS did not tell.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Misbehaviour } from '../support/dns-server.ts'
import { missing } from '../support/peers/programs.ts'
import { LETTER, startStage, type Sent, type Stage } from '../support/policy-stage.ts'
import { byRow, letterOf, TABLE } from '../support/policy-table.ts'
import { CLIENT, ZONE } from '../support/policy-zone.ts'
import { toCrlf } from '../support/trace-fields.ts'
import { reverseName } from '../support/zone-map.ts'

/** Greylisting asks nobody to come back here, and no list has to be proved. */
const PLAIN = { greylist: { action: 'off' }, early_talker_wait: '0s' }

async function one(stage: Stage): Promise<string> {
  const [message, ...more] = await stage.mailbox().take(1, { detail: () => stage.gateway.output() })
  assert.equal(more.length, 0)
  return toCrlf(message!).toString('latin1')
}

describe('answers that are late, cut or false', { skip: missing('swaks') }, () => {
  let stage: Stage
  let clients = 100
  before(async () => {
    stage = await startStage({ zone: ZONE, policy: PLAIN, dns: { timeout: '1s', tries: 1 } })
  })
  after(() => stage.stop())

  /** A client that nobody has asked about yet: its address and the name of its PTR record. */
  function newClient(): { readonly address: string; readonly ptr: string; readonly name: string } {
    const address = `192.0.2.${++clients}`
    const name = `c${clients}.sender.example`
    const ptr = reverseName(address)
    stage.dns.set(ptr, { PTR: [name] })
    stage.dns.set(name, { A: [address] })
    return { address, ptr, name }
  }
  const from = 'anna@sender.example'
  const asked = (name: string): readonly string[] => stage.dns.queries.filter((query) => query.startsWith(`${name} `)).map((query) => query.slice(name.length + 1))

  test('late: the greeting waits for the answer, and the client is known by it', async () => {
    const { address, ptr } = newClient()
    stage.dns.misbehave(ptr, 'hold')
    const dialog = await stage.dialog(address)
    await stage.dns.asked(ptr)
    // Nobody is greeted before it is known who they are.
    assert.deepEqual(dialog.transcript.filter((line) => line.startsWith('S')), [])
    assert.equal(stage.dns.release(ptr), 1)
    await dialog.hello('mail.sender.example')
    assert.equal((await dialog.message({ from, to: 'alice@hop.example', data: Buffer.from(LETTER, 'latin1') })).status, 250)
    await dialog.quit()
    assert.match(await one(stage), /iprev=pass/)
  })

  test('cut: it is asked for by TCP', async () => {
    const { address, ptr, name } = newClient()
    stage.dns.misbehave(ptr, 'truncate')
    stage.dns.misbehave(name, 'truncate')
    assert.match((await stage.swaks(address)).last, /^250 /)
    assert.deepEqual(asked(ptr), ['PTR udp', 'PTR tcp'])
    assert.match(await one(stage), new RegExp(`iprev=pass \\(${name}\\)`))
  })

  test('lies before the truth change nothing', async () => {
    const { address, ptr, name } = newClient()
    for (const what of [ptr, name]) stage.dns.misbehave(what, 'lies, then the truth')
    assert.match((await stage.swaks(address)).last, /^250 /)
    assert.match(await one(stage), /iprev=pass/)
    const { address: nameless, ptr: none } = newClient()
    stage.dns.set(none, undefined)
    stage.dns.misbehave(none, 'lies, then the truth')
    assert.match((await stage.swaks(nameless)).last, /^550 5\.7\.25 /)
  })

  test('an alias in the reverse zone is followed', async () => {
    const { address, ptr, name } = newClient()
    stage.dns.set(ptr, { CNAME: 'host.delegated.example' })
    stage.dns.set('host.delegated.example', { PTR: [name] })
    assert.match((await stage.swaks(address)).last, /^250 /)
    assert.match(await one(stage), /iprev=pass/)
  })

  const FAULTS: readonly Misbehaviour[] = ['wrong id', 'wrong question', 'garbage', 'half', 'drop', 'truncate over TCP too', 'refused', 'servfail', 'formerr', 'notimp']
  test(`nothing but faults (${FAULTS.join(', ')}), for the address or for its name: 451 4.7.25`, async () => {
    const faulty = FAULTS.flatMap((how) => [newClient(), newClient()].map((client, i) => ({ ...client, how, where: i === 0 ? client.ptr : client.name })))
    for (const { how, where } of faulty) stage.dns.misbehave(where, how)
    const sent = await Promise.all(faulty.map(({ address }) => stage.swaks(address)))
    for (const [i, { last, output, id }] of sent.entries()) {
      assert.match(last, /^451 4\.7\.25 The name of your address 192\.0\.2\.\d+ could not be found out: the DNS did not answer; try again later \(\w{10}\)$/, `${faulty[i]?.how ?? ''}\n${output}`)
      const { record } = await stage.decision(id)
      assert.equal(record.checks.find(({ check }) => check === 'iprev')?.result, 'temperror')
    }
    assert.equal(stage.mailbox().count, 0)
  })

  test('names that go round in a circle: 451, and of other domains temperror', async () => {
    const { address, ptr } = newClient()
    stage.dns.set(ptr, { CNAME: 'ring.example' })
    stage.dns.set('ring.example', { CNAME: 'rang.example' })
    stage.dns.set('rang.example', { CNAME: 'ring.example' })
    assert.match((await stage.swaks(address)).last, /^451 4\.7\.25 /)
    const good = await stage.swaks(CLIENT.clean, { from: 'anna@ring.example' })
    assert.match(good.last, /^250 /, good.output)
    assert.match(await one(stage), /spf=temperror/)
  })

  test('a sender whose SPF cannot be found out: delivered with temperror and no warning, where the author\'s domain asks for nothing', async () => {
    stage.dns.set('dead.example', 'timeout')
    stage.dns.set('_dmarc.dead.example', { TXT: ['v=DMARC1; p=none'] })
    const sent = await stage.swaks(CLIENT.clean, { from: 'anna@dead.example', data: LETTER.replace('anna@sender.example', 'anna@dead.example') })
    assert.match(sent.last, /^250 /, sent.output)
    const message = await one(stage)
    assert.match(message, /spf=temperror [^;]*;\r\n dkim=none;\r\n dmarc=temperror/)
    assert.match(message, /^Received-SPF: temperror /m)
    assert.doesNotMatch(message, /^X-Warning/m)
  })

  test('an author whose policy cannot be found out: 451; one who asks for nothing: delivered', async () => {
    stage.dns.set('_dmarc.guild.example', 'servfail')
    const data = LETTER.replace('anna@sender.example', 'anna@guild.example')
    assert.match((await stage.swaks(CLIENT.clean, { data })).last, /^451 4\.7\.1 DMARC of guild\.example could not be found out: the DNS did not answer; try again later \(\w{10}\)$/)
    assert.equal(stage.mailbox().count, 0)
    stage.dns.set('_dmarc.league.example', { TXT: ['v=DMARC1; p=none'] })
    assert.match((await stage.swaks(CLIENT.clean, { data: LETTER.replace('anna@sender.example', 'anna@league.example') })).last, /^250 /)
    assert.match(await one(stage), /dmarc=fail \(p=none\)/)
  })
})

/** Again and again while it is 4xx, up to a deadline. */
async function patiently(send: () => Promise<Sent>): Promise<Sent> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const sent = await send()
    if (!sent.last.startsWith('4') || Date.now() > deadline) return sent
  }
}

describe('a resolver that dies in the middle of a session', { skip: missing('swaks') }, () => {
  test('what is known stays known, the rest is temperror, and mail flows; when it is back, so are the checks', async () => {
    const stage = await startStage({ zone: ZONE, policy: PLAIN, dns: { timeout: '1s', tries: 1 } })
    try {
      const dialog = await stage.dialog(CLIENT.clean)
      await dialog.hello('mail.sender.example')
      await stage.dns.die()
      const reply = await dialog.message({ from: 'service@bank.example', to: 'alice@hop.example', data: Buffer.from(LETTER.replace('anna@sender.example', 'service@bank.example'), 'latin1') })
      assert.equal(reply.status, 250, reply.text)
      assert.match(await one(stage), /iprev=pass[^;]*;\r\n spf=temperror[^;]*;\r\n dkim=none;\r\n dmarc=temperror/)
      await stage.dns.comeBack()
      // Another domain: that of the bank is remembered as silent for some seconds.
      stage.dns.set('_dmarc.guild.example', { TXT: ['v=DMARC1; p=reject'] })
      const judged = await patiently(() => stage.swaks(CLIENT.relay, { from: 'post@relay.example', data: LETTER.replace('anna@sender.example', 'service@guild.example') }))
      assert.match(judged.last, /^550 5\.7\.1 Mail from guild\.example/, judged.output)
      assert.match((await stage.swaks(CLIENT.noPtr)).last, /^550 5\.7\.25/)
      await dialog.quit()
    } finally {
      await stage.stop()
    }
  })
})

for (const preset of ['standard', 'strict'] as const) {
  for (const dead of ['nobody listens', 'nobody answers'] as const) {
    describe(`a resolver that is dead from the start (${dead}), ${preset}`, { skip: missing('swaks') }, () => {
      let stage: Stage
      before(async () => {
        stage = await startStage({ zone: ZONE, policy: { ...PLAIN, preset }, dns: { timeout: '500ms', tries: 1 }, deadDns: dead === 'nobody listens' })
        if (dead === 'nobody answers') stage.dns.misbehave('*', 'drop')
      })
      after(() => stage.stop())

      test('dns_down: accept: the whole table is delivered, with temperror for what was not found out', async () => {
        const sent = await Promise.all(TABLE.map((row) => stage.swaks(row.client, { from: row.from ?? 'anna@sender.example', data: letterOf(row) })))
        for (const { last, output } of sent) assert.match(last, /^250 /, output)
        const messages = byRow(stage.mailbox().read().map((message) => toCrlf(message).toString('latin1')))
        assert.equal(messages.size, TABLE.length)
        for (const message of messages.values()) {
          assert.match(message, /^Authentication-Results: gateway\.example;\r\n iprev=temperror policy\.iprev=[^;]*;\r\n spf=temperror/m)
          assert.match(message, /\r\n dmarc=temperror[ \r]/)
          assert.doesNotMatch(message, /^X-Warning|^X-Spam-Flag/m)
        }
        if (dead === 'nobody answers') {
          // Each session has waited for one question, and has asked no other.
          const questions = stage.dns.queries.filter((query) => !query.startsWith('localhost '))
          assert.deepEqual(questions.sort(), TABLE.map(({ client }) => `${reverseName(client)} PTR udp`).filter((query, i, all) => all.indexOf(query) === i).sort())
        }
      })

      test('dns_down: tempfail: everybody is asked to come back, and nobody refused for good', async () => {
        await stage.reload({ ...PLAIN, preset, dns_down: 'tempfail' })
        const sent = await Promise.all(TABLE.map((row) => stage.swaks(row.client, { from: row.from ?? 'anna@sender.example', data: letterOf(row) })))
        for (const { last, output, replies } of sent) {
          assert.match(last, /^451 4\.7\.25 /, output)
          assert.deepEqual(replies.filter((reply) => reply.startsWith('5')), [])
        }
        assert.equal(stage.mailbox().count, TABLE.length)
      })
    })
  }
}
