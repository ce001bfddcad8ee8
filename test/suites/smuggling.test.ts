/**
 * SMTP smuggling into our server. Only CRLF.CRLF ends DATA (RFC 5321 §4.1.1.4):
 * none of the suite's fake ends may end it, wherever the packets are cut, and
 * none may become a true end on the way out. Into real servers through our
 * client: test/interop/smuggling.test.ts.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { CaptureSink, EVERY_EXTENSION, WITHOUT_CHUNKING } from '../support/capture-sink.ts'
import { relaying, startGateway, type Gateway } from '../support/gateway.ts'
import { expectedOf, suitesMissing } from '../support/mail-samples.ts'
import { Dialog } from '../support/smtp-dialog.ts'
import { SEQUENCES, SMUGGLED, TRUE_END, intoData, theOnlyReply } from '../support/smuggling.ts'
import { takeReceived } from '../support/trace-fields.ts'

/** The fake end in the middle of a message, and at its very beginning. */
function payloads(sequence: string): { readonly where: string; readonly text: string; readonly fakeAt: number }[] {
  const head = 'Subject: outer\r\n\r\nouter'
  return [
    { where: 'in the middle', text: `${head}${sequence}${SMUGGLED}`, fakeAt: head.length },
    { where: 'at the beginning', text: `${sequence}${SMUGGLED}`, fakeAt: 0 },
  ]
}

/** What a receiver that keeps to the RFC makes of what was sent behind DATA: dots are unstuffed behind true line ends only. */
function received(text: string): string {
  const unstuffed = text.replace(/(^|\r\n)\./g, '$1')
  return expectedOf(Buffer.from(unstuffed, 'latin1')).toString('latin1')
}

/** Writes that are packets of their own, as far as the kernel allows. */
async function sendInPieces(dialog: Dialog, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    if (piece === '') continue
    await dialog.send(piece)
    await turn()
  }
}

function named(sequence: string): string {
  return JSON.stringify(sequence).replaceAll('\\u0000', '\\0')
}

describe('smuggling into our server', { skip: suitesMissing('smuggling') }, () => {
  for (const extensions of [WITHOUT_CHUNKING, EVERY_EXTENSION]) {
    describe(extensions === WITHOUT_CHUNKING ? 'normalise, DATA to the hop' : 'normalise, BDAT to the hop', () => {
      let sink: CaptureSink
      let gateway: Gateway
      before(async () => {
        sink = await CaptureSink.start({ extensions })
        gateway = await startGateway(relaying({ smtp: sink.target }))
      })
      after(async () => {
        await gateway.stop()
        await sink.stop()
      })

      /** One message came, with true line ends only and all that was sent as its text. */
      function oneCame(text: string): void {
        const messages = sink.take()
        assert.equal(messages.length, 1)
        assert.deepEqual(messages[0]!.rcpts, ['<alice@hop.example>'])
        const body = takeReceived(messages[0]!.data).rest.toString('latin1')
        assert.equal(body, text)
        assert.doesNotMatch(body, /\r(?!\n)|(?<!\r)\n|\0/)
        assert.match(body, /MAIL FROM:<smuggled@evil\.example>\r\n/)
      }

      for (const sequence of SEQUENCES) {
        for (const { where, text, fakeAt } of payloads(sequence)) {
          test(`${named(sequence)} ${where}`, async () => {
            const dialog = await intoData(gateway)
            await dialog.send(text + TRUE_END)
            assert.equal((await theOnlyReply(dialog)).status, 250)
            oneCame(received(`${text}\r\n`))
          })

          test(`${named(sequence)} ${where}, cut at every packet boundary`, async () => {
            const all = text + TRUE_END
            const cuts = Array.from({ length: sequence.length + 5 }, (_, i) => fakeAt - 2 + i).filter((cut) => cut > 0)
            for (const cut of cuts) {
              const dialog = await intoData(gateway)
              await sendInPieces(dialog, [all.slice(0, cut), all.slice(cut)])
              assert.equal((await theOnlyReply(dialog)).status, 250, `cut at ${cut}`)
              oneCame(received(`${text}\r\n`))
            }
            // and each byte of it alone
            const dialog = await intoData(gateway)
            const [from, to] = [Math.max(0, fakeAt - 2), fakeAt + sequence.length + 2]
            await sendInPieces(dialog, [all.slice(0, from), ...Array.from(all.slice(from, to)), all.slice(to)])
            assert.equal((await theOnlyReply(dialog)).status, 250)
            oneCame(received(`${text}\r\n`))
          })
        }
      }

      for (const sequence of [...SEQUENCES, TRUE_END]) {
        test(`${named(sequence)} inside a BDAT chunk is text`, async () => {
          for (const { text } of payloads(sequence)) {
            const dialog = await Dialog.open(gateway.address())
            await dialog.hello()
            const reply = await dialog.message({ to: 'alice@hop.example', data: Buffer.from(text, 'latin1'), chunked: true })
            assert.equal(reply.status, 250, reply.text)
            await dialog.quit()
            oneCame(expectedOf(Buffer.from(text, 'latin1')).toString('latin1'))
          }
        })
      }

      test('the true end does end the message: what stands behind it is commands', async () => {
        const dialog = await intoData(gateway)
        await dialog.send(`Subject: first\r\n\r\nfirst${TRUE_END}${SMUGGLED}.\r\n`)
        for (const status of [250, 250, 250, 354, 250]) await dialog.expect(status)
        await dialog.quit()
        assert.deepEqual(sink.take().map((message) => message.rcpts), [['<alice@hop.example>'], ['<victim@hop.example>']])
      })
    })
  }

  describe('refuse', () => {
    let sink: CaptureSink
    let gateway: Gateway
    before(async () => {
      sink = await CaptureSink.start()
      gateway = await startGateway(relaying({ smtp: sink.target }, { root: { newlines: 'refuse' } }))
    })
    after(async () => {
      await gateway.stop()
      await sink.stop()
    })

    for (const sequence of SEQUENCES) {
      test(`${named(sequence)} is refused once the whole message was read`, async () => {
        for (const { text } of payloads(sequence)) {
          const dialog = await intoData(gateway)
          await dialog.send(text + TRUE_END)
          assert.match((await theOnlyReply(dialog)).text, /^550 5\.6\.11 /)
          const chunked = await Dialog.open(gateway.address())
          await chunked.hello()
          const reply = await chunked.message({ to: 'alice@hop.example', data: Buffer.from(text, 'latin1'), chunked: true })
          assert.match(reply.text, /^550 5\.6\.11 /)
          await chunked.command('NOOP', 250)
          await chunked.quit()
        }
        assert.equal(sink.messages.length, 0)
        const dialog = await intoData(gateway)
        await dialog.send('Subject: clean\r\n\r\nclean\r\n.\r\n')
        assert.equal((await theOnlyReply(dialog)).status, 250)
        assert.equal(sink.take().length, 1)
      })
    }
  })
})
