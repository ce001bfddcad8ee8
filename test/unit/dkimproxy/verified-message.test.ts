/** dkimproxy.in and messages that were made to get past it: what cannot be read whole, forged results. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VerifiedMessage } from '../../../src/dkimproxy/verified-message.ts'
import type { PassingVerdict } from '../../../src/transparent/passing-message.ts'
import { zoneMap } from '../../support/zone-map.ts'

const FROM = 'From: ceo@bank.example\r\n'
const FORGED = 'Authentication-Results: mx.example.org; dkim=pass header.i=@bank.example\r\n'
const resolver = zoneMap({ '_dmarc.bank.example': { TXT: ['v=DMARC1; p=reject'] } })

async function verdict(text: string, rejectFail: boolean): Promise<PassingVerdict> {
  const message = new VerifiedMessage(
    { authservId: 'mx.example.org', rejectFail, rejectError: false, spool: { directory: '/nonexistent', memoryBytes: 4_000_000 }, resolver, date: () => new Date(), onVerified: () => undefined },
    { sender: null, recipients: [], recipientDomains: new Set(), login: undefined, helo: 'x', forwarded: { address: undefined, helo: undefined } },
  )
  await message.append(Buffer.from(text, 'latin1'))
  return message.finish(true)
}

async function sent(text: string, rejectFail = false): Promise<string> {
  const found = await verdict(text, rejectFail)
  assert.equal(found.status, 'send', JSON.stringify(found))
  const pieces: Buffer[] = [Buffer.from(found.prefix)]
  for await (const piece of found.body.chunks()) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString('latin1')
}

async function refused(text: string, rejectFail: boolean, reply: RegExp): Promise<void> {
  const found = await verdict(text, rejectFail)
  assert.equal(found.status, 'refuse')
  assert.match(found.reply, reply)
}

describe('a header section that is too long', () => {
  test('is refused, whatever the policy: fields behind its end would count for others', async () => {
    for (const filler of ['X: y\r\n'.repeat(10_001), `X: ${`${'y'.repeat(900)}\r\n `.repeat(1200)}z\r\n`]) {
      for (const rejectFail of [false, true]) await refused(`${filler}${FROM}${FORGED}\r\ntext\r\n`, rejectFail, /^554 5\.6\.0 [^\r\n]*header section[^\r\n]*\r\n$/)
    }
    assert.match(await sent(`${'X: y\r\n'.repeat(9999)}From: a@plain.example\r\n\r\ntext\r\n`, true), /dkim=none/)
  })
})

describe('an author who cannot be read', () => {
  const LONG = `From: ${`${'"x" '.repeat(200)}\r\n `.repeat(100)}<ceo@bank.example>\r\n\r\nx\r\n`
  const MANY = `${FROM.repeat(9000)}\r\nx\r\n`

  test('is refused with reject_fail', async () => {
    await refused(`${FROM}\r\nx\r\n`, true, /^550 5\.7\.1 DKIM - none/)
    for (const text of [LONG, MANY]) await refused(text, true, /^550 5\.6\.0 DKIM - [^\r\n]*author[^\r\n]*From has \d+ bytes[^\r\n]*\r\n$/)
  })

  test('passes without it', async () => {
    for (const text of [LONG, MANY]) assert.ok((await sent(text)).endsWith(text))
  })

  test('who is not named at all has no policy', async () => {
    assert.match(await sent('Subject: x\r\n\r\nx\r\n', true), /dkim=none/)
  })
})

test('all results of the other name that came with the message are forged', async () => {
  const text = `X-DKIM-Authentication-Results: pass\r\n${FROM}x-dkim-authentication-RESULTS :\r\n pass\r\n${FORGED}Subject: x\r\n\r\nX-DKIM-Authentication-Results: text\r\n`
  const out = await sent(text)
  assert.ok(out.endsWith(`\r\nX-DKIM-Authentication-Results: none\r\n${FROM}Subject: x\r\n\r\nX-DKIM-Authentication-Results: text\r\n`), out)
})
