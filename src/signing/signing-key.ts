/**
 * Keys with what is known of them, and the boundary between where keys come
 * from (a list, a folder, OpenDKIM's tables) and who chooses among them.
 */
import type { DkimKey } from '../auth/dkim/signing-order.ts'
import type { PrivateKey } from './private-key.ts'
import type { SenderAddress, SenderReading } from './sender.ts'
import type { AddressFields } from './settings.ts'

export interface SigningKey extends DkimKey {
  readonly bits: number
  /** the `p=` that its record must have */
  readonly publicData: string
  /** where it was read from; for people */
  readonly file: string
}

export interface KeyName {
  readonly domain: string
  readonly selector: string
}

export function signingKey({ domain, selector }: KeyName, key: PrivateKey, file: string): SigningKey {
  const { privateKey, algorithm, bits, publicData } = key
  return { domain, selector, algorithm, privateKey, bits, publicData, file }
}

/** A message, as sources of keys see it. */
export interface Occasion {
  sender(fields: AddressFields): SenderReading
  readonly listId: string | undefined
  readonly login: string | undefined
  readonly listener: string
}

/** A key that is meant for a message. */
export interface Candidate {
  readonly key: SigningKey
  /** `i=` */
  readonly identity: string | undefined
  /** whoever sent the message has to be entitled to this address; undefined: the operator has said by other means who may */
  readonly sender: SenderAddress | undefined
  /** of the candidates of one group one signs: the first whose record is known to be right */
  readonly group: string
  /** while nothing is known of their records: the last of the group is taken, and not the first */
  readonly newestFirst: boolean
  /** as `signing.keys[0]`; for people */
  readonly source: string
}

export interface KeySource {
  /** those that are known before any message comes */
  readonly keys: readonly SigningKey[]
  /** which fields' addresses it goes by; for saying why nothing was found */
  readonly addressFields: AddressFields
  candidates(occasion: Occasion): readonly Candidate[]
}

/** One RSA key and one Ed25519 key of a domain sign side by side; two of the same kind are a rotation. */
export function rotationGroup({ domain, algorithm }: SigningKey): string {
  return `${domain} ${algorithm}`
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const MAX_NAME_CHARACTERS = 253

/** Lower case, labels of letters, digits, hyphens and underscores. */
export function isName(text: string): boolean {
  return text.length <= MAX_NAME_CHARACTERS && text.split('.').every((label) => LABEL.test(label))
}

/** `domain` itself, or a name below it. */
export function isUnder(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`)
}

/** The name itself and all above it, the longest first. */
export function* nameAndParents(name: string): Generator<string> {
  for (let at = 0; at >= 0; ) {
    yield name.slice(at)
    const dot = name.indexOf('.', at)
    at = dot < 0 ? -1 : dot + 1
  }
}
