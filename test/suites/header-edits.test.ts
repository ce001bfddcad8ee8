/** The header sections of real messages, wanted, unwanted and odd: read, edited, and nothing else of them changed. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { editMessage } from '../../src/message/edit.ts'
import { decodeWords } from '../../src/message/encoded-words.ts'
import { unfold, valueText } from '../../src/message/header-field.ts'
import { fieldsNamed, readHeaderSection } from '../../src/message/header-section.ts'
import { prefixSubject } from '../../src/message/subject-prefix.ts'
import { mailSamples, mimeSamples, suitesMissing } from '../support/mail-samples.ts'
import { chunksOf, heldMessage, streamedMessage } from '../support/stored-message.ts'

const NOTHING = Buffer.alloc(0)
let count = 0
after(() => {
  if (suitesMissing('mail') === false) console.log(`# header edits: ${count} messages`)
})

describe('header sections of real messages', { skip: suitesMissing('mail') || suitesMissing('mime') }, () => {
  for (const { name, expected } of [...mailSamples(), ...mimeSamples()]) {
    test(name, async () => {
      const half = expected.length >> 1
      const body = heldMessage([expected.subarray(0, half), expected.subarray(half)])
      const section = await readHeaderSection(body)
      assert.deepEqual(await readHeaderSection(streamedMessage([expected])), section)
      assert.equal(editMessage(body, section, { prefix: NOTHING }).body, body)

      // Without its fields a message is what stands between them and behind them.
      const bare = editMessage(body, section, { prefix: NOTHING, remove: section.fields.map(({ index }) => index) }).body
      let at = 0
      const rest = section.fields.map(({ start, end }) => {
        const between = expected.subarray(at, start)
        at = end
        return between
      })
      const left = Buffer.concat([...rest, expected.subarray(at)])
      assert.ok(Buffer.concat(bare.memory!).equals(left) && bare.size === left.length)

      // The body stays, each Subject begins with the text, and a second time changes nothing.
      for (const text of ['[SPAM]', '[Späm]']) {
        const { replace, added } = prefixSubject(section, text)
        const edited = editMessage(body, section, { prefix: Buffer.from(added, 'latin1'), replace })
        const again = heldMessage([edited.prefix, ...(await chunksOf(edited.body))])
        const after = await readHeaderSection(again)
        assert.ok(Buffer.concat(again.memory!).subarray(after.end).equals(expected.subarray(section.end)))
        const subjects = fieldsNamed(after, 'subject')
        assert.equal(subjects.length, Math.max(1, fieldsNamed(section, 'subject').length))
        for (const field of subjects) assert.ok(decodeWords(unfold(valueText(field))).trimStart().startsWith(text))
        assert.deepEqual(prefixSubject(after, text), { replace: [], added: '' })
      }
      count++
    })
  }
})
