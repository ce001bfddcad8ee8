/**
 * What workers know together: who was asked to come back, and how much comes
 * from whom; and clients that do not wait for their turn to speak.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { makeCertificate } from '../support/peers/certificate.ts'
import { missing } from '../support/peers/programs.ts'
import { startStage, type Mail, type Sent, type Stage, type StageOptions } from '../support/policy-stage.ts'
import { CLIENT, ZONE } from '../support/policy-zone.ts'
import { until } from '../support/process.ts'
import { Dialog } from '../support/smtp-dialog.ts'

async function staged(options: Omit<StageOptions, 'zone'>, play: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await startStage({ zone: ZONE, ...options })
  try {
    await play(stage)
  } finally {
    await stage.stop()
  }
}

/** Rows of a database in the state directory. */
function rows(stage: Stage, file: string, query: string): readonly Readonly<Record<string, unknown>>[] {
  const database = new DatabaseSync(join(stage.gateway.directory, 'state', file), { readOnly: true, timeout: 2000 })
  try {
    return database.prepare(query).all()
  } finally {
    database.close()
  }
}

function pidsOf(stage: Stage, matches: (line: Readonly<Record<string, unknown>>) => boolean): ReadonlySet<unknown> {
  return new Set(stage.gateway.log().filter(matches).map(({ pid }) => pid))
}

describe('greylisting', { skip: missing('swaks') }, () => {
  const SMALL: Mail = { from: 'eve@small.example', helo: '192-0-2-60.dynamic.provider.example' }

  test('a suspicious client comes back and is let in, and is known from then on, to all workers; others are not asked', () =>
    staged({ root: { workers: 2 }, policy: { preset: 'strict', early_talker_wait: '0s', greylist: { delay: '1s' } } }, async (stage) => {
      const first = await stage.swaks(CLIENT.small, SMALL)
      assert.match(first.last, /^451 4\.7\.1 Greylisted: please send this again in 1 minute, as mail servers do \(\w{10}\)$/, first.output)
      assert.equal((await stage.decision(first.id)).record.checks.find(({ check }) => check === 'greylist')?.result, 'deferred')
      // Whoever is in order is not asked to come back.
      assert.match((await stage.swaks(CLIENT.clean)).last, /^250 /)
      let sent: Sent | undefined
      await until('the reply turns', async () => {
        sent = await stage.swaks(CLIENT.small, SMALL)
        assert.match(sent.last, /^(?:250|451 4\.7\.1 Greylisted)/, sent.output)
        return sent.last.startsWith('250')
      }, { detail: () => stage.gateway.output() })
      await until('it is known to all that it came back', () => rows(stage, 'postern.db', 'SELECT key FROM greylist WHERE passed_at IS NOT NULL').length > 0)
      // From now on at once, also to other recipients, whichever worker it meets.
      const arrived = (line: Readonly<Record<string, unknown>>): boolean => line['msg'] === 'message' && line['client'] === CLIENT.small && line['verdict'] === 'accept' && String(line['rcpts']).startsWith('bob')
      await until('both workers have met it', async () => {
        const later = await Promise.all(Array.from({ length: 8 }, () => stage.swaks(CLIENT.small, { ...SMALL, to: 'bob@hop.example' })))
        for (const { last, output } of later) assert.match(last, /^250 /, output)
        return pidsOf(stage, arrived).size === 2
      }, { detail: () => stage.gateway.output() })
    }))

  test('a robot that tries another recipient instead has not come back', () =>
    staged({ policy: { preset: 'strict', early_talker_wait: '0s', greylist: { delay: '1s' } } }, async (stage) => {
      for (const to of ['a@hop.example', 'b@hop.example', 'c@hop.example']) assert.match((await stage.swaks(CLIENT.small, { ...SMALL, to })).last, /^451 4\.7\.1 Greylisted/)
      assert.equal(new Set(rows(stage, 'postern.db', 'SELECT key FROM greylist WHERE passed_at IS NOT NULL')).size, 0)
    }))
})

describe('rates', () => {
  const WORKERS = 2
  /** So many are in the common file, and each worker has looked into it since: it gives a sign of life and reads the news in one go, and `at` is from before both. */
  async function exchanged(stage: Stage, counted: number): Promise<void> {
    await until(`${counted} connections are counted`, () => Number(rows(stage, 'rates.db', 'SELECT coalesce(sum(n), 0) AS n FROM counts')[0]?.['n']) >= counted, { detail: () => stage.gateway.output() })
    const sinceMs = Date.now()
    await until('each worker has heard of them', () => rows(stage, 'rates.db', 'SELECT at FROM instances').filter(({ at }) => Number(at) > sinceMs).length >= WORKERS, { detail: () => stage.gateway.output() })
  }

  const greet = async (stage: Stage, client: string): Promise<string> => {
    const dialog = await stage.dialog(client)
    const { text } = await dialog.reply()
    dialog.close()
    return text
  }

  test('three connections of an address in a minute, over two workers; the fourth is told to come later, and others are served', () =>
    staged({ root: { workers: WORKERS }, policy: { rate: { connections_per_address: '3/1m' } } }, async (stage) => {
      for (let i = 0; i < 3; i++) assert.match(await greet(stage, CLIENT.clean), /^220 /)
      await exchanged(stage, 3)
      await until('both workers have refused it', async () => {
        for (const text of await Promise.all(Array.from({ length: 6 }, () => greet(stage, CLIENT.clean)))) {
          assert.match(text, /^421 4\.7\.1 Too many connections from your address: at most 3 in 60 s; try again later \(\w{10}\)\r\n$/)
        }
        return pidsOf(stage, ({ msg, client }) => msg === 'client refused' && client === CLIENT.clean).size === WORKERS
      }, { detail: () => stage.gateway.output() })
      assert.match(await greet(stage, CLIENT.relay), /^220 /)
    }))

  test('messages and recipients: 451 to what is too much, in the words of the limit', () =>
    staged({ policy: { rate: { messages_per_address: '2/1h', recipients_per_sender: '4/1h' } } }, async (stage) => {
      const data = Buffer.from('From: <anna@sender.example>\r\n\r\nx\r\n')
      const dialog = await stage.dialog(CLIENT.clean)
      await dialog.hello('mail.sender.example')
      const from = 'anna@sender.example'
      for (let i = 0; i < 2; i++) assert.equal((await dialog.message({ from, to: 'alice@hop.example', data })).status, 250)
      assert.match((await dialog.message({ from, to: 'alice@hop.example', data })).text, /^451 4\.7\.1 Too many messages from your address: at most 2 in 3600 s; try again later/)
      await dialog.command(`MAIL FROM:<${from}>`, 250)
      await dialog.command('RCPT TO:<alice@hop.example>', 250)
      assert.match((await dialog.command('RCPT TO:<bob@hop.example>')).text, /^451 4\.7\.1 Too many recipients from your sender: at most 4 in 3600 s; try again later/)
      await dialog.quit()
    }))
})

describe('who speaks before the greeting', () => {
  const hello = (client: string): string => `PROXY TCP4 ${client} 198.51.100.1 4711 25\r\nEHLO robot.example\r\nMAIL FROM:<eve@small.example>\r\n`
  async function robot(stage: Stage, client: string): Promise<Dialog> {
    const dialog = await Dialog.open({ port: stage.port })
    await dialog.send(hello(client))
    return dialog
  }

  test('is shown out in strict, without a wait where it has spoken already', () =>
    // Nobody waits half a minute here: the reply comes because it has spoken.
    staged({ policy: { preset: 'strict', early_talker_wait: '30s' } }, async (stage) => {
      const dialog = await robot(stage, CLIENT.small)
      assert.match((await dialog.reply(10_000)).text, /^550 5\.5\.1 You spoke before you were greeted \(RFC 5321 section 4\.3\.1\) \(\w{10}\)\r\n$/)
      assert.equal((await dialog.reply()).status, 0)
      const id = /\((\w{10})\)\r\n/.exec(dialog.transcript.join('\n').replaceAll('\\r\\n', '\r\n'))?.[1] ?? ''
      const { action, record } = await stage.decision(id)
      assert.equal(action, 'disconnect')
      assert.equal(record.verdict?.by, 'early_talker')
    }))

  test('is caught while a suspicious client waits for its greeting', () =>
    staged({ policy: { preset: 'strict', early_talker_wait: '2s', greylist: { action: 'off' } } }, async (stage) => {
      const dialog = await stage.dialog(CLIENT.small)
      await stage.dns.asked('192-0-2-60.dynamic.provider.example')
      await dialog.send('EHLO robot.example\r\n')
      assert.match((await dialog.reply()).text, /^550 5\.5\.1 /)
    }))

  test('has points for it in standard', () =>
    staged({ policy: { early_talker_wait: '0s' } }, async (stage) => {
      const dialog = await robot(stage, CLIENT.small)
      await dialog.expect(220)
      await dialog.expect(250)
      await dialog.expect(250)
      await dialog.command('RCPT TO:<alice@hop.example>', 250)
      await dialog.command('DATA', 354)
      await dialog.send('From: <eve@small.example>\r\n\r\nx\r\n.\r\n')
      await dialog.expect(250)
      await dialog.quit()
      const [message] = await stage.mailbox().take(1)
      assert.match(message?.toString('latin1') ?? '', /tests=GENERIC_NAME,EARLY_TALKER_SPOKE_FIRST/)
    }))

  test('a TLS handshake is no speech: where TLS comes first, a client in order and a suspicious one that waits are served', { skip: missing('swaks', 'openssl') }, async () => {
    const { certFile, keyFile } = await makeCertificate()
    const listener = { tls: { cert: certFile, key: keyFile, mode: 'implicit' }, trust: { proxy: ['127.0.0.1'] } }
    await staged({ listener, policy: { preset: 'strict', early_talker_wait: '100ms', greylist: { action: 'off' } } }, async (stage) => {
      const options = ['--tls-on-connect']
      for (const mail of [{ client: CLIENT.clean }, { client: CLIENT.small, from: 'eve@small.example', helo: '192-0-2-60.dynamic.provider.example' }]) {
        const sent = await stage.swaks(mail.client, { ...mail, options })
        assert.match(sent.last, /^250 /, sent.output)
      }
      assert.match((await stage.swaks(CLIENT.noPtr, { options })).last, /^550 5\.7\.25 /)
    })
  })
})
