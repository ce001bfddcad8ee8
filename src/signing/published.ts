/**
 * Whether the DNS has the public half of a key where receivers look for it
 * (RFC 6376 §3.6.2). That it could not be found out is a result of its own, and
 * never `missing`. Nothing is remembered here, nothing throws.
 */
import type { Resolver } from '../dns/resolver.ts'
import { compareRecord, recordFlags, recordName } from './key-record.ts'
import type { SigningKey } from './signing-key.ts'

export type Published =
  /** `testing`: t=y, some receivers ignore such signatures */
  | { readonly status: 'matches'; readonly testing: boolean }
  /** another key is there */
  | { readonly status: 'mismatch' }
  | { readonly status: 'missing' }
  /** the record says that the key is no longer good */
  | { readonly status: 'revoked' }
  | { readonly status: 'unusable'; readonly why: string }
  | { readonly status: 'temperror'; readonly cause: string }

type Half = Pick<SigningKey, 'domain' | 'selector' | 'algorithm' | 'publicData'>

export async function askPublished(key: Half, resolver: Resolver): Promise<Published> {
  return (await lookUpPublished(key, resolver)).published
}

/** `ttlSeconds`: for how long caches may go on saying so; 0 where nothing was said. */
export async function lookUpPublished(key: Half, resolver: Resolver): Promise<{ readonly published: Published; readonly ttlSeconds: number }> {
  const found = await resolver.lookup(recordName(key), 'TXT')
  if ('cause' in found) return { published: { status: 'temperror', cause: found.cause }, ttlSeconds: 0 }
  const published: Published = found.status === 'records' ? comparePublished(found.records, key) : { status: 'missing' }
  return { published, ttlSeconds: found.ttlSeconds }
}

/** @param records the strings of each TXT record that is there */
export function comparePublished(records: readonly (readonly string[])[], key: Half): Published {
  const texts = records.map((strings) => strings.join(''))
  const [text] = texts
  if (text === undefined) return { status: 'missing' }
  // RFC 6376 §3.6.2.2: what receivers make of several is not defined; they take any one.
  if (texts.length > 1) return { status: 'unusable', why: `there are ${texts.length} TXT records, of which receivers take any one: leave one` }
  const compared = compareRecord(text, key)
  return compared.status === 'matches' ? { status: 'matches', testing: recordFlags(text).includes('y') } : compared
}

export interface PublishedKey {
  readonly key: SigningKey
  readonly published: Published
}

const AT_ONCE = 8

/** All keys, a few at a time; in their order. */
export async function checkPublished(keys: readonly SigningKey[], resolver: Resolver): Promise<readonly PublishedKey[]> {
  const found: PublishedKey[] = []
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    found.push(...(await Promise.all(keys.slice(at, at + AT_ONCE).map(async (key) => ({ key, published: await askPublished(key, resolver) })))))
  }
  return found
}

/** For people: what is wrong, and what to do. */
export function describePublished(key: Half, published: Published): string {
  const name = recordName(key)
  switch (published.status) {
    case 'matches': return `${name} has the key${published.testing ? '; it says t=y, so that some receivers ignore the signatures: take that out when all is well' : ''}`
    case 'mismatch': return `${name} has another key than the one that signs: signatures are broken for everybody; publish what "postern dkim record" prints`
    case 'missing': return `${name} has no TXT record: publish what "postern dkim record" prints`
    case 'revoked': return `${name} has an empty p=, which says that the key must not be believed any more`
    case 'unusable': return `${name}: ${published.why}`
    case 'temperror': return `${name} could not be asked for: ${published.cause}`
  }
}
