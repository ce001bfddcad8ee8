/**
 * SMTP smuggling through our client into real servers: whatever fake end of
 * data a message carries, the next hop gets one message, with what was to be
 * smuggled as its text, and nothing for the victim.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { relaying, startGateway, type Gateway } from '../support/gateway.ts'
import { suitesMissing } from '../support/mail-samples.ts'
import { EVERY_HOP } from '../support/peers/every-hop.ts'
import type { Hop } from '../support/peers/hop.ts'
import { missing } from '../support/peers/programs.ts'
import { Dialog } from '../support/smtp-dialog.ts'
import { SEQUENCES, SMUGGLED, TRUE_END, intoData, theOnlyReply } from '../support/smuggling.ts'

for (const kind of EVERY_HOP) {
  describe(`smuggling through our client into ${kind.name}`, { skip: suitesMissing('smuggling') || missing(...kind.needs) }, () => {
    let hop: Hop
    let gateway: Gateway
    before(async () => {
      hop = await kind.start(['alice', 'victim', 'last'])
      gateway = await startGateway(relaying({ [kind.kind]: hop.target }))
    })
    after(async () => {
      await gateway.stop()
      await hop.stop()
    })

    test(`${SEQUENCES.length} sequences: one message each, and nothing for the victim`, async () => {
      let sent = 0
      for (const sequence of SEQUENCES) {
        const dialog = await intoData(gateway)
        await dialog.send(`Subject: outer\r\nFrom: <outer@client.example>\r\n\r\nouter${sequence}${SMUGGLED}${TRUE_END}`)
        const reply = await theOnlyReply(dialog)
        assert.equal(reply.status, 250, reply.text)
        sent++
      }
      // BDAT may carry even a true end as text.
      const dialog = await Dialog.open(gateway.address())
      await dialog.hello()
      const chunk = Buffer.from(`Subject: outer\r\nFrom: <outer@client.example>\r\n\r\nouter${TRUE_END}${SMUGGLED}`, 'latin1')
      assert.equal((await dialog.message({ to: 'alice@hop.example', data: chunk, chunked: true })).status, 250)
      sent++
      // Hops deliver in their own time: what was smuggled would have been taken before this one.
      assert.equal((await dialog.message({ to: 'last@hop.example', data: Buffer.from('Subject: last\r\n\r\nlast\r\n') })).status, 250)
      await dialog.quit()
      await hop.mailbox('last').waitFor(1, { detail: () => hop.log() })
      const stored = await hop.mailbox('alice').waitFor(sent, { detail: () => hop.log() })
      assert.equal(stored.length, sent)
      assert.equal(hop.mailbox('victim').count, 0)
      for (const message of stored) assert.match(message.toString('latin1'), /^MAIL FROM:<smuggled@evil\.example>\r?$/m)
      assert.doesNotMatch(hop.log(), /smuggled@evil/, 'no transaction of that sender')
    })
  })
}
