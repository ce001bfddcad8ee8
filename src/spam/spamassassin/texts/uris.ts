/**
 * URIs as SpamAssassin's `uri` rules look at them: each as it stands, with the
 * scheme that a reader's program would add, and in its plain form (escapes of
 * ordinary characters undone, no port that the scheme has anyway). Beside the
 * links of the message those of texts that no reader's program makes links of,
 * and of plain text mail addresses with what is to be asked of them.
 * At most 1000.
 */
import type { Link } from '../../content.ts'
import { LinkList } from '../../content/links/link-list.ts'
import { toBytes } from './bytes.ts'

const MAX_URIS = 1000

/** @param unseen texts; @param plain texts that are shown */
export function uriPieces(links: readonly Link[], unseen: readonly string[], plain: readonly string[] = []): readonly string[] {
  const found = new Set<string>()
  const others = new LinkList()
  for (const text of unseen) others.addText(text)
  for (const link of [...links, ...others.result()]) {
    const written = toBytes(withScheme(link)).replace(/[\r\n\t]+/g, '')
    found.add(written)
    found.add(plainForm(written))
    if (link.host !== '') found.add(plainForm(withPlainHost(written, link)))
    if (found.size >= MAX_URIS) break
  }
  for (const text of plain) {
    for (const [uri] of text.matchAll(MAIL_WITH_QUERY)) {
      if (found.size >= MAX_URIS) break
      found.add(toBytes(uri))
    }
  }
  return [...found]
}

/** A link of plain text ends with the address. */
const MAIL_WITH_QUERY = /\bmailto:[^\s<>"'()[\]{}?]{3,250}\?[^\s<>"'()[\]{}]{0,500}[\w=%]/gi

const SCHEME = /^[a-z][a-z0-9+.-]*:/i

function withScheme({ url, kind, host }: Link): string {
  return kind !== 'text' || host === '' || SCHEME.test(url) ? url : `http://${url}`
}

/** An address in one form; what is relative to a base, in full. */
function withPlainHost(url: string, { scheme, host, address }: Link): string {
  if (address && !host.includes(':')) return url.replace(/^(https?:\/\/)[^/?#:]*/i, (_, begin: string) => `${begin}${host}`)
  return SCHEME.test(url) || url.startsWith('//') || scheme === 'mailto' ? url : `${scheme}://${host}${url.startsWith('/') ? '' : '/'}${url}`
}

function plainForm(url: string): string {
  const undone = url.includes('%') ? url.replace(/%([2-7][0-9a-fA-F])/g, (escape, hex: string) => unescaped(escape, hex)) : url
  return undone.replace(/^(http:\/\/[^/:?#]+):80(?=[/?#]|$)/i, '$1').replace(/^(https:\/\/[^/:?#]+):443(?=[/?#]|$)/i, '$1')
}

/** What may stand in a URL unescaped (RFC 3986 §2.3, and signs that divide it). */
function unescaped(escape: string, hex: string): string {
  const character = String.fromCharCode(parseInt(hex, 16))
  return /[\w.~!$&'()*+,;=:@/?-]/.test(character) ? character : escape
}
