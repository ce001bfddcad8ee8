/**
 * The configuration as it was read, before it is checked as a whole: sections
 * whose values may still be missing. Listeners and hops are found here, each
 * with its place in the document.
 */
import type { Domain } from '../smtp/envelope.ts'
import type { DomainItem, DomainThresholds } from './format-domain.ts'
import { suggestion } from './nearest.ts'
import type { KeyPath } from './problem.ts'
import { HOP_KINDS, HOP_WITHOUT_VARIABLE, LISTENER, LMTP_HOP, MAILDIR_HOP, MAX_HOPS, MAX_LISTENERS, ROOT, SMTP_HOP, WITHOUT_VARIABLE } from './schema.ts'
import type { HopKind } from './schema.ts'
import { readSection } from './section.ts'
import type { Collector, Section } from './section.ts'
import { reference } from './format-names.ts'
import type { Located, LocatedEntry, LocatedMap } from './source.ts'

export type RootSection = Section<typeof ROOT>
export type ListenerSection = Section<typeof LISTENER>
export type HopSection =
  | { readonly kind: 'smtp'; readonly name: string; readonly section: Section<typeof SMTP_HOP> }
  | { readonly kind: 'lmtp'; readonly name: string; readonly section: Section<typeof LMTP_HOP> }
  | { readonly kind: 'maildir'; readonly name: string; readonly section: Section<typeof MAILDIR_HOP> }

/**
 * What the configuration is read for. `delivery` is `postern deliver`: it
 * opens no listener and no connection, so that there need be none, and their
 * files (the keys of TLS) need not be readable for its user. For `judging` the
 * files of the policy are read, and no other; for `command` none, and whoever
 * needs one reads it himself.
 */
export type Purpose = 'gateway' | 'delivery' | 'judging' | 'command'

export interface Model {
  readonly root: RootSection
  readonly listeners: readonly ListenerSection[]
  readonly hops: readonly HopSection[]
  /** every name under `hops`, also of those that could not be read */
  readonly hopNames: ReadonlySet<string>
}

export function readModel(root: LocatedMap, collector: Collector, purpose: Purpose): Model {
  const hops = readHops(root.entries.get('hops'), collector)
  return {
    root: readSection(ROOT, { node: root, at: [], variableWords: [], withoutVariable: WITHOUT_VARIABLE, others: ['listeners', 'hops'] }, collector),
    listeners: purpose === 'delivery' && !root.entries.has('listeners') ? [] : readListeners(root.entries.get('listeners'), collector),
    hops,
    hopNames: new Set(hopEntries(root.entries.get('hops')).map(([name]) => name)),
  }
}

function readListeners(entry: LocatedEntry | undefined, collector: Collector): readonly ListenerSection[] {
  const items: readonly Located[] = entry === undefined ? [] : entry.value.kind === 'list' ? entry.value.items : []
  if (entry === undefined || entry.value.kind !== 'list') collector.error(['listeners'], entry === undefined ? 'the key is missing' : 'must be a list', 'a list of listeners')
  else if (items.length === 0 || items.length > MAX_LISTENERS) collector.error(['listeners'], `found ${items.length} entries`, `1 to ${MAX_LISTENERS} listeners`)
  const sections: ListenerSection[] = []
  const words = new Set<string>()
  for (const [i, node] of items.slice(0, MAX_LISTENERS).entries()) {
    const at: KeyPath = ['listeners', i]
    if (node.kind !== 'map') {
      collector.error(at, 'must be a mapping', Object.keys(LISTENER).join(', '))
      continue
    }
    const name = node.entries.get('name')?.value
    const word = name?.kind === 'scalar' && typeof name.value === 'string' ? name.value : undefined
    // Of two listeners with one name the first has its variables; the check reports the second.
    const variableWords = word === undefined || words.has(word) ? undefined : ['listeners', word]
    if (word !== undefined) words.add(word)
    sections.push(readSection(LISTENER, { node, at, variableWords, withoutVariable: ['name', 'tls.more'] }, collector))
  }
  return sections
}

function hopEntries(entry: LocatedEntry | undefined): readonly [string, LocatedEntry][] {
  return entry?.value.kind === 'map' ? Array.from(entry.value.entries) : []
}

function readHops(entry: LocatedEntry | undefined, collector: Collector): readonly HopSection[] {
  const entries = hopEntries(entry)
  if (entry?.value.kind !== 'map') collector.error(['hops'], entry === undefined ? 'the key is missing' : 'must be a mapping', 'a mapping of names to hops')
  else if (entries.length === 0 || entries.length > MAX_HOPS) collector.error(['hops'], `found ${entries.length} entries`, `1 to ${MAX_HOPS} hops`)
  return entries.slice(0, MAX_HOPS).flatMap(([name, { value }]) => {
    const at: KeyPath = ['hops', name]
    const reading = reference.read(name)
    if (reading.status === 'refused') {
      collector.error(at, 'not a name for a hop', reference.allowed)
      return []
    }
    if (value.kind !== 'map') {
      collector.error(at, 'must be a mapping', 'one of smtp, lmtp, maildir with its address, and the keys that go with it')
      return []
    }
    const kind = hopKind(value, at, collector)
    return kind === undefined ? [] : [readHop(kind, name, { value, collector })]
  })
}

function hopKind(value: LocatedMap, at: KeyPath, collector: Collector): HopKind | undefined {
  const kinds = (Object.keys(HOP_KINDS) as HopKind[]).filter((kind) => value.entries.has(kind))
  if (kinds.length === 1) return kinds[0]
  const word = Array.from(value.entries.keys()).map((key) => suggestion(key, Object.keys(HOP_KINDS))).find((text) => text !== '') ?? ''
  const found = kinds.length === 0 ? `has none of smtp, lmtp, maildir${word}` : `has ${kinds.join(' and ')}`
  collector.error(at, found, 'exactly one of smtp, lmtp, maildir')
  return undefined
}

function readHop(kind: HopKind, name: string, { value, collector }: { value: LocatedMap; collector: Collector }): HopSection {
  const input = { node: value, at: ['hops', name], variableWords: ['hops', name], withoutVariable: HOP_WITHOUT_VARIABLE, hint: (key: string) => otherKinds(kind, key) }
  switch (kind) {
    case 'smtp': return { kind, name, section: readSection(SMTP_HOP, input, collector) }
    case 'lmtp': return { kind, name, section: readSection(LMTP_HOP, input, collector) }
    case 'maildir': return { kind, name, section: readSection(MAILDIR_HOP, input, collector) }
  }
}

/** The domains as a map; of two entries for one domain the first stands, and the check has said so. */
export function domainMap(items: readonly DomainItem[]): ReadonlyMap<Domain, { readonly next: string | undefined; readonly spam?: DomainThresholds }> {
  const map = new Map<Domain, { readonly next: string | undefined; readonly spam?: DomainThresholds }>()
  for (const { domain, ...rest } of items) if (!map.has(domain)) map.set(domain, rest)
  return map
}

/** Of a key that belongs to hops of another kind: `users` under `smtp`. */
function otherKinds(kind: HopKind, name: string): string | undefined {
  const kinds = (Object.keys(HOP_KINDS) as HopKind[]).filter((other) => other !== kind && Object.hasOwn(HOP_KINDS[other], name))
  return kinds.length === 0 ? undefined : `; it is a key of ${kinds.join(' and ')} hops, and this is one of ${kind}`
}
