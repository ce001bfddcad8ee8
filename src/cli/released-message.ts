/**
 * A kept message as it goes on when somebody releases it. Whoever does so says
 * that it is no spam, and filters behind the gateway go by the `X-Spam-` fields:
 * those that the gateway put there become those of a message without points,
 * whose only test is `RELEASED`. They stand on top, above the
 * Authentication-Results that every judged message has; fields of these names
 * further down are the sender's, who may have signed them, and stay as every
 * other byte does.
 */
import { editMessage } from '../message/edit.ts'
import { unfold, valueText, type HeaderField } from '../message/header-field.ts'
import { readHeaderSection } from '../message/header-section.ts'
import type { StoredMessage } from '../message/message.ts'
import { spamFields } from '../message/warning-fields.ts'

export interface ReleasedMessage {
  /** lives as long as the one that was given */
  readonly body: StoredMessage
  /** fields of ours say something else now */
  readonly cleared: boolean
}

const SPAM_FIELDS = ['x-spam-flag', 'x-spam-score', 'x-spam-level', 'x-spam-status']
const NOTHING = Buffer.alloc(0)

export async function releasedMessage(body: StoredMessage): Promise<ReleasedMessage> {
  const section = await readHeaderSection(body)
  const ours = ownSpamFields(section.fields)
  if (section.leadingContinuationEnd > 0 || ours.length === 0) return { body, cleared: false }
  const [status] = ours.filter(({ key }) => key === 'x-spam-status')
  const required = Number(/\brequired=(\d+(?:\.\d+)?)/.exec(status === undefined ? '' : unfold(valueText(status)))?.[1])
  const replace = status === undefined || Number.isNaN(required) ? [] : [{ index: status.index, raw: Buffer.from(spamFields({ spam: false, score: 0, required, tests: ['RELEASED'] }), 'latin1') }]
  const remove = ours.filter(({ index }) => replace.every((one) => one.index !== index)).map(({ index }) => index)
  return { body: editMessage(body, section, { prefix: NOTHING, remove, replace }).body, cleared: true }
}

/** Above them stands nothing but our warnings. */
function ownSpamFields(fields: readonly HeaderField[]): readonly HeaderField[] {
  const end = fields.findIndex(({ key }) => key !== 'x-warning' && !SPAM_FIELDS.includes(key))
  return fields.slice(0, end < 0 ? fields.length : end).filter(({ key }) => SPAM_FIELDS.includes(key))
}
