/**
 * Date and Message-ID for a message of a user that has none (RFC 6409 §8.2,
 * §8.3; RFC 5322 §3.6.1, §3.6.4). Everything else of it stays as it came.
 */
import type { HeaderSection } from '../message/header-section.ts'
import { formatDate } from '../message/received.ts'

export interface AddedField {
  /** in lower case */
  readonly key: string
  /** all of it, ended by CRLF */
  readonly raw: Buffer
}

export function missingFields(section: HeaderSection, facts: { readonly hostname: string; readonly date: Date; readonly token: () => string }): readonly AddedField[] {
  const has = (name: string): boolean => section.fields.some(({ key }) => key === name)
  return [
    ...(has('message-id') ? [] : [{ key: 'message-id', raw: Buffer.from(`Message-ID: <${facts.token()}@${facts.hostname}>\r\n`) }]),
    ...(has('date') ? [] : [{ key: 'date', raw: Buffer.from(`Date: ${formatDate(facts.date)}\r\n`) }]),
  ]
}
