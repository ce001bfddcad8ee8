/**
 * `postern deliver` as it is run: a process of its own, under its own user
 * where the test may choose one, spoken to over its unix socket by hand, by
 * swaks and by the gateway.
 */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { startGateway } from '../support/gateway.ts'
import { mailSamples, mimeSamples, suitesMissing } from '../support/mail-samples.ts'
import { MAIL_USER } from '../support/peers/hop.ts'
import { Mailbox } from '../support/peers/mailbox.ts'
import { account, missing } from '../support/peers/programs.ts'
import { freePort } from '../support/ports.ts'
import { run, start, temporaryDirectory, until, untilGreets, type Address, type RunningProcess } from '../support/process.ts'
import { Dialog } from '../support/smtp-dialog.ts'
import { sha256, takeReceived, takeTop, toCrlf } from '../support/trace-fields.ts'

const MAIN = process.env['POSTERN_MAIN'] ?? join(import.meta.dirname, '../../src/main.ts')
const DOMAIN = 'hop.example'

interface Delivery {
  readonly directory: string
  readonly address: { readonly path: string }
  readonly mailbox: (local: string) => Mailbox
  readonly running: () => RunningProcess
  readonly begin: () => Promise<void>
  readonly users: (text: string) => void
}

const all: (() => Promise<void>)[] = []
after(async () => {
  for (const stop of all) await stop()
})

/** Root gives the mailboxes to another user and becomes him; anybody else delivers as himself. */
function asMailUser(command: readonly string[]): readonly string[] {
  if (process.getuid?.() !== 0 || missing('setpriv') !== false) return command
  const { uid, gid } = account(MAIL_USER)
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...command]
}

function configuration(directory: string, more: object = {}): string {
  const file = join(directory, 'deliver.yaml')
  const text = JSON.stringify({
    hostname: 'mail.example', state: join(directory, 'state'), log: { format: 'json', level: 'debug' }, domains: [DOMAIN],
    hops: { local: { maildir: `${directory}/mail/{domain}/{local}`, users: join(directory, 'users'), suffix: '+' } },
    ...more,
  })
  writeFileSync(file, text)
  chmodSync(file, 0o644)
  return file
}

async function delivery(): Promise<Delivery> {
  const directory = temporaryDirectory('deliver')
  const owner = process.getuid?.() === 0 ? account(MAIL_USER) : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  for (const folder of ['mail', 'run']) {
    mkdirSync(join(directory, folder))
    chownSync(join(directory, folder), owner.uid, owner.gid)
  }
  const users = (text: string): void => writeFileSync(join(directory, 'users'), text, { mode: 0o644 })
  users('anna\nbert\n')
  const file = configuration(directory)
  const path = join(directory, 'run/lmtp')
  let running: RunningProcess | undefined
  const begin = async (): Promise<void> => {
    running = start(asMailUser([process.execPath, MAIN, 'deliver', '--listen', `unix:${path}`, '--mode', '0666', '--config', file]), { cwd: directory })
    await untilGreets('postern deliver', running, { path })
  }
  await begin()
  all.push(async () => running?.stop())
  const current = (): RunningProcess => {
    if (running === undefined) throw new Error('not started')
    return running
  }
  return { directory, address: { path }, mailbox: (local) => new Mailbox(join(directory, 'mail', DOMAIN, local)), running: current, begin, users }
}

async function exit(...options: readonly string[]): Promise<{ code: number | null; output: string }> {
  return await run([process.execPath, MAIN, 'deliver', ...options], { timeoutMs: 20_000 })
}

test('by hand: each recipient has its reply, its file, its owner', async () => {
  const { address, mailbox, directory, running } = await delivery()
  assert.equal(statSync(address.path).mode & 0o777, 0o666)
  const dialog = await Dialog.open(address)
  await dialog.hello('client.example', 'LHLO')
  await dialog.command('MAIL FROM:<sender@client.example> BODY=8BITMIME', 250)
  await dialog.command(`RCPT TO:<anna+list@${DOMAIN}>`, 250)
  assert.equal((await dialog.command(`RCPT TO:<ghost@${DOMAIN}>`)).text, '550 5.1.1 No such user here\r\n')
  assert.equal((await dialog.command('RCPT TO:<anna@elsewhere.example>')).text, '550 5.7.1 Relaying denied\r\n')
  await dialog.command(`RCPT TO:<bert@${DOMAIN}>`, 250)
  await dialog.command('DATA', 354)
  await dialog.send('Subject: caf\xe9\r\n\r\n..\r\nend\r\n.\r\n')
  for (let i = 0; i < 2; i++) assert.equal((await dialog.reply()).text, '250 2.0.0 Delivered\r\n')
  await dialog.command('QUIT', 221)
  dialog.close()
  assert.deepEqual(mailbox('anna').read().map((text) => text.toString('latin1')), [`Return-Path: <sender@client.example>\nDelivered-To: anna+list@${DOMAIN}\nSubject: caf\xe9\n\n.\nend\n`])
  assert.equal(mailbox('bert').count, 1)
  const folder = join(directory, 'mail', DOMAIN, 'anna/new')
  const owner = process.getuid?.() === 0 ? account(MAIL_USER).uid : process.getuid?.()
  for (const name of readdirSync(folder)) assert.deepEqual([statSync(join(folder, name)).mode & 0o777, statSync(join(folder, name)).uid], [0o600, owner])
  assert.match(running().output(), /"msg":"message"/)
})

test('SIGTERM lets a message finish, exits 0 and takes the socket away', async () => {
  const { address, mailbox, running } = await delivery()
  const dialog = await Dialog.open(address)
  await dialog.hello('client.example', 'LHLO')
  await dialog.command('MAIL FROM:<>', 250)
  await dialog.command(`RCPT TO:<anna@${DOMAIN}>`, 250)
  await dialog.command('DATA', 354)
  await dialog.send('Subject: a\r\n')
  running().signal('SIGTERM')
  await until('it stops', () => running().output().includes('delivery stops'), { detail: () => running().output() })
  await dialog.send('\r\nb\r\n.\r\n')
  assert.equal((await dialog.reply()).status, 250)
  dialog.close()
  await running().ended
  assert.match(running().output(), /delivery stopped/)
  assert.equal(existsSync(address.path), false)
  assert.equal(mailbox('anna').count, 1)
})

test('after kill -9 it starts again on the socket that was left; a second one does not take it', async () => {
  const { address, begin, running, directory } = await delivery()
  running().signal('SIGKILL')
  await running().ended
  assert.ok(existsSync(address.path))
  await begin()
  const second = await exit('--listen', `unix:${address.path}`, '--config', join(directory, 'deliver.yaml'))
  assert.equal(second.code, 75, second.output)
  assert.match(second.output, /another process answers on/)
  const dialog = await Dialog.open(address)
  await dialog.hello('client.example', 'LHLO')
  dialog.close()
})

test('users are read again when the file changes, and at SIGHUP; a bad configuration changes nothing', async () => {
  const { address, users, running, directory } = await delivery()
  const asked = async (): Promise<number> => {
    const dialog = await Dialog.open(address)
    await dialog.hello('client.example', 'LHLO')
    await dialog.command('MAIL FROM:<>', 250)
    const { status } = await dialog.command(`RCPT TO:<carl@${DOMAIN}>`)
    dialog.close()
    return status
  }
  assert.equal(await asked(), 550)
  users('anna\ncarl\n')
  await until('carl is a user', async () => (await asked()) === 250)
  writeFileSync(join(directory, 'deliver.yaml'), 'hostnam: x\n')
  running().signal('SIGHUP')
  await until('the error is told', () => running().output().includes('the new configuration is not used'), { detail: () => running().output() })
  assert.equal(await asked(), 250)
  configuration(directory, { domains: ['other.example'] })
  running().signal('SIGHUP')
  await until('the new one is used', () => running().output().includes('configuration read again'), { detail: () => running().output() })
  assert.equal(await asked(), 550)
})

test('SIGHUP in the middle of a transaction: it goes on, with the new addresses', async () => {
  const { address, users, running, mailbox } = await delivery()
  const dialog = await Dialog.open(address)
  await dialog.hello('client.example', 'LHLO')
  await dialog.command('MAIL FROM:<>', 250)
  await dialog.command(`RCPT TO:<anna@${DOMAIN}>`, 250)
  await dialog.command(`RCPT TO:<carl@${DOMAIN}>`, 550)
  users('bert\ncarl\n')
  running().signal('SIGHUP')
  await until('the reload', () => running().output().includes('configuration read again'), { detail: () => running().output() })
  await dialog.command(`RCPT TO:<carl@${DOMAIN}>`, 250)
  await dialog.command(`RCPT TO:<anna@${DOMAIN}>`, 550)
  await dialog.command('DATA', 354)
  await dialog.send('Subject: a\r\n\r\nb\r\n.\r\n')
  for (let i = 0; i < 2; i++) assert.equal((await dialog.reply()).text, '250 2.0.0 Delivered\r\n')
  dialog.close()
  for (const local of ['anna', 'carl']) assert.equal(mailbox(local).count, 1)
})

test('what cannot work is said, with the exit codes of sysexits', async () => {
  const directory = temporaryDirectory('deliver')
  mkdirSync(join(directory, 'mail'))
  writeFileSync(join(directory, 'users'), 'anna\n')
  const file = configuration(directory)
  const two = { hops: { a: { maildir: `${directory}/mail/{local}` }, b: { maildir: `${directory}/mail/{local}` } }, listeners: [{ name: 'inbound', role: 'inbound', listen: '127.0.0.1:2525', next: 'a' }] }
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[], 64, /--listen/],
    [['--listen', '/run/x'], 64, /--listen: .*unix:\/path/],
    [['--listen', 'unix:/run/x', '--mode', '9', '--config', file], 64, /--mode: found "9"; allowed: three octal digits/],
    [['--listen', 'unix:/run/x', '--config', join(directory, 'none.yaml')], 66, /none\.yaml: there is no such file/],
    [['--listen', 'unix:/run/x', '--config', file, '--hop', 'nope'], 64, /there is no hop "nope" with maildir; those there are: local/],
  ]
  for (const [options, code, words] of cases) {
    const ended = await exit(...options)
    assert.equal(ended.code, code, ended.output)
    assert.match(ended.output, words)
  }
  configuration(directory, two)
  assert.match((await exit('--listen', 'unix:/run/x', '--config', file)).output, /several hops with maildir: a, b; choose one with --hop/)
  configuration(directory)
  writeFileSync(join(directory, 'users'), 'anna\n:\n')
  const malformed = await exit('--listen', 'unix:/run/x', '--config', file)
  assert.equal(malformed.code, 78)
  assert.match(malformed.output, /users:2: the user has no name/)
  writeFileSync(join(directory, 'users'), 'anna\n')
  writeFileSync(join(directory, 'precious'), 'x')
  const taken = await exit('--listen', `unix:${directory}/precious`, '--config', file)
  assert.equal(taken.code, 75)
  assert.match(taken.output, /is not a socket; it is left alone/)
})

test('TCP: a port on loopback', async () => {
  const { directory } = await delivery()
  const port = await freePort()
  const running = start(asMailUser([process.execPath, MAIN, 'deliver', '--listen', `127.0.0.1:${port}`, '--config', join(directory, 'deliver.yaml')]))
  all.push(() => running.stop())
  await untilGreets('postern deliver', running, { port })
  const dialog = await Dialog.open({ port } satisfies Address)
  await dialog.hello('client.example', 'LHLO')
  dialog.close()
})

const needsRoot = process.getuid?.() === 0 ? false : 'only root can give files away'

test('as root for others, one message to 250 mailboxes with 256 file descriptors', { skip: needsRoot }, async () => {
  const directory = temporaryDirectory('many')
  const { uid, gid } = account(MAIL_USER)
  mkdirSync(join(directory, 'mail'))
  const port = await freePort()
  const file = join(directory, 'postern.yaml')
  writeFileSync(file, JSON.stringify({
    hostname: 'mail.example', state: join(directory, 'state'), workers: 0, log: { format: 'json', level: 'info' }, domains: [DOMAIN],
    listeners: [{ name: 'inbound', role: 'inbound', listen: `127.0.0.1:${port}`, next: 'local' }],
    hops: { local: { maildir: `${directory}/mail/{domain}/{local}`, owner: `${uid}:${gid}` } },
    limits: { recipients: 250 },
  }))
  const running = start(['/bin/sh', '-c', 'ulimit -n 256; exec "$@"', 'sh', process.execPath, MAIN, 'run', '--config', file])
  all.push(() => running.stop())
  await untilGreets('postern run', running, { port })
  const to = Array.from({ length: 250 }, (_, i) => `user${i}`)
  const dialog = await Dialog.open({ port })
  await dialog.hello()
  await dialog.command('MAIL FROM:<sender@client.example>', 250)
  for (const local of to) await dialog.command(`RCPT TO:<${local}@${DOMAIN}>`, 250)
  await dialog.command('DATA', 354)
  await dialog.send('Subject: a\r\n\r\nb\r\n.\r\n')
  assert.equal((await dialog.reply()).status, 250, running.output())
  dialog.close()
  for (const local of to) assert.equal(new Mailbox(join(directory, 'mail', DOMAIN, local)).count, 1, local)
})

test('swaks delivers over LMTP', { skip: missing('swaks') }, async () => {
  const { address, mailbox } = await delivery()
  const { code, output } = await run(['swaks', '--protocol', 'LMTP', '--socket', address.path, '--from', 'sender@client.example', '--to', `anna@${DOMAIN},bert+x@${DOMAIN}`, '--header', 'Subject: swaks', '--body', 'hello'])
  assert.equal(code, 0, output)
  for (const local of ['anna', 'bert']) assert.match(mailbox(local).read()[0]?.toString('latin1') ?? '', /\nSubject: swaks\n(?:.*\n)*\nhello\n/)
  const refused = await run(['swaks', '--protocol', 'LMTP', '--socket', address.path, '--from', 'sender@client.example', '--to', `ghost@${DOMAIN}`])
  assert.notEqual(refused.code, 0)
  assert.match(refused.output, /550 5\.1\.1 No such user here/)
})

describe('the suites\' messages, through the gateway', { skip: suitesMissing() }, () => {
  const samples = [...mimeSamples(), ...mailSamples()]

  /** Each message is sent, and what lies in the mailbox is what was sent, under the fields that belong on top. */
  async function passes(hop: Readonly<Record<string, unknown>>, mailbox: Mailbox): Promise<void> {
    const gateway = await startGateway({ listeners: [{ name: 'inbound', next: 'hop' }], hops: { hop } })
    all.push(() => gateway.stop())
    const dialog = await Dialog.open(gateway.address())
    await dialog.hello()
    const wrong: string[] = []
    for (const { name, sent, expected } of samples) {
      const reply = await dialog.message({ to: `anna@${DOMAIN}`, data: sent })
      assert.equal(reply.status, 250, `${name}: ${reply.text}\n${gateway.output().slice(-2000)}`)
      const [stored] = await mailbox.take(1)
      const path = takeTop(toCrlf(stored ?? Buffer.alloc(0)))
      const to = takeTop(path?.rest ?? Buffer.alloc(0))
      assert.equal(`${path?.field ?? ''}${to?.field ?? ''}`, `Return-Path: <sender@client.example>\r\nDelivered-To: anna@${DOMAIN}\r\n`, name)
      if (sha256(takeReceived(to?.rest ?? Buffer.alloc(0)).rest) !== sha256(expected)) wrong.push(name)
    }
    dialog.close()
    assert.deepEqual(wrong, [])
    assert.ok(samples.length > 200)
  }

  test('into the Maildir hop', async () => {
    const directory = temporaryDirectory('local')
    await passes({ maildir: `${directory}/{local}` }, new Mailbox(join(directory, 'anna')))
  })

  test('by LMTP to postern deliver, into its Maildir', async () => {
    const { address, mailbox } = await delivery()
    await passes({ lmtp: `unix:${address.path}` }, mailbox('anna'))
  })
})

test('a message of 5 MB goes by the gateway and postern deliver whole', async () => {
  const { address, mailbox } = await delivery()
  const gateway = await startGateway({ listeners: [{ name: 'inbound', next: 'hop' }], hops: { hop: { lmtp: `unix:${address.path}` } } })
  all.push(() => gateway.stop())
  const text = Buffer.from(`Subject: large\r\n\r\n${`.${'z'.repeat(97)}\r\n`.repeat(50_000)}`, 'latin1')
  const dialog = await Dialog.open(gateway.address())
  await dialog.hello()
  assert.equal((await dialog.message({ to: `anna@${DOMAIN}`, data: text })).status, 250)
  dialog.close()
  const [stored] = await mailbox('anna').take(1)
  assert.ok(toCrlf(stored ?? Buffer.alloc(0)).subarray(-text.length).equals(text))
})
