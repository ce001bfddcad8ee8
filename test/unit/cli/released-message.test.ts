/** What of a kept message changes when it is released: what the gateway said of it, and nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { releasedMessage } from '../../../src/cli/released-message.ts'
import { outgoing, textOf } from '../state/quarantine-fixture.ts'

const RESULTS = 'Authentication-Results: mx.example; none\r\n'
const LETTER = 'DKIM-Signature: v=1; h=x-spam-flag:subject\r\nX-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=99\r\nSubject: a\r\n\r\nX-Spam-Flag: YES\r\n'

async function released(text: string, pieces?: number): Promise<{ readonly text: string; readonly cleared: boolean }> {
  const stored = outgoing(text, { ...(pieces !== undefined && { pieces }) })
  const { body, cleared } = await releasedMessage(stored.body)
  assert.equal((await textOf(body)).length, body.size)
  return { text: await textOf(body), cleared }
}

test('our fields say that it is no spam; what the sender wrote stays, fields of the same names too', async () => {
  const tagged = 'X-Warning: 192.0.2.7 is in a black list at bl.example\r\nX-Spam-Flag: YES\r\nX-Spam-Score: 12.5\r\nX-Spam-Level: ************\r\nX-Spam-Status: Yes, score=12.5 required=4.0\r\n tests=SPF,\r\n BAYES_99\r\n'
  for (const pieces of [undefined, 1, 7]) {
    assert.deepEqual(await released(tagged + RESULTS + LETTER, pieces), {
      text: `X-Warning: 192.0.2.7 is in a black list at bl.example\r\nX-Spam-Score: 0.0\r\nX-Spam-Status: No, score=0.0 required=4.0 tests=RELEASED\r\n${RESULTS}${LETTER}`, cleared: true,
    })
  }
})

test('one that was kept for another reason than its points has none either: a filter may have bounds of its own', async () => {
  const { text } = await released(`X-Spam-Score: 3.0\r\nX-Spam-Level: ***\r\nX-Spam-Status: No, score=3.0 required=5.0 tests=DMARC\r\n${RESULTS}${LETTER}`)
  assert.equal(text, `X-Spam-Score: 0.0\r\nX-Spam-Status: No, score=0.0 required=5.0 tests=RELEASED\r\n${RESULTS}${LETTER}`)
})

test('where the gateway said nothing of points, nothing changes', async () => {
  for (const text of [RESULTS + LETTER, `X-Warning: a\r\n${RESULTS}${LETTER}`, 'Subject: a\r\n\r\n', '', ' X-Spam-Flag: YES\r\n', `Received: by x\r\n${LETTER}`]) assert.deepEqual(await released(text), { text, cleared: false })
})

test('where nothing but our fields stand on top, to the end of the header and without a body', async () => {
  const status = 'X-Spam-Status: No, score=0.0 required=4.0 tests=RELEASED\r\n'
  for (const rest of ['\r\nX-Spam-Flag: YES\r\n', '']) {
    assert.deepEqual(await released(`X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=9.0 required=4.0\r\n${rest}`), { text: `X-Spam-Score: 0.0\r\n${status}${rest}`, cleared: true })
  }
})

test('a message that begins within a field has none of ours on top', async () => {
  const text = ` of a field\r\nX-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=9.0 required=4.0\r\n${RESULTS}${LETTER}`
  assert.deepEqual(await released(text), { text, cleared: false })
})

test('a status that does not say how many points were required is taken away like the others', async () => {
  for (const status of ['X-Spam-Status: Yes, score=9.0', 'X-Spam-Status: Yes, required=many']) {
    assert.deepEqual(await released(`X-Spam-Flag: YES\r\n${status}\r\n${RESULTS}${LETTER}`), { text: RESULTS + LETTER, cleared: true })
  }
})
