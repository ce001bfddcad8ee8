/**
 * Whom `postern allow add` means by a word without an option: one person, a
 * domain, a domain with all below it, or a client's address or network. One
 * person is a sender of the envelope whom SPF stands for: a signature would
 * stand for everybody at that provider.
 */
import { parseNetwork } from '../config/networks.ts'
import { asciiDomain } from '../reputation/allow-list-file.ts'
import type { AllowDraft } from '../reputation/allow-list-edit.ts'

export interface Who {
  readonly match: AllowDraft['match']
  /** of the scope, where one person is meant */
  readonly sender?: string
}

export const WHO_ALLOWED = 'an address (bob@example.net), a domain (example.net), all below a domain (.example.net), an IP address or network (192.0.2.0/24)'

/** Undefined where it is nobody. */
export function whoIs(text: string): Who | undefined {
  if (parseNetwork(text).status === 'network') return { match: { address: text } }
  const bare = text.replace(/^<(.*)>$/s, '$1')
  const [, local, domain = ''] = /^(?:([^@\s",<>]*)@)?([^@\s]+)$/.exec(bare) ?? []
  if (asciiDomain(local === undefined ? domain.replace(/^\./, '') : domain) === undefined) return undefined
  if (local === undefined || local === '') return { match: { domain } }
  return { match: { spf: domain }, sender: bare }
}
