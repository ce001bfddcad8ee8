/**
 * SMTP smuggling through the transparent session: none of the suite's fake ends
 * ends a message, at whatever relay; what such a message holds does not change,
 * or it is refused.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { suitesMissing } from '../support/mail-samples.ts'
import { SEQUENCES, SMUGGLED, TRUE_END } from '../support/smuggling.ts'
import { playPieces, type PlayOptions, type Played } from '../support/transparent.ts'

const LEAD = 'EHLO client.example\r\nMAIL FROM:<outer@client.example>\r\nRCPT TO:<alice@hop.example>\r\nDATA\r\n'
const HEAD = 'Subject: outer\r\n\r\nouter'

async function sent(text: string, play: PlayOptions): Promise<Played> {
  const played = await playPieces([LEAD, text + TRUE_END, 'QUIT\r\n'], play)
  assert.deepEqual(played.commands.slice(0, 4).map((line) => line.split(' ')[0]), ['EHLO', 'MAIL', 'RCPT', 'DATA'])
  assert.ok(!played.commands.some((line) => line.includes('smuggled')), 'nothing is smuggled')
  return played
}

describe('smuggling through a transparent session', { skip: suitesMissing('smuggling') }, () => {
  for (const sequence of SEQUENCES) {
    const name = JSON.stringify(sequence).replaceAll('\\u0000', '\\0')
    for (const text of [`${HEAD}${sequence}${SMUGGLED}`, `${sequence}${SMUGGLED}`]) {
      const where = text.startsWith(HEAD) ? 'in the middle' : 'at the beginning'
      for (const lax of [true, false]) {
        test(`${name} ${where}, ${lax ? 'a lax' : 'a strict'} relay`, async () => {
          const played = await sent(text, { lax })
          if (played.messages.length === 0) assert.match(played.toClient, /550 5\.6\.11 /)
          else if (!lax) assert.equal(played.messages[0], `X-Passed: yes\r\n${text.replace(/(^|\r\n)\./g, '$1')}\r\n`)
        })
      }

      test(`${name} ${where}, with newlines: refuse and normalise`, async () => {
        const refused = await sent(text, { lax: true, options: { newlines: 'refuse' } })
        assert.match(refused.toClient, /550 5\.6\.11 /)
        assert.deepEqual(refused.messages, [])
        const normalised = await sent(text, { lax: true, options: { newlines: 'normalise' } })
        assert.equal(normalised.messages.length, 1)
        assert.match(normalised.messages[0] ?? '', /MAIL FROM:<smuggled/)
      })
    }
  }

  test('a bare LF that ends nothing passes as it is', async () => {
    const played = await sent('Subject: x\r\n\r\none\ntwo\r\n.\r\r\n', {})
    assert.deepEqual(played.messages, ['X-Passed: yes\r\nSubject: x\r\n\r\none\ntwo\r\n\r\r\n\r\n'])
  })
})
