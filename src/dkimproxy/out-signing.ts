/**
 * The keys of dkimproxy.out, as a `Signing`: listid_map, then sender_map, then
 * `domain` with its `signature` lines. The sender is the Sender field, or From
 * where there is none; never the envelope.
 *
 * A domain alone signs all mail; of several the one that the sender's domain is,
 * or lies under; none of them: not signed. What a map says wrong is an error at
 * the message that it is for, and a warning at the start.
 */
import type { SigningOrder } from '../auth/dkim/signing-order.ts'
import type { HeaderSection } from '../message/header-section.ts'
import { fieldsNamed } from '../message/header-section.ts'
import { readListId, readSender } from '../signing/sender.ts'
import { nameAndParents } from '../signing/signing-key.ts'
import type { Signing, SigningDecision, SigningRequest } from '../signing/signing.ts'
import { lookUp, type LookupMap, type MapEntry } from './map-file.ts'
import { nameSignature, type SignaturePlan } from './signature-plan.ts'

/** What a line of a map comes to. */
export type MapPlan = { readonly status: 'planned'; readonly plans: readonly SignaturePlan[] } | { readonly status: 'wrong'; readonly problem: string }

export interface PlannedMap {
  readonly map: LookupMap
  readonly plans: ReadonlyMap<MapEntry, MapPlan>
}

export interface OutPlan {
  readonly domains: readonly string[]
  readonly signatures: readonly SignaturePlan[]
  readonly senderMap: PlannedMap | undefined
  readonly listidMap: PlannedMap | undefined
}

/** Every occurrence of these is signed. */
const SIGNED = [
  'from', 'sender', 'reply-to', 'subject', 'date', 'message-id', 'to', 'cc', 'mime-version', 'content-type', 'content-transfer-encoding', 'content-id', 'content-description',
  'resent-date', 'resent-from', 'resent-sender', 'resent-to', 'resent-cc', 'resent-message-id', 'in-reply-to', 'references',
  'list-id', 'list-help', 'list-unsubscribe', 'list-subscribe', 'list-post', 'list-owner', 'list-archive',
]
const OVERSIGNED = ['from', 'to', 'cc', 'subject']
/** A relay behind us adds them to mail that lacks them; a second one would be a forgery. */
const OVERSIGNED_WHERE_PRESENT = ['date', 'message-id']

export class OutSigning implements Signing {
  private readonly plan: OutPlan

  constructor(plan: OutPlan) {
    this.plan = plan
  }

  /** `defer` is DKIMproxy's signing error: what applies to the message is wrong. */
  decide({ section }: Pick<SigningRequest, 'section'>): SigningDecision {
    const reading = readSender(section, ['sender', 'from'])
    const sender = reading.status === 'one' ? reading.sender.address : ''
    const mapped = this.mapped(section, sender)
    if (typeof mapped === 'string') return { status: 'defer', why: mapped }
    if (mapped !== undefined) return decided(mapped, section, sender)
    const { domains, signatures } = this.plan
    if (signatures.length === 0) return { status: 'unsigned', why: 'no map knows the message, and there is no signature for the others' }
    const senderDomain = sender.slice(sender.lastIndexOf('@') + 1)
    const domain = domains.length === 1 ? domains[0] : [...nameAndParents(senderDomain)].find((one) => domains.includes(one))
    if (domain === undefined && domains.length > 1) return { status: 'unsigned', why: sender === '' && reading.status === 'none' ? reading.why : `${senderDomain} is none of the domains` }
    return decided({ plans: signatures, key: '', domain }, section, sender)
  }

  private mapped(section: HeaderSection, sender: string): Applied | string | undefined {
    const { listidMap, senderMap } = this.plan
    const listId = readListId(section)
    return (listId === undefined ? undefined : find(listidMap, listId)) ?? (sender === '' && senderMap !== undefined ? undefined : find(senderMap, sender))
  }
}

interface Applied {
  readonly plans: readonly SignaturePlan[]
  /** of the map */
  readonly key: string
  readonly domain: string | undefined
}

/** A sentence where the line of the map is wrong. */
function find(planned: PlannedMap | undefined, address: string): Applied | string | undefined {
  const entry = planned === undefined ? undefined : lookUp(planned.map, address)
  if (planned === undefined || entry === undefined) return undefined
  const found = planned.plans.get(entry)
  if (found === undefined || found.status === 'wrong') return `${found?.problem ?? 'no signature is known'} (${planned.map.file}:${entry.line})`
  return { plans: found.plans, key: entry.key, domain: entry.key.slice(entry.key.lastIndexOf('@') + 1) }
}

function decided({ plans, key, domain }: Applied, section: HeaderSection, sender: string): SigningDecision {
  if (plans.length === 0) return { status: 'unsigned', why: 'no signature is asked for' }
  const present = OVERSIGNED_WHERE_PRESENT.filter((name) => fieldsNamed(section, name).length > 0)
  const orders: SigningOrder[] = []
  for (const plan of plans) {
    const named = nameSignature(plan, domain, { sender, key })
    if (named.status === 'wrong') return { status: 'defer', why: named.problem }
    orders.push({
      key: { domain: named.domain, selector: plan.selector, algorithm: plan.algorithm, privateKey: plan.key.privateKey },
      canonicalization: plan.method, identity: named.identity, signedFields: SIGNED, oversignedFields: [...OVERSIGNED, ...present], lifetimeSeconds: undefined,
    })
  }
  return { status: 'sign', orders, why: key === '' ? `as ${orders[0]?.key.domain ?? ''}` : `as the map says for ${key}` }
}
