/**
 * Tokens of the way of a message before it came to the site: how many hops there
 * were, and the shape of the first (RFC 5321 §4.4). What the site's own hops
 * wrote is left out, so that a message has the same tokens when it comes in and
 * when it is learnt out of a mailbox: everything down to the lowest field whose
 * `by` is one of its hosts; of a message from a mailbox that has none, the one
 * on top. Never throws.
 */
import type { MimeField } from '../../mime/message-parts.ts'
import { tokenContext, type TokenCollector } from './token-set.ts'
import type { HeaderRequest } from './header-tokens.ts'

const SHAPE = tokenContext('received:')
const MAX_FIELDS = 60
const MAX_CHARACTERS = 1000

export function receivedTokens(fields: readonly MimeField[], { ownHosts, delivered }: HeaderRequest, collector: TokenCollector): void {
  const hops: string[] = []
  for (const { name, raw } of fields) {
    if (name === 'received') hops.push(raw.slice(0, MAX_CHARACTERS))
    if (hops.length === MAX_FIELDS) break
  }
  let own = -1
  for (const [index, hop] of hops.entries()) {
    const by = /\bby\s+([a-z0-9.-]{1,255})/i.exec(hop)?.[1]?.toLowerCase()
    if (by !== undefined && ownHosts.has(by)) own = index
  }
  const before = hops.slice(own >= 0 ? own + 1 : delivered ? 1 : 0)
  const origin = before.at(-1)
  collector.text(SHAPE, `hops ${before.length > 6 ? 'many' : before.length > 3 ? 'some' : before.length}`)
  if (origin === undefined) return
  const from = /^from\s+(\S{1,255})/i.exec(origin)?.[1]
  collector.text(SHAPE, `from ${from === undefined ? 'nobody' : /^\[?[\d.]+\]?$|^\[IPv6/i.test(from) ? 'an address' : from.includes('.') ? 'a host' : 'a word'}`)
  const protocol = /\bwith\s+(?:Microsoft\s+)?([a-z]{2,10})/i.exec(origin)?.[1]?.toLowerCase()
  collector.text(SHAPE, `with ${protocol ?? 'nothing'}`)
  if (/\(unknown\b|\bunknown\s*\[/i.test(origin)) collector.text(SHAPE, 'from unknown')
}
