/**
 * Who has written to whom, out of a message of a user who has logged in and
 * that the hop has taken: from the address of the envelope, and from that in
 * From where it is another. Pure.
 */
import { unfold, valueText } from '../message/header-field.ts'
import { fieldsNamed, type HeaderSection } from '../message/header-section.ts'
import type { SentMessage } from '../reputation/correspondents.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import { readAddresses } from '../spam/rules/addresses.ts'

export function correspondence({ sender, recipients, section }: { readonly sender: EnvelopePath; readonly recipients: readonly EnvelopePath[]; readonly section: HeaderSection }): readonly SentMessage[] {
  const field = (name: string): string | undefined => {
    const [first] = fieldsNamed(section, name)
    return first === undefined ? undefined : unfold(valueText(first))
  }
  const to = recipients.map(addressOf)
  const envelope = addressOf(sender)
  // What has no sender is an answer of a machine, whoever stands in From.
  const author = envelope === '' ? undefined : readAddresses(field('from') ?? '')[0]?.address
  return [...new Set([envelope, author ?? envelope])].map((one) => ({ sender: one, recipients: to, field }))
}

function addressOf({ path: { mailbox } }: EnvelopePath): string {
  return mailbox === null ? '' : `${mailbox.localPart}@${mailbox.domain}`
}
