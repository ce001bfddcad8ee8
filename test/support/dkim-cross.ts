/**
 * Crosses signers and verifiers of DKIM (RFC 6376): a message is signed in all
 * forms (four canonicalisations with RSA-2048 and Ed25519), under a selector
 * for each form, and what somebody else makes of the signatures is a list of
 * those that do not pass. So a test compares such lists with what it expects of
 * a peer; an empty one is agreement.
 */
import { MessageSigner } from '../../src/auth/dkim/message-signer.ts'
import type { SigningOutcome } from '../../src/auth/dkim/message-signer.ts'
import type { Canonicalization, SigningAlgorithm, SigningOrder } from '../../src/auth/dkim/signing-order.ts'
import { verifyDkim } from '../../src/auth/dkim.ts'
import type { DkimOutcome } from '../../src/auth/dkim.ts'
import type { HeaderSection } from '../../src/message/header-section.ts'
import { HeaderSectionReader } from '../../src/message/header-section.ts'
import type { DkimPeer, PeerKeys, PeerOrder } from './peers/dkim-peer.ts'
import { makePeerKeys } from './peers/dkim-peer.ts'
import { zoneMap } from './zone-map.ts'
import type { ZoneMap } from './zone-map.ts'

export const DOMAIN = 'example.com'
const CANONICALIZATIONS: readonly Canonicalization[] = ['simple', 'relaxed']
const ALGORITHMS: readonly SigningAlgorithm[] = ['rsa-sha256', 'ed25519-sha256']

export interface Form {
  readonly algorithm: SigningAlgorithm
  readonly header: Canonicalization
  readonly body: Canonicalization
  readonly domain: string
  /** names the form, as `rsa-simple-relaxed` */
  readonly selector: string
}

export const FORMS: readonly Form[] = ALGORITHMS.flatMap((algorithm) => CANONICALIZATIONS.flatMap((header) => CANONICALIZATIONS.map((body) => ({ algorithm, header, body, domain: DOMAIN, selector: `${algorithm.split('-')[0] ?? ''}-${header}-${body}` }))))

/** What did not pass, by selector: in the words of whoever looked. */
export type Failures = Readonly<Record<string, string>>

export interface CrossKeys extends PeerKeys {
  readonly zone: ZoneMap
}

export function crossKeys(): CrossKeys {
  const keys = makePeerKeys(FORMS)
  return { ...keys, zone: zoneMap(Object.fromEntries(Object.entries(keys.records).map(([name, text]) => [name, { TXT: [text] }]))) }
}

/** Fields that a signer leaves alone: signatures of others, which each of the peers knows for what they are. */
const LEFT_OUT: ReadonlySet<string> = new Set(['dkim-signature'])
/** Not there, there once, or more often: named once more than that. */
export const OVERSIGNED = ['from', 'to', 'subject', 'x-never'] as const

function namesIn(section: HeaderSection): string[] {
  // h= holds no semicolon (RFC 6376 §3.2).
  return section.fields.map(({ key }) => key).filter((key) => !LEFT_OUT.has(key) && !key.includes(';'))
}

export function orderOf(form: Form, keys: PeerKeys, section: HeaderSection): SigningOrder {
  const { algorithm, header, body, domain, selector } = form
  return {
    key: { domain, selector, algorithm, privateKey: keys.private[algorithm] }, canonicalization: { header, body }, identity: undefined,
    signedFields: [...new Set(namesIn(section))], oversignedFields: OVERSIGNED, lifetimeSeconds: undefined,
  }
}

/** Signed by us in all forms, with every field of the message in each; cut into pieces of `pieceBytes`. */
export function signedByUs(message: Buffer, keys: PeerKeys, pieceBytes = 1000): Promise<SigningOutcome> {
  const signer = new MessageSigner((section) => FORMS.map((form) => orderOf(form, keys, section)))
  for (let at = 0; at < message.length; at += pieceBytes) signer.write(message.subarray(at, at + pieceBytes))
  return signer.finish({ above: [], now: new Date() })
}

export function verifiedByUs(message: Buffer, keys: CrossKeys, pieceBytes = 1000): Promise<DkimOutcome> {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0; at < message.length; at += pieceBytes) yield await Promise.resolve(message.subarray(at, at + pieceBytes))
  }
  return verifyDkim({ chunks }, keys.zone, new Date())
}

/** What a peer makes of our signatures, in the forms that it knows. */
export async function failuresAt(peer: DkimPeer, signed: Buffer, forms: readonly Form[] = FORMS): Promise<Failures> {
  const verdict = await peer.verify(signed)
  const known = forms.filter(({ algorithm }) => peer.algorithms.includes(algorithm))
  if (verdict.status === 'refused') return collected(known, () => `${NOT_READ}: ${verdict.cause}`)
  const results = new Map(verdict.results.map((result) => [result.selector, result]))
  return collected(known, (form) => {
    const result = results.get(form.selector)
    return result?.status === 'pass' ? undefined : result?.detail ?? 'not seen'
  })
}

export interface SignedByPeer {
  /** the message under the fields */
  readonly whole: Buffer
  /** those that it signed */
  readonly forms: readonly Form[]
  /** its fields, by selector */
  readonly fields: Readonly<Record<string, string>>
  /** what it would not sign, in its words */
  readonly refused: Failures
}

export async function signedByPeer(peer: DkimPeer, message: Buffer, more: Pick<PeerOrder, 'limit'> = {}): Promise<SignedByPeer> {
  const reader = new HeaderSectionReader()
  reader.feed(message)
  const over = OVERSIGNED
  const names = [...namesIn(reader.finish()), ...over]
  const refused: Record<string, string> = {}
  const fields: Record<string, string> = {}
  const forms: Form[] = []
  // All at once: a peer answers in order.
  const made = await Promise.all(FORMS.filter(({ algorithm }) => peer.algorithms.includes(algorithm)).map(async (form) => ({ form, signing: await peer.sign(message, { ...form, names, over, ...more }) })))
  for (const { form, signing } of made) {
    if (signing.status === 'refused') refused[form.selector] = `${NOT_SIGNED}: ${signing.cause}`
    else {
      fields[form.selector] = signing.field
      forms.push(form)
    }
  }
  return { whole: Buffer.concat([Buffer.from(Object.values(fields).join(''), 'latin1'), message]), forms, fields, refused }
}

/** What we make of a peer's signatures. */
export async function failuresHere({ whole, forms, refused }: Pick<SignedByPeer, 'whole' | 'forms' | 'refused'>, keys: CrossKeys, pieceBytes?: number): Promise<Failures> {
  const outcome = await verifiedByUs(whole, keys, pieceBytes)
  if (outcome.cause !== '') return { ...refused, ...collected(forms, () => `${NOT_READ}: ${outcome.cause}`) }
  const found = new Map(outcome.signatures.map((signature) => [signature.selector, signature]))
  return { ...refused, ...collected(forms, ({ selector }) => {
    const signature = found.get(selector)
    return signature?.status === 'pass' ? undefined : signature === undefined ? 'not seen' : `${signature.status}: ${signature.cause}`
  }) }
}

function collected(forms: readonly Form[], whyNot: (form: Form) => string | undefined): Failures {
  const failures: Record<string, string> = {}
  for (const form of forms) {
    const why = whyNot(form)
    if (why !== undefined) failures[form.selector] = why
  }
  return failures
}

const NOT_SIGNED = 'not signed'
const NOT_READ = 'not read'

/** A list of failures in a few words, as `fails: relaxed body`; '' for an empty one. `forms` are those that could have failed. */
export function inWords(failures: Failures, forms: readonly Form[]): string {
  const kinds = new Map<string, Form[]>()
  for (const form of forms) {
    const why = failures[form.selector]
    if (why === undefined) continue
    const kind = [NOT_SIGNED, NOT_READ].find((word) => why.startsWith(word)) ?? 'fails'
    kinds.set(kind, [...kinds.get(kind) ?? [], form])
  }
  return [...kinds].map(([kind, those]) => `${kind}: ${setInWords(those, forms)}`).join('; ')
}

const SETS: readonly (readonly [words: string, holds: (form: Form) => boolean])[] = [
  ['all', () => true],
  ['simple header', ({ header }) => header === 'simple'],
  ['simple body', ({ body }) => body === 'simple'],
  ['relaxed header', ({ header }) => header === 'relaxed'],
  ['relaxed body', ({ body }) => body === 'relaxed'],
]

function setInWords(those: readonly Form[], forms: readonly Form[]): string {
  const same = SETS.find(([, holds]) => forms.every((form) => holds(form) === those.includes(form)))
  return same?.[0] ?? those.map(({ selector }) => selector).join(', ')
}
