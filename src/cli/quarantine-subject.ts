/**
 * By what people look for a lost message: its Subject, as a mail program shows
 * it. It is read from the message that is kept, so that there is nothing else to
 * keep; one file a message is opened for it.
 */
import { fieldsNamed, readHeaderSection } from '../message/header-section.ts'
import { unfold, valueText } from '../message/header-field.ts'
import { fieldText } from '../mime/encoded-words.ts'
import type { QuarantineEntry } from '../state/quarantine-entry.ts'
import type { Quarantine } from '../state/quarantine.ts'
import { explainError } from './exit-codes.ts'

const MAX_CHARACTERS = 500

export interface SubjectRead {
  /** in one line and bounded, control characters still in it; undefined where the message has none */
  readonly subject: string | undefined
  /** why the message cannot be read */
  readonly cause?: string
}

export async function subjectOf(entry: QuarantineEntry, quarantine: Pick<Quarantine, 'read'>): Promise<SubjectRead> {
  try {
    const message = await quarantine.read(entry)
    try {
      const [field] = fieldsNamed(await readHeaderSection(message), 'subject')
      return { subject: field === undefined ? undefined : shownSubject(valueText(field)) }
    } finally {
      message.discard()
    }
  } catch (error) {
    // The list is to have it all the same.
    return { subject: undefined, cause: explainError(error) }
  }
}

function shownSubject(value: string): string | undefined {
  const text = fieldText(unfold(value)).replace(/\s+/g, ' ').trim()
  if (text === '') return undefined
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text
}

/** Whether what somebody remembers of a Subject stands in it, in any case. */
export function hasInSubject(subject: string | undefined, part: string): boolean {
  return subject !== undefined && folded(subject).includes(folded(part))
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}
