/**
 * Through the gateway to a smarthost that wants a password: Postfix with
 * Dovecot's logins, Exim and OpenSMTPD. Mail goes out as who it should, and
 * whatever is wrong with the login, the certificate or the first host, the
 * client keeps its mail by a 4xx and the log says what to do.
 */
import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { relaying, startGateway, type Gateway } from '../support/gateway.ts'
import { makeCertificate, type Certificate } from '../support/peers/certificate.ts'
import { startDovecotAuth, type DovecotAuth } from '../support/peers/dovecot-auth.ts'
import { startExim } from '../support/peers/exim.ts'
import type { Hop } from '../support/peers/hop.ts'
import { startOpenSmtpd } from '../support/peers/opensmtpd.ts'
import { startPostfix } from '../support/peers/postfix.ts'
import { missing } from '../support/peers/programs.ts'
import { freePort } from '../support/ports.ts'
import { run, temporaryDirectory, until } from '../support/process.ts'
import { Dialog, type DialogReply } from '../support/smtp-dialog.ts'
import { startSubmission, type SubmissionStage } from '../support/submission-stage.ts'

const directory = temporaryDirectory('smarthost')

let files = 0
function passwordFile(password: string): string {
  const file = join(directory, `${++files}.pw`)
  writeFileSync(file, `${password}\n`)
  chmodSync(file, 0o600)
  return file
}

async function send(gateway: Gateway, from = 'sender@client.example', author = 'anna@example.org'): Promise<DialogReply> {
  const dialog = await Dialog.open(gateway.address())
  try {
    await dialog.hello()
    const mail = await dialog.command(`MAIL FROM:<${from}>`)
    if (mail.status !== 250) return mail
    const rcpt = await dialog.command('RCPT TO:<alice@hop.example>')
    if (rcpt.status !== 250) return rcpt
    await dialog.command('DATA', 354)
    await dialog.send(`From: ${author}\r\nSubject: out\r\n\r\nx\r\n.\r\n`)
    return await dialog.reply()
  } finally {
    dialog.close()
  }
}

async function using(hop: Readonly<Record<string, unknown>>, body: (gateway: Gateway) => Promise<void>): Promise<void> {
  const gateway = await startGateway(relaying(hop))
  try {
    await body(gateway)
  } finally {
    await gateway.stop()
  }
}

describe('Postfix with the logins of Dovecot', { skip: missing('postfix', 'dovecot', 'openssl') }, () => {
  let dovecot: DovecotAuth
  let certificate: Certificate
  let hop: Hop
  const SASL = ['smtpd_sasl_auth_enable = yes', 'smtpd_sasl_type = dovecot', 'smtpd_sasl_security_options = noanonymous', 'smtpd_sasl_authenticated_header = yes', 'smtpd_recipient_restrictions = permit_sasl_authenticated, reject']
  const start = (...main: string[]): Promise<Hop> => startPostfix({ users: ['alice'], tls: certificate, main: [...SASL, `smtpd_sasl_path = ${dovecot.socket}`, ...main] })
  before(async () => {
    certificate = await makeCertificate()
    dovecot = await startDovecotAuth('anna@example.org:{PLAIN}s3cret, and more::::::\nbert@example.org:{PLAIN}b3rt::::::\n')
    hop = await start()
  })
  after(async () => {
    await hop.stop()
    await dovecot.stop()
  })

  const secure = (more: Readonly<Record<string, unknown>> = {}) => ({ smtp: hop.target, tls: 'required', tls_ca: certificate.certFile, user: 'anna@example.org', password_file: passwordFile('s3cret, and more'), ...more })
  const sender = async (from = hop): Promise<string> => {
    const [stored] = await from.mailbox('alice').take(1, { detail: () => from.log() + dovecot.log() })
    return /\(Authenticated sender: ([^)]*)\)/.exec(stored?.toString('latin1') ?? '')?.[1] ?? 'nobody'
  }

  test('the strongest mechanism of all: SCRAM-SHA-256, under TLS whose certificate was verified', async () => {
    await using(secure(), async (gateway) => {
      assert.equal((await send(gateway)).status, 250, gateway.output() + hop.log() + dovecot.log())
      assert.equal(await sender(), 'anna@example.org')
      assert.match(hop.log(), /sasl_method=SCRAM-SHA-256, sasl_username=anna@example\.org/)
      // Everything of our own log, at level debug.
      assert.ok(!gateway.output().includes('s3cret'))
    })
  })

  for (const mechanism of ['CRAM-MD5', 'PLAIN', 'LOGIN']) {
    test(`${mechanism}, where there is nothing better`, async () => {
      const other = await start(`smtpd_sasl_mechanism_filter = ${mechanism.toLowerCase()}`)
      try {
        await using({ ...secure(), smtp: other.target }, async (gateway) => {
          assert.equal((await send(gateway)).status, 250, gateway.output() + other.log() + dovecot.log())
          assert.equal(await sender(other), 'anna@example.org')
          assert.match(other.log(), new RegExp(`sasl_method=${mechanism}, `))
        })
      } finally {
        await other.stop()
      }
    })
  }

  test('many messages on one connection, one login', async () => {
    await using(secure(), async (gateway) => {
      for (let i = 0; i < 3; i++) assert.equal((await send(gateway)).status, 250)
      await hop.mailbox('alice').take(3, { detail: () => hop.log() })
    })
    await until('one login for three messages', () => / auth=1 mail=3 /.test(hop.log()), { detail: () => hop.log() })
  })

  test('a wrong password: 451 and an error in the log, one guess and not one for each message; then the right one', async () => {
    const file = passwordFile('guess')
    await using(secure({ password_file: file }), async (gateway) => {
      const before = hop.log().split('authentication failed').length
      for (let i = 0; i < 4; i++) assert.match((await send(gateway)).text, /^451 4\.7\.0 Next hop does not let this gateway log in/)
      const error = await gateway.logged('our login is refused', (line) => line['level'] === 'error' && String(line['msg']).startsWith('next hop refuses our login'))
      assert.deepEqual([error['hop'], error['user'], error['stage']], ['hop', 'anna@example.org', 'AUTH'])
      // One by the strongest mechanism, one by PLAIN.
      assert.equal(hop.log().split('authentication failed').length - before, 2, hop.log())
      assert.ok(!gateway.output().includes('guess'))
      writeFileSync(file, 's3cret, and more\n')
      gateway.running().signal('SIGHUP')
      await gateway.logged('the reload', (line) => line['msg'] === 'configuration reloaded')
      assert.equal((await send(gateway)).status, 250, gateway.output())
      await sender()
    })
  })

  test('a password that anybody may read is not used', async () => {
    const file = passwordFile('s3cret, and more')
    await using(secure(), async (gateway) => {
      assert.equal((await send(gateway)).status, 250)
      await sender()
    })
    chmodSync(file, 0o600)
    await using(secure({ password_file: file }), async (gateway) => {
      chmodSync(file, 0o644)
      gateway.running().signal('SIGHUP')
      await gateway.logged('the permissions', (line) => line['level'] === 'error' && JSON.stringify(line).includes('too open'))
      assert.equal((await send(gateway)).status, 451)
    })
  })

  test('a certificate of another name, or of an authority that is not ours: 451, and nothing is said of the password', async () => {
    const logins = hop.log().split('sasl_method=').length
    const { certFile: another } = await makeCertificate()
    for (const change of [{ tls_name: 'relay.example' }, { tls_ca: another }]) {
      await using(secure(change), async (gateway) => {
        assert.match((await send(gateway)).text, /^451 4\.7\.5 TLS with the next hop failed/)
        await gateway.logged('the cause', (line) => line['level'] === 'warn' && /certificate|altnames/i.test(String(line['detail'])))
      })
    }
    assert.equal(hop.log().split('sasl_method=').length, logins)
  })

  test('the first host is down: the second has the mail', async () => {
    const port = await freePort()
    await using(secure({ smtp: [`127.0.0.1:${port}`, hop.target] }), async (gateway) => {
      for (let i = 0; i < 3; i++) assert.equal((await send(gateway)).status, 250, gateway.output())
      await hop.mailbox('alice').take(3, { detail: () => hop.log() })
      const failures = gateway.log().filter((line) => line['msg'] === 'next hop cannot be used')
      assert.deepEqual(failures.map((line) => line['peer']), [`127.0.0.1:${port}`])
    })
  })

  test('the first host does not know our password: the second has the mail', async () => {
    const strangers = await startDovecotAuth('carl@example.org:{PLAIN}x::::::\n')
    const first = await start(`smtpd_sasl_path = ${strangers.socket}`)
    try {
      await using(secure({ smtp: [first.target, hop.target] }), async (gateway) => {
        assert.equal((await send(gateway)).status, 250, gateway.output())
        assert.equal(await sender(), 'anna@example.org')
      })
    } finally {
      await first.stop()
      await strangers.stop()
    }
  })

  test('each sender by its own login', async () => {
    const logins = [{ sender: 'bert@client.example', user: 'bert@example.org', password_file: passwordFile('b3rt') }, { sender: '@guess.example', user: 'bert@example.org', password_file: passwordFile('wrong') }]
    await using(secure({ sender_logins: logins }), async (gateway) => {
      for (const [from, expected] of [['bert@client.example', 'bert@example.org'], ['x@client.example', 'anna@example.org'], ['', 'anna@example.org'], ['BERT@client.example', 'bert@example.org']] as const) {
        assert.equal((await send(gateway, from)).status, 250, gateway.output())
        assert.equal(await sender(), expected, from)
      }
      assert.match((await send(gateway, 'x@guess.example')).text, /^451 4\.7\.0 /)
      assert.equal((await send(gateway, 'x@client.example')).status, 250)
      await sender()
    })
  })

  test('Dovecot is down: 4xx', async () => {
    await dovecot.stop()
    try {
      await using(secure(), async (gateway) => {
        assert.equal((await send(gateway)).status, 451, gateway.output())
      })
    } finally {
      await dovecot.restart()
    }
  })
})

describe('Exim', { skip: missing('exim', 'openssl') }, () => {
  let hop: Hop
  let certificate: Certificate
  before(async () => {
    certificate = await makeCertificate()
    // Exim reads it as a user of its own.
    chmodSync(certificate.keyFile, 0o644)
    hop = await startExim({ users: ['alice'], tls: certificate, logins: { anna: 's3cret' } })
  })
  after(() => hop.stop())

  const secure = (password: string) => ({ smtp: hop.target, tls: 'required', tls_ca: certificate.certFile, user: 'anna', password_file: passwordFile(password) })

  test('CRAM-MD5, under TLS', async () => {
    await using(secure('s3cret'), async (gateway) => {
      assert.equal((await send(gateway)).status, 250, gateway.output() + hop.log())
      await hop.mailbox('alice').take(1, { detail: () => hop.log() })
      assert.match(hop.log(), /P=esmtpsa X=TLS1\.3[^\n]* A=cram:anna/)
    })
  })

  test('a wrong password: 451', async () => {
    await using(secure('wrong'), async (gateway) => {
      assert.match((await send(gateway)).text, /^451 4\.7\.0 /)
      await gateway.logged('our login is refused', (line) => line['level'] === 'error' && /^535 /.test(String(line['reply'])))
    })
  })
})

describe('OpenSMTPD', { skip: missing('opensmtpd', 'openssl') }, () => {
  let hop: Hop
  before(async () => {
    const certificate = await makeCertificate()
    const hash = await run(['openssl', 'passwd', '-6', 's3cret'])
    hop = await startOpenSmtpd({ users: ['alice'], submission: { tls: certificate, logins: { anna: hash.output.trim() } } })
  })
  after(() => hop.stop())

  // Debian's OpenSMTPD 6.8 does no TLS with OpenSSL 3: what it says without is what can be seen of it.
  test('in clear and without a login: what it says of us is not for the client', async () => {
    await using({ smtp: hop.target }, async (gateway) => {
      assert.match((await send(gateway)).text, /^451 4\.3\.2 /, gateway.output() + hop.log())
      await gateway.logged('the cause', (line) => line['cause'] === 'refuses us' && /^530 5\.5\.1 /.test(String(line['detail'])))
    })
  })

  test('where a login is to be and the hop offers none: 451, and advice', async () => {
    await using({ smtp: hop.target, user: 'anna', password_file: passwordFile('s3cret') }, async (gateway) => {
      assert.match((await send(gateway)).text, /^451 4\.7\.0 /)
      await gateway.logged('the cause', (line) => line['level'] === 'error' && line['offered'] === 'no AUTH')
    })
  })
})

describe('Postern, of another machine', { skip: missing('openssl') }, () => {
  let far: SubmissionStage
  before(async () => {
    far = await startSubmission({ users: { anna: '{PLAIN}s3cret' }, listeners: [{ name: 'submission', mode: 'required' }, { name: 'submissions', mode: 'implicit' }] })
  })
  after(() => far.stop())

  for (const [listener, tls] of [['submission', 'required'], ['submissions', 'implicit']] as const) {
    test(`SCRAM-SHA-256-PLUS by ${tls} TLS: the login is bound to the channel`, async () => {
      await using({ smtp: `127.0.0.1:${far.port(listener)}`, tls, tls_ca: far.certificate.certFile, user: 'anna', password_file: passwordFile('s3cret') }, async (gateway) => {
        assert.equal((await send(gateway, 'anna@home.example', 'anna@home.example')).status, 250, gateway.output() + far.gateway.output())
        await far.arrived()
        await far.gateway.logged('the login', (line) => line['mechanism'] === 'SCRAM-SHA-256-PLUS')
      })
    })
  }

  test('a wrong password: 451, and its refusal in the log', async () => {
    await using({ smtp: `127.0.0.1:${far.port('submissions')}`, tls: 'implicit', tls_ca: far.certificate.certFile, user: 'anna', password_file: passwordFile('wrong') }, async (gateway) => {
      for (let i = 0; i < 3; i++) assert.match((await send(gateway, 'anna@home.example')).text, /^451 4\.7\.0 /)
      const error = await gateway.logged('our login is refused', (line) => line['level'] === 'error' && line['stage'] === 'AUTH')
      assert.match(String(error['reply']), /^535 5\.7\.8 /)
    })
  })

  test('what anna may not send as is for the client to hear', async () => {
    await using({ smtp: `127.0.0.1:${far.port('submissions')}`, tls: 'implicit', tls_ca: far.certificate.certFile, user: 'anna', password_file: passwordFile('s3cret') }, async (gateway) => {
      assert.match((await send(gateway, 'bert@home.example')).text, /^553 5\.7\.1 /)
    })
  })
})
