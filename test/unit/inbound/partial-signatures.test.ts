/** A DKIM signature with `l=` leaves the rest of the body to anybody. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judged } from '../../support/judged.ts'
import { GOOD } from '../../support/judged-zone.ts'
import { rsaKey, signed } from '../auth/signed-mail.ts'

const key = rsaKey()
const MAIL = Buffer.from('From: Ann <ann@example.com>\r\nTo: b@hop.example\r\nSubject: An offer\r\n\r\nDear reader,\r\n')
const ZONE = { ...GOOD, 's._domainkey.example.com': { TXT: [key.record] }, '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject'] }, 'example.com': { MX: [[10, 'mail.sender.example']] } } as const

async function answer(message: Buffer, policy = ''): Promise<{ readonly reply: string; readonly delivered: string }> {
  const stage = await judged({ zone: ZONE, policy: `preset: standard${policy}` })
  await stage.greeting()
  await stage.envelope()
  const lines = message.toString('latin1').replace(/\r\n$/, '').split('\r\n')
  return { reply: await stage.message(lines), delivered: stage.delivered()[0] ?? '' }
}

test('a body that somebody has put behind the signed part does not pass DMARC', async () => {
  const whole = await signed({ key }, MAIL)
  assert.match((await answer(whole)).reply, /^250/)
  const open = await signed({ key, maxBodyLength: 0 }, MAIL)
  const replaced = Buffer.concat([open, Buffer.from('Send your password to me.\r\n')])
  assert.match((await answer(replaced)).reply, /^550 5\.7\./)
  const accepted = await answer(replaced, ', partial_signatures: accept')
  assert.match(accepted.reply, /^250/)
  assert.match(accepted.delivered, /dkim=pass/)
})

test('a length that covers all of the body is as good as none', async () => {
  const exact = await signed({ key, maxBodyLength: 14 }, MAIL)
  assert.match((await answer(exact)).reply, /^250/)
})

test('where DMARC does not refuse, the reason stands in Authentication-Results', async () => {
  const replaced = Buffer.concat([await signed({ key, maxBodyLength: 0 }, MAIL), Buffer.from('x\r\n')])
  const { reply, delivered } = await answer(replaced, ', dmarc: note')
  assert.match(reply, /^250/)
  assert.match(delivered, /dkim=policy reason="only 0 of 17 octets of the body are signed"/)
})
