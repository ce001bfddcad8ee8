/**
 * What guessing passwords costs, over two workers and for clients of many
 * networks (PROXY headers tell where they are); a mail server that submits and
 * has the wrong password keeps its queue; who may send as whom, out of a file
 * that changes.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { workersOf, type LogLine } from '../support/gateway.ts'
import { doveadmPassword } from '../support/peers/doveadm.ts'
import { startPostfix } from '../support/peers/postfix.ts'
import { missing } from '../support/peers/programs.ts'
import { curl, msmtp, swaks, type Submission } from '../support/peers/submitters.ts'
import { temporaryDirectory, until } from '../support/process.ts'
import { SELECTOR, LETTER, letterFrom, startSubmission, type SubmissionStage } from '../support/submission-stage.ts'
import { Dialog } from '../support/smtp-dialog.ts'

const PASSWORD = 'tr0ub4dor & 3'
const needs = missing('openssl', 'doveadm', 'msmtp', 'swaks', 'curl', 'opendkim', 'dkimsign')

let stage: SubmissionStage

function by(user: string): Partial<Submission> {
  const address = user.includes('@') ? user : `${user}@home.example`
  return { mechanism: 'PLAIN', user, password: PASSWORD, from: address, message: letterFrom(address) }
}

async function isSent(how: Partial<Submission> & { readonly listener?: string }, submit = swaks): Promise<void> {
  const { outcome } = await stage.submit(submit, how)
  assert.equal(outcome.code, 0, `${outcome.output}\n${stage.gateway.output()}`)
  await stage.arrived()
}

async function isRefused(how: Partial<Submission> & { readonly listener?: string }, expected: RegExp, submit = swaks): Promise<void> {
  const { outcome, reply } = await stage.submit(submit, how)
  assert.match(reply, expected, `${outcome.output}\n${stage.gateway.output()}`)
  assert.notEqual(outcome.code, 0)
  assert.equal(stage.sink.messages.length, 0)
}

/** One login by a client at this address, and the status of its reply. */
async function logIn(address: string, user: string, password: string): Promise<number> {
  const dialog = await Dialog.open({ port: stage.port() })
  try {
    await dialog.send(`PROXY TCP4 ${address} 198.51.100.1 4711 465\r\n`)
    await dialog.secure()
    await dialog.hello()
    return (await dialog.command(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`)).status
  } finally {
    dialog.close()
  }
}

describe('guessing', { skip: needs }, () => {
  before(async () => {
    const hash = await doveadmPassword('SHA256-CRYPT', PASSWORD)
    stage = await startSubmission({
      users: { anna: hash, sam: hash, carl: hash },
      root: { workers: 2 },
      // Three of an address, six of an account, fifteen of a network.
      listeners: [{ name: 'submissions', mode: 'implicit', trust: { proxy: ['127.0.0.1'] }, auth: { failures: 3, lockout: '1h' } }],
    })
    assert.equal(workersOf(stage.gateway.pid).length, 2)
  })
  after(() => stage.stop())
  beforeEach(() => void stage.sink.take())

  /** Does it again, some at once, until both workers have written such a line. */
  async function atBothWorkers(what: string, { attempt, line }: { readonly attempt: () => Promise<number>; readonly line: (line: LogLine) => boolean }): Promise<void> {
    const workers = (): number => new Set(stage.gateway.log().filter(line).map(({ pid }) => pid)).size
    await until(`${what} at both workers`, async () => {
      await Promise.all(Array.from({ length: 4 }, attempt))
      return workers() >= 2
    }, { detail: () => stage.gateway.output() })
  }

  test('an address that has guessed too often is not listened to, whatever it says, whoever it asks; others are', async () => {
    const guesser = '192.0.2.66'
    for (let i = 0; i < 3; i++) await isRefused({ ...by('sam'), password: `guess ${i}`, address: guesser }, /^(?:535 5\.7\.8|454 4\.7\.0) /)
    await atBothWorkers('the lock', {
      attempt: () => logIn(guesser, 'nobody', 'a guess'),
      line: ({ msg, client, cause }) => msg === 'login refused' && client === guesser && cause === 'locked: address',
    })
    for (const user of ['sam', 'carl']) await isRefused({ ...by(user), address: guesser }, /^454 4\.7\.0 Too many failed logins, try again later/)
    await stage.gateway.logged('the warning', ({ level, msg, client }) => level === 'warn' && client === guesser && /locked for a while/.test(String(msg)))
    await isSent({ ...by('sam'), address: '198.51.100.20' })
    assert.doesNotMatch(stage.gateway.output(), /guess \d|tr0ub/, 'no password, right or wrong, is in the log')
  })

  test('an account that is guessed at from everywhere is locked for strangers, and open where its owner has been', async () => {
    const home = '198.51.100.7'
    // The owner gives the whole address, which is the same account as the bare name.
    await atBothWorkers('the owner', { attempt: () => logIn(home, 'anna@home.example', PASSWORD), line: ({ msg, client, account }) => msg === 'login' && client === home && account === 'anna' })
    let network = 0
    const guess = (): Promise<number> => logIn(`203.0.${++network}.9`, network % 2 === 0 ? 'anna' : 'Anna@home.example', 'a guess')
    while (network < 6) assert.ok([535, 454].includes(await guess()))
    await atBothWorkers('the lock', { attempt: guess, line: ({ msg, cause }) => msg === 'login refused' && cause === 'locked: account' })
    await isRefused({ ...by('anna'), address: '203.0.113.50' }, /^454 4\.7\.0 /)
    await isRefused({ ...by('anna'), user: 'anna@home.example', address: '203.0.113.50' }, /^454 4\.7\.0 /)
    await isSent({ ...by('anna'), user: 'anna@home.example', address: home })
    await isSent({ ...by('anna'), address: '198.51.100.99' })
    await isSent({ ...by('carl'), address: '203.0.113.50' })
  })
})

describe('a lock-out', { skip: needs }, () => {
  test('is over after its time, though what led to it is remembered for longer', async () => {
    stage = await startSubmission({
      users: { anna: await doveadmPassword('SHA256-CRYPT', PASSWORD) },
      listeners: [{ name: 'submissions', mode: 'implicit', trust: { proxy: ['127.0.0.1'] }, auth: { failures: 2, lockout: '3s' } }],
    })
    try {
      const address = '192.0.2.8'
      for (let i = 0; i < 2; i++) assert.equal(await logIn(address, 'anna', 'a guess'), 535)
      assert.equal(await logIn(address, 'anna', PASSWORD), 454)
      await until('the lock is over', async () => (await logIn(address, 'anna', PASSWORD)) === 235, { detail: () => stage.gateway.output() })
      await isSent({ ...by('anna'), address })
    } finally {
      await stage.stop()
    }
  })
})

describe('a mail server that submits', { skip: needs === false ? missing('postfix') : needs }, () => {
  test('with the wrong password it keeps what it has, and sends it once the password is right', async () => {
    const senders = written('senders', '@home.example relay\n')
    stage = await startSubmission({ users: { relay: await doveadmPassword('SCRAM-SHA-256', PASSWORD) }, listeners: [{ name: 'submission', mode: 'required', senders }] })
    const passwords = join(stage.directory, 'sasl')
    const target = `[127.0.0.1]:${stage.port()}`
    writeFileSync(passwords, `${target} relay:wrong\n`)
    const postfix = await startPostfix({
      relayTo: stage.port(),
      main: ['smtp_sasl_auth_enable = yes', `smtp_sasl_password_maps = texthash:${passwords}`, 'smtp_sasl_security_options = noanonymous', 'smtp_tls_security_level = secure', `smtp_tls_CAfile = ${stage.certificate.certFile}`, 'smtp_tls_secure_cert_match = localhost'],
    })
    try {
      const dialog = await Dialog.open(postfix.address)
      await dialog.hello()
      const taken = await dialog.message({ from: 'anna@home.example', to: 'alice@hop.example', data: Buffer.from(LETTER, 'latin1') })
      assert.equal(taken.status, 250, taken.text)
      await dialog.quit()
      await until('Postfix has put it off', () => /status=deferred \(SASL authentication failed;[^\n]*535 5\.7\.8/.test(postfix.log()), { detail: () => postfix.log() + stage.gateway.output() })
      assert.equal(stage.sink.messages.length, 0)
      await postfix.stop()
      writeFileSync(passwords, `${target} relay:${PASSWORD}\n`)
      await postfix.restart()
      const message = await stage.arrived()
      assert.ok(message.data.toString('latin1').endsWith(LETTER))
      await stage.signatures.passes(message.data, [SELECTOR])
      assert.match(postfix.log(), /status=sent \(250 /)
    } finally {
      await postfix.stop()
      await stage.stop()
    }
  })
})

describe('a file of senders', { skip: needs }, () => {
  let senders: string
  before(async () => {
    const hash = await doveadmPassword('SHA256-CRYPT', PASSWORD)
    senders = written('senders', ['# as Postfix has it', 'info@home.example anna, bob@home.example', 'bob@home.example bob@home.example', '@other.example anna', ''].join('\n'))
    stage = await startSubmission({ users: { anna: hash, 'bob@home.example': hash, sam: hash }, listeners: [{ name: 'submissions', mode: 'implicit', senders }] })
  })
  after(() => stage.stop())
  beforeEach(() => void stage.sink.take())

  const as = (user: string, address: string): Partial<Submission> => ({ ...by(user), from: address, message: letterFrom(address) })

  test('it says who may be whom, in the reverse-path and in From', async () => {
    for (const [user, address] of [['anna', 'info@home.example'], ['bob@home.example', 'info+x@home.example'], ['anna', 'anyone@other.example'], ['anna', 'anna@home.example'], ['sam', 'sam@home.example']] as const) {
      await isSent(as(user, address), curl)
    }
    for (const [user, address] of [['sam', 'info@home.example'], ['bob@home.example', 'anyone@other.example'], ['anna', 'bob@home.example'], ['anna', 'nobody@home.example'], ['anna', 'anna@third.example']] as const) {
      await isRefused(as(user, address), /^553 5\.7\.1 /, msmtp)
      await isRefused({ ...by(user), from: user.includes('@') ? user : `${user}@home.example`, message: letterFrom(address) }, /^550 5\.7\.1 /, curl)
    }
  })

  test('it signs for a domain of somebody else\'s only where it has a key for it, and whoever sends may use it', async () => {
    const sent = await stage.submit(curl, as('anna', 'anyone@other.example'))
    assert.equal(sent.outcome.code, 0)
    const message = await stage.arrived()
    await stage.signatures.passes(message.data, [])
    assert.match(message.data.toString('latin1'), /^Received: /)
  })

  test('a change counts without a signal; a broken one does not', async () => {
    await isRefused(as('sam', 'sales@home.example'), /^553 /, curl)
    writeFileSync(senders, 'sales@home.example sam\n')
    await until('the new line counts', async () => (await stage.submit(curl, as('sam', 'sales@home.example'))).outcome.code === 0, { detail: () => stage.gateway.output() })
    await stage.arrived()
    await isRefused(as('anna', 'anyone@other.example'), /^553 /, curl)
    writeFileSync(senders, 'sales@home.example\n')
    await stage.gateway.logged('the complaint', ({ level, msg }) => level === 'error' && String(msg).includes(`${senders}:1`))
    await isSent(as('sam', 'sales@home.example'), curl)
  })
})

function written(name: string, text: string): string {
  const file = join(temporaryDirectory('senders'), name)
  writeFileSync(file, text)
  return file
}
