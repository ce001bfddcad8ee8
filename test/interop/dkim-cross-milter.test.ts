/**
 * What we sign, verified by the OpenDKIM filter behind a Postfix that takes it
 * over SMTP: the way in which most of the receivers look at it. The other peers
 * and the other way round: dkim-cross-*.test.ts, policy-signed.test.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FORMS, crossKeys, inWords, signedByUs } from '../support/dkim-cross.ts'
import { generatedMessages } from '../support/dkim-messages.ts'
import { startOpenDkimVerifier } from '../support/peers/opendkim.ts'
import { startPostfix } from '../support/peers/postfix.ts'
import { missing } from '../support/peers/programs.ts'
import { Dialog } from '../support/smtp-dialog.ts'

/** The header sections, and the bodies that end in some odd way: what lies within a body a milter gets as it is. */
const MESSAGES = generatedMessages().filter(({ name }) => /^no empty line|^fields:|^body:.*(?:empty|blank|line end|8-bit)/.test(name))

const KNOWN = {
  // Postfix hands fields to a milter without them: in simple that is another field. RFC 6376 §3.4.2 leaves them out in relaxed.
  'fields: blanks before the colon': 'fails: simple header',
  'fields: a tab before the colon': 'fails: simple header',
  // OpenDKIM takes VT and FF for white space (RFC 6376 §2.8: space and tab are).
  'fields: bytes that some take for white space, inside': 'fails: relaxed header',
}

describe('OpenDKIM as Postfix\'s milter verifies', { skip: missing('postfix', 'opendkim') }, () => {
  test('each generated message that Postfix hands on as it is, in all forms', async () => {
    const keys = crossKeys()
    const started: { stop(): Promise<void> }[] = []
    try {
      const opendkim = await startOpenDkimVerifier({ authservId: 'hop.example', records: keys.records })
      started.unshift(opendkim)
      const postfix = await startPostfix({ main: [`smtpd_milters = ${opendkim.milter}`, 'milter_default_action = tempfail', 'hopcount_limit = 200', 'line_length_limit = 20000'] })
      started.unshift(postfix)
      // Each message waits a while for the milter's protocol, not for work: some at a time.
      const waiting = [...MESSAGES]
      await Promise.all(Array.from({ length: 6 }, async () => {
        const dialog = await Dialog.open(postfix.address)
        await dialog.hello()
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const { name, message } = next
          const outcome = await signedByUs(message, keys)
          assert.ok(outcome.status === 'signed')
          // On top, and not signed: which one it is.
          const data = Buffer.concat([Buffer.from(`X-Case: ${name}\r\n`), outcome.fields, message])
          const reply = await dialog.message({ from: 'ada@example.com', to: 'alice@hop.example', data, mailParameters: ' BODY=8BITMIME' })
          assert.equal(reply.status, 250, `${name}: ${reply.text}`)
        }
        await dialog.quit()
      }))
      const failed: Record<string, string> = {}
      for (const stored of await postfix.mailbox('alice').take(MESSAGES.length, { detail: () => `${postfix.log()}${opendkim.log()}` })) {
        const text = stored.toString('latin1')
        const name = /^X-Case: (.*)$/m.exec(text)?.[1] ?? text
        const results = /^Authentication-Results: hop\.example;.*\n(?:[ \t].*\n)*/m.exec(text)?.[0] ?? ''
        const failures = FORMS.filter(({ selector }) => !new RegExp(`dkim=pass[^;]*header\\.s=${selector} `).test(results)).map(({ selector }) => [selector, results] as const)
        if (failures.length > 0) failed[name] = inWords(Object.fromEntries(failures), FORMS)
      }
      assert.deepEqual(failed, KNOWN)
    } finally {
      for (const one of started) await one.stop()
    }
  })
})
