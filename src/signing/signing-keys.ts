/**
 * Who signs a message: the `Signing` of the gateway. Answers out of memory;
 * files are read by `load` and `reload` only, DNS records asked for by `tick`.
 *
 * What is signed, and what never is:
 *
 * - with the keys that the sources (signing.keys, the folder, OpenDKIM's
 *   tables) mean for the message, where whoever sent it is entitled to the
 *   address that the key was chosen by;
 * - not where From has several authors, or can be read in several ways: nobody
 *   can be entitled to what is not clear;
 * - of several keys of a domain of the same kind one signs (a rotation); an RSA
 *   and an Ed25519 key sign both. A key whose record is known to be wrong is
 *   left out where another of the domain is known to be right: its signature
 *   would help nobody.
 *
 * With `requirePublished` each domain that is to sign needs a key whose record
 * has been seen to be right; otherwise the message is put off. A DNS that does
 * not answer changes nothing about what was seen.
 */
import type { SigningOrder } from '../auth/dkim/signing-order.ts'
import { strangerText } from '../auth/stranger-text.ts'
import type { HeaderSection } from '../message/header-section.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Log } from '../observe/log.ts'
import { thisReader, type Reader } from './key-file.ts'
import { readKeySet, type KeySet } from './key-set.ts'
import type { SigningProblem } from './problem.ts'
import { PublicationWatch, type Standing } from './publication-watch.ts'
import { readListId, readSender, type SenderReading } from './sender.ts'
import type { AddressFields, SigningSettings } from './settings.ts'
import type { Signing, SigningDecision, SigningRequest } from './signing.ts'
import { isUnder, type Candidate, type Occasion, type SigningKey } from './signing-key.ts'

export interface SigningContext {
  readonly resolver: Resolver
  readonly log: Log
  /** milliseconds on a clock that only goes forward */
  readonly now: () => number
  readonly random?: () => number
  /** who reads the files; default: this process */
  readonly reader?: Reader
}

export type SigningLoad = { readonly status: 'loaded'; readonly signing: SigningKeys } | { readonly status: 'refused'; readonly problems: readonly SigningProblem[] }

export class SigningKeys implements Signing {
  readonly #watch: PublicationWatch
  readonly #reader: Reader
  #set: KeySet
  #made: OrdersMade = new WeakMap()

  private constructor(set: KeySet, context: SigningContext, reader: Reader) {
    this.#reader = reader
    this.#set = set
    this.#watch = new PublicationWatch(context)
    this.#watch.keep(set.keys)
  }

  static load(settings: SigningSettings, context: SigningContext): SigningLoad {
    const reader = context.reader ?? thisReader()
    const reading = readKeySet(settings, reader)
    return reading.status === 'refused' ? reading : { status: 'loaded', signing: new SigningKeys(reading.set, context, reader) }
  }

  /** All files are read again. With problems nothing changes, and they are returned; otherwise the list is empty. */
  reload(settings: SigningSettings): readonly SigningProblem[] {
    const reading = readKeySet(settings, this.#reader, this.#set)
    if (reading.status === 'refused') return reading.problems
    this.#set = reading.set
    this.#made = new WeakMap()
    this.#watch.keep(reading.set.keys)
    return []
  }

  /** Those that are known before any message comes. */
  get keys(): readonly SigningKey[] {
    return this.#set.keys
  }

  get settings(): SigningSettings {
    return this.#set.settings
  }

  /** To be called every second or so: asks the DNS about keys that are due. */
  tick(): void {
    this.#watch.tick()
  }

  /** Asks about every key that nothing is known of; resolves when that is done. Whoever waits for it should not wait for ever. */
  firstCheck(): Promise<void> {
    return this.#watch.askUnknown()
  }

  close(): void {
    this.#watch.close()
  }

  decide(request: SigningRequest): SigningDecision {
    const { settings, sources } = this.#set
    const occasion = occasionOf(request)
    const meant = sources.flatMap((source) => source.candidates(occasion))
    if (meant.length === 0) return { status: 'unsigned', why: this.#whyNone(occasion) }
    const entitled = meant.filter(({ sender }) => sender === undefined || request.entitledTo(sender.written))
    if (entitled.length === 0) return { status: 'unsigned', why: `${shown(request.login ?? 'the sender')} may not write in the name of ${shown(meant[0]?.sender?.written ?? '')}` }
    const chosen = this.#choose(entitled)
    const unfit = settings.requirePublished ? chosen.filter(({ standing }) => standing !== 'right') : []
    const fit = withoutBroken(chosen)
    const domainless = unfit.find(({ candidate: { key } }) => !fit.some((one) => one.standing === 'right' && one.candidate.key.domain === key.domain))
    if (domainless !== undefined) return { status: 'defer', why: `signing.require_published: ${this.#watch.describe(domainless.candidate.key)}` }
    const ready = settings.requirePublished ? fit.filter(({ standing }) => standing === 'right') : fit
    const signers = bestOf(ready.map(({ candidate }) => candidate), isSingle(settings, request.recipientDomains))
    return { status: 'sign', orders: signers.map((candidate) => orderOf(candidate, { settings, made: this.#made }, request)), why: whySigned(signers) }
  }

  #whyNone(occasion: Occasion): string {
    if (this.#set.sources.length === 0) return 'there are no keys'
    const fields = this.#set.sources[0]?.addressFields ?? ['from']
    const reading = occasion.sender(fields)
    return reading.status === 'none' ? reading.why : `no key is meant for ${shown(reading.sender.written)}`
  }

  /** One of each group, each name once. */
  #choose(candidates: readonly Candidate[]): readonly Chosen[] {
    const groups = new Map<string, Chosen[]>()
    const names = new Set<string>()
    for (const candidate of candidates) {
      const { domain, selector } = candidate.key
      if (names.has(`${selector} ${domain}`)) continue
      names.add(`${selector} ${domain}`)
      const one = { candidate, standing: this.#watch.standing(candidate.key) }
      const group = groups.get(candidate.group)
      if (group === undefined) groups.set(candidate.group, [one])
      else group.push(one)
    }
    return [...groups.values()].flatMap((group) => oneOf(group) ?? [])
  }
}

interface Chosen {
  readonly candidate: Candidate
  readonly standing: Standing
}

function oneOf(group: readonly Chosen[]): Chosen | undefined {
  const right = group.find(({ standing }) => standing === 'right')
  if (right !== undefined) return right
  const unknown = group.filter(({ standing }) => standing === 'unknown')
  return (group[0]?.candidate.newestFirst === true ? unknown.at(-1) : unknown[0]) ?? group[0]
}

/** A signature that is known to be broken, beside one of the same domain that is not. */
function withoutBroken(chosen: readonly Chosen[]): readonly Chosen[] {
  const right = new Set(chosen.filter(({ standing }) => standing === 'right').map(({ candidate }) => candidate.key.domain))
  return chosen.filter(({ candidate, standing }) => standing !== 'wrong' || !right.has(candidate.key.domain))
}

/**
 * RSA stands on top: whoever looks at few signatures begins there, and all
 * receivers know RSA, not all Ed25519 (RFC 8463 §5).
 */
function bestOf(candidates: readonly Candidate[], single: boolean): readonly Candidate[] {
  const rank = ({ key }: Candidate): number => (key.algorithm === 'rsa-sha256' ? 0 : 1)
  const ordered = candidates.toSorted((a, b) => rank(a) - rank(b))
  return single ? ordered.slice(0, 1) : ordered
}

/** One message goes to all of its recipients: the narrowest decides. */
function isSingle({ singleSignature }: SigningSettings, domains: ReadonlySet<string>): boolean {
  if (singleSignature.length === 0) return false
  return [...domains].some((domain) => singleSignature.some((one) => (one.startsWith('.') ? isUnder(domain, one.slice(1)) : domain === one)))
}

function occasionOf({ section, login, listener }: SigningRequest): Occasion {
  const read = new Map<string, SenderReading>()
  return {
    sender: (fields: AddressFields) => {
      const id = fields.join()
      const known = read.get(id) ?? readSender(section, fields)
      read.set(id, known)
      return known
    },
    listId: readListId(section),
    login,
    listener,
  }
}

/** Orders that were made, by what they differ in beside the key; those of one key are few. */
type OrdersMade = WeakMap<SigningKey, Map<string, SigningOrder>>

function orderOf(candidate: Candidate, { settings, made }: { readonly settings: SigningSettings; readonly made: OrdersMade }, { section, addedFields }: SigningRequest): SigningOrder {
  const present = settings.oversignPresent.filter((name) => addedFields.has(name) || has(section, name))
  // One of its own for each sender would be one for each message.
  if (candidate.identity !== undefined) return makeOrder(candidate, settings, present)
  const ofKey = made.get(candidate.key) ?? new Map<string, SigningOrder>()
  made.set(candidate.key, ofKey)
  const order = ofKey.get(present.join()) ?? makeOrder(candidate, settings, present)
  ofKey.set(present.join(), order)
  return order
}

function makeOrder({ key, identity }: Candidate, { canonicalization, fields, oversign, expireSeconds }: SigningSettings, present: readonly string[]): SigningOrder {
  const oversignedFields = [...new Set([...oversign, ...present])]
  return {
    key, canonicalization, identity,
    // RFC 6376 §5.4: From, always.
    signedFields: [...new Set(['from', ...fields, ...oversignedFields])],
    oversignedFields,
    lifetimeSeconds: expireSeconds,
  }
}

function has(section: HeaderSection, name: string): boolean {
  return section.fields.some(({ key }) => key === name)
}

function whySigned(signers: readonly Candidate[]): string {
  return signers.map(({ key, sender, source }) => `${key.selector}._domainkey.${key.domain} (${key.algorithm}) by ${source}${sender === undefined ? '' : ` for ${shown(sender.written)}`}`).join('; ')
}

function shown(text: string): string {
  return strangerText(text, 120)
}
