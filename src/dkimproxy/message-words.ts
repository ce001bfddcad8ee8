/**
 * What log lines say of a message, in DKIMproxy's form, which log readers know:
 * `message-id=<…>, signer=<…>, from=<…>` (or `sender=<…>` where there is a
 * Sender). Values are those of a stranger: printable ASCII in one line, bounded.
 */
import { strangerText } from '../auth/stranger-text.ts'
import { readAuthors } from '../message/author.ts'
import { unfold } from '../message/header-field.ts'
import { fieldsNamed, type HeaderSection } from '../message/header-section.ts'

const MAX_CHARACTERS = 320
/** A field may be a megabyte, of which the log shows no more than the beginning. */
const MAX_LOOKED_AT = 4096

/** @param signer `i=`, or `@d` where there is none; '' where nothing is signed */
export function messageWords(section: HeaderSection | undefined, signer: string): string {
  const words: string[] = []
  const say = (name: string, value: string): void => {
    if (value !== '') words.push(`${name}=<${strangerText(value.slice(0, MAX_LOOKED_AT).replace(/[<>]/g, '?'), MAX_CHARACTERS)}>`)
  }
  say('message-id', messageId(section))
  say('signer', signer)
  const sender = firstAddress(section, 'sender')
  if (sender !== '') say('sender', sender)
  else say('from', firstAddress(section, 'from'))
  return words.join(', ')
}

function messageId(section: HeaderSection | undefined): string {
  const field = section === undefined ? undefined : fieldsNamed(section, 'message-id')[0]
  return field === undefined ? '' : unfold(field.value.toString('latin1', 0, MAX_LOOKED_AT)).trim().replace(/^<|>$/g, '')
}

function firstAddress(section: HeaderSection | undefined, name: string): string {
  const field = section === undefined ? undefined : fieldsNamed(section, name)[0]
  const reading = field === undefined ? undefined : readAuthors([field.value])
  return reading?.status === 'domains' ? (reading.addresses[0] ?? '') : ''
}
