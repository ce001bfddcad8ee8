/**
 * Where users who submit mail come from, with the real programs: a users file
 * that Dovecot reads too, which changes and breaks while we run; Dovecot's auth
 * service behind it; client certificates in place of a password and beside it.
 */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { WRITTEN_SCHEMES } from '../../src/submission/written-schemes.ts'
import { makeAuthority, selfSigned, type Authority, type ClientCertificateFiles } from '../support/peers/client-certificates.ts'
import { doveadmAccepts, doveadmPassword } from '../support/peers/doveadm.ts'
import { startDovecotAuth, type DovecotAuth } from '../support/peers/dovecot-auth.ts'
import { missing } from '../support/peers/programs.ts'
import { curl, msmtp, smtplib, swaks, type Submission } from '../support/peers/submitters.ts'
import { run, until } from '../support/process.ts'
import { reload } from '../support/signing-stage.ts'
import { letterFrom, startSubmission, writeUsers, type Sent, type SubmissionStage } from '../support/submission-stage.ts'

const MAIN = process.env['POSTERN_MAIN'] ?? join(import.meta.dirname, '../../src/main.ts')
const PASSWORD = 'battery staple'
const needs = missing('openssl', 'doveadm', 'dovecot', 'msmtp', 'swaks', 'curl', 'python3', 'opendkim', 'dkimsign')

let stage: SubmissionStage

/** Everything that a submission by this user has. */
function by(user: string, password: string | undefined = PASSWORD): Partial<Submission> {
  const address = user.includes('@') ? user : `${user}@home.example`
  return { mechanism: 'PLAIN', user, password, from: address, message: letterFrom(address) }
}

async function isSent({ outcome }: Sent): Promise<void> {
  assert.equal(outcome.code, 0, `${outcome.output}\n${stage.gateway.output()}`)
  await stage.arrived()
}

function isRefused({ outcome, reply }: Sent, expected: RegExp): void {
  assert.match(reply, expected, `${outcome.output}\n${stage.gateway.output()}`)
  assert.notEqual(outcome.code, 0)
  assert.equal(stage.sink.messages.length, 0)
}

describe('a users file that Dovecot reads too', { skip: needs }, () => {
  const SCHEMES = ['ARGON2ID', 'ARGON2I', 'BLF-CRYPT', 'SHA512-CRYPT', 'SHA256-CRYPT', 'SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN']
  const userOf = (scheme: string): string => `u-${scheme.toLowerCase()}`
  let dovecot: DovecotAuth
  let first: string

  before(async () => {
    const lines = await Promise.all(SCHEMES.map(async (scheme) => `${userOf(scheme)}:${await doveadmPassword(scheme, PASSWORD)}:65534:65534::/nonexistent::\n`))
    first = lines.join('')
    dovecot = await startDovecotAuth(first)
    stage = await startSubmission({ listeners: [{ name: 'submissions', mode: 'implicit', users: dovecot.users }] })
  })
  after(async () => {
    await stage.stop()
    await dovecot.stop()
  })
  beforeEach(() => void stage.sink.take())

  for (const scheme of SCHEMES) {
    test(`{${scheme}} as doveadm writes it: whoever Dovecot lets in we let in, and nobody else`, async () => {
      const user = userOf(scheme)
      assert.equal(await doveadmAccepts(dovecot.socket, { user, password: PASSWORD }), true, dovecot.log())
      await isSent(await stage.submit(swaks, by(user)))
      assert.equal(await doveadmAccepts(dovecot.socket, { user, password: 'wrong' }), false)
      isRefused(await stage.submit(swaks, by(user, 'wrong')), /^535 5\.7\.8 /)
    })
  }

  test('a user who is added, and a password that is changed, count without a signal', async () => {
    isRefused(await stage.submit(curl, by('new')), /^535 /)
    appendFileSync(dovecot.users, `new:${await doveadmPassword('SHA512-CRYPT', PASSWORD)}\n`)
    await until('the new user logs in', async () => (await stage.submit(curl, by('new'))).outcome.code === 0, { detail: () => stage.gateway.output() })
    await stage.arrived()
    writeFileSync(dovecot.users, `${first}new:${await doveadmPassword('SHA512-CRYPT', 'another')}\n`)
    await until('the new password counts', async () => (await stage.submit(curl, by('new', 'another'))).outcome.code === 0, { detail: () => stage.gateway.output() })
    await stage.arrived()
    isRefused(await stage.submit(curl, by('new')), /^535 /)
  })

  test('a broken file: its line is in the log, the last good one counts; also after SIGHUP, until it is mended', async () => {
    const user = userOf('SHA512-CRYPT')
    const complaint = (line: Readonly<Record<string, unknown>>): boolean => line['level'] === 'error' && String(line['msg']).includes(`${dovecot.users}:${first.split('\n').length}`)
    const good = readFileSync(dovecot.users, 'utf8')
    writeFileSync(dovecot.users, `${first}no colon in this line\n`)
    await until('the complaint', async () => {
      await isSent(await stage.submit(curl, by(user)))
      return stage.gateway.log().some(complaint)
    }, { detail: () => stage.gateway.output() })
    await isSent(await stage.submit(curl, by(user)))
    await stage.reload((whole) => whole)
    await isSent(await stage.submit(curl, by('new', 'another')))
    writeFileSync(dovecot.users, `${good}late:${await doveadmPassword('SHA512-CRYPT', PASSWORD)}\n`)
    await stage.reload((whole) => whole)
    await isSent(await stage.submit(curl, by('late')))
  })

  test('`postern user` writes what Dovecot reads: added, changed and removed while both run', async () => {
    const postern = async (...words: readonly string[]): Promise<string> => {
      const [password = '', ...args] = words
      const { code, output } = await run([process.execPath, MAIN, 'user', ...args, '--config', join(stage.gateway.directory, 'postern.yaml')], { input: `${password}\n` })
      assert.equal(code, 0, output)
      return output
    }
    const schemes = WRITTEN_SCHEMES.filter((scheme) => scheme !== 'scrypt')
    for (const scheme of schemes) await postern(PASSWORD, 'add', `w-${scheme}`, '--scheme', scheme)
    await postern(PASSWORD, 'add', 'w-scrypt', '--scheme', 'scrypt')
    await until('the last of them logs in', async () => (await stage.submit(curl, by('w-scrypt'))).outcome.code === 0, { detail: () => stage.gateway.output() })
    await stage.arrived()
    for (const scheme of schemes) {
      await isSent(await stage.submit(curl, by(`w-${scheme}`)))
      assert.equal(await doveadmAccepts(dovecot.socket, { user: `w-${scheme}`, password: PASSWORD }), true, `${scheme}: ${dovecot.log()}`)
      assert.equal(await doveadmAccepts(dovecot.socket, { user: `w-${scheme}`, password: 'wrong' }), false, scheme)
    }
    assert.match(await postern('', 'list'), /w-bcrypt/)
    await postern('another', 'passwd', 'w-bcrypt', '--scheme', 'bcrypt')
    await postern('', 'remove', 'w-cram-md5')
    await until('the new password counts', async () => (await stage.submit(curl, by('w-bcrypt', 'another'))).outcome.code === 0, { detail: () => stage.gateway.output() })
    await stage.arrived()
    assert.equal(await doveadmAccepts(dovecot.socket, { user: 'w-bcrypt', password: 'another' }), true)
    isRefused(await stage.submit(curl, by('w-bcrypt')), /^535 /)
    // The file may have been looked at between the two changes, and is again a second later.
    await until('the removed user is gone', async () => (await stage.submit(curl, by('w-cram-md5'))).outcome.code !== 0, { detail: () => stage.gateway.output() })
    // What he sent before that is there: 250 was the sink's.
    stage.sink.take()
    isRefused(await stage.submit(curl, by('w-cram-md5')), /^535 /)
    assert.equal(await doveadmAccepts(dovecot.socket, { user: 'w-cram-md5', password: PASSWORD }), false)
  })

  test('SIGHUP: another users file counts at once; one that is not there changes nothing', async () => {
    const other = join(stage.directory, 'other-users')
    writeUsers(other, { olga: await doveadmPassword('CRAM-MD5', PASSWORD) })
    await stage.reload((whole) => ({ ...whole, listeners: (whole['listeners'] as readonly object[]).map((listener) => ({ ...listener, users: other })) }))
    await isSent(await stage.submit(msmtp, { ...by('olga'), mechanism: 'CRAM-MD5' }))
    isRefused(await stage.submit(msmtp, by(userOf('SHA512-CRYPT'))), /^535 /)
    // One that cannot be read leaves everything as it was.
    assert.equal(await reload(stage.gateway, (whole) => ({ ...whole, listeners: (whole['listeners'] as readonly object[]).map((listener) => ({ ...listener, users: `${other}.gone` })) })), 'refused')
    await isSent(await stage.submit(msmtp, { ...by('olga'), mechanism: 'CRAM-MD5' }))
  })
})

describe('Dovecot as the second source', { skip: needs }, () => {
  let dovecot: DovecotAuth
  before(async () => {
    const clear = `{PLAIN}${PASSWORD}`
    dovecot = await startDovecotAuth(`dora@home.example:${clear}\nanna:{PLAIN}not this one\n`)
    const auth = { dovecot: `unix:${dovecot.socket}` }
    stage = await startSubmission({
      users: { anna: await doveadmPassword('SHA512-CRYPT', PASSWORD) },
      listeners: [
        { name: 'both', mode: 'implicit', auth },
        { name: 'starttls', mode: 'required', auth },
        { name: 'all', mode: 'implicit', auth: { ...auth, mechanisms: ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN'] } },
      ],
    })
  })
  after(async () => {
    await stage.stop()
    await dovecot.stop()
  })
  beforeEach(() => void stage.sink.take())

  test('whom the file does not know Dovecot is asked for; whom it knows, never', async () => {
    for (const listener of ['both', 'starttls']) {
      for (const submit of [msmtp, swaks, curl, smtplib]) {
        await isSent(await stage.submit(submit, { ...by('dora@home.example'), listener }))
        await isSent(await stage.submit(submit, { ...by('anna'), listener, mechanism: 'LOGIN' }))
      }
      isRefused(await stage.submit(msmtp, { ...by('dora@home.example', 'wrong'), listener }), /^535 5\.7\.8 /)
      isRefused(await stage.submit(msmtp, { ...by('anna', 'not this one'), listener }), /^535 5\.7\.8 /)
      isRefused(await stage.submit(msmtp, { ...by('dora@home.example'), listener, from: 'anna@home.example' }), /^553 5\.7\.1 /)
    }
  })

  test('SCRAM-SHA-256 and CRAM-MD5 of Dovecot\'s users pass through', async () => {
    for (const mechanism of ['SCRAM-SHA-256', 'CRAM-MD5']) {
      await isSent(await stage.submit(msmtp, { ...by('dora@home.example'), mechanism, listener: 'all' }))
      isRefused(await stage.submit(msmtp, { ...by('dora@home.example', 'wrong'), mechanism, listener: 'all' }), /^535 5\.7\.8 /)
    }
    await isSent(await stage.submit(smtplib, { ...by('dora@home.example'), mechanism: 'CRAM-MD5', listener: 'all' }))
  })

  test('Dovecot is away: 454 for its users, the file\'s go on; it comes back', async () => {
    await dovecot.stop()
    isRefused(await stage.submit(msmtp, by('dora@home.example')), /^454 4\.7\.0 /)
    await isSent(await stage.submit(msmtp, by('anna')))
    await dovecot.restart()
    await until('Dovecot is asked again', async () => (await stage.submit(msmtp, by('dora@home.example'))).outcome.code === 0, { detail: () => stage.gateway.output() })
  })
})

describe('client certificates', { skip: needs }, () => {
  let authority: Authority
  let stranger: Authority
  let annas: ClientCertificateFiles
  let bobs: ClientCertificateFiles
  let sams: ClientCertificateFiles
  let forged: ClientCertificateFiles

  before(async () => {
    ;[authority, stranger, sams] = await Promise.all([makeAuthority(), makeAuthority(), selfSigned('sam@home.example')])
    ;[annas, bobs, forged] = await Promise.all([authority.issue('anna@home.example'), authority.issue('bob@home.example'), stranger.issue('anna@home.example')])
    const hash = await doveadmPassword('SHA512-CRYPT', PASSWORD)
    const map = join(sams.certFile, '../map')
    writeFileSync(map, `# whose certificate is whose\n${sams.fingerprint} sam\nbob@home.example sam, bob@home.example\n`)
    const ca = { client_ca: authority.certFile }
    stage = await startSubmission({
      users: { anna: hash, 'bob@home.example': hash, sam: hash },
      listeners: [
        { name: 'ca', mode: 'implicit', auth: { ...ca, client_certificates: 'accepted' } },
        { name: 'starttls', mode: 'required', auth: { ...ca, client_certificates: 'accepted' } },
        { name: 'fingerprints', mode: 'implicit', auth: { client_certificates: 'accepted', certificate_map: map } },
        { name: 'mapped', mode: 'implicit', auth: { ...ca, client_certificates: 'accepted', certificate_map: map } },
        { name: 'second', mode: 'implicit', auth: { ...ca, client_certificates: 'required' } },
        { name: 'second-print', mode: 'required', auth: { client_certificates: 'required', certificate_map: map } },
      ],
    })
  })
  after(() => stage.stop())
  beforeEach(() => void stage.sink.take())

  const external = (user: string, certificate: ClientCertificateFiles): Partial<Submission> => ({ ...by(user, ''), mechanism: 'EXTERNAL', certificate })

  for (const listener of ['ca', 'starttls']) {
    test(`accepted, of an authority that is named: msmtp and curl need no password (${listener})`, async () => {
      await isSent(await stage.submit(msmtp, { ...external('bob@home.example', bobs), listener }))
      await isSent(await stage.submit(curl, { ...external('bob@home.example', bobs), listener }))
      // A user without a domain is the one of an address at ours.
      await isSent(await stage.submit(msmtp, { ...external('anna@home.example', annas), listener }))
      await isSent(await stage.submit(curl, { ...external('anna', annas), listener }))
      isRefused(await stage.submit(msmtp, { ...external('bob@home.example', annas), listener }), /^535 5\.7\.8 /)
      isRefused(await stage.submit(msmtp, { ...external('anna@home.example', annas), listener, from: 'bob@home.example' }), /^553 5\.7\.1 /)
    })
  }

  test('one of another authority, or of none, is worth nothing: EXTERNAL is not offered, a password is taken', async () => {
    for (const certificate of [forged, sams]) {
      const { outcome } = await stage.submit(msmtp, external('anna@home.example', certificate))
      assert.notEqual(outcome.code, 0)
      assert.doesNotMatch(outcome.output, /^<-- 250[ -]AUTH .*EXTERNAL/m, outcome.output)
      await isSent(await stage.submit(swaks, { ...by('anna'), certificate }))
    }
    await isSent(await stage.submit(curl, by('anna')))
  })

  test('accepted, by its fingerprint: who signed it does not matter', async () => {
    await isSent(await stage.submit(msmtp, { ...external('sam', sams), listener: 'fingerprints' }))
    await isSent(await stage.submit(curl, { ...external('sam', sams), listener: 'fingerprints' }))
    assert.notEqual((await stage.submit(msmtp, { ...external('bob@home.example', bobs), listener: 'fingerprints' })).outcome.code, 0, 'an address counts for nothing without an authority')
    assert.equal(stage.sink.messages.length, 0)
  })

  test('accepted, by an address in the map: for several users the client says which', async () => {
    await isSent(await stage.submit(msmtp, { ...external('sam', bobs), listener: 'mapped' }))
    await isSent(await stage.submit(curl, { ...external('bob@home.example', bobs), listener: 'mapped' }))
    assert.notEqual((await stage.submit(msmtp, { ...external('anna', annas), listener: 'mapped' })).outcome.code, 0, 'who is not in the map is nobody')
    assert.equal(stage.sink.messages.length, 0)
  })

  test('required, beside the password: neither is enough alone, and they must be of one user', async () => {
    for (const submit of [swaks, curl, smtplib]) {
      await isSent(await stage.submit(submit, { ...by('bob@home.example'), certificate: bobs, listener: 'second' }))
      await isSent(await stage.submit(submit, { ...by('anna'), certificate: annas, listener: 'second' }))
      await isSent(await stage.submit(submit, { ...by('sam'), certificate: sams, listener: 'second-print' }))
    }
    isRefused(await stage.submit(swaks, { ...by('anna'), listener: 'second' }), /^535 5\.7\.8 .*certificate/)
    isRefused(await stage.submit(curl, { ...by('anna'), certificate: forged, listener: 'second' }), /^535 5\.7\.8 .*certificate/)
    isRefused(await stage.submit(swaks, { ...by('anna'), certificate: bobs, listener: 'second' }), /^535 5\.7\.8 /)
    isRefused(await stage.submit(smtplib, { ...by('bob@home.example', 'wrong'), certificate: bobs, listener: 'second' }), /^535 5\.7\.8 /)
    assert.notEqual((await stage.submit(msmtp, { ...external('bob@home.example', bobs), listener: 'second' })).outcome.code, 0, 'a certificate alone is not enough')
    assert.equal(stage.sink.messages.length, 0)
  })

  for (const version of ['-tls1_2', '-tls1_3']) {
    test(`openssl s_client ${version}: EXTERNAL is offered to who has a certificate, and to nobody else`, async () => {
      const hello = async (options: readonly string[]): Promise<string> => (await run(['openssl', 's_client', '-quiet', version, '-starttls', 'smtp', '-connect', `127.0.0.1:${stage.port('starttls')}`, '-crlf', ...options], { input: 'EHLO laptop.example\nQUIT\n' })).output
      assert.match(await hello(['-cert', annas.certFile, '-key', annas.keyFile]), /^250[ -]AUTH EXTERNAL PLAIN LOGIN\r?$/m)
      assert.match(await hello([]), /^250[ -]AUTH PLAIN LOGIN\r?$/m)
    })
  }
})
