/**
 * Whom users write to: a login and a message on the submission listener, then
 * mail back, with and without proof of who has written it.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CaptureSink } from '../support/capture-sink.ts'
import { makeCertificate, type Certificate } from '../support/peers/certificate.ts'
import { doveadmPassword } from '../support/peers/doveadm.ts'
import { missing } from '../support/peers/programs.ts'
import { lastReply, swaks } from '../support/peers/submitters.ts'
import type { Mail, Stage } from '../support/policy-stage.ts'
import { CLIENT, ZONE } from '../support/policy-zone.ts'
import { temporaryDirectory, until } from '../support/process.ts'
import { writeKey } from '../support/signature-check.ts'
import { postern, sendAndTake, startSpamStage, untilEachWorker, type SpamStatus } from '../support/spam-stage.ts'

const PASSWORD = 'hush'
const FAR = '192.0.2.70'
const letter = (from: string, subject: string): string => [`From: ${from}`, 'To: somebody', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', `Message-ID: <${subject.replaceAll(' ', '.')}@far.example>`, `Subject: ${subject}`, '', 'One line.', ''].join('\r\n')
const isKnown = ({ tests }: SpamStatus): boolean => tests.includes('KNOWN_CORRESPONDENT')

describe('correspondents', { skip: missing('swaks', 'openssl', 'doveadm') }, () => {
  let stage: Stage
  let sink: CaptureSink
  let certificate: Certificate
  const running: { stop(): Promise<void> }[] = []
  const directory = temporaryDirectory('correspondents')
  const key = writeKey(join(directory, 'far.pem'))

  before(async () => {
    const users = join(directory, 'users')
    writeFileSync(users, `anna:${await doveadmPassword('SHA512-CRYPT', PASSWORD)}\n`)
    certificate = await makeCertificate()
    sink = await CaptureSink.start()
    running.push(sink)
    stage = await startSpamStage({
      zone: { ...ZONE, 'far.example': { TXT: [`v=spf1 ip4:${FAR} -all`], MX: [[10, 'mail.far.example']] }, 'mail.far.example': { A: [FAR] }, '70.2.0.192.in-addr.arpa': { PTR: ['mail.far.example'] }, 's1._domainkey.far.example': { TXT: [key.record] } },
      spam: { shipped_rules: false }, root: { domains: ['home.example'] },
      listeners: [{ name: 'submission', role: 'submission', users, tls: { cert: certificate.certFile, key: certificate.keyFile, mode: 'implicit' }, next: 'out' }],
      hops: { out: { smtp: sink.target } },
    })
    running.unshift(stage)
  })
  after(async () => {
    for (const one of running) await one.stop()
  })

  /** As bob's own server sends it: SPF passes. */
  const own = (subject: string, to = 'anna@home.example'): Mail => ({ from: 'bob@far.example', helo: 'mail.far.example', to, data: letter('Bob <bob@far.example>', subject) })
  /** As somebody else sends it. */
  const relayed = (data: string): Mail => ({ from: 'post@relay.example', helo: 'mail.relay.example', to: 'anna@home.example', data })

  const annaWrites = async (to: string, subject: string): Promise<void> => {
    const address = stage.gateway.address('submission')
    const outcome = await swaks({ port: 'port' in address ? address.port : 0, tls: 'implicit', authority: certificate.certFile, mechanism: 'PLAIN', user: 'anna', password: PASSWORD, from: 'anna@home.example', to: [to], message: letter('Anna <anna@home.example>', subject) })
    assert.match(lastReply(outcome), /^250 /, outcome.output)
    await sink.waitFor(1)
    assert.equal(sink.take().length, 1)
  }

  test('nobody is known before anna writes; she who asks to be left alone has not written to anybody', async () => {
    assert.equal(isKnown(await sendAndTake(stage, FAR, own('first'))), false)
    await annaWrites('news@far.example', 'Unsubscribe')
    await annaWrites('bob@far.example', 'How are you')
  })

  test('who answers her is known to all workers, and has credit', async () => {
    const found = await untilEachWorker(stage, FAR, { mail: own('an answer'), fits: isKnown })
    assert.equal(found.spam, false)
    // Decisions are written once a second.
    await until('the decision', async () => /-3 +KNOWN_CORRESPONDENT +a user has written to this author before/.test((await postern(stage.gateway, 'why', found.id)).output))
  })

  test('an aligned signature proves him where SPF does not; without it his name is worth nothing', async () => {
    const file = join(directory, 'letter')
    writeFileSync(file, letter('Bob <bob@far.example>', 'by another way'))
    const signed = await postern(stage.gateway, 'dkim', 'sign', file, '--domain', 'far.example', '--selector', 's1', '--key', join(directory, 'far.pem'))
    assert.equal(signed.code, 0, signed.output)
    assert.equal(isKnown(await sendAndTake(stage, CLIENT.relay, relayed(signed.output))), true)
    assert.equal(isKnown(await sendAndTake(stage, CLIENT.relay, relayed(letter('Bob <bob@far.example>', 'by another way')))), false)
    // A signature that does not hold.
    assert.equal(isKnown(await sendAndTake(stage, CLIENT.relay, relayed(signed.output.replace('One line.', 'Another line.')))), false)
  })

  test('to another user he is a stranger, alone and beside her; so is somebody else of his domain', async () => {
    assert.equal(isKnown(await sendAndTake(stage, FAR, own('to sam', 'sam@home.example'))), false)
    const both = await stage.swaks(FAR, { ...own('to both'), to: 'anna@home.example,sam@home.example' })
    assert.match(both.last, /^250 /, both.output)
    await Promise.all(['anna', 'sam'].map(async (user) => assert.doesNotMatch((await stage.mailbox(user).take(1))[0]?.toString('latin1') ?? '', /KNOWN_CORRESPONDENT/)))
    for (const other of ['eve', 'news']) assert.equal(isKnown(await sendAndTake(stage, FAR, { ...own(`of ${other}`), data: letter(`${other}@far.example`, `of ${other}`) })), false)
    assert.equal(isKnown(await sendAndTake(stage, FAR, own('once more'))), true)
  })
})
