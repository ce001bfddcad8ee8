import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { nodeFileSystem } from '../../../src/delivery/file-system.ts'
import { listen } from '../../../src/delivery/lmtp-listen.ts'
import { createLmtpServer, type LmtpServerSettings } from '../../../src/delivery/lmtp-server.ts'
import type { LocalHop } from '../../../src/delivery/local.ts'
import type { MaildirSettings } from '../../../src/config/settings.ts'
import { temporaryDirectory, until } from '../../support/process.ts'
import { localHop } from './local-fixture.ts'
import { lmtp, type LmtpClient } from './lmtp-client.ts'

const stops: (() => Promise<void>)[] = []
after(async () => {
  for (const stop of stops) await stop()
})

async function started(hopSettings: Partial<MaildirSettings> = {}, serverSettings: Partial<LmtpServerSettings> = {}) {
  const directory = temporaryDirectory('lmtp')
  mkdirSync(join(directory, 'mail'))
  writeFileSync(join(directory, 'users'), 'anna\nbert\n')
  const { hop, log } = localHop({ path: `${directory}/mail/{local}`, users: join(directory, 'users'), ...hopSettings }, { files: nodeFileSystem })
  const server = createLmtpServer(() => hop, {
    hostname: 'mx.example.org', maxMessageBytes: 3_000_000, maxRecipients: 4, maxSessions: 20, commandMs: 60_000, stopMs: 5000, spool: join(directory, 'spool'), ...serverSettings,
  }, log)
  const path = join(directory, 'socket')
  await listen(server.socket, { kind: 'unix', path }, 0o600)
  const clients: LmtpClient[] = []
  const stop = async (): Promise<void> => {
    for (const client of clients) client.close()
    await server.stop()
    await hop.close()
  }
  stops.push(stop)
  return {
    directory, log, server, hop, path,
    client: async () => {
      const client = await lmtp(path)
      clients.push(client)
      return client
    },
    texts: (local: string): string[] => {
      const folder = join(directory, 'mail', local, 'new')
      return existsSync(folder) ? readdirSync(folder).sort().map((name) => readFileSync(join(folder, name), 'latin1')) : []
    },
  }
}

const MAIL = 'MAIL FROM:<x@client.example>'
const RCPT = (to: string): string => `RCPT TO:<${to}>`

describe('replies', () => {
  test('LHLO offers what delivery can do, and nothing else', async () => {
    const client = await (await started()).client()
    const lines = (await client.say('LHLO me')).split('\n')
    assert.deepEqual(lines, ['250-mx.example.org', '250-PIPELINING', '250-8BITMIME', '250-SMTPUTF8', '250-ENHANCEDSTATUSCODES', '250 SIZE 3000000'])
    assert.match(await client.say('EHLO me'), /^500 /)
    for (const command of ['STARTTLS', 'AUTH PLAIN', 'XCLIENT ADDR=1.2.3.4', 'WIZ x']) assert.match(await client.say(command), /^500 5\.5\.2 /, command)
  })

  test('each recipient is answered by the hop, with its own enhanced code', async () => {
    const client = await (await started()).client()
    await client.say('LHLO me')
    assert.equal(await client.say(MAIL), '250 2.1.0 Accepted')
    assert.equal(await client.say(RCPT('anna@example.org')), '250 2.1.5 Accepted')
    assert.equal(await client.say(RCPT('ghost@example.org')), '550 5.1.1 No such user here')
    assert.equal(await client.say(RCPT('anna@elsewhere.example')), '550 5.7.1 Relaying denied')
    assert.equal(await client.say(RCPT('a/b@example.org')), '553 5.1.3 No mailbox can have this name')
    assert.equal(await client.say(RCPT('jürgen@example.org')), '553 5.6.7 A non-ASCII address needs SMTPUTF8')
    assert.match(await client.say(RCPT('a..b@example.org')), /^501 5\.1\.3 /)
    assert.match(await client.say(RCPT('"anna b"@example.org')), /^501 5\.1\.3 /)
    assert.match(await client.say(`${RCPT('anna@example.org')} NOTIFY=NEVER`), /^555 5\.5\.4 /)
    assert.equal(await client.say(RCPT('postmaster')), '250 2.1.5 Accepted')
    assert.match(await client.say('RSET'), /^250 /)
    assert.match(await client.say(RCPT('anna@example.org')), /^503 /)
    assert.match(await client.say(`${MAIL} RET=HDRS`), /^555 5\.5\.4 Parameter RET/)
    assert.match(await client.say(`${MAIL} BODY=BINARYMIME`), /^501 /)
    assert.match(await client.say(`${MAIL} SIZE=3000001`), /^552 5\.3\.4 /)
  })

  test('more recipients than allowed are a 452 4.5.3', async () => {
    const client = await (await started()).client()
    await client.say('LHLO me')
    await client.say(MAIL)
    for (let i = 0; i < 4; i++) assert.match(await client.say(RCPT(`anna+${i}@example.org`)), /^250 /)
    assert.match(await client.say(RCPT('anna+5@example.org')), /^452 4\.5\.3 /)
  })

  test('users that cannot be read are a 451 4.3.0', async () => {
    const { client, directory } = await started()
    rmSync(join(directory, 'users'))
    const c = await client()
    await c.say('LHLO me')
    await c.say(MAIL)
    assert.match(await c.say(RCPT('anna@example.org')), /^451 4\.3\.0 /)
  })
})

describe('a message', () => {
  test('is answered once a recipient, also for one given twice; a mailbox has one copy', async () => {
    const { client, texts } = await started()
    const c = await client()
    await c.say('LHLO me')
    await c.say(MAIL)
    for (const to of ['anna@example.org', 'Anna+x@example.org', 'anna@example.org', 'bert@example.org']) await c.say(RCPT(to))
    assert.match(await c.say('DATA'), /^354 /)
    c.write('Subject: a\r\n\r\n..dot\r\nend\r\n.\r\n')
    assert.deepEqual([await c.reply(), await c.reply(), await c.reply(), await c.reply()], Array.from({ length: 4 }, () => '250 2.0.0 Delivered'))
    assert.match(await c.say('NOOP'), /^250 /)
    assert.deepEqual(texts('anna'), ['Return-Path: <x@client.example>\nDelivered-To: anna@example.org\nSubject: a\n\n.dot\nend\n'])
    assert.deepEqual(texts('bert'), ['Return-Path: <x@client.example>\nDelivered-To: bert@example.org\nSubject: a\n\n.dot\nend\n'])
  })

  test('fails for one recipient alone', async () => {
    const { client, texts, directory, log } = await started()
    writeFileSync(join(directory, 'mail/bert'), 'in the way')
    const c = await client()
    await c.say('LHLO me')
    await c.say(MAIL)
    for (const to of ['bert@example.org', 'anna@example.org']) await c.say(RCPT(to))
    await c.say('DATA')
    c.write('Subject: a\r\n\r\nb\r\n.\r\n')
    assert.deepEqual([await c.reply(), await c.reply()], ['451 4.3.0 Mailboxes are not available at the moment, try again later', '250 2.0.0 Delivered'])
    assert.equal(texts('anna').length, 1)
    assert.ok(log.has('error', 'ENOTDIR'))
    assert.ok(log.has('info', '451 4.3.0'))
  })

  test('that loops is a 554 5.4.6', async () => {
    const { client } = await started()
    const c = await client()
    await c.say('LHLO me')
    await c.say(MAIL)
    await c.say(RCPT('anna@example.org'))
    await c.say('DATA')
    c.write('Delivered-To: anna@example.org\r\n\r\nb\r\n.\r\n')
    assert.match(await c.reply(), /^554 5\.4\.6 /)
  })

  test('with an internationalised sender, in UTF-8', async () => {
    const { client, texts } = await started({ users: undefined })
    const c = await client()
    await c.say('LHLO me')
    assert.match(await c.say('MAIL FROM:<jürgen@xn--mnchen-3ya.example> SMTPUTF8'), /^250 /)
    assert.match(await c.say(RCPT('Søren@example.org')), /^250 /)
    await c.say('DATA')
    c.write('Subject: a\r\n\r\nb\r\n.\r\n')
    assert.match(await c.reply(), /^250 /)
    assert.match(Buffer.from(texts('søren')[0] ?? '', 'latin1').toString('utf8'), /^Return-Path: <jürgen@xn--mnchen-3ya\.example>\nDelivered-To: Søren@example\.org\n/)
  })

  test('above 1 MiB goes through a temporary file, byte for byte', async () => {
    const { client, texts, directory } = await started()
    const c = await client()
    const body = `${'y'.repeat(98)}\r\n`.repeat(20_000)
    await c.say('LHLO me')
    await c.say('MAIL FROM:<>')
    await c.say(RCPT('anna@example.org'))
    await c.say('DATA')
    c.write(`Subject: a\r\n\r\n${body}.\r\n`)
    assert.equal(await c.reply(), '250 2.0.0 Delivered')
    assert.equal(texts('anna')[0], `Return-Path: <>\nDelivered-To: anna@example.org\nSubject: a\n\n${body.replaceAll('\r\n', '\n')}`)
    assert.deepEqual(readdirSync(join(directory, 'spool')), [])
  })

  test('above the size is read and refused, 552 5.3.4 for each recipient', async () => {
    const { client, texts } = await started({}, { maxMessageBytes: 1000 })
    const c = await client()
    await c.say('LHLO me')
    await c.say(MAIL)
    for (const to of ['anna@example.org', 'bert@example.org']) await c.say(RCPT(to))
    await c.say('DATA')
    c.write(`${`${'y'.repeat(98)}\r\n`.repeat(50)}.\r\n`)
    assert.match(await c.reply(), /^552 5\.3\.4 /)
    assert.match(await c.reply(), /^552 5\.3\.4 /)
    assert.match(await c.say('NOOP'), /^250 /)
    assert.deepEqual([...texts('anna'), ...texts('bert')], [])
  })

  test('that cannot be kept while it comes in is a 451, and the session goes on', async () => {
    const { client, directory, log } = await started()
    writeFileSync(join(directory, 'spool'), 'in the way')
    const c = await client()
    await c.say('LHLO me')
    await c.say(MAIL)
    await c.say(RCPT('anna@example.org'))
    await c.say('DATA')
    c.write(`${`${'y'.repeat(98)}\r\n`.repeat(20_000)}.\r\n`)
    assert.match(await c.reply(), /^451 4\.3\.0 /)
    assert.match(await c.say('NOOP'), /^250 /)
    assert.ok(log.has('error', 'cannot keep the message'))
  })

  test('whose client goes away in the middle leaves nothing', async () => {
    const { client, log, texts, hop } = await started()
    const c = await client()
    await c.say('LHLO me')
    await c.say(MAIL)
    await c.say(RCPT('anna@example.org'))
    await c.say('DATA')
    c.write('Subject: a\r\n\r\nhalf')
    c.close()
    await until('the log tells it', () => log.has('warn', 'did not arrive whole'))
    assert.deepEqual(texts('anna'), [])
    await hop.close()
  })

  test('only CRLF . CRLF ends it', async () => {
    const { client, texts } = await started()
    const c = await client()
    await c.say('LHLO me')
    await c.say(MAIL)
    await c.say(RCPT('anna@example.org'))
    await c.say('DATA')
    c.write('a\n.\nb\r.\rc\r\n.\nd\n.\r\nMAIL FROM:<evil@x>\r\n.\r\n')
    assert.match(await c.reply(), /^250 /)
    assert.match(texts('anna')[0] ?? '', /MAIL FROM:<evil@x>\n$/)
  })
})

test('after a reload an open transaction goes on with the new addresses, and loses nobody', async () => {
  const directory = temporaryDirectory('lmtp')
  const make = (users: string): LocalHop => {
    writeFileSync(join(directory, users), `${users}\n`)
    return localHop({ path: `${directory}/mail/{local}`, users: join(directory, users) }, { files: nodeFileSystem, random: users }).hop
  }
  mkdirSync(join(directory, 'mail'))
  const old = make('anna')
  const next = make('carl')
  let hop = old
  const { log } = localHop({})
  const server = createLmtpServer(() => hop, {
    hostname: 'mx.example.org', maxMessageBytes: 3_000_000, maxRecipients: 4, maxSessions: 20, commandMs: 60_000, stopMs: 5000, spool: directory,
  }, log)
  const path = join(directory, 'socket')
  await listen(server.socket, { kind: 'unix', path }, 0o600)
  const [client, other] = [await lmtp(path), await lmtp(path)]
  stops.push(async () => {
    for (const one of [client, other]) one.close()
    await server.stop()
    await Promise.all([old.close(), next.close()])
  })
  for (const one of [client, other]) {
    await one.say('LHLO me')
    await one.say(MAIL)
  }
  assert.match(await client.say(RCPT('anna@example.org')), /^250 /)
  hop = next
  let closed = false
  const closing = old.close().then(() => (closed = true))
  assert.equal(await client.say(RCPT('carl@example.org')), '250 2.1.5 Accepted')
  assert.equal(await client.say(RCPT('anna@example.org')), '550 5.1.1 No such user here')
  assert.equal(await other.say(RCPT('carl@example.org')), '250 2.1.5 Accepted')
  assert.equal(closed, false)
  await client.say('DATA')
  client.write('Subject: a\r\n\r\nb\r\n.\r\n')
  assert.deepEqual([await client.reply(), await client.reply()], ['250 2.0.0 Delivered', '250 2.0.0 Delivered'])
  await closing
  assert.deepEqual(readdirSync(join(directory, 'mail')).sort(), ['anna', 'carl'])
})

test('stop closes idle sessions at once and lets a message finish', async () => {
  const { client, server, hop, texts } = await started()
  const idle = await client()
  await idle.say('LHLO me')
  const busy = await client()
  await busy.say('LHLO me')
  await busy.say(MAIL)
  await busy.say(RCPT('anna@example.org'))
  await busy.say('DATA')
  busy.write('Subject: a\r\n')
  const stopping = server.stop()
  assert.match(await idle.reply(), /^421 4\.3\.2 /)
  busy.write('\r\nb\r\n.\r\n')
  assert.equal(await busy.reply(), '250 2.0.0 Delivered')
  assert.match(await busy.say('NOOP'), /^421 /)
  await stopping
  await hop.close()
  assert.equal(texts('anna').length, 1)
})
