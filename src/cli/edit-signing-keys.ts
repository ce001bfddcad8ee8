/**
 * Puts other keys into `signing.keys` of a configuration's text: only the words
 * that stand for selector and file change, every other byte (comments, layout,
 * quotes) stays. What comes out is read again and compared with what was
 * wanted; where that cannot be had (aliases, merges, a key that is written in
 * another way) the edit is left to people, and `why` says so. Pure text.
 */
import { isDeepStrictEqual } from 'node:util'
import { isMap, isScalar, isSeq, parseDocument, type Document, type Scalar } from 'yaml'

export interface KeyEdit {
  /** place in `signing.keys` */
  readonly index: number
  readonly from: { readonly domain: string; readonly selector: string }
  readonly to: { readonly selector: string; readonly file: (old: string) => string }
}

export type KeysEdited = { readonly status: 'edited'; readonly text: string } | { readonly status: 'by-hand'; readonly why: string }

interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

export function editSigningKeys(text: string, edits: readonly KeyEdit[]): KeysEdited {
  const document = parse(text)
  const keys = document?.getIn(['signing', 'keys'], true)
  if (document === undefined || !isSeq(keys)) return byHand('signing.keys is not a list in the file itself')
  const wanted = document.toJS() as { signing: { keys: { selector: unknown; key: unknown }[] } }
  const splices: Splice[] = []
  for (const { index, from, to } of edits) {
    const item = keys.items[index]
    if (!isMap(item)) return byHand(`signing.keys[${index}] is not written out in the file`)
    const [domain, selector, file] = ['domain', 'selector', 'key'].map((name) => item.get(name, true))
    if (!isPlain(domain) || !isPlain(selector) || !isPlain(file)) return byHand(`signing.keys[${index}] has a domain, selector or key that is not plain text there (an alias, an anchor, a tag, a text of several lines)`)
    if (said(domain).toLowerCase() !== from.domain || said(selector).toLowerCase() !== from.selector) return byHand(`signing.keys[${index}] is no longer ${from.selector}._domainkey.${from.domain}: somebody has edited the file`)
    const path = to.file(said(file))
    splices.push(spliceOf(selector, to.selector), spliceOf(file, path))
    const place = wanted.signing.keys[index]
    if (place === undefined) return byHand(`signing.keys[${index}] is not there`)
    place.selector = to.selector
    place.key = path
  }
  const edited = splices.toSorted((a, b) => b.start - a.start).reduce((all, { start, end, text: by }) => all.slice(0, start) + by + all.slice(end), text)
  const after = parse(edited)
  return after !== undefined && isDeepStrictEqual(after.toJS(), wanted) ? { status: 'edited', text: edited } : byHand('the file would not say what it should after the edit')
}

function parse(text: string): Document | undefined {
  // Numbers stay as they are written, as everywhere in the configuration.
  const document = parseDocument(text, { schema: 'failsafe', prettyErrors: false, logLevel: 'error' })
  return document.errors.length > 0 ? undefined : document
}

type Plain = Scalar<string> & { readonly range: [number, number, number] }

function isPlain(node: unknown): node is Plain {
  return isScalar(node) && typeof node.value === 'string' && node.range !== null && node.range !== undefined && node.anchor === undefined && node.tag === undefined
    && (node.type === 'PLAIN' || node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE') && !node.value.includes('\n')
}

function said({ value }: Plain): string {
  return value
}

function spliceOf({ range, type }: Plain, value: string): Splice {
  const [start, end] = range
  const plain = type === 'PLAIN' && /^[A-Za-z_./][A-Za-z0-9_./+-]*$/.test(value)
  return { start, end, text: plain ? value : type === 'QUOTE_SINGLE' ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value) }
}

function byHand(why: string): KeysEdited {
  return { status: 'by-hand', why }
}
