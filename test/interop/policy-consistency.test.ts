/** One policy for a transaction, a shadow for every decision, and the confirmed name for the next hop: what these end to end tests once found missing. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startPostfix } from '../support/peers/postfix.ts'
import { LETTER, startStage } from '../support/policy-stage.ts'
import { CLIENT, ZONE } from '../support/policy-zone.ts'
import { temporaryDirectory } from '../support/process.ts'

const policy = { preset: 'standard', early_talker_wait: '0s', dnsbl: { lists: ['bl.example'] }, greylist: { action: 'off' } }

test('a shadow policy is decided also where the client is refused at its greeting', async () => {
  const shadow = join(temporaryDirectory('shadow'), 'shadow.yaml')
  writeFileSync(shadow, 'policy:\n  preset: observe\n')
  const stage = await startStage({ zone: ZONE, policy: { ...policy, shadow } })
  try {
    const { id, last } = await stage.swaks(CLIENT.noPtr)
    assert.match(last, /^550 5\.7\.25/)
    assert.equal((await stage.decision(id)).record.shadow?.action, 'accept')
  } finally {
    await stage.stop()
  }
})

test('a reload does not change the policy of the transaction under way', async () => {
  const stage = await startStage({ zone: ZONE, policy })
  try {
    const dialog = await stage.dialog(CLIENT.listed)
    await dialog.hello('mail.listed.example')
    await dialog.command('MAIL FROM:<anna@sender.example>', 250)
    await dialog.command('RCPT TO:<alice@hop.example>', 250)
    await stage.reload({ ...policy, preset: 'strict' })
    await dialog.command('DATA', 354)
    await dialog.send(`${LETTER}.\r\n`)
    assert.match((await dialog.reply()).text, /^250 /)
  } finally {
    await stage.stop()
  }
})

test('a Postfix behind xclient: true that wants client names hears the one that was confirmed', async () => {
  const postfix = await startPostfix({ users: ['alice'], trusting: true, main: ['smtpd_client_restrictions = reject_unknown_client_hostname'] })
  const stage = await startStage({ zone: ZONE, policy, hop: { smtp: postfix.target, xclient: true } })
  try {
    const { last } = await stage.swaks(CLIENT.clean)
    assert.match(last, /^250 /)
  } finally {
    await stage.stop()
    await postfix.stop()
  }
})
