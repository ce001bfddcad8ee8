/** Who a message says it is from, and whether that is proved. Pure. */
import type { Known } from '../inbound/facts.ts'
import { authenticatedAuthor, type AuthenticatedAuthor } from '../reputation/authenticated-author.ts'
import type { MessageContent } from '../spam/content.ts'
import { readAddresses } from '../spam/rules/addresses.ts'

export function authorOf(content: MessageContent, { dmarc, dkim, spf }: Known): AuthenticatedAuthor | undefined {
  return authenticatedAuthor({
    from: addressesIn(content, 'from'),
    dmarc,
    dkim: dkim?.signatures.filter(({ status }) => status === 'pass').map(({ domain }) => domain) ?? [],
    spf: spf?.status === 'pass' ? spf.domain : undefined,
  })
}

/** Of From and Reply-To, for lists of addresses. */
export function authorAddresses(content: MessageContent): readonly string[] {
  return [...addressesIn(content, 'from'), ...addressesIn(content, 'reply-to')]
}

function addressesIn({ mime }: MessageContent, name: string): readonly string[] {
  return (mime.parts[0]?.fields ?? []).filter((field) => field.name === name).flatMap(({ raw }) => readAddresses(raw)).map(({ address }) => address)
}
