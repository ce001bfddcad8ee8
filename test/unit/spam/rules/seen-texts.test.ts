/** Which texts may have values, told by what is in the message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TextSource } from '../../../../src/spam/rules/condition.ts'
import { SeenTexts } from '../../../../src/spam/rules/seen-texts.ts'
import { MessageView } from '../../../../src/spam/rules/texts.ts'
import { contentOfText, NO_FACTS } from '../../../support/rules.ts'

const HEADER = { kind: 'header', form: 'text', which: 'each' } as const
const SOURCES: readonly TextSource[] = [
  { ...HEADER, names: ['x-mailer'] }, { ...HEADER, names: ['list-id', 'x-mailer'] }, { ...HEADER, names: ['list-id'] }, { ...HEADER, names: ['list-id'], unset: 'none' },
  { kind: 'address', of: 'from', field: 'domain' }, { kind: 'address', of: 'message-id', field: 'domain' }, { kind: 'address', of: 'envelope', field: 'domain' },
  { kind: 'link', field: 'host' }, { kind: 'attachment', field: 'name' }, { kind: 'part', field: 'type' }, { kind: 'text' }, { kind: 'fact', name: 'spf' },
]

test('only such texts are left out as have no values', () => {
  const seen = new SeenTexts(SOURCES)
  const ofText = (message: string): string => {
    const view = new MessageView(contentOfText(message), NO_FACTS)
    const found = seen.of(view)
    for (const [number, source] of SOURCES.entries()) if (found[number] === 0) assert.deepEqual(view.values(source), [], JSON.stringify(source))
    return found.join('')
  }
  assert.equal(ofText('\nText\n'), '000100100111')
  assert.equal(ofText('X-Mailer: x\nFrom: a@example.org\n\nhttp://example.org/\n'), '110110110111')
  assert.equal(ofText('LIST-ID: x\nMessage-ID: <a@example.org>\nContent-Type: application/pdf; name=a.pdf\n\nText\n'), '011101101111')
  assert.equal(ofText('\nText\n'), '000100100111', 'nothing is left of the message before')
})
