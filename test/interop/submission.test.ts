/**
 * Users submit mail with the programs they have (RFC 6409): msmtp, swaks, curl,
 * Python's smtplib, with every mechanism that program and user can do, on 465
 * and on 587. What arrives is compared byte for byte under what we put on top,
 * and its signature is checked by other people's verifiers.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { CapturedMessage } from '../support/capture-sink.ts'
import { doveadmPassword } from '../support/peers/doveadm.ts'
import { missing } from '../support/peers/programs.ts'
import { curl, gsasl, msmtp, smtplib, swaks, type Submitter } from '../support/peers/submitters.ts'
import { run, type Outcome } from '../support/process.ts'
import { tag } from '../support/signature-check.ts'
import { Dialog } from '../support/smtp-dialog.ts'
import { LETTER, SELECTOR, letterFrom, startSubmission, type Sent, type SubmissionStage } from '../support/submission-stage.ts'
import { takeReceived, takeTop } from '../support/trace-fields.ts'

const PASSWORD = 'correct horse'
const MECHANISMS = ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN']
/** who logs in by which mechanism, as their secrets allow */
const USERS = { PLAIN: 'anna', LOGIN: 'bob@home.example', 'SCRAM-SHA-256': 'sam', 'CRAM-MD5': 'carl' } as const
type Mechanism = keyof typeof USERS
const PROGRAMS: Readonly<Record<string, { readonly submit: Submitter; readonly mechanisms: readonly Mechanism[] }>> = {
  msmtp: { submit: msmtp, mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256'] },
  swaks: { submit: swaks, mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'] },
  curl: { submit: curl, mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256'] },
  smtplib: { submit: smtplib, mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'] },
}

let stage: SubmissionStage

const anna = { mechanism: 'PLAIN', user: 'anna', password: PASSWORD } as const

function addressOf(user: string): string {
  return user.includes('@') ? user : `${user}@home.example`
}

function isSent({ outcome }: Sent): void {
  assert.equal(outcome.code, 0, outcome.output)
}

/** It was refused in these words, the program says so to whoever called it, and nothing has gone on. */
function isRefused({ outcome, reply }: Sent, expected: RegExp): void {
  assert.match(reply, expected, outcome.output)
  assert.notEqual(outcome.code, 0, outcome.output)
  assert.equal(stage.sink.messages.length, 0, 'nothing went on')
}

/** Takes our fields off the top: signatures, then Received. */
function taken(message: CapturedMessage): { readonly signatures: readonly string[]; readonly received: string; readonly rest: Buffer } {
  const signatures: string[] = []
  let { data } = message
  for (let top = takeTop(data); top !== null && /^DKIM-Signature:/.test(top.field); top = takeTop(data)) {
    signatures.push(top.field)
    data = top.rest
  }
  const { field, rest } = takeReceived(data)
  return { signatures, received: field, rest }
}

async function scramInCurl(): Promise<boolean> {
  return /^Features:.*\bgsasl\b/m.test((await run(['curl', '--version'])).output)
}

describe('submission', { skip: missing('openssl', 'doveadm', 'msmtp', 'swaks', 'curl', 'python3', 'opendkim', 'dkimsign') }, () => {
  before(async () => {
    const [PLAIN, LOGIN, SCRAM, CRAM] = await Promise.all(['SHA512-CRYPT', 'BLF-CRYPT', 'SCRAM-SHA-256', 'CRAM-MD5'].map((scheme) => doveadmPassword(scheme, PASSWORD)))
    const auth = { mechanisms: MECHANISMS }
    stage = await startSubmission({
      // Messages are counted by user, whatever the listener: whoever is to reach a limit does nothing else.
      users: { many: PLAIN!, few: PLAIN!, wide: PLAIN!, [USERS.PLAIN]: PLAIN!, [USERS.LOGIN]: LOGIN!, [USERS['SCRAM-SHA-256']]: SCRAM!, [USERS['CRAM-MD5']]: CRAM! },
      listeners: [
        { name: 'submissions', mode: 'implicit', auth },
        { name: 'submission', mode: 'required', auth },
        { name: 'usual', mode: 'required' },
        { name: 'bound', mode: 'required', auth: { mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] } },
        { name: 'lenient', mode: 'starttls', auth },
        { name: 'proxied', mode: 'implicit', trust: { proxy: ['127.0.0.1'] } },
        { name: 'hidden', mode: 'implicit', trust: { proxy: ['127.0.0.1'] }, hide_client: true },
        { name: 'counted', mode: 'implicit', rate: { messages: '2/1h', recipients: '100/1h' } },
        { name: 'recipients', mode: 'implicit', rate: { messages: '100/1h', recipients: '3/1h' } },
        { name: 'unsuffixed', mode: 'implicit', suffix: '' },
      ],
    })
  })
  after(() => stage.stop())
  beforeEach(() => void stage.sink.take())

  for (const [listener, words] of [['submissions', 'TLS from the first byte'], ['submission', 'STARTTLS']] as const) {
    for (const [name, { submit, mechanisms }] of Object.entries(PROGRAMS)) {
      for (const mechanism of mechanisms) {
        test(`${name}: ${mechanism}, ${words}`, async (context) => {
          if (name === 'curl' && mechanism === 'SCRAM-SHA-256' && !(await scramInCurl())) {
            context.diagnostic('this curl was built without GNU SASL: it must not take something weaker in its place')
            const sent = await stage.submit(submit, { listener, mechanism, user: USERS[mechanism], password: PASSWORD, from: addressOf(USERS[mechanism]) })
            assert.notEqual(sent.outcome.code, 0, sent.outcome.output)
            assert.equal(stage.sink.messages.length, 0)
            return
          }
          const user = USERS[mechanism]
          const from = addressOf(user)
          const letter = letterFrom(from)
          const sent = await stage.submit(submit, { listener, mechanism, user, password: PASSWORD, from, to: ['alice@hop.example', 'far@elsewhere.example'], message: letter })
          isSent(sent)
          const message = await stage.arrived()
          assert.match(message.mail, new RegExp(`^<${from}>`))
          assert.deepEqual(message.rcpts.map((path) => /<(.*?)>/.exec(path)?.[1]), ['alice@hop.example', 'far@elsewhere.example'])
          const { received, rest } = taken(message)
          assert.match(received, /^Received: from laptop\.example \(\[127\.0\.0\.1\]\)[^]* with ESMTPSA id \w+/)
          assert.equal(rest.toString('latin1'), letter)
          await stage.signatures.passes(message.data, [SELECTOR])
          await stage.gateway.logged('the login', (line) => line['msg'] === 'login' && line['mechanism'] === mechanism && line['listener'] === listener)
        })
      }
    }
  }

  describe('bound to the TLS connection', { skip: missing('gsasl') }, () => {
    const login = (password: string, how: { readonly mechanism?: string; readonly options?: readonly string[] }): Promise<Outcome> =>
      gsasl({ port: stage.port('bound'), authority: stage.certificate.certFile, user: 'sam', password, ...how }, how.options)

    test('GNU SASL takes SCRAM-SHA-256-PLUS under TLS 1.3 by itself, and each side has proved itself', async () => {
      const { code, output } = await login(PASSWORD, {})
      assert.equal(code, 0, output)
      assert.match(output, /^AUTH SCRAM-SHA-256-PLUS\r?$[^]*^235 2\.7\.0 [^]*server trusted/m)
      assert.match((await login('wrong', {})).output, /^535 5\.7\.8 /m)
      assert.match((await login(PASSWORD, { mechanism: 'SCRAM-SHA-256', options: ['--no-cb'] })).output, /^235 2\.7\.0 [^]*server trusted/m)
    })

    test('under TLS 1.2, where it could only bind to tls-unique, -PLUS is not offered and SCRAM-SHA-256 goes', async () => {
      // Its SCRAM-SHA-256 goes nowhere while it has a binding in its hands.
      const { code, output } = await login(PASSWORD, { options: ['--no-cb', '--priority', 'NORMAL:-VERS-TLS1.3'] })
      assert.match(output, /\(TLS1\.2\)/)
      assert.match(output, /^250[ -]AUTH SCRAM-SHA-256\r?$/m, output)
      assert.match(output, /^AUTH SCRAM-SHA-256\r?$[^]*^235 2\.7\.0 [^]*server trusted/m)
      assert.equal(code, 0)
    })
  })

  test('smtplib left to itself, and msmtp, take what is offered: by default what every user can do', async () => {
    isSent(await stage.submit(smtplib, { ...anna, mechanism: 'ANY', listener: 'usual' }))
    await stage.arrived()
    isSent(await stage.submit(msmtp, { ...anna, mechanism: 'ON', listener: 'usual' }))
    await stage.arrived()
    const dialog = await Dialog.open({ port: stage.port('usual') })
    await dialog.hello()
    await dialog.startTls()
    assert.deepEqual((await dialog.command('EHLO laptop.example', 250)).lines.filter((line) => line.startsWith('AUTH')), ['AUTH PLAIN LOGIN'])
    await dialog.quit()
  })

  describe('without TLS', () => {
    const plain = `AUTH PLAIN ${Buffer.from(`\0anna\0${PASSWORD}`).toString('base64')}`

    for (const [listener, refusal] of [['submission', /^530 5\.7\.0 Issue STARTTLS first/], ['lenient', /^538 5\.7\.11 /]] as const) {
      test(`nothing is offered, nothing is taken: ${listener}`, async () => {
        const dialog = await Dialog.open({ port: stage.port(listener) })
        const { lines } = await dialog.hello()
        assert.ok(lines.includes('STARTTLS'))
        assert.deepEqual(lines.filter((line) => line.startsWith('AUTH')), [])
        for (const line of [plain, 'AUTH LOGIN', 'AUTH CRAM-MD5', 'AUTH SCRAM-SHA-256']) assert.match((await dialog.command(line)).text, refusal)
        assert.match((await dialog.command('MAIL FROM:<anna@home.example>')).text, /^530 5\.7\.0 Issue STARTTLS first/)
        // What was said in clear does not count behind TLS.
        await dialog.startTls()
        await dialog.command('EHLO laptop.example', 250)
        assert.match((await dialog.command('MAIL FROM:<anna@home.example>')).text, /^530 5\.7\.0 Authentication required/)
        await dialog.command(plain, 235)
        await dialog.command('MAIL FROM:<anna@home.example>', 250)
        await dialog.quit()
      })
    }

    for (const [name, { submit }] of Object.entries(PROGRAMS)) {
      test(`${name} sends nothing`, async () => {
        const sent = await stage.submit(submit, { listener: 'submission', tls: 'off', ...anna })
        assert.notEqual(sent.outcome.code, 0, sent.outcome.output)
        assert.doesNotMatch(sent.outcome.output, /235 /)
        assert.equal(stage.sink.messages.length, 0)
      })
    }
  })

  test('without a login: 530 at MAIL', async () => {
    for (const submit of [msmtp, swaks, curl, smtplib]) isRefused(await stage.submit(submit), /^530 5\.7\.0 Authentication required/)
  })

  test('a wrong password, and a user whom nobody knows: 535, and the mail stays where it was', async () => {
    for (const [mechanism, submit] of [['PLAIN', msmtp], ['LOGIN', swaks], ['SCRAM-SHA-256', msmtp], ['CRAM-MD5', smtplib]] as const) {
      const user = USERS[mechanism]
      isRefused(await stage.submit(submit, { mechanism, user, password: 'wrong', from: addressOf(user) }), /^535 5\.7\.8 /)
    }
    isRefused(await stage.submit(curl, { ...anna, password: 'wrong' }), /^535 5\.7\.8 /)
    isRefused(await stage.submit(msmtp, { ...anna, user: 'nobody' }), /^535 5\.7\.8 Authentication failed: wrong user name or password$/)
    assert.doesNotMatch(stage.gateway.output(), new RegExp(PASSWORD), 'no password is in the log')
  })

  describe('as somebody else', () => {
    test('in the reverse-path: 553, with every program', async () => {
      for (const submit of [msmtp, swaks, curl, smtplib]) isRefused(await stage.submit(submit, { ...anna, from: 'sam@home.example' }), /^553 5\.7\.1 anna may not send as <sam@home\.example>/)
    })

    test('in From, alone or beside oneself: 550', async () => {
      isRefused(await stage.submit(msmtp, { ...anna, message: letterFrom('sam@home.example') }), /^550 5\.7\.1 anna may not write in From: sam@home\.example/)
      isRefused(await stage.submit(curl, { ...anna, message: letterFrom('anna@home.example, Boss <boss@elsewhere.example>') }), /^550 5\.7\.1 /)
      isRefused(await stage.submit(swaks, { ...anna, message: `From: sam@home.example\r\n${LETTER}` }), /^550 5\./)
      isRefused(await stage.submit(smtplib, { ...anna, message: LETTER.replace(/^From:[^\n]*\n/, '') }), /^550 5\.6\.0 /)
    })

    test('as oneself with a suffix, in any case, and with the null reverse-path', async () => {
      isSent(await stage.submit(msmtp, { ...anna, from: 'anna+shop@home.example', message: letterFrom('ANNA+Shop@Home.Example') }))
      await stage.signatures.passes((await stage.arrived()).data, [SELECTOR])
      isSent(await stage.submit(swaks, { ...anna, from: '' }))
      assert.match((await stage.arrived()).mail, /^<>/)
      isRefused(await stage.submit(msmtp, { ...anna, listener: 'unsuffixed', from: 'anna+shop@home.example' }), /^553 5\.7\.1 /)
    })

    test('a user with a whole address is that address, and no other', async () => {
      const bob = { ...anna, user: 'bob@home.example' }
      isSent(await stage.submit(curl, { ...bob, from: 'bob@home.example', message: letterFrom('bob@home.example') }))
      await stage.arrived()
      isRefused(await stage.submit(curl, { ...bob, from: 'bob@elsewhere.example' }), /^553 5\.7\.1 /)
    })
  })

  test('what a message lacks is added, and signed', async () => {
    const bare = LETTER.replace(/^(?:Date|Message-ID):[^\n]*\n/gm, '')
    isSent(await stage.submit(curl, { ...anna, message: bare }))
    const message = await stage.arrived()
    const { signatures, rest } = taken(message)
    const text = rest.toString('latin1')
    assert.match(text, /^(?=[^]*?^Date: \w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\n)(?=[^]*?^Message-ID: <[^>\s]+@gateway\.example>\r\n)/m)
    assert.ok(text.endsWith(bare))
    assert.equal(text.length - bare.length, /^(?:(?:Date|Message-ID):[^\n]*\n)+/.exec(text)?.[0].length, 'nothing else')
    const covered = tag(signatures[0] ?? '', 'h').toLowerCase().split(':')
    for (const name of ['from', 'date', 'message-id']) assert.ok(covered.includes(name), `${name} in ${covered.join(':')}`)
    await stage.signatures.passes(message.data, [SELECTOR])
    await stage.signatures.fails(Buffer.from(message.data.toString('latin1').replace(/^Date: \w{3}/m, 'Date: Xxx'), 'latin1'))
    await stage.signatures.fails(Buffer.from(message.data.toString('latin1').replace(/^Message-ID: </m, '$&x'), 'latin1'))
  })

  test('hide_client: Received tells neither the address nor the name of the client', async () => {
    const address = '192.0.2.77'
    isSent(await stage.submit(swaks, { ...anna, listener: 'proxied', address }))
    assert.match(taken(await stage.arrived()).received, /from laptop\.example \(\[192\.0\.2\.77\]\)/)
    isSent(await stage.submit(swaks, { ...anna, listener: 'hidden', address }))
    const message = await stage.arrived()
    const whole = message.data.toString('latin1')
    assert.doesNotMatch(whole.slice(0, whole.indexOf('\r\n\r\n')).replace(/^Message-ID:.*$/m, ''), /192\.0\.2\.77|laptop/)
    assert.match(taken(message).received, /by gateway\.example with ESMTPSA id \w+/)
    await stage.signatures.passes(message.data, [SELECTOR])
    assert.equal((await stage.gateway.logged('its message', (line) => line['msg'] === 'message' && line['listener'] === 'hidden'))['client'], address, 'the log knows it')
  })

  describe('more than the limit', () => {
    const alarms = (login: string): number => stage.gateway.log().filter((line) => line['level'] === 'error' && line['login'] === login).length

    const as = (user: string): { readonly mechanism: string; readonly user: string; readonly password: string; readonly from: string; readonly message: string } => ({ ...anna, user, from: addressOf(user), message: letterFrom(addressOf(user)) })

    test('messages: 450, one line of alarm, and others send on', async () => {
      for (let i = 0; i < 2; i++) {
        isSent(await stage.submit(msmtp, { ...as('many'), listener: 'counted' }))
        await stage.arrived()
      }
      for (const submit of [msmtp, swaks, curl]) isRefused(await stage.submit(submit, { ...as('many'), listener: 'counted' }), /^450 4\.7\.1 Too many messages: at most 2 in 1h, try again later/)
      assert.equal(alarms('many'), 1)
      const alarm = await stage.gateway.logged('the alarm', (line) => line['level'] === 'error' && line['login'] === 'many')
      assert.match(String(alarm['msg']), /password may be stolen/)
      isSent(await stage.submit(msmtp, { ...as('few'), listener: 'counted' }))
      await stage.arrived()
    })

    test('recipients: 450 for those above it', async () => {
      const to = ['a', 'b', 'c', 'd'].map((name) => `${name}@elsewhere.example`)
      const sent = await stage.submit(smtplib, { ...as('wide'), listener: 'recipients', to })
      assert.match(sent.reply, /^450 4\.7\.1 Too many recipients: at most 3 in 1h/)
      assert.equal((await stage.arrived()).rcpts.length, 3)
      assert.equal(alarms('wide'), 1)
    })
  })
})
