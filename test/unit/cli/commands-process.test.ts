/**
 * The commands about policy as they are called: a process each, beside a
 * gateway that runs, on a DNS and a state directory of the test's own. Needs no
 * other program.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startDnsServer } from '../../support/dns-server.ts'
import { accepts } from '../../support/gateway.ts'
import { freePort } from '../../support/ports.ts'
import { run, start, temporaryDirectory, until, type Outcome } from '../../support/process.ts'
import { Dialog } from '../../support/smtp-dialog.ts'
import type { ZoneData } from '../../support/zone-map.ts'

const MAIN = process.env['POSTERN_MAIN'] ?? join(import.meta.dirname, '../../../src/main.ts')
const LETTER = 'From: Anna <anna@sender.example>\nSubject: Hello\n\ntext\n'
/** Clients come from loopback here, and are called so. */
const ZONE: ZoneData = {
  'localhost': { A: ['127.0.0.1'] },
  '1.0.0.127.in-addr.arpa': { PTR: ['mail.sender.example'] },
  'mail.sender.example': { A: ['127.0.0.1'] },
  'sender.example': { MX: [[10, 'mx.sender.example']], TXT: ['v=spf1 ip4:127.0.0.1 -all'] },
  'mx.sender.example': { A: ['203.0.113.9'] },
  '_dmarc.bank.example': { TXT: ['v=DMARC1; p=quarantine'] },
  'bank.example': { MX: [[10, 'mx.sender.example']] },
}

interface Place {
  readonly directory: string
  readonly port: number
  /** a command, with the configuration */
  readonly postern: (argv: readonly string[], input?: string) => Promise<Outcome>
  readonly startGateway: () => Promise<void>
}

async function place(t: TestContext, zone: ZoneData, policy: object = {}): Promise<Place> {
  const dns = await startDnsServer(zone)
  t.after(() => dns.stop())
  const directory = temporaryDirectory('commands')
  const port = await freePort()
  const file = join(directory, 'postern.yaml')
  mkdirSync(join(directory, 'mail'))
  writeFileSync(file, JSON.stringify({
    hostname: 'mx.example.org', state: join(directory, 'state'), workers: 0, log: { format: 'json' }, domains: ['example.org'],
    dns: { servers: [`127.0.0.1:${dns.port}`], timeout: '2s' }, policy: { exempt: ['unix'], ...policy },
    listeners: [{ name: 'inbound', role: 'inbound', listen: [`127.0.0.1:${port}`], next: 'local' }],
    hops: { local: { maildir: join(directory, 'mail/{local}') } },
  }))
  return {
    directory, port,
    async postern([command = '', ...rest], input = '') {
      const { code, output } = await run([process.execPath, MAIN, command, ...rest, '--config', file], { input })
      return { code, output: Buffer.from(output, 'latin1').toString('utf8') }
    },
    async startGateway() {
      const running = start([process.execPath, MAIN, 'run', '--config', file])
      t.after(() => running.stop())
      // Some are greeted with a refusal here.
      await until('the gateway', () => running.hasEnded() || accepts({ port }), { detail: () => running.output() })
      assert.ok(!running.hasEnded(), running.output())
    },
  }
}

async function send(port: number, text: string): Promise<string> {
  const dialog = await Dialog.open({ port })
  await dialog.expect(220)
  await dialog.command('EHLO mail.sender.example', 250)
  await dialog.command('MAIL FROM:<anna@sender.example>', 250)
  await dialog.command('RCPT TO:<bob@example.org>', 250)
  await dialog.command('DATA', 354)
  const reply = await dialog.command(`${text.replaceAll('\n', '\r\n')}.`)
  await dialog.quit()
  return reply.text
}

test('why: the ID in a reply leads to the reasons, a second later and in another process; --diff counts', async (t) => {
  const directory = temporaryDirectory('shadow')
  writeFileSync(join(directory, 'shadow.yaml'), 'policy: { preset: observe, content: off }\n')
  const { port, postern, startGateway } = await place(t, ZONE, { preset: 'standard', spam: { tag: 1, reject: 2 }, helo: 'score', weights: { helo: 9 }, content: 'off', shadow: join(directory, 'shadow.yaml') })
  assert.match((await postern(['why', 'ABCD234567'])).output, /there are no decisions in .*postern\.db does not exist/)
  await startGateway()
  const dialog = await Dialog.open({ port })
  await dialog.expect(220)
  await dialog.command('EHLO localhost', 250)
  await dialog.command('MAIL FROM:<anna@sender.example>', 250)
  await dialog.command('RCPT TO:<bob@example.org>', 250)
  await dialog.command('DATA', 354)
  const refusal = (await dialog.command(`${LETTER.replaceAll('\n', '\r\n')}.`, 550)).text
  const id = /\(([0-9A-Z]{10})\)/.exec(refusal)?.[1]
  assert.ok(id !== undefined, refusal)
  let told: Outcome = { code: null, output: '' }
  await until('the decision in the database', async () => {
    told = await postern(['why', id.toLowerCase().slice(0, 6)])
    return told.code === 0
  }, { detail: () => told.output })
  assert.match(told.output, new RegExp(`^${id} {2}refused, by its score\n {2}550 5\\.7\\.1 .*\\(${id}\\)\n`))
  assert.match(told.output, /\n {2}spf {12}pass .*\n {6}TXT sender\.example → v=spf1 ip4:127\.0\.0\.1 -all/)
  assert.match(told.output, /\n {2}helo {15}\+9 {2}points .*\n {2}score {15}9 {2}\(tag from 1, reject from 2\)\n/)
  const json = JSON.parse((await postern(['why', id, '--json'])).output) as Record<string, unknown>
  assert.deepEqual([json['id'], json['action']], [id, 'reject'])
  const difference = await postern(['why', '--diff'])
  assert.equal(difference.code, 0, difference.output)
  assert.match(difference.output, new RegExp(`^${id} .*reject \\(tagged\\) → accept, by score .*\n\nIn 1 of \\d+ decisions the shadow policy disagrees\n {8}1 {2}reject \\(tagged\\) → accept, by score\n$`))
  assert.equal((await postern(['why', 'NOSUCH2345'])).code, 66)
  assert.equal((await postern(['why'])).code, 64)
})

test('scan: from standard input, by the configured DNS, with the verdict as its exit code, and no state', async (t) => {
  const { directory, postern } = await place(t, ZONE)
  const accepted = await postern(['scan', '--ip', '127.0.0.1', '--helo', 'mail.sender.example', '--from', 'anna@sender.example', '--exit-code'], LETTER)
  assert.equal(accepted.code, 0, accepted.output)
  assert.match(accepted.output, /^accepted\n(?:.*\n)*Fields added\n/)
  const file = join(directory, 'forged.eml')
  writeFileSync(file, LETTER.replace('anna@sender.example', 'service@bank.example'))
  const forged = await postern(['scan', file, '--ip', '127.0.0.1', '--from', 'anna@sender.example', '--rcpt', 'bob@example.org', '--json', '--exit-code'])
  assert.equal(forged.code, 2, forged.output)
  assert.equal((JSON.parse(forged.output) as Record<string, unknown>)['action'], 'quarantine')
  assert.equal((await postern(['scan', '--ip', 'x'])).code, 64)
  assert.equal((await postern(['scan', '/nonexistent', '--ip', '::1'])).code, 66)
  assert.ok(!existsSync(join(directory, 'state')))
})

test('quarantine: what the gateway kept is listed, shown and released while it runs', async (t) => {
  const { port, postern, startGateway, directory } = await place(t, ZONE)
  await startGateway()
  const reply = await send(port, LETTER.replace('anna@sender.example', 'service@bank.example'))
  const id = /\(([0-9A-Z]{10})\)/.exec(reply)?.[1]
  assert.ok(id !== undefined && reply.startsWith('250'), reply)
  assert.match((await postern(['quarantine', 'list'])).output, new RegExp(`^${id} .* anna@sender\\.example → bob@example\\.org`))
  assert.match((await postern(['quarantine', 'show', id, '--headers'])).output, /dmarc=fail/)
  const released = await postern(['quarantine', 'release', id])
  assert.equal(released.code, 0, released.output)
  assert.ok(existsSync(join(directory, 'mail/bob/new')))
  assert.equal((await postern(['quarantine', 'delete', id])).code, 66)
})

test('allow: an entry that was added lets mail in that was refused, without a reload; and is counted', async (t) => {
  const { '1.0.0.127.in-addr.arpa': ptr, ...nameless } = ZONE
  assert.ok(ptr !== undefined)
  const { port, postern, startGateway } = await place(t, nameless, { allow: 'allow.yaml' })
  await startGateway()
  const refused = await Dialog.open({ port })
  assert.match((await refused.expect(550)).text, /5\.7\.25/)
  refused.close()
  const added = await postern(['allow', 'add', '--spf', 'sender.example', '--reason', 'their office', '--expires', '30d'])
  assert.equal(added.code, 0, added.output)
  const many = await Promise.all(Array.from({ length: 4 }, (_, i) => postern(['allow', 'add', '--domain', `d${i}.example`, '--reason', 'at once'])))
  assert.deepEqual(many.map(({ code }) => code), [0, 0, 0, 0])
  assert.equal((await postern(['allow', 'list', '--json'])).output.trimEnd().split('\n').length, 5)
  await until('the entry to count', async () => {
    const dialog = await Dialog.open({ port })
    const { status } = await dialog.expect()
    dialog.close()
    return status === 220
  })
  assert.match(await send(port, LETTER), /^250/)
  await until('the hit to be written', async () => /of use 1 times/.test((await postern(['allow', 'list'])).output))
  assert.equal((await postern(['allow', 'remove', 'sender.example'])).code, 0)
  assert.equal((await postern(['allow', 'remove', 'sender.example'])).code, 66)
})

test('check --dns: by the configured server', async (t) => {
  const { postern } = await place(t, { ...ZONE, 'mx.example.org': { A: ['203.0.113.5'] }, 'example.org': 'servfail', '_dmarc.example.org': 'servfail' })
  const { code, output } = await postern(['check', '--dns'])
  assert.match(output, /^configuration OK/)
  assert.match(output, /mx\.example\.org/)
  assert.match(output, /example\.org: MX could not be found out/)
  assert.ok(code === 65 || code === 75, output)
})
